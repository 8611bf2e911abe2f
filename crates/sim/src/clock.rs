//! The simulator's time: the [`Env`](malipo_core::Env)'s, and how far it was moved ahead of that.

use std::sync::Arc;
use std::time::Duration;

use malipo_core::{Timer, Timestamp};

/// The one clock of a world. Nothing else adds up what time it is.
#[derive(Clone)]
pub(crate) struct Clock {
    env: Arc<dyn Timer>,
    ahead: Duration,
}

impl Clock {
    /// A clock that reads as `env` does.
    pub(crate) fn new(env: Arc<dyn Timer>) -> Self {
        Self { env, ahead: Duration::ZERO }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.env.now().saturating_add(self.ahead)
    }

    pub(crate) fn monotonic(&self) -> Duration {
        self.env.monotonic().saturating_add(self.ahead)
    }

    /// How far it is ahead of the environment.
    pub(crate) fn ahead(&self) -> Duration {
        self.ahead
    }

    /// How far ahead it has to be in order to read `at`, in monotonic time, at this moment.
    pub(crate) fn ahead_to_read(&self, at: Duration) -> Duration {
        at.saturating_sub(self.env.monotonic())
    }

    /// Puts it this far ahead, unless it is further already: it never runs backwards.
    pub(crate) fn put_ahead(&mut self, ahead: Duration) {
        self.ahead = self.ahead.max(ahead);
    }

    /// What the environment's monotonic clock reads when this one reads `at`.
    pub(crate) fn in_env_time(&self, at: Duration) -> Duration {
        at.saturating_sub(self.ahead)
    }

    /// The clock as it was at first.
    pub(crate) fn put_back(&self) -> Self {
        Self::new(Arc::clone(&self.env))
    }
}
