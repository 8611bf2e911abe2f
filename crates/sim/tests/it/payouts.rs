use malipo_sim::{Delivery, Event, Gateway, Operation, PaymentState};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::client::{PAYEE, PAYOUT, Rig, account, credential, options, parameter, payment, with};

const UTILITY: &str = "Utility Account";

/// Pays and returns the result told for it.
async fn result_of(rig: &Rig, body: &Value) -> Value {
    let before = rig.merchant.posts().len();
    let reply = rig.post(PAYOUT, body).await;
    assert_eq!(reply.json()["ResponseCode"], "0", "{}", reply.body());
    rig.sim.idle().await;
    let posts = rig.merchant.posts();
    assert_eq!(posts.len(), before + 1);
    posts[before].json()
}

#[tokio::test]
async fn a_payment_is_accepted_then_paid_then_told() {
    let rig = Rig::new(options()).await;
    let ack = rig.pay("16740-34861180-1", PAYEE).await.json();
    assert_eq!(ack["OriginatorConversationID"], "16740-34861180-1");
    assert_eq!(ack["ResponseCode"], "0");
    assert_eq!(ack["ResponseDescription"], "Accept the service request successfully.");
    let conversation = ack["ConversationID"].as_str().unwrap();
    let (date, hex) = conversation.strip_prefix("AG_").unwrap().split_once('_').unwrap();
    assert!(date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()), "{conversation}");
    assert!(hex.len() == 20 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{conversation}");

    rig.sim.idle().await;
    let post = rig.merchant.only_post();
    assert_eq!(post.path, "/result");
    let told = post.json();
    let result = &told["Result"];
    assert_eq!(result["ResultType"], 0);
    assert_eq!(result["ResultCode"], 0);
    assert_eq!(result["OriginatorConversationID"], "16740-34861180-1");
    assert_eq!(result["ConversationID"], *conversation);
    let receipt = result["TransactionID"].as_str().unwrap();
    assert!(receipt.len() == 10, "{receipt}");
    assert!(receipt.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{receipt}");
    let parameters = result["ResultParameters"]["ResultParameter"].as_array().unwrap();
    assert_eq!(parameters.len(), 8);
    assert_eq!(parameter(&told, "TransactionReceipt"), receipt);
    assert_eq!(parameter(&told, "TransactionAmount"), 100);
    assert_eq!(parameter(&told, "B2CRecipientIsRegisteredCustomer"), "Y");
    assert_eq!(parameter(&told, "ReceiverPartyPublicName"), "254712345678 - Jane Doe");
    let completed = parameter(&told, "TransactionCompletedDateTime").as_str().unwrap();
    assert_eq!(completed.len(), "19.12.2019 11:45:50".len());
    assert_eq!(result["ReferenceData"]["ReferenceItem"]["Key"], "QueueTimeoutURL");
    // On the wire the balances keep their two decimals, as numbers.
    for (key, digits) in [
        ("B2CUtilityAccountAvailableFunds", "9999900.00"),
        ("B2CWorkingAccountAvailableFunds", "900000.00"),
        ("B2CChargesPaidAccountAvailableFunds", "-4510.00"),
    ] {
        let text = format!(r#"{{"Key":"{key}","Value":{digits}}}"#);
        assert!(post.body.contains(&text), "{text} in {}", post.body);
    }

    let ledger = rig.sim.ledger();
    let payment = ledger.find(Gateway::Daraja, "16740-34861180-1").unwrap();
    assert_eq!(payment.state, PaymentState::Paid { receipt: receipt.into() });
    assert_eq!(payment.gateway_reference, conversation);
    assert_eq!(ledger.moved(Gateway::Daraja, "16740-34861180-1"), 1);
    assert_eq!(ledger.paid_to(Gateway::Daraja, PAYEE, "KES"), 100.into());
    let answered =
        |event: &&Event| matches!(event, Event::Callback { delivery: Delivery::Answered(200), .. });
    assert_eq!(rig.sim.events().iter().filter(answered).count(), 1);
}

#[tokio::test]
async fn what_the_core_refuses_arrives_by_callback_and_moves_nothing() {
    let rig = Rig::new(options()).await;
    let account = rig.sim.daraja().clone();
    let good = |reference| payment(&account, rig.merchant.url(), reference, PAYEE);
    let cases = [
        (with(good("a"), "SecurityCredential", json!(credential(&account, "wrong password"))), 2001),
        (with(good("b"), "SecurityCredential", json!("bm90IGEgY2lwaGVydGV4dA==")), 2001),
        (with(good("c"), "SecurityCredential", json!("not base64")), 2001),
        (with(good("d"), "InitiatorName", json!("somebody")), 2001),
        (with(good("e"), "Amount", json!("9")), 2),
        (with(good("f"), "Amount", json!(250_001)), 3),
        (with(good("g"), "PartyB", json!("254700000101")), 2040),
    ];
    for (body, code) in cases {
        let told = result_of(&rig, &body).await;
        assert_eq!(told["Result"]["ResultCode"], code, "{body}");
        assert_eq!(told["Result"]["TransactionID"], "NLJ0000000");
        assert!(told["Result"].get("ResultParameters").is_none());
        let reference = body["OriginatorConversationID"].as_str().unwrap();
        let ledger = rig.sim.ledger();
        let state = &ledger.find(Gateway::Daraja, reference).unwrap().state;
        assert!(matches!(state, PaymentState::Refused { code: held, .. } if *held == code.to_string()));
    }
    let ledger = rig.sim.ledger();
    assert!(ledger.moves().is_empty());
    assert_eq!(ledger.balance(Gateway::Daraja, UTILITY), Some(10_000_000.into()));
}

#[tokio::test]
async fn salaries_reach_customers_who_are_not_registered() {
    let rig = Rig::new(options()).await;
    let body = payment(rig.sim.daraja(), rig.merchant.url(), "a", "254700000101");
    let told = result_of(&rig, &with(body, "CommandID", json!("SalaryPayment"))).await;
    assert_eq!(told["Result"]["ResultCode"], 0);
    assert_eq!(parameter(&told, "B2CRecipientIsRegisteredCustomer"), "N");
}

#[tokio::test]
async fn the_limits_themselves_are_paid() {
    let rig = Rig::new(options()).await;
    for (reference, amount) in [("a", 10), ("b", 250_000)] {
        let body = payment(rig.sim.daraja(), rig.merchant.url(), reference, PAYEE);
        assert_eq!(result_of(&rig, &with(body, "Amount", json!(amount))).await["Result"]["ResultCode"], 0);
    }
}

#[tokio::test]
async fn balances_move_until_they_no_longer_suffice() {
    let rig = Rig::new(options().with_daraja(account().with_utility(Decimal::new(250, 0)))).await;
    let mut codes = Vec::new();
    for reference in ["a", "b", "c"] {
        let body = payment(rig.sim.daraja(), rig.merchant.url(), reference, PAYEE);
        codes.push(result_of(&rig, &body).await["Result"]["ResultCode"].clone());
    }
    assert_eq!(codes, [json!(0), json!(0), json!(1)]);
    let ledger = rig.sim.ledger();
    assert_eq!(ledger.balance(Gateway::Daraja, UTILITY), Some(50.into()));
    assert_eq!(ledger.paid_to(Gateway::Daraja, PAYEE, "KES"), 200.into());
}

#[tokio::test]
async fn a_reference_is_accepted_once() {
    let rig = Rig::new(options()).await;
    assert_eq!(rig.pay("a", PAYEE).await.status(), 200);
    for _ in 0..2 {
        let again = rig.pay("a", PAYEE).await;
        assert_eq!((again.status(), &again.json()["errorCode"]), (500, &"500.002.1001".into()));
        assert!(again.body().contains("Duplicate OriginatorConversationID"));
        rig.sim.idle().await;
    }
    assert_eq!(rig.sim.ledger().moved(Gateway::Daraja, "a"), 1);
    assert_eq!(rig.merchant.posts().len(), 1);
    assert_eq!(rig.sim.calls(Gateway::Daraja, Operation::PayOut), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_each_paid_once() {
    let rig = std::sync::Arc::new(Rig::new(options()).await);
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..60 {
        let rig = std::sync::Arc::clone(&rig);
        // Every reference is used by two callers.
        callers.spawn(async move { rig.pay(&format!("ref-{}", number / 2), PAYEE).await.status() });
    }
    let statuses = callers.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 30);
    assert_eq!(statuses.iter().filter(|status| **status == 500).count(), 30);
    rig.sim.idle().await;
    let ledger = rig.sim.ledger();
    assert_eq!(ledger.moves().len(), 30);
    assert!(ledger.paid_more_than_once().is_empty());
    assert_eq!(rig.merchant.posts().len(), 30);
}

#[tokio::test]
async fn some_urls_are_accepted_and_never_called() {
    let rig = Rig::new(options()).await;
    // Bound and not listening: nobody else gets the port, and nobody answers on it.
    let deaf = TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = format!("http://{}", deaf.local_addr().unwrap());
    for (reference, url, why) in [
        ("a", format!("{}/MPESA/result", rig.merchant.url()), "mpesa"),
        ("b", "http://192.0.2.1/result".into(), "loopback"),
        ("c", "https://127.0.0.1/result".into(), "http URLs"),
        ("d", format!("{closed}/result"), "no connection"),
    ] {
        let body = payment(rig.sim.daraja(), rig.merchant.url(), reference, PAYEE);
        assert_eq!(rig.post(PAYOUT, &with(body, "ResultURL", json!(url))).await.status(), 200);
        rig.sim.idle().await;
        let events = rig.sim.events();
        let Some(Event::Callback { delivery: Delivery::Withheld(said) | Delivery::Failed(said), .. }) =
            events.last()
        else {
            panic!("{events:?}")
        };
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("/result"), "the path of a callback URL is a secret: {said}");
    }
    assert!(rig.merchant.posts().is_empty());
    assert_eq!(rig.sim.ledger().moves().len(), 4, "the money moves whether told or not");
}
