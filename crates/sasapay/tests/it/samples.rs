//! Every sample on SasaPay's C2B page (read 2026-11-22) decodes to what the page says of it, or is listed as faulty
//! with the reason.

use malipo_core::{
    CallbackUrl, Callbacks, Credit, DeliveryPurpose, Instruction, Money, Network, NextStep, Provider, Read,
    Report, Signature, State, Timestamp, Trust,
};
use serde_json::{Value, json};

use crate::subject::{
    CALLBACK, IPN, MOBILE, PROCESSED, WALLET, collect, confirm, delivery, mobile, reference, sasapay, terms,
    wallet,
};

const REQUEST_WALLET: &str = include_str!("fixtures/request_wallet.json");
const REQUEST_MOBILE: &str = include_str!("fixtures/request_mobile.json");
const REQUEST_PROCESS: &str = include_str!("fixtures/request_process.json");
const PAGE_IPN: &str = include_str!("fixtures/ipn.json");

/// What the page prints that cannot be sent or read as it stands: the sample, what is in it, and why not.
const FAULTY: &[(&str, &str, &str)] = &[
    (REQUEST_WALLET, "60***0", "a merchant's code that is masked"),
    (REQUEST_WALLET, "25470*****80", "a phone number that is masked"),
    (REQUEST_WALLET, "https://******1", "a URL that is masked"),
    (REQUEST_MOBILE, "60***0", "a merchant's code that is masked"),
    (REQUEST_MOBILE, "25470*****80", "a phone number that is masked"),
    (REQUEST_MOBILE, "https://******1", "a URL that is masked"),
    (PAGE_IPN, "6****8", "a merchant's code that is masked, so that it is nobody's"),
];

fn sent(instruction: &Instruction) -> Value {
    let (sasapay, transport) = sasapay(200, MOBILE);
    pollster::block_on(sasapay.submit(instruction)).unwrap();
    serde_json::from_slice(transport.requests()[1].body()).unwrap()
}

fn accepted(instruction: &Instruction, answer: &'static str) -> Report {
    let (sasapay, _) = sasapay(200, answer);
    let report = pollster::block_on(sasapay.submit(instruction)).unwrap();
    assert_eq!((report.state, report.trust), (State::Pending, Trust::Answered));
    assert_eq!(report.raw.bytes(), answer.as_bytes());
    report
}

fn repaired(request: &str) -> Value {
    let mut expected: Value = serde_json::from_str(request).unwrap();
    expected["MerchantCode"] = json!("600980");
    expected["PhoneNumber"] = json!("254708374149");
    expected["CallBackURL"] = json!("https://payments.example.com/result");
    expected
}

#[test]
fn what_is_listed_as_faulty_is() {
    for (sample, fault, reason) in FAULTY {
        assert!(sample.contains(fault), "{reason}: {sample}");
    }
    assert!("60***0".parse::<malipo_core::Shortcode>().is_err());
    assert!("25470*****80".parse::<malipo_core::Msisdn>().is_err());
    assert!("https://******1".parse::<CallbackUrl>().is_err());
    let (sasapay, _) = sasapay(500, "");
    assert!(sasapay.read(&delivery(DeliveryPurpose::Notice, PAGE_IPN)).is_err());
}

#[test]
fn the_requests_are_ours_but_for_what_is_masked() {
    let terms =
        || terms("12345678", "1").with_description("Request Payment").with_detail("transaction_fee", "0");
    assert_eq!(sent(&collect(wallet(), terms())), repaired(REQUEST_WALLET));
    assert_eq!(sent(&collect(mobile(Network::Safaricom), terms())), repaired(REQUEST_MOBILE));
}

#[test]
fn the_confirmation_is_ours() {
    let mut expected: Value = serde_json::from_str(REQUEST_PROCESS).unwrap();
    let mut sent = sent(&confirm("525474"));
    assert_eq!(expected["CheckoutRequestID"].take(), "5fb0db20-2550-4612-bb7d-71bf0a4e25f6");
    sent["CheckoutRequestID"].take();
    assert_eq!(sent, expected);
}

#[test]
fn the_answer_for_a_wallet_asks_for_the_code() {
    let report = accepted(&collect(wallet(), terms("12345678", "1")), WALLET);
    assert_eq!(report.next_step, Some(NextStep::EnterCode));
    assert_eq!(report.reference, Some(reference("12345678")));
    assert_eq!(report.provider_refs.find("checkout"), Some("b6cb451a-ef9f-443d-8e64-045c210131df"));
    assert_eq!(report.provider_refs.find("transaction_reference"), Some("PR52****11"));
    assert_eq!(report.provider_refs.find("merchant_request"), Some("07102440280"), "not ours, so it is kept");
    assert_eq!(report.code.as_deref(), Some("0"));
    assert_eq!(report.text.unwrap().as_str(), "OTP sent. Share the code to complete transaction");
    assert!(report.details.find("customer_message").unwrap().contains("DIAL *626#"));
    assert!(report.remedy.is_none());
}

