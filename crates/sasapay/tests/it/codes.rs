//! What every code and every shape of an answer means for the money.

use malipo_core::{Callbacks, DeliveryPurpose, Effect, Error, ErrorKind, Network, Provider, Read, State};

use crate::subject::{MOBILE, coded, collect, confirm, delivery, envelope, mobile, posted, sasapay, terms};

/// How a collection ends that is answered so, and how many requests that took, the token's included.
fn submitted(status: u16, body: &str) -> (Result<State, Error>, usize) {
    let (sasapay, transport) = sasapay(status, body.to_owned());
    let instruction = collect(mobile(Network::Safaricom), terms("PAY-1", "10"));
    let outcome = pollster::block_on(sasapay.submit(&instruction));
    (outcome.map(|report| report.state), transport.requests().len())
}

fn refusal(status: u16, body: &str) -> (ErrorKind, Effect) {
    let (outcome, requests) = submitted(status, body);
    assert_eq!(requests, 2, "{status} {body}");
    let error = outcome.unwrap_err();
    (error.kind(), error.effect())
}

/// One object with the fields of both.
fn both(one: &str, other: &str) -> String {
    let (one, other) = (one.trim().trim_end_matches('}'), other.trim().trim_start_matches('{'));
    format!("{one},{other}")
}

const REFUSED: &[&str] = &[
    "SP.400.000",
    "SP.403.000",
    "SP.404.000",
    "SP.422.000",
    "SP400",
    "SP4040",
    "SP4041",
    "SP4045",
    "SP4060",
    "SP4072",
    "SP6000",
    "SP8000",
];
const CREDENTIALS: &[&str] = &["SP.401.000", "SP4010"];
const OPEN: &[&str] = &[
    "PENDING",
    "SP01001",
    "SP01004",
    "17",
    "1025",
    "1036",
    "1037",
    "9999",
    "ERROR",
    "DP00900001000",
    "SP.500.000",
    "SP.501.000",
    "SP.502.000",
    "SP.503.000",
    "SP.504.000",
    "SP5030",
    "SP9000",
];
const DUPLICATE: &[&str] = &["SP.409.000", "SP4090"];

#[test]
fn every_code_of_an_answer_means_what_is_documented() {
    let refused = (ErrorKind::Refused, Effect::None);
    for status in [200, 400, 403, 404, 422] {
        for code in REFUSED {
            assert_eq!(refusal(status, &coded(code)), refused, "{status} {code}");
        }
        for code in CREDENTIALS {
            assert_eq!(refusal(status, &coded(code)), (ErrorKind::Credentials, Effect::None), "{code}");
        }
        for code in OPEN {
            assert_eq!(refusal(status, &coded(code)), (ErrorKind::Unavailable, Effect::Unknown), "{code}");
        }
        for code in DUPLICATE {
            assert_eq!(refusal(status, &coded(code)), (ErrorKind::Duplicate, Effect::Unknown), "{code}");
        }
        assert_eq!(refusal(status, &coded("SP.429.000")), (ErrorKind::Throttled, Effect::None));
    }
    for code in REFUSED.iter().chain(CREDENTIALS).chain(OPEN).chain(DUPLICATE) {
        assert_eq!(refusal(500, &coded(code)), (ErrorKind::Unavailable, Effect::Unknown), "500 {code}");
    }
}

