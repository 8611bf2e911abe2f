//! The tables, how they come to be, and what a schema must be to be a journal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::config::unusable;
use super::lock_number;
use super::transaction::Transaction;
use super::values::values;
use crate::sql::{self, Cells, Migration, pending};
use crate::{JournalError, PaymentState};

/// What a schema of ours says of itself, so that nobody else's is taken for a journal.
const MARK: &str = "a journal of Malipo";

/// The oldest version that has all we use, as the server counts.
const OLDEST: u32 = 140_000;

const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "journal", sql: include_str!("migrations/0001_journal.sql") },
    Migration { number: 2, name: "credits", sql: include_str!("migrations/0002_credits.sql") },
    Migration { number: 3, name: "followers", sql: include_str!("migrations/0003_followers.sql") },
];

/// Makes a new journal of an empty schema, brings an older one up to date, and refuses anything else.
pub(super) async fn prepare(tx: &mut Transaction, schema: &str) -> Result<(), JournalError> {
    // Of two processes that open a new schema at once one waits for the other.
    tx.rows("SELECT pg_advisory_xact_lock($1)", values![lock_number(schema)]).await?;
    suits(tx).await?;
    recognise(tx, schema).await?;
    if read(tx, "SELECT (to_regclass('migrations') IS NULL)::int::bigint").await? == Some(1) {
        tx.run(
            "CREATE TABLE migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest BYTEA NOT NULL, \
             applied_at BIGINT NOT NULL)",
        )
        .await?;
    }
    for migration in pending(MIGRATIONS, &applied(tx).await?)? {
        tx.run(migration.sql).await?;
        let insert = "INSERT INTO migrations (number, name, digest, applied_at) \
                      VALUES ($1, $2, $3, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)";
        let digest = migration.digest();
        tx.change(insert, values![migration.number, migration.name, digest.as_slice()]).await?;
    }
    for (name, sql) in [("a_payment_takes_steps_there_are", steps()), ("a_payment_begins_recorded", begins())]
    {
        rule(tx, name, &sql).await?;
    }
    Ok(())
}

/// A server that is new enough, and a database that keeps every text as it is.
async fn suits(tx: &mut Transaction) -> Result<(), JournalError> {
    let version = read(tx, "SELECT current_setting('server_version_num')::bigint").await?;
    if version.is_none_or(|version| version < i64::from(OLDEST)) {
        return Err(unusable("the server is older than PostgreSQL 14"));
    }
    let encoding = "SELECT (current_setting('server_encoding') = 'UTF8')::int::bigint";
    if read(tx, encoding).await? == Some(1) {
        Ok(())
    } else {
        Err(unusable("the database is not in UTF8 and would not keep every name as it is"))
    }
}

/// A schema that is not there or empty, or one that says that it is ours.
async fn recognise(tx: &mut Transaction, schema: &str) -> Result<(), JournalError> {
    let known = "SELECT CASE WHEN obj_description(oid, 'pg_namespace') = $2 THEN -1 \
        ELSE (SELECT count(*) FROM pg_class WHERE relnamespace = pg_namespace.oid) \
            + (SELECT count(*) FROM pg_proc WHERE pronamespace = pg_namespace.oid) END \
        FROM pg_namespace WHERE nspname::text = $1";
    let rows = tx.rows(known, values![schema, MARK]).await?;
    match rows.first().map(|row| Cells::of(row).number::<i64>()).transpose()? {
        Some(-1) => Ok(()),
        Some(0) => tx.run(&format!("COMMENT ON SCHEMA \"{schema}\" IS '{MARK}'")).await,
        Some(_) => Err(JournalError::corrupt("the schema has something else in it")),
        None => {
            tx.run(&format!("CREATE SCHEMA \"{schema}\"; COMMENT ON SCHEMA \"{schema}\" IS '{MARK}'")).await
        }
    }
}

async fn applied(tx: &mut Transaction) -> Result<BTreeMap<i64, [u8; 32]>, JournalError> {
    let sql = "SELECT number, digest FROM migrations ORDER BY number";
    let rows = tx.all(sql, &[], |cells| Ok((cells.number()?, cells.digest()?))).await?;
    Ok(rows.into_iter().collect())
}

/// The trigger that knows [`TRANSITIONS`](crate::TRANSITIONS).
fn steps() -> String {
    format!(
        "CREATE TRIGGER a_payment_takes_steps_there_are BEFORE UPDATE ON payments FOR EACH ROW\n\
         WHEN (NEW.state <> OLD.state AND NOT {})\n\
         EXECUTE FUNCTION refuse('a payment took a step that there is not')",
        sql::steps()
    )
}

fn begins() -> String {
    let begin = PaymentState::Recorded;
    format!(
        "CREATE TRIGGER a_payment_begins_recorded BEFORE INSERT ON payments FOR EACH ROW\n\
         WHEN (NEW.state <> '{begin}')\nEXECUTE FUNCTION refuse('a payment begins in the middle')"
    )
}

/// Puts a trigger that is made from the code in the place of another of its name. Written only when it differs, since
/// most openings find it as it should be.
async fn rule(tx: &mut Transaction, name: &str, sql: &str) -> Result<(), JournalError> {
    let mut digest = String::new();
    for byte in Sha256::digest(sql) {
        // Writing to a String cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    let known = "SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass('payments') AND tgname::text = $1 \
                 AND tgenabled = 'O' AND obj_description(oid, 'pg_trigger') = $2";
    let rows = tx.all(known, values![name, digest.as_str()], |cells| cells.number::<i64>()).await?;
    if rows == [1] {
        return Ok(());
    }
    tx.run(&format!(
        "DROP TRIGGER IF EXISTS {name} ON payments; {sql}; COMMENT ON TRIGGER {name} ON payments IS '{digest}'"
    ))
    .await
}

async fn read(tx: &mut Transaction, sql: &str) -> Result<Option<i64>, JournalError> {
    let rows = tx.rows(sql, &[]).await?;
    rows.first().map_or(Ok(None), |row| Cells::of(row).number_if_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_of_a_release_stay_as_they_are() {
        let digests: Vec<String> = MIGRATIONS
            .iter()
            .map(|migration| migration.digest().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
            .collect();
        let known = ["2016e1a02532f9ad", "8872f65bb2047024", "950365d69964bd87"];
        assert_eq!(digests, known, "a released migration is never changed: add another one");
        let numbers: Vec<_> = MIGRATIONS.iter().map(|migration| migration.number).collect();
        assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<i64>>());
    }
}
