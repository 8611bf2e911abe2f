//! What every code and every shape of an answer means for the money.

use malipo_core::{Answer, Effect, Error, ErrorKind, Provider, State};

use crate::subject::{
    ACCEPTED, REFUSED, envelope, kasapay, pay_out, paybill, reference, terms, ticket, told,
};

/// How a payout ends that is answered so, and how many requests that took, the token's included.
fn submitted(status: u16, body: &str) -> (Result<State, Error>, usize) {
    let (kasapay, transport) = kasapay(status, body.to_owned());
    let outcome = pollster::block_on(kasapay.submit(&pay_out(paybill(), terms("PAY-1", "10"))));
    (outcome.map(|report| report.state), transport.requests().len())
}

fn asked(status: u16, body: &str) -> Result<Answer, Error> {
    let (kasapay, _) = kasapay(status, body.to_owned());
    pollster::block_on(kasapay.status(&ticket("PAY-1")))
}

/// One object with the fields of both.
fn both(one: &str, other: &str) -> String {
    let (one, other) = (one.trim().trim_end_matches('}'), other.trim().trim_start_matches('{'));
    format!("{one},{other}")
}

#[test]
fn a_refusal_is_one_whatever_the_http_status() {
    let bare = r#"{"response_code":"721"}"#;
    for status in [200, 201, 400, 403, 422, 500, 503] {
        for (body, code) in [(REFUSED, "SERVICE_NOT_ALLOWED"), (bare, "721")] {
            let (outcome, requests) = submitted(status, body);
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.effect()), (ErrorKind::Refused, Effect::None), "{status}");
            assert_eq!((error.code(), error.status(), requests), (Some(code), Some(status), 2));
            assert!(error.remedy().is_some());
        }
    }
}

#[test]
fn the_envelope_is_a_refusal_only_where_it_repeats_a_status_of_4xx() {
    let many = r#"{"statusCode":400,"message":["amount must be a string","x"],"error":"Bad Request"}"#;
    let wordless = r#"{"statusCode":400}"#;
    let blank = r#"{"statusCode":400,"message":[""],"error":" "}"#;
    let short = r#"{"statusCode":"403","error":"Forbidden"}"#;
    for (status, body, kind, effect) in [
        (400, envelope(400).as_str(), ErrorKind::Refused, Effect::None),
        (400, many, ErrorKind::Refused, Effect::None),
        (403, short, ErrorKind::Refused, Effect::None),
        (404, &envelope(404), ErrorKind::Refused, Effect::None),
        (422, &envelope(422), ErrorKind::Refused, Effect::None),
        (408, &envelope(408), ErrorKind::Unavailable, Effect::Unknown),
        (409, &envelope(409), ErrorKind::Duplicate, Effect::Unknown),
        (429, &envelope(429), ErrorKind::Throttled, Effect::None),
        (400, wordless, ErrorKind::Unreadable, Effect::Unknown),
        (400, blank, ErrorKind::Unreadable, Effect::Unknown),
        (400, &envelope(401), ErrorKind::Unreadable, Effect::Unknown),
        (401, &envelope(400), ErrorKind::Unreadable, Effect::Unknown),
        (200, &envelope(200), ErrorKind::Unreadable, Effect::Unknown),
        (200, &envelope(400), ErrorKind::Unreadable, Effect::Unknown),
        (500, &envelope(500), ErrorKind::Unavailable, Effect::Unknown),
        (400, &format!("[{}]", envelope(400)), ErrorKind::Unreadable, Effect::Unknown),
    ] {
        let (outcome, requests) = submitted(status, body);
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (kind, effect), "{status} {body}");
        assert_eq!(requests, 2, "{status} {body}");
    }
}

#[test]
fn a_token_that_is_never_accepted_is_renewed_once_and_no_more() {
    let (outcome, requests) = submitted(401, &envelope(401));
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Credentials, Effect::None));
    assert_eq!(requests, 4, "a token, a payout, and each once more");
    let (outcome, requests) = submitted(401, "");
    assert_eq!(outcome.unwrap_err().effect(), Effect::Unknown);
    assert_eq!(requests, 2, "a bare 401 is not documented");
}

