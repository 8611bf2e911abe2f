//! What may decide about money, and what is only said of a question, of what was asked for, or of another payment.

use malipo_core::{
    Answer, CallbackError, Callbacks, Credits, DeliveryPurpose, Effect, Error, ErrorKind, Money, Network,
    Operation, Provider, ProviderRefs, Read, Report, State, Ticket, Unanswered,
};

use crate::subject::{
    CHECKOUT, IPN, MOBILE, answers, bare_ticket, collect, confirm, delivery, details, mobile, posted,
    reference, sasapay, terms, ticket, transaction,
};

fn kes(amount: &str) -> Option<Money> {
    Some(Money::kes(amount).unwrap())
}

fn read(purpose: DeliveryPurpose, body: &str) -> Result<Read, CallbackError> {
    sasapay(500, "").0.read(&delivery(purpose, body).addressed_to(reference("PAY-1")))
}

fn report(purpose: DeliveryPurpose, body: &str) -> Report {
    match read(purpose, body).unwrap() {
        Read::Report(report) => report,
        other => panic!("{body}: {other:?}"),
    }
}

fn unanswered(body: &str) -> Unanswered {
    match read(DeliveryPurpose::Answer, body).unwrap() {
        Read::Unanswered(unanswered) => unanswered,
        other => panic!("{body}: {other:?}"),
    }
}

