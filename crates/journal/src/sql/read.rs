//! Rows, read in the order in which their columns are named here.

use std::time::Duration;

use malipo_core::{Currency, Money, ProviderRefs, Raw};

use super::{Cells, millis};
use crate::payment::ReportRecord;
use crate::stored::Sealed;
use crate::{
    Attempt, AttemptRecord, CreditId, CreditRecord, CreditSequence, DeliveryId, Event, EventId, Fence,
    Fingerprint, Generation, JournalError, Notes, Payment, PaymentId, ResendRule, Standing, StoredDelivery,
};

pub(crate) const PAYMENT: &str = "id, key, generation, provider, operation, reference, amount_minor, \
    currency, opened_at, state, exposure, attention, expected, claimed, attempt, receipt, code, goods, resend, \
    resend_times, resend_quiet, resend_within, twins, asks, absences, absent_at, fence, worker, leased_until, next_at, \
    changed_at, over_at, fingerprint, instruction, events, version";

/// But for the names that the gateway gave, which are rows of their own.
/// A payment that is to be worked on. One that a newer version wrote, or that is damaged, keeps no other one waiting: it
/// is passed by, and told of each time.
pub(crate) fn workable(cells: &mut Cells<'_>) -> Result<Option<Payment>, JournalError> {
    payment(cells).map(Some).or_else(|error| {
        tracing::error!(%error, "a payment cannot be worked on, since its row cannot be read");
        Ok(None)
    })
}

/// A payment that is asked for, which nobody is told is not there.
pub(crate) fn wanted(cells: &mut Cells<'_>) -> Result<Option<Payment>, JournalError> {
    payment(cells).map(Some)
}

fn payment(cells: &mut Cells<'_>) -> Result<Payment, JournalError> {
    Ok(Payment {
        id: PaymentId(cells.number()?),
        key: cells.parsed()?,
        generation: Generation(cells.number()?),
        provider: cells.parsed()?,
        operation: cells.parsed()?,
        reference: cells.parsed()?,
        amount: amount(cells.number()?, cells.parsed()?)?,
        opened_at: cells.time()?,
        standing: Standing {
            state: cells.parsed()?,
            exposure: cells.parsed()?,
            attention: cells.attention()?,
        },
        attempt: Attempt(cells.number()?),
        provider_refs: ProviderRefs::new(),
        receipt: cells.text_if_any()?,
        code: cells.text_if_any()?,
        goods: cells.number()?,
        resend: resend(cells)?,
        twins: cells.parsed()?,
        asks: cells.number()?,
        absences: cells.number()?,
        absent_at: cells.time_if_any()?,
        fence: Fence(cells.number()?),
        worker: cells.parsed_if_any()?,
        leased_until: cells.time_if_any()?,
        next_at: cells.time_if_any()?,
        changed_at: cells.time()?,
        over_at: cells.time_if_any()?,
        fingerprint: cells.digest_if_any()?.map(Fingerprint),
        instruction: cells.text_if_any()?.map(Sealed::new),
        events: cells.number()?,
        version: cells.number()?,
    })
}

fn amount(minor: i64, currency: Currency) -> Result<Money, JournalError> {
    Money::from_minor(minor, currency)
        .map_err(|_| JournalError::corrupt("an amount in the database is out of bounds"))
}

fn resend(cells: &mut Cells<'_>) -> Result<ResendRule, JournalError> {
    let (name, times) = (cells.text()?, cells.number_if_any()?);
    let (quiet, within) = (cells.number_if_any()?, cells.number_if_any()?);
    let lasts = |millis: Option<u64>| millis.map(Duration::from_millis);
    match (name.as_str(), times, lasts(quiet), lasts(within)) {
        ("never", None, None, None) => Ok(ResendRule::Never),
        ("same_reference", None, None, Some(within)) => Ok(ResendRule::SameReference { within }),
        ("after_absence", Some(times), Some(quiet), Some(within)) => {
            Ok(ResendRule::AfterAbsence { times, quiet, within })
        }
        _ => Err(JournalError::corrupt("a rule in the database cannot be read")),
    }
}

/// A rule in columns.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) times: Option<u32>,
    pub(crate) quiet: Option<i64>,
    pub(crate) within: Option<i64>,
}

