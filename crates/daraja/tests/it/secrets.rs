//! Unique markers as every credential, the simulator echoing the token, everything logged at TRACE: no marker shows
//! up anywhere it could be printed.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use malipo_core::{Callbacks as _, Provider, SystemEnv, Ticket};
use malipo_daraja::Daraja;
use malipo_sim::{DarajaAccount, Fault, Gateway, Operation, Options};
use malipo_testkit::{CapturedLog, RecordingTransport, leaks, render};

use crate::rig::{Rig, account, config};
use crate::subject;

const KEY: &str = "PlantedKey+4471/consumer";
const SECRET: &str = "PlantedSecret=9052&consumer";
const PASSWORD: &str = "PlantedPassword#6630%initiator";

/// Takes what the libraries below us say through the `log` crate, which reqwest does.
struct LogSink(Mutex<String>);

impl log::Log for LogSink {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push_str(&format!("{} {}\n", record.target(), record.args()));
    }

    fn flush(&self) {}
}

fn log_sink() -> &'static LogSink {
    static SINK: OnceLock<LogSink> = OnceLock::new();
    let sink = SINK.get_or_init(|| LogSink(Mutex::default()));
    if log::set_logger(sink).is_ok() {
        log::set_max_level(log::LevelFilter::Trace);
    }
    sink
}

/// Everything about a value that anybody could print.
fn shown(shown: &mut String, value: &dyn Debug) {
    shown.push_str(&format!("{value:?}\n{value:#?}\n"));
}

fn shown_error(shown_text: &mut String, error: &(dyn std::error::Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        shown_text.push_str(&format!("{error}\n"));
        shown(shown_text, &error);
        next = error.source();
    }
}

/// The whole flow; gives back what it could print, and the token and credential that were really sent.
async fn flow(account: DarajaAccount) -> (String, Vec<String>) {
    let mut text = String::new();
    let recording: Arc<Mutex<Option<Arc<RecordingTransport>>>> = Arc::default();
    let options = Options::new().with_daraja(account.clone()).with_result_delay(Duration::from_millis(5));
    let rig = Rig::with(options, |inner| {
        let transport = Arc::new(RecordingTransport::new(inner));
        *recording.lock().unwrap() = Some(transport.clone());
        transport
    })
    .await;
    let recording = recording.lock().unwrap().take().unwrap();
    shown(&mut text, &rig.daraja);
    shown(&mut text, &config(&rig.sim, &account));
    shown(&mut text, &rig.transport);

    let faults: [&[Fault]; 7] = [
        &[],
        &[Fault::EchoedToken],
        &[Fault::TokenExpired],
        &[Fault::LostReply],
        &[Fault::HtmlPage],
        &[Fault::TruncatedJson],
        &[Fault::SlowReply(Duration::from_millis(900))],
    ];
    for (number, faults) in faults.into_iter().enumerate() {
        rig.sim.inject(Gateway::Daraja, Operation::PayOut, faults.iter().copied()).unwrap();
        let instruction = rig.pay_out(&format!("PAY-{number}"));
        shown(&mut text, &instruction);
        match rig.daraja.submit(&instruction).await {
            Ok(report) => shown(&mut text, &report),
            Err(error) => shown_error(&mut text, &error),
        }
    }
    // A token that is refused twice surfaces with the token in the gateway's words.
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::TokenExpired]).unwrap();
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::TokenExpired]).unwrap();
    shown_error(&mut text, &rig.daraja.submit(&rig.pay_out("PAY-REFUSED")).await.unwrap_err());
    rig.sim.inject(Gateway::Daraja, Operation::Status, [Fault::EchoedToken]).unwrap();
    let ticket = Ticket::from(&rig.pay_out("PAY-0")).with_callback(rig.inbox.answers("PAY-0"));
    shown_error(&mut text, &rig.daraja.status(&ticket).await.unwrap_err());
    shown(&mut text, &rig.daraja.status(&ticket).await.unwrap());
    shown(&mut text, &rig.daraja.request_balances(&rig.inbox.answers("BALANCES")).await.unwrap());
    let wrong = config(&rig.sim, &account.clone().with_consumer(KEY, "PlantedSecret=9052&another"));
    let wrong = Daraja::new(wrong, rig.transport.clone(), Arc::new(SystemEnv::new()));
    shown_error(&mut text, &wrong.submit(&rig.pay_out("PAY-WRONG")).await.unwrap_err());

    rig.sim.idle().await;
    for delivery in rig.inbox.deliveries() {
        shown(&mut text, &delivery);
        shown(&mut text, &rig.daraja.read(&delivery).unwrap());
    }
    rig.sim.events().iter().for_each(|event| text.push_str(&format!("{event} {event:?}\n")));
    let panicked =
        catch_unwind(AssertUnwindSafe(|| panic!("{:?} {:?}", rig.daraja, rig.transport))).unwrap_err();
    text.push_str(panicked.downcast_ref::<String>().unwrap());

    let markers = sent(&recording, &mut text);
    (text, markers)
}

/// The planted secrets and those that were made on the way. What a snapshot would show of the requests is printed.
fn sent(recording: &RecordingTransport, text: &mut String) -> Vec<String> {
    let mut markers = vec![KEY.to_owned(), SECRET.to_owned(), PASSWORD.to_owned()];
    for recorded in recording.recorded() {
        let rendered = render(&recorded.request, &[]);
        text.push_str(rendered.split("\n\n").next().unwrap());
        let body: serde_json::Value = serde_json::from_slice(recorded.request.body()).unwrap_or_default();
        markers.extend(body["SecurityCredential"].as_str().map(str::to_owned));
        let header = recorded.request.headers()["authorization"].to_str().unwrap();
        markers.push(header.split_once(' ').unwrap().1.to_owned());
    }
    markers.sort();
    markers.dedup();
    markers
}

#[test]
fn no_secret_shows_up_anywhere() {
    let (log, sink) = (CapturedLog::new(), log_sink());
    let account = account().with_consumer(KEY, SECRET).with_initiator("testapi", PASSWORD);
    let (text, markers) = log.during(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(flow(account))
    });
    assert!(markers.len() >= 7, "key, secret, password, credential, basic and two tokens: {}", markers.len());

    // The search would find something if there were something: the flow was seen by all of these.
    assert!(log.text().contains("exchange") && text.contains("PAY-6") && text.contains("[secret]"));
    assert!(sink.0.lock().unwrap().contains("reqwest"), "reqwest speaks through the log crate");
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots");
    let snapshots: String = std::fs::read_dir(snapshots)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(snapshots.contains("OriginatorConversationID"));

    let markers: Vec<&str> = markers.iter().map(String::as_str).collect();
    for (place, text) in
        [("what is printed", &text), ("tracing", &log.text()), ("log", &sink.0.lock().unwrap())]
    {
        let found = leaks(text, &markers);
        assert!(found.is_empty(), "{place}: {found:?}");
    }
    let planted = [subject::KEY, subject::SECRET, subject::TOKEN, subject::CREDENTIAL];
    let found = leaks(&snapshots, &[planted.as_slice(), &markers].concat());
    assert!(found.is_empty(), "snapshots: {found:?}");
}
