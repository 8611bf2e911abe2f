//! Rows of payments.

use malipo_core::{ProviderRef, ProviderRefs, Timestamp};

use super::transaction::{Purpose, Transaction};
use super::values::{Value, values};
use super::{changed_one, numbered};
use crate::sql::{self, Cells, Rule, integer};
use crate::stored::Sealed;
use crate::tx::Select;
use crate::{Filter, Find, JournalError, Payment, PaymentId, Worker};

pub(super) async fn one(tx: &mut Transaction, by: &Find) -> Result<Option<Payment>, JournalError> {
    let mut found = match by {
        Find::Id(id) => some(tx, "id = $1", values![integer(id.0)], Others::Wait, sql::wanted).await?,
        Find::Key(key) => {
            let newest = "key = $1 ORDER BY generation DESC LIMIT 1";
            some(tx, newest, values![key.as_str()], Others::Wait, sql::wanted).await?
        }
        Find::Reference(provider, reference) => {
            let names = values![provider.as_str(), reference.as_str()];
            some(tx, "provider = $1 AND reference = $2", names, Others::Wait, sql::wanted).await?
        }
        Find::ProviderRef { provider, kind, value } => {
            let (provider, kind, value) = (provider.clone(), kind.clone(), value.clone());
            let known = many(tx, &Select::ProviderRef { provider, kind, value }, 2).await?;
            if known.len() > 1 { Vec::new() } else { known }
        }
    };
    Ok(found.pop())
}

pub(super) async fn many(
    tx: &mut Transaction,
    which: &Select,
    limit: u32,
) -> Result<Vec<Payment>, JournalError> {
    let condition = condition(which);
    let wait = Others::Wait;
    match which {
        Select::Key(key) => some(tx, condition, values![key.as_str(), limit], wait, sql::wanted).await,
        Select::ProviderRef { provider, kind, value } => {
            some(tx, condition, values![provider.as_str(), kind, value, limit], wait, sql::wanted).await
        }
        Select::Receipt { provider, receipt } => {
            some(tx, condition, values![provider.as_str(), receipt, limit], wait, sql::wanted).await
        }
        Select::Due { provider, now } => {
            let values = values![provider.as_str(), now.unix_millis(), limit];
            some(tx, condition, values, Others::PassBy, sql::workable).await
        }
        Select::Expired { now: moment } => {
            some(tx, condition, values![moment.unix_millis(), limit], wait, sql::workable).await
        }
        Select::Erasable { before: moment } => {
            some(tx, condition, values![moment.unix_millis(), limit], wait, sql::wanted).await
        }
        Select::Exposed { provider, operation, amount } => {
            let (minor, currency) = (amount.minor(), amount.currency().code());
            let values = values![provider.as_str(), operation.as_str(), minor, currency, limit];
            some(tx, condition, values, wait, sql::wanted).await
        }
        Select::Page { which: Filter::In(state), after } => {
            some(tx, condition, values![integer(after.0), limit, state.as_str()], wait, sql::wanted).await
        }
        Select::Page { after, .. } => {
            some(tx, condition, values![integer(after.0), limit], wait, sql::wanted).await
        }
    }
}

/// What is asked, with an order and a limit. Each is answered from an index.
const fn condition(which: &Select) -> &'static str {
    match which {
        Select::Key(_) => "key = $1 ORDER BY generation LIMIT $2",
        Select::ProviderRef { .. } => {
            "id IN (SELECT payment FROM provider_refs WHERE provider = $1 AND kind = $2 AND value = $3) \
             ORDER BY id LIMIT $4"
        }
        Select::Receipt { .. } => {
            "provider = $1 AND receipt = $2 AND operation = 'collect' ORDER BY id LIMIT $3"
        }
        Select::Due { .. } => {
            "provider = $1 AND next_at <= $2 AND state IN ('recorded', 'accepted', 'unknown') \
             AND (leased_until IS NULL OR leased_until <= $2) ORDER BY next_at, id LIMIT $3"
        }
        Select::Expired { .. } => "state = 'sending' AND leased_until <= $1 ORDER BY id LIMIT $2",
        Select::Exposed { .. } => {
            "state IN ('sending', 'accepted', 'unknown', 'review') AND provider = $1 AND operation = $2 \
             AND amount_minor = $3 AND currency = $4 AND (state <> 'review' OR exposure <> 'none') \
             ORDER BY id LIMIT $5"
        }
        Select::Erasable { .. } => {
            "over_at < $1 AND instruction IS NOT NULL AND attention IS NULL AND NOT EXISTS (SELECT 1 FROM deliveries \
             WHERE payment = payments.id AND applied_at IS NULL AND set_aside IS NULL) ORDER BY over_at, id LIMIT $2"
        }
        Select::Page { which: Filter::Open, .. } => {
            "state IN ('recorded', 'sending', 'accepted', 'unknown', 'review') AND id > $1 \
             ORDER BY id LIMIT $2"
        }
        Select::Page { which: Filter::In(_), .. } => "state = $3 AND id > $1 ORDER BY id LIMIT $2",
        Select::Page { which: Filter::NeedsPerson, .. } => {
            "attention IS NOT NULL AND id > $1 ORDER BY id LIMIT $2"
        }
    }
}

/// What to do about rows that somebody else is changing now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    /// Wait for them.
    Wait,
    /// Leave those rows to them.
    PassBy,
}

