//! The one place that reads clocks and randomness. Everything else is handed an [`Env`], so that a test
//! can own time and a simulation can repeat itself.
#![allow(clippy::disallowed_methods, reason = "this file is what the rest of the house asks instead")]

use std::fmt::Debug;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::Timestamp;

/// Time and randomness, passed in.
///
/// Implement it to run Malipo under a clock of your own. [`SystemEnv`] is the real one.
pub trait Env: Debug + Send + Sync {
    /// The wall clock. For records and for people; never for measuring how long something took.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, which never runs backwards. For deadlines and expiries.
    fn monotonic(&self) -> Duration;

    /// Fills `bytes` with randomness fit for references and keys.
    fn fill_bytes(&self, bytes: &mut [u8]);
}

/// A moment by both clocks of an [`Env`]: one goes on while a machine sleeps, and the other cannot be set.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    wall: Timestamp,
    monotonic: Duration,
}

impl Moment {
    /// Now.
    pub fn now(env: &dyn Env) -> Self {
        Self { wall: env.now(), monotonic: env.monotonic() }
    }

    /// How long ago it was, by the clock that says more.
    pub fn passed(self, env: &dyn Env) -> Duration {
        let now = Self::now(env);
        now.monotonic.saturating_sub(self.monotonic).max(now.wall.saturating_since(self.wall))
    }
}

/// An [`Env`] that can also wait.
#[async_trait]
pub trait Timer: Env {
    /// Returns after `duration` of [`Env::monotonic`] time.
    async fn sleep(&self, duration: Duration);
}

/// The operating system's clocks and randomness.
#[derive(Debug, Clone)]
pub struct SystemEnv {
    started: Instant,
}

impl SystemEnv {
    /// An environment whose monotonic time starts at zero now.
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemEnv {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for SystemEnv {
    fn now(&self) -> Timestamp {
        Timestamp::from_jiff(jiff::Timestamp::now())
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    /// # Panics
    ///
    /// When the operating system has no randomness to give. No reference that could repeat is ever minted.
    #[allow(clippy::panic, reason = "without randomness two payments could share a reference")]
    fn fill_bytes(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gave no randomness: {error}");
        }
    }
}

#[cfg(feature = "tokio")]
#[async_trait]
impl Timer for SystemEnv {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
