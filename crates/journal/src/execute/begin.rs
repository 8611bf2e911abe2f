use std::time::Duration;

use malipo_core::{Operation, Timestamp};

use super::record::{Happened, settle};
use super::{Stop, payment, until};
use crate::bind::accounts;
use crate::fold::{Verdict, judge};
use crate::tx::{Select, Tx};
use crate::{
    AttemptEnd, AttemptRecord, Bar, Begin, Begun, Done, EventKind, Evidence, Fence, Generation, Lease, Notes,
    Payment, PaymentId, PaymentState, Refused, ResendRule, Twins,
};

pub(super) async fn begin(tx: &mut dyn Tx, begin: Begin, now: Timestamp) -> Result<Done, Stop> {
    let mut payment = payment(tx, begin.payment).await?;
    may_have(&payment, begin.fence, now)?;
    if payment.state() != PaymentState::Recorded {
        return Err(Refused::WrongState { state: payment.state() }.into());
    }
    unflagged(tx, &payment).await?;
    untwinned(tx, &payment).await?;
    Ok(Done::Begun(start(tx, &mut payment, begin.lease, now).await?))
}

pub(super) async fn begin_again(tx: &mut dyn Tx, begin: Begin, now: Timestamp) -> Result<Done, Stop> {
    let mut payment = payment(tx, begin.payment).await?;
    may_have(&payment, begin.fence, now)?;
    if payment.state() != PaymentState::Unknown {
        return Err(Refused::WrongState { state: payment.state() }.into());
    }
    unflagged(tx, &payment).await?;
    allowed(tx, &payment, now).await?;
    untwinned(tx, &payment).await?;
    Ok(Done::Begun(start(tx, &mut payment, begin.lease, now).await?))
}

/// A step has an attempt of its own, and no state: whether a code is being handed in says nothing of the payment. One
/// whose fate nobody knows is not followed by another.
pub(super) async fn begin_confirm(tx: &mut dyn Tx, begin: Begin, now: Timestamp) -> Result<Done, Stop> {
    let mut payment = payment(tx, begin.payment).await?;
    let waits = matches!(payment.state(), PaymentState::Accepted | PaymentState::Unknown);
    if !waits || payment.operation != Operation::Collect {
        return Err(Refused::WrongState { state: payment.state() }.into());
    }
    may_have(&payment, begin.fence, now)?;
    let is_open = |attempt: &AttemptRecord| {
        attempt.operation == Operation::Confirm && matches!(attempt.end, None | Some(AttemptEnd::Unknown))
    };
    if tx.attempts(payment.id).await?.iter().any(is_open) {
        return Err(Refused::CodeOpen.into());
    }
    attempt(tx, &mut payment, Operation::Confirm, begin.lease, now).await?;
    let verdict = Verdict { standing: payment.standing.clone(), raised: None };
    let happened = Happened::new(EventKind::Began).in_attempt(payment.attempt);
    settle(tx, &mut payment, verdict, happened, now).await?;
    Ok(Done::Begun(Begun::new(payment.attempt, payment.fence)))
}

/// Begins the next attempt. The commit of this is what lets it leave, and nobody else gets the same number.
pub(super) async fn start(
    tx: &mut dyn Tx,
    payment: &mut Payment,
    lease: Lease,
    now: Timestamp,
) -> Result<Begun, Stop> {
    let verdict = judge(&payment.standing, &Evidence::Begun);
    attempt(tx, payment, payment.operation, lease, now).await?;
    let happened = Happened::new(EventKind::Began).in_attempt(payment.attempt);
    settle(tx, payment, verdict, happened, now).await?;
    Ok(Begun::new(payment.attempt, payment.fence))
}

/// Writes the attempt down, and the new lease it is made under.
pub(super) async fn attempt(
    tx: &mut dyn Tx,
    payment: &mut Payment,
    operation: Operation,
    lease: Lease,
    now: Timestamp,
) -> Result<(), Stop> {
    let until = until(&lease, now)?;
    payment.attempt = payment.attempt.next();
    payment.fence = payment.fence.next();
    payment.leased_until = Some(until);
    (payment.absences, payment.absent_at, payment.asks) = (0, None, 0);
    let record = AttemptRecord {
        payment: payment.id,
        number: payment.attempt,
        operation,
        worker: lease.worker.clone(),
        began_at: now,
        ended_at: None,
        end: None,
        notes: Notes::default(),
    };
    payment.worker = Some(lease.worker);
    Ok(tx.insert_attempt(&record).await?)
}

