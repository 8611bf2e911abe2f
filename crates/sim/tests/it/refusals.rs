use malipo_sim::Event;
use serde_json::{Value, json};

use crate::client::{BALANCE, PAYEE, PAYOUT, Rig, STATUS, balance, exchange, options, payment, status, with};

/// Why the last request was refused, as the log has it.
fn last_refusal(rig: &Rig) -> String {
    let events = rig.sim.events();
    let found = events.iter().rev().find_map(|event| match event {
        Event::Request { refused, .. } => Some(refused.clone()),
        _ => None,
    });
    found.flatten().expect("the last request was refused")
}

#[tokio::test]
async fn a_field_that_breaks_a_rule_is_named_and_the_rule_said() {
    let rig = Rig::new(options()).await;
    let good = payment(rig.sim.daraja(), rig.merchant.url(), "ref", PAYEE);
    let gone = Value::Null;
    let long = json!("x".repeat(101));
    let cases = [
        ("OriginatorConversationID", gone.clone(), "missing"),
        ("OriginatorConversationID", json!(""), "empty"),
        ("OriginatorConversationID", json!(7), "string"),
        ("InitiatorName", gone.clone(), "missing"),
        ("SecurityCredential", gone.clone(), "missing"),
        ("SecurityCredential", json!(12), "string"),
        ("CommandID", json!("businesspayment"), "SalaryPayment"),
        ("CommandID", gone.clone(), "missing"),
        ("Amount", gone.clone(), "missing"),
        ("Amount", json!("10.5"), "whole"),
        ("Amount", json!(10.5), "whole"),
        ("Amount", json!("ten"), "whole"),
        ("Amount", json!(true), "whole"),
        ("PartyA", json!("600997"), "shortcode"),
        ("PartyA", json!("no"), "digits"),
        ("PartyB", json!("0712345678"), "12 digits"),
        ("PartyB", json!("+254712345678"), "digits"),
        ("PartyB", json!("254212345678"), "2547"),
        ("PartyB", json!("2547123456789"), "12 digits"),
        ("Remarks", json!("x"), "2 to 100"),
        ("Remarks", long.clone(), "2 to 100"),
        ("Remarks", gone.clone(), "missing"),
        ("QueueTimeOutURL", gone.clone(), "missing"),
        ("QueueTimeOutURL", json!("ftp://127.0.0.1/x"), "http"),
        ("ResultURL", json!("/result"), "http"),
        ("ResultURL", json!("not a url"), "http"),
        ("Occassion", json!(""), "1 to 100"),
        ("Occassion", long, "1 to 100"),
        ("Occassion", json!(5), "string"),
    ];
    for (field, value, rule) in cases {
        let reply = rig.post(PAYOUT, &with(good.clone(), field, value.clone())).await;
        let message = reply.json()["errorMessage"].as_str().unwrap().to_owned();
        assert_eq!(
            (reply.status(), &reply.json()["errorCode"]),
            (400, &"400.002.02".into()),
            "{field} {value}"
        );
        assert!(message.contains(field) && message.contains(rule), "{field} {value}: {message}");
        assert_eq!(last_refusal(&rig), message);
    }
    // A name with another letter case, or one letter fewer, is another name.
    let renamed =
        with(with(good.clone(), "QueueTimeOutURL", gone), "QueueTimeoutURL", json!("http://127.0.0.1/t"));
    assert!(rig.post(PAYOUT, &renamed).await.body().contains("QueueTimeOutURL"));
    assert!(rig.sim.ledger().payments().is_empty());
    assert_eq!(rig.post(PAYOUT, &good).await.status(), 200, "the body the cases start from is good");
}

#[tokio::test]
async fn queries_are_read_as_strictly() {
    let rig = Rig::new(options()).await;
    let status = status(rig.sim.daraja(), rig.merchant.url(), "ref");
    let balance = balance(rig.sim.daraja(), rig.merchant.url());
    for (path, body, field, value) in [
        (STATUS, &status, "Initiator", Value::Null),
        (STATUS, &status, "CommandID", json!("BusinessPayment")),
        (STATUS, &status, "IdentifierType", json!("1")),
        (STATUS, &status, "IdentifierType", Value::Null),
        (STATUS, &status, "TransactionID", json!("NLJ41HAY6Q")),
        (STATUS, &status, "Occasion", json!("")),
        (BALANCE, &balance, "Initiator", Value::Null),
        (BALANCE, &balance, "CommandID", json!("TransactionStatusQuery")),
        (BALANCE, &balance, "IdentifierType", json!(1)),
        (BALANCE, &balance, "ResultURL", Value::Null),
    ] {
        let reply = rig.post(path, &with(body.clone(), field, value.clone())).await;
        assert_eq!(reply.json()["errorCode"], "400.002.02", "{field} {value}");
        assert!(reply.body().contains(field), "{field} {value}: {}", reply.body());
    }
    let neither = with(status, "OriginalConversationID", Value::Null);
    let empty = with(neither.clone(), "TransactionID", json!(""));
    assert!(rig.post(STATUS, &empty).await.body().contains("Invalid TransactionID: it is empty"));
    assert!(rig.post(STATUS, &neither).await.body().contains("OriginalConversationID is required"));
}

