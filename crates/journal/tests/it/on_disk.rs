//! What only a file can break.
// tidy: over 400 lines: all that only a file can break

mod credits;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use malipo_core::{DeliveryPurpose, Good, GoodKind, Raw, Secret, State};
use malipo_journal::{
    Apply, ClaimDue, Done, Entry, Erase, EventId, Find, Journal, JournalErrorKind, PaymentId, PaymentState,
    Source, SqliteConfig, SqliteJournal, StoreDelivery, Sweep,
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::bench::{Bench, Clock, PROVIDER, key, lease, open, open_under, report};

/// A folder with a journal in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("journal.db")
    }

    fn config(&self) -> SqliteConfig {
        SqliteConfig::new(self.path()).with_busy_timeout(Duration::from_millis(50))
    }

    fn bench(&self) -> Bench {
        let clock = Clock::new();
        let journal: Arc<dyn Journal> = Arc::new(SqliteJournal::open(self.config(), clock.clone()).unwrap());
        Bench { clock, other: journal.clone(), journal, _keep: None }
    }

    /// The file as somebody with an SQL prompt has it.
    fn by_hand(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// All bytes in the folder.
    fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.0.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

async fn everything(journal: &dyn Journal) -> String {
    let mut all = format!("{:?}", journal.events(EventId(0), u32::MAX).await.unwrap());
    for id in (1..=20).map(PaymentId) {
        all += &crate::bench::printed(journal, id).await;
    }
    all
}

fn kind_of(config: SqliteConfig) -> JournalErrorKind {
    SqliteJournal::open(config, Clock::new()).unwrap_err().kind()
}

#[test]
fn a_journal_that_is_opened_again_is_as_it_was() {
    let folder = Folder::new();
    pollster::block_on(async {
        let bench = folder.bench();
        for state in PaymentState::ALL {
            bench.standing(state.as_str(), *state).await;
        }
        let before = everything(&*bench.journal).await;
        drop(bench);
        let bench = folder.bench();
        assert_eq!(everything(&*bench.journal).await, before);
        bench.check().await;
        assert!(matches!(bench.done(Entry::Open(Box::new(open("paid")))).await, Done::Existing(_)));
        assert_eq!(bench.recorded("next").await, PaymentId(10));
    });
}

#[test]
fn what_was_answered_is_there_after_a_copy_of_the_disk() {
    let folder = Folder::new();
    let bench = folder.bench();
    let threads = (0..16).map(|thread| {
        let journal = bench.journal.clone();
        std::thread::spawn(move || {
            for number in 0..10 {
                let open = Entry::Open(Box::new(open(&format!("T{thread}-{number}"))));
                pollster::block_on(journal.commit(vec![open])).unwrap().remove(0).unwrap();
            }
        })
    });
    let threads: Vec<_> = threads.collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    // The journal is still open: the copy has the file and its log as a crash would leave them.
    let copy = Folder::new();
    for file in std::fs::read_dir(folder.0.path()).unwrap() {
        let file = file.unwrap();
        if !file.path().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), copy.0.path().join(file.file_name())).unwrap();
        }
    }
    let after = copy.bench();
    pollster::block_on(async {
        for thread in 0..16 {
            for number in 0..10 {
                let known = Find::Key(key(&format!("T{thread}-{number}")));
                assert!(after.journal.find(&known).await.unwrap().is_some());
            }
        }
        after.check().await;
    });
}

#[test]
fn a_call_that_is_given_up_is_done_all_the_same_or_not_at_all() {
    let folder = Folder::new();
    let bench = folder.bench();
    pollster::block_on(async {
        let mut given_up = Box::pin(bench.journal.commit(vec![Entry::Open(Box::new(open("A")))]));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = given_up.as_mut().poll(&mut context);
        drop(given_up);
        let done = bench.done(Entry::Open(Box::new(open_under("A", "B")))).await;
        assert!(matches!(done, Done::Existing(_)), "it was on its way: {done:?}");
    });
}

/// Every pair of states, by hand: SQL takes the steps that there are and no other.
#[test]
fn no_other_step_can_be_written_even_by_hand() {
    let folder = Folder::new();
    let bench = folder.bench();
    let by_hand = folder.by_hand();
    for from in PaymentState::ALL {
        for to in PaymentState::ALL.iter().filter(|to| *to != from) {
            let name = format!("{from}-{to}");
            let id = pollster::block_on(bench.standing(&name, *from));
            // With whatever the other rules ask for.
            let next_at = if to.is_final() { "NULL" } else { "1" };
            let sql = format!(
                "UPDATE payments SET state = '{to}', attention = 'silent', worker = 'a', leased_until = 1, \
                 over_at = 1, next_at = {next_at} WHERE id = {id}"
            );
            // A key may have one open payment; these have one each.
            let taken = by_hand.execute(&sql, []);
            assert_eq!(taken.is_ok(), from.may_become(*to), "{name}: {taken:?}");
        }
    }
}

