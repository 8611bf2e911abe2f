use std::time::Duration;

use malipo_sim::{Fault, Gateway, Operation};
use serde_json::{Value, json};

use crate::client::{
    BALANCE, PAYEE, Rig, STATUS, balance, credential, options, parameter, payment, status, with,
};
use crate::merchant::Post;

/// Asks and returns what the ack and the callback said.
async fn answer(rig: &Rig, path: &str, body: &Value) -> (Value, Post) {
    let ack = rig.post(path, body).await;
    assert_eq!(ack.status(), 200, "{}", ack.body());
    rig.sim.idle().await;
    (ack.json(), rig.merchant.posts().last().unwrap().clone())
}

#[tokio::test]
async fn a_status_query_is_answered_by_callback_under_names_of_its_own() {
    let rig = Rig::new(options()).await;
    let paid = rig.pay("ref", PAYEE).await.json();
    rig.sim.idle().await;
    let receipt = rig.sim.ledger().moves()[0].receipt.clone();

    let by_reference = status(rig.sim.daraja(), rig.merchant.url(), "ref");
    let by_conversation =
        with(by_reference.clone(), "OriginalConversationID", paid["ConversationID"].clone());
    let by_receipt = with(by_reference.clone(), "OriginalConversationID", Value::Null);
    let by_receipt = with(by_receipt, "TransactionID", json!(receipt));
    for body in [by_reference, by_conversation, by_receipt] {
        let (ack, post) = answer(&rig, STATUS, &body).await;
        assert_eq!(post.path, "/status");
        let told = post.json();
        assert_eq!(told["Result"]["OriginatorConversationID"], ack["OriginatorConversationID"]);
        assert_ne!(told["Result"]["OriginatorConversationID"], "ref");
        assert_ne!(told["Result"]["ConversationID"], paid["ConversationID"]);
        assert_eq!(told["Result"]["ResultCode"], 0);
        assert_eq!(parameter(&told, "TransactionStatus"), "Completed");
        assert_eq!(parameter(&told, "ReceiptNo"), &*receipt);
        assert_eq!(parameter(&told, "Originator Conversation ID"), "ref");
        assert_eq!(parameter(&told, "Conversation ID"), &paid["ConversationID"]);
        assert_eq!(parameter(&told, "DebitPartyName"), "600996 - Malipo Simulator");
        assert_eq!(parameter(&told, "CreditPartyName"), "254712345678 - Jane Doe");
        assert!(parameter(&told, "FinalisedTime").as_u64().unwrap() > 20_000_000_000_000);
        assert!(post.body.contains(r#"{"Key":"Amount","Value":100.00}"#));
        assert_eq!(told["Result"]["ResultParameters"]["ResultParameter"].as_array().unwrap().len(), 13);
    }
}

#[tokio::test]
async fn a_query_tells_refused_and_pending_payments_apart_from_unknown_ones() {
    let rig = Rig::new(options()).await;
    let body = payment(rig.sim.daraja(), rig.merchant.url(), "small", PAYEE);
    rig.post(crate::client::PAYOUT, &with(body, "Amount", json!(1))).await;
    rig.sim.idle().await;
    let ask = |reference| status(rig.sim.daraja(), rig.merchant.url(), reference);
    let (_, post) = answer(&rig, STATUS, &ask("small")).await;
    assert_eq!(post.code(), 0, "the query worked, whatever became of the payment");
    assert_eq!(parameter(&post.json(), "TransactionStatus"), "Declined");
    let (_, post) = answer(&rig, STATUS, &ask("nobody's")).await;
    assert_eq!(post.code(), 2033);

    // Accepted and not yet decided, when the question is answered before the payment's turn comes.
    let rig = Rig::new(options().with_result_delay(Duration::from_millis(300))).await;
    rig.pay("queued", PAYEE).await;
    rig.sim.inject(Gateway::Daraja, Operation::Status, [Fault::CallbackEarly]).unwrap();
    rig.ask("queued").await;
    let told = rig.merchant.only_post().json();
    assert_eq!(parameter(&told, "TransactionStatus"), "Pending");
    assert_eq!(parameter(&told, "ReceiptNo"), "");
}

#[tokio::test]
async fn balances_are_told_as_they_stand() {
    let rig = Rig::new(options()).await;
    rig.pay("ref", PAYEE).await;
    rig.sim.idle().await;
    let (_, post) = answer(&rig, BALANCE, &balance(rig.sim.daraja(), rig.merchant.url())).await;
    assert_eq!(post.path, "/balance");
    assert_eq!(post.code(), "0", "a string, unlike everywhere else");
    let told = post.json();
    assert_eq!(
        parameter(&told, "AccountBalance"),
        "Working Account|KES|900000.00|900000.00|0.00|0.00\
         &Utility Account|KES|9999900.00|9999900.00|0.00|0.00\
         &Charges Paid Account|KES|-4510.00|-4510.00|0.00|0.00"
    );
    assert!(parameter(&told, "BOCompletedTime").as_u64().unwrap() > 20_000_000_000_000);
}

#[tokio::test]
async fn a_query_with_a_wrong_credential_is_refused_by_callback() {
    let rig = Rig::new(options()).await;
    let account = rig.sim.daraja().clone();
    rig.pay("ref", PAYEE).await;
    let wrong = json!(credential(&account, "wrong"));
    for (path, body) in [
        (STATUS, status(&account, rig.merchant.url(), "ref")),
        (BALANCE, balance(&account, rig.merchant.url())),
    ] {
        let (_, post) = answer(&rig, path, &with(body, "SecurityCredential", wrong.clone())).await;
        assert_eq!(post.code(), 2001);
        assert!(post.json()["Result"].get("ResultParameters").is_none());
    }
}