#[test]
fn the_answer_for_mobile_money_asks_for_the_prompt() {
    let report = accepted(&collect(mobile(Network::Safaricom), terms("PAY-1", "1")), MOBILE);
    assert_eq!(report.next_step, Some(NextStep::AnswerPrompt));
    assert_eq!(report.provider_refs.find("checkout"), Some("1251ce9d-8afc-4b41-a47b-a86e39ef1fa7"));
}

#[test]
fn the_answer_to_a_code_is_not_paid() {
    let report = accepted(&confirm("525474"), PROCESSED);
    assert_eq!((report.next_step, report.reference), (None, Some(reference("PAY-1"))));
    assert_eq!(report.text.unwrap().as_str(), "Transaction is being processed");
}

/// The page's merchant calls the payment "Test callbacks", which can be no reference of ours: for whoever could have asked
/// for it with this crate, it is about somebody else's.
#[test]
fn the_callback_is_paid_where_it_can_be_ours() {
    let (sasapay, _) = sasapay(500, "");
    let read = |body: &str| match sasapay.read(&delivery(DeliveryPurpose::Result, body)).unwrap() {
        Read::Report(report) => report,
        other => panic!("{other:?}"),
    };
    let ours = read(&CALLBACK.replace("Test callbacks", "PAY-1"));
    assert_eq!((ours.state, ours.reference), (State::Settled, Some(reference("PAY-1"))));
    assert!(ours.remedy.is_none(), "there is nothing to do");
    let report = read(CALLBACK);
    assert_eq!((report.state, report.code.as_deref()), (State::Pending, Some("0")));
    assert!(report.remedy.is_some());
    assert_eq!(report.amount, Some(Money::kes("1").unwrap()));
    assert_eq!(report.reference, None, "\"Test callbacks\" is no reference of ours");
    assert_eq!(report.provider_refs.find("checkout"), Some("542011ce-24a8-****-b0e7-c4df09e18d74"));
    assert_eq!(report.provider_refs.find("transaction"), Some("SPEJ***0O78GY2T"));
    assert_eq!(report.provider_refs.find("third_party"), Some("SG1****1T5G"));
    assert_eq!(ours.receipt.as_deref(), Some("SG1****1T5G"), "what the payer's network calls it");
    assert_eq!(report.party.unwrap().account.as_deref(), Some("25470******0"));
    assert_eq!(report.at, Timestamp::parse_rfc3339("2024-07-01T07:51:55Z"));
    assert_eq!(report.text.unwrap().as_str(), "Transaction processed successfully.");
    assert_eq!((report.signature, report.trust), (Signature::NotExpected, Trust::Claimed));
}

#[test]
fn the_notice_is_a_credit() {
    assert_eq!(
        serde_json::from_str::<Value>(&PAGE_IPN.replace("6****8", "600980")).unwrap(),
        serde_json::from_str::<Value>(IPN).unwrap(),
        "the page's, with the merchant's code"
    );
    let (sasapay, _) = sasapay(500, "");
    let read = sasapay.read(&delivery(DeliveryPurpose::Notice, IPN)).unwrap();
    let Read::Credit(Credit { amount, payer, account, reference: ours, provider_refs, at, trust, .. }) = read
    else {
        panic!("{read:?}")
    };
    assert_eq!((amount, trust), (Money::kes("10").unwrap(), Trust::Claimed));
    let payer = payer.unwrap();
    assert_eq!((payer.account.as_deref(), payer.name.as_deref()), (Some("2547*****5"), Some("John kym Doe")));
    assert_eq!((account.as_deref(), ours), (Some("12345"), Some(reference("12345"))));
    assert_eq!(provider_refs.find("transaction"), Some("CDVISAIHD"));
    assert_eq!(provider_refs.find("third_party"), Some("7***2"));
    assert_eq!(at, Timestamp::parse_rfc3339("2024-07-03T03:23:53Z"));
}

#[test]
fn every_fixture_cut_anywhere_decides_nothing_that_the_whole_does_not() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        let kept = malipo_testkit::conformance::cut_everywhere(&crate::subject::SasaPaySubject, &text);
        assert!(kept.is_ok(), "{}: {kept:?}", path.display());
    }
}
