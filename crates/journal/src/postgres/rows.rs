//! Rows of attempts, events, reports, deliveries and followers.

use malipo_core::{Raw, Reference, Timestamp};

use super::transaction::{Purpose, Transaction};
use super::values::{Value, values};
use super::{changed_one, numbered};
use crate::payment::ReportRecord;
use crate::sql::{self, ATTEMPT, DELIVERY, EVENT, REPORT, integer};
use crate::stored::Sealed;
use crate::tx::Address;
use crate::{
    Aside, Attempt, AttemptEnd, AttemptRecord, Attention, Deliveries, DeliveryId, Event, EventId, Follower,
    JournalError, PaymentId, StoredDelivery, Stream,
};

pub(super) async fn attempts(
    tx: &mut Transaction,
    payment: PaymentId,
) -> Result<Vec<AttemptRecord>, JournalError> {
    let sql = format!("SELECT {ATTEMPT} FROM attempts WHERE payment = $1 ORDER BY number");
    tx.all(&sql, values![integer(payment.0)], sql::attempt).await
}

pub(super) async fn attempt(
    tx: &mut Transaction,
    payment: PaymentId,
    number: Attempt,
) -> Result<Option<AttemptRecord>, JournalError> {
    let sql = format!("SELECT {ATTEMPT} FROM attempts WHERE payment = $1 AND number = $2");
    Ok(tx.all(&sql, values![integer(payment.0), number.0], sql::attempt).await?.pop())
}

pub(super) async fn insert_attempt(
    tx: &mut Transaction,
    attempt: &AttemptRecord,
) -> Result<(), JournalError> {
    let sql =
        "INSERT INTO attempts (payment, number, operation, worker, began_at) VALUES ($1, $2, $3, $4, $5)";
    let AttemptRecord { payment, number, operation, worker, began_at, .. } = attempt;
    let (payment, operation) = (integer(payment.0), operation.as_str());
    let values = values![payment, number.0, operation, worker.as_str(), began_at.unix_millis()];
    tx.change(sql, values).await.map(drop)
}

pub(super) async fn update_attempt(
    tx: &mut Transaction,
    attempt: &AttemptRecord,
) -> Result<(), JournalError> {
    let sql = "UPDATE attempts SET ended_at = $1, ended_as = $2, code = $3, text = $4, status = $5, \
               request_id = $6 WHERE payment = $7 AND number = $8 AND ended_as IS NULL";
    let AttemptRecord { payment, number, ended_at, end, notes, .. } = attempt;
    let values = values![
        ended_at.map(Timestamp::unix_millis),
        end.map(AttemptEnd::as_str),
        &notes.code,
        &notes.text,
        notes.status,
        &notes.request_id,
        integer(payment.0),
        number.0,
    ];
    changed_one(tx, sql, values, "an attempt ended twice").await
}

pub(super) async fn events(
    tx: &mut Transaction,
    after: EventId,
    limit: u32,
) -> Result<Vec<Event>, JournalError> {
    let sql = format!("SELECT {EVENT} FROM events WHERE id > $1 ORDER BY id LIMIT $2");
    tx.all(&sql, values![integer(after.0), limit], sql::event).await
}

pub(super) async fn history(tx: &mut Transaction, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
    let sql = format!("SELECT {EVENT} FROM events WHERE payment = $1 ORDER BY sequence");
    tx.all(&sql, values![integer(payment.0)], sql::event).await
}

pub(super) async fn insert_event(tx: &mut Transaction, event: &Event) -> Result<EventId, JournalError> {
    let sql = "INSERT INTO events (id, payment, sequence, at, kind, from_state, to_state, attempt, delivery, \
               code, attention, expected, claimed, operator, note, replayed) \
               VALUES ((SELECT coalesce(max(id), 0) + 1 FROM events), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id";
    let attention = event.attention.as_ref();
    let values = values![
        integer(event.payment.0),
        integer(event.sequence),
        event.at.unix_millis(),
        event.kind.as_str(),
        event.from.as_str(),
        event.to.as_str(),
        event.attempt.map(|attempt| attempt.0),
        event.delivery.map(|delivery| integer(delivery.0)),
        &event.code,
        attention.map(|attention| attention.reason.as_str()),
        attention.and_then(|attention| attention.expected.as_deref()),
        attention.and_then(|attention| attention.claimed.as_deref()),
        &event.operator,
        &event.note,
        i64::from(event.replayed),
    ];
    numbered(tx, sql, values).await.map(EventId)
}

