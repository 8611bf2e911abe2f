//! What SasaPay posts, read as what it claims.

use malipo_core::{CallbackError, Callbacks, DeliveryPurpose, Money, Read, Report, State, Storage, Trust};

use crate::subject::{CHECKOUT, IPN, delivery, details, posted, reference, sasapay};

fn read(purpose: DeliveryPurpose, body: &str) -> Result<Read, CallbackError> {
    sasapay(500, "").0.read(&delivery(purpose, body))
}

fn addressed(purpose: DeliveryPurpose, body: &str) -> Result<Read, CallbackError> {
    sasapay(500, "").0.read(&delivery(purpose, body).addressed_to(reference("PAY-1")))
}

fn report(read: Result<Read, CallbackError>) -> Report {
    match read.unwrap() {
        Read::Report(report) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_is_believed_by_its_address_alone() {
    let claimed = report(read(DeliveryPurpose::Result, &posted("0")));
    assert_eq!((claimed.trust, claimed.reference), (Trust::Claimed, Some(reference("PAY-1"))));
    let other = posted("0").replace("PAY-1", "PAY-2");
    let told = report(addressed(DeliveryPurpose::Result, &other));
    assert_eq!(told.trust, Trust::Addressed);
    assert_eq!(told.reference, Some(reference("PAY-2")), "what it claims, for whoever compares");
}

#[test]
fn one_that_names_what_can_be_no_collection_of_ours_decides_nothing() {
    for code in ["0", "1032"] {
        let ours = report(addressed(DeliveryPurpose::Result, &posted(code)));
        assert!(ours.state.is_final(), "{code}");
        let body = posted(code).replace("PAY-1", "of another: PAY-1");
        assert_eq!(report(addressed(DeliveryPurpose::Result, &body)).state, State::Pending, "{code}");
    }
}

#[test]
fn a_failure_may_lack_ids_but_something_has_to_say_which() {
    let bare = r#"{"ResultCode":"1032","ResultDesc":"Request cancelled by user"}"#;
    assert!(read(DeliveryPurpose::Result, bare).is_err());
    let told = report(addressed(DeliveryPurpose::Result, bare));
    assert_eq!((told.state, told.reference), (State::Failed, Some(reference("PAY-1"))));
    for id in [r#""CheckoutRequestID":"a""#, r#""MerchantRequestID":"A""#, r#""BillRefNumber":"A""#] {
        let body = format!(r#"{{"ResultCode":1032,{id}}}"#);
        assert_eq!(report(read(DeliveryPurpose::Result, &body)).state, State::Failed, "{body}");
    }
}

#[test]
fn a_partial_payment_is_told_as_it_is_with_what_was_asked_for() {
    let partial =
        posted("0").replace(r#""TransAmount""#, r#""RequestedAmount":"250.00","Paid":true,"TransAmount""#);
    let told = report(read(DeliveryPurpose::Result, &partial));
    assert_eq!((told.state, told.amount), (State::Settled, Some(Money::kes("100").unwrap())));
    assert_eq!(told.details.find("requested_amount"), Some("250.00"));
    assert!(told.remedy.unwrap().contains("less was paid"));
    let whole = report(read(DeliveryPurpose::Result, &partial.replace("250.00", "100.00")));
    assert_eq!((whole.remedy, whole.details.find("requested_amount")), (None, Some("100.00")));
    let less = report(read(DeliveryPurpose::Answer, &details(CHECKOUT, "true", "40")));
    assert_eq!((less.state, less.amount), (State::Settled, Some(Money::kes("40").unwrap())));
    assert_eq!(less.details.find("requested_amount"), Some("100.00"));
}

#[test]
fn a_success_that_is_not_paid_or_says_no_amount_is_not_settled() {
    let paid = posted("0");
    for (from, to) in [
        (r#""TransAmount""#, r#""Paid":false,"TransAmount""#),
        (r#""TransAmount""#, r#""Paid":"no","TransAmount""#),
        (r#""TransAmount""#, r#""Paid":"","TransAmount""#),
        (r#""100.00""#, r#""0""#),
        (r#""100.00""#, r#""-100.00""#),
        (r#""100.00""#, r#""1e2""#),
        (r#""100.00""#, "null"),
        (r#""100.00""#, r#"["100.00"]"#),
    ] {
        let told = report(read(DeliveryPurpose::Result, &paid.replace(from, to)));
        assert_eq!((told.state, told.receipt), (State::Pending, None), "{to}");
        assert!(told.remedy.is_some(), "{to}");
    }
    let failed = posted("\"1032\"").replace(r#""TransAmount""#, r#""Paid":true,"TransAmount""#);
    assert_eq!(report(read(DeliveryPurpose::Result, &failed)).state, State::Pending, "it says two things");
}

#[test]
fn an_answer_decides_by_paid_alone_and_the_failure_of_a_question_is_none_of_the_payment() {
    for (paid, amount, state) in [
        ("true", "\"100.00\"", State::Settled),
        ("\"true\"", "100", State::Settled),
        ("true", "null", State::Pending),
        ("true", "\"0.00\"", State::Pending),
        ("false", "\"100.00\"", State::Pending),
        ("\"yes\"", "\"100.00\"", State::Pending),
    ] {
        let told = report(read(DeliveryPurpose::Answer, &details(CHECKOUT, paid, amount)));
        assert_eq!(told.state, state, "{paid} {amount}");
    }
    let flat = r#"{"CheckoutId":"a","TransactionAmount":"5.00","Paid":true,"AmountPaid":"5.00"}"#;
    assert_eq!(report(read(DeliveryPurpose::Answer, flat)).state, State::Settled, "without an envelope");
    let like_a_result = report(read(DeliveryPurpose::Answer, &posted("\"1032\"")));
    assert_eq!(like_a_result.state, State::Failed, "it names the payment");
    let two = details(CHECKOUT, "true", "100").replace(r#""status":true"#, r#""ResultCode":"1""#);
    for body in [r#"{"ResultCode":"1","ResultDesc":"not found"}"#, r#"{"status":true,"message":"ok"}"#, &two]
    {
        let read = addressed(DeliveryPurpose::Answer, body).unwrap();
        let Read::Unanswered(unanswered) = read else { panic!("{body}: {read:?}") };
        assert_eq!(unanswered.reference, Some(reference("PAY-1")));
    }
    assert!(addressed(DeliveryPurpose::Answer, "{}").is_err());
    assert!(addressed(DeliveryPurpose::Answer, r#"{"data":[1]}"#).is_err());
}

#[test]
fn a_notice_counts_only_money_that_came_in_to_this_merchant() {
    for (kind, comes_in) in [
        ("C2B", true),
        ("c2b", true),
        ("SasaPay Payment Request", true),
        ("B2C", false),
        ("B2B", false),
        ("Reversal", false),
        ("C2B Reversal", false),
    ] {
        let read = read(DeliveryPurpose::Notice, &IPN.replace("\"C2B\"", &format!("\"{kind}\""))).unwrap();
        assert_eq!(matches!(read, Read::Credit(_)), comes_in, "{kind}: {read:?}");
        assert_eq!(matches!(read, Read::NotModelled), !comes_in, "{kind}: {read:?}");
    }
    for (from, to) in [
        (r#""600980""#, r#""600981""#),
        (r#""TransactionType":"C2B","#, ""),
        (r#""CDVISAIHD""#, r#""""#),
        (r#""TransAmount":"10.00""#, r#""TransAmount":"0.00""#),
        (r#""TransAmount":"10.00""#, r#""TransAmount":"-10.00""#),
        (r#""TransAmount":"10.00""#, r#""TransAmount":"ten""#),
    ] {
        assert!(IPN.contains(from), "{from}");
        let read = read(DeliveryPurpose::Notice, &IPN.replace(from, to));
        assert!(matches!(read, Err(CallbackError::Unreadable(_))), "{to}: {read:?}");
    }
    let text = IPN.replace("\"12345\"", "\"Jane's rent\"");
    let Read::Credit(credit) = read(DeliveryPurpose::Notice, &text).unwrap() else { panic!() };
    assert_eq!((credit.account.as_deref(), credit.reference), (Some("Jane's rent"), None));
}

#[test]
fn a_notice_and_a_result_of_one_payment_share_its_transaction() {
    let told = report(read(DeliveryPurpose::Result, &posted("0")));
    let notice = IPN.replace("CDVISAIHD", "SPEJ0O78GY2T");
    let Read::Credit(credit) = read(DeliveryPurpose::Notice, &notice).unwrap() else { panic!() };
    assert_eq!(told.provider_refs.find("transaction"), credit.provider_refs.find("transaction"));
}

#[test]
fn a_failure_that_comes_to_the_url_of_notices_is_no_credit() {
    let told = report(read(DeliveryPurpose::Notice, &posted("\"1032\"")));
    assert_eq!((told.state, told.trust), (State::Failed, Trust::Claimed));
    let both = IPN.replace(r#""TransID""#, r#""ResultCode":"1032","TransID""#);
    assert_eq!(report(read(DeliveryPurpose::Notice, &both)).state, State::Failed);
}

#[test]
fn what_is_no_news_of_a_payment_is_refused() {
    let paid = posted("0");
    for body in ["", "null", "{}", "<html>", r#"{"ResultCode":""}"#, &format!("[{paid}]"), &paid[..40]] {
        assert!(read(DeliveryPurpose::Result, body).is_err(), "{body}");
    }
    for code in ["[0]", "{}", "null", r#""0","ResultCode":"0""#] {
        assert!(read(DeliveryPurpose::Result, &posted(code)).is_err(), "{code}");
    }
}

#[test]
fn what_comes_to_another_url_is_not_modelled() {
    for purpose in [DeliveryPurpose::Timeout, DeliveryPurpose::AnswerTimeout, DeliveryPurpose::Balance] {
        assert!(matches!(read(purpose, &posted("0")), Ok(Read::NotModelled)), "{purpose:?}");
    }
}

#[test]
fn stored_is_a_200_and_not_stored_is_none() {
    let (sasapay, _) = sasapay(500, "");
    assert_eq!(sasapay.reply(Storage::Stored).status, 200);
    assert_eq!(sasapay.reply(Storage::NotStored).status, 503);
}
