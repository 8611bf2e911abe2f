//! What is answered to a code, to a question, to a verification, and to a question for balances.

use malipo_core::{
    Answer, Balances, Bank, Credits, Effect, ErrorKind, Money, NextStep, Operation, Provider, State,
    Timestamp, Trust,
};

use crate::subject::{
    ACK, BALANCES, CHECKOUT, PROCESSED, bank, bare_ticket, callback, collect, confirm, details, envelope,
    mobile, reference, sasapay, terms, ticket, transaction, wallet,
};

const VERIFIED: &str = r#"{"statusCode":0,"detail":"Transaction Details","data":{"TransactionType":"C2B","TransID":"SPEJ0O78GY2T","TransTime":"20240701105155","TransAmount":"100.00","MerchantCode":"600980","BillRefNumber":"PAY-1","InvoiceNumber":"","OrgAccountBalance":"10.00","CustomerMobile":"254708374149","FirstName":"John","MiddleName":"","LastName":"Doe"}}"#;

#[test]
fn the_next_step_follows_from_the_payer_and_not_from_the_words() {
    let words = r#"{"status":true,"detail":"OTP sent","CheckoutRequestID":"c","TransactionReference":"PR52","ResponseCode":"0"}"#;
    for (payer, step) in [
        (wallet(), NextStep::EnterCode),
        (mobile(malipo_core::Network::Telkom), NextStep::AnswerPrompt),
        (bank(Bank::Equity), NextStep::TransferWithNarration("PR52".to_owned())),
    ] {
        let (sasapay, _) = sasapay(200, words);
        let report = pollster::block_on(sasapay.submit(&collect(payer, terms("PAY-1", "10")))).unwrap();
        assert_eq!((report.next_step, report.remedy), (Some(step), None));
    }
}

#[test]
fn a_payer_who_cannot_go_on_is_said_to() {
    let bare = r#"{"status":true,"detail":"accepted","ResponseCode":"0"}"#;
    for (payer, remedy) in [(wallet(), "no checkout"), (bank(Bank::Equity), "the payer cannot pay")] {
        let (sasapay, _) = sasapay(200, bare);
        let report = pollster::block_on(sasapay.submit(&collect(payer, terms("PAY-1", "10")))).unwrap();
        assert_eq!((report.state, report.next_step), (State::Pending, None));
        assert!(report.remedy.unwrap().contains(remedy));
    }
}

#[test]
fn a_wrong_code_leaves_the_collection_open_and_is_repeated_nowhere() {
    let refused = r#"{"status":false,"detail":"Invalid verification code 525474","code":"525474"}"#;
    let (sasapay, transport) = sasapay(400, refused);
    let error = pollster::block_on(sasapay.submit(&confirm("525474"))).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Refused, Effect::None));
    assert_eq!((error.operation(), error.reference()), (Operation::Confirm, Some(&reference("PAY-1"))));
    assert!(error.to_string().contains("Invalid verification code [secret]"), "{error}");
    assert!(error.remedy().unwrap().contains("this code did nothing"));
    assert!(!format!("{error} {error:?}").contains("525474"));
    assert_eq!(transport.requests().len(), 2, "it is not sent again");
}

#[test]
fn a_code_that_is_echoed_by_an_acceptance_is_erased() {
    let (sasapay, _) = sasapay(200, r#"{"status":true,"detail":"525474 is being processed"}"#);
    let report = pollster::block_on(sasapay.submit(&confirm("525474"))).unwrap();
    assert_eq!((report.state, report.operation), (State::Pending, Some(Operation::Collect)));
    assert_eq!(report.provider_refs.find("checkout"), Some(CHECKOUT));
    let raw = String::from_utf8(report.raw.bytes().to_vec()).unwrap();
    assert!(!format!("{report:?} {raw}").contains("525474"), "{raw}");
    assert!(!format!("{:?}", confirm("525474")).contains("525474"));
}

#[test]
fn an_answer_to_a_question_is_held_against_what_was_asked() {
    let other = details(CHECKOUT, "true", "100").replace(r#""Paid""#, r#""BillRefNumber":"PAY-2","Paid""#);
    let own = other.replace("PAY-2", "PAY-1");
    let asked = |ticket, body: &str| pollster::block_on(sasapay(200, body.to_owned()).0.status(&ticket));
    for (ticket, body) in [
        (ticket("PAY-1"), details("another", "true", "100")),
        (ticket("PAY-1"), other.clone()),
        (bare_ticket("PAY-1"), other),
    ] {
        let error = asked(ticket, &body).unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unlisted, Effect::Unchanged));
    }
    for (ticket, body) in [
        (ticket("PAY-1"), own),
        (ticket("PAY-1"), details(CHECKOUT, "true", "100")),
        (bare_ticket("PAY-1"), details("told first now", "true", "100")),
    ] {
        let Answer::Known(report) = asked(ticket, &body).unwrap() else { panic!("{body}") };
        assert_eq!((report.state, report.trust), (State::Settled, Trust::Answered));
        assert_eq!(report.reference, Some(reference("PAY-1")));
        assert_eq!(report.at, Timestamp::parse_rfc3339("2024-07-01T07:51:55Z"));
    }
}