pub(super) async fn was_noticed(
    tx: &mut Transaction,
    payment: PaymentId,
    attention: &Attention,
) -> Result<bool, JournalError> {
    let sql = "SELECT 1 FROM events WHERE payment = $1 AND attention = $2 \
               AND expected IS NOT DISTINCT FROM $3 AND claimed IS NOT DISTINCT FROM $4 LIMIT 1";
    let Attention { reason, expected, claimed } = attention;
    let values = values![integer(payment.0), reason.as_str(), expected, claimed];
    Ok(!tx.rows(sql, values).await?.is_empty())
}

pub(super) async fn insert_report(tx: &mut Transaction, report: &ReportRecord) -> Result<(), JournalError> {
    let sql = "INSERT INTO reports (id, payment, event, report, goods, raw) \
               VALUES ((SELECT coalesce(max(id), 0) + 1 FROM reports), $1, $2, $3, $4, $5)";
    let values = values![
        integer(report.payment.0),
        integer(report.event.0),
        report.report.as_ref().map(Sealed::as_str),
        report.goods.as_ref().map(Sealed::as_str),
        report.raw.as_ref().map(Raw::bytes),
    ];
    tx.change(sql, values).await.map(drop)
}

pub(super) async fn reports(
    tx: &mut Transaction,
    payment: PaymentId,
) -> Result<Vec<ReportRecord>, JournalError> {
    let sql = format!("SELECT {REPORT} FROM reports WHERE payment = $1 ORDER BY id");
    tx.all(&sql, values![integer(payment.0)], sql::report).await
}

pub(super) async fn delivery(
    tx: &mut Transaction,
    id: DeliveryId,
) -> Result<Option<StoredDelivery>, JournalError> {
    Ok(deliveries(tx, "id = $1", values![integer(id.0)]).await?.pop())
}

pub(super) async fn same_delivery(
    tx: &mut Transaction,
    address: &Address,
) -> Result<Option<StoredDelivery>, JournalError> {
    let same = "digest = $1 AND provider = $2 AND purpose = $3 AND coalesce(addressed, '') = $4";
    let Address { provider, purpose, addressed, digest } = address;
    let addressed = addressed.as_ref().map(Reference::as_str).unwrap_or_default();
    let values = values![digest.as_slice(), provider.as_str(), purpose.as_str(), addressed];
    Ok(deliveries(tx, same, values).await?.pop())
}

pub(super) async fn listed(
    tx: &mut Transaction,
    which: &Deliveries,
    after: DeliveryId,
    limit: u32,
) -> Result<Vec<StoredDelivery>, JournalError> {
    let after = integer(after.0);
    match which {
        Deliveries::Waiting(provider) => {
            let waiting = "provider = $1 AND applied_at IS NULL AND set_aside IS NULL AND id > $2 \
                           ORDER BY id LIMIT $3";
            deliveries(tx, waiting, values![provider.as_str(), after, limit]).await
        }
        Deliveries::SetAside => {
            let aside = "set_aside IS NOT NULL AND id > $1 ORDER BY id LIMIT $2";
            deliveries(tx, aside, values![after, limit]).await
        }
        Deliveries::Of(payment) => {
            let of = "payment = $1 AND id > $2 ORDER BY id LIMIT $3";
            deliveries(tx, of, values![integer(payment.0), after, limit]).await
        }
        Deliveries::All => deliveries(tx, "id > $1 ORDER BY id LIMIT $2", values![after, limit]).await,
    }
}

