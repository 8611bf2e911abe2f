use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use malipo_core::Timestamp;

use crate::fault::Fault;
use crate::gateways::{Gateway, Operation};

/// Something the simulator did, and why. Never holds a secret: no token, credential, body or callback URL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request came.
    Request {
        /// When.
        at: Timestamp,
        /// Which gateway it was meant for; `None` when the path is like none of any gateway.
        gateway: Option<Gateway>,
        /// What it asked for; `None` when the path is none of the gateway's.
        operation: Option<Operation>,
        /// The caller's reference, when it could be read.
        reference: Option<String>,
        /// The HTTP status of the reply; `None` when the connection was cut instead.
        status: Option<u16>,
        /// Why the gateway refused it; `None` when it did not.
        refused: Option<String>,
        /// The faults the call met.
        faults: Vec<Fault>,
    },
    /// A callback was sent, or was not.
    Callback {
        /// When.
        at: Timestamp,
        /// Which gateway it comes from.
        gateway: Gateway,
        /// The reference of the call it answers, or the gateway's own where it takes none.
        reference: String,
        /// What came of it.
        delivery: Delivery,
    },
}

/// What came of a callback. It is tried once: the real gateways promise no more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// It was posted, and answered with this HTTP status.
    Answered(u16),
    /// It was posted, and answered with this HTTP status, but not as the gateway asks (Kyanda: 200 and
    /// `{"status":"success"}`).
    NotAcknowledged(u16),
    /// It was posted, or nearly, and nothing readable came back; with the reason.
    Failed(String),
    /// It was never posted; with the reason.
    Withheld(String),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { at, gateway, operation, reference, status, refused, faults } => {
                match gateway {
                    Some(gateway) => write!(f, "{at} {gateway:?}")?,
                    None => write!(f, "{at} nobody")?,
                }
                match operation {
                    Some(operation) => write!(f, " {operation:?}")?,
                    None => write!(f, " unknown path")?,
                }
                if let Some(reference) = reference {
                    write!(f, " {reference:?}")?;
                }
                match status {
                    Some(status) => write!(f, ": {status}")?,
                    None => write!(f, ": connection cut")?,
                }
                if let Some(why) = refused {
                    write!(f, ", refused: {why}")?;
                }
                if !faults.is_empty() {
                    write!(f, ", faults {faults:?}")?;
                }
                Ok(())
            }
            Self::Callback { at, gateway, reference, delivery } => {
                write!(f, "{at} {gateway:?} callback {reference:?}: {delivery}")
            }
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(status) => write!(f, "answered {status}"),
            Self::NotAcknowledged(status) => write!(f, "answered {status}, which acknowledges nothing"),
            Self::Failed(why) => write!(f, "failed: {why}"),
            Self::Withheld(why) => write!(f, "not sent: {why}"),
        }
    }
}

/// How many events a log keeps.
pub(crate) const EVENTS_KEPT: usize = 100_000;

/// The last events, and counts of all calls.
pub(crate) struct Log {
    kept: usize,
    events: VecDeque<Event>,
    calls: BTreeMap<(Gateway, Operation), usize>,
}

impl Log {
    pub(crate) fn keeping(kept: usize) -> Self {
        Self { kept, events: VecDeque::new(), calls: BTreeMap::new() }
    }

    pub(crate) fn enter(&mut self, event: Event) {
        tracing::debug!("{event}");
        if let Event::Request { gateway: Some(gateway), operation: Some(operation), .. } = &event {
            *self.calls.entry((*gateway, *operation)).or_default() += 1;
        }
        if self.events.len() >= self.kept {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.iter().cloned().collect()
    }

    pub(crate) fn calls(&self, gateway: Gateway, operation: Operation) -> usize {
        self.calls.get(&(gateway, operation)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(gateway: Gateway, number: usize) -> Event {
        Event::Request {
            at: Timestamp::UNIX_EPOCH,
            gateway: Some(gateway),
            operation: Some(Operation::PayOut),
            reference: Some(number.to_string()),
            status: Some(200),
            refused: None,
            faults: Vec::new(),
        }
    }

    #[test]
    fn old_events_are_forgotten_and_stay_counted() {
        let mut log = Log::keeping(3);
        for number in 0..10 {
            log.enter(request(Gateway::Daraja, number));
        }
        let last: Vec<_> = (7..10).map(|number| request(Gateway::Daraja, number)).collect();
        assert_eq!(log.events(), last);
        assert_eq!(log.calls(Gateway::Daraja, Operation::PayOut), 10);
        assert_eq!(log.calls(Gateway::Daraja, Operation::Token), 0);
        assert_eq!(log.calls(Gateway::Elsewhere, Operation::PayOut), 0);
    }
}
