use malipo_core::Timestamp;

use super::record::{Happened, settle};
use super::{Stop, held, later, release, until};
use crate::fold::{Verdict, judge};
use crate::tx::{Select, Tx};
use crate::{
    Claim, ClaimDue, Done, EventKind, Evidence, NoteAbsent, Overdue, Payment, PaymentState, Refused,
    ResendRule, Schedule,
};

/// Leases what is due. The number of the lease grows, so that whoever had it before is fenced off.
pub(super) async fn claim(tx: &mut dyn Tx, claim: ClaimDue, now: Timestamp) -> Result<Done, Stop> {
    let due = tx.payments(&Select::Due { provider: claim.provider, now }, claim.limit).await?;
    let until = until(&claim.lease, now)?;
    let mut claims = Vec::with_capacity(due.len());
    for mut payment in due {
        payment.fence = payment.fence.next();
        payment.worker = Some(claim.lease.worker.clone());
        payment.leased_until = Some(until);
        tx.update_payment(&mut payment).await?;
        claims.push(Claim::new(payment, now));
    }
    Ok(Done::Claimed(claims))
}

pub(super) async fn schedule(tx: &mut dyn Tx, schedule: Schedule, now: Timestamp) -> Result<Done, Stop> {
    let mut payment = held(tx, schedule.payment, schedule.fence).await?;
    waiting(&payment)?;
    let at = later(now, schedule.after);
    release(&mut payment);
    payment.next_at = Some(at);
    payment.asks = payment.asks.saturating_add(schedule.asks);
    tx.update_payment(&mut payment).await?;
    Ok(Done::Scheduled(at))
}

/// Counts an absence that is far enough from the attempt and from the one before: what is slow to arrive is absent at
/// first, too.
pub(super) async fn note_absent(tx: &mut dyn Tx, absent: NoteAbsent, now: Timestamp) -> Result<Done, Stop> {
    let mut payment = held(tx, absent.payment, absent.fence).await?;
    waiting(&payment)?;
    release(&mut payment);
    payment.next_at = Some(later(now, absent.next));
    payment.asks = payment.asks.saturating_add(1);
    if payment.state() != PaymentState::Unknown || !is_quiet(tx, &payment, now).await? {
        tx.update_payment(&mut payment).await?;
        return Ok(Done::Absent { counted: payment.absences });
    }
    payment.absences = payment.absences.saturating_add(1);
    payment.absent_at = Some(now);
    let verdict = Verdict { standing: payment.standing.clone(), raised: None };
    let happened = Happened::new(EventKind::Absent).in_attempt(payment.attempt);
    settle(tx, &mut payment, verdict, happened, now).await?;
    Ok(Done::Absent { counted: payment.absences })
}

async fn is_quiet(tx: &mut dyn Tx, payment: &Payment, now: Timestamp) -> Result<bool, Stop> {
    let ResendRule::AfterAbsence { quiet, .. } = payment.resend else { return Ok(true) };
    let since = match payment.absent_at {
        Some(at) => Some(at),
        None => {
            let attempt = tx.attempt(payment.id, payment.attempt).await?;
            attempt.map(|attempt| attempt.ended_at.unwrap_or(attempt.began_at))
        }
    };
    Ok(since.is_none_or(|since| since.saturating_add(quiet) <= now))
}

pub(super) async fn overdue(tx: &mut dyn Tx, overdue: Overdue, now: Timestamp) -> Result<Done, Stop> {
    let mut payment = held(tx, overdue.payment, overdue.fence).await?;
    waiting(&payment)?;
    release(&mut payment);
    let verdict = judge(&payment.standing, &Evidence::Overdue(overdue.reason));
    settle(tx, &mut payment, verdict, Happened::new(EventKind::Overdue), now).await?;
    Ok(Done::Overdue)
}

/// What nobody sends and no person has.
fn waiting(payment: &Payment) -> Result<(), Refused> {
    match payment.state() {
        PaymentState::Recorded | PaymentState::Accepted | PaymentState::Unknown => Ok(()),
        state => Err(Refused::WrongState { state }),
    }
}
