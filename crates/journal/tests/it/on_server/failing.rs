//! A server that is away, does not answer, or does not want to.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use malipo_core::{DeliveryPurpose, Good, GoodKind, Raw, Secret, State};
use malipo_journal::{
    Apply, Done, Entry, Find, JournalErrorKind, PaymentId, PostgresConfig, PostgresJournal, Source,
    StoreDelivery,
};
use tokio_postgres::config::Host;

use super::proxy::{Proxy, Weather};
use super::{alone, refusal, schema};
use crate::bench::{Clock, PROVIDER, key, open, report};
use crate::server::Schema;

/// A way to the server, and a journal's settings for going there.
pub(super) fn proxied(schema: &Schema) -> (Proxy, PostgresConfig) {
    let server: tokio_postgres::Config = schema.address().parse().unwrap();
    let host = match &server.get_hosts()[0] {
        Host::Tcp(host) => host.parse::<IpAddr>().ok(),
        Host::Unix(_) => None,
    };
    let Some(host) = host else { panic!("these tests need host=127.0.0.1 in MALIPO_POSTGRES") };
    let port = server.get_ports().first().copied().unwrap_or(5432);
    let proxy = schema.wait(Proxy::start(SocketAddr::new(host, port)));
    let password = server.get_password().map(|password| String::from_utf8_lossy(password).into_owned());
    let password = password.map(|password| format!(" password='{password}'")).unwrap_or_default();
    let text = format!(
        "host=127.0.0.1 port={} user={} dbname={} application_name={}{password}",
        proxy.port(),
        server.get_user().unwrap(),
        server.get_dbname().unwrap(),
        schema.name()
    );
    (proxy, PostgresConfig::new(text).with_schema(schema.name()))
}

fn entry(name: &str) -> Vec<Entry> {
    vec![Entry::Open(Box::new(open(name)))]
}

#[test]
fn a_server_that_is_away_is_told_and_found_again() {
    let schema = schema!();
    let (mut proxy, config) = proxied(&schema);
    let bench = alone(&schema, config.clone());
    pollster::block_on(bench.recorded("A"));
    schema.wait(proxy.down());
    pollster::block_on(async {
        for _ in 0..3 {
            let error = bench.journal.commit(entry("B")).await.unwrap_err();
            assert_eq!(error.kind(), JournalErrorKind::Unavailable);
            assert!(error.to_string().contains("never paid twice"), "{error}");
            let error = bench.journal.find(&Find::Key(key("A"))).await.unwrap_err();
            assert_eq!(error.kind(), JournalErrorKind::Unavailable);
        }
        let error = bench.journal.commit(entry("B")).await.unwrap_err();
        assert!(error.to_string().contains("refused"), "{error}");
    });
    assert_eq!(refusal(&schema, config).kind(), JournalErrorKind::Unavailable);
    schema.wait(proxy.up());
    pollster::block_on(async {
        assert_eq!(bench.recorded("B").await, PaymentId(2));
        bench.check().await;
    });
}

#[test]
fn a_connection_that_the_server_ends_undoes_what_was_on_it() {
    let schema = schema!();
    let bench = schema.bench();
    let by_hand = schema.by_hand();
    let id = pollster::block_on(bench.recorded("A"));
    by_hand.run("BEGIN; SELECT 1 FROM payments WHERE id = 1 FOR UPDATE").unwrap();
    let journal = bench.journal.clone();
    let batch = entry("B").into_iter().chain([Entry::Cancel(id)]).collect();
    let cancelling = std::thread::spawn(move || pollster::block_on(journal.commit(batch)));
    let end = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{}' \
         AND wait_event_type = 'Lock'",
        schema.name()
    );
    schema.by_hand().until(&end, 1);
    assert_eq!(cancelling.join().unwrap().unwrap_err().kind(), JournalErrorKind::Unavailable);
    by_hand.run("ROLLBACK").unwrap();
    pollster::block_on(async {
        assert_eq!(bench.journal.find(&Find::Key(key("B"))).await.unwrap(), None);
        assert_eq!(bench.recorded("B").await, PaymentId(2));
        assert_eq!(bench.done(Entry::Cancel(id)).await, Done::Cancelled);
        bench.check().await;
    });
}

