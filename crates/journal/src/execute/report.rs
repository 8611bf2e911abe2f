use malipo_core::{Report, State, Timestamp};

use super::record::{Happened, settle};
use super::{Stop, payment};
use crate::bind::accounts;
use crate::fold::{Verdict, judge};
use crate::payment::ReportRecord;
use crate::tx::Tx;
use crate::{
    Apply, Asked, DeliveryId, Done, EventId, EventKind, Evidence, JournalError, News, Payment, PaymentState,
    Refused, Source, StoredDelivery, StoredError, bind, stored,
};

pub(super) async fn apply(tx: &mut dyn Tx, apply: Apply, now: Timestamp) -> Result<Done, Stop> {
    let Apply { payment: id, source, report } = apply;
    let mut payment = payment(tx, id).await?;
    let (delivery, replayed) = match source {
        Source::Reply | Source::Answer => (None, false),
        Source::Delivery(delivery) => (Some(delivery), false),
        Source::Replay(delivery) => (Some(delivery), true),
    };
    let mut code = report.code.as_ref();
    if let Some(delivery) = delivery {
        let mut delivery = about(tx, &payment, delivery).await?;
        if delivery.applied_at.is_some() && !replayed {
            return Ok(applied(&payment, payment.state(), News::Repeat));
        }
        // What it said last time was known, and something newer may have been said since.
        code = code.filter(|_| delivery.applied_at.is_none());
        (delivery.payment, delivery.set_aside) = (Some(payment.id), None);
        delivery.applied_at = delivery.applied_at.or(Some(now));
        tx.update_delivery(&delivery).await?;
    }
    let evidence = evidence(&payment, &report)?;
    let verdict = judge(&payment.standing, &evidence);
    let learned = match evidence {
        Evidence::Told(_) => learn(tx, &mut payment, &report, code).await?,
        _ => News::Repeat,
    };
    let noticed = match &verdict.raised {
        Some(attention) => tx.was_noticed(payment.id, attention).await?,
        None => true,
    };
    let from = payment.state();
    if verdict.standing == payment.standing && learned == News::Repeat && noticed {
        if let (Some(delivery), true) = (delivery, replayed) {
            note(tx, &mut payment, delivery, now).await?;
        }
        forget(tx, &payment).await?;
        return Ok(applied(&payment, from, News::Repeat));
    }
    let kind =
        if matches!(evidence, Evidence::Told(_)) { EventKind::Reported } else { EventKind::Mismatched };
    let mut happened = Happened::new(kind).by_delivery(delivery).with_code(report.code.clone());
    happened.replayed = replayed;
    let event = settle(tx, &mut payment, verdict, happened, now).await?;
    let bytes = if delivery.is_some() { Bytes::Elsewhere } else { Bytes::Here };
    keep(tx, &payment, &report, event, bytes).await?;
    forget(tx, &payment).await?;
    Ok(applied(&payment, from, News::New))
}

/// A delivery that was read once more and told nothing of a payment, or nothing that ends one.
pub(super) async fn note_replay(tx: &mut dyn Tx, delivery: DeliveryId, now: Timestamp) -> Result<Done, Stop> {
    let known = tx.delivery(delivery).await?.ok_or(Refused::NoSuchDelivery)?;
    let Some(id) = known.payment else { return Ok(Done::Replayed(None)) };
    let mut payment = payment(tx, id).await?;
    note(tx, &mut payment, delivery, now).await?;
    Ok(Done::Replayed(Some(id)))
}

/// Writes that nothing new came of reading a delivery once more.
async fn note(
    tx: &mut dyn Tx,
    payment: &mut Payment,
    delivery: DeliveryId,
    now: Timestamp,
) -> Result<(), JournalError> {
    let verdict = Verdict { standing: payment.standing.clone(), raised: None };
    let mut happened = Happened::new(EventKind::Replayed).by_delivery(Some(delivery));
    happened.replayed = true;
    settle(tx, payment, verdict, happened, now).await.map(drop)
}

const fn applied(payment: &Payment, from: PaymentState, news: News) -> Done {
    Done::Applied { from, state: payment.state(), news }
}

/// What comes after a payment was erased is erased as well.
pub(super) async fn forget(tx: &mut dyn Tx, payment: &Payment) -> Result<(), JournalError> {
    if payment.instruction.is_none() { tx.erase_beside(payment.id).await } else { Ok(()) }
}

async fn about(tx: &mut dyn Tx, payment: &Payment, delivery: DeliveryId) -> Result<StoredDelivery, Stop> {
    let delivery = tx.delivery(delivery).await?.ok_or(Refused::NoSuchDelivery)?;
    match delivery.payment {
        Some(other) if other != payment.id => Err(Refused::OtherPayment(other).into()),
        _ => Ok(delivery),
    }
}

/// What a report is worth as evidence for this payment.
pub(super) fn evidence(payment: &Payment, report: &Report) -> Result<Evidence, Stop> {
    Ok(match bind(&asked(payment)?, report) {
        Ok(()) => Evidence::Told(report.state),
        Err(mismatch) => Evidence::Mismatch(mismatch),
    })
}

/// All that a report must not contradict.
pub(super) fn asked(payment: &Payment) -> Result<Asked, StoredError> {
    Ok(Asked {
        provider: payment.provider.clone(),
        reference: payment.reference.clone(),
        operation: payment.operation,
        amount: payment.amount,
        accounts: payment.instruction()?.as_ref().map(accounts).unwrap_or_default(),
        provider_refs: payment.provider_refs.clone(),
        receipt: payment.receipt.clone(),
    })
}

/// Takes over what a report that agrees tells beside the state.
pub(super) async fn learn(
    tx: &mut dyn Tx,
    payment: &mut Payment,
    report: &Report,
    code: Option<&String>,
) -> Result<News, JournalError> {
    let mut news = News::Repeat;
    for told in report.provider_refs.iter() {
        if payment.provider_refs.find(&told.kind).is_none() {
            payment.provider_refs =
                std::mem::take(&mut payment.provider_refs).with(told.kind.clone(), Some(&told.value));
            tx.insert_ref(payment, told).await?;
            news = News::New;
        }
    }
    // What came back has a receipt of its own, which is not the payment's.
    if payment.receipt.is_none() && report.receipt.is_some() && report.state != State::Reversed {
        payment.receipt.clone_from(&report.receipt);
        news = News::New;
    }
    if code.is_some() && code != payment.code.as_ref() {
        payment.code = code.cloned();
        news = News::New;
    }
    let goods = u32::try_from(report.goods.len()).unwrap_or(u32::MAX);
    if goods > payment.goods {
        payment.goods = goods;
        news = News::New;
    }
    Ok(news)
}

/// Where the bytes of a report are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bytes {
    /// Beside the report.
    Here,
    /// With the delivery it was read from.
    Elsewhere,
}

pub(super) async fn keep(
    tx: &mut dyn Tx,
    payment: &Payment,
    report: &Report,
    event: EventId,
    bytes: Bytes,
) -> Result<(), Stop> {
    let raw = (bytes == Bytes::Here && !report.raw.is_empty()).then(|| report.raw.clone());
    let record = ReportRecord {
        payment: payment.id,
        event,
        report: Some(stored::report(report).map_err(Refused::Unstorable)?),
        goods: stored::goods(&report.goods).map_err(Refused::Unstorable)?,
        raw,
    };
    Ok(tx.insert_report(&record).await?)
}
