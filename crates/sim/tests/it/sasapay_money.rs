//! SasaPay's face: how money is asked for, how it comes in, and who is told.

use std::time::Duration;

use malipo_sim::{Direction, Fault, Operation, Options, PayerError, PaymentState, SasaPayAccount, Sim};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::client::{exchange, with, within};
use crate::merchant::Merchant;
use crate::sasapay_shop::{
    BOOK, COLLECT, CONFIRM, PAYER, Post, Shop, TOKEN, VERIFY, WORKING, basic, confirmation, notified,
    request, told,
};

fn cents(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

#[test]
fn a_prompt_is_sent_then_answered_then_told() {
    let shop = Shop::open(notified());
    let asked = shop.ask("63902", "inv-7");
    let checkout = asked["CheckoutRequestID"].as_str().unwrap();
    assert_eq!((checkout.len(), checkout.as_bytes()[14], checkout.matches('-').count()), (36, b'4', 4));
    let expected = json!({
        "status": true, "detail": "STK Push sent. Enter your PIN to complete transaction",
        "PaymentGateway": "M-PESA", "MerchantRequestID": "inv-7", "CheckoutRequestID": checkout,
        "TransactionReference": "PR1001", "ResponseCode": "0", "ResponseDescription": "Success. STK PUSH SENT",
        "CustomerMessage": "Enter your PIN when prompted, or pay bill 600980, account PR1001",
    });
    assert_eq!(asked, expected);
    assert_eq!((shop.moved("inv-7"), shop.world.messages().len()), (0, 0), "accepted is not paid");
    assert_eq!(shop.world.ledger().payments()[0].state, PaymentState::Accepted);

    let posts = shop.settle();
    let ledger = shop.world.ledger();
    let payment = ledger.find(BOOK, "inv-7").unwrap();
    let code = payment.receipt().unwrap();
    let third = posts[0].json["ThirdPartyTransID"].as_str().unwrap();
    assert!(code.starts_with("SPEJ") && code.len() == 15 && third.len() == 10);
    let result = json!({
        "MerchantRequestID": "inv-7", "CheckoutRequestID": checkout, "PaymentRequestID": "PR1001",
        "ResultCode": "0", "ResultDesc": "Transaction processed successfully.", "SourceChannel": "M-PESA",
        "TransAmount": "100.50", "RequestedAmount": "100.50", "Paid": true, "BillRefNumber": "inv-7",
        "TransactionDate": "20261122120000", "CustomerMobile": PAYER, "TransactionCode": code,
        "ThirdPartyTransID": third,
    });
    let notice = json!({
        "MerchantCode": "600980", "BusinessShortCode": "600980", "InvoiceNumber": format!("INV-{code}"),
        "PaymentMethod": "M-PESA", "TransID": code, "ThirdPartyTransID": third,
        "FullName": "Jane Wanjiku Doe", "FirstName": "Jane", "MiddleName": "Wanjiku", "LastName": "Doe",
        "TransactionType": "C2B", "MSISDN": PAYER, "OrgAccountBalance": "100.50", "TransAmount": "100.50",
        "TransTime": "20261122120000", "BillRefNumber": "inv-7",
    });
    let expected = [("/result", result), ("/ipn", notice)].map(|(path, json)| Post {
        path: path.into(),
        json,
        signature: None,
    });
    assert_eq!(posts, expected);
    assert_eq!((payment.direction, &*payment.gateway_reference), (Direction::In, checkout));
    assert_eq!((ledger.moved(BOOK, "inv-7"), ledger.balance(BOOK, WORKING)), (1, Some(cents(10_050))));
    assert_eq!(ledger.find_by_gateway_reference(BOOK, checkout), Some(payment));
}

#[test]
fn a_wallets_owner_gives_a_code_and_nothing_moves_before() {
    let shop = Shop::open(notified());
    let asked = shop.post(COLLECT, &with(request("0", "ref"), "PhoneNumber", json!("0712345678"))).json;
    assert_eq!(asked["detail"], "OTP sent. Share the code to complete transaction");
    assert_eq!(
        (&asked["PaymentGateway"], &asked["TransactionReference"]),
        (&json!("SasaPay"), &json!("PR1001"))
    );
    let messages = shop.world.messages();
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!((message.gateway, &*message.to, message.code.len()), (BOOK, PAYER, 6));
    assert!(message.text.contains(&message.code) && message.text.contains("KES 100.50"));
    shop.wait(599);
    assert!(shop.settle().is_empty() && shop.moved("ref") == 0);

    let checkout = &asked["CheckoutRequestID"];
    let got = shop.confirm(checkout, &message.code);
    assert_eq!(got.text, r#"{"status":true,"detail":"Transaction is being processed"}"#);
    assert_eq!((got.status, shop.moved("ref")), (200, 0), "being processed is not paid");
    let again = shop.confirm(checkout, &message.code);
    assert_eq!(again.text, r#"{"status":false,"detail":"VerificationCode was used before"}"#);
    let posts = shop.settle();
    let paths: Vec<_> = posts.iter().map(|post| &*post.path).collect();
    assert_eq!((paths, shop.moved("ref")), (vec!["/result", "/ipn"], 1));
    assert_eq!(
        (&posts[0].json["SourceChannel"], &posts[0].json["ResultCode"]),
        (&json!("SasaPay"), &json!("0"))
    );
    assert_eq!(shop.confirm(checkout, &message.code).status, 400, "and once it is paid");
    assert!(shop.settle().is_empty() && shop.moved("ref") == 1);
}

#[test]
fn wrong_codes_leave_the_request_open_until_the_fifth() {
    let shop = Shop::open(notified());
    let checkout = shop.ask("0", "ref")["CheckoutRequestID"].clone();
    let code = shop.code();
    let wrong = if code == "123456" { "654321" } else { "123456" };
    let refusal = r#"{"status":false,"detail":"VerificationCode is not the one sent to the payer"}"#;
    for _ in 0..4 {
        let got = shop.confirm(&checkout, wrong);
        assert_eq!((got.status, &*got.text), (400, refusal));
    }
    assert!(shop.settle().is_empty());
    let last = shop.confirm(&checkout, wrong);
    assert!(last.status == 400 && last.text.contains("the request is closed"), "{}", last.text);
    let got = shop.confirm(&checkout, &code);
    assert!(got.status == 400 && got.text.contains("wrong too many times"), "{}", got.text);
    let posts = shop.settle();
    assert_eq!(told(&posts, "/result", "ResultCode"), [&json!("2001")]);
    assert_eq!((posts.len(), &posts[0].json["TransAmount"]), (1, &json!("0.00")));
    assert_eq!((&posts[0].json["Paid"], posts[0].json.get("TransactionCode")), (&json!(false), None));
    let state = shop.world.ledger().find(BOOK, "ref").unwrap().state.clone();
    assert!(matches!(state, PaymentState::Refused { code, .. } if code == "2001"));

    // Four wrong ones do no harm to the right one.
    let checkout = shop.ask("0", "next")["CheckoutRequestID"].clone();
    let code = shop.code();
    for _ in 0..4 {
        shop.confirm(&checkout, if code == "123456" { "654321" } else { "123456" });
    }
    assert_eq!(shop.confirm(&checkout, &code).status, 200);
}

#[test]
fn a_code_runs_out_after_ten_minutes_and_serves_its_own_request_only() {
    let shop = Shop::open(SasaPayAccount::new());
    let [first, second] = ["first", "second"].map(|reference| {
        let checkout = shop.ask("0", reference)["CheckoutRequestID"].clone();
        (checkout, shop.code())
    });
    assert_ne!(first.1, second.1);
    assert_eq!(shop.confirm(&first.0, &second.1).status, 400);
    shop.wait(599);
    assert_eq!(shop.confirm(&first.0, &first.1).status, 200);
    shop.wait(1);
    let late = shop.confirm(&second.0, &second.1);
    assert_eq!(
        (late.status, &*late.text),
        (400, r#"{"status":false,"detail":"VerificationCode has expired"}"#)
    );
    shop.settle();
    assert_eq!((shop.moved("first"), shop.moved("second")), (1, 0));
}

#[test]
fn a_confirmation_says_what_is_wrong_with_it() {
    let shop = Shop::open(SasaPayAccount::new());
    let good = confirmation(&shop.ask("0", "ref")["CheckoutRequestID"], &shop.code());
    for (field, value, rule) in [
        ("VerificationCode", json!(525_474), "This field must be a string."),
        ("VerificationCode", json!("12345"), "This must be six digits."),
        ("VerificationCode", json!("12345x"), "This must be six digits."),
        ("VerificationCode", Value::Null, "This field is required."),
        ("CheckoutRequestID", json!(" "), "This field may not be blank."),
        ("MerchantCode", Value::Null, "This field is required."),
    ] {
        let got = shop.post(CONFIRM, &with(good.clone(), field, value));
        assert_eq!((got.status, got.json), (400, json!({ field: [rule] })));
    }
    let unknown = shop.post(CONFIRM, &with(good.clone(), "CheckoutRequestID", json!("unknown")));
    let refusal = r#"{"status":false,"message":"No such transaction was found"}"#;
    assert_eq!((unknown.status, &*unknown.text), (404, refusal));
    let prompted = shop.ask("63902", "prompted")["CheckoutRequestID"].clone();
    let got = shop.post(CONFIRM, &with(good.clone(), "CheckoutRequestID", prompted));
    assert!(got.status == 400 && got.text.contains("takes no code"), "{}", got.text);
    assert_eq!(shop.post(CONFIRM, &good).status, 200, "none of that counted as a try");
}

#[test]
fn payers_may_be_unwilling_or_unable() {
    let shop = Shop::open(notified());
    for (network, payer, code) in [
        ("63902", "0700000130", "1032"),
        ("63903", "254700000131", "1037"),
        ("63907", "254700000132", "1"),
        ("97", "254700000133", "2001"),
        ("63902", "254700000101", "1025"),
        ("0", "254700000132", "1"),
        // Whoever gave the code was there and willing, and knows no PIN.
        ("0", "254700000130", "0"),
        ("0", "254700000131", "0"),
        ("0", "254700000133", "0"),
    ] {
        let name = format!("{network}-{payer}");
        let got = shop.post(COLLECT, &with(request(network, &name), "PhoneNumber", json!(payer)));
        assert_eq!(got.status, 200, "{}", got.text);
        if network == "0" {
            assert_eq!(shop.confirm(&got.json["CheckoutRequestID"], &shop.code()).status, 200);
        }
        let posts = shop.settle();
        assert_eq!(told(&posts, "/result", "ResultCode"), [&json!(code)], "{name}");
        let notices = told(&posts, "/ipn", "BillRefNumber").len();
        assert_eq!((shop.moved(&name), notices), if code == "0" { (1, 1) } else { (0, 0) }, "{name}");
        if code != "0" {
            let state = &shop.world.ledger().find(BOOK, &name).unwrap().state.clone();
            assert!(matches!(state, PaymentState::Refused { code: told, .. } if told == code));
        }
    }
    let got = shop.post(COLLECT, &with(request("0", "ref"), "PhoneNumber", json!("254700000101")));
    let refusal = r#"{"status":false,"ResponseCode":"SP4060","ResponseDescription":"PhoneNumber is not that of a registered SasaPay user"}"#;
    assert_eq!((got.status, &*got.text), (400, refusal));
}

#[test]
fn a_bank_transfer_comes_when_the_payer_makes_it_and_is_as_large_as_they_like() {
    let shop = Shop::open(notified().with_token_life(Duration::from_secs(100_000)));
    let asked = shop.ask("01", "ref");
    assert_eq!((&asked["PaymentGateway"], &asked["TransactionReference"]), (&json!("KCB"), &json!("PR1001")));
    assert!(asked["CustomerMessage"].as_str().unwrap().contains("PR1001"));
    shop.wait(86_400);
    assert!(shop.settle().is_empty() && shop.moved("ref") == 0);

    for (amount, total, paid) in [(4_000, 4_000, false), (6_050, 10_050, true), (1, 10_051, true)] {
        shop.world.transfer("PR1001", cents(amount)).unwrap();
        let posts = shop.settle();
        let [result, notice] = [0, 1].map(|place: usize| posts[place].json.clone());
        assert_eq!((&result["ResultCode"], &result["RequestedAmount"]), (&json!("0"), &json!("100.50")));
        let text = format!("{:.2}", cents(amount));
        assert_eq!((&result["TransAmount"], &result["Paid"]), (&json!(text), &json!(paid)));
        assert_eq!(
            (&result["TransactionCode"], &result["SourceChannel"]),
            (&notice["TransID"], &json!("KCB"))
        );
        assert_eq!(notice["OrgAccountBalance"], format!("{:.2}", cents(total)));
        let data = shop.status("CheckoutRequestId", &asked["CheckoutRequestID"]).json["data"].clone();
        assert_eq!((&data["Paid"], &data["TransactionCode"]), (&json!(paid), &result["TransactionCode"]));
        assert_eq!(data["AmountPaid"].to_string().parse::<Decimal>().unwrap(), cents(total));
        let verified = json!({ "MerchantCode": "600980", "TransactionCode": result["TransactionCode"] });
        let text = format!("\"TransAmount\":{:.2},", cents(amount));
        assert!(shop.post(VERIFY, &verified).text.contains(&text), "{text}");
    }
    let ledger = shop.world.ledger();
    assert_eq!((ledger.moved(BOOK, "ref"), ledger.balance(BOOK, WORKING)), (3, Some(cents(10_051))));
    let amounts: Vec<_> = ledger.moves().iter().map(|moved| moved.amount).collect();
    assert_eq!(amounts, [cents(4_000), cents(6_050), cents(1)]);
    // Only the first is the request's own; what came later goes by its transaction code.
    let [first, second, third] = ledger.moves() else { panic!("{ledger:?}") };
    assert_eq!(first.gateway_reference, asked["CheckoutRequestID"]);
    assert!([second, third].iter().all(|moved| moved.gateway_reference == moved.receipt));
    let first = ledger.find(BOOK, "ref").unwrap();
    assert_eq!((first.amount, ledger.payments().len()), (cents(10_050), 3), "what was asked for stays");

    shop.ask("63902", "prompt");
    for (narration, amount, error) in [
        ("PR1001", Decimal::ZERO, PayerError::Amount),
        ("PR1001", Decimal::new(1, 3), PayerError::Amount),
        ("PR1001", cents(-1), PayerError::Amount),
        ("PR1002", cents(1), PayerError::Narration),
        ("PR1003", cents(1), PayerError::Narration),
        ("ref", cents(1), PayerError::Narration),
    ] {
        assert_eq!(shop.world.transfer(narration, amount), Err(error), "{narration} {amount}");
    }
}

#[test]
fn a_walk_in_is_only_notified_of() {
    let shop = Shop::open(notified());
    shop.world.walk_in("table 4", "0712345678", cents(25_000)).unwrap();
    assert!(shop.world.ledger().payments().is_empty(), "not at once");
    let posts = shop.settle();
    let [notice] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!((&*notice.path, &notice.json["BillRefNumber"]), ("/ipn", &json!("table 4")));
    assert_eq!((&notice.json["MSISDN"], &notice.json["TransAmount"]), (&json!(PAYER), &json!("250.00")));
    let ledger = shop.world.ledger();
    let [moved] = ledger.moves() else { panic!("{ledger:?}") };
    let code = notice.json["TransID"].as_str().unwrap();
    assert_eq!((&*moved.gateway_reference, &moved.reference, &*moved.receipt), (code, &None, code));
    assert_eq!((moved.direction, ledger.balance(BOOK, WORKING)), (Direction::In, Some(cents(25_000))));
    let verified = json!({ "MerchantCode": "600980", "TransactionCode": code });
    assert_eq!(shop.post(VERIFY, &verified).json["data"]["BillRefNumber"], "table 4");
    let data = shop.status("TransactionCode", &json!(code)).json["data"].clone();
    assert_eq!((&data["Paid"], &data["CheckoutId"]), (&json!(true), &json!("")));
    // A reference of the merchant's own is nobody's who was not asked.
    assert_eq!(shop.status("MerchantTransactionReference", &json!("table 4")).status, 404);
    assert_eq!(shop.world.walk_in("x", "+254712345678", cents(1)), Err(PayerError::Number));
    assert_eq!(shop.world.walk_in("x", PAYER, Decimal::ZERO), Err(PayerError::Amount));

    let shop = Shop::open(SasaPayAccount::new());
    shop.world.walk_in("", PAYER, cents(1)).unwrap();
    assert!(shop.settle().is_empty());
    assert_eq!(shop.world.ledger().moves().len(), 1, "told or not");
}

#[test]
fn a_reference_used_again_is_a_request_of_its_own() {
    let shop = Shop::open(SasaPayAccount::new());
    let cancels = with(request("63902", "ref"), "PhoneNumber", json!("254700000130"));
    let [first, second, third] = [request("63902", "ref"), request("63902", "ref"), cancels]
        .map(|body| shop.post(COLLECT, &body).json);
    assert_ne!(first["CheckoutRequestID"], second["CheckoutRequestID"]);
    shop.settle();
    let ledger = shop.world.ledger();
    assert_eq!((ledger.moved(BOOK, "ref"), ledger.paid_more_than_once()), (2, vec![(BOOK, "ref")]));
    assert_eq!(ledger.find(BOOK, "ref").unwrap().gateway_reference, first["CheckoutRequestID"]);
    // By the reference it is the latest that is found, paid or not.
    let latest = shop.status("MerchantTransactionReference", &json!("ref")).json["data"].clone();
    assert_eq!((&latest["CheckoutId"], &latest["Paid"]), (&third["CheckoutRequestID"], &json!(false)));
    for (asked, paid) in [(&first, true), (&second, true), (&third, false)] {
        let data = shop.status("CheckoutRequestId", &asked["CheckoutRequestID"]).json["data"].clone();
        assert_eq!(data["Paid"], json!(paid));
    }
}

/// Waits, but not for ever, until nothing is to happen any more.
async fn idle(sim: &Sim) {
    within(Duration::from_secs(3), sim.idle()).await.expect("what payers do is got round to");
}

#[tokio::test]
async fn payers_act_on_a_running_simulator_too() {
    let merchant = Merchant::open().await;
    let account = SasaPayAccount::new().with_ipn_url(format!("{}/ipn", merchant.url()).parse().unwrap());
    let delay = Duration::from_millis(5);
    let daraja = crate::client::account();
    let options = Options::new().with_daraja(daraja).with_sasapay(account).with_result_delay(delay);
    let sim = Sim::start(options).await.unwrap();
    let reply = exchange(&sim, "GET", TOKEN, &basic(sim.sasapay()), "").await.json();
    let bearer = format!("Bearer {}", reply["access_token"].as_str().unwrap());
    let url = json!(format!("{}/result", merchant.url()));
    let ask = async |network| {
        let body = with(request(network, network), "CallBackURL", url.clone()).to_string();
        exchange(&sim, "POST", COLLECT, &bearer, &body).await.json()
    };
    let wallet = ask("0").await;
    let bank = ask("01").await;
    idle(&sim).await;
    assert!(merchant.posts().is_empty());
    sim.transfer(bank["TransactionReference"].as_str().unwrap(), cents(10_050)).unwrap();
    idle(&sim).await;
    sim.walk_in("table 4", PAYER, cents(100)).unwrap();
    idle(&sim).await;
    let body = confirmation(&wallet["CheckoutRequestID"], &sim.messages()[0].code).to_string();
    sim.inject(BOOK, Operation::Confirm, [Fault::CallbackEarly]).unwrap();
    assert_eq!(exchange(&sim, "POST", CONFIRM, &bearer, &body).await.status(), 200);
    let posts = merchant.posts();
    let told: Vec<_> = posts.iter().map(|post| (&*post.path, post.json()["BillRefNumber"].clone())).collect();
    let [bank, table, wallet] = ["01", "table 4", "0"].map(|name| json!(name));
    let expected = [
        ("/result", bank.clone()),
        ("/ipn", bank),
        ("/ipn", table),
        ("/result", wallet.clone()),
        ("/ipn", wallet),
    ];
    assert_eq!(told, expected);
    assert_eq!(sim.ledger().moves().len(), 3);
}
