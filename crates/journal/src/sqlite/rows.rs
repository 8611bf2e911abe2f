//! Rows of attempts, events, reports, deliveries and followers.

use malipo_core::{Raw, Timestamp};
use rusqlite::types::Null;
use rusqlite::{Connection, Params, ToSql, params};

use super::failure::failed;
use super::{change, last};
use crate::payment::ReportRecord;
use crate::sql::{self, ATTEMPT, Cells, DELIVERY, EVENT, REPORT, integer};
use crate::stored::Sealed;
use crate::tx::Address;
use crate::{
    Attempt, AttemptRecord, Attention, Deliveries, DeliveryId, Event, EventId, Follower, JournalError,
    PaymentId, StoredDelivery, Stream,
};

/// Reads every row that a statement gives.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    read: fn(&mut Cells<'_>) -> Result<T, JournalError>,
) -> Result<Vec<T>, JournalError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(values).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(read(&mut Cells::of(row))?);
    }
    Ok(found)
}

pub(super) fn attempts(
    connection: &Connection,
    payment: PaymentId,
) -> Result<Vec<AttemptRecord>, JournalError> {
    let sql = format!("SELECT {ATTEMPT} FROM attempts WHERE payment = ? ORDER BY number");
    all(connection, &sql, params![integer(payment.0)], sql::attempt)
}

pub(super) fn attempt(
    connection: &Connection,
    payment: PaymentId,
    number: Attempt,
) -> Result<Option<AttemptRecord>, JournalError> {
    let sql = format!("SELECT {ATTEMPT} FROM attempts WHERE payment = ? AND number = ?");
    Ok(all(connection, &sql, params![integer(payment.0), number.0], sql::attempt)?.pop())
}

pub(super) fn insert_attempt(connection: &Connection, attempt: &AttemptRecord) -> Result<(), JournalError> {
    let sql = "INSERT INTO attempts (payment, number, operation, worker, began_at) VALUES (?, ?, ?, ?, ?)";
    let AttemptRecord { payment, number, operation, worker, began_at, .. } = attempt;
    let (payment, operation) = (integer(payment.0), operation.as_str());
    let values = params![payment, number.0, operation, worker.as_str(), began_at.unix_millis()];
    change(connection, sql, values).map(drop)
}

pub(super) fn update_attempt(connection: &Connection, attempt: &AttemptRecord) -> Result<(), JournalError> {
    let sql = "UPDATE attempts SET ended_at = ?, ended_as = ?, code = ?, text = ?, status = ?, request_id = ? \
               WHERE payment = ? AND number = ? AND ended_as IS NULL";
    let AttemptRecord { payment, number, ended_at, end, notes, .. } = attempt;
    let values = params![
        ended_at.map(Timestamp::unix_millis),
        end.map(crate::AttemptEnd::as_str),
        notes.code,
        notes.text,
        notes.status,
        notes.request_id,
        integer(payment.0),
        number.0,
    ];
    match change(connection, sql, values)? {
        1 => Ok(()),
        _ => Err(JournalError::corrupt("an attempt ended twice")),
    }
}

pub(super) fn events(
    connection: &Connection,
    after: EventId,
    limit: u32,
) -> Result<Vec<Event>, JournalError> {
    let sql = format!("SELECT {EVENT} FROM events WHERE id > ? ORDER BY id LIMIT ?");
    all(connection, &sql, params![integer(after.0), limit], sql::event)
}

pub(super) fn history(connection: &Connection, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
    let sql = format!("SELECT {EVENT} FROM events WHERE payment = ? ORDER BY sequence");
    all(connection, &sql, params![integer(payment.0)], sql::event)
}

pub(super) fn insert_event(connection: &Connection, event: &Event) -> Result<EventId, JournalError> {
    let sql = "INSERT INTO events (payment, sequence, at, kind, from_state, to_state, attempt, delivery, code, \
               attention, expected, claimed, operator, note, replayed) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let attention = event.attention.as_ref();
    let values = params![
        integer(event.payment.0),
        integer(event.sequence),
        event.at.unix_millis(),
        event.kind.as_str(),
        event.from.as_str(),
        event.to.as_str(),
        event.attempt.map(|attempt| attempt.0),
        event.delivery.map(|delivery| integer(delivery.0)),
        event.code,
        attention.map(|attention| attention.reason.as_str()),
        attention.and_then(|attention| attention.expected.as_deref()),
        attention.and_then(|attention| attention.claimed.as_deref()),
        event.operator,
        event.note,
        event.replayed,
    ];
    change(connection, sql, values)?;
    last(connection).map(EventId)
}

pub(super) fn was_noticed(
    connection: &Connection,
    payment: PaymentId,
    attention: &Attention,
) -> Result<bool, JournalError> {
    let sql =
        "SELECT count(*) FROM events WHERE payment = ? AND attention = ? AND expected IS ? AND claimed IS ?";
    let Attention { reason, expected, claimed } = attention;
    let values = params![integer(payment.0), reason.as_str(), expected, claimed];
    let counted: i64 = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row(values, |row| row.get(0)))
        .map_err(failed)?;
    Ok(counted > 0)
}

pub(super) fn insert_report(connection: &Connection, report: &ReportRecord) -> Result<(), JournalError> {
    let sql = "INSERT INTO reports (payment, event, report, goods, raw) VALUES (?, ?, ?, ?, ?)";
    let values = params![
        integer(report.payment.0),
        integer(report.event.0),
        report.report.as_ref().map(Sealed::as_str),
        report.goods.as_ref().map(Sealed::as_str),
        report.raw.as_ref().map(Raw::bytes),
    ];
    change(connection, sql, values).map(drop)
}

