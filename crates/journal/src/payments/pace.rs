//! How fast a credential is used: as fast as is allowed, slower when the gateway says so, and not at all while it is
//! being refused.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use malipo_core::{Env, Error, ErrorKind};

/// Refusals of a credential, one after the other, after which it is not used for a while.
const REFUSALS: u32 = 3;
/// How long it is not used then, at first and at most; each time twice as long.
const CLOSED: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));
/// How long to wait for what became of the one request that tries a credential again.
const TRIAL: Duration = Duration::from_secs(120);
/// The least and the most to wait after one request too many.
const REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));
/// The least between two requests once there was one too many, and the most that it grows to.
const SLOWED: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));
/// How long nothing must have been too much until it goes twice as fast again.
const CALM: Duration = Duration::from_secs(60);

/// How fast one credential is used. Accounts that share a credential share its pace, with
/// [`Account::with_pace`](super::Account::with_pace).
///
/// It is of this process, and forgotten when the process ends: several that share a credential each have one.
///
/// A gateway that says "too many" halves the speed, and each calm minute doubles it again up to the limit. A credential
/// that is refused three times in a row is not used for a minute, then tried once, and so on with twice the time: some
/// gateways lock whoever is refused too often.
#[derive(Clone)]
pub struct Pace(Arc<Shared>);

struct Shared {
    env: Arc<dyn Env>,
    /// Between two requests; nothing where there is no limit.
    least: Duration,
    state: Mutex<State>,
}

struct State {
    interval: Duration,
    limiter: Option<Limiter>,
    rests_until: Duration,
    /// When the next turn is, as far as is known.
    free_at: Duration,
    /// When the gateway said "too many", or when it last went faster.
    slowed_at: Duration,
    /// In a row, at the door and in results.
    refusals: (u32, u32),
    closed: Option<Closed>,
}

/// A credential that is not used.
#[derive(Clone, Copy)]
struct Closed {
    until: Duration,
    lasts: Duration,
    gate: Gate,
    use_now: Use,
}

/// Who uses a credential that was refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Nobody,
    /// One request, to find out whether it is still refused.
    Trial,
}

struct Limiter(RateLimiter<NotKeyed, InMemoryState, PaceClock, NoOpMiddleware<Duration>>);

/// Where a credential is looked at. What is taken at the door can still be refused inside, and the door does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// The request is turned away.
    Door,
    /// The request is taken, and its result says so.
    Results,
}

/// What was heard of one use of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It was taken there, whatever else was said.
    Taken(Gate),
    /// It was one request too many.
    TooMany(Option<Duration>),
    /// It was refused there.
    Refused(Gate),
    /// Nothing that says anything about the credential.
    Nothing,
}

impl Heard {
    pub(super) fn of<T>(told: &Result<T, Error>) -> Self {
        let Err(error) = told else { return Self::Taken(Gate::Door) };
        match error.kind() {
            ErrorKind::Throttled => Self::TooMany(error.retry_after()),
            ErrorKind::Credentials => Self::Refused(Gate::Door),
            // Whoever says these has looked at the credential.
            ErrorKind::Refused | ErrorKind::Duplicate => Self::Taken(Gate::Door),
            _ => Self::Nothing,
        }
    }
}

#[derive(Clone)]
struct PaceClock(Arc<dyn Env>);

impl Clock for PaceClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

impl Pace {
    /// At most so many requests in any second; as many as come where `None`.
    pub fn new(per_second: Option<NonZeroU32>, env: Arc<dyn Env>) -> Self {
        let least = per_second.map_or(Duration::ZERO, |number| Duration::from_secs(1) / number.get());
        let limiter = limiter(least, &env);
        let state = State {
            interval: least,
            limiter,
            rests_until: Duration::ZERO,
            free_at: Duration::ZERO,
            slowed_at: Duration::ZERO,
            refusals: (0, 0),
            closed: None,
        };
        Self(Arc::new(Shared { env, least, state: Mutex::new(state) }))
    }

    /// How long the credential may not be used, as far as is known. Nothing is counted.
    pub(super) fn wait(&self) -> Duration {
        let now = self.0.env.monotonic();
        let state = self.state();
        let until = match state.closed {
            Some(closed) => closed.until,
            None => state.rests_until.max(state.free_at),
        };
        until.saturating_sub(now)
    }

