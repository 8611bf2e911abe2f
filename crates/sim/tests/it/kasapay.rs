//! KasaPay's face, by a client written from its page and nothing else.

use std::time::Duration;

use malipo_sim::{Event, Fault, Gateway, KasaPayAccount, Operation, Options, PaymentState, Sim};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::client::{Raw, options, send, until, with, within};
use crate::merchant::Merchant;

const AUTH: &str = "/v1/auth";
const INITIATE: &str = "/v1/payouts/b2b/initiate";
pub(crate) const FLOAT: &str = "KES Float";
pub(crate) const BOOK: Gateway = Gateway::KasaPay;

pub(crate) struct Rig {
    pub(crate) sim: Sim,
    pub(crate) merchant: Merchant,
    token: String,
}

impl Rig {
    pub(crate) async fn new(options: Options) -> Self {
        let sim = Sim::start(options).await.unwrap();
        let reply = exchange(&sim, "POST", AUTH, "", &credentials(sim.kasapay())).await;
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        Self { sim, merchant: Merchant::open().await, token }
    }

    /// One that meets `faults` at its first payout, under the reference `ref`, and what came of that.
    async fn faulty<const N: usize>(faults: [Fault; N]) -> (Self, Raw) {
        let rig = Self::new(options()).await;
        rig.sim.inject(BOOK, Operation::PayOut, faults).unwrap();
        let raw = rig.pay(&rig.payout("ref")).await;
        rig.sim.idle().await;
        (rig, raw)
    }

    pub(crate) fn payout(&self, reference: &str) -> Value {
        json!({
            "payout_reference": reference,
            "service_code": self.sim.kasapay().service_code(),
            "payment_account_reference": "0101",
            "recipient_name": "Test Limited",
            "recipient_type": "PAYBILL",
            "recipient_account_number": "5656",
            "amount": "100.5",
            "payment_description": "Test",
            "payment_method": "MPESA_B2B",
            "currency_code": "KES",
            "country_code": "KEN",
            "callback_url": format!("{}/result", self.merchant.url()),
        })
    }

    pub(crate) async fn pay(&self, body: &Value) -> Raw {
        exchange(&self.sim, "POST", INITIATE, &self.token, body).await
    }

    pub(crate) async fn ask(&self, segment: &str) -> Raw {
        let path = format!("/v1/payouts/b2b/{segment}/status");
        exchange(&self.sim, "GET", &path, &self.token, &Value::Null).await
    }

    /// The statuses told by callback, in order.
    pub(crate) fn told(&self) -> Vec<Value> {
        self.merchant.posts().iter().map(|post| post.json()["payment_status"].clone()).collect()
    }

    pub(crate) fn moved(&self) -> usize {
        self.sim.ledger().moved(BOOK, "ref")
    }
}

fn credentials(account: &KasaPayAccount) -> Value {
    json!({ "consumer_key": account.consumer_key(), "consumer_secret": account.consumer_secret() })
}

/// `Null` is no body.
async fn exchange(sim: &Sim, method: &str, path: &str, token: &str, body: &Value) -> Raw {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let token = if token.is_empty() { String::new() } else { format!("x-access-token: {token}\r\n") };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: sim\r\n{token}Content-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    send(sim, &request).await
}

#[tokio::test]
async fn a_token_comes_with_its_life_as_a_number() {
    let sim = Sim::start(options()).await.unwrap();
    let good = credentials(sim.kasapay());
    let reply = exchange(&sim, "POST", AUTH, "", &good).await;
    assert_eq!((reply.status(), &reply.json()["expiresIn"]), (200, &json!(3600)));
    assert!(reply.json()["access_token"].is_string());
    for field in ["consumer_key", "consumer_secret"] {
        let reply = exchange(&sim, "POST", AUTH, "", &with(good.clone(), field, json!("wrong"))).await;
        assert_eq!(reply.status(), 400);
        let refusal =
            r#"{"statusCode":400,"message":"Invalid Authentication Credentials","error":"Bad Request"}"#;
        assert_eq!(reply.body(), refusal);
        let reply = exchange(&sim, "POST", AUTH, "", &with(good.clone(), field, Value::Null)).await;
        assert_eq!(reply.json()["message"], json!([format!("{field} should not be empty")]));
    }
    assert_eq!(exchange(&sim, "GET", AUTH, "", &good).await.status(), 404);
    assert_eq!(sim.calls(BOOK, Operation::Token), 6);
}