/// Whoever claimed it shows its lease; whoever did not must find it free.
pub(super) fn may_have(payment: &Payment, fence: Option<Fence>, now: Timestamp) -> Result<(), Refused> {
    match (fence, payment.leased_until) {
        (Some(fence), _) if fence != payment.fence => Err(Refused::Fenced),
        (None, Some(until)) if until > now => Err(Refused::Leased { until }),
        _ => Ok(()),
    }
}

/// While a person must look at a payment of the key, no other is sent: what was called failed may have been paid.
async fn unflagged(tx: &mut dyn Tx, payment: &Payment) -> Result<(), Stop> {
    match payment.attention() {
        Some(_) => Err(Refused::Held { payment: payment.id }.into()),
        None => unflagged_beside(tx, payment).await,
    }
}

/// The same of the other payments of the key.
pub(super) async fn unflagged_beside(tx: &mut dyn Tx, payment: &Payment) -> Result<(), Stop> {
    if payment.generation == Generation::FIRST {
        return Ok(());
    }
    let of_key = tx.payments(&Select::Key(payment.key.clone()), u32::MAX).await?;
    let flagged = of_key.iter().find(|other| other.id != payment.id && other.attention().is_some());
    flagged.map_or(Ok(()), |other| Err(Refused::Held { payment: other.id }.into()))
}

pub(super) async fn untwinned(tx: &mut dyn Tx, payment: &Payment) -> Result<(), Stop> {
    twin(tx, payment).await?.map_or(Ok(()), |payment| Err(Refused::Twin { payment }.into()))
}

/// The payment that nothing could tell from this one, where that matters. One that was accepted has a name of the
/// gateway's.
pub(super) async fn twin(tx: &mut dyn Tx, payment: &Payment) -> Result<Option<PaymentId>, Stop> {
    if payment.twins == Twins::Sent {
        return Ok(None);
    }
    let (provider, operation, amount) = (payment.provider.clone(), payment.operation, payment.amount);
    tx.alone(&provider, operation, amount).await?;
    let numbers = payment.instruction()?.as_ref().map(accounts);
    for other in tx.payments(&Select::Exposed { provider, operation, amount }, u32::MAX).await? {
        let is_named = other.state() == PaymentState::Accepted;
        // One that this version cannot read may be to the same party.
        let may_be = |other: &Payment| match other.instruction() {
            Ok(asked) => asked.as_ref().map(accounts) == numbers,
            Err(_) => true,
        };
        if other.id != payment.id && !is_named && may_be(&other) {
            return Ok(Some(other.id));
        }
    }
    Ok(None)
}

async fn allowed(tx: &mut dyn Tx, payment: &Payment, now: Timestamp) -> Result<(), Stop> {
    let within = match payment.resend {
        ResendRule::Never => return Err(Refused::NotAgain(Bar::Never).into()),
        ResendRule::AfterAbsence { times, .. } if payment.absences < times => {
            let (counted, needed) = (payment.absences, times);
            return Err(Refused::NotAgain(Bar::NotAbsent { counted, needed }).into());
        }
        ResendRule::SameReference { within } | ResendRule::AfterAbsence { within, .. } => within,
    };
    let first = tx.attempts(payment.id).await?.first().map(|attempt| attempt.began_at);
    let age = first.map_or(Duration::MAX, |first| age(first, payment, now));
    if age > within {
        return Err(Refused::NotAgain(Bar::TooLate { age, within }).into());
    }
    Ok(())
}

/// A clock that was set back does not make an attempt younger than what is known to have followed it.
fn age(first: Timestamp, payment: &Payment, now: Timestamp) -> Duration {
    let now = now.max(payment.changed_at).max(payment.absent_at.unwrap_or(now));
    let millis = now.unix_millis().saturating_sub(first.unix_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