    /// Takes a turn, if there is one now; else says how long to wait. To be called where nothing but the request itself
    /// comes after it: a turn cannot be given back.
    pub(super) fn take(&self) -> Result<(), Duration> {
        let now = self.0.env.monotonic();
        let mut state = self.state();
        if let Some(closed) = state.closed {
            if now < closed.until {
                return Err(closed.until.saturating_sub(now));
            }
            // One tries it; the others wait for what becomes of that.
            state.closed = Some(Closed { until: now.saturating_add(TRIAL), use_now: Use::Trial, ..closed });
            return Ok(());
        }
        if now < state.rests_until {
            return Err(state.rests_until.saturating_sub(now));
        }
        if state.interval > self.0.least && now.saturating_sub(state.slowed_at) >= CALM {
            let faster = state.interval / 2;
            let interval = if faster < SLOWED.0.max(self.0.least) { self.0.least } else { faster };
            state.go(interval, now, &self.0.env);
        }
        let Some(limiter) = &state.limiter else { return Ok(()) };
        limiter.0.check().map_err(|not_until| not_until.wait_time_from(now).max(Duration::from_millis(1)))?;
        state.free_at = now.saturating_add(state.interval);
        Ok(())
    }

    /// Takes in what was heard.
    pub(super) fn hear(&self, heard: Heard) {
        let now = self.0.env.monotonic();
        let mut state = self.state();
        match heard {
            Heard::Taken(gate) => state.open(gate),
            Heard::TooMany(wait) => {
                state.open(Gate::Door);
                let rest = wait.unwrap_or(REST.0).clamp(REST.0, REST.1);
                state.rests_until = state.rests_until.max(now.saturating_add(rest));
                let interval = (state.interval * 2).clamp(SLOWED.0, SLOWED.1).max(self.0.least);
                state.go(interval, now, &self.0.env);
            }
            Heard::Refused(gate) => {
                let refusals = state.refusals(gate);
                *refusals = refusals.saturating_add(1);
                let refusals = *refusals;
                let lasts = match state.closed {
                    None if refusals >= REFUSALS => CLOSED.0,
                    Some(closed) if closed.use_now == Use::Trial => (closed.lasts * 2).min(CLOSED.1),
                    // What was under way when it closed says nothing new.
                    _ => return,
                };
                let until = now.saturating_add(lasts);
                state.closed = Some(Closed { until, lasts, gate, use_now: Use::Nobody });
            }
            // A trial of which nothing came is made again soon.
            Heard::Nothing => {
                let trial = state.closed.filter(|closed| closed.use_now == Use::Trial);
                if let Some(trial) = trial {
                    let until = now.saturating_add(REST.0);
                    state.closed = Some(Closed { until, use_now: Use::Nobody, ..trial });
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// From now on one turn in each interval.
    fn go(&mut self, interval: Duration, now: Duration, env: &Arc<dyn Env>) {
        (self.interval, self.slowed_at, self.limiter) = (interval, now, limiter(interval, env));
    }

    fn refusals(&mut self, gate: Gate) -> &mut u32 {
        match gate {
            Gate::Door => &mut self.refusals.0,
            Gate::Results => &mut self.refusals.1,
        }
    }

    /// The credential is good at this gate. One that was refused inside is not used because the door lets it in.
    fn open(&mut self, gate: Gate) {
        *self.refusals(gate) = 0;
        self.closed = self.closed.filter(|closed| closed.gate != gate);
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        let is_closed = state.closed.is_some();
        f.debug_struct("Pace")
            .field("interval", &state.interval)
            .field("closed", &is_closed)
            .finish_non_exhaustive()
    }
}

fn limiter(interval: Duration, env: &Arc<dyn Env>) -> Option<Limiter> {
    // One at a time, so that no second sees more than is allowed.
    let quota = Quota::with_period(interval)?.allow_burst(NonZeroU32::MIN);
    Some(Limiter(RateLimiter::direct_with_clock(quota, PaceClock(env.clone()))))
}

#[cfg(test)]
mod tests;
