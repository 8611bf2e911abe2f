//! The tables, how they come to be, and what a file must be to be a journal.

use std::collections::BTreeMap;

use malipo_core::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::failure::failed;
use crate::sql::{self, Migration, pending};
use crate::{JournalError, PaymentState};

/// `MLPJ`: what a file of ours says of itself, so that no other database is taken for a journal.
const APPLICATION: i64 = 0x4d4c_504a;

const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "journal", sql: include_str!("migrations/0001_journal.sql") },
    Migration { number: 2, name: "credits", sql: include_str!("migrations/0002_credits.sql") },
    Migration { number: 3, name: "followers", sql: include_str!("migrations/0003_followers.sql") },
];

/// Makes a new journal of an empty file, brings an older one up to date, and refuses anything else.
pub(super) fn prepare(connection: &mut Connection, now: Timestamp) -> Result<(), JournalError> {
    // Immediate, so that of two processes that open a new file at once one waits for the other.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    recognise(&transaction)?;
    migrate(&transaction, MIGRATIONS, now)?;
    for (name, sql) in [("a_payment_takes_steps_there_are", steps()), ("a_payment_begins_recorded", begins())]
    {
        rule(&transaction, name, &sql)?;
    }
    transaction.commit().map_err(failed)
}

/// An empty file, or one that says that it is ours.
fn recognise(transaction: &Transaction<'_>) -> Result<(), JournalError> {
    let number = |sql: &str| transaction.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(failed);
    match (number("PRAGMA application_id")?, number("SELECT count(*) FROM sqlite_schema")?) {
        (APPLICATION, _) => Ok(()),
        (0, 0) => transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed),
        _ => Err(JournalError::corrupt("the file is a database of something else")),
    }
}

fn migrate(
    transaction: &Transaction<'_>,
    migrations: &[Migration],
    now: Timestamp,
) -> Result<(), JournalError> {
    let table = "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, \
                 digest BLOB NOT NULL, applied_at INTEGER NOT NULL) STRICT";
    transaction.execute_batch(table).map_err(failed)?;
    let applied = applied(transaction)?;
    for migration in pending(migrations, &applied)? {
        transaction.execute_batch(migration.sql).map_err(failed)?;
        let insert = "INSERT INTO migrations (number, name, digest, applied_at) VALUES (?, ?, ?, ?)";
        let values = params![migration.number, migration.name, migration.digest(), now.unix_millis()];
        transaction.execute(insert, values).map_err(failed)?;
    }
    Ok(())
}

fn applied(transaction: &Transaction<'_>) -> Result<BTreeMap<i64, [u8; 32]>, JournalError> {
    let mut statement =
        transaction.prepare("SELECT number, digest FROM migrations ORDER BY number").map_err(failed)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
    rows.map(|row| row.map_err(failed)).collect()
}

/// The trigger that knows [`TRANSITIONS`](crate::TRANSITIONS).
fn steps() -> String {
    format!(
        "CREATE TRIGGER a_payment_takes_steps_there_are BEFORE UPDATE ON payments\n\
         WHEN NEW.state <> OLD.state AND NOT {}\n\
         BEGIN\n    SELECT RAISE(ABORT, 'a payment took a step that there is not');\nEND",
        sql::steps()
    )
}

fn begins() -> String {
    let begin = PaymentState::Recorded;
    format!(
        "CREATE TRIGGER a_payment_begins_recorded BEFORE INSERT ON payments\nWHEN NEW.state <> '{begin}'\n\
         BEGIN\n    SELECT RAISE(ABORT, 'a payment begins in the middle');\nEND"
    )
}

/// Puts a trigger that is made from the code in the place of another of its name. Written only when it differs, since
/// most openings find it as it should be.
fn rule(transaction: &Transaction<'_>, name: &str, sql: &str) -> Result<(), JournalError> {
    let known: Option<String> = transaction
        .query_row("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?", [name], |row| {
            row.get(0)
        })
        .optional()
        .map_err(failed)?;
    if known.as_deref() == Some(sql) {
        return Ok(());
    }
    transaction.execute_batch(&format!("DROP TRIGGER IF EXISTS {name};\n{sql};")).map_err(failed)
}

#[cfg(test)]
mod tests;