/// It may have gone through, and here it has: doing it again finds it.
#[test]
fn a_commit_whose_answer_is_lost_is_done_again_safely() {
    let schema = schema!();
    let (proxy, config) = proxied(&schema);
    let bench = alone(&schema, config);
    pollster::block_on(async {
        bench.recorded("A").await;
        proxy.turn(Weather::CommitsCut);
        let error = bench.journal.commit(entry("B")).await.unwrap_err();
        assert_eq!(error.kind(), JournalErrorKind::Unavailable);
        proxy.turn(Weather::Fair);
        let done = bench.done(entry("B").remove(0)).await;
        assert!(matches!(done, Done::Existing(_)), "{done:?}");
        assert_eq!(schema.by_hand().number("SELECT count(*) FROM payments"), 2, "and it was tried once");
        bench.check().await;
    });
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    let schema = schema!();
    let (proxy, config) = proxied(&schema);
    let short = Duration::from_millis(150);
    let bench = alone(&schema, config.with_busy_timeout(short).with_statement_timeout(short));
    pollster::block_on(async {
        bench.recorded("A").await;
        proxy.turn(Weather::Silent);
        let error = bench.journal.commit(entry("B")).await.unwrap_err();
        assert_eq!(error.kind(), JournalErrorKind::Unavailable);
        assert!(error.to_string().contains("does not answer"), "{error}");
        proxy.turn(Weather::Fair);
        assert_eq!(bench.recorded("B").await, PaymentId(2));
    });
}

#[test]
fn a_locked_journal_does_nothing_and_says_so() {
    let schema = schema!();
    let by_hand = schema.by_hand();
    let short = schema.config().with_busy_timeout(Duration::from_millis(50)).with_connections(1);
    let bench = alone(&schema, short.clone());
    pollster::block_on(async {
        let id = bench.recorded("A").await;
        by_hand.run("BEGIN; SELECT 1 FROM payments WHERE id = 1 FOR UPDATE").unwrap();
        let error = bench.journal.commit(vec![Entry::Cancel(id)]).await.unwrap_err();
        assert_eq!(error.kind(), JournalErrorKind::Busy);
        assert!(error.to_string().contains("try again"), "{error}");
        assert!(bench.journal.find(&Find::Key(key("A"))).await.unwrap().is_some(), "reading goes on");
        by_hand.run("ROLLBACK").unwrap();
        assert_eq!(bench.done(Entry::Cancel(id)).await, Done::Cancelled);
        bench.check().await;
    });
}

#[test]
fn a_user_who_may_not_write_reads() {
    let schema = schema!();
    let user = format!("{}_reader", schema.name());
    let by_hand = schema.by_hand();
    by_hand.run(&format!("CREATE ROLE {user} LOGIN PASSWORD 'of-the-reader'")).unwrap();
    let text = schema.address().replace("user=", &format!("user={user} was="));
    let config = || {
        let is_other = |word: &&str| word.starts_with("was=") || word.starts_with("password=");
        let own = text.split(' ').filter(|word| !is_other(word)).collect::<Vec<_>>().join(" ");
        PostgresConfig::new(format!("{own} password=of-the-reader")).with_schema(schema.name())
    };
    assert_eq!(refusal(&schema, config()).kind(), JournalErrorKind::ReadOnly, "it may make no schema");
    drop(schema.bench());
    let name = schema.name();
    by_hand
        .run(&format!(
            "GRANT USAGE ON SCHEMA {name} TO {user}; \
             GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {name} TO {user}"
        ))
        .unwrap();
    let bench = alone(&schema, config());
    pollster::block_on(bench.recorded("A"));
    by_hand.run(&format!("ALTER ROLE {user} SET default_transaction_read_only TO on")).unwrap();
    let read_only = alone(&schema, config());
    pollster::block_on(async {
        for _ in 0..2 {
            let error = read_only.journal.commit(entry("B")).await.unwrap_err();
            assert_eq!(error.kind(), JournalErrorKind::ReadOnly);
            assert!(error.to_string().contains("the right to write"), "{error}");
        }
        assert!(read_only.journal.find(&Find::Key(key("A"))).await.unwrap().is_some(), "reading goes on");
        by_hand.run(&format!("ALTER ROLE {user} RESET default_transaction_read_only")).unwrap();
        // What is found to be read-only is left, so that the next connection finds the change.
        let mut tries = 0;
        while read_only.journal.commit(entry("B")).await.is_err() {
            tries += 1;
            assert!(tries < 8, "it never finds out");
        }
        assert_eq!(read_only.recorded("C").await, PaymentId(3));
    });
    drop((bench, read_only));
    by_hand.run(&format!("DROP OWNED BY {user}; DROP ROLE {user}")).unwrap();
}