#[tokio::test]
async fn a_token_is_shown_bare_and_runs_out() {
    let rig = Rig::new(options()).await;
    let unauthorised = r#"{"statusCode":401,"message":"Unauthorized","error":"Unauthorized"}"#;
    for token in [String::new(), "wrong".into(), format!("Bearer {}", rig.token)] {
        let reply = exchange(&rig.sim, "POST", INITIATE, &token, &rig.payout("ref")).await;
        assert_eq!((reply.status(), &*reply.body()), (401, unauthorised));
    }
    assert_eq!(rig.pay(&rig.payout("ref")).await.status(), 200);

    let brief = KasaPayAccount::new().with_token_life(Duration::from_millis(1));
    let rig = Rig::new(options().with_kasapay(brief)).await;
    within(Duration::from_millis(20), std::future::pending::<()>()).await.unwrap_err();
    for reply in [rig.pay(&rig.payout("ref")).await, rig.ask("ref").await] {
        assert_eq!((reply.status(), &*reply.body()), (401, unauthorised));
    }
    assert!(rig.sim.ledger().payments().is_empty());
}

#[tokio::test]
async fn a_refusal_names_the_field_and_the_rule() {
    let rig = Rig::new(options()).await;
    let good = rig.payout("ref");
    let mut cases = vec![
        ("recipient_type", json!("paybill"), "PAYBILL, TILL, BANK_ACCOUNT_NUMBER"),
        ("recipient_type", json!("BANK_ACCOUNT_NUMBER"), "must be BANK for"),
        ("payment_method", json!("BANK"), "must be MPESA_B2B for"),
        ("payment_method", json!("CASH"), "MPESA_B2B, BANK"),
        ("amount", json!("0"), "greater than 0"),
        ("amount", json!("1.234"), "2 decimals"),
        ("amount", json!("-5"), "greater than 0"),
        ("amount", json!("1e3"), "decimal number"),
        ("amount", json!("1,000"), "decimal number"),
        ("currency_code", json!("UGX"), "KES, USD"),
        ("country_code", json!("KE"), "three capital letters"),
        ("country_code", json!("254"), "three capital letters"),
        ("callback_url", json!("/result"), "http"),
        ("callback_url", json!("ftp://127.0.0.1/x"), "http"),
    ];
    for field in good.as_object().unwrap().keys() {
        cases.push((field, Value::Null, "should not be empty"));
        cases.push((field, json!(""), "should not be empty"));
        cases.push((field, json!(7), "must be a string"));
    }
    for (field, value, rule) in cases {
        let reply = rig.pay(&with(good.clone(), field, value.clone())).await;
        let body = reply.json();
        assert_eq!(
            (reply.status(), &body["statusCode"], &body["error"]),
            (400, &json!(400), &json!("Bad Request"))
        );
        let messages = body["message"].as_array().unwrap();
        assert_eq!(messages.len(), 1, "{field} {value}: {body}");
        let message = messages[0].as_str().unwrap();
        // The wrong pair is the method's fault, whichever of the two is changed.
        let named = if rule.starts_with("must be BANK") { "payment_method" } else { field };
        assert!(message.starts_with(named) && message.contains(rule), "{field} {value}: {message}");
        let Some(Event::Request { refused: Some(why), .. }) = rig.sim.events().pop() else {
            panic!("{field}")
        };
        assert_eq!(why, message);
    }
    let all = rig.pay(&json!({})).await.json();
    assert_eq!(all["message"].as_array().unwrap().len(), 12, "all at once: {all}");
    assert_eq!(rig.pay(&json!([])).await.json()["message"], "the body must be one JSON object");
    assert!(rig.sim.ledger().payments().is_empty());
    assert_eq!(rig.pay(&good).await.status(), 200, "the body the cases start from is good");
}

