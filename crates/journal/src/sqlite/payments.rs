//! Rows of payments.

use malipo_core::{ProviderRef, ProviderRefs};
use rusqlite::{Connection, Params, params};

use super::failure::failed;
use crate::sql::{self, Cells, Rule, integer};
use crate::stored::Sealed;
use crate::tx::Select;
use crate::{Filter, Find, JournalError, Payment, PaymentId, Worker};

pub(super) fn one(connection: &Connection, by: &Find) -> Result<Option<Payment>, JournalError> {
    let mut found = match by {
        Find::Id(id) => some(connection, "id = ?", params![integer(id.0)], sql::wanted)?,
        Find::Key(key) => {
            some(connection, "key = ? ORDER BY generation DESC LIMIT 1", params![key.as_str()], sql::wanted)?
        }
        Find::Reference(provider, reference) => {
            let names = params![provider.as_str(), reference.as_str()];
            some(connection, "provider = ? AND reference = ?", names, sql::wanted)?
        }
        Find::ProviderRef { provider, kind, value } => {
            let (provider, kind, value) = (provider.clone(), kind.clone(), value.clone());
            let known = many(connection, &Select::ProviderRef { provider, kind, value }, 2)?;
            if known.len() > 1 { Vec::new() } else { known }
        }
    };
    Ok(found.pop())
}

pub(super) fn many(
    connection: &Connection,
    which: &Select,
    limit: u32,
) -> Result<Vec<Payment>, JournalError> {
    let condition = condition(which);
    match which {
        Select::Key(key) => some(connection, condition, params![key.as_str(), limit], sql::wanted),
        Select::ProviderRef { provider, kind, value } => {
            some(connection, condition, params![provider.as_str(), kind, value, limit], sql::wanted)
        }
        Select::Receipt { provider, receipt } => {
            some(connection, condition, params![provider.as_str(), receipt, limit], sql::wanted)
        }
        Select::Due { provider, now } => {
            some(connection, condition, params![provider.as_str(), now.unix_millis(), limit], sql::workable)
        }
        Select::Expired { now: moment } => {
            some(connection, condition, params![moment.unix_millis(), limit], sql::workable)
        }
        Select::Erasable { before: moment } => {
            some(connection, condition, params![moment.unix_millis(), limit], sql::wanted)
        }
        Select::Exposed { provider, operation, amount } => {
            let (minor, currency) = (amount.minor(), amount.currency().code());
            let values = params![provider.as_str(), operation.as_str(), minor, currency, limit];
            some(connection, condition, values, sql::wanted)
        }
        Select::Page { which: Filter::In(state), after } => {
            some(connection, condition, params![integer(after.0), limit, state.as_str()], sql::wanted)
        }
        Select::Page { after, .. } => {
            some(connection, condition, params![integer(after.0), limit], sql::wanted)
        }
    }
}

/// What is asked, with an order and a limit. Each is answered from an index.
const fn condition(which: &Select) -> &'static str {
    match which {
        Select::Key(_) => "key = ? ORDER BY generation LIMIT ?",
        Select::ProviderRef { .. } => {
            "id IN (SELECT payment FROM provider_refs WHERE provider = ? AND kind = ? AND value = ?) \
             ORDER BY id LIMIT ?"
        }
        Select::Receipt { .. } => {
            "provider = ? AND receipt = ? AND operation = 'collect' ORDER BY id LIMIT ?"
        }
        // The plus keeps SQLite from the index of states, which would have it sort all that is open.
        Select::Due { .. } => {
            "provider = ?1 AND next_at <= ?2 AND +state IN ('recorded', 'accepted', 'unknown') \
             AND (leased_until IS NULL OR leased_until <= ?2) ORDER BY next_at, id LIMIT ?3"
        }
        Select::Expired { .. } => "state = 'sending' AND leased_until <= ? ORDER BY id LIMIT ?",
        Select::Exposed { .. } => {
            "state IN ('sending', 'accepted', 'unknown', 'review') AND provider = ? AND operation = ? \
             AND amount_minor = ? AND currency = ? AND (state <> 'review' OR exposure <> 'none') \
             ORDER BY id LIMIT ?"
        }
        Select::Erasable { .. } => {
            "over_at < ? AND instruction IS NOT NULL AND attention IS NULL AND NOT EXISTS (SELECT 1 FROM deliveries \
             WHERE payment = payments.id AND applied_at IS NULL AND set_aside IS NULL) ORDER BY over_at, id LIMIT ?"
        }
        // The numbers first, from the index alone: the rows are wide.
        Select::Page { which: Filter::Open, .. } => {
            "id IN (SELECT id FROM payments WHERE state IN ('recorded', 'sending', 'accepted', 'unknown', 'review') \
             AND id > ?1 ORDER BY id LIMIT ?2) ORDER BY id"
        }
        Select::Page { which: Filter::In(_), .. } => "state = ?3 AND id > ?1 ORDER BY id LIMIT ?2",
        Select::Page { which: Filter::NeedsPerson, .. } => {
            "attention IS NOT NULL AND id > ? ORDER BY id LIMIT ?"
        }
    }
}

fn select(condition: &str) -> String {
    format!("SELECT {} FROM payments WHERE {condition}", sql::PAYMENT)
}

