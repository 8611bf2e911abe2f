use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use malipo_core::{Env, Timer, Timestamp};
use tokio::sync::Notify;

use super::noon;

/// A clock that stands still until somebody moves it.
#[derive(Debug, Default)]
pub(crate) struct HandTimer {
    passed: Mutex<Duration>,
    waiting: Mutex<Vec<Duration>>,
    moved: Notify,
    slept: Notify,
}

impl HandTimer {
    pub(crate) fn forward(&self, by: Duration) {
        *self.passed.lock().unwrap() += by;
        self.moved.notify_waiters();
    }

    fn took(&self, duration: Duration) -> bool {
        let mut waiting = self.waiting.lock().unwrap();
        let found = waiting.iter().position(|known| *known == duration);
        found.map(|at| waiting.swap_remove(at)).is_some()
    }

    /// Returns once somebody has begun to wait for exactly so long, each time for another one.
    pub(crate) async fn sleeps(&self, duration: Duration) {
        loop {
            let slept = self.slept.notified();
            if self.took(duration) {
                return;
            }
            slept.await;
        }
    }
}

impl Env for HandTimer {
    fn now(&self) -> Timestamp {
        noon().saturating_add(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        *self.passed.lock().unwrap()
    }

    fn fill_bytes(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

#[async_trait]
impl Timer for HandTimer {
    async fn sleep(&self, duration: Duration) {
        let until = self.monotonic() + duration;
        self.waiting.lock().unwrap().push(duration);
        self.slept.notify_waiters();
        loop {
            let moved = self.moved.notified();
            if self.monotonic() >= until {
                return;
            }
            moved.await;
        }
    }
}