#[tokio::test]
async fn a_payout_is_accepted_then_paid_then_told() {
    let rig = Rig::new(options()).await;
    let reply = rig.pay(&rig.payout("ms83-367839")).await;
    let accepted = r#"{"payout_reference":"ms83-367839","response_code":720,"response_description":"Payout request has been accepted for processing"}"#;
    assert_eq!((reply.status(), &*reply.body()), (200, accepted));
    rig.sim.idle().await;
    let post = rig.merchant.only_post();
    assert_eq!(post.path, "/result");
    let ledger = rig.sim.ledger();
    let payment = ledger.find(BOOK, "ms83-367839").unwrap();
    let receipt = payment.receipt().unwrap();
    let mut told = post.json();
    let time = told["transaction_time"].take();
    assert_eq!(time.as_str().unwrap().len(), "2023-03-02T05:17:36.802Z".len(), "{time}");
    let expected = json!({
        "payout_reference": "ms83-367839", "transaction_id": "10001", "payment_reference": receipt,
        "wallet_account": "784789474", "destination": "paybill", "payment_status": 700,
        "amount": "100.50", "currency": "KES", "account_number": "5656",
        "destination_name": "Test Limited", "description": "Test", "transaction_time": null,
        "account_balance": "9999899.50", "result_description": "Payout was processed successfully",
    });
    assert_eq!(told, expected);
    assert_eq!(ledger.moved(BOOK, "ms83-367839"), 1);
    assert_eq!(ledger.paid_to(BOOK, "5656", "KES"), Decimal::new(1005, 1));
    assert_eq!(ledger.balance(BOOK, FLOAT), Some(Decimal::new(99_998_995, 1)));
    // The same bytes for whoever asks, even after the next payout.
    rig.pay(&rig.payout("next")).await;
    rig.sim.idle().await;
    let status = rig.ask("ms83-367839").await;
    assert_eq!((status.status(), status.body()), (200, post.body));
}

#[tokio::test]
async fn the_three_recipient_types_and_both_floats() {
    let rig = Rig::new(options()).await;
    for (kind, method, account, currency, told) in [
        ("TILL", "MPESA_B2B", "900102", "KES", ["till", "900102", "Test Limited", "9999899.50"]),
        (
            "BANK_ACCOUNT_NUMBER",
            "BANK",
            "08292123456849",
            "USD",
            ["bank_account", "08292******849", "BANKX", "99899.50"],
        ),
        ("PAYBILL", "MPESA_B2B", "5656", "KES", ["paybill", "5656", "Test Limited", "9999799.00"]),
    ] {
        let mut body = rig.payout(kind);
        for (field, value) in [
            ("recipient_type", kind),
            ("payment_method", method),
            ("recipient_account_number", account),
            ("currency_code", currency),
        ] {
            body = with(body, field, json!(value));
        }
        assert_eq!(rig.pay(&body).await.json()["response_code"], 720);
        rig.sim.idle().await;
        let status = rig.ask(kind).await.json();
        let found = ["destination", "account_number", "destination_name", "account_balance"];
        assert_eq!(found.map(|field| status[field].as_str().unwrap()), told);
        assert_eq!((&status["payment_status"], &status["currency"]), (&json!(700), &json!(currency)));
    }
}