fn some(
    connection: &Connection,
    condition: &str,
    values: impl Params,
    read: fn(&mut Cells<'_>) -> Result<Option<Payment>, JournalError>,
) -> Result<Vec<Payment>, JournalError> {
    let mut statement = connection.prepare_cached(&select(condition)).map_err(failed)?;
    let mut rows = statement.query(values).map_err(failed)?;
    let mut payments = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let Some(mut payment) = read(&mut Cells::of(row))? else { continue };
        payment.provider_refs = refs(connection, payment.id)?;
        payments.push(payment);
    }
    Ok(payments)
}

fn refs(connection: &Connection, payment: PaymentId) -> Result<ProviderRefs, JournalError> {
    let sql = "SELECT kind, value FROM provider_refs WHERE payment = ? ORDER BY id";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([integer(payment.0)]).map_err(failed)?;
    let mut known = ProviderRefs::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let mut cells = Cells::of(row);
        known = known.with(cells.text()?, Some(&cells.text()?));
    }
    Ok(known)
}

pub(super) fn insert_ref(
    connection: &Connection,
    payment: &Payment,
    known: &ProviderRef,
) -> Result<(), JournalError> {
    let sql = "INSERT INTO provider_refs (payment, provider, kind, value) VALUES (?, ?, ?, ?)";
    let values = params![integer(payment.id.0), payment.provider.as_str(), known.kind, known.value];
    super::change(connection, sql, values).map(drop)
}

pub(super) fn insert(connection: &Connection, payment: &Payment) -> Result<PaymentId, JournalError> {
    let sql = "INSERT INTO payments (key, generation, provider, operation, reference, amount_minor, currency, \
        opened_at, state, exposure, attempt, goods, resend, resend_times, resend_quiet, resend_within, \
        twins, asks, absences, fence, next_at, changed_at, fingerprint, instruction, events, version) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let rule = Rule::of(payment.resend);
    let values = params![
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
        payment.next_at.map(malipo_core::Timestamp::unix_millis),
        payment.changed_at.unix_millis(),
        payment.fingerprint.as_ref().map(|fingerprint| fingerprint.0.as_slice()),
        payment.instruction.as_ref().map(Sealed::as_str),
        integer(payment.events),
        integer(payment.version),
    ];
    super::change(connection, sql, values)?;
    super::last(connection).map(PaymentId)
}

pub(super) fn update(connection: &Connection, payment: &mut Payment) -> Result<(), JournalError> {
    let sql = "UPDATE payments SET state = ?, exposure = ?, attention = ?, expected = ?, claimed = ?, \
        attempt = ?, receipt = ?, code = ?, goods = ?, asks = ?, absences = ?, absent_at = ?, fence = ?, worker = ?, \
        leased_until = ?, next_at = ?, changed_at = ?, over_at = ?, fingerprint = ?, instruction = ?, \
        events = ?, version = version + 1 WHERE id = ? AND version = ?";
    let time = |time: Option<malipo_core::Timestamp>| time.map(malipo_core::Timestamp::unix_millis);
    let attention = payment.attention();
    let values = params![
        payment.state().as_str(),
        payment.standing.exposure.as_str(),
        attention.map(|attention| attention.reason.as_str()),
        attention.and_then(|attention| attention.expected.as_deref()),
        attention.and_then(|attention| attention.claimed.as_deref()),
        payment.attempt.0,
        payment.receipt,
        payment.code,
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
    match super::change(connection, sql, values)? {
        1 => {
            payment.version += 1;
            Ok(())
        }
        _ => Err(JournalError::corrupt("a payment changed meanwhile")),
    }
}

#[cfg(test)]
mod tests {
    use malipo_core::{Currency, Money, Operation, ProviderId, Timestamp};

    use super::*;
    use crate::PaymentState;

    /// What is asked all day long is answered from an index, however many payments there are.
    #[test]
    fn nothing_is_found_by_looking_at_everything() {
        let mut connection = Connection::open_in_memory().unwrap();
        super::super::schema::prepare(&mut connection, Timestamp::UNIX_EPOCH).unwrap();
        let (provider, now) = (ProviderId::of("somepay"), Timestamp::UNIX_EPOCH);
        let page = |which| Select::Page { which, after: PaymentId(0) };
        let amount = Money::zero(Currency::Kes);
        let questions = [
            (Select::Key("A".parse().unwrap()), "sqlite_autoindex_payments_1"),
            (
                Select::ProviderRef { provider: provider.clone(), kind: String::new(), value: String::new() },
                "provider_refs_by_value",
            ),
            (Select::Due { provider: provider.clone(), now }, "payments_due"),
            (Select::Expired { now }, "payments_by_state"),
            (Select::Exposed { provider, operation: Operation::PayOut, amount }, "payments_exposed"),
            (Select::Erasable { before: now }, "payments_erasable"),
            (page(Filter::Open), "COVERING INDEX payments_by_state"),
            (page(Filter::In(PaymentState::Paid)), "payments_by_state"),
            (page(Filter::NeedsPerson), "payments_flagged"),
        ];
        for (which, index) in questions {
            let sql = format!("EXPLAIN QUERY PLAN {}", select(condition(&which)));
            let mut statement = connection.prepare(&sql).unwrap();
            let rows = statement.raw_query().mapped(|row| row.get::<_, String>(3));
            let plan = rows.map(Result::unwrap).collect::<Vec<_>>().join("; ");
            assert!(plan.contains(index) && !plan.contains("SCAN"), "{which:?}: {plan}");
            if matches!(which, Select::Due { .. }) {
                assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            }
        }
    }
}
