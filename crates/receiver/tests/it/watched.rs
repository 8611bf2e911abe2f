//! What is counted and logged names nobody, and nobody who posts can add a name.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use malipo_receiver::{SourceMode, Sources};
use malipo_testkit::{CapturedLog, leaks};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use crate::rig::{ACCOUNT, Served, Stand, ask, patient, post, within};

/// Remembers what was counted.
#[derive(Debug, Default, Clone)]
struct Counted(Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>);

impl Counted {
    fn note(&self, key: &Key) -> Arc<AtomicU64> {
        let labels = key.labels().map(|label| format!(" {}={}", label.key(), label.value()));
        let line = format!("{}{}", key.name(), labels.collect::<String>());
        self.0.lock().unwrap().entry(line).or_default().clone()
    }

    /// All of them, a line each.
    fn all(&self) -> String {
        let all = self.0.lock().unwrap();
        all.iter().map(|(line, count)| format!("{line}: {}\n", count.load(Ordering::SeqCst))).collect()
    }
}

/// A gauge as a count: it only has whole numbers here.
#[derive(Debug)]
struct Level(Arc<AtomicU64>);

impl metrics::GaugeFn for Level {
    fn increment(&self, by: f64) {
        assert_eq!(by.to_bits(), 1_f64.to_bits());
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn decrement(&self, by: f64) {
        assert_eq!(by.to_bits(), 1_f64.to_bits());
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    fn set(&self, _: f64) {
        unreachable!("connections come and go one by one")
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
        Gauge::from_arc(Arc::new(Level(self.note(key))))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.note(key);
        Histogram::noop()
    }
}

/// What is planted in everything that a sender chooses.
const PLANTED: &str = "planted-by-whoever-posts";

/// One of everything that can happen to a request.
async fn walk(stand: &Stand) {
    let far = Sources::new(SourceMode::Enforce, ["192.0.2.0/24"]).unwrap();
    let near = Sources::new(SourceMode::Report, ["192.0.2.0/24"]).unwrap();
    let receiver = stand.receiver().with_limits(patient());
    let served = Served::start(receiver.clone()).await;
    let at = served.at;
    let header = format!("host: {PLANTED}\r\nx-{PLANTED}: {PLANTED}\r\nuser-agent: {PLANTED}\r\n");
    let with = |request: String| request.replace("host: a\r\n", &header);
    let body = format!("{{\"{PLANTED}\":1}}");
    ask(at, &with(post(&stand.path(), &body))).await;
    ask(at, &with(post(&stand.path(), &body))).await;
    ask(at, &with(post(&format!("/{PLANTED}"), &body))).await;
    ask(at, &with(post(&stand.path(), &body)).replace("POST", PLANTED)).await;
    ask(at, &with(post(&stand.path(), &PLANTED.repeat(4000)))).await;
    ask(at, &with(post(&stand.path(), &body)).replace("x-", &"x".repeat(9000))).await;
    ask(at, &format!("{PLANTED} {PLANTED}\r\n\r\n")).await;
    let length = format!("content-length: {}", body.len());
    ask(at, &with(post(&stand.path(), &body)).replace(&length, "transfer-encoding: chunked")).await;
    within(served.stop()).await.unwrap();
    for list in [far, near] {
        let served = Served::start(receiver.clone().with_sources(&ACCOUNT, list).unwrap()).await;
        ask(served.at, &with(post(&stand.path(), &body))).await;
        within(served.stop()).await.unwrap();
    }
    stand.panics.store(true, Ordering::SeqCst);
    let mut limits = patient();
    limits.connections = 1;
    let served = Served::start(receiver.with_limits(limits)).await;
    ask(served.at, &post(&stand.path(), &body)).await;
    within(served.stop()).await.unwrap();
}

#[test]
fn what_is_counted_and_logged_is_ours() {
    let (counted, log, stand) = (Counted::default(), CapturedLog::new(), Stand::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    log.during(|| metrics::with_local_recorder(&counted, || runtime.block_on(walk(&stand))));
    let expected = "\
malipo_callbacks_total account=none purpose=none result=not_ours: 1
malipo_callbacks_total account=somepay purpose=balance result=repeated: 3
malipo_callbacks_total account=somepay purpose=balance result=stored: 1
malipo_receiver_connections: 0
malipo_receiver_connections_ended_total how=done: 6
malipo_receiver_connections_ended_total how=panicked: 1
malipo_receiver_connections_ended_total how=refused: 4
malipo_receiver_full_total: 1
malipo_receiver_refused_total why=headers: 1
malipo_receiver_refused_total why=length: 1
malipo_receiver_refused_total why=nobodys: 2
malipo_receiver_refused_total why=source: 1
malipo_receiver_refused_total why=unreadable: 1
malipo_receiver_unlisted_total account=somepay done=refused: 1
malipo_receiver_unlisted_total account=somepay done=reported: 1
";
    assert_eq!(counted.all(), expected);
    let text = log.text();
    for expected in ["callback", "account=somepay", "purpose=balance", "a request was turned away"] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    let path = stand.path();
    assert_eq!(leaks(&text, &[PLANTED, &path[path.len() - 39..], "/callbacks"]), []);
}
