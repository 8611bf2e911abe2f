//! Every row of Daraja's code tables: what it means for the money, and that it says what to do.

use std::sync::Arc;

use bytes::Bytes;
use malipo_core::{
    Advice, Callbacks, DeliveryPurpose, Effect, Error, ErrorKind, Operation, Provider, Read, State, Ticket,
};
use malipo_daraja::Daraja;
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};

use crate::subject::{TOKEN_REPLY, callback, config, delivery, error, pay_out, reference, response, terms};

fn daraja(status: u16, answer: Bytes) -> Daraja {
    let transport = ScriptedTransport::new()
        .on("/oauth/v1/generate", Outcome::json(200, TOKEN_REPLY))
        .always(Outcome::json(status, answer));
    Daraja::new(config(), Arc::new(transport), Arc::new(ManualEnv::new()))
}

fn refused(status: u16, answer: Bytes) -> Error {
    pollster::block_on(daraja(status, answer).submit(&pay_out(terms("PAY-1", "10")))).unwrap_err()
}

/// Status, code, kind, whether money may have moved, advice.
#[rustfmt::skip]
const ERRORS: &[(u16, &str, ErrorKind, Effect, Advice)] = &[
    (400, "400.002.02", ErrorKind::Refused, Effect::None, Advice::Fix),
    (400, "400.002.05", ErrorKind::Refused, Effect::None, Advice::Fix),
    (400, "400.003.01", ErrorKind::Credentials, Effect::None, Advice::Fix),
    (400, "400.003.02", ErrorKind::Refused, Effect::None, Advice::Fix),
    (400, "400.008.01", ErrorKind::Credentials, Effect::None, Advice::Fix),
    (400, "400.008.02", ErrorKind::Credentials, Effect::None, Advice::Fix),
    (401, "401.002.01", ErrorKind::Credentials, Effect::None, Advice::Fix),
    (401, "401.003.01", ErrorKind::Credentials, Effect::None, Advice::Fix),
    (404, "404.001.03", ErrorKind::Credentials, Effect::None, Advice::Fix),
    (401, "404.001.03", ErrorKind::Credentials, Effect::None, Advice::Fix),
    (404, "404.001.04", ErrorKind::Credentials, Effect::None, Advice::Fix),
    (404, "404.002.01", ErrorKind::Refused, Effect::None, Advice::Fix),
    (404, "404.003.01", ErrorKind::Refused, Effect::None, Advice::Fix),
    (405, "405.001", ErrorKind::Refused, Effect::None, Advice::Fix),
    (500, "500.001.1001", ErrorKind::Unavailable, Effect::Unknown, Advice::Ask),
    (500, "500.002.1001", ErrorKind::Duplicate, Effect::Unknown, Advice::Ask),
    (500, "500.003.1001", ErrorKind::Unavailable, Effect::Unknown, Advice::Ask),
    (500, "500.003.02", ErrorKind::Throttled, Effect::None, Advice::Resend),
    (429, "500.003.02", ErrorKind::Throttled, Effect::None, Advice::Resend),
    (500, "500.003.03", ErrorKind::Throttled, Effect::None, Advice::Resend),
    (429, "500.003.03", ErrorKind::Throttled, Effect::None, Advice::Resend),
    (200, "00.002.1001", ErrorKind::Unavailable, Effect::None, Advice::Resend),
    (503, "00.002.1001", ErrorKind::Unavailable, Effect::None, Advice::Resend),
];

/// Codes that come as the response code of an acknowledgement, or as an error code.
#[rustfmt::skip]
const RESPONSES: &[(&str, ErrorKind, Effect, Advice)] = &[
    ("26", ErrorKind::Throttled, Effect::None, Advice::Resend),
    ("100000000", ErrorKind::Unavailable, Effect::Unknown, Advice::Ask),
    ("100000001", ErrorKind::Throttled, Effect::None, Advice::Resend),
    ("100000002", ErrorKind::Throttled, Effect::None, Advice::Resend),
    ("100000004", ErrorKind::Unavailable, Effect::Unknown, Advice::Ask),
    ("100000005", ErrorKind::Refused, Effect::None, Advice::Fix),
    ("100000007", ErrorKind::Unavailable, Effect::Unknown, Advice::Ask),
    ("100000009", ErrorKind::Unavailable, Effect::Unknown, Advice::Ask),
    ("100000010", ErrorKind::Refused, Effect::None, Advice::Fix),
    ("100000011", ErrorKind::Throttled, Effect::None, Advice::Resend),
];

#[test]
fn every_error_code_says_what_may_have_happened_and_what_to_do() {
    let codes = ERRORS
        .iter()
        .map(|(status, code, kind, effect, advice)| (*status, error(code), *code, *kind, *effect, *advice));
    let responses = RESPONSES.iter().flat_map(|(code, kind, effect, advice)| {
        [(200, response(code)), (500, error(code))]
            .map(|(status, body)| (status, body, *code, *kind, *effect, *advice))
    });
    for (status, body, code, kind, effect, advice) in codes.chain(responses) {
        let error = refused(status, body);
        assert_eq!(
            (error.kind(), error.effect(), error.advice()),
            (kind, effect, advice),
            "{status} {code}: {error}"
        );
        assert_eq!((error.code(), error.status()), (Some(code), Some(status)));
        assert!(error.remedy().is_some_and(|remedy| !remedy.is_empty()), "{code}");
    }
}

