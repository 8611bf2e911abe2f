//! Every sample on Safaricom's B2C page (read 2026-11-22) decodes to what the page says of it, or is listed as
//! faulty with the reason.

use std::sync::Arc;

use malipo_core::{
    Callbacks, DeliveryPurpose, Effect, ErrorKind, Money, Provider, Read, Report, State, Timestamp, Trust,
};
use malipo_daraja::Daraja;
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};
use serde_json::Value;

use crate::subject::{TOKEN_REPLY, config, delivery, pay_out, reference, terms};

const REQUEST: &str = include_str!("fixtures/request.json");
const ACKNOWLEDGEMENT: &str = include_str!("fixtures/acknowledgement.json");
const ERROR: &str = include_str!("fixtures/error.json");
const FAILURE: &str = include_str!("fixtures/result_failure.json");
const SUCCESS: &str = include_str!("fixtures/result_success.json");

/// What the page prints that is no JSON, and why.
const FAULTY: &[(&str, &str)] = &[
    (REQUEST, "the request lacks the commas after Amount and after PartyB"),
    (r#""Result":{ }"#, "a fragment: one member without the object around it"),
    (r#""Result":{ "ResultParameters":{ } }"#, "a fragment: one member without the object around it"),
    (r#" "ResultParameters":{ "ResultParameter":[ ] }}"#, "a fragment with a brace too many"),
];

fn daraja(status: u16, answer: &'static str) -> (Daraja, Arc<ScriptedTransport>) {
    let transport = ScriptedTransport::new()
        .on("/oauth/v1/generate", Outcome::json(200, TOKEN_REPLY))
        .always(Outcome::json(status, answer));
    let transport = Arc::new(transport);
    (Daraja::new(config(), transport.clone(), Arc::new(ManualEnv::new())), transport)
}

fn read(body: &str) -> Report {
    let (daraja, _) = daraja(200, "");
    match daraja.read(&delivery(DeliveryPurpose::Result, body)).unwrap() {
        Read::Report(report) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_listed_as_faulty_is() {
    for (sample, reason) in FAULTY {
        assert!(serde_json::from_str::<Value>(sample).is_err(), "{reason}: {sample}");
    }
}

#[test]
fn the_request_is_ours_but_for_its_missing_commas() {
    let repaired = REQUEST
        .replace("\"Amount\":\"10\"\n", "\"Amount\":\"10\",\n")
        .replace("\"254728762287\"\n", "\"254728762287\",\n");
    let mut expected: Value = serde_json::from_str(&repaired).unwrap();

    let (daraja, transport) = daraja(200, ACKNOWLEDGEMENT);
    let terms = terms("feb5e3f2-fbbc-4745-844c-ee37b546f627", "10")
        .with_description("here are my remarks")
        .with_detail("occasion", "Christmas");
    pollster::block_on(daraja.submit(&pay_out(terms))).unwrap();
    let mut sent: Value = serde_json::from_slice(transport.requests()[1].body()).unwrap();

    // The page cuts its credential short.
    assert!(expected["SecurityCredential"].take().as_str().unwrap().ends_with(".."));
    assert_eq!(sent["SecurityCredential"].take().as_str().unwrap(), crate::subject::CREDENTIAL);
    assert_eq!(sent, expected);
}

#[test]
fn the_acknowledgement_is_pending() {
    let (daraja, _) = daraja(200, ACKNOWLEDGEMENT);
    let report = pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "10")))).unwrap();
    assert_eq!((report.state, report.trust), (State::Pending, Trust::Answered));
    assert_eq!(report.reference, Some(reference("PAY-1")));
    assert_eq!(report.provider_refs.find("conversation"), Some("AG_20191219_00005797af5d7d75f652"));
    assert_eq!(report.provider_refs.find("originator"), Some("16740-34861180-1"), "not ours, so it is kept");
    assert_eq!(report.code.as_deref(), Some("0"));
    assert_eq!(report.text.unwrap().as_str(), "Accept the service request successfully.");
    assert_eq!(report.raw.bytes(), ACKNOWLEDGEMENT.as_bytes());
}

#[test]
fn the_error_is_a_refused_token_and_does_not_repeat_it() {
    let (daraja, transport) = daraja(401, ERROR);
    let error = pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "10")))).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Credentials, Effect::None));
    assert_eq!(
        (error.code(), error.request_id(), error.status()),
        (Some("401.002.01"), Some("11728-2929992-1"), Some(401))
    );
    assert_eq!(error.text().unwrap().as_str(), "Error Occurred - Invalid Access Token - [removed]");
    assert_eq!(transport.requests().len(), 4, "a token, a payment, and each once more");
}

#[test]
fn the_failure_is_failed_without_a_receipt() {
    let report = read(FAILURE);
    assert_eq!((report.state, report.trust), (State::Failed, Trust::Claimed));
    assert_eq!(report.code.as_deref(), Some("2001"));
    assert_eq!(report.text.unwrap().as_str(), "The initiator information is invalid.");
    assert_eq!(report.reference, Some(reference("29112-34801843-1")));
    assert_eq!(report.provider_refs.find("conversation"), Some("AG_20191219_00006c6fddb15123addf"));
    assert_eq!(
        (report.receipt, report.provider_refs.find("transaction")),
        (None, None),
        "NLJ0000000 is a placeholder"
    );
    assert!(report.remedy.unwrap().contains("stop before M-PESA locks"));
}

#[test]
fn the_success_is_settled_with_its_eight_parameters() {
    let report = read(SUCCESS);
    assert_eq!(report.state, State::Settled);
    assert_eq!(report.amount, Some(Money::kes("10").unwrap()));
    assert_eq!(report.receipt.as_deref(), Some("NLJ41HAY6Q"));
    assert_eq!(report.provider_refs.find("transaction"), Some("NLJ41HAY6Q"));
    assert_eq!(report.details.find("registered"), Some("Y"));
    let party = report.party.unwrap();
    assert_eq!((party.account.as_deref(), party.name.as_deref()), (Some("254708374149"), Some("John Doe")));
    assert_eq!(report.at, Timestamp::parse_rfc3339("2019-12-19T08:45:50Z"));
    let balances: Vec<_> = report
        .balances
        .iter()
        .map(|balance| (balance.account.as_str(), balance.available.to_plain()))
        .collect();
    assert_eq!(
        balances,
        [
            ("Utility Account", "10116.00".to_owned()),
            ("Working Account", "900000.00".to_owned()),
            ("Charges Paid Account", "-4510.00".to_owned())
        ]
    );
    assert_eq!(report.reference, Some(reference("10571-7910404-1")));
    assert_eq!(report.provider_refs.find("conversation"), Some("AG_20191219_00004e48cf7e3533f581"));
}

#[test]
fn every_fixture_cut_anywhere_decides_nothing_that_the_whole_does_not() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        let kept = malipo_testkit::conformance::cut_everywhere(&crate::subject::DarajaSubject, &text);
        assert!(kept.is_ok(), "{}: {kept:?}", path.display());
    }
}
