use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use malipo::{Env, SystemEnv, Timer, Timestamp, async_trait};

/// Time and randomness that repeat with their seed: what is minted from them is the same in every run. Only for
/// simulated money, as anybody can foretell it.
#[derive(Debug)]
pub(crate) struct SeededEnv {
    clock: SystemEnv,
    state: AtomicU64,
}

impl SeededEnv {
    pub(crate) fn new(seed: u64) -> Self {
        Self { clock: SystemEnv::new(), state: AtomicU64::new(seed) }
    }

    /// A seed for another process, whose references must be others than ours.
    pub(crate) fn seed(&self) -> u64 {
        self.next()
    }

    /// Steele, Lea and Flood's SplitMix64 (2014).
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Env for SeededEnv {
    /// A clock that stands still, so that references repeat, too.
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn fill_bytes(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            for (byte, random) in chunk.iter_mut().zip(self.next().to_le_bytes()) {
                *byte = random;
            }
        }
    }
}

#[async_trait]
impl Timer for SeededEnv {
    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}

/// A seed from the system's randomness, small enough to be typed in again.
pub(crate) fn any_seed() -> u64 {
    let mut bytes = [0; 4];
    SystemEnv::new().fill_bytes(&mut bytes);
    u64::from(u32::from_le_bytes(bytes))
}