impl Rule {
    pub(crate) fn of(rule: ResendRule) -> Self {
        match rule {
            ResendRule::Never => Self { name: "never", times: None, quiet: None, within: None },
            ResendRule::SameReference { within } => {
                Self { name: "same_reference", times: None, quiet: None, within: Some(millis(within)) }
            }
            ResendRule::AfterAbsence { times, quiet, within } => Self {
                name: "after_absence",
                times: Some(times),
                quiet: Some(millis(quiet)),
                within: Some(millis(within)),
            },
        }
    }
}

pub(crate) const ATTEMPT: &str =
    "payment, number, operation, worker, began_at, ended_at, ended_as, code, text, status, request_id";

pub(crate) fn attempt(cells: &mut Cells<'_>) -> Result<AttemptRecord, JournalError> {
    Ok(AttemptRecord {
        payment: PaymentId(cells.number()?),
        number: Attempt(cells.number()?),
        operation: cells.parsed()?,
        worker: cells.parsed()?,
        began_at: cells.time()?,
        ended_at: cells.time_if_any()?,
        end: cells.parsed_if_any()?,
        notes: Notes {
            code: cells.text_if_any()?,
            text: cells.text_if_any()?,
            status: cells.number_if_any()?,
            request_id: cells.text_if_any()?,
        },
    })
}

pub(crate) const EVENT: &str = "id, payment, sequence, at, kind, from_state, to_state, attempt, delivery, \
    code, attention, expected, claimed, operator, note, replayed";

pub(crate) fn event(cells: &mut Cells<'_>) -> Result<Event, JournalError> {
    Ok(Event {
        id: EventId(cells.number()?),
        payment: PaymentId(cells.number()?),
        sequence: cells.number()?,
        at: cells.time()?,
        kind: cells.parsed()?,
        from: cells.parsed()?,
        to: cells.parsed()?,
        attempt: cells.number_if_any()?.map(Attempt),
        delivery: cells.number_if_any()?.map(DeliveryId),
        code: cells.text_if_any()?,
        attention: cells.attention()?,
        operator: cells.text_if_any()?,
        note: cells.text_if_any()?,
        replayed: cells.number::<u8>()? == 1,
    })
}

pub(crate) const REPORT: &str = "payment, event, report, goods, raw";

pub(crate) fn report(cells: &mut Cells<'_>) -> Result<ReportRecord, JournalError> {
    Ok(ReportRecord {
        payment: PaymentId(cells.number()?),
        event: EventId(cells.number()?),
        report: cells.text_if_any()?.map(Sealed::new),
        goods: cells.text_if_any()?.map(Sealed::new),
        raw: cells.bytes_if_any()?.map(Raw::from),
    })
}

pub(crate) const DELIVERY: &str =
    "id, provider, purpose, addressed, digest, received_at, payment, applied_at, set_aside, headers, body";

pub(crate) fn delivery(cells: &mut Cells<'_>) -> Result<StoredDelivery, JournalError> {
    Ok(StoredDelivery {
        id: DeliveryId(cells.number()?),
        provider: cells.parsed()?,
        purpose: cells.parsed()?,
        addressed: cells.parsed_if_any()?,
        digest: cells.digest()?,
        received_at: cells.time()?,
        payment: cells.number_if_any()?.map(PaymentId),
        applied_at: cells.time_if_any()?,
        set_aside: cells.parsed_if_any()?,
        headers: cells.text_if_any()?.map(Sealed::new),
        body: cells.bytes_if_any()?.map(Raw::from),
    })
}

pub(crate) const CREDIT: &str = "id, sequence, provider, kind, value, amount_minor, currency, state, attention, \
    expected, claimed, delivery, payment, at, received_at, answered_at, changed_at, asks, next_at, credit, \
    also";

pub(crate) fn credit(cells: &mut Cells<'_>) -> Result<CreditRecord, JournalError> {
    Ok(CreditRecord {
        id: CreditId(cells.number()?),
        sequence: CreditSequence(cells.number_if_any()?.unwrap_or_default()),
        provider: cells.parsed()?,
        kind: cells.text()?,
        value: cells.text()?,
        amount: amount(cells.number()?, cells.parsed()?)?,
        state: cells.parsed()?,
        attention: cells.attention()?,
        delivery: DeliveryId(cells.number()?),
        payment: cells.number_if_any()?.map(PaymentId),
        at: cells.time_if_any()?,
        received_at: cells.time()?,
        answered_at: cells.time_if_any()?,
        changed_at: cells.time()?,
        asks: cells.number()?,
        next_at: cells.time_if_any()?,
        credit: cells.text_if_any()?.map(Sealed::new),
        also: cells.text_if_any()?,
    })
}
