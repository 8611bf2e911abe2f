//! Customers who pay SasaPay's paybill: for a request, for nothing, and with what is told of it going wrong.

use malipo_sim::{Direction, Fault, Operation, PayerError};
use rust_decimal::Decimal;
use serde_json::json;

use crate::client::with;
use crate::sasapay_shop::{
    BOOK, COLLECT, CONFIRM, Shop, VERIFY, WORKING, confirmation, notified, request, told,
};

/// Another phone than the one that was asked.
const FRIEND: &str = "0722000001";

fn cents(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

#[test]
fn the_account_that_a_request_names_pays_that_request_whatever_became_of_it() {
    for network in ["63902", "01", "0"] {
        let shop = Shop::open(notified());
        // A prompt that nobody answers; the others wait for a transfer and for a code.
        let body = with(request(network, "ref"), "PhoneNumber", json!("254700000131"));
        let asked = shop.post(COLLECT, &body).json;
        let lapsed = if network == "63902" { vec![json!("1037")] } else { Vec::new() };
        assert_eq!(told(&shop.settle(), "/result", "ResultCode"), lapsed.iter().collect::<Vec<_>>());

        let account = asked["TransactionReference"].as_str().unwrap();
        assert!(asked["CustomerMessage"].as_str().unwrap().ends_with(account));
        shop.world.walk_in(account, FRIEND, cents(10_050)).unwrap();
        let posts = shop.settle();
        let [result, notice] = posts.as_slice() else { panic!("{posts:?}") };
        assert_eq!((&*result.path, &*notice.path), ("/result", "/ipn"), "{network}");
        let read = |field| result.json[field].clone();
        assert_eq!(
            ["ResultCode", "Paid", "TransAmount", "BillRefNumber", "SourceChannel"].map(read),
            [json!("0"), json!(true), json!("100.50"), json!("ref"), json!("M-PESA")]
        );
        assert_eq!(read("CheckoutRequestID"), asked["CheckoutRequestID"]);
        assert_eq!(read("TransactionCode"), notice.json["TransID"]);
        assert_eq!(
            (read("CustomerMobile"), &notice.json["MSISDN"]),
            (json!("254722000001"), &json!("254722000001"))
        );
        assert_eq!(notice.json["BillRefNumber"], "ref");

        let ledger = shop.world.ledger();
        assert_eq!((ledger.moved(BOOK, "ref"), ledger.balance(BOOK, WORKING)), (1, Some(cents(10_050))));
        assert_eq!(ledger.paid_more_than_once(), []);
        let data = shop.status("CheckoutRequestId", &asked["CheckoutRequestID"]).json["data"].clone();
        assert_eq!(data["Paid"], true, "{network}");
        let verified = json!({ "MerchantCode": "600980", "TransactionCode": read("TransactionCode") });
        assert_eq!(shop.post(VERIFY, &verified).json["data"]["CustomerMobile"], "254722000001");
    }
}

#[test]
fn a_request_that_was_paid_at_the_paybill_takes_no_code_any_more() {
    let shop = Shop::open(notified());
    let asked = shop.ask("0", "ref");
    let wrong = if shop.code() == "123456" { "654321" } else { "123456" };
    for _ in 0..4 {
        shop.confirm(&asked["CheckoutRequestID"], wrong);
    }
    // The fifth wrong code closes a request that has just been paid: that it was is what is told, and once.
    shop.world.walk_in("PR1001", FRIEND, cents(10_050)).unwrap();
    shop.confirm(&asked["CheckoutRequestID"], wrong);
    assert_eq!(told(&shop.settle(), "/result", "ResultCode"), [&json!("0")]);
    let got = shop.post(CONFIRM, &confirmation(&asked["CheckoutRequestID"], &shop.code()));
    assert!(got.status == 400 && got.text.contains("was made already"), "{}", got.text);
    assert!(shop.settle().is_empty() && shop.moved("ref") == 1);
}

#[test]
fn parts_are_paid_more_than_once_only_when_they_are_too_much() {
    let shop = Shop::open(notified());
    shop.post(COLLECT, &with(request("01", "ref"), "Amount", json!("1500")));
    for (amount, repeated) in [(50_000, vec![]), (100_000, vec![]), (1, vec![(BOOK, "ref")])] {
        shop.world.transfer("PR1001", cents(amount)).unwrap();
        shop.settle();
        assert_eq!(shop.world.ledger().paid_more_than_once(), repeated, "{amount}");
    }
    let ledger = shop.world.ledger();
    let received: Vec<_> = ledger.payments().iter().map(|payment| ledger.received(payment)).collect();
    assert_eq!(received, [cents(50_000), cents(100_000), cents(1)]);
    assert_eq!((ledger.moved(BOOK, "ref"), ledger.payments()[0].direction), (3, Direction::In));
}

#[test]
fn the_notice_of_a_walk_in_meets_the_faults_it_is_given() {
    let late = Fault::CallbackLate(std::time::Duration::from_secs(10));
    for (fault, times) in [
        (Fault::CallbackNever, 0),
        (Fault::QueueTimeout, 0),
        (Fault::CallbackTwice, 2),
        (Fault::CallbackForged, 2),
        // There is no notice that nothing was paid.
        (Fault::CallbackContradicting, 1),
        (late, 1),
    ] {
        let shop = Shop::open(notified());
        shop.world.walk_in_with("table 4", FRIEND, cents(100), [fault]).unwrap();
        assert_eq!(shop.settle().len(), times, "{fault:?}");
        assert_eq!(shop.world.ledger().moves().len(), 1, "{fault:?}");
    }
    let shop = Shop::open(notified());
    for fault in [Fault::LostReply, Fault::TokenExpired, Fault::CallbackEarly] {
        let refused = shop.world.walk_in_with("table 4", FRIEND, cents(100), [Fault::CallbackTwice, fault]);
        assert_eq!(refused, Err(PayerError::Fault(fault)));
    }
    assert!(shop.settle().is_empty() && shop.world.ledger().moves().is_empty());
}

#[test]
fn the_faults_of_a_request_strike_the_one_result_and_not_what_comes_after() {
    for (network, at_once, later) in [("63902", 2, 1), ("01", 0, 2)] {
        let shop = Shop::open(notified());
        shop.world.inject(BOOK, Operation::Collect, [Fault::CallbackTwice]).unwrap();
        shop.ask(network, "ref");
        assert_eq!(told(&shop.settle(), "/result", "Paid").len(), at_once, "{network}");
        shop.world.walk_in("PR1001", FRIEND, cents(100)).unwrap();
        assert_eq!(told(&shop.settle(), "/result", "Paid").len(), later, "{network}");
    }
}
