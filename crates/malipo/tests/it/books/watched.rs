//! What is logged, counted and kept holds no secret, and what is counted names nobody.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use malipo::journal::{PaymentId, PostgresConfig, PostgresJournal, SqliteConfig, SqliteJournal};
use malipo_testkit::{CapturedLog, leaks};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use malipo::Voucher;

use super::*;

/// Remembers what was counted.
#[derive(Debug, Default, Clone)]
pub(super) struct Counted(Arc<std::sync::Mutex<BTreeMap<String, Arc<AtomicU64>>>>);

impl Counted {
    fn note(&self, key: &Key) -> Arc<AtomicU64> {
        let mut labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        labels.sort();
        let line = format!("{} {}", key.name(), labels.join(" "));
        self.0.lock().unwrap().entry(line).or_default().clone()
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    pub(super) fn count(&self, line: &str) -> u64 {
        self.0.lock().unwrap().get(line).map_or(0, |count| count.load(Ordering::SeqCst))
    }
}

impl Recorder for Counted {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.note(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.note(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.note(key);
        Histogram::noop()
    }
}

/// One payment that goes well, one whose reply is lost, one that is not begun, and what is posted by strangers.
async fn walk(books: &Books, instruction: fn(&str) -> Instruction) {
    books.submit("ORDER-1", instruction("1500")).await.unwrap();
    books.until("ORDER-1", &[PaymentState::Paid]).await;
    books.sim.inject(books.gateway, books.operation, [Fault::LostReply]).unwrap();
    books.submit("ORDER-2", instruction("1600")).await.unwrap();
    books.until("ORDER-2", &[PaymentState::Paid]).await;
    books.sim.inject(books.gateway, books.operation, [Fault::EchoedToken]).unwrap();
    books.submit("ORDER-3", instruction("1700")).await.unwrap();
    books.until("ORDER-3", &[PaymentState::Paid, PaymentState::Failed]).await;
    assert!(books.payments.deliver("/callbacks/1/7/3/1/1/0", &[], b"{}".to_vec()).await.is_none());
}

#[test]
fn what_is_counted_names_nobody() {
    let counted = Counted::default();
    metrics::with_local_recorder(&counted, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for Shop { books, instruction } in everywhere(|policy| policy).await {
                walk(&books, instruction).await;
            }
            for books in credits::shops().await {
                credits::walk_in(&books).await;
            }
        });
    });
    let all = counted.all();
    let allowed = ["account", "operation", "state", "answer", "purpose", "result", "signature", "how", "why"];
    for line in &all {
        let mut words = line.split(' ');
        assert!(words.next().unwrap().starts_with("malipo_"), "{line}");
        for label in words.filter(|word| !word.is_empty()) {
            let (name, value) = label.split_once('=').unwrap();
            assert!(allowed.contains(&name), "{line}");
            assert!(value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
        }
    }
    for (gateway, operation, paid) in [
        ("daraja", "pay_out", 3),
        ("kasapay", "pay_out", 2),
        ("sasapay", "collect", 2),
        ("kyanda", "pay_out", 2),
    ] {
        let outcome = |state| {
            let line = format!("account={gateway} operation={operation} state={state}");
            counted.count(&format!("malipo_payments_outcomes_total {line}"))
        };
        // Over two transports.
        assert_eq!((outcome("paid"), outcome("unknown")), (2 * paid, 2), "{gateway}: each once: {all:#?}");
    }
    for needed in [
        "malipo_payments_submitted_total account=daraja operation=pay_out",
        "malipo_payments_outcomes_total account=sasapay operation=collect state=paid",
        "malipo_payments_outcomes_total account=kyanda operation=pay_out state=unknown",
        "malipo_payments_unknown_age_seconds account=kasapay",
        "malipo_asks_total account=kasapay answer=known",
        "malipo_callbacks_total account=daraja purpose=result result=stored",
        "malipo_credits_total account=sasapay state=claimed",
        "malipo_credits_total account=sasapay state=confirmed",
        "malipo_callbacks_total account=none purpose=none result=not_ours",
    ] {
        assert!(all.iter().any(|line| line == needed), "{needed} is not in {all:#?}");
    }
}

