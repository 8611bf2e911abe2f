//! Every sample on KasaPay's B2B page (read 2026-11-22) decodes to what the page says of it, or is listed as faulty
//! with the reason.

use malipo_core::{
    Answer, Callbacks, DeliveryPurpose, Effect, ErrorKind, Money, Payee, Provider, Read, Report, State,
    Timestamp, Trust,
};
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};
use serde_json::{Value, json};

use crate::subject::{
    ACCEPTED, KEY, REFUSED, SECRET, bank, config, delivery, kasapay, pay_out, paybill, reference, terms,
    ticket,
};

const TOKEN_REQUEST: &str = include_str!("fixtures/token_request.json");
const TOKEN_REQUEST_CURL: &str = include_str!("fixtures/token_request_curl.json");
const TOKEN: &str = include_str!("fixtures/token.json");
const TOKEN_ERROR: &str = include_str!("fixtures/token_error.json");
const REQUEST: &str = include_str!("fixtures/request.json");
const REQUEST_BANK: &str = include_str!("fixtures/request_bank.json");
const CALLBACK: &str = include_str!("fixtures/callback.json");
const STATUS: &str = include_str!("fixtures/status.json");

/// What the page prints that cannot be sent as it stands: the sample, what is in it, and why not.
const FAULTY: &[(&str, &str, &str)] = &[
    (TOKEN_REQUEST, "<your_consumer_key>", "a placeholder for a key"),
    (TOKEN_REQUEST_CURL, "your_consumer_key", "a placeholder for a key"),
    (REQUEST, "\"5656\"", "a number of four digits, where a paybill has five or more"),
    (REQUEST, "\"SERVICE_CODE\"", "a placeholder for the service"),
    (REQUEST_BANK, "\"MPESA_B2B\"", "a bank account paired with MPESA_B2B, where the page's table says BANK"),
    (REQUEST_BANK, "08292******849", "an account number that is masked"),
];

/// The path of the curl sample for a status, which no program can ask for.
const CURL_PATH: &str = "/v1/payouts/b2b/{payout_reference}/status";

/// The body of the first request after the token, or of the token's.
fn sent(payee: Payee, terms: malipo_core::Terms, number: usize) -> Value {
    let (kasapay, transport) = kasapay(200, ACCEPTED);
    pollster::block_on(kasapay.submit(&pay_out(payee, terms))).unwrap();
    serde_json::from_slice(transport.requests()[number].body()).unwrap()
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_is_listed_as_faulty_is() {
    for (sample, fault, reason) in FAULTY {
        assert!(sample.contains(fault), "{reason}: {sample}");
    }
    assert!(CURL_PATH.contains("{payout_reference}"), "a placeholder");
    assert!("{payout_reference}".parse::<malipo_core::Reference>().is_err());
    assert!("5656".parse::<malipo_core::Shortcode>().is_err());
}

#[test]
fn the_token_is_asked_for_as_shown_but_for_its_placeholders() {
    for sample in [TOKEN_REQUEST, TOKEN_REQUEST_CURL] {
        let mut expected = read(sample);
        (expected["consumer_key"], expected["consumer_secret"]) = (json!(KEY), json!(SECRET));
        assert_eq!(sent(paybill(), terms("PAY-1", "10"), 0), expected);
    }
}

#[test]
fn the_request_is_ours_but_for_its_numbers() {
    let mut expected = read(REQUEST);
    (expected["recipient_account_number"], expected["service_code"]) = (json!("565656"), json!("12346"));
    let terms = terms("145245624652", "10").with_description("Test");
    let mut sent = sent(paybill(), terms, 1);
    assert_eq!(sent["amount"].take(), "10.00", "the page shows both 10 and 100.00");
    expected["amount"].take();
    assert_eq!(sent, expected);
}

#[test]
fn the_bank_request_is_ours_with_the_method_of_the_table() {
    let mut expected = read(REQUEST_BANK);
    expected["payment_method"] = json!("BANK");
    expected["recipient_account_number"] = json!("08292000000849");
    expected["callback_url"] = json!("https://payments.x.xyz/result");
    let terms = terms("ms83-367839", "100.00").with_description("Test bank transfer");
    assert_eq!(sent(bank(), terms.with_detail("account_reference", "666666"), 1), expected);
}

#[test]
fn the_token_is_read_and_sent_bare() {
    let transport = std::sync::Arc::new(
        ScriptedTransport::new()
            .on("/v1/auth", Outcome::json(200, TOKEN))
            .always(Outcome::json(200, ACCEPTED)),
    );
    let env = std::sync::Arc::new(ManualEnv::new());
    let kasapay = malipo_kasapay::KasaPay::new(config(), transport.clone(), env);
    pollster::block_on(kasapay.submit(&pay_out(paybill(), terms("PAY-1", "10")))).unwrap();
    pollster::block_on(kasapay.submit(&pay_out(paybill(), terms("PAY-2", "10")))).unwrap();
    let requests = transport.requests();
    assert_eq!(requests.len(), 3, "one token serves both");
    assert_eq!(requests[1].headers()["x-access-token"], "xyz789abc123");
}

#[test]
fn the_token_error_is_about_the_credentials_and_nothing_was_sent() {
    let transport = ScriptedTransport::new().on("/v1/auth", Outcome::json(400, TOKEN_ERROR));
    let transport = std::sync::Arc::new(transport);
    let env = std::sync::Arc::new(ManualEnv::new());
    let kasapay = malipo_kasapay::KasaPay::new(config(), transport.clone(), env);
    let error = pollster::block_on(kasapay.submit(&pay_out(paybill(), terms("PAY-1", "10")))).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Credentials, Effect::None));
    assert_eq!(error.text().unwrap().as_str(), "Invalid Authentication Credentials");
    assert_eq!(transport.requests().len(), 1);
}

