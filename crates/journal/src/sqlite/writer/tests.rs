use std::path::Path;
use std::time::Duration;

use malipo_core::{Instruction, Money, PayOut, Payee, ProviderId, Terms, Timestamp};
use rusqlite::OpenFlags;

use super::*;
use crate::sqlite::{SqliteConfig, writer};
use crate::tx::Tx;
use crate::{EventId, Find, Intent, Open, PaymentId};

const PROVIDER: ProviderId = ProviderId::of("somepay");

#[derive(Debug)]
struct Fixed;

impl Env for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn fill_bytes(&self, _: &mut [u8]) {}
}

fn at(path: &Path) -> Writer {
    writer(&SqliteConfig::from(path).with_busy_timeout(Duration::ZERO), Arc::new(Fixed)).unwrap()
}

fn entry(name: &str) -> Entry {
    let terms = Terms::new(name.parse().unwrap(), Money::kes("10").unwrap());
    let instruction = Instruction::PayOut(PayOut::new(Payee::till("600996".parse().unwrap()), terms));
    let fingerprint = Intent::new(&PROVIDER, &instruction).fingerprint().unwrap();
    Entry::Open(Box::new(Open::new(PROVIDER, name.parse().unwrap(), instruction, fingerprint)))
}

fn known(writer: &mut Writer, name: &str) -> bool {
    let key = Find::Key(name.parse().unwrap());
    writer.read(|rows| ready(rows.payment(&key))).unwrap().is_some()
}

fn kind(result: &Result<Results>) -> Option<JournalErrorKind> {
    result.as_ref().err().map(JournalError::kind)
}