#[test]
fn no_rule_is_broken_even_by_hand() {
    // tidy: over 60 lines: one table of statements
    let folder = Folder::new();
    let bench = folder.bench();
    pollster::block_on(async {
        let paid = bench.standing("paid", PaymentState::Paid).await;
        bench.standing("failed", PaymentState::Failed).await;
        assert_eq!(bench.standing("accepted", PaymentState::Accepted).await, PaymentId(3));
        assert_eq!(paid, PaymentId(1));
    });
    let by_hand = folder.by_hand();
    let names = "key, generation, provider, operation, reference, amount_minor, currency, opened_at, state, \
        exposure, attempt, goods, resend, twins, asks, absences, fence, next_at, changed_at, events, version";
    let payment = |verb: &str, id: &str, key: &str, generation: u8, reference: &str, state: &str| {
        format!(
            "{verb} INTO payments (id, {names}) SELECT {id}, '{key}', {generation}, provider, operation, \
             '{reference}', amount_minor, currency, opened_at, '{state}', exposure, 0, 0, resend, twins, 0, 0, 0, 1, \
             changed_at, 1, 0 FROM payments WHERE id = 3"
        )
    };
    let event = |verb: &str, id: &str, sequence: &str, from: &str| {
        format!(
            "{verb} INTO events (id, payment, sequence, at, kind, from_state, to_state) \
             SELECT {id}, 1, {sequence}, 0, 'ended', '{from}', 'paid' FROM events WHERE payment = 1"
        )
    };
    let attempt = |verb: &str| {
        format!(
            "{verb} INTO attempts (payment, number, operation, worker, began_at) VALUES (1, 1, 'pay_out', 'a', 0)"
        )
    };
    let owned = |sql: &str| sql.to_owned();
    #[rustfmt::skip]
    let statements = [
        (owned("UPDATE payments SET amount_minor = amount_minor + 1 WHERE id = 1"), "what a payment is"),
        (owned("UPDATE payments SET reference = 'other' WHERE id = 1"), "what a payment is"),
        (owned("UPDATE payments SET key = 'other' WHERE id = 1"), "what a payment is"),
        (owned("UPDATE payments SET id = 99 WHERE id = 1"), "what a payment is"),
        (owned("UPDATE payments SET fence = 0 WHERE id = 3"), "what a payment is"),
        (owned("UPDATE payments SET attempt = 0 WHERE id = 3"), "what a payment is"),
        (owned("UPDATE payments SET next_at = NULL WHERE id = 3"), "nothing_is_forgotten"),
        (owned("UPDATE payments SET state = 'lost' WHERE id = 3"), "a step that there is not"),
        (owned("UPDATE payments SET amount_minor = 1.5 WHERE id = 1"), "REAL"),
        (owned("UPDATE payments SET fingerprint = x'00' WHERE id = 1"), "fingerprint"),
        (owned("DELETE FROM payments WHERE id = 1"), "never removed"),
        (payment("INSERT", "NULL", "accepted", 2, "other", "recorded"), "names two payments"),
        (payment("INSERT", "NULL", "paid", 1, "other", "recorded"), "names two payments"),
        (payment("INSERT", "NULL", "new", 1, "paid", "recorded"), "names two payments"),
        (payment("INSERT OR REPLACE", "1", "new", 1, "other", "recorded"), "names two payments"),
        (payment("INSERT OR REPLACE", "NULL", "paid", 1, "other", "recorded"), "names two payments"),
        (payment("INSERT", "NULL", "new", 1, "other", "accepted"), "in the middle"),
        (owned("UPDATE events SET kind = 'opened'"), "never changed"),
        (owned("UPDATE events SET payment = 2 WHERE id = 1"), "never changed"),
        (owned("DELETE FROM events WHERE id = (SELECT max(id) FROM events)"), "never removed"),
        (event("INSERT", "NULL", "max(sequence) + 2", "paid"), "gap"),
        (event("INSERT", "NULL", "1", "paid"), "gap"),
        (event("INSERT OR REPLACE", "NULL", "1", "paid"), "gap"),
        (event("INSERT OR REPLACE", "1", "max(sequence) + 1", "paid"), "gap"),
        (event("INSERT", "NULL", "max(sequence) + 1", "accepted"), "in one way twice"),
        (event("INSERT OR REPLACE", "NULL", "max(sequence) + 1", "accepted"), "in one way twice"),
        (owned("UPDATE attempts SET ended_as = 'refused'"), "ended twice"),
        (owned("UPDATE attempts SET ended_as = NULL, ended_at = NULL"), "ended twice"),
        (owned("UPDATE attempts SET number = 2"), "ended twice"),
        (owned("UPDATE attempts SET operation = 'confirm'"), "ended twice"),
        (owned("DELETE FROM attempts"), "never removed"),
        (attempt("INSERT"), "began twice"),
        (attempt("INSERT OR REPLACE"), "began twice"),
        (owned("INSERT INTO provider_refs (payment, provider, kind, value) VALUES (1, 'somepay', 'conversation', 'x')"), "UNIQUE"),
    ];
    for (sql, rule) in statements {
        let refused = by_hand.execute(&sql, []).unwrap_err().to_string();
        assert!(refused.contains(rule), "{sql}: {refused}");
    }
    // And one that breaks none, so that it is not the statement that is wrong.
    assert_eq!(by_hand.execute(&payment("INSERT", "NULL", "new", 1, "other", "recorded"), []), Ok(1));
    let opened = "INSERT INTO events (payment, sequence, at, kind, from_state, to_state) \
                  VALUES (4, 1, 0, 'opened', 'recorded', 'recorded')";
    assert_eq!(by_hand.execute(opened, []), Ok(1));
    pollster::block_on(bench.check());
}