/// What a walk through all gateways leaves behind.
#[derive(Default)]
struct Trace {
    secrets: Vec<String>,
    /// What was bought and can be spent, and what makes a callback URL hard to guess: kept, and told to nobody.
    private: Vec<String>,
    printed: String,
}

impl Trace {
    /// Walks at every gateway over every transport, with these journals.
    async fn walk(journals: Vec<Arc<dyn Journal>>) -> Self {
        let journals = std::sync::Mutex::new(journals);
        let open = |_| journals.lock().unwrap().pop().unwrap();
        let mut trace = Self::default();
        for Shop { books, instruction } in everywhere_in(open, |policy| policy).await {
            walk(&books, instruction).await;
            trace.private.extend(voucher(&books).await);
            trace.private.extend(tags(&books));
            echo(&books).await;
            trace.secrets.extend(credentials(&books));
            trace.printed += &format!("{:?} {:?}", books.payments, books.urls);
            trace.printed += &format!("{:#?}", books.payments.events(EventId(0), 1000).await.unwrap());
            for key in ["ORDER-1", "ORDER-2", "ORDER-3"] {
                trace.printed +=
                    &format!("{:?}", books.payments.newest(&key.parse().unwrap()).await.unwrap());
            }
        }
        trace.secrets.push("a key of at least thirty-two bytes".to_owned());
        trace
    }

    /// Nothing of it is where it should not be. That it could be found is shown by what has to be there.
    fn holds_back(&self, log: &str, kept: &str) {
        for (text, part) in [(kept, "ORDER-3"), (log, "submit"), (&self.printed, "ORDER-1")] {
            assert!(text.contains(part), "{part} is not seen, so no secret would be");
        }
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        assert!(secrets.len() > 30, "tokens are among them: {}", secrets.len());
        for (place, text) in [("the journal", kept), ("the log", log), ("what is printed", &self.printed)] {
            let found = leaks(text, &secrets);
            assert!(found.is_empty(), "{place}: {found:?}");
        }
        let private: Vec<&str> = self.private.iter().map(String::as_str).collect();
        assert!(private.len() > 8 * 12, "something was bought, beside the URLs: {}", private.len());
        for (place, text) in [("the log", log), ("what is printed", &self.printed)] {
            let found = leaks(text, &private);
            assert!(found.is_empty(), "{place}: {found:?}");
        }
        assert!(!log.contains("708374149"), "nobody's number is logged");
    }
}

