//! Kyanda's face: what is accepted, paid and told.

use std::time::Duration;

use malipo_sim::{Delivery, Direction, Event, KyandaAccount, Operation, PaymentState};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::client::{options, with};
use crate::kyanda_client::{
    AIRTIME, ALL, BALANCE, BANK, BILL, BOOK, CHECKOUT, KEY, Kind, MOBILE, PAYING, REGISTER, Rig, VOUCHER,
    account, post, refused, sign,
};
use crate::merchant::Merchant;

#[tokio::test]
async fn signatures_made_by_openssl_are_good() {
    let rig = Rig::bare(options().with_kyanda(account())).await;
    for kind in ALL {
        let body = with(kind.body(), "signature", json!(kind.digest));
        // The name of a header is in any case.
        let reply = post(&rig.sim, kind.path, "APIKEY: simulated-kyanda-key\r\n", &body).await;
        assert_eq!(reply.status(), 200, "{}: {}", kind.path, reply.body());
        assert_eq!(rig.sim.calls(BOOK, kind.operation), if kind.path == BANK.path { 2 } else { 1 });
        assert_eq!(sign(kind, KEY, kind.body())["signature"], kind.digest, "the client signs well, too");
    }
    // One key serves for both when there is but one.
    let rig = Rig::bare(options()).await;
    assert_eq!(rig.post(&BALANCE, BALANCE.body()).await.status(), 200);
    let other = KyandaAccount::new().with_api_key("one").with_merchant_id("m");
    assert_eq!((other.security_key(), other.merchant_id()), ("one", "m"));
}

#[tokio::test]
async fn every_kind_is_accepted_in_its_own_words() {
    let rig = Rig::new().await;
    for (number, kind) in (677_833..).zip(PAYING) {
        let payout = matches!(kind.operation, Operation::PayOut | Operation::Collect);
        let name = match kind.operation {
            Operation::Bill | Operation::Voucher => "transactionId",
            _ => "merchant_reference",
        };
        let expected = if payout {
            json!({ "status": "Pending", "status_code": "200", name: format!("KYAAPI{number}"),
                "transactiontxt": "Request accepted for processing!" })
        } else {
            json!({ "status": "Success", "status_code": "0000", name: format!("KYAAPI{number}"),
                "transactiontxt": "Your request has been posted successfully!" })
        };
        assert_eq!(rig.post(kind, kind.body()).await.json(), expected, "{}", kind.path);
    }
}

