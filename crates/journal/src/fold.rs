//! What a piece of evidence does to a payment. Pure: no clock, no store, the same always gives the same.

use malipo_core::State;

use crate::{Attention, Exposure, Lease, Mismatch, PaymentState, Reason, Standing};

/// One thing that became known of a payment, or was done with it. Open: more will come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// An attempt begins; it may be leaving from now on.
    Begun,
    /// The attempt provably did not leave, or was turned away as one too many.
    NotSent,
    /// The gateway refused the attempt, documented as not started.
    Refused,
    /// The gateway took the attempt.
    Taken,
    /// The attempt has no answer, or one that settles nothing.
    Lost,
    /// A report says so, and all it carries agrees with what was asked.
    Told(State),
    /// A report speaks of this payment and does not agree with what was asked.
    Mismatch(Mismatch),
    /// A time allowed has run out. It never means that the payment failed.
    Overdue(Reason),
    /// Something was noticed that settles nothing.
    Noticed(Attention),
    /// A person decided.
    Resolved(Decision),
    /// The caller gave it up.
    Cancelled,
}

/// What a person decides. Closed on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It was paid. Only from [`PaymentState::Review`].
    Paid {
        /// The gateway's receipt, if the person has it.
        receipt: Option<String>,
    },
    /// It was not paid and will not be. Only from [`PaymentState::Review`].
    Failed,
    /// It was not paid, and is sent once more under the same reference. Only from [`PaymentState::Review`].
    SendAgain(Lease),
    /// It was looked at, and stands as it is. From every state but [`PaymentState::Review`].
    Keep,
}

/// What `evidence` makes of `standing`.
///
/// Reports that do not contradict each other lead to the same standing in any order, however often each comes; those
/// that do are flagged in every order, and the first final one stands.
#[must_use]
pub fn fold(standing: &Standing, evidence: &Evidence) -> Standing {
    judge(standing, evidence).standing
}

/// What came of a piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Where the payment stands now.
    pub(crate) standing: Standing,
    /// What was noticed, also where an earlier attention stands.
    pub(crate) raised: Option<Attention>,
}

/// As [`fold`], and says what was noticed.
pub(crate) fn judge(standing: &Standing, evidence: &Evidence) -> Verdict {
    match evidence {
        Evidence::Begun => begun(standing),
        Evidence::NotSent | Evidence::Refused | Evidence::Taken | Evidence::Lost => {
            attempted(standing, evidence)
        }
        Evidence::Told(state) => told(standing, *state),
        Evidence::Mismatch(mismatch) => mismatched(standing, mismatch),
        Evidence::Overdue(reason) => overdue(standing, *reason),
        Evidence::Noticed(attention) if !may_matter(standing, attention.reason) => nothing(standing),
        Evidence::Noticed(attention) => raise(standing.clone(), attention.clone()),
        Evidence::Resolved(decision) => resolved(standing, decision),
        Evidence::Cancelled if standing.state == PaymentState::Recorded => {
            to(standing, PaymentState::Cancelled)
        }
        Evidence::Cancelled => nothing(standing),
    }
}

/// Nothing does of what is over, but that the money may have come back.
const fn may_matter(standing: &Standing, reason: Reason) -> bool {
    match standing.state {
        PaymentState::Paid => matches!(reason, Reason::Unconfirmed),
        state => !state.is_final(),
    }
}

fn begun(standing: &Standing) -> Verdict {
    match standing.state {
        PaymentState::Recorded | PaymentState::Unknown => leaving(standing),
        _ => nothing(standing),
    }
}

/// What may be out from now on includes everything that may have been out before.
fn leaving(standing: &Standing) -> Verdict {
    let exposure = match standing.exposure {
        Exposure::None => Exposure::None,
        Exposure::Latest | Exposure::Earlier => Exposure::Earlier,
    };
    to(&Standing { exposure, ..standing.clone() }, PaymentState::Sending)
}

