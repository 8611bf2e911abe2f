use malipo_core::{Operation, Timestamp};

use super::credit;
use crate::fold::Verdict;
use crate::tx::Tx;
use crate::{Attempt, DeliveryId, Event, EventId, EventKind, JournalError, Payment, PaymentState};

/// What an event says beside what the payment's row says.
#[derive(Debug)]
pub(super) struct Happened {
    kind: EventKind,
    attempt: Option<Attempt>,
    delivery: Option<DeliveryId>,
    code: Option<String>,
    operator: Option<String>,
    note: Option<String>,
    pub(super) replayed: bool,
}

impl Happened {
    pub(super) fn new(kind: EventKind) -> Self {
        let (attempt, delivery, code, operator, note) = (None, None, None, None, None);
        Self { kind, attempt, delivery, code, operator, note, replayed: false }
    }

    pub(super) fn in_attempt(mut self, attempt: Attempt) -> Self {
        self.attempt = Some(attempt);
        self
    }

    pub(super) fn by_delivery(mut self, delivery: Option<DeliveryId>) -> Self {
        self.delivery = delivery;
        self
    }

    pub(super) fn with_code(mut self, code: Option<String>) -> Self {
        self.code = code;
        self
    }

    pub(super) fn by_operator(mut self, operator: String, reason: String) -> Self {
        (self.operator, self.note) = (Some(operator), Some(reason));
        self
    }
}

/// Makes a verdict the payment's standing, and writes the event and the row: the only place where a state changes.
pub(super) async fn settle(
    tx: &mut dyn Tx,
    payment: &mut Payment,
    verdict: Verdict,
    happened: Happened,
    now: Timestamp,
) -> Result<EventId, JournalError> {
    let (from, to) = (payment.state(), verdict.standing.state);
    payment.standing = verdict.standing;
    if from != to {
        payment.changed_at = now;
        payment.over_at = to.is_final().then_some(now);
    }
    payment.next_at = next_at(payment, now);
    payment.events += 1;
    let Happened { kind, attempt, delivery, code, operator, note, replayed } = happened;
    let event = Event {
        id: EventId(0),
        payment: payment.id,
        sequence: payment.events,
        at: now,
        kind,
        from,
        to,
        attempt,
        delivery,
        code,
        attention: verdict.raised,
        operator,
        note,
        replayed,
    };
    let id = tx.insert_event(&event).await?;
    tx.update_payment(payment).await?;
    if payment.operation == Operation::Collect && matches!(to, PaymentState::Paid | PaymentState::Reversed) {
        credit::collect(tx, payment, now).await?;
    }
    Ok(id)
}

/// Whatever is open and needs no person is due at some time, or it would be forgotten. While somebody sends it, that
/// is when the lease runs out.
fn next_at(payment: &Payment, now: Timestamp) -> Option<Timestamp> {
    match payment.state() {
        PaymentState::Recorded if payment.attention().is_some() => None,
        PaymentState::Recorded | PaymentState::Accepted | PaymentState::Unknown => {
            Some(payment.next_at.or(payment.leased_until).unwrap_or(now))
        }
        _ => None,
    }
}