#[test]
fn what_contradicts_itself_is_unknown_and_sent_once() {
    let unlisted = r#"{"response_code":799}"#;
    let error_code = r#"{"error_code":"SERVICE_NOT_ALLOWED"}"#;
    let bodies = [
        both(ACCEPTED, error_code),
        both(ACCEPTED, r#"{"error":"Bad Request"}"#),
        both(unlisted, error_code),
        both(REFUSED, r#"{"payout_reference":"PAY-1"}"#),
        both(REFUSED, r#"{"payment_status":700}"#),
        both(ACCEPTED, r#"{"payment_status":701}"#),
        both(r#"{"response_code":720}"#, REFUSED),
        both(REFUSED, r#"{"response_code":720}"#),
        error_code.to_owned(),
        r#"{"error_code":"721"}"#.to_owned(),
        r#"{"response_code":[721]}"#.to_owned(),
        r#"{"response_code":""}"#.to_owned(),
        unlisted.to_owned(),
        "{}".to_owned(),
    ];
    for status in [200, 400, 401, 404, 500] {
        let enveloped = [
            both(ACCEPTED, &envelope(status)),
            both(REFUSED, &envelope(status)),
            both(unlisted, &envelope(status)),
            both(error_code, &envelope(status)),
            both(r#"{"payout_reference":"PAY-1"}"#, &envelope(status)),
            both(r#"{"response_code":{}}"#, &envelope(status)),
            both(r#"{"payment_status":700}"#, &envelope(status)),
        ];
        for body in bodies.iter().chain(&enveloped) {
            let (outcome, requests) = submitted(status, body);
            assert_eq!(outcome.unwrap_err().effect(), Effect::Unknown, "{status} {body}");
            assert_eq!(requests, 2, "{status} {body}");
        }
    }
}

#[test]
fn an_acceptance_comes_with_a_2xx() {
    for (status, accepted) in
        [(200, true), (201, true), (202, true), (400, false), (401, false), (500, false)]
    {
        let (outcome, requests) = submitted(status, ACCEPTED);
        match outcome {
            Ok(state) => assert!(accepted && state == State::Pending, "{status}"),
            Err(error) => assert!(!accepted && error.effect() == Effect::Unknown, "{status}: {error}"),
        }
        assert_eq!(requests, 2, "{status}");
    }
    assert_eq!(submitted(200, r#"{"response_code":"720"}"#).0.unwrap(), State::Pending, "as text, too");
}

#[test]
fn every_state_is_final_only_where_it_is_documented_so() {
    for (code, state) in [
        ("700", State::Settled),
        ("\"700\"", State::Settled),
        ("701", State::Failed),
        ("702", State::Reversed),
        ("703", State::Pending),
        ("704", State::Pending),
        ("705", State::Reversed),
        ("706", State::Pending),
        ("70", State::Pending),
        ("7000", State::Pending),
        ("700.0", State::Pending),
        ("720", State::Pending),
        ("721", State::Pending),
        ("true", State::Pending),
    ] {
        let Answer::Known(report) = asked(200, &told(&reference("PAY-1"), code)).unwrap() else {
            panic!("{code}")
        };
        assert_eq!(report.state, state, "{code}");
        assert_eq!(report.code.as_deref(), Some(code.trim_matches('"')));
        assert_eq!(report.receipt.is_some(), state == State::Settled, "{code}");
        assert_eq!(report.remedy.is_none(), state == State::Settled, "{code}");
    }
}

#[test]
fn a_success_without_a_positive_amount_is_not_settled() {
    let paid = told(&reference("PAY-1"), "700");
    for (from, to) in [
        (r#""100.00""#, r#""0""#),
        (r#""100.00""#, r#""-100.00""#),
        (r#""100.00""#, r#""1e2""#),
        (r#""100.00""#, r#""much""#),
        (r#""100.00""#, "null"),
        (r#""100.00""#, r#"["100.00"]"#),
        (r#""KES""#, r#""XXX""#),
        (r#""KES""#, "null"),
    ] {
        let Answer::Known(report) = asked(200, &paid.replace(from, to)).unwrap() else { panic!("{to}") };
        assert_eq!((report.state, report.receipt), (State::Pending, None), "{to}");
        assert!(report.remedy.unwrap().contains("without an amount"));
    }
}

#[test]
fn a_state_beside_a_complaint_decides_nothing() {
    for code in ["700", "701", "702", "705"] {
        for beside in [r#"{"response_code":721}"#, r#"{"error_code":"X"}"#, r#"{"statusCode":400}"#] {
            let body = both(&told(&reference("PAY-1"), code), beside);
            let Answer::Known(report) = asked(200, &body).unwrap() else { panic!("{body}") };
            assert_eq!(report.state, State::Pending, "{body}");
        }
    }
}

#[test]
fn only_the_envelope_of_404_says_that_there_is_no_such_payout() {
    assert!(matches!(asked(404, &envelope(404)), Ok(Answer::NoSuchReference)));
    let path = r#"{"statusCode":404,"message":"Cannot GET /v2/payouts","error":"Not Found"}"#;
    let paid = told(&reference("PAY-1"), "700");
    for (status, body) in [
        (404, path.to_owned()),
        (404, String::new()),
        (404, "<html>".to_owned()),
        (404, format!("[{}]", envelope(404))),
        (404, both(&paid, &envelope(404))),
        (404, both(r#"{"response_code":721}"#, &envelope(404))),
        (404, paid.clone()),
        (400, envelope(404)),
        (200, envelope(404)),
        (200, REFUSED.to_owned()),
        (200, ACCEPTED.to_owned()),
        (200, told(&reference("PAY-2"), "700")),
        (200, paid.replace("PAY-1", "")),
        (200, "{}".to_owned()),
        (200, format!("[{paid}]")),
        (401, envelope(401)),
        (500, paid),
    ] {
        let error = asked(status, &body).unwrap_err();
        assert_eq!(error.effect(), Effect::Unchanged, "{status} {body}");
    }
}