#[tokio::test]
async fn a_float_too_low_fails_the_payout_and_moves_nothing() {
    let account = KasaPayAccount::new().with_kes_float(150.into()).with_usd_float(Decimal::ZERO);
    let rig = Rig::new(options().with_kasapay(account)).await;
    for reference in ["a", "b"] {
        assert_eq!(rig.pay(&rig.payout(reference)).await.status(), 200);
        rig.sim.idle().await;
    }
    assert_eq!(rig.told(), [json!(700), json!(701)]);
    let failed = rig.ask("b").await.json();
    assert_eq!((&failed["account_balance"], &failed["payment_reference"]), (&json!("49.50"), &json!("")));
    assert!(failed["result_description"].as_str().unwrap().contains("float balance is insufficient"));
    // One float does not help the other out, and a magic payee that does not exist is paid from neither.
    rig.pay(&with(rig.payout("c"), "currency_code", json!("USD"))).await;
    rig.pay(&with(rig.payout("d"), "recipient_account_number", json!("254700000101"))).await;
    rig.sim.idle().await;
    assert!(rig.ask("d").await.json()["result_description"].as_str().unwrap().contains("does not exist"));
    let ledger = rig.sim.ledger();
    assert_eq!((ledger.moves().len(), ledger.balance(BOOK, FLOAT)), (1, Some(Decimal::new(495, 1))));
    for reference in ["b", "c", "d"] {
        let state = &ledger.find(BOOK, reference).unwrap().state;
        assert!(matches!(state, PaymentState::Refused { code, .. } if code == "701"), "{state:?}");
    }
}

#[tokio::test]
async fn a_wrong_service_and_a_used_reference_are_refused() {
    let rig = Rig::new(options()).await;
    let reply = rig.pay(&with(rig.payout("ref"), "service_code", json!("999"))).await;
    let refusal = r#"{"response_code":721,"response_description":"Invalid Service","error_code":"SERVICE_NOT_ALLOWED"}"#;
    assert_eq!((reply.status(), &*reply.body()), (400, refusal));
    assert_eq!(rig.pay(&rig.payout("ref")).await.status(), 200, "a refused reference is not used up");
    for _ in 0..2 {
        let again = rig.pay(&rig.payout("ref")).await;
        let refusal = r#"{"response_code":722,"response_description":"Duplicate payout reference"}"#;
        assert_eq!((again.status(), &*again.body()), (409, refusal));
        rig.sim.idle().await;
    }
    assert_eq!((rig.moved(), rig.told()), (1, vec![json!(700)]));
}

#[tokio::test]
async fn a_status_is_pending_until_decided_and_unknown_before() {
    let rig = Rig::new(options().with_result_delay(Duration::from_secs(1))).await;
    let unknown = rig.ask("ref").await;
    let refusal = r#"{"statusCode":404,"message":"Payout not found","error":"Not Found"}"#;
    assert_eq!((unknown.status(), &*unknown.body()), (404, refusal));
    rig.pay(&rig.payout("ref")).await;
    let pending = rig.ask("ref").await.json();
    assert_eq!(
        (&pending["payment_status"], &pending["account_balance"]),
        (&json!(703), &json!("10000000.00"))
    );
    assert_eq!(rig.moved(), 0);
    rig.sim.idle().await;
    assert_eq!(rig.ask("ref").await.json()["payment_status"], 700);
    // A reference that has to be encoded, and one that is not.
    rig.pay(&rig.payout("a/b c")).await;
    assert_eq!(rig.ask("a%2Fb%20c").await.json()["payout_reference"], "a/b c");
    assert_eq!(rig.ask("a%2").await.status(), 400);
    let elsewhere = exchange(&rig.sim, "GET", INITIATE, &rig.token, &Value::Null).await;
    assert_eq!(elsewhere.json()["message"], "Cannot GET /v1/payouts/b2b/initiate");
}