#[test]
fn a_locked_journal_does_nothing_and_says_so() {
    let folder = Folder::new();
    let bench = folder.bench();
    pollster::block_on(async {
        bench.recorded("A").await;
        let by_hand = folder.by_hand();
        by_hand.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = bench.journal.commit(vec![Entry::Open(Box::new(open("B")))]).await.unwrap_err();
        assert_eq!(error.kind(), JournalErrorKind::Busy);
        assert!(error.to_string().contains("try again"), "{error}");
        assert!(bench.journal.find(&Find::Key(key("A"))).await.unwrap().is_some(), "reading goes on");
        assert_eq!(kind_of(folder.config()), JournalErrorKind::Busy);
        by_hand.execute_batch("ROLLBACK").unwrap();
        assert_eq!(bench.journal.find(&Find::Key(key("B"))).await.unwrap(), None);
        bench.recorded("B").await;
        bench.check().await;
    });
}

#[test]
fn a_full_disk_loses_nothing() {
    let folder = Folder::new();
    drop(folder.bench());
    let pages: u32 = folder.by_hand().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let small = folder.config().with_max_pages(pages + 4);
    let clock = Clock::new();
    let journal: Arc<dyn Journal> = Arc::new(SqliteJournal::open(small, clock.clone()).unwrap());
    let bench = Bench { clock, other: journal.clone(), journal, _keep: None };
    pollster::block_on(async {
        let mut answered = Vec::new();
        let error = loop {
            let name = format!("N{}", answered.len());
            match bench.journal.commit(vec![Entry::Open(Box::new(open(&name)))]).await {
                Ok(results) => {
                    answered.extend(results.into_iter().map(|result| (name.clone(), result.unwrap())))
                }
                Err(error) => break error,
            }
            assert!(answered.len() < 1000);
        };
        assert_eq!(error.kind(), JournalErrorKind::Full);
        assert!(error.to_string().contains("make room"), "{error}");
        assert!(answered.len() > 2);
        for (name, _) in &answered {
            assert!(bench.journal.find(&Find::Key(key(name))).await.unwrap().is_some());
        }
        let refused = format!("N{}", answered.len());
        assert_eq!(bench.journal.find(&Find::Key(key(&refused))).await.unwrap(), None);
        bench.check().await;
        drop(bench);
        let roomy = folder.bench();
        roomy.recorded(&refused).await;
        roomy.check().await;
    });
}

#[test]
fn a_file_that_is_no_journal_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.path(), "this is a letter and not a database, however long it may get in the end")
        .unwrap();
    assert_eq!(kind_of(folder.config()), JournalErrorKind::Corrupt);
    let letter = std::fs::read_to_string(folder.path()).unwrap();
    assert!(letter.starts_with("this is a letter"), "and left alone");

    let folder = Folder::new();
    folder.by_hand().execute_batch("CREATE TABLE payments (id INTEGER)").unwrap();
    assert_eq!(kind_of(folder.config()), JournalErrorKind::Corrupt);

    let folder = Folder::new();
    let nowhere = SqliteConfig::new(folder.0.path().join("no/such/folder/journal.db"));
    assert_eq!(kind_of(nowhere), JournalErrorKind::Unavailable);
}