async fn some(
    tx: &mut Transaction,
    condition: &str,
    values: &[Value<'_>],
    others: Others,
    read: fn(&mut Cells<'_>) -> Result<Option<Payment>, JournalError>,
) -> Result<Vec<Payment>, JournalError> {
    let lock = match (tx.purpose(), others) {
        (Purpose::Read, _) => "",
        (Purpose::Write, Others::Wait) => " FOR UPDATE",
        (Purpose::Write, Others::PassBy) => " FOR UPDATE SKIP LOCKED",
    };
    let sql = format!("SELECT {} FROM payments WHERE {condition}{lock}", sql::PAYMENT);
    let mut payments: Vec<_> = tx.all(&sql, values, read).await?.into_iter().flatten().collect();
    name(tx, &mut payments).await?;
    Ok(payments)
}

/// Adds the names that gateways gave.
async fn name(tx: &mut Transaction, payments: &mut [Payment]) -> Result<(), JournalError> {
    let ids: Vec<_> = payments.iter().map(|payment| integer(payment.id.0)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "SELECT payment, kind, value FROM provider_refs WHERE payment = ANY($1) ORDER BY payment, id";
    for row in tx.rows(sql, values![ids]).await? {
        let mut cells = Cells::of(&row);
        let (id, kind, value) = (PaymentId(cells.number()?), cells.text()?, cells.text()?);
        // Few are read at once, but for pages that a person reads.
        if let Some(payment) = payments.iter_mut().find(|payment| payment.id == id) {
            let known: ProviderRefs = std::mem::take(&mut payment.provider_refs);
            payment.provider_refs = known.with(kind, Some(&value));
        }
    }
    Ok(())
}

pub(super) async fn insert_ref(
    tx: &mut Transaction,
    payment: &Payment,
    known: &ProviderRef,
) -> Result<(), JournalError> {
    let sql = "INSERT INTO provider_refs (id, payment, provider, kind, value) \
        VALUES ((SELECT coalesce(max(id), 0) + 1 FROM provider_refs), $1, $2, $3, $4)";
    let values = values![integer(payment.id.0), payment.provider.as_str(), &known.kind, &known.value];
    tx.change(sql, values).await.map(drop)
}

pub(super) async fn insert(tx: &mut Transaction, payment: &Payment) -> Result<PaymentId, JournalError> {
    let sql = "INSERT INTO payments (id, key, generation, provider, operation, reference, amount_minor, \
        currency, opened_at, state, exposure, attempt, goods, resend, resend_times, resend_quiet, \
        resend_within, twins, asks, absences, fence, next_at, changed_at, fingerprint, instruction, events, version) \
        VALUES ((SELECT coalesce(max(id), 0) + 1 FROM payments), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
        $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26) RETURNING id";
    let rule = Rule::of(payment.resend);
    let values = values![
        payment.key.as_str(),
        payment.generation.0,
        payment.provider.as_str(),
        payment.operation.as_str(),
        payment.reference.as_str(),
        payment.amount.minor(),
        payment.amount.currency().code(),
        payment.opened_at.unix_millis(),
        payment.state().as_str(),
        payment.standing.exposure.as_str(),
        payment.attempt.0,
        payment.goods,
        rule.name,
        rule.times,
        rule.quiet,
        rule.within,
        payment.twins.as_str(),
        payment.asks,
        payment.absences,
        integer(payment.fence.0),
        payment.next_at.map(Timestamp::unix_millis),
        payment.changed_at.unix_millis(),
        payment.fingerprint.as_ref().map(|fingerprint| fingerprint.0.as_slice()),
        payment.instruction.as_ref().map(Sealed::as_str),
        integer(payment.events),
        integer(payment.version),
    ];
    let id = numbered(tx, sql, values).await.map(PaymentId)?;
    tx.leaves(id, payment);
    Ok(id)
}

pub(super) async fn update(tx: &mut Transaction, payment: &mut Payment) -> Result<(), JournalError> {
    let sql = "UPDATE payments SET state = $1, exposure = $2, attention = $3, expected = $4, claimed = $5, \
        attempt = $6, receipt = $7, code = $8, goods = $9, asks = $10, absences = $11, absent_at = $12, \
        fence = $13, worker = $14, leased_until = $15, next_at = $16, changed_at = $17, over_at = $18, \
        fingerprint = $19, instruction = $20, events = $21, version = version + 1 \
        WHERE id = $22 AND version = $23";
    let time = |time: Option<Timestamp>| time.map(Timestamp::unix_millis);
    let attention = payment.attention();
    let values = values![
        payment.state().as_str(),
        payment.standing.exposure.as_str(),
        attention.map(|attention| attention.reason.as_str()),
        attention.and_then(|attention| attention.expected.as_deref()),
        attention.and_then(|attention| attention.claimed.as_deref()),
        payment.attempt.0,
        &payment.receipt,
        &payment.code,
        payment.goods,
        payment.asks,
        payment.absences,
        time(payment.absent_at),
        integer(payment.fence.0),
        payment.worker.as_ref().map(Worker::as_str),
        time(payment.leased_until),
        time(payment.next_at),
        payment.changed_at.unix_millis(),
        time(payment.over_at),
        payment.fingerprint.as_ref().map(|fingerprint| fingerprint.0.as_slice()),
        payment.instruction.as_ref().map(Sealed::as_str),
        integer(payment.events),
        integer(payment.id.0),
        integer(payment.version),
    ];
    changed_one(tx, sql, values, "a payment changed meanwhile").await?;
    payment.version += 1;
    tx.leaves(payment.id, payment);
    Ok(())
}
