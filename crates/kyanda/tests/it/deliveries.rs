//! What Kyanda posts, read as what it claims.

use malipo_core::{
    CallbackError, Callbacks, DeliveryPurpose, GoodKind, Money, Operation, Read, Report, State, Storage,
    Trust,
};
use proptest::prelude::*;

use crate::subject::{THEIRS, delivery, kyanda, notice, reference, told};

fn read(body: &str) -> Result<Read, CallbackError> {
    kyanda(500, "").0.read(&notice(body))
}

fn report(body: &str) -> Report {
    match read(body).unwrap() {
        Read::Report(report) => report,
        other => panic!("{other:?}"),
    }
}

/// A notice of something bought, with these details.
fn with_details(details: &str) -> Report {
    let bought = told("UtilityPayment", "Success", "0000");
    report(&bought.replace(r#""details":{"biller_Receipt":"SFC-0001"}"#, &format!(r#""details":{details}"#)))
}

fn goods(report: &Report) -> Vec<(GoodKind, &str)> {
    report.goods.iter().map(|good| (good.kind, good.value.expose())).collect()
}

#[test]
fn a_notice_says_what_is_known_of_a_transaction() {
    let report = report(&told("MobilePayout", "Success", "0000"));
    assert_eq!((report.state, report.trust), (State::Settled, Trust::Claimed));
    assert_eq!(report.provider_refs.find("transaction"), Some(THEIRS));
    assert_eq!((report.operation, report.reference), (Some(Operation::PayOut), None));
    assert_eq!(report.amount, Money::kes("1500").ok());
    let party = report.party.as_ref().unwrap();
    assert_eq!((party.account.as_deref(), party.name.as_deref()), (Some("0715330000"), None));
    assert_eq!((report.code.as_deref(), report.receipt.as_deref()), (Some("0000"), Some("SFC-0001")));
    assert_eq!(report.text.unwrap().as_str(), "as documented");
    assert_eq!(report.at.unwrap().to_string(), "2023-09-23T08:20:00Z");
    assert_eq!(report.details.find("source"), Some("PaymentWallet"));
    assert!(report.remedy.is_none());
}

#[test]
fn the_category_tells_the_operation_where_it_can() {
    for (category, operation) in [
        ("MobilePayout", Some(Operation::PayOut)),
        ("BankPayout", Some(Operation::PayOut)),
        ("MpesaPayment", Some(Operation::Collect)),
        ("UtilityPayment", None),
        ("SomethingElse", None),
    ] {
        assert_eq!(report(&told(category, "Success", "0000")).operation, operation, "{category}");
    }
}

#[test]
fn the_notice_of_a_checkout_names_our_payment() {
    let paid = told("MpesaPayment", "Success", "0000");
    for (metadata, expected) in [
        (r#"{"abc":"balloon","reference":"PAY-1"}"#, Some("PAY-1")),
        (r#"{"reference":"PAY-1","reference":"PAY-1"}"#, Some("PAY-1")),
        (r#"{"reference":"PAY-1","reference":"PAY-2"}"#, None),
        (r#"{"reference":"../status"}"#, None),
        (r#"{"reference":{"a":"PAY-1"}}"#, None),
        (r#"["PAY-1"]"#, None),
        ("[]", None),
        ("{}", None),
        ("null", None),
    ] {
        let body = paid.replace(r#""requestMetadata":{}"#, &format!(r#""requestMetadata":{metadata}"#));
        assert_eq!(report(&body).reference, expected.map(reference), "{metadata}");
        // What can be no name of ours is another payment's.
        let is_odd = ["PAY-2", "../", "\"a\":"].iter().any(|odd| metadata.contains(odd));
        let expected = if is_odd { State::Pending } else { State::Settled };
        assert_eq!(report(&body).state, expected, "{metadata}");
    }
}

#[test]
fn what_was_bought_is_a_secret_and_the_rest_is_kept() {
    let power = with_details(
        r#"{"tokens":"1111-2222-3333","units":12.50,"biller_receiptNo":"0105781244210","CustomerName":"Jane Doe","meter":"14253699","blank":"","list":[1, 2]}"#,
    );
    assert_eq!(
        goods(&power),
        [
            (GoodKind::PowerToken, "1111-2222-3333"),
            (GoodKind::Units, "12.50"),
            (GoodKind::BillerReceipt, "0105781244210"),
        ]
    );
    assert_eq!(power.receipt.as_deref(), Some("0105781244210"));
    let party = power.party.as_ref().unwrap();
    assert_eq!((party.account.as_deref(), party.name.as_deref()), (Some("0715330000"), Some("Jane Doe")));
    assert_eq!(power.details.find("details.meter"), Some("14253699"));
    assert_eq!(power.details.find("details.list"), Some("[1, 2]"));
    assert_eq!(power.details.find("details.blank"), None);
    let printed = format!("{power:?}");
    for hidden in ["1111-2222", "12.50", "Jane", "14253699", "PaymentWallet"] {
        assert!(!printed.contains(hidden), "{hidden} in {printed}");
    }
    assert!(printed.contains("details.meter"), "names are no secret");

    for (details, expected) in [
        (
            r#"{"pin":"1234567890","serial":"S-1"}"#,
            [(GoodKind::VoucherPin, "1234567890"), (GoodKind::VoucherSerial, "S-1")],
        ),
        (r#"{"PIN":"12","two":"S-1"}"#, [(GoodKind::VoucherPin, "12"), (GoodKind::VoucherSerial, "S-1")]),
        (r#"{"one":12,"two":34}"#, [(GoodKind::VoucherPin, "12"), (GoodKind::VoucherSerial, "34")]),
        (
            r#"{"serial":"S-1","voucher":"12"}"#,
            [(GoodKind::VoucherSerial, "S-1"), (GoodKind::VoucherPin, "12")],
        ),
    ] {
        assert_eq!(goods(&with_details(details)), expected, "{details}");
    }
    for details in ["{}", "[]", "null", r#""text""#, r#"[{"pin":"12"}]"#] {
        assert!(with_details(details).goods.is_empty(), "{details}");
    }
}

#[test]
fn one_and_two_are_words_of_a_checkout_and_codes_of_what_is_not_known() {
    let details = r#"{"one":"Biller Receipt No: QX12","two":"Kyanda Reference: KYAAPI1"}"#;
    let notice = |category| {
        let bought = told(category, "Success", "0000");
        report(&bought.replace(r#"{"biller_Receipt":"SFC-0001"}"#, details))
    };
    for category in ["MpesaPayment", "MobilePayout", "BankPayout"] {
        let report = notice(category);
        assert_eq!(report.details.find("details.one"), Some("Biller Receipt No: QX12"));
        assert!(report.goods.is_empty());
    }
    for category in ["UtilityPayment", "SomethingElse"] {
        let report = notice(category);
        let both = [
            (GoodKind::VoucherPin, "Biller Receipt No: QX12"),
            (GoodKind::VoucherSerial, "Kyanda Reference: KYAAPI1"),
        ];
        assert_eq!(goods(&report), both, "{category}: what could be a PIN is kept like one");
        assert_eq!(report.details.find("details.one"), None);
    }
}

#[test]
fn the_receipt_is_the_telcos_before_the_billers_and_only_of_what_is_settled() {
    let both = with_details(r#"{"biller_Receipt":"SFC-0001","Telco Reference":"QK1ABC"}"#);
    assert_eq!((both.state, both.receipt.as_deref()), (State::Settled, Some("QK1ABC")));
    let failed = report(&told("UtilityPayment", "Failed", "1107"));
    assert_eq!((failed.state, failed.receipt), (State::Failed, None));
}

#[test]
fn times_are_read_as_far_as_they_can_be() {
    for (text, expected) in [
        ("23-09-2023 11.20am", Some("2023-09-23T08:20:00Z")),
        ("05-11-2021 9:19 am", Some("2021-11-05T06:19:00Z")),
        ("23-05-2021 10:29 pm", Some("2021-05-23T19:29:00Z")),
        ("23-05-2021 10:29 PM", Some("2021-05-23T19:29:00Z")),
        ("01-01-2023 00:00 am", Some("2022-12-31T21:00:00Z")),
        ("01-01-2023 12:00 am", Some("2022-12-31T21:00:00Z")),
        ("01-01-2023 12:30 pm", Some("2023-01-01T09:30:00Z")),
        ("01-01-2023 13:20 pm", Some("2023-01-01T10:20:00Z")),
        ("01-01-2023 13:20", Some("2023-01-01T10:20:00Z")),
        ("20210401091002", Some("2021-04-01T06:10:02Z")),
        ("2023-01-01T13:20:00+03:00", Some("2023-01-01T10:20:00Z")),
        ("31-02-2023 11.20am", None),
        ("01-01-2023 24:00", None),
        ("01-01-2023 10:60 am", None),
        ("01-01-2023", None),
        ("1-1-2023 10:10 am", None),
        ("yesterday", None),
        ("999-99 999:99 am", None),
    ] {
        let body = told("MobilePayout", "Success", "0000").replace("23-09-2023 11.20am", text);
        let report = report(&body);
        assert_eq!(report.at.map(|at| at.to_string()).as_deref(), expected, "{text}");
        assert_eq!(report.state, State::Settled, "{text}: a time is no reason to doubt");
    }
}

#[test]
fn a_notice_that_says_two_things_decides_nothing() {
    let (paid, failed) = (told("BankPayout", "Success", "0000"), told("BankPayout", "Failed", "1107"));
    for (whole, from, to) in [
        (&paid, r#""status":"Success""#, r#""status":"Success","status":"Failed""#),
        (&paid, r#""status":"Success""#, r#""Status":"Pending","status":"Success""#),
        (&paid, r#""status_code":"0000""#, r#""status_code":"1107""#),
        (&paid, r#""status_code":"0000""#, r#""status_code":"200""#),
        (&paid, r#""status_code":"0000""#, r#""status_code":["0000"]"#),
        (&paid, r#""amount":"1500""#, r#""amount":"1500","Amount":"15""#),
        (&failed, r#""status":"Failed""#, r#""status":"Failed","Status":"Success""#),
        (&failed, r#""status_code":"1107""#, r#""status_code":"0000""#),
        (&failed, r#""status_code":"1107""#, r#""status_code":"1107","status_code":"0000""#),
        (&failed, r#""transactionRef":"KYAAPI677833""#, r#""transactionRef":"A","transactionRef":"B""#),
    ] {
        let body = whole.replace(from, to);
        assert_ne!(body, **whole);
        let report = report(&body);
        assert_eq!(report.state, State::Pending, "{body}");
        assert!(report.remedy.is_some());
    }
}

#[test]
fn what_is_no_news_of_a_transaction_is_refused() {
    let paid = told("MobilePayout", "Success", "0000");
    for body in [
        "",
        "null",
        "{}",
        "<html>",
        "a=b&status=Success",
        r#"{"status":""}"#,
        &format!("[{paid}]"),
        &paid[..99],
        &paid.replace(r#""MerchantID":"kyanda""#, r#""MerchantID":"another""#),
        &paid.replace(r#""MerchantID":"kyanda""#, r#""MerchantID":"kyanda","MerchantID":"another""#),
        &paid.replace(r#""MerchantID":"kyanda""#, r#""MerchantID":{}"#),
    ] {
        assert!(read(body).is_err(), "{body}");
    }
}

#[test]
fn kyanda_posts_to_one_url_and_no_other() {
    let (kyanda, _) = kyanda(500, "");
    let paid = told("MobilePayout", "Success", "0000");
    for purpose in [
        DeliveryPurpose::Result,
        DeliveryPurpose::Timeout,
        DeliveryPurpose::Answer,
        DeliveryPurpose::AnswerTimeout,
        DeliveryPurpose::Balance,
    ] {
        assert!(matches!(kyanda.read(&delivery(purpose, &paid)), Ok(Read::NotModelled)), "{purpose:?}");
    }
}

#[test]
fn the_reply_is_what_kyanda_asks_for() {
    let (kyanda, _) = kyanda(500, "");
    let stored = kyanda.reply(Storage::Stored);
    assert_eq!((stored.status, stored.body.as_ref()), (200, br#"{"status":"success"}"#.as_slice()));
    assert_eq!(kyanda.reply(Storage::NotStored).status, 503);
}

proptest! {
    /// A byte changed at random never turns a paid transaction into a failed one, and never settles another amount
    /// unless the amount itself was hit.
    #[test]
    fn a_damaged_success_is_never_failed_nor_of_another_amount(at in 0_usize..2000, byte: u8) {
        let whole = told("MobilePayout", "Success", "0000");
        let at = at % whole.len();
        let mut body = whole.clone().into_bytes();
        body[at] = byte;
        let hits_the_amount = (whole.find(r#""amount""#).unwrap()..).contains(&at);
        let damaged = malipo_core::Delivery::new(DeliveryPurpose::Notice, malipo_core::Headers::new(), body);
        if let Ok(Read::Report(report)) = kyanda(500, "").0.read(&damaged) {
            prop_assert!(report.state != State::Failed, "{:?}", report);
            if report.state == State::Settled && !hits_the_amount {
                prop_assert_eq!(report.amount, Money::kes("1500").ok());
            }
        }
    }

    #[test]
    fn a_damaged_failure_is_never_paid(at in 0_usize..2000, byte: u8) {
        let mut body = told("MobilePayout", "Failed", "1107").into_bytes();
        let at = at % body.len();
        body[at] = byte;
        let damaged = malipo_core::Delivery::new(DeliveryPurpose::Notice, malipo_core::Headers::new(), body);
        if let Ok(Read::Report(report)) = kyanda(500, "").0.read(&damaged) {
            prop_assert!(report.state != State::Settled, "{:?}", report);
        }
    }
}
