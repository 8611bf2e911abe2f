use std::time::Duration;

/// What is taken of whoever posts, known or not. The defaults are many times what any gateway has been seen to post.
///
/// ```
/// # use std::time::Duration;
/// let mut limits = malipo_receiver::Limits::default();
/// limits.body_within = Duration::from_secs(5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of a body; 64 KiB by default. More is answered with 413.
    pub body: usize,
    /// The most bytes of all header names and values together; 8 KiB by default. More is answered with 431.
    pub headers: usize,
    /// How long a body may take to arrive; ten seconds by default. A slower one is answered with 408.
    pub body_within: Duration,
    /// `serve` only: how long a connection may be without a whole request; five seconds by default. A slower one is
    /// closed, and so is one that is kept open for nothing.
    pub headers_within: Duration,
    /// `serve` only: the most connections at one time; 4,096 by default. What comes then waits in the system's queue
    /// until another has ended.
    pub connections: usize,
    /// `serve` only: how long a connection is kept; one minute by default. Then the request that is under way, or the next
    /// one, is its last.
    pub connection_for: Duration,
    /// `serve` only: how long it may take to keep a callback and to have its answer taken; five seconds by default. It
    /// matters where a connection has to end: one that took longer is cut.
    pub answer_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 64 * 1024,
            headers: 8 * 1024,
            body_within: Duration::from_secs(10),
            headers_within: Duration::from_secs(5),
            connections: 4096,
            connection_for: Duration::from_secs(60),
            answer_within: Duration::from_secs(5),
        }
    }
}
