use std::time::Duration;

use malipo_core::{ProviderRefs, Timestamp};

use super::{Stop, begin, later};
use crate::stored;
use crate::tx::{Select, Tx};
use crate::{
    Attempt, Done, Event, EventId, EventKind, Fence, Find, Generation, Intent, Open, Payment, PaymentId,
    PaymentState, Refused, ResendRule, Standing, Start, StoredError,
};

pub(super) async fn open(tx: &mut dyn Tx, open: Open, now: Timestamp) -> Result<Done, Stop> {
    match tx.payment(&Find::Key(open.key.clone())).await? {
        None => create(tx, open, Generation::FIRST, now).await,
        Some(known) => {
            same(&known, &open)?;
            Ok(Done::Existing(Box::new(known)))
        }
    }
}

pub(super) async fn again(tx: &mut dyn Tx, open: Open, now: Timestamp) -> Result<Done, Stop> {
    let known = tx.payments(&Select::Key(open.key.clone()), u32::MAX).await?;
    let newest = known.last().ok_or(Refused::NoSuchPayment)?;
    same(newest, &open)?;
    if !matches!(newest.state(), PaymentState::Failed | PaymentState::Cancelled) {
        return Err(Refused::NotOver { state: newest.state() }.into());
    }
    // A failure that something contradicts may be a payment.
    if let Some(flagged) = known.iter().find(|payment| payment.attention().is_some()) {
        return Err(Refused::Held { payment: flagged.id }.into());
    }
    let generation = newest.generation.next();
    create(tx, open, generation, now).await
}

/// Refuses what is not the intent that the key names.
fn same(known: &Payment, open: &Open) -> Result<(), Stop> {
    let fingerprint = known.fingerprint.ok_or(Refused::Erased)?;
    if fingerprint == open.fingerprint {
        return Ok(());
    }
    let stored = known.instruction()?.ok_or(Refused::Erased)?;
    let theirs = Intent::new(&open.provider, &open.instruction);
    let mut fields = Intent::new(&known.provider, &stored).conflicts(&theirs).map_err(Refused::Unstorable)?;
    // What was stored has the callback that was minted for it, which always differs; it counts if nothing else does.
    if fields.len() > 1 {
        fields.retain(|field| *field != "callback");
    }
    if fields.is_empty() {
        fields.push("callback");
    }
    Err(Refused::Conflict { fields }.into())
}

async fn create(tx: &mut dyn Tx, open: Open, generation: Generation, now: Timestamp) -> Result<Done, Stop> {
    let instruction = stored::instruction(&open.instruction).map_err(Refused::Unstorable)?;
    let (reference, operation) = (open.instruction.reference().clone(), open.instruction.operation());
    let amount = open.instruction.terms().ok_or(Refused::Unstorable(StoredError::Step))?.amount;
    let same_reference = Find::Reference(open.provider.clone(), reference.clone());
    if tx.payment(&same_reference).await?.is_some() {
        return Err(Refused::ReferenceUsed.into());
    }
    let after = match &open.start {
        Start::Later { after } => *after,
        Start::Now(_) => Duration::ZERO,
    };
    let mut payment = Payment {
        id: PaymentId(0),
        key: open.key,
        generation,
        provider: open.provider,
        operation,
        reference,
        amount,
        standing: Standing::default(),
        attempt: Attempt(0),
        provider_refs: ProviderRefs::new(),
        receipt: None,
        code: None,
        goods: 0,
        resend: whole_millis(open.resend),
        twins: open.twins,
        asks: 0,
        absences: 0,
        absent_at: None,
        fence: Fence(0),
        worker: None,
        leased_until: None,
        next_at: Some(later(now, after)),
        opened_at: now,
        changed_at: now,
        over_at: None,
        fingerprint: Some(open.fingerprint),
        instruction: Some(instruction),
        events: 1,
        version: 0,
    };
    payment.id = tx.insert_payment(&payment).await?;
    tx.insert_event(&opened(&payment, now)).await?;
    let begun = match open.start {
        Start::Later { .. } => None,
        Start::Now(_) if begin::twin(tx, &payment).await?.is_some() => None,
        Start::Now(lease) => Some(begin::start(tx, &mut payment, lease, now).await?),
    };
    Ok(Done::Opened { payment: payment.id, begun })
}

fn opened(payment: &Payment, now: Timestamp) -> Event {
    Event {
        id: EventId(0),
        payment: payment.id,
        sequence: payment.events,
        at: now,
        kind: EventKind::Opened,
        from: payment.state(),
        to: payment.state(),
        attempt: None,
        delivery: None,
        code: None,
        attention: None,
        operator: None,
        note: None,
        replayed: false,
    }
}

/// Stores keep whole milliseconds.
fn whole(duration: Duration) -> Duration {
    Duration::from_millis(
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs()),
    )
}

fn whole_millis(rule: ResendRule) -> ResendRule {
    match rule {
        ResendRule::Never => ResendRule::Never,
        ResendRule::SameReference { within } => ResendRule::SameReference { within: whole(within) },
        ResendRule::AfterAbsence { times, quiet, within } => {
            ResendRule::AfterAbsence { times: times.max(1), quiet: whole(quiet), within: whole(within) }
        }
    }
}
