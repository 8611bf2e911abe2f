use sha2::{Digest as _, Sha256};

use super::*;
use crate::JournalErrorKind;

fn fresh() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    prepare(&mut connection, Timestamp::UNIX_EPOCH).unwrap();
    connection
}

fn schema(connection: &Connection) -> Vec<(String, Option<String>)> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Puts another table in and says what it takes to go on from there.
fn migrated(connection: &mut Connection, migrations: &[Migration]) -> Result<(), JournalError> {
    let transaction = connection.transaction().unwrap();
    migrate(&transaction, migrations, Timestamp::UNIX_EPOCH)?;
    transaction.commit().map_err(failed)
}

#[test]
fn a_second_opening_changes_nothing() {
    let mut connection = fresh();
    let (before, changes) = (schema(&connection), connection.total_changes());
    prepare(&mut connection, Timestamp::from_unix_millis(1).unwrap()).unwrap();
    assert_eq!((schema(&connection), connection.total_changes()), (before, changes));
}

/// Both ways: what the trigger lets through is in the table, and what is in the table it lets through. The suite tries
/// it row by row.
#[test]
fn the_trigger_is_made_of_the_steps() {
    let sql = steps();
    for from in PaymentState::ALL {
        let line = sql.lines().find(|line| line.trim_start().starts_with(&format!("WHEN '{from}'")));
        let listed: Vec<_> =
            line.unwrap_or_default().split('\'').skip(3).step_by(2).map(str::to_owned).collect();
        let allowed: Vec<_> =
            PaymentState::ALL.iter().filter(|to| from.may_become(**to)).map(ToString::to_string).collect();
        let (mut listed, mut allowed) = (listed, allowed);
        listed.sort();
        allowed.sort();
        assert_eq!(listed, allowed, "{from}");
    }
}

#[test]
fn an_older_trigger_is_replaced() {
    let mut connection = fresh();
    let right = schema(&connection);
    connection.execute_batch("DROP TRIGGER a_payment_takes_steps_there_are").unwrap();
    prepare(&mut connection, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(schema(&connection), right);
}

#[test]
fn the_migrations_of_a_release_stay_as_they_are() {
    let digests: Vec<String> = MIGRATIONS
        .iter()
        .map(|migration| {
            Sha256::digest(migration.sql).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
        })
        .collect();
    let known = ["87f5edf41628da90", "0b546da4c2dfa551", "44dc17d9a1e0798f"];
    assert_eq!(digests, known, "a released migration is never changed: add another one");
    let numbers: Vec<_> = MIGRATIONS.iter().map(|migration| migration.number).collect();
    assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<i64>>());
}

#[test]
fn migrations_are_applied_once_and_in_order() {
    let next = i64::try_from(MIGRATIONS.len()).unwrap() + 1;
    let with = |sql| {
        let known = MIGRATIONS.iter().map(|known| (known.number, known.name, known.sql));
        let all = known.chain([(next, "more", sql)]);
        all.map(|(number, name, sql)| Migration { number, name, sql }).collect::<Vec<_>>()
    };
    let mut connection = fresh();
    migrated(&mut connection, &with("CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT")).unwrap();
    migrated(&mut connection, &with("CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT")).unwrap();
    let applied: i64 = connection.query_row("SELECT count(*) FROM migrations", [], |row| row.get(0)).unwrap();
    assert_eq!(applied, next);
    // The same number with other words made other tables.
    let changed = migrated(&mut connection, &with("CREATE TABLE other (id INTEGER) STRICT")).unwrap_err();
    assert_eq!(changed.kind(), JournalErrorKind::Corrupt);
    assert!(changed.to_string().contains(&format!("migration {next}")), "{changed}");
    // The file has one more than this version knows.
    let newer = prepare(&mut connection, Timestamp::UNIX_EPOCH).unwrap_err();
    assert_eq!(newer.kind(), JournalErrorKind::Newer);
    assert!(newer.to_string().contains("newer version of Malipo"), "{newer}");
    // One that fails leaves nothing behind.
    let mut connection = fresh();
    let before = schema(&connection);
    assert!(migrated(&mut connection, &with("CREATE TABLE more (id INTEGER) STRICT; nonsense")).is_err());
    assert_eq!(schema(&connection), before);
}

#[test]
fn a_database_of_something_else_is_left_alone() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE payments (id INTEGER)").unwrap();
    let before = schema(&connection);
    let error = prepare(&mut connection, Timestamp::UNIX_EPOCH).unwrap_err();
    assert_eq!(error.kind(), JournalErrorKind::Corrupt);
    assert_eq!(schema(&connection), before);
    let mut connection = Connection::open_in_memory().unwrap();
    connection.pragma_update(None, "application_id", 7).unwrap();
    assert!(prepare(&mut connection, Timestamp::UNIX_EPOCH).is_err());
}
