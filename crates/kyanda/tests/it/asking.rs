//! What is known after asking about a transaction.

use malipo_core::{
    Answer, Effect, Error, ErrorKind, Good, GoodKind, Money, Network, Operation, Provider, Report, State,
    Trust,
};

use crate::subject::{
    AIRTIME, THEIRS, answered, category, kyanda, reference, refusal, terms, ticket, to_wallet, told, voucher,
};

fn asked(operation: Operation, status: u16, body: &str) -> Result<Answer, Error> {
    let (kyanda, transport) = kyanda(status, body.to_owned());
    let outcome = pollster::block_on(kyanda.status(&ticket(operation)));
    assert_eq!(transport.requests().len(), 1);
    outcome
}

fn known(operation: Operation, body: &str) -> Report {
    match asked(operation, 200, body) {
        Ok(Answer::Known(report)) => report,
        other => panic!("{body}: {other:?}"),
    }
}

/// A transaction of airtime with these words and codes; no code where there is none.
fn state(outer: &str, word: &str, code: &str) -> State {
    let told = told("UtilityPayment", word, code).replace(r#""status_code":"","#, "");
    known(Operation::Airtime, &format!(r#"{{"status":"{outer}","details":{told}}}"#)).state
}

#[test]
fn the_word_decides_and_a_code_that_disagrees_leaves_it_open() {
    for (outer, word, code, expected) in [
        ("200", "Success", "", State::Settled),
        ("0000", "Success", "", State::Settled),
        ("200", "success", "0000", State::Settled),
        ("200", "SUCCESS", "0000", State::Settled),
        ("Success", "Success", "0000", State::Settled),
        ("200", "Success", "200", State::Pending),
        ("200", "Success", "1100", State::Pending),
        ("200", "Success", "1107", State::Pending),
        ("200", "Success", "5000", State::Pending),
        ("200", "Success", "7777", State::Pending),
        ("1100", "Success", "0000", State::Pending),
        ("1107", "Success", "0000", State::Pending),
        ("Failed", "Success", "0000", State::Pending),
        ("200", "Failed", "", State::Failed),
        ("0000", "Failed", "1107", State::Failed),
        ("200", "failed", "1105", State::Failed),
        ("200", "Failed", "1106", State::Failed),
        ("200", "Failed", "1101", State::Failed),
        ("200", "Failed", "1104", State::Failed),
        ("1107", "Failed", "", State::Failed),
        ("1107", "Failed", "1107", State::Failed),
        ("8001", "Failed", "", State::Failed),
        ("200", "Failed", "0000", State::Pending),
        ("200", "Failed", "200", State::Pending),
        ("200", "Failed", "5000", State::Pending),
        ("5000", "Failed", "", State::Pending),
        ("5000", "Failed", "1107", State::Pending),
        ("200", "Failed", "8006", State::Pending),
        ("200", "Failed", "9005", State::Pending),
        ("200", "Failed", "7777", State::Pending),
        ("7777", "Failed", "", State::Pending),
        ("200", "Pending", "", State::Pending),
        ("200", "Pending", "0000", State::Pending),
        ("200", "Pending", "1107", State::Pending),
        ("200", "Reversed", "0000", State::Pending),
        ("200", "Completed", "0000", State::Pending),
        ("200", "Cancelled", "1107", State::Pending),
        ("200", "", "0000", State::Pending),
        ("200", "", "1107", State::Pending),
    ] {
        assert_eq!(state(outer, word, code), expected, "{outer} {word:?} {code:?}");
    }
}

#[test]
fn what_refuses_the_question_says_nothing_of_the_payment() {
    for code in ["1101", "1102", "1103", "1104", "1105", "1106", "1108", "1109"] {
        for (word, own) in [("Failed", ""), ("Failed", code), ("Failed", "1107"), ("Success", "0000")] {
            let told = told("UtilityPayment", word, own).replace(r#""status_code":"","#, "");
            for outer in [
                format!(r#""status":"{code}""#),
                format!(r#""status_code":"{code}""#),
                format!(r#""status":"Failed","status_code":"{code}""#),
            ] {
                let body = format!("{{{outer},\"details\":{told}}}");
                let error = asked(Operation::Airtime, 200, &body).unwrap_err();
                assert_eq!((error.effect(), error.code()), (Effect::Unchanged, Some(code)), "{body}");
                assert!(error.remedy().is_some());
            }
        }
    }
}

#[test]
fn a_refusal_is_not_settled_by_a_word_of_its_own() {
    let told = told("UtilityPayment", "Success", "0000");
    for outer in [
        r#""status":"Failed","status_code":"0000""#,
        r#""status":"Failed","status_code":"1107""#,
        r#""status":"Success","status_code":"1104""#,
        r#""status":"200","status_code":"1104""#,
        r#""status":"1104","status_code":"200""#,
        r#""status":["200"]"#,
        r#""status":"200","status":"1104""#,
    ] {
        let report = known(Operation::Airtime, &format!("{{{outer},\"details\":{told}}}"));
        assert_eq!(report.state, State::Pending, "{outer}");
    }
    let nothing = known(Operation::Airtime, &format!(r#"{{"details":{told}}}"#));
    assert_eq!(nothing.state, State::Settled);
}

#[test]
fn a_success_without_a_positive_amount_is_not_settled() {
    let paid = answered("UtilityPayment", "Success", "0000");
    for amount in [
        r#""amount":"0""#,
        r#""amount":"-1500""#,
        r#""amount":0"#,
        r#""amount":"much""#,
        r#""amount":1e3"#,
        r#""amount":"1,500""#,
        r#""amount":null"#,
        r#""amount":["1500"]"#,
        r#""amount":"1500","amount":"1501""#,
        r#""amount":"1500","Amount":"1501""#,
        r#""Other":"1500""#,
    ] {
        let report = known(Operation::Airtime, &paid.replace(r#""amount":"1500""#, amount));
        assert_eq!((report.state, report.receipt), (State::Pending, None), "{amount}");
        assert!(report.remedy.is_some(), "{amount}");
    }
    for amount in [r#""Amount":1500"#, r#""amount":1500.00"#, r#""amount":"1500","Amount":"1500""#] {
        let report = known(Operation::Airtime, &paid.replace(r#""amount":"1500""#, amount));
        assert_eq!((report.state, report.amount), (State::Settled, Money::kes("1500").ok()), "{amount}");
    }
}

#[test]
fn every_spelling_is_read_and_two_that_differ_decide_nothing() {
    let body = r#"{"status":"0000","details":{"Category":"UtilityPayment","Phone":"0715330000","details":[],"requestMetadata":[],"Status":"Success","Amount":1500,"Posted_Time":"01-01-2023 00:00 am"}}"#;
    let report = known(Operation::Bill, body);
    assert_eq!((report.state, report.amount), (State::Settled, Money::kes("1500").ok()));
    assert_eq!(report.party.unwrap().account.as_deref(), Some("0715330000"));
    assert_eq!(report.at.unwrap().to_string(), "2022-12-31T21:00:00Z");
    assert_eq!((report.operation, report.reference), (Some(Operation::Bill), Some(reference("PAY-1"))));
    assert_eq!(report.provider_refs.find("transaction"), Some(THEIRS), "asked about, so known");
    assert_eq!(report.trust, Trust::Answered);

    let paid = answered("UtilityPayment", "Success", "0000");
    for (field, twice) in [
        (r#""status":"Success""#, r#""status":"Success","status":"Failed""#),
        (r#""status":"Success""#, r#""status":"Failed","status":"Success""#),
        (r#""status":"Success""#, r#""Status":"Failed","status":"Success""#),
        (r#""status_code":"0000""#, r#""status_code":"0000","status_code":"1107""#),
        (r#""destination":"0715330000""#, r#""destination":"0715330000","destination":"0715330001""#),
        (r#""transactionRef":"KYAAPI677833""#, r#""transactionRef":"KYAAPI677833","transactionRef":"X""#),
    ] {
        let body = paid.replace(field, twice);
        assert_ne!(body, paid);
        assert_eq!(known(Operation::Airtime, &body).state, State::Pending, "{twice}");
        let same = format!("{field},{field}");
        assert_eq!(known(Operation::Airtime, &paid.replace(field, &same)).state, State::Settled, "{same}");
    }
}

#[test]
fn an_answer_about_another_payment_is_none() {
    let paid = |operation| answered(category(operation), "Success", "0000");
    for operation in
        [Operation::PayOut, Operation::Collect, Operation::Airtime, Operation::Bill, Operation::Voucher]
    {
        assert_eq!(known(operation, &paid(operation)).state, State::Settled, "{operation}");
        for body in [
            paid(operation).replace(THEIRS, "KYAAPI000000"),
            paid(operation).replace(r#""requestMetadata":{}"#, r#""requestMetadata":{"reference":"PAY-2"}"#),
            paid(if operation == Operation::PayOut { Operation::Collect } else { Operation::PayOut }),
            paid(operation).replace(r#""MerchantID":"kyanda""#, r#""MerchantID":"another""#),
            paid(operation).replace(r#""MerchantID":"kyanda""#, r#""MerchantID":"kyanda","MerchantID":"x""#),
            paid(operation).replace(r#""MerchantID":"kyanda""#, r#""MerchantID":["kyanda"]"#),
        ] {
            let error = asked(operation, 200, &body).unwrap_err();
            assert_eq!((error.effect(), error.kind()), (Effect::Unchanged, ErrorKind::Unlisted), "{body}");
        }
    }
    for ours in ["", r#""MerchantID":"","#, r#""MerchantID":"Kyanda","#] {
        let body = paid(Operation::PayOut).replace(r#""MerchantID":"kyanda","#, ours);
        assert_eq!(known(Operation::PayOut, &body).state, State::Settled, "{ours}");
    }
    let unknown = paid(Operation::PayOut).replace("MobilePayout", "CardPayout");
    assert_eq!(known(Operation::PayOut, &unknown).state, State::Settled, "more will come");
    let own = paid(Operation::Collect)
        .replace(r#""requestMetadata":{}"#, r#""requestMetadata":{"reference":"PAY-1"}"#);
    assert_eq!(known(Operation::Collect, &own).reference, Some(reference("PAY-1")));
}

#[test]
fn only_7001_says_that_there_is_no_such_transaction() {
    for (status, body) in [
        (400, refusal("7001")),
        (200, refusal("7001")),
        (404, r#"{"status":"7001","details":{}}"#.to_owned()),
        (404, r#"{"status":"7001","details":[ ]}"#.to_owned()),
        (404, r#"{"status":"7001","details":null}"#.to_owned()),
        (404, r#"{"status":"7001","status_code":7001,"details":{},"details":[]}"#.to_owned()),
    ] {
        assert!(matches!(asked(Operation::PayOut, status, &body), Ok(Answer::NoSuchReference)), "{body}");
    }
    let paid = answered("MobilePayout", "Success", "0000");
    for (status, body) in [
        (200, refusal("7001").replace("Failed", "Success")),
        (400, refusal("7001").replace('{', r#"{"status_code":"1104","#)),
        (200, r#"{"status":"200","status_code":"7001"}"#.to_owned()),
        (200, r#"{"status":"7001","status_code":"200"}"#.to_owned()),
        (500, refusal("7001")),
        (200, format!(r#"{{"status":"7001","details":[{}]}}"#, told("MobilePayout", "Success", "0000"))),
        (200, r#"{"status":"7001","details":{"a":1},"details":{"a":2}}"#.to_owned()),
        (200, r#"{"status":"7001","details":{"a":1},"details":null}"#.to_owned()),
        (200, r#"{"status":"7001","details":[1],"details":{}}"#.to_owned()),
        (200, r#"{"status":"7001","details":""}"#.to_owned()),
        (200, r#"{"status":"7001","details":"paid"}"#.to_owned()),
        (200, r#"{"status":"7001","details":false}"#.to_owned()),
        (404, String::new()),
        (404, "<html>".to_owned()),
        (404, format!("[{}]", refusal("7001"))),
        (404, r#"{"statusCode":404,"message":"Cannot POST /billing"}"#.to_owned()),
        (400, refusal("1104")),
        (400, refusal("7777")),
        (400, paid.replace(r#""status":"200""#, r#""status":"7001""#)),
        (400, paid.clone()),
        (500, paid),
        (200, AIRTIME.to_owned()),
        (200, r#"{"status":"200","details":{}}"#.to_owned()),
        (200, r#"{"status":"200","details":[]}"#.to_owned()),
        (200, r#"{"status":"200","details":{"message":"nothing of the state"}}"#.to_owned()),
        (200, r#"{"status":"200"}"#.to_owned()),
        (200, "{}".to_owned()),
    ] {
        let error = asked(Operation::PayOut, status, &body).unwrap_err();
        assert_eq!(error.effect(), Effect::Unchanged, "{status} {body}");
    }
    let beside =
        answered("MobilePayout", "Success", "0000").replace(r#""status":"200""#, r#""status":"7001""#);
    assert_eq!(known(Operation::PayOut, &beside).state, State::Pending, "there is one after all");
}

#[test]
fn what_was_bought_is_told_with_the_answer() {
    let details = r#""details":{"tokens":"1111-2222","units":"12.5"}"#;
    let body = answered("UtilityPayment", "Success", "0000");
    let body = body.replace(r#""details":{"biller_Receipt":"SFC-0001"}"#, details);
    let goods = known(Operation::Bill, &body).goods;
    assert_eq!(values(&goods), [(GoodKind::PowerToken, "1111-2222"), (GoodKind::Units, "12.5")]);
}

fn values(goods: &[Good]) -> Vec<(GoodKind, &str)> {
    goods.iter().map(|good| (good.kind, good.value.expose())).collect()
}

fn with_details(operation: Operation, details: &str) -> Report {
    let body = answered(category(operation), "Success", "0000");
    let changed = body.replace(r#""details":{"biller_Receipt":"SFC-0001"}"#, details);
    assert_ne!(changed, body);
    known(operation, &changed)
}

#[test]
fn whatever_could_be_spent_of_a_voucher_is_a_good() {
    let details = r#""details":{"one":"1234 5678 9012 3456","Pin":"77","voucher_pin":"88","token":"99","two":"S 1","SerialNo":"5"}"#;
    let report = with_details(Operation::Voucher, details);
    let pin = GoodKind::VoucherPin;
    let serial = GoodKind::VoucherSerial;
    let expected =
        [(pin, "1234 5678 9012 3456"), (pin, "77"), (pin, "88"), (pin, "99"), (serial, "S 1"), (serial, "5")];
    assert_eq!(values(&report.goods), expected);
    assert!(report.details.iter().all(|(name, _)| !name.starts_with("details.")));
}

#[test]
fn what_is_told_of_a_payout_or_a_collection_is_no_voucher() {
    let details = r#""details":{"one":"QX12","two":"Kyanda Reference: KYAAPI1","pin":"12","serial":"S-1"}"#;
    for operation in [Operation::Collect, Operation::PayOut] {
        let report = with_details(operation, details);
        assert!(report.goods.is_empty(), "{operation}: {:?}", report.goods);
        assert_eq!(report.details.find("details.one"), Some("QX12"));
    }
    let nameless =
        answered("", "Success", "0000").replace(r#""details":{"biller_Receipt":"SFC-0001"}"#, details);
    assert!(known(Operation::Collect, &nameless).goods.is_empty(), "the ticket knows what it was");
}

#[test]
fn goods_come_with_an_acceptance_as_well() {
    let body = AIRTIME.replace('}', r#","details":{"one":"12 34"}}"#);
    for (instruction, expected) in [
        (voucher(Network::Safaricom, terms("PAY-1", "100")), vec![(GoodKind::VoucherPin, "12 34")]),
        (to_wallet(Network::Safaricom, terms("PAY-1", "100")), vec![]),
    ] {
        let (kyanda, _) = kyanda(200, body.clone());
        let report = pollster::block_on(kyanda.submit(&instruction)).unwrap();
        assert_eq!(values(&report.goods), expected);
    }
}
