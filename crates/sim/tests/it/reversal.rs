//! KasaPay takes a payout back.

use malipo_sim::{MoveKind, PaymentState, ReversalError};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::client::{options, with};
use crate::control::{IDLE, LEDGER, done, refused, shown};
use crate::kasapay::{BOOK, FLOAT, Rig};

const REVERSE: &str = "/_sim/reverse";

#[tokio::test]
async fn a_payout_taken_back_is_told_and_stays_so() {
    let rig = Rig::new(options()).await;
    let float = rig.sim.ledger().balance(BOOK, FLOAT).unwrap();
    rig.pay(&rig.payout("ref")).await;
    rig.sim.idle().await;
    let receipt = rig.merchant.posts()[0].json()["payment_reference"].clone();
    assert_eq!(rig.sim.ledger().balance(BOOK, FLOAT), Some(float - Decimal::new(1005, 1)));
    rig.sim.reverse("ref").unwrap();
    rig.sim.idle().await;

    let ledger = rig.sim.ledger();
    let state = &ledger.find(BOOK, "ref").unwrap().state;
    assert!(matches!(state, PaymentState::Reversed { code, .. } if code == "702"), "{state:?}");
    let kinds: Vec<_> = ledger.moves().iter().map(|moved| moved.kind).collect();
    assert_eq!(kinds, [MoveKind::Payment, MoveKind::Reversal]);
    assert_eq!(ledger.balance(BOOK, FLOAT), Some(float), "the float is as it was");
    assert_eq!((rig.moved(), rig.told()), (1, vec![json!(700), json!(702)]));
    let post = rig.merchant.posts()[1].json();
    let read = |field: &str| post[field].clone();
    assert_eq!(
        ["payout_reference", "result_description", "amount", "payment_reference"].map(read),
        [json!("ref"), json!("Payout was reversed"), json!("100.50"), receipt]
    );
    assert_eq!(post["account_balance"], format!("{float:.2}"));
    assert_eq!(rig.ask("ref").await.json(), post, "the status query has the same body");
}

#[tokio::test]
async fn only_a_paid_payout_can_be_taken_back_and_once() {
    let rig = Rig::new(options()).await;
    assert_eq!(rig.sim.reverse("ref"), Err(ReversalError::Unknown));
    rig.pay(&with(rig.payout("failed"), "recipient_account_number", json!("254700000101"))).await;
    rig.pay(&rig.payout("ref")).await;
    assert_eq!(rig.sim.reverse("ref"), Err(ReversalError::NotPaid), "not yet");
    rig.sim.idle().await;
    assert_eq!(rig.sim.reverse("failed"), Err(ReversalError::NotPaid));
    assert_eq!(rig.sim.reverse("ref"), Ok(()));
    assert_eq!(rig.sim.reverse("ref"), Err(ReversalError::NotPaid));
    rig.sim.idle().await;
    let mut told = rig.told();
    told.sort_by_key(Value::to_string);
    assert_eq!((told, rig.sim.ledger().moves().len()), (vec![json!(700), json!(701), json!(702)], 2));
}

#[tokio::test]
async fn a_program_in_any_language_takes_payouts_back() {
    let rig = Rig::new(options()).await;
    rig.pay(&rig.payout("ref")).await;
    shown(&rig.sim, IDLE).await;
    let asked = json!({ "reference": "ref" });
    done(&rig.sim, REVERSE, &asked).await;
    shown(&rig.sim, IDLE).await;
    let ledger = shown(&rig.sim, LEDGER).await;
    assert_eq!(
        (&ledger["payments"][0]["state"], &ledger["moves"][1]["kind"]),
        (&json!("reversed"), &json!("reversal"))
    );
    assert_eq!(rig.told(), [json!(700), json!(702)]);
    for (body, rule) in [
        (asked, "is not paid, so there is nothing to take back"),
        (json!({ "reference": "nobody's" }), "KasaPay has no payout with this reference"),
        (json!({}), "is missing"),
    ] {
        refused(&rig.sim, "POST", REVERSE, &body.to_string(), ("reference", rule)).await;
    }
}
