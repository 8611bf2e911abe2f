//! What is counted. The names stay; labels are accounts, operations and states, of which there are few: never a
//! reference, a key or a person.

use std::time::Duration;

use malipo_core::{DeliveryPurpose, Operation, ProviderId};
use metrics::{counter, histogram};

use crate::{Payment, PaymentState};

/// Payments that were written down.
const SUBMITTED: &str = "malipo_payments_submitted_total";
/// States that payments came into, but for those on the way.
const OUTCOMES: &str = "malipo_payments_outcomes_total";
/// How long a payment has been unknown, in seconds, at each question about it.
const UNKNOWN_AGE: &str = "malipo_payments_unknown_age_seconds";
/// Questions, and what came of them.
const ASKS: &str = "malipo_asks_total";
/// What was posted to URLs of ours, and whether it was new.
const CALLBACKS: &str = "malipo_callbacks_total";

/// What came of a question.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    Known,
    Absent,
    ByCallback,
    Failed,
}

impl Asked {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Absent => "absent",
            Self::ByCallback => "by_callback",
            Self::Failed => "failed",
        }
    }
}

/// What became of something that was posted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Posted {
    Stored,
    Repeated,
    NotStored,
    NotOurs,
}

impl Posted {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Repeated => "repeated",
            Self::NotStored => "not_stored",
            Self::NotOurs => "not_ours",
        }
    }
}

pub(super) fn submitted(account: &ProviderId, operation: Operation) {
    counter!(SUBMITTED, "account" => account.to_string(), "operation" => operation.as_str()).increment(1);
}

/// A payment was in one state and is in another.
pub(super) fn moved(before: PaymentState, payment: &Payment) {
    let state = payment.state();
    let tells = state.is_final() || matches!(state, PaymentState::Unknown | PaymentState::Review);
    if before != state && tells {
        let (account, operation) = (payment.provider.to_string(), payment.operation.as_str());
        counter!(OUTCOMES, "account" => account, "operation" => operation, "state" => state.as_str())
            .increment(1);
        tracing::info!(payment = payment.id.0, account = %payment.provider, from = %before, to = %state, "a payment moved");
    }
}

pub(super) fn unknown(account: &ProviderId, since: Duration) {
    histogram!(UNKNOWN_AGE, "account" => account.to_string()).record(since);
}

pub(super) fn asked(account: &ProviderId, what: Asked) {
    counter!(ASKS, "account" => account.to_string(), "answer" => what.as_str()).increment(1);
}

/// Where it was not ours, there is no account and no purpose: whoever posts chooses the path.
pub(super) fn posted(to: Option<(&ProviderId, DeliveryPurpose)>, what: Posted) {
    let account = to.map_or_else(|| "none".to_owned(), |(account, _)| account.to_string());
    let purpose = to.map_or("none", |(_, purpose)| purpose.as_str());
    counter!(CALLBACKS, "account" => account, "purpose" => purpose, "result" => what.as_str()).increment(1);
}
