//! The simulator's own paths, as a program in any language uses them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use malipo_sim::{Fault, Gateway, MAGIC_PAYEES, Operation, Plan, Sim};
use serde_json::{Value, json};

use crate::client::{PAYEE, Raw, Rig, exchange, options};

pub(crate) const FAULTS: &str = "/_sim/faults";
pub(crate) const ADVANCE: &str = "/_sim/advance";
pub(crate) const IDLE: &str = "/_sim/idle";
pub(crate) const RESET: &str = "/_sim/reset";
pub(crate) const LEDGER: &str = "/_sim/ledger";

pub(crate) async fn get(sim: &Sim, path: &str) -> Raw {
    exchange(sim, "GET", path, "none", "").await
}

async fn post(sim: &Sim, path: &str, body: &Value) -> Raw {
    exchange(sim, "POST", path, "none", &body.to_string()).await
}

/// What it answers when it does as it is asked.
pub(crate) async fn done(sim: &Sim, path: &str, body: &Value) -> Value {
    let reply = post(sim, path, body).await;
    assert_eq!(reply.status(), 200, "{path} {body}: {reply:?}");
    reply.json()
}

pub(crate) async fn shown(sim: &Sim, path: &str) -> Value {
    let reply = get(sim, path).await;
    assert_eq!(reply.status(), 200, "{path}: {reply:?}");
    reply.json()
}

pub(crate) fn faults(faults: Value) -> Value {
    json!({ "gateway": "daraja", "operation": "pay_out", "faults": faults })
}

#[tokio::test]
async fn the_index_names_everything_that_can_be_asked_with() {
    let sim = Sim::start(options()).await.unwrap();
    let index = shown(&sim, "/_sim/").await;
    assert_eq!(index["paths"], shown(&sim, "/_sim").await["paths"], "with or without a slash at the end");
    let names = |list: &str| index[list].as_array().unwrap().clone();
    let gateways: Vec<_> = Gateway::ALL.iter().map(|gateway| json!(gateway.as_str())).collect();
    let operations: Vec<_> = Operation::ALL.iter().map(|operation| json!(operation.as_str())).collect();
    assert_eq!((names("gateways"), names("operations")), (gateways, operations));
    assert_eq!(names("faults").len(), 18);
    // Every path it names is there: none of them is answered with 404 or 405.
    for path in names("paths") {
        let (method, path) = (path["method"].as_str().unwrap(), path["path"].as_str().unwrap());
        let reply = exchange(&sim, method, path, "none", "").await;
        assert!([200, 400].contains(&reply.status()), "{method} {path}: {reply:?}");
    }
}

#[tokio::test]
async fn the_accounts_let_a_client_in() {
    let rig = Rig::new(options()).await;
    let told = shown(&rig.sim, "/_sim/accounts").await;
    assert!(told["note"].as_str().unwrap().contains("made up"));
    for gateway in Gateway::ALL {
        assert!(!told["accounts"][gateway.as_str()].as_object().unwrap().is_empty(), "{gateway}");
    }
    let daraja = &told["accounts"]["daraja"];
    let account = rig.sim.daraja();
    for (name, value) in [
        ("consumer_key", account.consumer_key()),
        ("consumer_secret", account.consumer_secret()),
        ("shortcode", account.shortcode()),
        ("initiator", account.initiator()),
        ("initiator_password", account.initiator_password()),
        ("certificate_pem", account.certificate_pem()),
    ] {
        assert_eq!(daraja[name], value, "{name}");
    }
    let pem = daraja["public_key_pem"].as_str().unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && pem.ends_with("\n-----END PUBLIC KEY-----\n"));
    assert!(pem.lines().all(|line| line.len() <= 64), "{pem}");
    let der = STANDARD.decode(body).unwrap();
    assert_eq!(der, account.key().public_key_der());
    let kasapay = &told["accounts"]["kasapay"];
    assert_eq!(kasapay["service_code"], rig.sim.kasapay().service_code());
}

