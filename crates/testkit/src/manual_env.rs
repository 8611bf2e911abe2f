use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use malipo_core::{Env, Timestamp};

/// An [`Env`] whose clocks move only when told to, and whose random bytes are the same in every run.
///
/// ```
/// use std::time::Duration;
/// use malipo_core::{Env, Reference};
/// use malipo_testkit::ManualEnv;
///
/// let env = ManualEnv::new();
/// assert_eq!(env.now().to_string(), "2026-11-22T09:00:00Z");
/// env.advance(Duration::from_secs(90));
/// assert_eq!((env.now().to_string().as_str(), env.monotonic().as_secs()), ("2026-11-22T09:01:30Z", 90));
/// assert_ne!(Reference::mint(&env), Reference::mint(&env), "deterministic, yet no two alike");
/// ```
#[derive(Debug)]
pub struct ManualEnv(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    now: Timestamp,
    monotonic: Duration,
    drawn: u64,
}

/// 22 November 2026, noon in Nairobi.
const NOON: i64 = 1_795_338_000_000;

impl ManualEnv {
    /// Noon in Nairobi, 22 November 2026.
    pub fn new() -> Self {
        Self::at(Timestamp::from_unix_millis(NOON).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// Starts at `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self(Mutex::new(Inner { now, monotonic: Duration::ZERO, drawn: 0 }))
    }

    /// Moves both clocks forward.
    pub fn advance(&self, duration: Duration) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.now = inner.now.saturating_add(duration);
        inner.monotonic += duration;
    }

    /// Sets the wall clock alone, as somebody who corrects it does; it may jump back.
    pub fn set_now(&self, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now = now;
    }
}

impl Default for ManualEnv {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for ManualEnv {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).monotonic
    }

    /// A count, well mixed, so that what is made of it looks like what a real run makes.
    fn fill_bytes(&self, bytes: &mut [u8]) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            inner.drawn += 1;
            for (byte, mixed) in chunk.iter_mut().zip(mix(inner.drawn).to_le_bytes()) {
                *byte = mixed;
            }
        }
    }
}

/// The finisher of `SplitMix64`.
const fn mix(count: u64) -> u64 {
    let mut mixed = count.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