async fn deliveries(
    tx: &mut Transaction,
    condition: &str,
    values: &[Value<'_>],
) -> Result<Vec<StoredDelivery>, JournalError> {
    let lock = match tx.purpose() {
        Purpose::Read => "",
        Purpose::Write => " FOR UPDATE",
    };
    let sql = format!("SELECT {DELIVERY} FROM deliveries WHERE {condition}{lock}");
    tx.all(&sql, values, sql::delivery).await
}

pub(super) async fn insert_delivery(
    tx: &mut Transaction,
    delivery: &StoredDelivery,
) -> Result<DeliveryId, JournalError> {
    let sql = "INSERT INTO deliveries (id, provider, purpose, addressed, digest, received_at, payment, headers, body) \
               VALUES ((SELECT coalesce(max(id), 0) + 1 FROM deliveries), $1, $2, $3, $4, $5, $6, $7, $8) \
               RETURNING id";
    let values = values![
        delivery.provider.as_str(),
        delivery.purpose.as_str(),
        delivery.addressed.as_ref().map(Reference::as_str),
        delivery.digest.as_slice(),
        delivery.received_at.unix_millis(),
        delivery.payment.map(|payment| integer(payment.0)),
        delivery.headers.as_ref().map(Sealed::as_str),
        delivery.body.as_ref().map(Raw::bytes),
    ];
    tx.delivers();
    numbered(tx, sql, values).await.map(DeliveryId)
}

pub(super) async fn update_delivery(
    tx: &mut Transaction,
    delivery: &StoredDelivery,
) -> Result<(), JournalError> {
    let sql = "UPDATE deliveries SET payment = $1, applied_at = $2, set_aside = $3 WHERE id = $4";
    let payment = delivery.payment.map(|payment| integer(payment.0));
    let applied_at = delivery.applied_at.map(Timestamp::unix_millis);
    let set_aside = delivery.set_aside.map(Aside::as_str);
    let values = values![payment, applied_at, set_aside, integer(delivery.id.0)];
    changed_one(tx, sql, values, "a delivery is gone").await
}

pub(super) async fn erase_beside(tx: &mut Transaction, payment: PaymentId) -> Result<(), JournalError> {
    for sql in [
        "UPDATE attempts SET text = NULL WHERE payment = $1",
        "UPDATE reports SET report = NULL, goods = NULL, raw = NULL WHERE payment = $1",
        "UPDATE deliveries SET headers = NULL, body = NULL WHERE payment = $1",
    ] {
        tx.change(sql, values![integer(payment.0)]).await?;
    }
    Ok(())
}

pub(super) async fn erase_deliveries(
    tx: &mut Transaction,
    before: Timestamp,
    limit: u32,
) -> Result<u32, JournalError> {
    let sql = "UPDATE deliveries SET headers = NULL, body = NULL WHERE id IN (SELECT id FROM deliveries \
               WHERE payment IS NULL AND set_aside IS NOT NULL AND received_at < $1 AND body IS NOT NULL \
               ORDER BY received_at, id LIMIT $2)";
    let erased = tx.change(sql, values![before.unix_millis(), limit]).await?;
    Ok(u32::try_from(erased).unwrap_or(u32::MAX))
}

pub(super) async fn position(
    tx: &mut Transaction,
    follower: &Follower,
    stream: Stream,
) -> Result<u64, JournalError> {
    let sql = "SELECT position FROM followers WHERE name = $1 AND stream = $2";
    let found = tx.all(sql, values![follower.as_str(), stream.as_str()], |cells| cells.number()).await?;
    Ok(found.first().copied().unwrap_or_default())
}

pub(super) async fn advance(
    tx: &mut Transaction,
    follower: &Follower,
    stream: Stream,
    position: u64,
) -> Result<(), JournalError> {
    let sql = "INSERT INTO followers AS known (name, stream, position) VALUES ($1, $2, $3) \
               ON CONFLICT (name, stream) DO UPDATE SET position = greatest(known.position, excluded.position)";
    let values = values![follower.as_str(), stream.as_str(), integer(position)];
    tx.change(sql, values).await.map(drop)
}