#[test]
fn a_code_without_a_row_is_open_with_a_2xx_and_refused_by_its_shape_with_a_4xx() {
    for code in ["1", "77", "1032", "SP00", "SP.400.001", "200.000"] {
        assert_eq!(refusal(200, &coded(code)), (ErrorKind::Unlisted, Effect::Unknown), "{code}");
        assert_eq!(refusal(400, &coded(code)), (ErrorKind::Refused, Effect::None), "{code}");
        let without_a_word = format!(r#"{{"ResponseCode":"{code}","ResponseDescription":"what"}}"#);
        for status in [200, 400] {
            assert_eq!(refusal(status, &without_a_word), (ErrorKind::Unlisted, Effect::Unknown), "{code}");
        }
    }
}

#[test]
fn the_shape_of_a_refusal_counts_only_with_a_4xx_and_words() {
    let detail = r#"{"status":false,"detail":"no"}"#;
    let message = r#"{"status":"false","message":"no"}"#;
    let errors = r#"{"status":false,"errors":[{"errorMessage":"no"}]}"#;
    let fields = r#"{"Amount":["A valid number is required."]}"#;
    let (refused, unreadable) =
        ((ErrorKind::Refused, Effect::None), (ErrorKind::Unreadable, Effect::Unknown));
    for (status, body, expected) in [
        (400, detail, refused),
        (403, message, refused),
        (404, errors, refused),
        (422, detail, refused),
        (400, fields, refused),
        (400, envelope(400).as_str(), refused),
        (403, r#"{"detail":"no","status":"error","status_code":"403"}"#, refused),
        (401, detail, (ErrorKind::Credentials, Effect::None)),
        (408, detail, (ErrorKind::Unavailable, Effect::Unknown)),
        (409, detail, (ErrorKind::Duplicate, Effect::Unknown)),
        (429, detail, (ErrorKind::Throttled, Effect::None)),
        (200, detail, unreadable),
        (200, errors, unreadable),
        (200, fields, unreadable),
        (404, fields, unreadable),
        (400, r#"{"status":false}"#, unreadable),
        (400, r#"{"status":false,"detail":" "}"#, unreadable),
        (400, r#"{"detail":"no"}"#, unreadable),
        (400, r#"{"errors":[{"errorMessage":"no"}]}"#, unreadable),
        (400, r#"{"Amount":[]}"#, unreadable),
        (400, r#"{"Amount":["no"],"status":true}"#, unreadable),
        (400, r#"{"detail":"no","status":"error"}"#, unreadable),
        (401, r#"{"detail":"no"}"#, unreadable),
        (401, &format!("[{}]", envelope(401)), unreadable),
        (500, detail, (ErrorKind::Unavailable, Effect::Unknown)),
        (503, &envelope(503), (ErrorKind::Unavailable, Effect::Unknown)),
    ] {
        assert_eq!(refusal(status, body), expected, "{status} {body}");
    }
}

#[test]
fn the_words_of_every_shape_are_kept() {
    for (body, words) in [
        (r#"{"status":false,"detail":"first","message":"second"}"#, "first"),
        (r#"{"status":false,"message":"second","ResponseDescription":"third"}"#, "second"),
        (r#"{"status":false,"ResponseDescription":"third","errors":[{"errorMessage":"fourth"}]}"#, "third"),
        (r#"{"status":false,"errors":[{"errorMessage":"fourth"}]}"#, "fourth"),
        (r#"{"Amount":["fifth","sixth"]}"#, "Amount: fifth sixth"),
    ] {
        let (outcome, _) = submitted(400, body);
        assert_eq!(outcome.unwrap_err().text().unwrap().as_str(), words);
    }
}

#[test]
fn a_token_that_is_never_accepted_is_renewed_once_and_no_more() {
    for body in [envelope(401), r#"{"detail":"x","status":"error","status_code":"401"}"#.to_owned()] {
        let (outcome, requests) = submitted(401, &body);
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Credentials, Effect::None));
        assert_eq!((requests, error.code()), (4, Some("401")), "a token, a collection, and each once more");
    }
    for body in
        ["", r#"{"status":false,"detail":"no"}"#, &envelope(400), &both(MOBILE, r#"{"status_code":401}"#)]
    {
        assert_eq!(submitted(401, body).1, 2, "not documented, so not sent again: {body}");
    }
}

#[test]
fn an_acceptance_comes_with_a_2xx_a_yes_and_no_other_code_than_0() {
    for body in [MOBILE, r#"{"status":true}"#, r#"{"status":"true","ResponseCode":0}"#] {
        for status in [200, 201, 202] {
            assert_eq!(submitted(status, body).0.unwrap(), State::Pending, "{body}");
        }
        for status in [400, 401, 404, 409, 429, 500] {
            assert_eq!(refusal(status, body).1, Effect::Unknown, "{status} {body}");
        }
    }
    for body in [
        MOBILE.replace("\"ResponseCode\": \"0\"", "\"ResponseCode\": \"1\""),
        MOBILE.replace("\"ResponseCode\": \"0\"", "\"ResponseCode\": \"\""),
        MOBILE.replace("\"ResponseCode\": \"0\"", "\"ResponseCode\": [0]"),
        MOBILE.replace("true", "false"),
        MOBILE.replace("true", "\"\""),
        MOBILE.replace("true", "null"),
        both(MOBILE, r#"{"status":true}"#),
        both(MOBILE, r#"{"statusCode":"SP.400.000"}"#),
        both(MOBILE, r#"{"status_code":400}"#),
        both(MOBILE, r#"{"errors":[{"errorMessage":"no"}]}"#),
        both(r#"{"CheckoutRequestID":"c"}"#, &coded("SP.400.000")),
        both(r#"{"TransactionReference":"PR1"}"#, r#"{"status":false,"detail":"no"}"#),
        both(&coded("0"), r#"{"detail":"no"}"#),
        r#"{"ResponseCode":"0"}"#.to_owned(),
    ] {
        for status in [200, 400, 401] {
            assert_eq!(refusal(status, &body).1, Effect::Unknown, "{status} {body}");
        }
    }
}

#[test]
fn a_refused_code_may_name_its_checkout() {
    let body = r#"{"status":false,"detail":"no","CheckoutRequestID":"c"}"#;
    let error = pollster::block_on(sasapay(400, body).0.submit(&confirm("123456"))).unwrap_err();
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(refusal(400, body).1, Effect::Unknown, "but a refused collection has none");
}

#[test]
fn every_code_of_a_result_is_final_only_where_it_is_documented_so() {
    let settled: &[&str] = &["0", "SP00000"];
    let failed: &[&str] =
        &["1", "1001", "1019", "1031", "1032", "2001", "2028", "2040", "4001", "SFC_IC0003", "SP01002"];
    let unlisted: &[&str] = &["2", "00", "0.0", "10", "SP", "sp01002", "SP0000", "true", "720"];
    for (codes, state) in [
        (settled, State::Settled),
        (failed, State::Failed),
        (REFUSED, State::Failed),
        (CREDENTIALS, State::Failed),
        (&["SP01003"], State::Reversed),
        (OPEN, State::Pending),
        (DUPLICATE, State::Pending),
        (&["SP.429.000"], State::Pending),
        (unlisted, State::Pending),
    ] {
        for code in codes {
            let delivery = delivery(DeliveryPurpose::Result, &posted(&format!("\"{code}\"")));
            let Read::Report(report) = sasapay(500, "").0.read(&delivery).unwrap() else { panic!("{code}") };
            assert_eq!(report.state, state, "{code}");
            assert_eq!(report.code.as_deref(), Some(*code));
            assert_eq!(report.receipt.is_some(), state == State::Settled, "{code}");
            assert_eq!(report.remedy.is_none(), state == State::Settled, "{code}");
        }
    }
}
