//! What is logged, counted and kept holds no secret, and what is counted names nobody.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use malipo::journal::{SqliteConfig, SqliteJournal};
use malipo_testkit::{CapturedLog, leaks};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use malipo::Voucher;

use super::*;

/// Remembers what was counted.
#[derive(Debug, Default, Clone)]
struct Counted(Arc<std::sync::Mutex<BTreeMap<String, Arc<AtomicU64>>>>);

impl Counted {
    fn note(&self, key: &Key) -> Arc<AtomicU64> {
        let mut labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        labels.sort();
        let line = format!("{} {}", key.name(), labels.join(" "));
        self.0.lock().unwrap().entry(line).or_default().clone()
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    fn count(&self, line: &str) -> u64 {
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
        });
    });
    let all = counted.all();
    let allowed = ["account", "operation", "state", "answer", "purpose", "result"];
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
        "malipo_callbacks_total account=none purpose=none result=not_ours",
    ] {
        assert!(all.iter().any(|line| line == needed), "{needed} is not in {all:#?}");
    }
}

/// Everything below `folder`, as text.
fn bytes_below(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

#[test]
fn no_secret_is_logged_or_kept() {
    let log = CapturedLog::new();
    let folder = tempfile::tempdir().unwrap();
    let (mut secrets, mut bought) = (Vec::new(), Vec::new());
    let mut printed = String::new();
    log.during(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let number = AtomicU64::new(0);
            let open = |env: Arc<SystemEnv>| -> Arc<dyn Journal> {
                let number = number.fetch_add(1, Ordering::SeqCst);
                let file = folder.path().join(format!("{number}.db"));
                Arc::new(SqliteJournal::open(SqliteConfig::new(file), env).unwrap())
            };
            for Shop { books, instruction } in everywhere_in(open, |policy| policy).await {
                walk(&books, instruction).await;
                secrets.extend(credentials(&books));
                bought.extend(voucher(&books).await);
                echo(&books).await;
                printed += &format!("{:?} {:?}", books.payments, books.urls);
                printed += &format!("{:#?}", books.payments.events(EventId(0), 1000).await.unwrap());
                for key in ["ORDER-1", "ORDER-2", "ORDER-3"] {
                    printed += &format!("{:?}", books.payments.newest(&key.parse().unwrap()).await.unwrap());
                }
            }
        });
    });
    secrets.push("a key of at least thirty-two bytes".to_owned());
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let kept = bytes_below(folder.path());
    for (text, part) in [(&kept, "ORDER-3"), (&log.text(), "submit"), (&printed, "ORDER-1")] {
        assert!(text.contains(part), "{part} is not seen, so no secret would be");
    }
    assert!(kept.contains("[secret]"), "an echo was kept, and what it repeated was erased");
    for (place, text) in [("the file", &kept), ("the log", &log.text()), ("what is printed", &printed)] {
        let found = leaks(text, &secrets);
        assert!(found.is_empty(), "{place}: {found:?}");
    }
    assert!(!bought.is_empty(), "something was bought that can be spent");
    let bought: Vec<&str> = bought.iter().map(String::as_str).collect();
    // The books keep what was bought, for whoever bought it.
    for (place, text) in [("the log", &log.text()), ("what is printed", &printed)] {
        let found = leaks(text, &bought);
        assert!(found.is_empty(), "{place}: {found:?}");
    }
    assert!(!log.text().contains("708374149"), "nobody's number is logged");
}

/// What the gateway knows us by.
fn credentials(books: &Books) -> Vec<String> {
    let sim = &books.sim;
    let all = [
        sim.daraja().consumer_key(),
        sim.daraja().consumer_secret(),
        sim.daraja().initiator_password(),
        sim.kasapay().consumer_key(),
        sim.kasapay().consumer_secret(),
        sim.sasapay().client_secret(),
        sim.kyanda().api_key(),
        sim.kyanda().security_key(),
    ];
    all.map(str::to_owned).to_vec()
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
