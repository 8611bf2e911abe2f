//! Who sees everything and says nothing: what the checker holds against the books.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Display};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use malipo::journal::{Attempt, Event, EventId, PaymentId, PaymentState};
use malipo::{Env as _, Operation, ProviderId, Reference};
use malipo_sim::Gateway;
use sha2::{Digest as _, Sha256};

use crate::clock::Clock;
use crate::executor::Group;

/// How many lines of the trace are kept to be shown.
const KEPT: usize = 40;

/// Keeps what happens in a world. Clones keep the same.
#[derive(Clone)]
pub struct Witness {
    clock: Clock,
    seen: Arc<Mutex<Seen>>,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    trace: Sha256,
    lines: VecDeque<String>,
    events: u64,
    /// Something was committed or reached a gateway since the checker looked.
    pub(crate) changed: bool,
    /// The requests that move money and reached a gateway, oldest first.
    pub(crate) arrivals: Vec<Arrival>,
    /// The attempts that somebody was allowed to make, oldest first.
    pub(crate) begun: Vec<(PaymentId, Attempt, Group)>,
    /// The payments that somebody was told are written down.
    pub(crate) written: Vec<PaymentId>,
    /// The callbacks that were answered with success.
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// How far who acts on events has read.
    pub(crate) followed: EventId,
    /// The ends that were told, by the number of their event.
    pub(crate) told: BTreeMap<EventId, (PaymentId, PaymentState)>,
    /// What went wrong outside of what is checked.
    pub(crate) broken: Vec<String>,
}

/// A request that moves money, when it reached its gateway.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) provider: ProviderId,
    /// Our name for the payment.
    pub(crate) reference: Reference,
    /// What it asks for: a payment, or a step of one.
    pub(crate) operation: Operation,
    /// The gateway it reached.
    pub(crate) gateway: Option<Gateway>,
    /// Whether the gateway looked at what it asks for; not if it was turned away for its token.
    pub(crate) entered: bool,
    /// The gateway's own names for the payments it accepted.
    pub(crate) accepted: Vec<String>,
}

/// A callback that was answered with success.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledged {
    pub(crate) reference: String,
    /// The path that it was posted to.
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

impl Witness {
    /// Nothing was seen yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, seen: Arc::default() }
    }

    /// Writes a line of the trace.
    pub fn note(&self, line: impl Display) {
        let now = self.clock.monotonic();
        let line = format!("{:>6}.{:03} s  {line}", now.as_secs(), now.subsec_millis());
        let mut seen = self.seen();
        seen.trace.update(line.as_bytes());
        seen.trace.update(b"\n");
        seen.events += 1;
        if seen.lines.len() >= KEPT {
            seen.lines.pop_front();
        }
        seen.lines.push_back(line);
    }

    /// How many lines the trace has.
    pub fn events(&self) -> u64 {
        self.seen().events
    }

    /// The SHA-256 of the trace so far, in hexadecimal.
    pub fn hash(&self) -> String {
        hex::encode(self.seen().trace.clone().finalize())
    }

    /// The newest lines of the trace.
    pub fn timeline(&self) -> Vec<String> {
        self.seen().lines.iter().cloned().collect()
    }

    /// Something that cannot be: for the checker to tell.
    pub fn complain(&self, what: impl Display) {
        self.note(format!("broken: {what}"));
        self.seen().broken.push(what.to_string());
    }

    /// Acts on an event. One that comes again is known by its number.
    pub(crate) fn hear_of(&self, event: &Event) {
        let mut seen = self.seen();
        if let Some(end) = event.outcome() {
            seen.told.insert(event.id, (event.payment, end));
        }
        seen.followed = event.id;
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("events", &self.events()).finish_non_exhaustive()
    }
}