fn asked(ticket: &Ticket, data: &str) -> Result<Report, Error> {
    let body = format!(r#"{{"status":true,"data":{data}}}"#);
    match pollster::block_on(sasapay(200, body).0.status(ticket))? {
        Answer::Known(report) => Ok(report),
        other => panic!("{data}: {other:?}"),
    }
}

fn known(data: &str) -> Report {
    asked(&ticket("PAY-1"), data).unwrap()
}

fn refused(status: u16, body: &str) -> Error {
    let instruction = collect(mobile(Network::Safaricom), terms("PAY-1", "10"));
    pollster::block_on(sasapay(status, body.to_owned()).0.submit(&instruction)).unwrap_err()
}

#[test]
fn a_question_that_failed_fails_no_payment() {
    let ours = r#""MerchantTransactionReference":"PAY-1""#;
    let codes =
        ["SP.404.000", "SP4040", "SP.401.000", "SP.400.000", "SP8000", "SP.500.000", "4999", "1", "SP01002"];
    for code in codes {
        let fields = format!(r#""ResultCode":"{code}","ResultDesc":"Transaction not found",{ours}"#);
        let told = unanswered(&format!("{{{fields}}}"));
        assert_eq!((told.reference, told.code.as_deref()), (Some(reference("PAY-1")), Some(code)));
        let told = unanswered(&format!(r#"{{"data":{{{fields}}}}}"#));
        assert_eq!((told.code.as_deref(), told.text.is_some()), (Some(code), true), "in an envelope");
        let told = known(&format!("{{{fields}}}"));
        assert_eq!((told.state, told.code.as_deref()), (State::Pending, Some(code)));
        assert!(told.remedy.is_some(), "{code}");
    }
    for data in [
        format!(r#"{{"ResultCode":"SP4040",{ours},"Paid":false,"TransAmount":"1500.00"}}"#),
        format!(r#"{{"ResultCode":"SP4040",{ours},"Paid":true,"AmountPaid":"1500.00"}}"#),
    ] {
        assert_eq!(known(&data).state, State::Pending, "{data}");
        assert_eq!(unanswered(&data).code.as_deref(), Some("SP4040"));
    }
    let failed = format!(r#"{{"ResultCode":"1032",{ours},"Paid":false,"TransactionAmount":"1500.00"}}"#);
    assert_eq!(known(&failed).state, State::Failed, "the code of a result, beside what a question lacks");
    assert_eq!(report(DeliveryPurpose::Answer, &failed).state, State::Failed);
    assert_eq!(report(DeliveryPurpose::Result, &posted("\"SP4040\"")).state, State::Failed, "a result");
}

#[test]
fn an_unanswered_question_says_what_to_do() {
    for (code, remedy) in
        [("SP.401.000", "client id"), ("SP.500.000", "ask for the payment's status"), ("4999", "")]
    {
        let told = unanswered(&format!(r#"{{"ResultCode":"{code}","ResultDesc":"no"}}"#));
        assert_eq!(told.remedy.is_some(), !remedy.is_empty(), "{code}");
        assert!(told.remedy.unwrap_or_default().contains(remedy), "{code}");
    }
}

#[test]
fn a_question_that_succeeded_settles_no_payment() {
    let about = format!(r#""CheckoutRequestID":"{CHECKOUT}""#);
    for (fields, settled) in [
        (r#""TransactionAmount":"1500.00""#, false),
        (r#""AmountPaid":"1500.00""#, false),
        (r#""Paid":false,"AmountPaid":"1500.00""#, false),
        (r#""Paid":true,"TransactionAmount":"1500.00""#, false),
        (r#""Paid":true,"AmountPaid":"1500.00""#, true),
        (r#""TransAmount":"1500.00""#, true),
    ] {
        for code in ["0", "SP00000"] {
            let body = format!(r#"{{"ResultCode":"{code}","ResultDesc":"Details",{about},{fields}}}"#);
            assert_eq!(known(&body).state == State::Settled, settled, "{body}");
            let read = read(DeliveryPurpose::Answer, &body).unwrap();
            let is_settled = matches!(&read, Read::Report(report) if report.state == State::Settled);
            assert_eq!(is_settled, settled, "{body}: {read:?}");
        }
    }
}

#[test]
fn what_was_asked_for_is_never_what_was_paid() {
    let paid = |amount: &str| details(CHECKOUT, "true", amount);
    for amount in ["null", "\"\"", r#"{"KES":500}"#, "[100]", "\"much\""] {
        let told = report(DeliveryPurpose::Answer, &paid(amount));
        assert_eq!((told.state, told.amount), (State::Pending, None), "{amount}");
        assert_eq!(told.details.find("requested_amount"), Some("100.00"));
    }
    let asked_for = paid("null").replace(r#""AmountPaid""#, r#""TransAmount":"100.00","AmountPaid""#);
    assert_eq!(report(DeliveryPurpose::Answer, &asked_for).state, State::Pending, "`Paid` is of AmountPaid");
    let other = paid("\"40.00\"").replace(r#""Paid""#, r#""TransAmount":"100.00","Paid""#);
    assert_eq!(report(DeliveryPurpose::Answer, &other).state, State::Pending, "two amounts");
    let same = other.replace("40.00", "100.00");
    assert_eq!(report(DeliveryPurpose::Answer, &same).state, State::Settled);
    let result = posted("0");
    for (with, state) in [
        (r#""AmountPaid":"40.00","TransAmount""#, State::Pending),
        (r#""AmountPaid":{"KES":40},"TransAmount""#, State::Pending),
        (r#""AmountPaid":"","TransAmount""#, State::Pending),
        (r#""AmountPaid":100,"TransAmount""#, State::Settled),
        (r#""TransactionAmount""#, State::Pending),
    ] {
        let body = result.replace(r#""TransAmount""#, with);
        assert_eq!(report(DeliveryPurpose::Result, &body).state, state, "{with}");
    }
}

#[test]
fn what_was_not_paid_is_no_credit() {
    let verified = |fields: &str| {
        let about = r#""TransactionType":"C2B","TransactionCode":"X1""#;
        let body = format!(r#"{{"statusCode":0,"data":{{{about},{fields}}}}}"#);
        pollster::block_on(sasapay(200, body).0.credit(&transaction("X1"))).map(Option::unwrap)
    };
    for (fields, amount) in [
        (r#""TransactionAmount":"1500.00""#, kes("1500")),
        (r#""TransAmount":"1500.00","TransactionAmount":"2000.00""#, kes("1500")),
        (r#""TransAmount":"1500.00","ResultCode":"0""#, kes("1500")),
        (r#""TransAmount":"1500.00","ResultCode":"SP00000""#, kes("1500")),
        (r#""TransactionAmount":"1500.00","Paid":true,"AmountPaid":"500.00""#, kes("500")),
        (r#""TransactionAmount":"1500.00","Paid":true"#, None),
        (r#""TransactionAmount":"1500.00","Paid":true,"AmountPaid":null"#, None),
        (r#""TransAmount":"1500.00","Paid":true"#, None),
        (r#""TransactionAmount":"1500.00","AmountPaid":{"KES":500}"#, None),
        (r#""TransAmount":"1500.00","AmountPaid":"500.00""#, None),
        (r#""TransactionAmount":"1500.00","Paid":false"#, None),
        (r#""TransactionAmount":"1500.00","Paid":false,"AmountPaid":"1500.00""#, None),
        (r#""TransactionAmount":"1500.00","Paid":"","AmountPaid":"1500.00""#, None),
        (r#""TransAmount":"1500.00","ResultCode":"1032""#, None),
        (r#""TransAmount":"1500.00","ResultCode":"SP01003""#, None),
        (r#""TransAmount":"1500.00","ResultCode":"77""#, None),
        (r#""TransAmount":"1500.00","ResultCode":"""#, None),
    ] {
        let credit = verified(fields);
        if let Err(error) = &credit {
            assert_eq!(error.effect(), Effect::Unchanged, "{fields}");
        }
        assert_eq!(credit.ok().map(|credit| credit.amount), amount, "{fields}");
    }
    for fields in [r#""Paid":false,"TransID""#, r#""AmountPaid":"5.00","TransID""#] {
        let read = read(DeliveryPurpose::Notice, &IPN.replace(r#""TransID""#, fields));
        assert!(matches!(read, Err(CallbackError::Unreadable(_))), "{fields}: {read:?}");
    }
}

#[test]
fn an_envelope_may_only_agree() {
    let paid = details(CHECKOUT, "true", "100");
    for outer in [r#""status":false"#, r#""status":true,"ResultCode":"1032""#] {
        let body = paid.replace(r#""status":true"#, outer);
        assert!(matches!(read(DeliveryPurpose::Answer, &body), Ok(Read::Unanswered(_))), "{outer}");
        let answer = pollster::block_on(sasapay(200, body).0.status(&ticket("PAY-1")));
        assert_eq!(answer.unwrap_err().effect(), Effect::Unchanged, "{outer}");
    }
    let agreed = paid.replace(r#""status":true"#, r#""status":true,"ResultCode":"0""#);
    assert_eq!(report(DeliveryPurpose::Answer, &agreed).state, State::Settled);
    let answer = pollster::block_on(sasapay(200, agreed).0.status(&ticket("PAY-1"))).unwrap();
    assert!(matches!(answer, Answer::Known(report) if report.state == State::Settled));
}

#[test]
fn only_complaints_about_what_was_sent_are_the_frameworks() {
    for fields in [
        r#"{"Amount":["A valid number is required."]}"#,
        r#"{"Transaction Fee":["Odd."],"CallBackURL":["Odd.","Required."]}"#,
    ] {
        let error = refused(400, fields);
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Refused, Effect::None), "{fields}");
    }
    for fields in [
        r#"{"errors":["failed after processing"]}"#,
        r#"{"detail":["Transaction already exists"]}"#,
        r#"{"CheckoutRequestID":["b6cb"]}"#,
        r#"{"non_field_errors":["what"]}"#,
        r#"{"Amount":["Odd."],"detail":["Transaction already exists"]}"#,
        r#"{"AccountReference":["A payment with this reference already exists."]}"#,
        "{}",
    ] {
        assert_eq!(refused(400, fields).effect(), Effect::Unknown, "{fields}");
    }
    let confirmed =
        |body: &'static str| pollster::block_on(sasapay(400, body).0.submit(&confirm("123456"))).unwrap_err();
    for body in [r#"{"VerificationCode":["Invalid."]}"#, r#"{"CheckoutRequestID":["Required."]}"#] {
        assert_eq!(confirmed(body).effect(), Effect::None, "{body}");
    }
    assert_eq!(confirmed(r#"{"Amount":["Odd."]}"#).effect(), Effect::Unknown);
}

#[test]
fn every_field_that_is_sent_may_be_complained_about_but_the_reference() {
    let terms = || terms("PAY-1", "10").with_detail("transaction_fee", "0");
    for instruction in [collect(mobile(Network::Safaricom), terms()), confirm("123456")] {
        let (accepting, transport) = sasapay(200, MOBILE);
        pollster::block_on(accepting.submit(&instruction)).unwrap();
        let sent: serde_json::Value = serde_json::from_slice(transport.requests()[1].body()).unwrap();
        for field in sent.as_object().unwrap().keys() {
            let body = serde_json::json!({field: ["Odd."]}).to_string();
            let error = pollster::block_on(sasapay(400, body).0.submit(&instruction)).unwrap_err();
            let expected = if field == "AccountReference" { Effect::Unknown } else { Effect::None };
            assert_eq!(error.effect(), expected, "{field}");
        }
    }
}

#[test]
fn a_refusal_that_hands_out_an_id_may_have_started_something() {
    for (id, effect) in [("07102440280", Effect::Unknown), ("PAY-1", Effect::None), ("", Effect::None)] {
        let body = format!(r#"{{"status":false,"detail":"no","MerchantRequestID":"{id}"}}"#);
        assert_eq!(refused(400, &body).effect(), effect, "{id}");
        assert_eq!(
            refused(400, &body.replace("MerchantRequestID", "BillRefNumber")).effect(),
            effect,
            "{id}"
        );
    }
}

#[test]
fn their_id_is_not_taken_for_our_reference() {
    let theirs = r#""MerchantRequestID":"07102440280""#;
    let refs = ProviderRefs::new().with("checkout", Some(CHECKOUT));
    let refs = refs.with("merchant_request", Some("07102440280"));
    let ticket = bare_ticket("PAY-1").with_provider_refs(refs);
    let paid = format!(r#"{{"CheckoutId":"{CHECKOUT}",{theirs},"Paid":true,"AmountPaid":"10.00"}}"#);
    let told = asked(&ticket, &paid).unwrap();
    assert_eq!((told.state, told.reference), (State::Settled, Some(reference("PAY-1"))));
    assert_eq!(told.provider_refs.find("merchant_request"), Some("07102440280"));

    let failed = format!(r#"{{"ResultCode":"1032",{theirs}}}"#);
    let told = report(DeliveryPurpose::Result, &failed);
    assert_eq!((told.state, told.reference), (State::Failed, Some(reference("PAY-1"))));
    assert_eq!(told.provider_refs.find("merchant_request"), Some("07102440280"));
    let told = report(DeliveryPurpose::Result, &failed.replace("07102440280", "PAY-1"));
    assert_eq!((told.reference, told.provider_refs.is_empty()), (Some(reference("PAY-1")), true));
    let read = sasapay(500, "").0.read(&delivery(DeliveryPurpose::Result, &failed));
    let Ok(Read::Report(told)) = read else { panic!("{read:?}") };
    assert_eq!((told.state, told.reference), (State::Failed, None), "and nobody else says whose it is");
}

#[test]
fn a_refused_code_did_nothing_and_says_no_more() {
    let body = r#"{"status":false,"detail":"Transaction already processed"}"#;
    let error = pollster::block_on(sasapay(400, body).0.submit(&confirm("123456"))).unwrap_err();
    let remedy = error.remedy().unwrap();
    assert!(remedy.contains("status") && !remedy.contains("still open"), "{remedy}");
}

#[test]
fn what_decides_nothing_may_be_odd_or_told_twice() {
    for data in ["\"\"", "[]", "17", "true", "null", "{}", r#"{"Paid":[1]}"#] {
        let body = posted("0").replace(r#""TransAmount""#, &format!(r#""data":{data},"TransAmount""#));
        assert_eq!(report(DeliveryPurpose::Result, &body).state, State::Settled, "{data}");
        let notice = IPN.replace(r#""TransID""#, &format!(r#""data":{data},"TransID""#));
        assert!(matches!(read(DeliveryPurpose::Notice, &notice), Ok(Read::Credit(_))), "{data}");
        let is_object = data.starts_with('{');
        let answer = read(DeliveryPurpose::Answer, &body);
        let settled = matches!(&answer, Ok(Read::Report(report)) if report.state == State::Settled);
        assert_eq!(settled, !is_object, "{data}: {answer:?}");
    }
    for field in [
        r#""MSISDN":"254700000001""#,
        r#""TransTime":"20250701105155""#,
        &format!(r#""CheckoutId":"{CHECKOUT}""#),
    ] {
        let body = posted("0").replace(r#""TransAmount""#, &format!(r#"{field},"TransAmount""#));
        let told = report(DeliveryPurpose::Result, &body);
        assert_eq!(told.state, State::Settled, "{field}");
        assert_eq!(told.party.unwrap().account.as_deref(), Some("254708374149"));
        assert_eq!(
            told.at.unwrap().to_string(),
            report(DeliveryPurpose::Result, &posted("0")).at.unwrap().to_string()
        );
    }
}

#[test]
fn two_checkouts_decide_nothing() {
    for code in ["0", "\"1032\"", "\"SP01003\""] {
        let body = posted(code).replace(r#""TransAmount""#, r#""CheckoutId":"another","TransAmount""#);
        let told = report(DeliveryPurpose::Result, &body);
        assert_eq!((told.state, told.provider_refs.find("checkout")), (State::Pending, None), "{code}");
    }
    let paid =
        format!(r#"{{"CheckoutId":"{CHECKOUT}","CheckoutRequestID":"another","Paid":true,"AmountPaid":1}}"#);
    assert_eq!(known(&paid).state, State::Pending);
    assert_eq!(report(DeliveryPurpose::Answer, &paid).state, State::Pending);
}

#[test]
fn a_question_about_a_code_is_refused_by_its_name() {
    for operation in [Operation::Confirm, Operation::PayOut] {
        let (sasapay, transport) = sasapay(200, "{}");
        let ticket = Ticket::new(reference("PAY-1"), operation).with_callback(answers());
        let error = pollster::block_on(sasapay.status(&ticket)).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Unsupported, Operation::Status));
        assert!(error.to_string().contains(operation.as_str()), "{error}");
        assert!(transport.requests().is_empty());
    }
}