#[test]
fn that_a_question_was_taken_says_nothing_of_the_payment() {
    for body in [
        ACK,
        r#"{"status":true,"detail":"Paid"}"#,
        r#"{"status":true,"data":null}"#,
        r#"{"statusCode":0}"#,
        r#"{"status":true,"data":[]}"#,
        r#"{"status":true,"data":17}"#,
    ] {
        let answer = pollster::block_on(sasapay(200, body).0.status(&ticket("PAY-1"))).unwrap();
        assert!(matches!(answer, Answer::ComesByCallback), "{body}: {answer:?}");
    }
    for data in [
        r#"{}"#,
        r#"{"AmountPaid":"100.00"}"#,
        r#"{"Paid":null,"AmountPaid":"100.00"}"#,
        r#"{"Paid":[true],"AmountPaid":"100.00"}"#,
    ] {
        let body = format!(r#"{{"status":true,"data":{data}}}"#);
        let answer = pollster::block_on(sasapay(200, body).0.status(&ticket("PAY-1"))).unwrap();
        assert!(matches!(answer, Answer::Known(report) if report.state == State::Pending), "{data}");
    }
    let twice = r#"{"status":true,"data":{"Paid":true,"Paid":true}}"#;
    let error = pollster::block_on(sasapay(200, twice).0.status(&ticket("PAY-1"))).unwrap_err();
    assert_eq!(error.effect(), Effect::Unchanged);
}

#[test]
fn a_verified_transaction_is_a_credit_that_was_answered() {
    let credit = pollster::block_on(sasapay(200, VERIFIED).0.credit(&transaction("SPEJ0O78GY2T")));
    let credit = credit.unwrap().unwrap();
    assert_eq!((credit.amount, credit.trust), (Money::kes("100").unwrap(), Trust::Answered));
    assert_eq!((credit.account.as_deref(), credit.reference), (Some("PAY-1"), Some(reference("PAY-1"))));
    assert_eq!(credit.provider_refs.find("transaction"), Some("SPEJ0O78GY2T"));
    assert_eq!(credit.payer.unwrap().account.as_deref(), Some("254708374149"));
    for (status, body) in [
        (200, VERIFIED.replace("SPEJ0O78GY2T", "SPEJ0O78GY2U")),
        (200, VERIFIED.replace("\"C2B\"", "\"B2C\"")),
        (200, VERIFIED.replace("600980", "600981")),
        (200, VERIFIED.replace("100.00", "0.00")),
        (200, VERIFIED.replace(r#""statusCode":0"#, r#""statusCode":1"#)),
        (200, r#"{"statusCode":0,"detail":"no data"}"#.to_owned()),
        (200, "{}".to_owned()),
        (404, r#"{"status":false,"detail":"not found"}"#.to_owned()),
        (404, r#"{"status":false,"ResponseCode":"SP.404.000","detail":"not found"}"#.to_owned()),
        (200, r#"{"status":false,"ResponseCode":"SP4040","detail":"not found"}"#.to_owned()),
        (401, envelope(401)),
        (500, VERIFIED.to_owned()),
    ] {
        let asked = transaction("SPEJ0O78GY2T");
        // No page says how a transaction that does not exist is answered: nothing says that there is none.
        let error = pollster::block_on(sasapay(status, body.clone()).0.credit(&asked)).unwrap_err();
        assert_eq!((error.effect(), error.operation()), (Effect::Unchanged, Operation::Status), "{body}");
    }
}

#[test]
fn every_cut_of_an_answer_that_tells_something_tells_nothing() {
    for length in 0..VERIFIED.len() {
        let (cut, asked) = (&VERIFIED.as_bytes()[..length], transaction("SPEJ0O78GY2T"));
        assert!(pollster::block_on(sasapay(200, cut).0.credit(&asked)).is_err());
    }
    for length in 0..BALANCES.len() {
        assert!(pollster::block_on(sasapay(200, &BALANCES.as_bytes()[..length]).0.balances()).is_err());
    }
}

#[test]
fn balances_are_told_account_by_account_or_as_a_whole() {
    let told = |body: &str| {
        let balances = pollster::block_on(sasapay(200, body.to_owned()).0.balances());
        balances.map(|told| {
            let one =
                |balance: &malipo_core::Balance| (balance.account.clone(), balance.available.to_plain());
            told.balances.iter().map(one).collect::<Vec<_>>()
        })
    };
    let pair = |account: &str, amount: &str| (account.to_owned(), amount.to_owned());
    let both = vec![pair("Working Account", "4500.00"), pair("Utility Account", "10.50")];
    assert_eq!(told(BALANCES).unwrap(), both);
    let whole = r#"{"statusCode":"0","data":{"CurrencyCode":"KES","OrgAccountBalance":-4510.50}}"#;
    assert_eq!(told(whole).unwrap(), [pair("organisation", "-4510.50")]);
    for odd in [
        BALANCES.replace("KES", "XXX"),
        BALANCES.replace("4500.00", "\"much\""),
        BALANCES.replace("4500.00", "4500.001"),
        BALANCES.replace("\"0\"", "\"1\""),
        whole.replace("-4510.50", "null"),
        format!("[{BALANCES}]"),
    ] {
        assert_eq!(told(&odd).unwrap_err().effect(), Effect::Unchanged, "{odd}");
    }
}

#[test]
fn the_ipn_url_is_registered_or_an_error_says_not() {
    let register = |status, body: &'static str| {
        pollster::block_on(sasapay(status, body).0.register_ipn_url(&callback().result))
    };
    assert!(register(200, PROCESSED).is_ok());
    assert!(register(200, r#"{"statusCode":"0","message":"registered"}"#).is_ok());
    for (status, body) in [(400, r#"{"status":false,"detail":"no"}"#), (200, "{}"), (500, PROCESSED)] {
        let error = register(status, body).unwrap_err();
        assert_eq!((error.effect(), error.operation()), (Effect::Unchanged, Operation::RegisterCallback));
    }
}