#[test]
fn the_same_codes_change_nothing_when_we_only_asked() {
    let ticket = Ticket::new(reference("PAY-1"), Operation::PayOut).with_callback(callback());
    for (status, code, kind, ..) in ERRORS {
        let daraja = daraja(*status, error(code));
        for error in [
            pollster::block_on(daraja.status(&ticket)).unwrap_err(),
            pollster::block_on(daraja.request_balances(&callback())).unwrap_err(),
        ] {
            assert_eq!(
                (error.kind(), error.effect(), error.advice()),
                (*kind, Effect::Unchanged, Advice::Ask),
                "{code}"
            );
        }
    }
}

#[test]
fn other_shapes_are_read_or_leave_it_open() {
    let fault = |text: &str, code: &str| {
        Bytes::from(format!(r#"{{"fault":{{"faultstring":"{text}","detail":{{"errorcode":"{code}"}}}}}}"#))
    };
    for (status, body, kind, effect) in [
        (
            429,
            fault("Spike arrest violation", "policies.ratelimit.SpikeArrestViolation"),
            ErrorKind::Throttled,
            Effect::None,
        ),
        (
            401,
            fault(
                "no apiproduct match found",
                "keymanagement.service.InvalidAPICallAsNoApiProductMatchFound",
            ),
            ErrorKind::Credentials,
            Effect::None,
        ),
        (
            500,
            fault("what", "messaging.adaptors.http.flow.GatewayTimeout"),
            ErrorKind::Unavailable,
            Effect::Unknown,
        ),
        (
            403,
            Bytes::from_static(b"<html><body>Request unsuccessful</body></html>"),
            ErrorKind::Unreadable,
            Effect::Unknown,
        ),
        (
            503,
            Bytes::from_static(b"<html><body>Service Unavailable</body></html>"),
            ErrorKind::Unavailable,
            Effect::Unknown,
        ),
        (400, Bytes::new(), ErrorKind::Unreadable, Effect::Unknown),
        (404, Bytes::new(), ErrorKind::Unreadable, Effect::Unknown),
        (401, Bytes::new(), ErrorKind::Unreadable, Effect::Unknown),
        (200, Bytes::from_static(b"{}"), ErrorKind::Unreadable, Effect::Unknown),
        (200, response("999"), ErrorKind::Unlisted, Effect::Unknown),
        (400, error("400.999.99"), ErrorKind::Unlisted, Effect::Unknown),
        // An acceptance with a status that contradicts it is none.
        (500, response("0"), ErrorKind::Unavailable, Effect::Unknown),
        (400, response("0"), ErrorKind::Unlisted, Effect::Unknown),
    ] {
        let error = refused(status, body.clone());
        assert_eq!((error.kind(), error.effect()), (kind, effect), "{status} {body:?}: {error}");
    }
}

/// How often the payment was sent, and what came of it.
fn sent_and_refused(status: u16, answer: &str) -> (usize, Error) {
    let transport = ScriptedTransport::new()
        .on("/oauth/v1/generate", Outcome::json(200, TOKEN_REPLY))
        .always(Outcome::json(status, answer.to_owned()));
    let transport = Arc::new(transport);
    let daraja = Daraja::new(config(), transport.clone(), Arc::new(ManualEnv::new()));
    let error = pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "10")))).unwrap_err();
    let payments =
        transport.requests().iter().filter(|request| request.uri().path().contains("payment")).count();
    (payments, error)
}