#[tokio::test]
async fn the_ledger_tells_what_happened_in_decimal_text() {
    let rig = Rig::new(options()).await;
    rig.pay("salary-1", PAYEE).await;
    rig.pay("salary-2", PAYEE).await;
    rig.sim.idle().await;
    let all = shown(&rig.sim, LEDGER).await;
    assert_eq!((all["payments"].as_array().unwrap().len(), all["moves"].as_array().unwrap().len()), (2, 2));
    let one = shown(&rig.sim, "/_sim/ledger?gateway=daraja&reference=salary-1").await;
    assert_eq!(one["payments"].as_array().unwrap().len(), 1);
    let (payment, moved) = (&one["payments"][0], &one["moves"][0]);
    let receipt = payment["receipt"].as_str().unwrap();
    assert_eq!(
        (&payment["reference"], &payment["state"], &payment["amount"], &payment["direction"]),
        (&json!("salary-1"), &json!("paid"), &json!("100"), &json!("out"))
    );
    assert_eq!((&moved["receipt"], &moved["account"]), (&json!(receipt), &json!("Utility Account")));
    let balances = one["balances"].as_array().unwrap();
    let utility = balances.iter().find(|balance| balance["account"] == "Utility Account").unwrap();
    assert_eq!((&utility["amount"], &utility["currency"]), (&json!("9999800"), &json!("KES")));
    assert_eq!(all["paid_more_than_once"], json!([]));
    let elsewhere = shown(&rig.sim, "/_sim/ledger?gateway=kasapay").await;
    assert_eq!(elsewhere["payments"], json!([]));
    assert!(elsewhere["balances"].as_array().unwrap().iter().all(|balance| balance["gateway"] == "kasapay"));
}

#[tokio::test]
async fn the_log_tells_of_gateways_only_and_holds_no_secret() {
    let rig = Rig::new(options()).await;
    done(&rig.sim, FAULTS, &faults(json!([{ "fault": "slow_reply", "millis": 1 }]))).await;
    rig.pay("salary-1", PAYEE).await;
    get(&rig.sim, "/_sim/nowhere").await;
    rig.sim.idle().await;
    let log = shown(&rig.sim, "/_sim/events").await;
    let events = log["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| &event["event"]).collect();
    assert_eq!(kinds, ["request", "request", "callback"], "{log}");
    assert_eq!(
        (&events[1]["operation"], &events[1]["status"], &events[1]["faults"]),
        (&json!("pay_out"), &json!(200), &json!([{ "fault": "slow_reply", "millis": 1 }]))
    );
    assert_eq!((&events[2]["delivery"], &events[2]["status"]), (&json!("answered"), &json!(200)));
    let everything = format!("{log} {} {}", shown(&rig.sim, LEDGER).await, shown(&rig.sim, "/_sim/").await);
    for secret in [rig.token.as_str(), "/result", "/timeout", rig.merchant.url(), "simulated-consumer"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
}

#[tokio::test]
async fn the_magic_payees_are_listed_with_their_faults() {
    let sim = Sim::start(options()).await.unwrap();
    let magic = shown(&sim, "/_sim/magic").await;
    let payees = magic["payees"].as_array().unwrap();
    assert_eq!(payees.len(), MAGIC_PAYEES.len());
    let one = |number: &str| payees.iter().find(|payee| payee["number"] == number).unwrap();
    assert_eq!(
        (&one("254700000101")["effect"], &one("254700000101")["faults"]),
        (&json!("unregistered"), &json!([]))
    );
    assert_eq!(one("254700000104")["faults"], json!([{ "fault": "slow_reply", "millis": 3000 }]));
}

#[tokio::test]
async fn faults_asked_for_strike_in_their_order_and_once() {
    let rig = Rig::new(options()).await;
    let told = done(&rig.sim, FAULTS, &faults(json!([{ "fault": "lost_reply" }]))).await;
    assert_eq!(told, faults(json!([{ "fault": "lost_reply" }])));
    done(&rig.sim, FAULTS, &faults(json!([{ "fault": "error_before_accept" }]))).await;
    assert_eq!(rig.pay("a", PAYEE).await, Raw(Vec::new()), "lost");
    assert_eq!(rig.pay("b", PAYEE).await.status(), 503);
    assert_eq!(rig.pay("c", PAYEE).await.status(), 200);
    rig.sim.idle().await;
    let ledger = rig.sim.ledger();
    let moved = ["a", "b", "c"].map(|reference| ledger.moved(Gateway::Daraja, reference));
    assert_eq!(moved, [1, 0, 1]);
}

#[tokio::test]
async fn faults_that_no_call_has_met_can_be_taken_back() {
    let rig = Rig::new(options()).await;
    for _ in 0..2 {
        done(&rig.sim, FAULTS, &faults(json!([{ "fault": "lost_reply" }]))).await;
    }
    let cleared = exchange(&rig.sim, "DELETE", FAULTS, "none", "").await;
    assert_eq!((cleared.status(), cleared.json()), (200, json!({ "calls_spared": 2 })));
    assert_eq!(rig.pay("a", PAYEE).await.status(), 200);
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::LostReply]).unwrap();
    assert_eq!((rig.sim.clear_faults(), rig.sim.clear_faults()), (1, 0));
    assert_eq!(rig.pay("b", PAYEE).await.status(), 200);
}

