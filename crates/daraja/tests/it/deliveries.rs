//! What Daraja posts, in the odd shapes it has been seen in.

use std::sync::Arc;

use malipo_core::{
    CallbackError, Callbacks, Delivery, DeliveryPurpose, Money, Read, Report, State, Storage, Timestamp,
    Trust, Unanswered,
};
use malipo_daraja::Daraja;
use malipo_testkit::{ManualEnv, ScriptedTransport};
use proptest::prelude::*;

use crate::subject::{config, delivery, reference};

fn read(delivery: &Delivery) -> Result<Read, CallbackError> {
    Daraja::new(config(), Arc::new(ScriptedTransport::new()), Arc::new(ManualEnv::new())).read(delivery)
}

fn report(purpose: DeliveryPurpose, body: &str) -> Report {
    match read(&delivery(purpose, body)) {
        Ok(Read::Report(report)) => report,
        other => panic!("{body}: {other:?}"),
    }
}

fn unanswered(purpose: DeliveryPurpose, body: &str) -> Unanswered {
    match read(&delivery(purpose, body).addressed_to(reference("PAY-1"))) {
        Ok(Read::Unanswered(unanswered)) => unanswered,
        other => panic!("{body}: {other:?}"),
    }
}

fn success(parameters: &str) -> String {
    format!(
        r#"{{"Result":{{"ResultType":0,"ResultCode":0,"OriginatorConversationID":"PAY-1","TransactionID":"NLJ41HAY6Q",
            "ResultParameters":{parameters}}}}}"#
    )
}

#[test]
fn one_parameter_needs_no_list() {
    let body = success(r#"{"ResultParameter":{"Key":"TransactionAmount","Value":10}}"#);
    let report = report(DeliveryPurpose::Result, &body);
    assert_eq!((report.state, report.amount), (State::Settled, Money::kes("10").ok()));
    assert_eq!(
        report.receipt.as_deref(),
        Some("NLJ41HAY6Q"),
        "the transaction's id stands in for the receipt"
    );
}

#[test]
fn a_result_that_names_what_can_be_no_payout_of_ours_decides_nothing() {
    let paid = success(r#"{"ResultParameter":{"Key":"TransactionAmount","Value":10}}"#);
    let failed = r#"{"Result":{"ResultType":0,"ResultCode":2040,"OriginatorConversationID":"PAY-1"}}"#;
    for (ours, state) in [(&*paid, State::Settled), (failed, State::Failed)] {
        assert_eq!(report(DeliveryPurpose::Result, ours).state, state, "{ours}");
        let another = ours.replace("PAY-1", "of another: PAY-1");
        let addressed = delivery(DeliveryPurpose::Result, &another).addressed_to(reference("PAY-1"));
        let Ok(Read::Report(report)) = read(&addressed) else { panic!("{another}") };
        assert_eq!(report.state, State::Pending, "{another}");
    }
}

#[test]
fn values_come_as_text_number_nothing_or_twice() {
    let body = success(
        r#"{"ResultParameter":[
            {"Key":"TransactionAmount"},
            {"Key":"TransactionAmount","Value":null},
            {"Key":"TransactionAmount","Value":""},
            {"Key":"TransactionAmount","Value":"10.00"},
            {"Key":"TransactionAmount","Value":"10.00"},
            {"Key":"TransactionReceipt","Value":"NLJ41HAY6R"},
            {"Key":"B2CUtilityAccountAvailableFunds","Value":"10116"},
            {"Key":"B2CWorkingAccountAvailableFunds","Value":{"a":1}},
            {"Key":"ReceiverPartyPublicName","Value":"0708374149 - O'Brien - Otieno"},
            {"Key":"TransactionCompletedDateTime","Value":"yesterday"},
            {"Key":42,"Value":42},
            ["TransactionAmount", 99],
            "not even an object"]}"#,
    );
    let report = report(DeliveryPurpose::Result, &body);
    assert_eq!((report.state, report.amount), (State::Settled, Money::kes("10").ok()));
    assert_eq!(report.receipt.as_deref(), Some("NLJ41HAY6R"));
    assert_eq!((report.balances.len(), report.at), (1, None));
    let party = report.party.unwrap();
    assert_eq!(
        (party.account.as_deref(), party.name.as_deref()),
        (Some("0708374149"), Some("O'Brien - Otieno"))
    );
}

