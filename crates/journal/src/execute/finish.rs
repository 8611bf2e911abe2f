use malipo_core::{Operation, Report, Timestamp};

use super::record::{Happened, settle};
use super::{Stop, held, later, release, report};
use crate::fold::{Verdict, judge};
use crate::tx::{Select, Tx};
use crate::{
    AttemptEnd, AttemptRecord, Done, EventKind, Evidence, Finish, JournalError, Notes, Outcome, Payment,
    Refused, Sweep,
};

pub(super) async fn finish(tx: &mut dyn Tx, finish: Finish, now: Timestamp) -> Result<Done, Stop> {
    let Finish { payment, attempt, fence, outcome, next } = finish;
    let mut payment = held(tx, payment, fence).await?;
    let mut record = tx.attempt(payment.id, attempt).await?.ok_or(Refused::NoSuchAttempt)?;
    if record.end.is_some() || attempt != payment.attempt {
        let verdict = Verdict { standing: payment.standing.clone(), raised: None };
        let happened = Happened::new(EventKind::Late).in_attempt(attempt).with_code(code(&outcome));
        settle(tx, &mut payment, verdict, happened, now).await?;
        return Ok(Done::Late(payment.state()));
    }
    let from = payment.state();
    release(&mut payment);
    payment.next_at = Some(later(now, next));
    let happened = Happened::new(EventKind::Ended).in_attempt(attempt).with_code(code(&outcome));
    if record.operation == Operation::Confirm {
        end_step(tx, &mut payment, &mut record, outcome, happened, now).await?;
        return Ok(Done::Finished { from, state: payment.state() });
    }
    let (end, evidence, notes) = match outcome {
        Outcome::Accepted(told) => {
            end_attempt(tx, &mut record, AttemptEnd::Accepted, notes(&told), now).await?;
            accepted(tx, &mut payment, &told, happened, now).await?;
            return Ok(Done::Finished { from, state: payment.state() });
        }
        Outcome::NotSent(notes) => (AttemptEnd::NotSent, Evidence::NotSent, notes),
        Outcome::Throttled(notes) => (AttemptEnd::Throttled, Evidence::NotSent, notes),
        Outcome::Refused(notes) => (AttemptEnd::Refused, Evidence::Refused, notes),
        Outcome::Unknown(notes) => (AttemptEnd::Unknown, Evidence::Lost, notes),
    };
    payment.code = notes.code.clone().or(payment.code);
    end_attempt(tx, &mut record, end, notes, now).await?;
    let verdict = judge(&payment.standing, &evidence);
    settle(tx, &mut payment, verdict, happened, now).await?;
    Ok(Done::Finished { from, state: payment.state() })
}

/// How a step ended says nothing of its payment, but for what a report tells.
async fn end_step(
    tx: &mut dyn Tx,
    payment: &mut Payment,
    record: &mut AttemptRecord,
    outcome: Outcome,
    happened: Happened,
    now: Timestamp,
) -> Result<(), Stop> {
    let (end, notes) = match outcome {
        Outcome::Accepted(told) => {
            end_attempt(tx, record, AttemptEnd::Accepted, notes(&told), now).await?;
            let evidence = report::evidence(payment, &told)?;
            return tell(tx, payment, &told, judge(&payment.standing, &evidence), &evidence, happened, now)
                .await;
        }
        Outcome::NotSent(notes) => (AttemptEnd::NotSent, notes),
        Outcome::Throttled(notes) => (AttemptEnd::Throttled, notes),
        Outcome::Refused(notes) => (AttemptEnd::Refused, notes),
        Outcome::Unknown(notes) => (AttemptEnd::Unknown, notes),
    };
    end_attempt(tx, record, end, notes, now).await?;
    let verdict = Verdict { standing: payment.standing.clone(), raised: None };
    settle(tx, payment, verdict, happened, now).await?;
    Ok(())
}

/// The gateway took it, and its report says more. Both in one step: a report that does not agree is no reason to
/// believe that nothing was taken.
async fn accepted(
    tx: &mut dyn Tx,
    payment: &mut Payment,
    told: &Report,
    happened: Happened,
    now: Timestamp,
) -> Result<(), Stop> {
    let taken = judge(&payment.standing, &Evidence::Taken);
    let evidence = report::evidence(payment, told)?;
    let mut verdict = judge(&taken.standing, &evidence);
    verdict.raised = verdict.raised.or(taken.raised);
    tell(tx, payment, told, verdict, &evidence, happened, now).await
}

/// Takes over what the reply to an attempt tells.
async fn tell(
    tx: &mut dyn Tx,
    payment: &mut Payment,
    told: &Report,
    verdict: Verdict,
    evidence: &Evidence,
    happened: Happened,
    now: Timestamp,
) -> Result<(), Stop> {
    if matches!(evidence, Evidence::Told(_)) {
        report::learn(tx, payment, told, told.code.as_ref()).await?;
    }
    let event = settle(tx, payment, verdict, happened, now).await?;
    report::keep(tx, payment, told, event, report::Bytes::Here).await?;
    Ok(report::forget(tx, payment).await?)
}

/// What was leaving when its lease ran out may have left. Nobody sends it again by guess, and whoever had it is fenced
/// off.
pub(super) async fn sweep(tx: &mut dyn Tx, sweep: Sweep, now: Timestamp) -> Result<Done, Stop> {
    let expired = tx.payments(&Select::Expired { now }, sweep.limit).await?;
    let mut swept = Vec::with_capacity(expired.len());
    for mut payment in expired {
        if let Some(mut record) = tx.attempt(payment.id, payment.attempt).await? {
            end_attempt(tx, &mut record, AttemptEnd::Unknown, Notes::default(), now).await?;
        }
        payment.fence = payment.fence.next();
        release(&mut payment);
        let verdict = judge(&payment.standing, &Evidence::Lost);
        let happened = Happened::new(EventKind::Swept).in_attempt(payment.attempt);
        settle(tx, &mut payment, verdict, happened, now).await?;
        swept.push(payment.id);
    }
    Ok(Done::Swept(swept))
}

async fn end_attempt(
    tx: &mut dyn Tx,
    record: &mut AttemptRecord,
    end: AttemptEnd,
    notes: Notes,
    now: Timestamp,
) -> Result<(), JournalError> {
    (record.end, record.ended_at, record.notes) = (Some(end), Some(now), notes);
    tx.update_attempt(record).await
}

fn code(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::NotSent(notes)
        | Outcome::Throttled(notes)
        | Outcome::Refused(notes)
        | Outcome::Unknown(notes) => notes.code.clone(),
        Outcome::Accepted(report) => report.code.clone(),
    }
}

fn notes(report: &Report) -> Notes {
    let mut notes = Notes::default();
    notes.code.clone_from(&report.code);
    notes.text = report.text.as_ref().map(|text| text.as_str().to_owned());
    notes
}