#[test]
fn what_a_newer_version_wrote_stops_only_what_needs_it() {
    let folder = Folder::new();
    let bench = folder.bench();
    pollster::block_on(async {
        let id = bench.accepted("A").await;
        let newer =
            "UPDATE payments SET instruction = replace(instruction, '\"v\":1', '\"v\":2') WHERE id = 1";
        assert_eq!(folder.by_hand().execute(newer, []), Ok(1));
        let apply = Entry::Apply(Box::new(Apply::new(id, Source::Answer, report("A", State::Settled))));
        // Nothing of that batch is done, and other batches are.
        let batch = vec![Entry::Open(Box::new(open("B"))), apply];
        let error = bench.journal.commit(batch).await.unwrap_err();
        assert_eq!(error.kind(), JournalErrorKind::Newer);
        assert_eq!(bench.state(id).await, PaymentState::Accepted);
        assert_eq!(bench.journal.find(&Find::Key(key("B"))).await.unwrap(), None);
        bench.recorded("C").await;
        bench.check().await;
    });
    drop(bench);
    let later = "INSERT INTO migrations VALUES (1000, 'more', zeroblob(32), 0)";
    assert_eq!(folder.by_hand().execute(later, []), Ok(1));
    assert_eq!(kind_of(folder.config()), JournalErrorKind::Newer);
}

/// Whoever works on payments is not kept from the others by one that it cannot read.
#[test]
fn a_payment_that_cannot_be_read_keeps_no_other_waiting() {
    let folder = Folder::new();
    let bench = folder.bench();
    pollster::block_on(async {
        bench.sending(open("A")).await;
        let (late, _) = bench.sending(open("B")).await;
        bench.recorded("C").await;
        let due = bench.recorded("D").await;
        let newer = "UPDATE payments SET attention = 'a reason of next year' WHERE id IN (1, 3)";
        assert_eq!(folder.by_hand().execute(newer, []), Ok(2));
        bench.clock.forward(61);
        assert_eq!(bench.done(Entry::Sweep(Sweep::new(9))).await, Done::Swept(vec![late]));
        let claim = Entry::ClaimDue(ClaimDue::new(PROVIDER, lease("a"), 9));
        let Done::Claimed(claims) = bench.done(claim).await else { panic!() };
        assert!(claims.iter().any(|claim| claim.payment.id == due), "{claims:?}");
        let asked = bench.journal.find(&Find::Key(key("A"))).await.unwrap_err();
        assert_eq!(asked.kind(), JournalErrorKind::Newer, "whoever asks for it is told");
    });
}

#[test]
fn what_is_erased_is_not_in_the_file_any_more() {
    let folder = Folder::new();
    let bench = folder.bench();
    pollster::block_on(async {
        let id = bench.accepted("A").await;
        let delivery =
            StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, Raw::from("{\"to\":\"254708374149\"}"));
        let Done::Stored(delivery) = bench.done(Entry::StoreDelivery(Box::new(delivery))).await else {
            panic!()
        };
        let mut told = report("A", State::Settled);
        told.goods = vec![Good::new(GoodKind::VoucherPin, Secret::new("7777-PIN"))];
        bench.done(Entry::Apply(Box::new(Apply::new(id, Source::Delivery(delivery), told)))).await;
        let hidden = ["254708374149", "Wanjiku", "WANJIKU", "Loan seven", "7777-PIN"];
        let holds = |text: &str| folder.bytes().windows(text.len()).any(|bytes| bytes == text.as_bytes());
        for text in hidden {
            assert!(holds(text), "{text} is there before");
        }
        bench.clock.forward(1);
        let erased = bench.done(Entry::Erase(Erase::new(bench.now(), 9))).await;
        assert_eq!(erased, Done::Erased { payments: 1, deliveries: 0, credits: 0 });
        for text in hidden {
            assert!(!holds(text), "{text}");
        }
        for text in ["RC-A", "AG-A"] {
            assert!(holds(text), "{text} stays");
        }
    });
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let bench = folder.bench();
    pollster::block_on(bench.recorded("A"));
    for file in std::fs::read_dir(folder.0.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // One that is there already keeps the rights that somebody gave it.
    let folder = Folder::new();
    std::fs::write(folder.path(), "").unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
    drop(folder.bench());
    let path: &Path = &folder.path();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
}

/// A place where not even the owner of the machine writes.
#[cfg(target_os = "linux")]
#[test]
fn where_nothing_can_be_written_it_says_so() {
    let path = Path::new("/sys/malipo.db");
    let error = SqliteJournal::open(path, Clock::new()).unwrap_err();
    assert_eq!(error.kind(), JournalErrorKind::ReadOnly, "{error}");
    assert!(error.to_string().contains("give this process the right to write"), "{error}");
}
