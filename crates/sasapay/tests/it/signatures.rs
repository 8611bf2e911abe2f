//! The signature of a delivery: what it covers, and what each check makes of it.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use malipo_core::{
    CallbackError, Callbacks, Delivery, DeliveryPurpose, Headers, Read, Signature, State, Trust,
};
use malipo_sasapay::{SasaPay, SignatureCheck};
use malipo_testkit::{ManualEnv, ScriptedTransport};
use proptest::prelude::*;
use sha2::Sha512;

use crate::subject::{CHECKOUT, IPN, KEY, config, details, posted, reference};

const HEADER: &str = "X-SasaPay-Signature";
const MESSAGE: &str = "SPEJ0O78GY2T-600980-254708374149-PAY-1-100.00";
const NOTICE_MESSAGE: &str = "CDVISAIHD-600980-2547*****5-12345-10.00";

fn tag(message: &str) -> Vec<u8> {
    let mac = Hmac::<Sha512>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.chain_update(message.as_bytes()).finalize().into_bytes().to_vec()
}

fn hex(tag: &[u8]) -> String {
    tag.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(
    check: SignatureCheck,
    purpose: DeliveryPurpose,
    body: &str,
    header: Option<&str>,
) -> Result<Read, CallbackError> {
    let unused = Arc::new(ScriptedTransport::new());
    let sasapay = SasaPay::new(config().with_signature_check(check), unused, Arc::new(ManualEnv::new()));
    let headers = header.into_iter().fold(Headers::new(), |headers, value| headers.with(HEADER, value));
    sasapay.read(&Delivery::new(purpose, headers, body))
}

fn told(read: Result<Read, CallbackError>) -> (Signature, Trust) {
    match read.unwrap() {
        Read::Report(report) => (report.signature, report.trust),
        Read::Credit(credit) => (credit.signature, credit.trust),
        other => panic!("{other:?}"),
    }
}

fn with_field(body: &str, signature: &str) -> String {
    format!(r#"{{"sasapay_signature":"{signature}",{}"#, body.trim_start_matches('{'))
}

/// Each delivery with the message of its signature.
fn cases() -> [(DeliveryPurpose, String, &'static str); 2] {
    [
        (DeliveryPurpose::Result, posted("\"0\""), MESSAGE),
        (DeliveryPurpose::Notice, IPN.to_owned(), NOTICE_MESSAGE),
    ]
}

#[test]
fn off_looks_at_nothing() {
    for (purpose, body, _) in cases() {
        for header in [None, Some("nonsense")] {
            let read = read(SignatureCheck::Off, purpose, &body, header);
            assert_eq!(told(read), (Signature::NotExpected, Trust::Claimed));
        }
    }
}

#[test]
fn report_says_what_became_of_it_and_refuses_nothing() {
    for (purpose, body, message) in cases() {
        let (good, wrong) = (hex(&tag(message)), hex(&tag("another")));
        for (body, header, signature) in [
            (body.clone(), None, Signature::Missing),
            (body.clone(), Some(""), Signature::Missing),
            (body.clone(), Some(good.as_str()), Signature::Good),
            (body.clone(), Some(wrong.as_str()), Signature::Wrong),
            (body.clone(), Some("nonsense"), Signature::Wrong),
            (with_field(&body, &good), None, Signature::Good),
            (with_field(&body, &good.to_uppercase()), None, Signature::Good),
            (with_field(&body, &good), Some(good.as_str()), Signature::Good),
            (with_field(&body, &wrong), Some(good.as_str()), Signature::Wrong),
            (with_field(&body, &good), Some(wrong.as_str()), Signature::Wrong),
        ] {
            let read = read(SignatureCheck::Report, purpose, &body, header);
            assert_eq!(told(read), (signature, Trust::Claimed), "{header:?}");
        }
    }
}

#[test]
fn require_refuses_what_is_not_signed_and_what_is_signed_wrongly() {
    for (purpose, body, message) in cases() {
        let require = |header: Option<&str>| read(SignatureCheck::Require, purpose, &body, header);
        assert_eq!(told(require(Some(&hex(&tag(message))))).0, Signature::Good);
        assert_eq!(require(None).unwrap_err(), CallbackError::Unsigned);
        assert_eq!(require(Some(" ")).unwrap_err(), CallbackError::Unsigned);
        for wrong in [hex(&tag("another")), hex(&tag(message)[..63]), "0".to_owned(), "+f".to_owned()] {
            assert_eq!(require(Some(&wrong)).unwrap_err(), CallbackError::WrongSignature, "{wrong}");
        }
    }
    let twice = Headers::new().with(HEADER, hex(&tag(MESSAGE))).with(HEADER, hex(&tag(MESSAGE)));
    let unused = Arc::new(ScriptedTransport::new());
    let config = config().with_signature_check(SignatureCheck::Require);
    let sasapay = SasaPay::new(config, unused, Arc::new(ManualEnv::new()));
    let delivery = Delivery::new(DeliveryPurpose::Result, twice, posted("0").as_str());
    assert_eq!(sasapay.read(&delivery).unwrap_err(), CallbackError::WrongSignature);
}

#[test]
fn other_names_for_the_five_values_are_read_and_what_is_not_told_is_empty() {
    let other = r#"{"ResultCode":"0","CheckoutRequestID":"a","SasaPayTransactionCode":"S1","MSISDN":"254700000001","MerchantTransactionReference":"PAY-1","TransactionAmount":"5.00"}"#;
    let bare = r#"{"ResultCode":"1032","CheckoutRequestID":"a"}"#;
    let posted = details(CHECKOUT, "true", "\"100.00\"");
    for (purpose, body, message) in [
        (DeliveryPurpose::Result, other, "S1-600980-254700000001-PAY-1-5.00"),
        (DeliveryPurpose::Result, bare, "-600980---"),
        (DeliveryPurpose::Answer, &posted, "-600980---100.00"),
    ] {
        let read = read(SignatureCheck::Require, purpose, body, Some(&hex(&tag(message))));
        assert_eq!(told(read).0, Signature::Good, "{message}");
    }
}

#[test]
fn what_the_signature_does_not_cover_can_be_changed_so_it_proves_nothing() {
    let failed = posted("\"1032\"");
    let paid = failed.replace("1032", "0");
    for (body, state) in [(failed, State::Failed), (paid, State::Settled)] {
        let unused = Arc::new(ScriptedTransport::new());
        let config = config().with_signature_check(SignatureCheck::Require);
        let sasapay = SasaPay::new(config, unused, Arc::new(ManualEnv::new()));
        let headers = Headers::new().with(HEADER, hex(&tag(MESSAGE)));
        let delivery = Delivery::new(DeliveryPurpose::Result, headers, body.as_str());
        let Read::Report(report) = sasapay.read(&delivery.addressed_to(reference("PAY-1"))).unwrap() else {
            panic!()
        };
        assert_eq!((report.state, report.signature), (state, Signature::Good));
        assert_eq!(report.trust, Trust::Addressed, "never signed");
    }
}

proptest! {
    #[test]
    fn the_right_signature_is_accepted_and_any_other_bit_refused(
        code in "[A-Z0-9]{1,20}",
        mobile in "254[17][0-9]{8}",
        ours in "[A-Za-z0-9][A-Za-z0-9._-]{0,40}",
        minor in 1..10_000_000_i64,
        bit in 0..512_usize,
        field in 0..4_usize,
    ) {
        let values = [code, mobile, ours, format!("{}.{:02}", minor / 100, minor % 100)];
        let message = format!("{}-600980-{}-{}-{}", values[0], values[1], values[2], values[3]);
        let body = |values: &[String; 4]| serde_json::json!({
            "ResultCode": "0", "CheckoutRequestID": "a", "TransactionCode": values[0],
            "CustomerMobile": values[1], "BillRefNumber": values[2], "TransAmount": values[3],
        }).to_string();
        let mut tag = tag(&message);
        let require = |body: &str, tag: &[u8]| {
            read(SignatureCheck::Require, DeliveryPurpose::Result, body, Some(&hex(tag)))
        };
        prop_assert_eq!(told(require(&body(&values), &tag)).0, Signature::Good);
        // A bit of one of the five values.
        let mut changed = values.clone();
        let mut bytes = changed[field].clone().into_bytes();
        let at = bit % bytes.len();
        bytes[at] ^= 1 << (bit % 4);
        if let Ok(text) = String::from_utf8(bytes) && text.trim() == text {
            changed[field] = text;
            prop_assert_eq!(require(&body(&changed), &tag).unwrap_err(), CallbackError::WrongSignature);
        }
        // A bit of the signature itself.
        tag[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(require(&body(&values), &tag).unwrap_err(), CallbackError::WrongSignature);
    }
}

#[test]
fn what_is_read_is_what_is_signed() {
    let good = hex(&tag(MESSAGE));
    let around = |fields: &str, inner: &str| format!(r#"{{{fields},"data":{inner}}}"#);
    let forged =
        r#""ResultCode":"0","BillRefNumber":"PAY-9","TransAmount":"999999.00","TransactionCode":"FORGED""#;
    for (purpose, fields) in [
        (DeliveryPurpose::Result, forged.to_owned()),
        (DeliveryPurpose::Notice, forged.to_owned()),
        (DeliveryPurpose::Notice, forged.replace(r#""ResultCode":"0""#, r#""TransactionType":"C2B""#)),
    ] {
        let body = around(&fields, &posted("0"));
        let read = read(SignatureCheck::Require, purpose, &body, Some(&good));
        assert_eq!(read.unwrap_err(), CallbackError::WrongSignature, "{fields}");
    }
    let body = around(forged, &posted("0"));
    let Ok(Read::Report(told)) = read(SignatureCheck::Require, DeliveryPurpose::Answer, &body, Some(&good))
    else {
        panic!()
    };
    assert_eq!((told.signature, told.amount.unwrap().to_plain()), (Signature::Good, "100.00".to_owned()));
    assert_eq!(told.reference, Some(reference("PAY-1")), "the inner one was signed, and is read");

    let two = IPN.replace(r#""TransAmount":"10.00""#, r#""AmountPaid":"10.00","TransAmount":"9999.00""#);
    let read = read(SignatureCheck::Require, DeliveryPurpose::Notice, &two, Some(&hex(&tag(NOTICE_MESSAGE))));
    assert!(matches!(read, Err(CallbackError::Unreadable(_))), "{read:?}");
}
