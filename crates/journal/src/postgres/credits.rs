//! Rows of credits.

use malipo_core::{ProviderId, Timestamp};

use super::transaction::{Purpose, Transaction};
use super::values::{Value, values};
use super::{changed_one, numbered};
use crate::sql::{self, CREDIT, integer, marks};
use crate::stored::Sealed;
use crate::tx::FindCredit;
use crate::{CreditId, CreditRecord, CreditSequence, JournalError};

pub(super) async fn one(tx: &mut Transaction, by: &FindCredit) -> Result<Option<CreditRecord>, JournalError> {
    let found = match by {
        FindCredit::Id(id) => some(tx, "id = $1", values![integer(id.0)]).await,
        FindCredit::Name { provider, kind, value } => {
            let called = "provider = $1 AND value = $2 AND kind = $3";
            some(tx, called, values![provider.as_str(), value, kind]).await
        }
    };
    Ok(found?.pop())
}

pub(super) async fn called(
    tx: &mut Transaction,
    provider: &ProviderId,
    names: &[&str],
) -> Result<Vec<CreditRecord>, JournalError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = numbers(names.len(), 2);
    let mut values = vec![Value::from(provider.as_str())];
    values.extend(names.iter().map(|name| Value::from(*name)));
    // One after the other, each from its index.
    let by_value = format!("provider = $1 AND value IN ({numbers}) ORDER BY id");
    let mut called = some(tx, &by_value, &values).await?;
    let by_other = format!("provider = $1 AND also IN ({numbers}) ORDER BY id");
    for other in some(tx, &by_other, &values).await? {
        if !called.iter().any(|known| known.id == other.id) {
            called.push(other);
        }
    }
    called.sort_by_key(|credit| credit.id);
    Ok(called)
}

pub(super) async fn told(
    tx: &mut Transaction,
    after: CreditSequence,
    limit: u32,
) -> Result<Vec<CreditRecord>, JournalError> {
    let told = "sequence > $1 ORDER BY sequence LIMIT $2";
    some(tx, told, values![integer(after.0), limit]).await
}

pub(super) async fn due(
    tx: &mut Transaction,
    providers: &[ProviderId],
    now: Timestamp,
    limit: u32,
) -> Result<Vec<CreditRecord>, JournalError> {
    if providers.is_empty() {
        return Ok(Vec::new());
    }
    let condition = format!(
        "next_at <= $1 AND provider IN ({}) ORDER BY next_at, id LIMIT $2",
        numbers(providers.len(), 3)
    );
    let mut values = vec![Value::from(now.unix_millis()), Value::from(limit)];
    values.extend(providers.iter().map(|provider| Value::from(provider.as_str())));
    some(tx, &condition, &values).await
}

/// `$first, ...`: one for each of so many values.
fn numbers(count: usize, first: usize) -> String {
    marks(count, |number| format!("${}", first + number))
}

async fn some(
    tx: &mut Transaction,
    condition: &str,
    values: &[Value<'_>],
) -> Result<Vec<CreditRecord>, JournalError> {
    let lock = match tx.purpose() {
        Purpose::Read => "",
        Purpose::Write => " FOR UPDATE",
    };
    let sql = format!("SELECT {CREDIT} FROM credits WHERE {condition}{lock}");
    tx.all(&sql, values, sql::credit).await
}

/// Whoever writes has taken its turn, so nobody else gives the same number.
pub(super) async fn next_sequence(tx: &mut Transaction) -> Result<CreditSequence, JournalError> {
    numbered(tx, "SELECT coalesce(max(sequence), 0) + 1 FROM credits", &[]).await.map(CreditSequence)
}

pub(super) async fn insert(tx: &mut Transaction, credit: &CreditRecord) -> Result<CreditId, JournalError> {
    let sql = "INSERT INTO credits (id, provider, kind, value, amount_minor, currency, state, delivery, payment, at, \
               received_at, changed_at, asks, next_at, credit) \
               VALUES ((SELECT coalesce(max(id), 0) + 1 FROM credits), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
               $12, $13, $14) RETURNING id";
    let values = values![
        credit.provider.as_str(),
        &credit.kind,
        &credit.value,
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
    numbered(tx, sql, values).await.map(CreditId)
}

pub(super) async fn update(tx: &mut Transaction, credit: &CreditRecord) -> Result<(), JournalError> {
    let sql = "UPDATE credits SET sequence = $1, amount_minor = $2, currency = $3, state = $4, attention = $5, \
               expected = $6, claimed = $7, payment = $8, at = $9, answered_at = $10, changed_at = $11, asks = $12, \
               next_at = $13, credit = $14, also = $15 WHERE id = $16";
    let attention = credit.attention.as_ref();
    let sequence = (credit.sequence != CreditSequence(0)).then(|| integer(credit.sequence.0));
    let values = values![
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
        credit.also.as_deref(),
        integer(credit.id.0),
    ];
    changed_one(tx, sql, values, "a credit is gone").await
}

pub(super) async fn erase(tx: &mut Transaction, before: Timestamp, limit: u32) -> Result<u32, JournalError> {
    let sql = "UPDATE credits SET credit = NULL WHERE id IN (SELECT id FROM credits WHERE state <> 'claimed' \
               AND credit IS NOT NULL AND changed_at < $1 ORDER BY changed_at, id LIMIT $2)";
    let erased = tx.change(sql, values![before.unix_millis(), limit]).await?;
    Ok(u32::try_from(erased).unwrap_or(u32::MAX))
}