#[test]
fn the_acknowledgement_is_pending() {
    let (kasapay, _) = kasapay(200, ACCEPTED);
    let report = pollster::block_on(kasapay.submit(&pay_out(paybill(), terms("PAY-1", "10")))).unwrap();
    assert_eq!((report.state, report.trust), (State::Pending, Trust::Answered));
    assert_eq!(report.reference, Some(reference("PAY-1")));
    let theirs = report.provider_refs.find("payout");
    assert_eq!(theirs, Some("a99658d5-3100-45e6-9649-b311d41ab615"), "not ours, so it is kept");
    assert_eq!(report.code.as_deref(), Some("720"));
    assert_eq!(report.text.unwrap().as_str(), "Payout request has been accepted for processing");
    assert_eq!(report.raw.bytes(), ACCEPTED.as_bytes());
}

#[test]
fn the_refusal_says_why() {
    let (kasapay, transport) = kasapay(200, REFUSED);
    let error = pollster::block_on(kasapay.submit(&pay_out(paybill(), terms("PAY-1", "10")))).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Refused, Effect::None));
    assert_eq!(error.code(), Some("SERVICE_NOT_ALLOWED"));
    assert_eq!(error.text().unwrap().as_str(), "Invalid Service");
    assert_eq!(transport.requests().len(), 2);
}

fn is_paid(report: &Report, receipt: &str) {
    assert_eq!((report.state, report.code.as_deref()), (State::Settled, Some("700")));
    assert_eq!(report.reference, Some(reference("ms83-367839")));
    assert_eq!(report.amount, Some(Money::kes("100").unwrap()));
    assert_eq!(report.receipt.as_deref(), Some(receipt));
    assert_eq!(report.provider_refs.find("transaction"), Some("10001"));
    assert_eq!(report.provider_refs.find("payment"), Some(receipt));
    assert_eq!(report.party.as_ref().unwrap().account.as_deref(), Some("08292******849"));
    assert_eq!(report.at, Timestamp::parse_rfc3339("2023-03-02T05:17:36.802Z"));
    assert!(report.at.is_some());
    assert_eq!(report.text.as_ref().unwrap().as_str(), "Payout was processed successfully");
    assert_eq!(report.balances[0].available, Money::kes("100").unwrap());
    for (key, value) in
        [("destination", "bank_account"), ("destination_name", "BANKX"), ("wallet_account", "784789474")]
    {
        assert_eq!(report.details.find(key), Some(value));
    }
    assert!(report.remedy.is_none(), "there is nothing to do");
}

#[test]
fn the_callback_is_paid() {
    let (kasapay, _) = kasapay(500, "");
    match kasapay.read(&delivery(DeliveryPurpose::Result, CALLBACK)).unwrap() {
        Read::Report(report) => is_paid(&report, "TQLXMNSBBYSF"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_status_is_paid() {
    let (kasapay, _) = kasapay(200, STATUS);
    match pollster::block_on(kasapay.status(&ticket("ms83-367839"))).unwrap() {
        Answer::Known(report) => is_paid(&report, "TQXLMNOPSB"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fixture_cut_anywhere_decides_nothing_that_the_whole_does_not() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        let kept = malipo_testkit::conformance::cut_everywhere(&crate::subject::KasaPaySubject, &text);
        assert!(kept.is_ok(), "{}: {kept:?}", path.display());
    }
}