#[tokio::test]
async fn money_goes_out_for_all_and_in_for_a_checkout() {
    let rig = Rig::new().await;
    let mut held = Decimal::from(10_000_000);
    for kind in PAYING {
        let reference = rig.accepted(kind, kind.body()).await;
        rig.sim.idle().await;
        let payment = rig.payment(&reference);
        let ledger = rig.sim.ledger();
        assert_eq!(ledger.moved_by_gateway_reference(BOOK, &reference), 1, "{}", kind.path);
        let amount: Decimal = kind.body().pointer(kind.amount()).unwrap().as_str().unwrap().parse().unwrap();
        let way = if kind.path == CHECKOUT.path { Direction::In } else { Direction::Out };
        held += if way == Direction::In { amount } else { -amount };
        assert_eq!((payment.direction, payment.amount, rig.held()), (way, amount, held), "{}", kind.path);
        assert_eq!(payment.reference, None);
        let party = if kind.path == BANK.path { "/destination/accountNumber" } else { kind.party() };
        assert_eq!(&json!(payment.party), kind.body().pointer(party).unwrap());
    }
    assert_eq!(rig.sim.ledger().paid_to(BOOK, "0715330000", "KES"), 3000.into(), "payout and airtime");
    let balances = rig.post(&BALANCE, BALANCE.body()).await;
    assert_eq!(balances.body(), r#"{"Account_Bal":9996399.5,"Earnings_Bal":0}"#);
}

/// What came of one payment: its notification, with what is made up or depends on the time taken out.
async fn told(rig: &Rig, kind: &Kind, body: Value) -> (String, Value, Value) {
    let reference = rig.accepted(kind, body).await;
    rig.sim.idle().await;
    let post = rig.merchant.posts().pop().unwrap();
    assert_eq!(post.path, "/ipn");
    let mut told = post.json();
    let details = told["details"].take();
    for time in ["transactionDate", "Posted_Time"] {
        if let Some(time) = told.get_mut(time) {
            let time = time.take();
            let sample = if kind.path.contains("/v1/checkout") || kind.path.contains("payout") {
                "23-09-2023 11.20am"
            } else {
                "23-05-2021 10:29 pm"
            };
            assert_eq!(time.as_str().unwrap().len(), sample.len(), "{time}");
        }
    }
    (reference, told, details)
}

#[tokio::test]
async fn payouts_and_checkouts_are_told() {
    let rig = Rig::new().await;
    for (kind, category, party) in
        [(&MOBILE, "MobilePayout", "0715330000"), (&BANK, "BankPayout", "2042581154")]
    {
        let (reference, told, details) = told(&rig, kind, kind.body()).await;
        let expected = json!({
            "category": category, "source": "PaymentWallet", "destination": party,
            "direction": "Outbound", "MerchantID": "kyanda", "details": null, "requestMetadata": {},
            "status": "Success", "status_code": "0000",
            "message": "Your request has been processed successfully.", "transactionDate": null,
            "transactionRef": reference, "amount": "1500",
        });
        assert_eq!(told, expected);
        assert_eq!(details["biller_Receipt"], rig.payment(&reference).receipt().unwrap());
    }
    let (reference, told, details) = told(&rig, &CHECKOUT, CHECKOUT.body()).await;
    let expected = json!({
        "category": "MpesaPayment", "source": "0715330000", "Phone": "0715330000", "direction": "Inbound",
        "MerchantID": "kyanda", "details": null, "requestMetadata": { "abc": "balloon", "n": 1 },
        "Status": "Success", "status_code": "0000",
        "message": "Your request has been processed successfully.", "Posted_Time": null,
        "transactionRef": reference, "Amount": "1500",
    });
    assert_eq!(told, expected);
    let receipt = rig.payment(&reference).receipt().unwrap().to_owned();
    let expected = json!({
        "one": format!("Biller Receipt No: {receipt}"), "two": format!("Kyanda Reference: {reference}"),
    });
    assert_eq!(details, expected);
}

#[tokio::test]
async fn airtime_bills_and_vouchers_bring_their_goods_and_nobody_else_sees_them() {
    let rig = Rig::new().await;
    let power = BILL.body_with("/telco", json!("KPLC_PREPAID"));
    let mut secrets = Vec::new();
    for (kind, body, party, amount, goods) in [
        (&AIRTIME, AIRTIME.body(), "0715330000", json!(1500), vec!["Telco Reference", "biller_Receipt"]),
        (&BILL, BILL.body(), "0123456789", json!(100.5), vec!["biller_Receipt"]),
        (&BILL, power, "0123456789", json!(100.5), vec!["biller_Receipt", "tokens", "units"]),
        (&VOUCHER, VOUCHER.body(), "0115330000", json!(500), vec!["one", "two"]),
    ] {
        let (reference, told, details) = told(&rig, kind, body).await;
        let expected = json!({
            "category": "UtilityPayment", "source": "PaymentWallet", "destination": party,
            "direction": "Outbound", "MerchantID": "kyanda", "details": null, "requestMetadata": {},
            "status": "Success", "status_code": "0000",
            "message": "Your request has been processed successfully.", "transactionDate": null,
            "transactionRef": reference, "amount": amount,
        });
        assert_eq!(told, expected);
        let object = details.as_object().unwrap();
        assert_eq!(object.keys().collect::<Vec<_>>(), goods, "{details}");
        assert_eq!(rig.ask(&reference).await.json()["details"]["details"], details, "the check brings them");
        let digits = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        secrets.extend(["tokens", "one", "two"].iter().filter_map(|name| digits(name)));
    }
    assert_eq!(secrets.iter().map(String::len).collect::<Vec<_>>(), [20, 16, 12]);
    let seen = format!("{:?} {:?} {:?}", rig.sim.events(), rig.sim.ledger(), rig.sim);
    assert!(secrets.iter().all(|secret| !seen.contains(secret)));
}

#[tokio::test]
async fn a_check_is_pending_until_decided_and_unknown_before() {
    let slow = options().with_kyanda(account()).with_result_delay(Duration::from_secs(1));
    let rig = Rig::bare(slow).await;
    let (code, text) = refused(&rig.ask("KYAAPI677833").await);
    assert_eq!((&*code, text.contains("transactionRef")), ("7001", true), "{text}");
    let reference = rig.accepted(&CHECKOUT, CHECKOUT.body()).await;
    let expected = |status: &str, code: &str, details: &Value| {
        json!({ "status": "200", "details": {
            "category": "MpesaPayment", "source": "0715330000", "destination": "0715330000",
            "MerchantID": "kyanda", "details": details, "requestMetadata": { "abc": "balloon", "n": 1 },
            "status": status, "status_code": code, "transactionFee": "0", "amount": "1500",
        }})
    };
    assert_eq!(rig.ask(&reference).await.json(), expected("Pending", "1100", &json!({})));
    assert!(rig.sim.ledger().moves().is_empty(), "accepted is not paid");
    rig.sim.idle().await;
    let after = rig.ask(&reference).await.json();
    assert_eq!(after, expected("Success", "0000", &after["details"]["details"]));
}

#[tokio::test]
async fn a_url_is_registered_once_and_what_is_told_is_to_be_acknowledged() {
    for (status, body, delivery) in [
        ("200 OK", r#"{"status":"success"}"#, Delivery::Answered(200)),
        ("200 OK", r#"{"status":"Success"}"#, Delivery::NotAcknowledged(200)),
        ("200 OK", r#"{“status”:success”}"#, Delivery::NotAcknowledged(200)),
        ("201 Created", r#"{"status":"success"}"#, Delivery::NotAcknowledged(201)),
        ("308 Permanent Redirect", "", Delivery::NotAcknowledged(308)),
    ] {
        let rig = Rig::bare(options().with_kyanda(account())).await;
        let merchant = Merchant::open_saying(status, body, Duration::ZERO).await;
        rig.accepted(&MOBILE, MOBILE.body()).await;
        rig.sim.idle().await;
        let Some(Event::Callback { delivery: Delivery::Withheld(why), .. }) = rig.sim.events().pop() else {
            panic!("nobody is there to be told")
        };
        assert_eq!(why, "no callback URL is registered");

        let url = |url: &str| REGISTER.body_with("/callbackURL", json!(url));
        let here = format!("{}/hook", merchant.url());
        for wrong in ["http://website.com/x", "website.com/x", "ftp://127.0.0.1/x", "https://", "“x”"] {
            assert_eq!(refused(&rig.post(&REGISTER, url(wrong)).await).0, "6002", "{wrong}");
        }
        let reply = rig.post(&REGISTER, url(&here)).await.json();
        let expected = json!({ "status": "Success", "status_code": "0000",
            "transactionId": "KYAAPI677834", "transactiontxt": "Callback Updated!" });
        assert_eq!(reply, expected);
        assert_eq!(refused(&rig.post(&REGISTER, url(&here)).await).0, "6001");
        let reference = rig.accepted(&MOBILE, MOBILE.body()).await;
        rig.sim.idle().await;
        assert_eq!(merchant.only_post().path, "/hook");
        let Some(Event::Callback { reference: named, delivery: found, .. }) = rig.sim.events().pop() else {
            panic!("it was told")
        };
        assert_eq!((named, found), (reference, delivery), "{status} {body}");
    }
    let rig = Rig::new().await;
    assert_eq!(refused(&rig.post(&REGISTER, REGISTER.body()).await).0, "6001", "it came with the account");
}

#[tokio::test]
async fn payers_and_payees_that_are_magic_refuse() {
    for (kind, number, code, word) in [
        (&CHECKOUT, "0700000130", "1103", "cancelled"),
        (&CHECKOUT, "0700000131", "1105", "not answer"),
        (&CHECKOUT, "0700000132", "4000", "insufficient"),
        (&CHECKOUT, "0700000133", "1102", "wrong PIN"),
        (&CHECKOUT, "0700000101", "1109", "not registered"),
        (&MOBILE, "0700000101", "1109", "not registered"),
        (&AIRTIME, "0700000101", "9001", "not registered"),
        (&VOUCHER, "0700000101", "9001", "not registered"),
    ] {
        let rig = Rig::new().await;
        let (reference, told, details) = told(&rig, kind, kind.body_with(kind.party(), json!(number))).await;
        let status = if kind.path == CHECKOUT.path { "Status" } else { "status" };
        assert_eq!((&told[status], &told["status_code"]), (&json!("Failed"), &json!(code)), "{told}");
        assert!(told["message"].as_str().unwrap().contains(word), "{told}");
        assert_eq!(details, json!([]));
        assert!(rig.sim.ledger().moves().is_empty());
        let state = rig.payment(&reference).state;
        assert!(matches!(state, PaymentState::Refused { code: found, .. } if found == code));
        let check = rig.ask(&reference).await.json();
        assert_eq!((&check["status"], &check["details"]["status"]), (&json!("200"), &json!("Failed")));
        assert_eq!(check["details"]["status_code"], code);
    }
    // As payees those payers are like anybody, and a bank account is known by its holder's phone.
    let rig = Rig::new().await;
    rig.accepted(&MOBILE, MOBILE.body_with(MOBILE.party(), json!("0700000130"))).await;
    rig.sim.idle().await;
    rig.accepted(&BANK, BANK.body_with("/destination/phoneNumber", json!("0700000101"))).await;
    rig.sim.idle().await;
    assert_eq!(rig.sim.ledger().moves().len(), 1);
}
