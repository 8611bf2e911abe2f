//! What is counted. The names stay; labels are accounts, operations and states, of which there are few: never a
//! reference, a key or a person.

use std::time::Duration;

use malipo_core::{DeliveryPurpose, Operation, ProviderId, Signature};
use metrics::{counter, histogram};

use crate::{Aside, CreditId, CreditState, DeliveryId, Follower, Payment, PaymentState, Stream};

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

/// Deliveries that are kept and that nothing waits for, and why.
const SET_ASIDE: &str = "malipo_deliveries_set_aside_total";
/// What became of the signatures of deliveries, where the account's provider looks at them.
const SIGNATURES: &str = "malipo_signatures_total";
/// How often what somebody does about what happens has failed.
const HANDLER_FAILURES: &str = "malipo_handler_failures_total";

/// States that money came into which nobody asked for.
const CREDITS: &str = "malipo_credits_total";

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

/// A payment was in one state and is in another, which the journal says.
pub(super) fn moved(payment: &Payment, from: PaymentState, to: PaymentState) {
    let tells = to.is_final() || matches!(to, PaymentState::Unknown | PaymentState::Review);
    if from != to && tells {
        let (account, operation) = (payment.provider.to_string(), payment.operation.as_str());
        counter!(OUTCOMES, "account" => account, "operation" => operation, "state" => to.as_str())
            .increment(1);
        tracing::info!(payment = payment.id.0, account = %payment.provider, %from, %to, "a payment moved");
    }
}

/// A delivery is kept, and nothing waits for it.
pub(super) fn set_aside(account: &ProviderId, delivery: DeliveryId, why: Aside) {
    counter!(SET_ASIDE, "account" => account.to_string(), "why" => why.as_str()).increment(1);
    match why {
        Aside::Unreadable | Aside::Unmatched | Aside::Unsigned | Aside::WrongSignature => {
            tracing::warn!(%account, delivery = delivery.0, %why, "a delivery is set aside, which a person may want to see");
        }
        _ => tracing::info!(%account, delivery = delivery.0, %why, "a delivery is set aside"),
    }
}

/// Money that came in stands there now.
pub(super) fn credit(account: &ProviderId, credit: CreditId, state: CreditState) {
    counter!(CREDITS, "account" => account.to_string(), "state" => state.as_str()).increment(1);
    match state {
        CreditState::Review => {
            tracing::warn!(%account, credit = credit.0, "a person must look at money that came in");
        }
        _ => tracing::info!(%account, credit = credit.0, %state, "money came in"),
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

/// A delivery is done with, and its signature was looked at.
pub(super) fn signed(account: &ProviderId, delivery: DeliveryId, signature: Signature) {
    if signature == Signature::NotExpected {
        return;
    }
    counter!(SIGNATURES, "account" => account.to_string(), "signature" => signature.as_str()).increment(1);
    if signature != Signature::Good {
        tracing::warn!(%account, delivery = delivery.0, signature = signature.as_str(), "a delivery is not signed as it should be");
    }
}

/// A handler is given the same again after `rest`. What it says of its failure may name people.
pub(super) fn handler_failed(
    follower: &Follower,
    stream: Stream,
    number: u64,
    how: &'static str,
    rest: Duration,
) {
    counter!(HANDLER_FAILURES, "follower" => follower.to_string()).increment(1);
    tracing::warn!(%follower, %stream, number, how, again_in = rest.as_secs(), "a handler did not do its part");
}
