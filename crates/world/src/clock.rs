//! Time that stands still until everybody waits, and chance that repeats itself.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use malipo::{Env, Timer, Timestamp, async_trait};

/// 22 November 2026, noon in Nairobi.
const NOON: i64 = 1_795_338_000_000;

/// The one clock of a world: the gateways', the journals' and everybody's who waits. Clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<Mutex<Inner>>);

struct Inner {
    elapsed: Duration,
    seed: u64,
    drawn: u64,
    sleepers: BTreeMap<(Duration, u64), Waker>,
    slept: u64,
}

impl Clock {
    /// Noon in Nairobi, with randomness that follows from `seed`.
    pub fn seeded(seed: u64) -> Self {
        let (elapsed, sleepers) = (Duration::ZERO, BTreeMap::new());
        Self(Arc::new(Mutex::new(Inner { elapsed, seed, drawn: 0, sleepers, slept: 0 })))
    }

    /// When the first of those who sleep wakes up; `None` when nobody sleeps.
    pub fn next(&self) -> Option<Duration> {
        self.inner().sleepers.keys().next().map(|(until, _)| *until)
    }

    /// Goes on to `at`, and wakes who slept until then, in the order of their times. Time never goes back.
    pub fn go_to(&self, at: Duration) {
        let woken = {
            let mut inner = self.inner();
            inner.elapsed = inner.elapsed.max(at);
            let awake = (inner.elapsed, u64::MAX);
            let asleep = inner.sleepers.split_off(&awake);
            std::mem::replace(&mut inner.sleepers, asleep)
        };
        for waker in woken.into_values() {
            waker.wake();
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("elapsed", &self.inner().elapsed).finish_non_exhaustive()
    }
}

impl Env for Clock {
    fn now(&self) -> Timestamp {
        let noon = Timestamp::from_unix_millis(NOON).unwrap_or(Timestamp::UNIX_EPOCH);
        noon.saturating_add(self.inner().elapsed)
    }

    fn monotonic(&self) -> Duration {
        self.inner().elapsed
    }

    fn fill_bytes(&self, bytes: &mut [u8]) {
        let mut inner = self.inner();
        for chunk in bytes.chunks_mut(8) {
            inner.drawn += 1;
            let drawn = mix(inner.seed.wrapping_add(inner.drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
            for (byte, drawn) in chunk.iter_mut().zip(drawn.to_le_bytes()) {
                *byte = drawn;
            }
        }
    }
}

/// The finisher of `SplitMix64`.
const fn mix(mut mixed: u64) -> u64 {
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[async_trait]
impl Timer for Clock {
    async fn sleep(&self, duration: Duration) {
        let until = self.monotonic().saturating_add(duration);
        Sleep { clock: self.clone(), until, place: None }.await;
    }
}

struct Sleep {
    clock: Clock,
    until: Duration,
    /// Where it stands among the sleepers, once it does.
    place: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut inner = clock.inner();
        if inner.elapsed >= self.until {
            return Poll::Ready(());
        }
        let place = self.place.unwrap_or_else(|| {
            inner.slept += 1;
            inner.slept
        });
        self.place = Some(place);
        inner.sleepers.insert((self.until, place), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.clock.inner().sleepers.remove(&(self.until, place));
        }
    }
}