#[tokio::test]
async fn every_fault_that_is_listed_can_be_asked_for() {
    let sim = Sim::start(options()).await.unwrap();
    for fault in shown(&sim, "/_sim/").await["faults"].as_array().unwrap() {
        let mut asked = fault.clone();
        if let Some(millis) = asked.get_mut("millis") {
            *millis = json!(250);
        }
        let told = done(&sim, FAULTS, &faults(json!([asked]))).await;
        assert_eq!(told["faults"], json!([asked]));
    }
}

/// Asks in a way that breaks a rule, and holds the answer against the place and the rule.
pub(crate) async fn refused(sim: &Sim, method: &str, path: &str, body: &str, (field, rule): (&str, &str)) {
    let reply = exchange(sim, method, path, "none", body).await;
    let says = reply.json();
    assert_eq!((reply.status(), &says["field"]), (400, &json!(field)), "{path} {body}: {says}");
    let error = says["error"].as_str().unwrap();
    assert!(error.starts_with(&format!("{field}: ")) && error.contains(rule), "{path} {body}: {error}");
}

#[tokio::test]
async fn a_fault_badly_asked_for_is_named_and_does_not_strike() {
    let rig = Rig::new(options()).await;
    for (list, field, rule) in [
        (r#""lost_reply""#, "faults", "must be there: a list"),
        (r#"["lost_reply"]"#, "faults[0]", "must be an object"),
        (r#"[{"fault": 1}]"#, "faults[0].fault", "must be a string"),
        (r#"[{"fault": "lost"}]"#, "faults[0].fault", "there is no fault `lost`; there are lost_request, "),
        (r#"[{"fault": "lost_reply"}, {}]"#, "faults[1].fault", "is missing"),
        (r#"[{"fault": "lost_reply", "millis": 5}]"#, "faults[0].millis", "lost_reply has no duration"),
        (r#"[{"fault": "slow_reply"}]"#, "faults[0].millis", "slow_reply needs it"),
        (r#"[{"fault": "slow_reply", "millis": "5"}]"#, "faults[0].millis", "must be a whole number"),
        (r#"[{"fault": "slow_reply", "millis": 1.5}]"#, "faults[0].millis", "must be a whole number"),
        (r#"[{"fault": "slow_reply", "millis": -1}]"#, "faults[0].millis", "must be a whole number"),
        (r#"[{"fault": "slow_reply", "millis": 31622400001}]"#, "faults[0].millis", "0 to 31622400000"),
        (r#"[{"fault": "slow_reply", "millis": 1, "s": 1}]"#, "faults[0].s", "there is no such field"),
    ] {
        let body = format!(r#"{{"gateway": "daraja", "operation": "pay_out", "faults": {list}}}"#);
        refused(&rig.sim, "POST", FAULTS, &body, (field, rule)).await;
    }
    assert_eq!(rig.sim.clear_faults(), 0);
    assert_eq!(rig.pay("a", PAYEE).await.status(), 200);
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_and_nothing_is_done() {
    let rig = Rig::new(options()).await;
    for (path, body, field, rule) in [
        (FAULTS, "", "gateway", "is missing"),
        (FAULTS, "[]", "body", "must be one JSON object"),
        (FAULTS, "{", "body", "must be one JSON object"),
        (FAULTS, r#"{"gateway": 7}"#, "gateway", "must be a string"),
        (FAULTS, r#"{"gateway": "Daraja"}"#, "gateway", "there is no gateway `Daraja`; there are daraja, "),
        (FAULTS, r#"{"gateway": "daraja"}"#, "operation", "is missing"),
        (
            FAULTS,
            r#"{"gateway": "daraja", "operation": "payout"}"#,
            "operation",
            "there are token, pay_out, ",
        ),
        (FAULTS, r#"{"gateway": "daraja", "operation": "token"}"#, "faults", "must be there: a list"),
        (ADVANCE, "", "millis", "is missing, and so is seconds"),
        (ADVANCE, r#"{"millis": 1, "seconds": 1}"#, "seconds", "cannot be there together with millis"),
        (ADVANCE, r#"{"seconds": 31622401}"#, "seconds", "from 0 to 31622400"),
        (ADVANCE, r#"{"seconds": "60"}"#, "seconds", "must be a whole number"),
        (ADVANCE, r#"{"seconds": 1, "minutes": 1}"#, "minutes", "there is no such field"),
        (RESET, r#"{"seed": 7}"#, "seed", "there is no such field"),
        ("/_sim/reset?seed=7", "", "seed", "takes no such query parameter"),
    ] {
        refused(&rig.sim, "POST", path, body, (field, rule)).await;
    }
    for (path, field, rule) in [
        ("/_sim/ledger?gateway=mpesa", "gateway", "there is no gateway `mpesa`; there are daraja, "),
        ("/_sim/ledger?payment=a", "payment", "takes no such query parameter"),
        ("/_sim/events?gateway=daraja", "gateway", "takes no such query parameter"),
        ("/_sim/idle?millis=30001", "millis", "from 0 to 30000"),
    ] {
        refused(&rig.sim, "GET", path, "", (field, rule)).await;
    }
    refused(&rig.sim, "DELETE", FAULTS, r#"{"gateway": "daraja"}"#, ("gateway", "no such field")).await;
    let index = shown(&rig.sim, "/_sim/").await;
    assert_eq!(index["time"]["ahead_millis"], 0);
    assert_eq!(rig.pay("a", PAYEE).await.status(), 200, "no reset has ended the token");
}

#[tokio::test]
async fn unknown_paths_methods_and_bodies_are_refused_in_its_own_words() {
    let sim = Sim::start(options()).await.unwrap();
    for path in ["/_sim/nowhere", "/_sim/ledger/", "/_sim//"] {
        let reply = get(&sim, path).await;
        let paths = reply.json()["paths"].as_array().unwrap().clone();
        assert_eq!(reply.status(), 404);
        assert!(paths.contains(&json!("DELETE /_sim/faults")) && paths.len() == 14, "{paths:?}");
    }
    let reply = exchange(&sim, "PUT", FAULTS, "none", "{}").await;
    assert_eq!(
        (reply.status(), reply.json()),
        (405, json!({ "error": "/_sim/faults takes POST and DELETE, not PUT" }))
    );
    let head = String::from_utf8_lossy(&reply.0).to_lowercase();
    assert!(head.contains("\r\nallow: post, delete\r\n"), "{head}");
    let reply = post(&sim, FAULTS, &json!({ "gateway": "x".repeat(64 * 1024) })).await;
    assert_eq!((reply.status(), &reply.json()["field"]), (413, &json!("body")));
    assert_eq!(sim.events(), []);
}

#[tokio::test]
async fn no_fault_and_no_delay_touches_these_paths() {
    let hour = Duration::from_secs(3600);
    let plan = Plan::seeded(1, [(Fault::LostRequest, 1000)]);
    let sim = Sim::start(options().with_plan(plan).with_reply_delay(hour)).await.unwrap();
    assert_eq!(shown(&sim, LEDGER).await["payments"], json!([]));
}
