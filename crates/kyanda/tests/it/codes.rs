//! What every code and every shape of an answer to an instruction means for the money.

use malipo_core::{
    Bank, Biller, Effect, Error, ErrorKind, Instruction, Network, NextStep, Provider, Report, State,
};

use crate::subject::{
    AIRTIME, BILL, CHECKOUT, THEIRS, airtime, bill, collect, kyanda, refusal, terms, to_bank, to_wallet,
    voucher,
};

fn instructions() -> Vec<Instruction> {
    let terms = || terms("PAY-1", "1500");
    vec![
        to_wallet(Network::Safaricom, terms()),
        to_bank(Bank::Absa, "2042581154", terms()),
        collect(Network::Airtel, terms()),
        airtime(Network::Telkom, terms()),
        bill(Biller::Zuku, "0123456789", terms()),
        voucher(Network::Safaricom, terms()),
    ]
}

fn submitted(instruction: &Instruction, status: u16, body: &str) -> Result<Report, Error> {
    let (kyanda, transport) = kyanda(status, body.to_owned());
    let outcome = pollster::block_on(kyanda.submit(instruction));
    assert_eq!(transport.requests().len(), 1, "sent once, whatever comes back");
    outcome
}

/// The page's tables, and what practice adds: what a code means for an instruction.
const CODES: &[(&str, ErrorKind, Effect)] = &[
    ("1101", ErrorKind::Credentials, Effect::None),
    ("1102", ErrorKind::Credentials, Effect::None),
    ("1103", ErrorKind::Refused, Effect::None),
    ("1104", ErrorKind::Credentials, Effect::None),
    ("1105", ErrorKind::Unavailable, Effect::Unknown),
    ("1106", ErrorKind::Unavailable, Effect::Unknown),
    ("1107", ErrorKind::Refused, Effect::None),
    ("1108", ErrorKind::Refused, Effect::None),
    ("1109", ErrorKind::Refused, Effect::None),
    ("1201", ErrorKind::Refused, Effect::None),
    ("3101", ErrorKind::Refused, Effect::None),
    ("4000", ErrorKind::Refused, Effect::None),
    ("5000", ErrorKind::Unavailable, Effect::Unknown),
    ("8001", ErrorKind::Refused, Effect::None),
    ("8002", ErrorKind::Refused, Effect::None),
    ("8003", ErrorKind::Refused, Effect::None),
    ("8004", ErrorKind::Refused, Effect::None),
    ("8005", ErrorKind::Refused, Effect::None),
    ("8006", ErrorKind::Duplicate, Effect::Unknown),
    ("9001", ErrorKind::Refused, Effect::None),
    ("9002", ErrorKind::Refused, Effect::None),
    ("9003", ErrorKind::Refused, Effect::None),
    ("9004", ErrorKind::Refused, Effect::None),
    ("9005", ErrorKind::Duplicate, Effect::Unknown),
    // These are about other questions.
    ("6001", ErrorKind::Unlisted, Effect::Unknown),
    ("6002", ErrorKind::Unlisted, Effect::Unknown),
    ("7001", ErrorKind::Unlisted, Effect::Unknown),
    // And these stand nowhere.
    ("1110", ErrorKind::Unlisted, Effect::Unknown),
    ("01104", ErrorKind::Unlisted, Effect::Unknown),
    ("1104.0", ErrorKind::Unlisted, Effect::Unknown),
    ("110", ErrorKind::Unlisted, Effect::Unknown),
    ("0", ErrorKind::Unlisted, Effect::Unknown),
];

#[test]
fn every_code_means_the_same_whatever_the_operation_and_the_http_status() {
    for instruction in instructions() {
        for status in [200, 400, 401, 403] {
            for (code, kind, effect) in CODES {
                let error = submitted(&instruction, status, &refusal(code)).unwrap_err();
                assert_eq!((error.kind(), error.effect()), (*kind, *effect), "{status} {code}: {error}");
                assert_eq!((error.code(), error.status()), (Some(*code), Some(status)));
                assert_eq!(error.remedy().is_some(), *kind != ErrorKind::Unlisted, "{code}");
                assert_eq!(error.text().unwrap().as_str(), "as documented");
            }
        }
    }
}

#[test]
fn a_number_is_a_code_too_and_the_other_name_of_the_words_is_read() {
    let body = r#"{"status":"Failed","status_code":1107,"message":"Insufficient float balance."}"#;
    let error = submitted(&instructions()[0], 400, body).unwrap_err();
    assert_eq!((error.code(), error.effect()), (Some("1107"), Effect::None));
    assert_eq!(error.text().unwrap().as_str(), "Insufficient float balance.");
}