pub(super) fn reports(
    connection: &Connection,
    payment: PaymentId,
) -> Result<Vec<ReportRecord>, JournalError> {
    let sql = format!("SELECT {REPORT} FROM reports WHERE payment = ? ORDER BY id");
    all(connection, &sql, params![integer(payment.0)], sql::report)
}

pub(super) fn delivery(
    connection: &Connection,
    id: DeliveryId,
) -> Result<Option<StoredDelivery>, JournalError> {
    let sql = format!("SELECT {DELIVERY} FROM deliveries WHERE id = ?");
    Ok(all(connection, &sql, params![integer(id.0)], sql::delivery)?.pop())
}

pub(super) fn same_delivery(
    connection: &Connection,
    address: &Address,
) -> Result<Option<StoredDelivery>, JournalError> {
    let sql = format!(
        "SELECT {DELIVERY} FROM deliveries WHERE digest = ? AND provider = ? AND purpose = ? AND ifnull(addressed, '') = ?"
    );
    let Address { provider, purpose, addressed, digest } = address;
    let addressed = addressed.as_ref().map(malipo_core::Reference::as_str).unwrap_or_default();
    let values = params![digest.as_slice(), provider.as_str(), purpose.as_str(), addressed];
    Ok(all(connection, &sql, values, sql::delivery)?.pop())
}

pub(super) fn deliveries(
    connection: &Connection,
    which: &Deliveries,
    after: DeliveryId,
    limit: u32,
) -> Result<Vec<StoredDelivery>, JournalError> {
    let list = |condition: &str, values: &dyn ToSql| {
        let sql =
            format!("SELECT {DELIVERY} FROM deliveries WHERE {condition} AND id > ?2 ORDER BY id LIMIT ?3");
        all(connection, &sql, params![values, integer(after.0), limit], sql::delivery)
    };
    match which {
        Deliveries::Waiting(provider) => {
            list("provider = ?1 AND applied_at IS NULL AND set_aside IS NULL", &provider.as_str())
        }
        Deliveries::SetAside => list("?1 IS NULL AND set_aside IS NOT NULL", &Null),
        Deliveries::Of(payment) => list("payment = ?1", &integer(payment.0)),
        Deliveries::All => list("?1 IS NULL", &Null),
    }
}

pub(super) fn insert_delivery(
    connection: &Connection,
    delivery: &StoredDelivery,
) -> Result<DeliveryId, JournalError> {
    let sql = "INSERT INTO deliveries (provider, purpose, addressed, digest, received_at, payment, headers, body) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        delivery.provider.as_str(),
        delivery.purpose.as_str(),
        delivery.addressed.as_ref().map(malipo_core::Reference::as_str),
        delivery.digest.as_slice(),
        delivery.received_at.unix_millis(),
        delivery.payment.map(|payment| integer(payment.0)),
        delivery.headers.as_ref().map(Sealed::as_str),
        delivery.body.as_ref().map(Raw::bytes),
    ];
    change(connection, sql, values)?;
    last(connection).map(DeliveryId)
}

pub(super) fn update_delivery(
    connection: &Connection,
    delivery: &StoredDelivery,
) -> Result<(), JournalError> {
    let sql = "UPDATE deliveries SET payment = ?, applied_at = ?, set_aside = ? WHERE id = ?";
    let payment = delivery.payment.map(|payment| integer(payment.0));
    let applied_at = delivery.applied_at.map(Timestamp::unix_millis);
    let set_aside = delivery.set_aside.map(crate::Aside::as_str);
    match change(connection, sql, params![payment, applied_at, set_aside, integer(delivery.id.0)])? {
        1 => Ok(()),
        _ => Err(JournalError::corrupt("a delivery is gone")),
    }
}

pub(super) fn erase_beside(connection: &Connection, payment: PaymentId) -> Result<(), JournalError> {
    for sql in [
        "UPDATE attempts SET text = NULL WHERE payment = ?",
        "UPDATE reports SET report = NULL, goods = NULL, raw = NULL WHERE payment = ?",
        "UPDATE deliveries SET headers = NULL, body = NULL WHERE payment = ?",
    ] {
        change(connection, sql, params![integer(payment.0)])?;
    }
    Ok(())
}

pub(super) fn erase_deliveries(
    connection: &Connection,
    before: Timestamp,
    limit: u32,
) -> Result<u32, JournalError> {
    let sql = "UPDATE deliveries SET headers = NULL, body = NULL WHERE id IN (SELECT id FROM deliveries \
               WHERE payment IS NULL AND set_aside IS NOT NULL AND received_at < ? AND body IS NOT NULL ORDER BY received_at, id LIMIT ?)";
    let erased = change(connection, sql, params![before.unix_millis(), limit])?;
    Ok(u32::try_from(erased).unwrap_or(u32::MAX))
}

pub(super) fn position(
    connection: &Connection,
    follower: &Follower,
    stream: Stream,
) -> Result<u64, JournalError> {
    let sql = "SELECT position FROM followers WHERE name = ? AND stream = ?";
    let found = all(connection, sql, params![follower.as_str(), stream.as_str()], |cells| cells.number())?;
    Ok(found.first().copied().unwrap_or_default())
}

pub(super) fn advance(
    connection: &Connection,
    follower: &Follower,
    stream: Stream,
    position: u64,
) -> Result<(), JournalError> {
    let sql = "INSERT INTO followers (name, stream, position) VALUES (?, ?, ?) \
               ON CONFLICT (name, stream) DO UPDATE SET position = max(position, excluded.position)";
    let values = params![follower.as_str(), stream.as_str(), integer(position)];
    change(connection, sql, values).map(drop)
}