#[test]
fn what_contradicts_itself_settles_and_fails_nothing() {
    let paid = include_str!("fixtures/result_success.json");
    let twice = |key: &str, value: &str| {
        let extra = format!(r#""ResultParameter": [{{"Key": "{key}", "Value": {value}}},"#);
        report(DeliveryPurpose::Result, &paid.replace(r#""ResultParameter": ["#, &extra)).state
    };
    assert_eq!(twice("TransactionAmount", "10"), State::Settled, "the same again is no contradiction");
    assert_eq!(twice("TransactionAmount", "99"), State::Pending);
    let failed_with_receipt = paid.replace(r#""ResultCode": 0"#, r#""ResultCode": 1"#);
    assert_eq!(report(DeliveryPurpose::Result, &failed_with_receipt).state, State::Pending);
    let completed = include_str!("fixtures/status_completed.json");
    let both = completed.replace(
        r#"{"Key": "TransactionStatus", "Value": "Completed"},"#,
        r#"{"Key": "TransactionStatus", "Value": "Completed"}, {"Key": "TransactionStatus", "Value": "Declined"},"#,
    );
    for purpose in [DeliveryPurpose::Answer, DeliveryPurpose::Result] {
        assert_eq!(report(purpose, &both).state, State::Pending, "never taken for the payment's own result");
    }
}

#[test]
fn an_amount_that_nobody_pays_settles_nothing() {
    let paid = include_str!("fixtures/result_success.json");
    let completed = include_str!("fixtures/status_completed.json");
    for amount in ["0", "-10", "0.00"] {
        let paid = paid.replace(
            r#""Value": 10
"#,
            &format!(
                r#""Value": {amount}
"#
            ),
        );
        let paid = report(DeliveryPurpose::Result, &paid);
        assert_eq!((paid.state, paid.amount, paid.receipt), (State::Pending, None, None), "{amount}");
        let completed = completed.replace("1500.00", amount);
        assert_eq!(report(DeliveryPurpose::Answer, &completed).state, State::Pending, "{amount}");
    }
}

#[test]
fn a_list_is_not_read_as_the_object_that_its_items_could_fill() {
    for list in
        [r#"[[0,2001,"x","PAY-1"]]"#, r#"[{"ResultType":0,"ResultCode":2001}]"#, r#"{"Result":[0,2001]}"#]
    {
        for purpose in [DeliveryPurpose::Result, DeliveryPurpose::Answer, DeliveryPurpose::Balance] {
            let read = read(&delivery(purpose, list));
            assert!(matches!(read, Err(CallbackError::Unreadable(_))), "{list}: {read:?}");
        }
    }
}

#[test]
fn an_error_repeats_nothing_of_the_delivery() {
    let credential = crate::subject::CREDENTIAL;
    let twice = serde_json::Value::from(format!(r#"{{"SecurityCredential":"{credential}"}}"#)).to_string();
    for body in [twice, format!("{{{credential}"), credential.to_owned()] {
        let error = read(&delivery(DeliveryPurpose::Result, &body)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("Planted"), "{error}");
        let timeout = report(DeliveryPurpose::Timeout, &body);
        let kept = String::from_utf8(timeout.raw.bytes().to_vec()).unwrap();
        assert!(!kept.contains("Planted"), "{kept}");
    }
}

#[test]
fn a_success_without_a_readable_amount_is_not_settled() {
    for parameters in [
        "null",
        "{}",
        r#""""#,
        r#"{"ResultParameter":[]}"#,
        r#"{"ResultParameter":[{"Key":"TransactionAmount","Value":"1e3"}]}"#,
        r#"{"ResultParameter":[{"Key":"TransactionAmount","Value":"10.005"}]}"#,
        r#"{"ResultParameter":[{"Key":"TransactionAmount","Value":"1,000"}]}"#,
    ] {
        let report = report(DeliveryPurpose::Result, &success(parameters));
        assert_eq!(
            (report.state, report.amount, report.receipt),
            (State::Pending, None, None),
            "{parameters}"
        );
    }
}

#[test]
fn a_message_that_more_follow_is_not_final() {
    let paid =
        include_str!("fixtures/result_success.json").replace(r#""ResultType": 0"#, r#""ResultType": 1"#);
    let refused =
        include_str!("fixtures/result_failure.json").replace(r#""ResultType": 0"#, r#""ResultType": "1""#);
    for body in [paid, refused] {
        assert_eq!(report(DeliveryPurpose::Result, &body).state, State::Pending);
    }
}

#[test]
fn an_answer_about_a_payment_is_read_from_its_parameters() {
    let completed = include_str!("fixtures/status_completed.json");
    let report_of = |body: &str| report(DeliveryPurpose::Answer, body);
    let report = report_of(completed);
    assert_eq!((report.state, report.amount), (State::Settled, Money::kes("1500").ok()));
    assert_eq!(report.reference, Some(reference("PAY-1")), "not the question's own id");
    assert_eq!(report.provider_refs.find("conversation"), Some("AG_20261122_0000a1b2c3d4e5f60718"));
    assert_eq!(report.receipt.as_deref(), Some("QKA81LK5CY"));
    assert_eq!(report.details.find("charges"), Some("Fee For B2C Payment|KES|22.40"));
    assert_eq!(report.at, Timestamp::parse_rfc3339("2026-11-22T07:11:15Z"));
    let party = report.party.unwrap();
    assert_eq!(
        (party.account.as_deref(), party.name.as_deref()),
        (Some("254728762287"), Some("Jane Anne - Doe"))
    );

    for (status, state) in [
        ("Cancelled", State::Failed),
        ("Declined", State::Failed),
        ("Expired", State::Failed),
        ("declined", State::Failed),
        ("Initiated", State::Pending),
        ("Authorized", State::Pending),
        ("Pending Authorized", State::Pending),
        ("Unheard Of", State::Pending),
    ] {
        let report = report_of(&completed.replace(r#""Completed""#, &format!("{status:?}")));
        assert_eq!((report.state, report.receipt, report.code.as_deref()), (state, None, Some(status)));
    }
    assert_eq!(report_of(&completed.replace("1500.00", "?")).state, State::Pending, "completed, but what?");
}

#[test]
fn the_answer_to_a_question_is_never_taken_for_the_result_of_a_payment() {
    let completed = include_str!("fixtures/status_completed.json");
    let declined = completed.replace(r#""Completed""#, r#""Declined""#);
    assert_eq!(report(DeliveryPurpose::Result, &declined).state, State::Failed, "whatever URL it came to");
    let balances = read(&delivery(DeliveryPurpose::Result, include_str!("fixtures/balances.json"))).unwrap();
    assert!(matches!(balances, Read::Balances(_)));
    let paid =
        read(&delivery(DeliveryPurpose::Answer, include_str!("fixtures/result_success.json"))).unwrap();
    assert!(matches!(paid, Read::Unanswered(_)), "no status in it: no answer");
}

#[test]
fn a_question_without_an_answer_changes_nothing() {
    let not_found = unanswered(DeliveryPurpose::Answer, include_str!("fixtures/status_not_found.json"));
    assert_eq!((not_found.reference, not_found.code.as_deref()), (Some(reference("PAY-1")), Some("2033")));
    assert!(not_found.remedy.is_some());
    for (purpose, body) in [
        (DeliveryPurpose::Answer, include_str!("fixtures/result_failure.json")),
        (DeliveryPurpose::Balance, include_str!("fixtures/result_failure.json")),
        (DeliveryPurpose::AnswerTimeout, include_str!("fixtures/result_failure.json")),
        (DeliveryPurpose::AnswerTimeout, "{}"),
        (DeliveryPurpose::AnswerTimeout, "null"),
        (DeliveryPurpose::AnswerTimeout, ""),
    ] {
        assert_eq!(unanswered(purpose, body).reference, Some(reference("PAY-1")));
    }
}

#[test]
fn an_answer_that_is_not_the_last_or_went_wrong_says_nothing() {
    let completed = include_str!("fixtures/status_completed.json");
    let balances = include_str!("fixtures/balances.json");
    for (purpose, body) in [
        (DeliveryPurpose::Answer, completed.replace(r#""ResultType": 0"#, r#""ResultType": 1"#)),
        (DeliveryPurpose::Answer, completed.replace(r#""ResultCode": 0"#, r#""ResultCode": 1"#)),
        (DeliveryPurpose::Balance, balances.replace(r#""ResultType": "0""#, r#""ResultType": "1""#)),
        (DeliveryPurpose::Balance, balances.replace(r#""ResultCode": "0""#, r#""ResultCode": "1""#)),
    ] {
        assert_eq!(unanswered(purpose, &body).reference, Some(reference("PAY-1")));
    }
}

#[test]
fn balances_are_read_account_by_account() {
    let read = read(&delivery(DeliveryPurpose::Balance, include_str!("fixtures/balances.json"))).unwrap();
    let Read::Balances(report) = read else { panic!("{read:?}") };
    let balances: Vec<_> = report
        .balances
        .iter()
        .map(|balance| (balance.account.as_str(), balance.available.to_string()))
        .collect();
    assert_eq!(
        balances,
        [
            ("Working Account", "KES 700,000.00".to_owned()),
            ("Utility Account", "KES 228,037.50".to_owned()),
            ("Charges Paid Account", "KES -1,540.00".to_owned()),
        ]
    );
    assert_eq!((report.at, report.trust), (Timestamp::parse_rfc3339("2026-11-22T07:11:15Z"), Trust::Claimed));
}

#[test]
fn a_queue_timeout_is_open_whatever_it_holds() {
    for (body, id) in [
        (include_str!("fixtures/result_failure.json"), Some("29112-34801843-1")),
        (include_str!("fixtures/result_success.json"), Some("10571-7910404-1")),
        (r#"{"OriginatorConversationID":"PAY-9","Amount":"10"}"#, Some("PAY-9")),
        (r#"{"anything":["else"]}"#, None),
        ("{}", None),
        ("null", None),
        ("17", None),
        (r#""text""#, None),
        ("[]", None),
        ("<html>", None),
        ("", None),
    ] {
        let timeout = report(DeliveryPurpose::Timeout, body);
        assert_eq!((timeout.state, timeout.reference), (State::Pending, id.map(reference)), "{body}");
        assert!(timeout.remedy.unwrap().contains("ask"));
    }
}

#[test]
fn a_queue_timeout_that_echoes_our_request_does_not_keep_its_credential() {
    let credential = crate::subject::CREDENTIAL;
    let echo = format!(r#"{{"OriginatorConversationID":"PAY-1","SecurityCredential":"{credential}"}}"#);
    let timeout = report(DeliveryPurpose::Timeout, &echo);
    let kept = String::from_utf8(timeout.raw.bytes().to_vec()).unwrap();
    assert_eq!(kept, r#"{"OriginatorConversationID":"PAY-1","SecurityCredential":"[secret]"}"#);
}

#[test]
fn whether_more_follows_is_never_guessed() {
    let paid = include_str!("fixtures/result_success.json");
    let with = |kind: &str| paid.replace(r#""ResultType": 0,"#, kind);
    assert_eq!(report(DeliveryPurpose::Result, &with("")).state, State::Settled);
    assert_eq!(report(DeliveryPurpose::Result, &with(r#""ResultType": "","#)).state, State::Pending);
    for odd in ["{}", "[0]", r#"{"a":0}"#] {
        let body = with(&format!(r#""ResultType": {odd},"#));
        let read = read(&delivery(DeliveryPurpose::Result, &body));
        assert!(matches!(read, Err(CallbackError::Unreadable(_))), "{odd}");
    }
}

#[test]
fn the_address_says_which_payment_where_the_body_does_not() {
    let silent = r#"{"Result":{"ResultCode":1}}"#;
    let Ok(Read::Report(report)) =
        read(&delivery(DeliveryPurpose::Result, silent).addressed_to(reference("PAY-1")))
    else {
        panic!()
    };
    assert_eq!((report.reference, report.trust), (Some(reference("PAY-1")), Trust::Addressed));

    let other = r#"{"Result":{"ResultCode":1,"OriginatorConversationID":"16740-34861180-1"}}"#;
    let Ok(Read::Report(report)) =
        read(&delivery(DeliveryPurpose::Result, other).addressed_to(reference("PAY-1")))
    else {
        panic!()
    };
    assert_eq!(report.reference, Some(reference("16740-34861180-1")), "what it claims, for whoever binds it");
    assert_eq!(report.provider_refs.find("originator"), Some("16740-34861180-1"));
}

#[test]
fn the_answer_is_what_daraja_expects() {
    let daraja = Daraja::new(config(), Arc::new(ScriptedTransport::new()), Arc::new(ManualEnv::new()));
    let stored = daraja.reply(Storage::Stored);
    assert_eq!(
        (stored.status, stored.body.as_ref()),
        (200, br#"{"ResultCode":0,"ResultDesc":"Accepted"}"#.as_slice())
    );
    assert_eq!(daraja.reply(Storage::NotStored).status, 503);
}

proptest! {
    /// Bytes changed at random never turn a paid payout into a failed one, other than by spelling another code, and
    /// never settle another amount unless the amount itself was hit.
    #[test]
    fn a_damaged_success_is_never_failed_nor_of_another_amount(at in 0_usize..2000, byte: u8) {
        let whole = include_bytes!("fixtures/result_success.json");
        let at = at % whole.len();
        let mut body = whole.to_vec();
        body[at] = byte;
        let near = String::from_utf8_lossy(&whole[at.saturating_sub(20)..at]).into_owned();
        let damaged = Delivery::new(DeliveryPurpose::Result, malipo_core::Headers::new(), body);
        if let Ok(Read::Report(report)) = read(&damaged) {
            prop_assert!(report.state != State::Failed || near.contains("ResultCode"), "{report:?}");
            if report.state == State::Settled && !near.contains("\"Value\": ") {
                prop_assert_eq!(report.amount, Money::kes("10").ok());
            }
        }
    }

    #[test]
    fn a_damaged_refusal_is_never_paid(at in 0_usize..600, byte: u8) {
        // With all that a success has but its code.
        let mut body = include_str!("fixtures/result_success.json")
            .replace(r#""ResultCode": 0"#, r#""ResultCode": 2001"#)
            .into_bytes();
        let at = at % body.len();
        let hits_the_code = String::from_utf8_lossy(&body[at.saturating_sub(20)..at]).contains("ResultCode");
        body[at] = byte;
        let damaged = Delivery::new(DeliveryPurpose::Result, malipo_core::Headers::new(), body);
        if let Ok(Read::Report(report)) = read(&damaged) {
            prop_assert!(report.state != State::Settled || hits_the_code, "{report:?}");
        }
    }
}