#[test]
fn a_refusal_stands_alone_or_beside_failed_or_beside_itself() {
    for word in [r#""status":"failed","#, r#""status":"1107","#, r#""status":1107,"#, r#""status":"","#, ""] {
        let body = format!(r#"{{{word}"status_code":"1107","merchant_reference":"KYA1"}}"#);
        for status in [200, 400] {
            let error = submitted(&instructions()[0], status, &body).unwrap_err();
            let told = (error.kind(), error.effect(), error.request_id());
            assert_eq!(told, (ErrorKind::Refused, Effect::None, Some("KYA1")), "{status} {body}");
        }
    }
}

#[test]
fn the_id_of_an_error_is_kept_and_changes_nothing() {
    for (code, effect) in [("1104", Effect::None), ("1107", Effect::None), ("5000", Effect::Unknown)] {
        let body = refusal(code).replace('}', r#","transactionId":"KYAAPI677834"}"#);
        let error = submitted(&instructions()[0], 400, &body).unwrap_err();
        assert_eq!((error.effect(), error.request_id()), (effect, Some("KYAAPI677834")), "{code}");
    }
}

#[test]
fn success_on_the_spot_is_no_more_than_accepted() {
    for instruction in instructions() {
        for (word, code) in [("Success", "0000"), ("Pending", "200"), ("Pending", "1100"), ("Posted", "0000")]
        {
            for id in ["merchant_reference", "transactionId"] {
                let body = format!(r#"{{"status":"{word}","status_code":"{code}","{id}":"{THEIRS}"}}"#);
                let report = submitted(&instruction, 200, &body).unwrap();
                assert_eq!((report.state, report.code.as_deref()), (State::Pending, Some(code)));
                assert_eq!(report.provider_refs.find("transaction"), Some(THEIRS));
                assert_eq!(report.operation, Some(instruction.operation()));
                assert_eq!(report.reference.as_ref(), Some(instruction.reference()));
                assert_eq!((report.amount, report.receipt.as_deref()), (None, None));
                let prompts = matches!(instruction, Instruction::Collect(_));
                assert_eq!(report.next_step == Some(NextStep::AnswerPrompt), prompts);
            }
        }
    }
}

#[test]
fn both_ids_are_one_only_if_they_are_alike() {
    let both = |other: &str| {
        CHECKOUT.replace(r#""transactiontxt""#, &format!(r#""transactionId":"{other}","transactiontxt""#))
    };
    let accepted = submitted(&instructions()[0], 200, &both(THEIRS)).unwrap();
    assert_eq!(accepted.provider_refs.find("transaction"), Some(THEIRS));
    let error = submitted(&instructions()[0], 200, &both("KYAAPI677834")).unwrap_err();
    assert_eq!((error.effect(), error.kind()), (Effect::Unknown, ErrorKind::Unreadable));
    let nameless = r#"{"status":"Success","status_code":"0000"}"#;
    let report = submitted(&instructions()[0], 200, nameless).unwrap();
    assert!(report.provider_refs.is_empty(), "accepted, and nobody can ask about it");
    assert!(report.remedy.unwrap().contains("do not pay again"));
    assert!(accepted.remedy.is_none());
}

#[test]
fn what_contradicts_itself_is_unknown() {
    let with = |fields: &str| format!(r#"{{{fields},"transactiontxt":"what"}}"#);
    for instruction in instructions() {
        for fields in [
            r#""status":"Failed","status_code":"0000""#,
            r#""status":"Failed","status_code":"200""#,
            r#""status":"Success","status_code":"1104""#,
            r#""status":"Pending","status_code":"1107""#,
            r#""status":"200","status_code":"1107","merchant_reference":"KYA1""#,
            r#""status":"0000","status_code":"1107""#,
            r#""status":"Posted","status_code":"1107""#,
            r#""status":true,"status_code":"1107""#,
            r#""status":"1104","status_code":"1107""#,
            r#""status":"1107","status_code":"0000""#,
            r#""status":"6001","status_code":"200""#,
            r#""status":"7777","status_code":"1100""#,
            r#""status":"Failed","status_code":"1107","status_code":"0000""#,
            r#""status":"Success","status_code":"0000","status_code":"1107""#,
            r#""status":"Success","Status":"Failed","status_code":"0000""#,
            r#""status":"Success","status":"Failed","status_code":"0000""#,
            r#""status":"Failed","status":"Success","status_code":"1107""#,
            r#""status":["Success"],"status_code":"0000""#,
            r#""status":"Success","status_code":["0000"]"#,
            r#""status":"Success","status_code":{"a":"0000"}"#,
            r#""status":"Success","status_code":"0000","transactionId":{}"#,
            r#""status":"Success""#,
            r#""status":"200""#,
            r#""status":"1107""#,
            r#""status":"1107","status_code":null"#,
            r#""Account_Bal":1"#,
        ] {
            for status in [200, 400, 500] {
                let error = submitted(&instruction, status, &with(fields)).unwrap_err();
                assert_eq!(error.effect(), Effect::Unknown, "{status} {fields}");
            }
        }
    }
}

#[test]
fn an_acceptance_comes_with_a_2xx() {
    for (instruction, body) in
        [(&instructions()[0], CHECKOUT), (&instructions()[3], AIRTIME), (&instructions()[4], BILL)]
    {
        for (status, is_accepted) in
            [(200, true), (201, true), (202, true), (400, false), (401, false), (500, false)]
        {
            match submitted(instruction, status, body) {
                Ok(report) => assert!(is_accepted && report.state == State::Pending, "{status}"),
                Err(error) => assert!(!is_accepted && error.effect() == Effect::Unknown, "{status}: {error}"),
            }
        }
    }
}
