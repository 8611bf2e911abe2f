//! Rows of credits.

use malipo_core::{ProviderId, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::failure::failed;
use super::rows::all;
use super::{change, last};
use crate::sql::{self, CREDIT, integer, marks};
use crate::stored::Sealed;
use crate::tx::FindCredit;
use crate::{CreditId, CreditRecord, CreditSequence, JournalError};

pub(super) fn one(connection: &Connection, by: &FindCredit) -> Result<Option<CreditRecord>, JournalError> {
    let found = match by {
        FindCredit::Id(id) => {
            let sql = format!("SELECT {CREDIT} FROM credits WHERE id = ?");
            all(connection, &sql, params![integer(id.0)], sql::credit)
        }
        FindCredit::Name { provider, kind, value } => {
            let sql = format!("SELECT {CREDIT} FROM credits WHERE provider = ? AND value = ? AND kind = ?");
            all(connection, &sql, params![provider.as_str(), value, kind], sql::credit)
        }
    };
    Ok(found?.pop())
}

pub(super) fn called(
    connection: &Connection,
    provider: &ProviderId,
    names: &[&str],
) -> Result<Vec<CreditRecord>, JournalError> {
    let marks = marks(names.len(), |at| format!("?{}", at + 2));
    let sql = format!(
        "SELECT {CREDIT} FROM credits WHERE provider = ?1 AND value IN ({marks}) \
         UNION SELECT {CREDIT} FROM credits WHERE provider = ?1 AND also IN ({marks}) ORDER BY id"
    );
    let values = std::iter::once(provider.as_str()).chain(names.iter().copied());
    all(connection, &sql, params_from_iter(values), sql::credit)
}

pub(super) fn told(
    connection: &Connection,
    after: CreditSequence,
    limit: u32,
) -> Result<Vec<CreditRecord>, JournalError> {
    let sql = format!("SELECT {CREDIT} FROM credits WHERE sequence > ? ORDER BY sequence LIMIT ?");
    all(connection, &sql, params![integer(after.0), limit], sql::credit)
}

pub(super) fn due(
    connection: &Connection,
    providers: &[ProviderId],
    now: Timestamp,
    limit: u32,
) -> Result<Vec<CreditRecord>, JournalError> {
    let marks = marks(providers.len(), |_| "?".to_owned());
    let sql = format!(
        "SELECT {CREDIT} FROM credits WHERE provider IN ({marks}) AND next_at <= ? ORDER BY next_at, id LIMIT ?"
    );
    let providers = providers.iter().map(|provider| Value::from(provider.as_str().to_owned()));
    let values = providers.chain([Value::from(now.unix_millis()), Value::from(i64::from(limit))]);
    all(connection, &sql, params_from_iter(values), sql::credit)
}

pub(super) fn next_sequence(connection: &Connection) -> Result<CreditSequence, JournalError> {
    let highest: Option<i64> = connection
        .prepare_cached("SELECT max(sequence) FROM credits")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(failed)?;
    let next = u64::try_from(highest.unwrap_or_default()).unwrap_or_default().saturating_add(1);
    Ok(CreditSequence(next))
}

pub(super) fn insert(connection: &Connection, credit: &CreditRecord) -> Result<CreditId, JournalError> {
    let sql = "INSERT INTO credits (provider, kind, value, amount_minor, currency, state, delivery, payment, at, \
               received_at, changed_at, asks, next_at, credit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        credit.provider.as_str(),
        credit.kind,
        credit.value,
        credit.amount.minor(),
        credit.amount.currency().code(),
        credit.state.as_str(),
        integer(credit.delivery.0),
        credit.payment.map(|payment| integer(payment.0)),
        credit.at.map(Timestamp::unix_millis),
        credit.received_at.unix_millis(),
        credit.changed_at.unix_millis(),
        credit.asks,
        credit.next_at.map(Timestamp::unix_millis),
        credit.credit.as_ref().map(Sealed::as_str),
    ];
    change(connection, sql, values)?;
    last(connection).map(CreditId)
}

pub(super) fn update(connection: &Connection, credit: &CreditRecord) -> Result<(), JournalError> {
    let sql = "UPDATE credits SET sequence = ?, amount_minor = ?, currency = ?, state = ?, attention = ?, expected = ?, \
               claimed = ?, payment = ?, at = ?, answered_at = ?, changed_at = ?, asks = ?, next_at = ?, credit = ?, \
               also = ? WHERE id = ?";
    let attention = credit.attention.as_ref();
    let sequence = (credit.sequence != CreditSequence(0)).then(|| integer(credit.sequence.0));
    let values = params![
        sequence,
        credit.amount.minor(),
        credit.amount.currency().code(),
        credit.state.as_str(),
        attention.map(|attention| attention.reason.as_str()),
        attention.and_then(|attention| attention.expected.as_deref()),
        attention.and_then(|attention| attention.claimed.as_deref()),
        credit.payment.map(|payment| integer(payment.0)),
        credit.at.map(Timestamp::unix_millis),
        credit.answered_at.map(Timestamp::unix_millis),
        credit.changed_at.unix_millis(),
        credit.asks,
        credit.next_at.map(Timestamp::unix_millis),
        credit.credit.as_ref().map(Sealed::as_str),
        credit.also,
        integer(credit.id.0),
    ];
    match change(connection, sql, values)? {
        1 => Ok(()),
        _ => Err(JournalError::corrupt("a credit is gone")),
    }
}

pub(super) fn erase(connection: &Connection, before: Timestamp, limit: u32) -> Result<u32, JournalError> {
    let sql = "UPDATE credits SET credit = NULL WHERE id IN (SELECT id FROM credits WHERE state <> 'claimed' \
               AND credit IS NOT NULL AND changed_at < ? ORDER BY changed_at, id LIMIT ?)";
    let erased = change(connection, sql, params![before.unix_millis(), limit])?;
    Ok(u32::try_from(erased).unwrap_or(u32::MAX))
}
