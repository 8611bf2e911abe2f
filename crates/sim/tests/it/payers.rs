//! Payers played by a program in any language, under the simulator's own paths.

use malipo_sim::Sim;
use serde_json::{Value, json};

use crate::client::{exchange, options};
use crate::control::{IDLE, LEDGER, done, refused, shown};
use crate::sasapay_shop::{COLLECT, CONFIRM, TOKEN, basic};

/// It would be 1 if it were rounded.
const FINE: &str = "1.00000000000000000000000000000001";
/// The most that fits a decimal: added up twice it would be itself.
const HUGE: &str = "79228162514264337593543950335";

/// Asks SasaPay for 50 shillings of this payer, and gives back its answer.
async fn collect(sim: &Sim, network: &str) -> (String, Value) {
    let token = exchange(sim, "GET", TOKEN, &basic(sim.sasapay()), "").await.json();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let asked = json!({
        "MerchantCode": sim.sasapay().merchant_code(),
        "NetworkCode": network,
        "Currency": "KES",
        "Amount": "50.00",
        "CallBackURL": "http://127.0.0.1:9/result",
        "PhoneNumber": "254708374149",
        "TransactionDesc": "Request Payment",
        "AccountReference": "12345678",
    });
    let told = exchange(sim, "POST", COLLECT, &bearer, &asked.to_string()).await;
    assert_eq!(told.status(), 200, "{told:?}");
    (bearer, told.json())
}

#[tokio::test]
async fn a_code_is_read_from_the_payers_phone() {
    let sim = Sim::start(options()).await.unwrap();
    let (bearer, told) = collect(&sim, "0").await;
    let message = shown(&sim, "/_sim/messages").await["messages"][0].take();
    assert_eq!((&message["gateway"], &message["to"]), (&json!("sasapay"), &json!("254708374149")));
    assert!(message["text"].as_str().unwrap().contains(message["code"].as_str().unwrap()));
    let code = json!({
        "MerchantCode": sim.sasapay().merchant_code(),
        "CheckoutRequestID": told["CheckoutRequestID"],
        "VerificationCode": message["code"],
    });
    assert_eq!(exchange(&sim, "POST", CONFIRM, &bearer, &code.to_string()).await.status(), 200);
    shown(&sim, IDLE).await;
    assert_eq!(shown(&sim, LEDGER).await["moves"][0]["amount"], "50.00");
}

#[tokio::test]
async fn a_transfer_and_a_walk_in_move_money_and_a_bad_one_is_named() {
    let sim = Sim::start(options()).await.unwrap();
    let (_, told) = collect(&sim, "01").await;
    let narration = told["TransactionReference"].as_str().unwrap();
    done(&sim, "/_sim/transfer", &json!({ "narration": narration, "amount": "50" })).await;
    done(&sim, "/_sim/walk_in", &json!({ "account": "7", "number": "0708374149", "amount": "1.50" })).await;
    shown(&sim, IDLE).await;
    let ledger = shown(&sim, LEDGER).await;
    let amounts: Vec<_> = ledger["moves"].as_array().unwrap().iter().map(|one| &one["amount"]).collect();
    assert_eq!(amounts, [&json!("50"), &json!("1.50")]);
    for (path, body, field, rule) in [
        ("transfer", json!({ "narration": "nobody's", "amount": "50" }), "narration", "has this narration"),
        ("transfer", json!({ "narration": narration, "amount": 50 }), "amount", "must be a string"),
        ("transfer", json!({ "narration": narration, "amount": "1e3x" }), "amount", "decimal text"),
        ("transfer", json!({ "narration": narration, "amount": "0" }), "amount", "greater than 0"),
        ("transfer", json!({ "narration": narration, "amount": "1_0" }), "amount", "decimal text"),
        ("transfer", json!({ "narration": narration, "amount": "+5" }), "amount", "decimal text"),
        ("transfer", json!({ "narration": narration, "amount": FINE }), "amount", "decimal text"),
        ("transfer", json!({ "narration": narration, "amount": "10000000000000.01" }), "amount", "more than"),
        ("transfer", json!({ "narration": narration, "amount": HUGE }), "amount", "more than 10000000000000"),
        ("walk_in", json!({ "account": "7", "number": "1", "amount": "1" }), "number", "Kenyan mobile"),
        ("walk_in", json!({ "number": "0708374149", "amount": "1" }), "account", "is missing"),
    ] {
        refused(&sim, "POST", &format!("/_sim/{path}"), &body.to_string(), (field, rule)).await;
    }
    assert_eq!(shown(&sim, LEDGER).await["moves"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_a_payer_does_can_be_told_badly_but_no_call_of_theirs_can_be_spoilt() {
    let sim = Sim::start(options()).await.unwrap();
    let mut asked = json!({ "account": "7", "number": "0708374149", "amount": "1", "faults": [] });
    done(&sim, "/_sim/walk_in", &asked).await;
    asked["faults"] = json!([{ "fault": "callback_twice" }, { "fault": "callback_late", "millis": 5 }]);
    done(&sim, "/_sim/walk_in", &asked).await;
    for (list, field, rule) in [
        (
            json!([{ "fault": "callback_twice" }, { "fault": "lost_reply" }]),
            "faults[1].fault",
            "never strike",
        ),
        (json!([{ "fault": "callback_early" }]), "faults[0].fault", "callback_early can never strike"),
        (json!({ "fault": "callback_twice" }), "faults", "a list such as"),
    ] {
        asked["faults"] = list;
        refused(&sim, "POST", "/_sim/walk_in", &asked.to_string(), (field, rule)).await;
    }
    shown(&sim, IDLE).await;
    assert_eq!(shown(&sim, LEDGER).await["moves"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_collection_shows_how_much_of_it_has_come() {
    let sim = Sim::start(options()).await.unwrap();
    let (_, told) = collect(&sim, "01").await;
    for (amount, received) in [("20", json!(["20"])), ("30.00", json!(["20", "30.00"]))] {
        let asked = json!({ "narration": told["TransactionReference"], "amount": amount });
        done(&sim, "/_sim/transfer", &asked).await;
        shown(&sim, IDLE).await;
        let ledger = shown(&sim, LEDGER).await;
        let shows: Vec<_> =
            ledger["payments"].as_array().unwrap().iter().map(|one| &one["received"]).collect();
        assert_eq!((json!(shows), &ledger["payments"][0]["amount"]), (received, &json!("50.00")));
        assert_eq!(ledger["paid_more_than_once"], json!([]));
    }
}
