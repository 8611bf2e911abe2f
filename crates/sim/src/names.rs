//! What gateways, operations and faults are called outside Rust. Each enum has one table here; a variant that is not
//! in it does not compile.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::fault::Fault;
use crate::gateways::{Gateway, Operation};

/// A name that nothing has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{name}`; there are {known}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    known: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        Self { what, name: name.into(), known: known.collect::<Vec<_>>().join(", ") }
    }
}

/// From a table of variants and names: the list of all, the name of each, and the way back.
macro_rules! names {
    ($kind:ident, $what:literal: $($(#[$when:meta])* $variant:ident = $name:literal,)+) => {
        impl $kind {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$($(#[$when])* Self::$variant,)+];

            /// Its name outside Rust, in lower case. It will not change.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($(#[$when])* Self::$variant => $name,)+
                }
            }
        }

        impl FromStr for $kind {
            type Err = UnknownName;

            /// Reads what [`as_str`](Self::as_str) writes.
            fn from_str(name: &str) -> Result<Self, UnknownName> {
                let mut all = Self::ALL.iter().copied();
                let found = all.find(|one| one.as_str() == name);
                found.ok_or_else(|| UnknownName::new($what, name, Self::ALL.iter().map(|one| one.as_str())))
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! { Gateway, "gateway":
    Daraja = "daraja",
    KasaPay = "kasapay",
    SasaPay = "sasapay",
    Kyanda = "kyanda",
    #[cfg(test)]
    Elsewhere = "elsewhere",
}

names! { Operation, "operation":
    Token = "token",
    PayOut = "pay_out",
    Collect = "collect",
    Confirm = "confirm",
    Airtime = "airtime",
    Bill = "bill",
    Voucher = "voucher",
    Status = "status",
    Balance = "balance",
    Verify = "verify",
    RegisterCallback = "register_callback",
}

/// How a fault is made once its name is known.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Make {
    Plain(Fault),
    Lasting(fn(Duration) -> Fault),
}

/// The same for faults, some of which have a duration.
macro_rules! faults {
    (@make $variant:ident) => { Make::Plain(Fault::$variant) };
    (@make $variant:ident $duration:ident) => { Make::Lasting(Fault::$variant) };
    (@duration) => { None };
    (@duration $duration:ident) => { Some($duration) };
    ($($variant:ident $(($duration:ident))? = $name:literal,)+) => {
        /// Every fault's name, and how the fault is made.
        pub(crate) const FAULTS: &[(&str, Make)] = &[$(($name, faults!(@make $variant $($duration)?)),)+];

        impl Fault {
            /// Its name outside Rust, in lower case and without its duration. It will not change.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)+
                }
            }

            /// How long it lasts, if it is one that lasts.
            pub fn duration(self) -> Option<Duration> {
                match self {
                    $(Self::$variant $(($duration))? => faults!(@duration $($duration)?),)+
                }
            }
        }
    };
}

faults! {
    LostRequest = "lost_request",
    ErrorBeforeAccept = "error_before_accept",
    SpikeArrest = "spike_arrest",
    TokenExpired = "token_expired",
    EchoedToken = "echoed_token",
    LostReply = "lost_reply",
    ErrorAfterAccept = "error_after_accept",
    HtmlPage = "html_page",
    TruncatedJson = "truncated_json",
    SlowReply(duration) = "slow_reply",
    CallbackNever = "callback_never",
    QueueTimeout = "queue_timeout",
    CallbackTwice = "callback_twice",
    CallbackEarly = "callback_early",
    CallbackLate(duration) = "callback_late",
    CallbacksReordered = "callbacks_reordered",
    CallbackContradicting = "callback_contradicting",
    CallbackForged = "callback_forged",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_leads_back_to_what_it_names() {
        for gateway in Gateway::ALL {
            assert_eq!(gateway.as_str().parse(), Ok(*gateway));
        }
        for operation in Operation::ALL {
            assert_eq!(operation.to_string().parse(), Ok(*operation));
        }
        for (name, make) in FAULTS {
            let (fault, duration) = match make {
                Make::Plain(fault) => (*fault, None),
                Make::Lasting(make) => (make(Duration::from_secs(7)), Some(Duration::from_secs(7))),
            };
            assert_eq!((fault.as_str(), fault.duration()), (*name, duration));
        }
    }

    #[test]
    fn names_are_in_snake_case_and_each_is_there_once() {
        let gateways = Gateway::ALL.iter().map(|gateway| gateway.as_str());
        let operations = Operation::ALL.iter().map(|operation| operation.as_str());
        let names: Vec<_> = gateways.chain(operations).chain(FAULTS.iter().map(|(name, _)| *name)).collect();
        let snake = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(names.iter().all(snake), "{names:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let error = "Pay_Out".parse::<Operation>().unwrap_err().to_string();
        assert!(error.starts_with("there is no operation `Pay_Out`; there are token, pay_out, "), "{error}");
    }
}
