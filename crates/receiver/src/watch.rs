//! What is counted. The names stay; labels are accounts and words of ours, of which there are few: nobody who posts can
//! make one.

use http::StatusCode;
use malipo_core::ProviderId;
use metrics::counter;
#[cfg(feature = "serve")]
use metrics::{Gauge, gauge};

/// Requests that were turned away, and why.
const REFUSED: &str = "malipo_receiver_refused_total";
/// Callbacks with a good tag from an address that is not on their account's list, and what was done.
const UNLISTED: &str = "malipo_receiver_unlisted_total";
/// Connections that are open.
#[cfg(feature = "serve")]
const CONNECTIONS: &str = "malipo_receiver_connections";
/// Connections that have ended, and how.
#[cfg(feature = "serve")]
const ENDED: &str = "malipo_receiver_connections_ended_total";
/// How often all places were taken, so that nothing was accepted.
#[cfg(feature = "serve")]
const FULL: &str = "malipo_receiver_full_total";

/// Why a request was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Headers,
    Length,
    Slow,
    Unreadable,
    /// It came to no URL of ours, or not as a POST.
    Nobodys,
    Source,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Length => "length",
            Self::Slow => "slow",
            Self::Unreadable => "unreadable",
            Self::Nobodys => "nobodys",
            Self::Source => "source",
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Headers => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Length => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::Nobodys | Self::Source => StatusCode::NOT_FOUND,
        }
    }
}

pub(crate) fn refused(why: Why) {
    counter!(REFUSED, "why" => why.as_str()).increment(1);
    tracing::debug!(why = why.as_str(), "a request was turned away");
}

/// How a connection ended.
#[cfg(feature = "serve")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// As connections do.
    Done,
    /// After a request that was not read to its end.
    Refused,
    /// Without a whole request for too long.
    Slow,
    /// Some time after it was asked to end.
    Cut,
    Panicked,
}

#[cfg(feature = "serve")]
impl Ended {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Slow => "slow",
            Self::Cut => "cut",
            Self::Panicked => "panicked",
        }
    }
}

#[cfg(feature = "serve")]
pub(crate) fn ended(how: Ended) {
    counter!(ENDED, "how" => how.as_str()).increment(1);
}

#[cfg(feature = "serve")]
pub(crate) fn full() {
    counter!(FULL).increment(1);
}

/// A connection, counted until it is dropped.
#[cfg(feature = "serve")]
pub(crate) struct Open(Gauge);

#[cfg(feature = "serve")]
impl Open {
    pub(crate) fn new() -> Self {
        let open = gauge!(CONNECTIONS);
        open.increment(1);
        Self(open)
    }
}

#[cfg(feature = "serve")]
impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// A callback with a good tag came from somewhere else than its account's list says.
pub(crate) fn unlisted(account: &ProviderId, done: &'static str) {
    counter!(UNLISTED, "account" => account.to_string(), "done" => done).increment(1);
}