#[tokio::test]
async fn paths_methods_and_payloads_have_their_codes() {
    let rig = Rig::new(options()).await;
    let bearer = format!("Bearer {}", rig.token);
    for (method, path, body, status, code) in [
        ("POST", "/mpesa/b2c/v9/paymentrequest", "{}", 404, "404.002.01"),
        ("GET", "/oauth/v2/generate", "", 404, "404.002.01"),
        ("GET", PAYOUT, "", 404, "404.001.04"),
        ("PUT", PAYOUT, "{}", 405, "405.001"),
        ("POST", "/oauth/v1/generate", "", 405, "405.001"),
        ("POST", PAYOUT, "{\"Amount\":", 400, "400.002.05"),
        ("POST", PAYOUT, "[]", 400, "400.002.05"),
        ("POST", PAYOUT, "", 400, "400.002.05"),
    ] {
        let reply = exchange(&rig.sim, method, path, &bearer, body).await;
        assert_eq!(
            (reply.status(), &reply.json()["errorCode"]),
            (status, &code.into()),
            "{method} {path} {body}"
        );
        assert!(!last_refusal(&rig).is_empty());
    }
}

#[tokio::test]
async fn a_path_that_no_gateway_has_is_answered_with_those_there_are() {
    let rig = Rig::new(options()).await;
    for path in ["/", "/nowhere", "/mpesa", "/v1/oauth/"] {
        let reply = exchange(&rig.sim, "POST", path, "", "{}").await;
        assert_eq!(reply.status(), 404, "{path}");
        for known in [PAYOUT, STATUS, BALANCE, "/oauth/v1/generate"] {
            assert!(reply.body().contains(known), "{path}: {}", reply.body());
        }
        let events = rig.sim.events();
        let last = events.last().unwrap();
        assert!(matches!(last, Event::Request { gateway: None, operation: None, .. }), "{last:?}");
        assert!(last.to_string().contains("nobody unknown path: 404"), "{last}");
    }
}

#[tokio::test]
async fn without_a_good_token_nobody_gets_in() {
    let rig = Rig::new(options()).await;
    let body = payment(rig.sim.daraja(), rig.merchant.url(), "ref", PAYEE).to_string();
    for header in ["", "Bearer", "Bearer ", "Token abc", "Bearer two words", "bearer lower"] {
        let reply = exchange(&rig.sim, "POST", PAYOUT, header, &body).await;
        let code = &reply.json()["errorCode"];
        assert_eq!((reply.status(), code), (404, &"404.001.04".into()), "{header:?}");
    }
    let reply = exchange(&rig.sim, "POST", PAYOUT, "Bearer made-up-token", &body).await;
    assert_eq!((reply.status(), &reply.json()["errorCode"]), (401, &"401.002.01".into()));
    let message = "Error Occurred - Invalid Access Token - made-up-token";
    assert_eq!(reply.json()["errorMessage"], message, "the real one repeats the token");
    assert!(!format!("{:?}", rig.sim.events()).contains("made-up-token"), "the log does not");
}

#[tokio::test]
async fn what_the_real_one_bears_is_borne() {
    let rig = Rig::new(options()).await;
    let good = |reference| payment(rig.sim.daraja(), rig.merchant.url(), reference, PAYEE);
    let shortcode: u32 = rig.sim.daraja().shortcode().parse().unwrap();
    let payee: u64 = PAYEE.parse().unwrap();
    let bodies = [
        with(good("a"), "Amount", json!(100)),
        with(good("b"), "PartyA", json!(shortcode)),
        with(good("c"), "PartyB", json!(payee)),
        with(good("d"), "Occasion", json!(["an unknown field", {"of": "any kind"}])),
        with(good("e"), "Occassion", Value::Null),
        with(good("f"), "PartyB", json!("254112345678")),
    ];
    for body in &bodies {
        let reply = rig.post(PAYOUT, body).await;
        assert_eq!((reply.status(), &reply.json()["ResponseCode"]), (200, &"0".into()), "{body}");
    }
    rig.sim.idle().await;
    assert_eq!(rig.sim.ledger().moves().len(), bodies.len());
}

#[tokio::test]
async fn a_refusal_never_repeats_the_credential() {
    let rig = Rig::new(options()).await;
    let body = payment(rig.sim.daraja(), rig.merchant.url(), "ref", PAYEE);
    let sealed = body["SecurityCredential"].as_str().unwrap().to_owned();
    let reply = rig.post(PAYOUT, &with(body, "PartyB", json!("x"))).await;
    assert!(!reply.body().contains(&sealed));
    assert!(!format!("{:?}", rig.sim.events()).contains(&sealed));
}