#[test]
fn every_connection_is_used_alike() {
    let folder = tempfile::tempdir().unwrap();
    let writer = at(&folder.path().join("journal.db"));
    let pragma = |name: &str| {
        writer.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(pragma("synchronous"), 2, "FULL");
    for on in ["foreign_keys", "secure_delete", "fullfsync"] {
        assert_eq!(pragma(on), 1, "{on}");
    }
    assert_eq!(pragma("trusted_schema"), 0);
    assert_eq!(pragma("temp_store"), 2, "MEMORY");
    let mode: String = writer.connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

/// One batch that the store refuses does not take its neighbours with it.
#[test]
fn batches_that_are_committed_together_fail_alone() {
    let mut writer = at(Path::new(":memory:"));
    let stops = "CREATE TEMP TRIGGER stops BEFORE INSERT ON payments WHEN NEW.key = 'B2' \
                 BEGIN SELECT RAISE(ABORT, 'no'); END";
    writer.connection.execute_batch(stops).unwrap();
    let three = vec![entry("B1"), entry("B2"), entry("B3")];
    let batches = vec![vec![entry("A")], three, vec![entry("B2")], vec![entry("C")]];
    let results = writer.commit(batches);
    let kinds: Vec<_> = results.iter().map(kind).collect();
    let stopped = Some(JournalErrorKind::Corrupt);
    assert_eq!(kinds, [None, stopped, stopped, None]);
    for (name, there) in [("A", true), ("B1", false), ("B2", false), ("B3", false), ("C", true)] {
        assert_eq!(known(&mut writer, name), there, "{name}");
    }
}

/// Nobody is told of success before the commit: when it fails, everybody's batch has failed.
#[test]
fn a_commit_that_fails_is_nobodys_success() {
    let mut writer = at(Path::new(":memory:"));
    // A row that is only found out at the commit.
    let late = "CREATE TEMP TRIGGER late AFTER INSERT ON payments WHEN NEW.key = 'B' \
                BEGIN INSERT INTO provider_refs (payment, provider, kind, value) VALUES (999, 'x', 'y', 'z'); END";
    writer.connection.execute_batch(late).unwrap();
    writer.connection.execute_batch("PRAGMA defer_foreign_keys = ON").unwrap();
    let results = writer.commit(vec![vec![entry("A")], vec![entry("B")], vec![entry("C")]]);
    assert!(
        results.iter().all(|result| kind(result) == Some(JournalErrorKind::Corrupt)),
        "{}",
        results.len()
    );
    for name in ["A", "B", "C"] {
        assert!(!known(&mut writer, name), "{name}");
    }
    writer.connection.execute_batch("DROP TRIGGER late").unwrap();
    assert!(writer.commit(vec![vec![entry("A")]]).remove(0).is_ok(), "and it goes on");
}

/// Some failures end the whole transaction, as that of a disk can; then nothing of it can be kept.
#[test]
fn a_transaction_that_ended_takes_everything_with_it() {
    let mut writer = at(Path::new(":memory:"));
    let ends = "CREATE TEMP TRIGGER ends BEFORE INSERT ON payments WHEN NEW.key = 'B' \
                BEGIN SELECT RAISE(ROLLBACK, 'the transaction ended'); END";
    writer.connection.execute_batch(ends).unwrap();
    let results = writer.commit(vec![vec![entry("A")], vec![entry("B")], vec![entry("C")]]);
    for result in &results {
        let told = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert!(told.contains("the transaction ended"), "{told}");
    }
    for name in ["A", "B", "C"] {
        assert!(!known(&mut writer, name), "{name}");
    }
    assert!(writer.commit(vec![vec![entry("A")]]).remove(0).is_ok(), "and it goes on");
}

#[test]
fn a_row_that_changed_meanwhile_is_not_written_over() {
    let mut writer = at(Path::new(":memory:"));
    assert!(writer.commit(vec![vec![entry("A")]]).remove(0).is_ok());
    let rows = &mut Rows(&mut writer.connection);
    let read = ready(rows.payment(&Find::Id(PaymentId(1)))).unwrap().unwrap();
    let (mut first, mut second) = (read.clone(), read);
    ready(rows.update_payment(&mut first)).unwrap();
    let error = ready(rows.update_payment(&mut second)).unwrap_err();
    assert!(error.to_string().contains("meanwhile"), "{error}");
    ready(rows.update_payment(&mut first)).unwrap();
}

/// As when the process is killed between two statements.
#[test]
fn what_was_not_committed_was_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut first = at(&path);
    assert!(first.commit(vec![vec![entry("A")]]).remove(0).is_ok());
    for kept in 0..4 {
        let mut killed = at(&path);
        run(&mut killed.connection, "BEGIN IMMEDIATE").unwrap();
        let entries = (0..kept).map(|number| entry(&format!("K{number}"))).collect();
        ready(execute::batch(&mut Rows(&mut killed.connection), entries, Timestamp::UNIX_EPOCH)).unwrap();
        drop(killed);
        let mut next = at(&path);
        assert!(known(&mut next, "A") && !known(&mut next, "K0"));
        let events = next.read(|rows| ready(rows.events(EventId(0), 99))).unwrap();
        assert_eq!(events.len(), 1);
    }
    let opened = first.commit(vec![vec![entry("K0")]]).remove(0).unwrap().0.remove(0).unwrap();
    assert_eq!(opened, Done::Opened { payment: PaymentId(2), begun: None }, "no number is lost");
}

#[test]
fn a_journal_that_may_not_be_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(at(&path));
    let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut writer = Writer { connection, env: Arc::new(Fixed) };
    let error = writer.commit(vec![vec![entry("A")]]).remove(0).err().unwrap();
    assert_eq!(error.kind(), JournalErrorKind::ReadOnly);
    assert!(error.to_string().contains("give this process the right"), "{error}");
    assert!(!known(&mut writer, "A"));
}

#[test]
fn a_writer_that_is_gone_is_no_success() {
    let thread = Thread::start(at(Path::new(":memory:"))).unwrap();
    let panics = pollster::block_on(thread.read::<()>(|_| panic!("as a bug would")));
    assert_eq!(panics.unwrap_err().kind(), JournalErrorKind::Unavailable);
    let after = pollster::block_on(thread.commit(vec![entry("A")]));
    assert_eq!(after.err().map(|error| error.kind()), Some(JournalErrorKind::Unavailable));
}