/// An attempt's own end counts only while it is under way. When a report was faster, the report knows more; and an end
/// that says that nothing began contradicts it.
fn attempted(standing: &Standing, end: &Evidence) -> Verdict {
    let nothing_out = standing.exposure == Exposure::None;
    match (standing.state, end) {
        (PaymentState::Sending, Evidence::Taken) => to(&exposed(standing), PaymentState::Accepted),
        (PaymentState::Sending, Evidence::NotSent) if nothing_out => to(standing, PaymentState::Recorded),
        (PaymentState::Sending, Evidence::Refused) if nothing_out => to(standing, PaymentState::Failed),
        // The refusal of this attempt says nothing of the one before it, which may still be paid.
        (PaymentState::Sending, Evidence::NotSent | Evidence::Refused) => to(standing, PaymentState::Unknown),
        (PaymentState::Sending, _) => to(&exposed(standing), PaymentState::Unknown),
        (PaymentState::Failed, Evidence::Refused) => nothing(standing),
        (
            PaymentState::Accepted
            | PaymentState::Paid
            | PaymentState::Failed
            | PaymentState::Reversed
            | PaymentState::Review,
            Evidence::NotSent | Evidence::Refused,
        ) if standing.exposure != Exposure::Earlier => contradicted(standing, "not begun"),
        _ => nothing(standing),
    }
}

fn told(standing: &Standing, told: State) -> Verdict {
    let next = match (standing.state, told) {
        (PaymentState::Cancelled, _)
        | (PaymentState::Failed, State::Settled | State::Reversed)
        | (PaymentState::Paid | PaymentState::Reversed, State::Failed) => {
            return contradicted(standing, told.as_str());
        }
        (PaymentState::Recorded | PaymentState::Sending | PaymentState::Unknown, State::Pending) => {
            PaymentState::Accepted
        }
        (_, State::Pending)
        | (PaymentState::Failed, State::Failed)
        | (PaymentState::Paid | PaymentState::Reversed, State::Settled)
        | (PaymentState::Reversed, State::Reversed) => return nothing(standing),
        (_, State::Settled) => PaymentState::Paid,
        (_, State::Failed) => PaymentState::Failed,
        (_, State::Reversed) => PaymentState::Reversed,
    };
    let unsent = standing.state == PaymentState::Recorded;
    let mut verdict = to(&exposed(standing), next);
    if next.is_final() && verdict.standing.attention.as_ref().is_some_and(|known| known.reason.passes()) {
        verdict.standing.attention = None;
    }
    if unsent { raise(verdict.standing, Attention::new(Reason::ReportedUnsent)) } else { verdict }
}

fn mismatched(standing: &Standing, mismatch: &Mismatch) -> Verdict {
    let attention = mismatch.attention();
    match standing.state {
        PaymentState::Sending | PaymentState::Accepted | PaymentState::Unknown => {
            raise(to(&exposed(standing), PaymentState::Review).standing, attention)
        }
        _ => raise(standing.clone(), attention),
    }
}

fn overdue(standing: &Standing, reason: Reason) -> Verdict {
    match standing.state {
        PaymentState::Recorded | PaymentState::Accepted | PaymentState::Unknown => {
            raise(to(standing, PaymentState::Review).standing, Attention::new(reason))
        }
        _ => nothing(standing),
    }
}

fn resolved(standing: &Standing, decision: &Decision) -> Verdict {
    let seen = Standing { attention: None, ..standing.clone() };
    match (standing.state, decision) {
        (PaymentState::Review, Decision::Paid { .. }) => to(&exposed(&seen), PaymentState::Paid),
        (PaymentState::Review, Decision::Failed) => to(&seen, PaymentState::Failed),
        (PaymentState::Review, Decision::SendAgain(_)) => leaving(&seen),
        (PaymentState::Review, Decision::Keep) => nothing(standing),
        (_, Decision::Keep) => Verdict { standing: seen, raised: None },
        _ => nothing(standing),
    }
}

fn nothing(standing: &Standing) -> Verdict {
    Verdict { standing: standing.clone(), raised: None }
}

fn to(standing: &Standing, state: PaymentState) -> Verdict {
    Verdict { standing: Standing { state, ..standing.clone() }, raised: None }
}

fn exposed(standing: &Standing) -> Standing {
    let exposure = standing.exposure.max(Exposure::Latest);
    Standing { exposure, ..standing.clone() }
}

fn contradicted(standing: &Standing, claimed: &str) -> Verdict {
    let attention = Attention::new(Reason::Contradicted).with(standing.state.as_str(), claimed);
    raise(standing.clone(), attention)
}

/// The first attention stands, but for one that only waiting brought up: what was told is worse.
fn raise(mut standing: Standing, attention: Attention) -> Verdict {
    let stands =
        standing.attention.as_ref().is_some_and(|known| !known.reason.waits() || attention.reason.waits());
    if !stands {
        standing.attention = Some(attention.clone());
    }
    Verdict { standing, raised: Some(attention) }
}

#[cfg(test)]
mod tests;