#[test]
fn an_answer_that_contradicts_itself_is_unknown_and_resends_nothing() {
    let codes: Vec<_> = ERRORS.iter().map(|row| row.1).chain(RESPONSES.iter().map(|row| row.0)).collect();
    for code in codes {
        for other in [
            format!(r#"{{"ConversationID":"AG_1","ResponseCode":"0","errorCode":"{code}"}}"#),
            format!(r#"{{"ConversationID":"AG_1","errorCode":"{code}"}}"#),
            format!(r#"{{"ResponseCode":"100000000","errorCode":"{code}"}}"#),
            format!(r#"{{"ResponseCode":"0","fault":{{"detail":{{"errorcode":"{code}"}}}}}}"#),
            format!(r#"{{"errorCode":"999","fault":{{"detail":{{"errorcode":"{code}"}}}}}}"#),
            format!(r#"{{"errorCode":{{"a":1}},"ResponseCode":"{code}"}}"#),
            format!(r#"{{"fault":"what","ResponseCode":"{code}"}}"#),
        ] {
            for status in [200, 401, 500] {
                let (payments, error) = sent_and_refused(status, &other);
                assert_eq!((payments, error.effect()), (1, Effect::Unknown), "{status} {other}: {error}");
            }
        }
    }
}

#[test]
fn a_list_is_not_read_as_the_object_that_its_items_could_fill() {
    for list in [
        r#"[null,null,null,null,null,"400.002.02"]"#,
        r#"[null,null,null,null,null,"401.002.01"]"#,
        r#"["AG_1","PAY-1","0"]"#,
        r#"[{"ResponseCode":"0"}]"#,
        r#"[{"errorCode":"400.002.02"}]"#,
        r#"{"fault":["x",["policies.ratelimit.SpikeArrestViolation"]]}"#,
    ] {
        for status in [200, 400, 401, 500] {
            let (payments, error) = sent_and_refused(status, list);
            assert_eq!((payments, error.effect()), (1, Effect::Unknown), "{status} {list}: {error}");
        }
    }
}

#[test]
fn a_token_that_is_not_given_moves_nothing_and_says_why() {
    for (status, body, kind, advice) in [
        (400, error("400.008.01"), ErrorKind::Credentials, Advice::Fix),
        (400, error("400.008.02"), ErrorKind::Credentials, Advice::Fix),
        (400, Bytes::new(), ErrorKind::Credentials, Advice::Fix),
        (503, Bytes::from_static(b"<html>"), ErrorKind::Unavailable, Advice::Resend),
        (500, error("500.003.02"), ErrorKind::Throttled, Advice::Resend),
        (200, Bytes::from_static(br#"{"access_token":""}"#), ErrorKind::Unreadable, Advice::Fix),
        (200, Bytes::from_static(br#"{"expires_in":"3599"}"#), ErrorKind::Unreadable, Advice::Fix),
        (200, Bytes::from_static(b"<html>"), ErrorKind::Unreadable, Advice::Fix),
    ] {
        let transport = Arc::new(ScriptedTransport::new().always(Outcome::json(status, body)));
        let daraja = Daraja::new(config(), transport.clone(), Arc::new(ManualEnv::new()));
        let error = pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "10")))).unwrap_err();
        assert_eq!(
            (error.kind(), error.effect(), error.advice()),
            (kind, Effect::None, advice),
            "{status}: {error}"
        );
        assert_eq!(error.operation(), Operation::PayOut);
        assert_eq!(transport.requests().len(), 1, "no payment was sent");
    }
}

#[test]
fn a_token_is_read_however_its_lifetime_is_written() {
    for body in [
        r#"{"access_token":"PlantedAccessToken5590","expires_in":"3599"}"#,
        r#"{"access_token":"PlantedAccessToken5590","expires_in":3599}"#,
        r#"{"access_token":"PlantedAccessToken5590","expiry_in":"3599"}"#,
        r#"{"access_token":"PlantedAccessToken5590","expires_in":"soon"}"#,
    ] {
        let transport = ScriptedTransport::new()
            .on("/oauth/v1/generate", Outcome::json(200, body))
            .always(Outcome::json(200, crate::subject::ACCEPTED));
        let daraja = Daraja::new(config(), Arc::new(transport), Arc::new(ManualEnv::new()));
        assert!(pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "10")))).is_ok(), "{body}");
    }
}

/// Codes of a payout's result. Pending ones are ambiguous.
#[rustfmt::skip]
const RESULTS: &[(&str, State)] = &[
    ("1", State::Failed), ("2", State::Failed), ("3", State::Failed), ("4", State::Failed), ("8", State::Failed),
    ("11", State::Failed), ("15", State::Pending), ("17", State::Pending), ("18", State::Failed), ("19", State::Pending),
    ("20", State::Failed), ("21", State::Failed), ("22", State::Failed), ("24", State::Failed), ("25", State::Failed),
    ("26", State::Failed), ("29", State::Failed), ("2001", State::Failed), ("2006", State::Failed), ("2028", State::Failed),
    ("2029", State::Pending), ("2033", State::Pending), ("2040", State::Failed), ("2051", State::Failed), ("8006", State::Failed),
    ("SFC_IC0003", State::Failed),
    // In no document, so nobody may call the payment failed.
    ("9999", State::Pending), ("-1", State::Pending), ("00", State::Pending), ("", State::Pending),
];

#[test]
fn every_result_code_is_final_only_where_it_is_documented_so() {
    for (code, state) in RESULTS {
        let number = code.parse::<i32>().map_or_else(|_| format!("{code:?}"), |number| number.to_string());
        let mut spellings = vec![format!("{code:?}")];
        if number == *code {
            spellings.push(number);
        }
        for spelling in spellings {
            let body = format!(
                r#"{{"Result":{{"ResultType":0,"ResultCode":{spelling},"ResultDesc":"as documented"}}}}"#
            );
            let read = daraja(200, Bytes::new()).read(&delivery(DeliveryPurpose::Result, &body)).unwrap();
            let Read::Report(report) = read else { panic!("{read:?}") };
            assert_eq!(report.state, *state, "{spelling}");
            assert_eq!(report.code.as_deref().unwrap_or_default(), *code, "{spelling}");
            assert!(report.remedy.is_some_and(|remedy| !remedy.is_empty()), "{spelling}");
            assert_eq!(report.receipt, None);
        }
    }
}
