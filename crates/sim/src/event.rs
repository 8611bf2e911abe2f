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
        /// Which gateway it was meant for.
        gateway: Gateway,
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
        /// The reference of the call it answers.
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
    /// It was posted, or nearly, and nothing readable came back; with the reason.
    Failed(String),
    /// It was never posted; with the reason.
    Withheld(String),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { at, gateway, operation, reference, status, refused, faults } => {
                write!(f, "{at} {gateway:?}")?;
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
            Self::Failed(why) => write!(f, "failed: {why}"),
            Self::Withheld(why) => write!(f, "not sent: {why}"),
        }
    }
}