/// Everything below `folder`, as text.
fn bytes_below(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn no_secret_is_logged_or_kept_in_a_file() {
    let (log, folder) = (CapturedLog::new(), tempfile::tempdir().unwrap());
    let trace = log.during(|| {
        let open = |number: usize| -> Arc<dyn Journal> {
            let config = SqliteConfig::new(folder.path().join(format!("{number}.db")));
            Arc::new(SqliteJournal::open(config, Arc::new(SystemEnv::new())).unwrap())
        };
        runtime().block_on(Trace::walk((0..8).map(open).collect()))
    });
    let kept = bytes_below(folder.path());
    assert!(kept.contains("[secret]"), "an echo was kept, and what it repeated was erased");
    trace.holds_back(&log.text(), &kept);
}

/// A server to try this on; none when the tests are to do without.
fn server() -> Option<String> {
    let without = std::env::var_os("MALIPO_WITHOUT").unwrap_or_default();
    if without.to_string_lossy().split(',').any(|tool| tool == "postgres") {
        return None;
    }
    let Some(address) = std::env::var_os("MALIPO_POSTGRES") else {
        panic!(
            "this test needs a server of PostgreSQL: `cargo xtask test` starts one, `--without postgres` leaves it out"
        )
    };
    address.into_string().ok()
}

/// Every row of every table, as text, and the schema is gone.
async fn rows_of(client: &tokio_postgres::Client, schema: &str) -> String {
    let mut all = String::new();
    for table in ["payments", "provider_refs", "attempts", "deliveries", "events", "reports"] {
        for row in
            client.simple_query(&format!("SELECT row_to_json(t) FROM {schema}.{table} t")).await.unwrap()
        {
            if let tokio_postgres::SimpleQueryMessage::Row(row) = row {
                all.push_str(row.get(0).unwrap());
            }
        }
    }
    client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
    all
}

#[test]
fn no_secret_is_logged_or_kept_on_a_server() {
    let Some(address) = server() else { return };
    let log = CapturedLog::new();
    let (trace, kept) = log.during(|| {
        runtime().block_on(async {
            let names: Vec<_> =
                (0..8).map(|number| format!("malipo_watched_{}_{number}", std::process::id())).collect();
            let mut journals: Vec<Arc<dyn Journal>> = Vec::new();
            for name in &names {
                let config = PostgresConfig::new(address.clone()).with_schema(name.as_str());
                journals.push(Arc::new(PostgresJournal::open(config).await.unwrap()));
            }
            let trace = Trace::walk(journals).await;
            let (client, connection) =
                tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            let mut kept = String::new();
            for name in &names {
                kept += &rows_of(&client, name).await;
            }
            (trace, kept)
        })
    });
    trace.holds_back(&log.text(), &kept);
}

/// What the gateway knows us by.
fn credentials(books: &Books) -> Vec<String> {
    let sim = &books.sim;
    let planted = [
        sim.daraja().consumer_key(),
        sim.daraja().consumer_secret(),
        sim.daraja().initiator_password(),
        sim.kasapay().consumer_key(),
        sim.kasapay().consumer_secret(),
        sim.sasapay().client_secret(),
        sim.kyanda().api_key(),
        sim.kyanda().security_key(),
    ];
    let mut all = planted.map(str::to_owned).to_vec();
    // And what was made on the way: tokens, and Daraja's encrypted password.
    for sent in books.wire.recorded() {
        let body: serde_json::Value = serde_json::from_slice(sent.request.body()).unwrap_or_default();
        all.extend(body["SecurityCredential"].as_str().map(str::to_owned));
        let header = sent.request.headers().get("authorization").and_then(|value| value.to_str().ok());
        all.extend(header.and_then(|value| value.split_once(' ')).map(|(_, token)| token.to_owned()));
    }
    all.sort();
    all.dedup();
    all
}

/// The parts of this account's callback URLs that nobody can guess. The books keep the URLs, and nothing prints them.
fn tags(books: &Books) -> Vec<String> {
    let purposes = [DeliveryPurpose::Result, DeliveryPurpose::Timeout, DeliveryPurpose::Answer];
    let addresses = (1..=4).flat_map(|id| purposes.map(|purpose| Address::of(3, PaymentId(id), purpose)));
    let urls = addresses.map(|address| books.urls.mint(address).unwrap());
    urls.map(|url| url.as_str().rsplit_once('/').unwrap().1.to_owned()).collect()
}

/// Somebody posts our own credential to us, in something that cannot be read.
async fn echo(books: &Books) {
    if books.gateway != Gateway::Kyanda {
        return;
    }
    let url = books.payments.notice_url(&books.account).unwrap();
    let path = format!("/callbacks{}", url.as_str().split_once("/callbacks").unwrap().1);
    let echo = format!("no JSON, but {} in it", books.sim.kyanda().api_key());
    let header = vec![("X-Echo".to_owned(), books.sim.kyanda().security_key().as_bytes().to_vec())];
    let delivered = books.payments.deliver(&path, &header, echo.into_bytes()).await.unwrap();
    assert!(books.payments.read_delivery(delivered.delivery.unwrap()).await.unwrap(), "it is set aside");
}

/// Buys a voucher, and gives back what can be spent of it.
async fn voucher(books: &Books) -> Vec<String> {
    if books.gateway != Gateway::Kyanda {
        return Vec::new();
    }
    let to = "0708374149".parse().unwrap();
    let voucher = Instruction::Voucher(Voucher::new(to, Network::Safaricom, terms("100")));
    books.submit("VOUCHER", voucher).await.unwrap();
    let paid = books.until("VOUCHER", &[PaymentState::Paid]).await;
    let reports = books.payments.journal().reports(paid.id).await.unwrap();
    let goods = reports.iter().flat_map(|report| &report.goods);
    goods.map(|good| good.value.expose().to_owned()).collect()
}
