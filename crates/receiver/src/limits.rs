use std::time::Duration;

/// What is taken of whoever posts, known or not. The defaults are many times what any gateway has been seen to post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of a body; 64 KiB by default. More is answered with 413.
    pub body: usize,
    /// The most bytes of all header names and values together; 8 KiB by default. More is answered with 431.
    pub headers: usize,
    /// How long a body may take to arrive; ten seconds by default. A slower one is answered with 408.
    pub body_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 64 * 1024, headers: 8 * 1024, body_within: Duration::from_secs(10) }
    }
}