#[tokio::test]
async fn faults_of_the_reply_leave_the_payout_alone() {
    for (fault, status, moved) in [
        (Fault::LostRequest, None, 0),
        (Fault::LostReply, None, 1),
        (Fault::ErrorBeforeAccept, Some(503), 0),
        (Fault::ErrorAfterAccept, Some(503), 1),
        (Fault::HtmlPage, Some(504), 1),
        (Fault::TruncatedJson, Some(200), 1),
        (Fault::SpikeArrest, Some(429), 0),
        (Fault::TokenExpired, Some(401), 0),
        (Fault::EchoedToken, Some(403), 0),
    ] {
        let (rig, raw) = Rig::faulty([fault]).await;
        let answered = (!raw.0.is_empty()).then(|| raw.status());
        assert_eq!((answered, rig.moved(), rig.told().len()), (status, moved, moved), "{fault:?}");
        let text = String::from_utf8_lossy(&raw.0).into_owned();
        assert_eq!(text.contains(&rig.token), fault == Fault::EchoedToken, "{fault:?}: {text}");
        assert!(!format!("{:?}", rig.sim.events()).contains(&rig.token), "{fault:?}");
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        let json = serde_json::from_str::<Value>(body).ok();
        let readable = !matches!(fault, Fault::HtmlPage | Fault::TruncatedJson);
        assert_eq!(json.is_some(), readable && status.is_some(), "{fault:?}: {text}");
        // Once only: what was not processed goes through, and what was is known.
        assert_eq!(
            rig.pay(&rig.payout("ref")).await.status(),
            if moved == 1 { 409 } else { 200 },
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn faults_of_the_callback_tell_their_stories() {
    let late = Duration::from_millis(50);
    for (faults, told) in [
        (vec![Fault::CallbackNever], vec![]),
        (vec![Fault::QueueTimeout], vec![]),
        (vec![Fault::QueueTimeout, Fault::CallbackLate(late)], vec![700]),
        (vec![Fault::CallbackEarly], vec![700]),
        (vec![Fault::CallbackLate(late)], vec![700]),
        (vec![Fault::CallbackTwice], vec![700, 700]),
        (vec![Fault::CallbackContradicting], vec![700, 701]),
        (vec![Fault::CallbackForged], vec![700, 700]),
    ] {
        let rig = Rig::new(options()).await;
        rig.sim.inject(BOOK, Operation::PayOut, faults.clone()).unwrap();
        assert_eq!(rig.pay(&rig.payout("ref")).await.status(), 200);
        if faults == [Fault::CallbackEarly] {
            assert_eq!(rig.told().len(), 1, "before the reply");
        }
        rig.sim.idle().await;
        assert_eq!((rig.moved(), json!(rig.told())), (1, json!(told)), "{faults:?}");
        assert_eq!(rig.ask("ref").await.json()["payment_status"], 700, "{faults:?}");
        let posts = rig.merchant.posts();
        if faults == [Fault::CallbackTwice] {
            assert_eq!(posts[0], posts[1]);
        }
        if faults == [Fault::CallbackForged] {
            let receipt = json!(rig.sim.ledger().moves()[0].receipt);
            let [forged, truth] = [0, 1].map(|place: usize| posts[place].json());
            assert_eq!((&forged["amount"], &truth["amount"]), (&json!("1005.00"), &json!("100.50")));
            assert!(forged["payment_reference"] != receipt && truth["payment_reference"] == receipt);
        }
    }
}

#[tokio::test]
async fn reordered_callbacks_change_places_and_magic_account_numbers_strike_once() {
    let rig = Rig::new(options()).await;
    rig.sim.inject(BOOK, Operation::PayOut, [Fault::CallbacksReordered]).unwrap();
    for reference in ["first", "second"] {
        rig.pay(&rig.payout(reference)).await;
        rig.sim.idle().await;
    }
    let posts = rig.merchant.posts();
    let order: Vec<_> = posts.iter().map(|post| post.json()["payout_reference"].clone()).collect();
    assert_eq!(order, [json!("second"), json!("first")]);

    let magic = with(rig.payout("ref"), "recipient_account_number", json!("254700000103"));
    assert_eq!(rig.pay(&magic).await, Raw(Vec::new()));
    until(|| rig.moved() == 1).await;
    assert_eq!(rig.pay(&magic).await.status(), 409);
}
