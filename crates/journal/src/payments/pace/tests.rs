use std::sync::atomic::{AtomicU64, Ordering};

use malipo_core::{Effect, Operation, Timestamp};
use proptest::prelude::*;

use super::*;

/// A clock that is moved by hand, in milliseconds.
#[derive(Debug, Default)]
struct Clock(AtomicU64);

impl Env for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn fill_bytes(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

struct Bench {
    clock: Arc<Clock>,
    pace: Pace,
}

impl Bench {
    fn new(per_second: u32) -> Self {
        let clock = Arc::new(Clock::default());
        Self { pace: Pace::new(NonZeroU32::new(per_second), clock.clone()), clock }
    }

    fn forward(&self, by: Duration) {
        self.clock.0.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// How many turns there are in this time, whoever asks every millisecond.
    fn turns(&self, within: Duration) -> usize {
        let mut turns = 0;
        for _ in 0..within.as_millis() {
            turns += usize::from(self.pace.take().is_ok());
            self.forward(Duration::from_millis(1));
        }
        turns
    }

    fn hear(&self, heard: Heard) {
        self.pace.hear(heard);
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn no_second_sees_more_than_is_allowed() {
    let bench = Bench::new(20);
    assert_eq!(bench.turns(10 * SECOND), 200);
    bench.forward(MINUTE);
    assert_eq!(bench.turns(SECOND), 20, "what was not used is not saved up");
    let free = Bench::new(0);
    assert_eq!(free.turns(SECOND), 1000, "without a limit there is none");
}

#[test]
fn whoever_has_no_turn_is_told_when() {
    let bench = Bench::new(10);
    assert_eq!(bench.pace.take(), Ok(()));
    let wait = bench.pace.take().unwrap_err();
    assert!(wait <= Duration::from_millis(100), "{wait:?}");
    bench.forward(wait);
    assert_eq!(bench.pace.take(), Ok(()));
}

#[test]
fn one_too_many_slows_down_and_a_calm_minute_speeds_up() {
    let bench = Bench::new(20);
    bench.hear(Heard::TooMany(None));
    assert_eq!(bench.pace.take(), Err(SECOND), "a rest");
    bench.forward(SECOND);
    assert_eq!(bench.turns(10 * SECOND), 100, "half as fast");
    bench.hear(Heard::TooMany(None));
    bench.forward(SECOND);
    assert_eq!(bench.turns(10 * SECOND), 50);
    bench.forward(MINUTE);
    assert_eq!(bench.turns(10 * SECOND), 100);
    bench.forward(MINUTE);
    assert_eq!(bench.turns(10 * SECOND), 200);
    bench.forward(10 * MINUTE);
    assert_eq!(bench.turns(SECOND), 20, "and no faster than is allowed");
}

#[test]
fn without_a_limit_it_slows_down_too_and_forgets_it_again() {
    let bench = Bench::new(0);
    bench.hear(Heard::TooMany(None));
    bench.forward(SECOND);
    assert_eq!(bench.turns(SECOND), 10);
    bench.forward(MINUTE);
    assert_eq!(bench.turns(SECOND), 1000);
}

#[test]
fn a_gateway_says_how_long_to_rest_within_reason() {
    for (told, rests) in [(0, 1), (30, 30), (86_400, 600)] {
        let bench = Bench::new(20);
        bench.hear(Heard::TooMany(Some(Duration::from_secs(told))));
        assert_eq!(bench.pace.take(), Err(Duration::from_secs(rests)));
    }
}

#[test]
fn a_credential_that_is_refused_is_not_used_and_then_tried_once() {
    let bench = Bench::new(0);
    let refused = Heard::Refused(Gate::Door);
    bench.hear(refused);
    bench.hear(refused);
    assert_eq!(bench.pace.take(), Ok(()), "two can be an accident");
    bench.hear(refused);
    for (closed, trial) in [(1, 1), (2, 2), (4, 3), (8, 4), (16, 5), (32, 6), (60, 7), (60, 8)] {
        assert_eq!(bench.pace.take(), Err(closed * MINUTE), "trial {trial}");
        // What was under way when it closed says nothing new.
        bench.hear(refused);
        bench.forward(closed * MINUTE);
        assert_eq!(bench.pace.take(), Ok(()), "trial {trial}");
        assert!(bench.pace.take().is_err(), "one tries it");
        bench.hear(refused);
    }
    bench.forward(60 * MINUTE);
    assert_eq!(bench.pace.take(), Ok(()));
    bench.hear(Heard::Taken(Gate::Door));
    assert_eq!(bench.turns(SECOND), 1000);
    bench.hear(refused);
    assert_eq!(bench.pace.take(), Ok(()), "the count begins anew");
}

#[test]
fn a_trial_that_tells_nothing_is_made_again() {
    let bench = Bench::new(0);
    (0..3).for_each(|_| bench.hear(Heard::Refused(Gate::Door)));
    bench.forward(MINUTE);
    assert_eq!(bench.pace.take(), Ok(()));
    assert_eq!(bench.pace.take(), Err(TRIAL), "whoever made it may have died");
    bench.hear(Heard::Nothing);
    assert_eq!(bench.pace.take(), Err(SECOND));
    bench.forward(SECOND);
    assert_eq!(bench.pace.take(), Ok(()));
}

#[test]
fn whoever_only_looks_takes_no_turn() {
    let bench = Bench::new(10);
    assert_eq!((bench.pace.wait(), bench.pace.wait()), (Duration::ZERO, Duration::ZERO));
    assert_eq!(bench.pace.take(), Ok(()));
    assert_eq!(bench.pace.wait(), Duration::from_millis(100));
    (0..3).for_each(|_| bench.hear(Heard::Refused(Gate::Door)));
    assert_eq!(bench.pace.wait(), MINUTE);
    bench.forward(MINUTE);
    assert_eq!((bench.pace.wait(), bench.pace.wait()), (Duration::ZERO, Duration::ZERO));
    assert_eq!(bench.pace.take(), Ok(()), "the trial is there for whoever uses it");
    assert_eq!(bench.pace.wait(), TRIAL);
}

#[test]
fn what_is_refused_inside_is_not_opened_by_the_door() {
    let bench = Bench::new(0);
    for _ in 0..3 {
        bench.hear(Heard::Taken(Gate::Door));
        bench.hear(Heard::Refused(Gate::Results));
    }
    assert_eq!(bench.pace.take(), Err(MINUTE));
    bench.forward(MINUTE);
    assert_eq!(bench.pace.take(), Ok(()));
    bench.hear(Heard::Taken(Gate::Door));
    assert!(bench.pace.take().is_err(), "the result of the trial is still to come");
    bench.hear(Heard::Taken(Gate::Results));
    assert_eq!(bench.pace.take(), Ok(()));
}

#[test]
fn what_is_heard_is_what_the_error_says_of_the_credential() {
    let of = |kind| {
        let error = Error::new(kind, Effect::Unknown, Operation::PayOut, "x");
        Heard::of::<()>(&Err(error.with_retry_after(Some(SECOND))))
    };
    assert_eq!(of(ErrorKind::Throttled), Heard::TooMany(Some(SECOND)));
    assert_eq!(of(ErrorKind::Credentials), Heard::Refused(Gate::Door));
    assert_eq!(of(ErrorKind::Interrupted), Heard::Nothing);
    assert_eq!(of(ErrorKind::NotSent), Heard::Nothing);
    assert_eq!(of(ErrorKind::Refused), Heard::Taken(Gate::Door));
    assert_eq!(of(ErrorKind::Unavailable), Heard::Nothing, "a proxy has not looked at it");
    assert_eq!(of(ErrorKind::Unlisted), Heard::Nothing);
    assert_eq!(Heard::of(&Ok(())), Heard::Taken(Gate::Door));
}

proptest! {
    #[test]
    fn whatever_happens_no_second_sees_more_than_is_allowed(
        per_second in 1_u32..50,
        steps in proptest::collection::vec((0_u64..400, 0_u8..6), 1..300),
    ) {
        let bench = Bench::new(per_second);
        let mut turns: Vec<Duration> = Vec::new();
        for (millis, heard) in steps {
            bench.forward(Duration::from_millis(millis));
            let now = bench.clock.monotonic();
            if bench.pace.take().is_ok() {
                turns.push(now);
            }
            bench.hear(match heard {
                0 => Heard::TooMany(None),
                1 => Heard::Refused(Gate::Door),
                2 => Heard::Nothing,
                _ => Heard::Taken(Gate::Door),
            });
        }
        for (at, first) in turns.iter().enumerate() {
            let within = turns[at..].iter().take_while(|turn| **turn < *first + SECOND).count();
            prop_assert!(within <= usize::try_from(per_second).unwrap() + 1, "{within} in a second");
        }
    }
}