#[test]
fn a_journal_is_opened_in_a_runtime_and_ends_with_it() {
    let schema = schema!();
    let error = pollster::block_on(PostgresJournal::open(schema.config())).unwrap_err();
    assert!(error.to_string().contains("outside of tokio"), "{error}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let journal = runtime.block_on(PostgresJournal::with_clock(schema.config(), Clock::new())).unwrap();
    runtime.shutdown_background();
    let journal: &dyn malipo_journal::Journal = &journal;
    let error = pollster::block_on(journal.commit(entry("A"))).unwrap_err();
    assert!(error.to_string().contains("runtime has ended"), "{error}");
    let error = pollster::block_on(journal.find(&Find::Key(key("A")))).unwrap_err();
    assert!(error.to_string().contains("runtime has ended"), "{error}");
}

#[test]
fn a_database_that_there_is_not_is_told() {
    let schema = schema!();
    let text = format!("{} dbname=no_such_books", schema.address());
    let error = refusal(&schema, PostgresConfig::new(text));
    assert_eq!(error.kind(), JournalErrorKind::Unavailable);
    assert!(error.to_string().contains("no such database"), "{error}");
}

/// A character that PostgreSQL does not take must not keep what a gateway tells from being believed.
#[test]
fn a_character_that_the_server_does_not_take_is_replaced() {
    let schema = schema!();
    let bench = schema.bench();
    pollster::block_on(async {
        let id = bench.accepted("A").await;
        let mut told = report("A", State::Settled);
        told.code = Some("0\0K".to_owned());
        bench.done(Entry::Apply(Box::new(Apply::new(id, Source::Answer, told)))).await;
        assert_eq!(bench.payment(id).await.code.as_deref(), Some("0\u{fffd}K"));
        bench.check().await;
    });
}

/// Everything that the driver writes to the log in this process.
struct Log(Mutex<Vec<String>>);

static LOG: OnceLock<Log> = OnceLock::new();

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}

/// With all there is to log, in all tests that run beside this one, too.
#[test]
fn what_is_stored_is_not_in_the_drivers_log() {
    let schema = schema!();
    let log = LOG.get_or_init(|| Log(Mutex::new(Vec::new())));
    log::set_logger(log).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let bench = schema.bench();
    pollster::block_on(async {
        let id = bench.accepted("PLANTED-KEY").await;
        let body = Raw::from("{\"to\":\"254708374149\"}");
        let delivery = StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, body);
        bench.done(Entry::StoreDelivery(Box::new(delivery))).await;
        let mut told = report("PLANTED-KEY", State::Settled);
        told.goods = vec![Good::new(GoodKind::VoucherPin, Secret::new("7777-PIN"))];
        bench.tell(id, told).await;
        // A failure is told without values, too.
        let by_hand = schema.by_hand();
        by_hand.run("ALTER TABLE payments ADD CHECK (key <> 'PLANTED-BAD')").unwrap();
        let error = bench.journal.commit(entry("PLANTED-BAD")).await.unwrap_err();
        assert_eq!(error.kind(), JournalErrorKind::Corrupt);
        let told = format!("{error} {error:?}");
        assert!(told.contains("payments_key_check1") && told.contains("23514"), "{told}");
        assert!(!told.contains("PLANTED"), "{told}");
    });
    let lines = log.0.lock().unwrap();
    assert!(lines.iter().any(|line| line.contains("INSERT INTO payments")), "it does log");
    let planted =
        ["0708374149", "254708374149", "Wanjiku", "WANJIKU", "7777-PIN", "AG-PLANTED", "RC-PLANTED"];
    for text in planted.into_iter().chain(["PLANTED-KEY"]) {
        let bytes = format!("{:?}", text.as_bytes());
        let leak =
            lines.iter().find(|line| line.contains(text) || line.contains(bytes.trim_matches(['[', ']'])));
        assert_eq!(leak, None, "{text}");
    }
}
