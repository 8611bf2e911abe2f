//! What KasaPay posts, read as what it claims.

use malipo_core::{CallbackError, Callbacks, DeliveryPurpose, Read, Report, State, Storage, Trust};

use crate::subject::{delivery, kasapay, reference, told};

fn read(purpose: DeliveryPurpose, body: &str) -> Result<Read, CallbackError> {
    kasapay(500, "").0.read(&delivery(purpose, body))
}

fn report(body: &str) -> Report {
    match read(DeliveryPurpose::Result, body).unwrap() {
        Read::Report(report) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_success_may_be_followed_by_its_reversal() {
    let states = ["700", "702", "705"].map(|code| report(&told(&reference("PAY-1"), code)).state);
    assert_eq!(states, [State::Settled, State::Reversed, State::Reversed]);
}

#[test]
fn it_is_believed_by_its_address_alone() {
    let (kasapay, _) = kasapay(500, "");
    let claimed = delivery(DeliveryPurpose::Result, &told(&reference("PAY-2"), "700"));
    assert_eq!(report(&told(&reference("PAY-2"), "700")).trust, Trust::Claimed);
    let Read::Report(report) = kasapay.read(&claimed.addressed_to(reference("PAY-1"))).unwrap() else {
        panic!()
    };
    assert_eq!(report.trust, Trust::Addressed);
    assert_eq!(report.reference, Some(reference("PAY-2")), "what it claims, for whoever compares");
}

#[test]
fn one_that_names_no_payout_is_about_the_one_of_its_address() {
    let (kasapay, _) = kasapay(500, "");
    let body = told(&reference("PAY-1"), "701").replace(r#""PAY-1""#, "null");
    assert_eq!(report(&body).reference, None);
    let addressed = delivery(DeliveryPurpose::Result, &body).addressed_to(reference("PAY-1"));
    let Read::Report(report) = kasapay.read(&addressed).unwrap() else { panic!() };
    assert_eq!(report.reference, Some(reference("PAY-1")));
}

#[test]
fn one_that_names_what_can_be_no_payout_of_ours_decides_nothing() {
    let (kasapay, _) = kasapay(500, "");
    for code in ["700", "701", "702"] {
        let body = told(&reference("PAY-1"), code).replace(r#""PAY-1""#, r#""of another: PAY-1""#);
        let addressed = delivery(DeliveryPurpose::Result, &body).addressed_to(reference("PAY-1"));
        let Read::Report(report) = kasapay.read(&addressed).unwrap() else { panic!() };
        assert_eq!(report.state, State::Pending, "{code}");
    }
}

#[test]
fn what_is_no_news_of_a_payout_is_refused() {
    let paid = told(&reference("PAY-1"), "700");
    for body in ["", "null", "{}", "<html>", r#"{"payment_status":""}"#, &format!("[{paid}]"), &paid[..40]] {
        assert!(read(DeliveryPurpose::Result, body).is_err(), "{body}");
    }
    for code in ["[700]", "{}", r#"{"code":700}"#, "null"] {
        assert!(read(DeliveryPurpose::Result, &told(&reference("PAY-1"), code)).is_err(), "{code}");
    }
}

#[test]
fn what_comes_to_another_url_is_not_modelled() {
    let paid = told(&reference("PAY-1"), "700");
    for purpose in
        [DeliveryPurpose::Timeout, DeliveryPurpose::Answer, DeliveryPurpose::Balance, DeliveryPurpose::Notice]
    {
        assert!(matches!(read(purpose, &paid), Ok(Read::NotModelled)), "{purpose:?}");
    }
}

#[test]
fn stored_is_a_200_and_not_stored_is_none() {
    let (kasapay, _) = kasapay(500, "");
    assert_eq!(kasapay.reply(Storage::Stored).status, 200);
    assert_eq!(kasapay.reply(Storage::NotStored).status, 503);
}
