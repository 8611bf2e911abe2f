//! Breaks of what is made of answers and deliveries.

use bytes::Bytes;
use http::{Method, Request, Response};
use malipo::{
    Answer, CallbackError, Callbacks as _, Delivery, Effect, Error, ErrorKind, Lookup, ProviderId, Read,
    Reply, Report, State, Trust,
};

use super::{Break, asks_for_token, breaking, harmless, hears, in_state, replaced};
use crate::altered::{Alteration, Memory, SOUND};
use crate::outside_provider::TemboCallbacks;
use crate::outside_subject::{ACCEPTED, PASSWORD};

pub(super) fn answering() -> Vec<Break> {
    let fails = |fails: fn(Error) -> Error| Alteration { fails, ..SOUND };
    vec![
        breaking(
            "an_accepted_payment_is_reported_as_documented",
            Alteration { reports: |report| in_state(report, State::Settled), ..SOUND },
        ),
        breaking(
            "a_documented_refusal_means_no_effect",
            fails(
                |error| {
                    if error.code() == Some("NO_FUNDS") { error.with_effect(Effect::Unknown) } else { error }
                },
            ),
        ),
        breaking(
            "an_undocumented_code_means_unknown",
            fails(|error| harmless(error, ErrorKind::Unlisted, Some(400))),
        ),
        breaking(
            "a_duplicate_means_unknown",
            fails(|error| harmless(error, ErrorKind::Duplicate, Some(409))),
        ),
        breaking(
            "a_torn_answer_means_unknown",
            hears(|_, response| {
                let mend = |status, body: &[u8]| {
                    (status == 202 && body == br#"{"accepted":"P-"#).then_some(ACCEPTED)
                };
                replaced(response, mend)
            }),
        ),
    ]
}

pub(super) fn asking() -> Vec<Break> {
    vec![
        breaking(
            "asking_tells_what_the_gateway_tells",
            Alteration {
                answers: |outcome| match outcome? {
                    Answer::Known(report) => Ok(Answer::Known(in_state(report, State::Pending))),
                    other => Ok(other),
                },
                ..SOUND
            },
        ),
        breaking("asking_moves_nothing", Alteration { sends: questions_are_payments, ..SOUND }),
        breaking(
            "a_question_without_an_answer_changes_nothing",
            Alteration {
                answers: |outcome| outcome.map_err(|error| harmless(error, ErrorKind::Interrupted, None)),
                ..SOUND
            },
        ),
        breaking(
            "a_torn_answer_to_a_question_decides_nothing",
            Alteration {
                answers: |outcome| match outcome {
                    Err(error) if error.kind() == ErrorKind::Unreadable && error.status() == Some(404) => {
                        Ok(Answer::NoSuchReference)
                    }
                    other => other,
                },
                ..SOUND
            },
        )
        .along(&["a_question_without_an_answer_changes_nothing"]),
        breaking(
            "what_cannot_be_asked_sends_nothing",
            Alteration {
                declares: |mut all| {
                    all.lookup = Lookup::None;
                    all
                },
                ..SOUND
            },
        ),
    ]
}

fn questions_are_payments(mut request: Request<Bytes>) -> Request<Bytes> {
    if request.uri().path().starts_with("/v1/payouts/") {
        *request.method_mut() = Method::POST;
        *request.uri_mut() = "https://api.tembo.example/v1/payouts".parse().unwrap();
    }
    request
}

pub(super) fn naming() -> Vec<Break> {
    vec![
        breaking(
            "an_error_names_account_operation_and_payment",
            Alteration {
                fails: |error| match error.kind() {
                    ErrorKind::Refused => {
                        Error::new(ErrorKind::Refused, error.effect(), error.operation(), error.message())
                    }
                    _ => error,
                },
                ..SOUND
            },
        ),
        breaking("one_provider_serves_many_threads", Alteration { memory: Memory::FirstPayment, ..SOUND }),
    ]
}

pub(super) fn secrecy() -> Vec<Break> {
    vec![
        breaking("a_provider_prints_no_secret", Alteration { prints: PASSWORD, ..SOUND }),
        breaking("a_secret_is_sent_only_where_nothing_prints_it", Alteration { sends: unmarked, ..SOUND }),
        breaking(
            "a_secret_that_a_gateway_repeats_is_not_passed_on",
            Alteration {
                drops: |request, response| said(response).filter(|_| !asks_for_token(request)),
                ..SOUND
            },
        ),
        breaking(
            "a_secret_that_comes_with_a_token_is_not_passed_on",
            Alteration {
                drops: |request, response| said(response).filter(|_| asks_for_token(request)),
                ..SOUND
            },
        ),
    ]
}

fn unmarked(mut request: Request<Bytes>) -> Request<Bytes> {
    request.headers_mut().values_mut().for_each(|value| value.set_sensitive(false));
    request
}

/// What a server in trouble said.
fn said(response: &Response<Bytes>) -> Option<String> {
    (response.status() == 500).then(|| String::from_utf8_lossy(response.body()).into_owned())
}

pub(super) fn delivering() -> Vec<Break> {
    vec![
        breaking(
            "a_delivery_says_what_is_documented",
            Alteration {
                reads: |_, delivery| of_report(delivery, |report| report.state = State::Pending),
                ..SOUND
            },
        ),
        breaking(
            "a_delivery_reads_the_same_twice",
            Alteration {
                reads: |count, delivery| {
                    let receipt = count.to_string();
                    of_report(delivery, |report| report.receipt = Some(receipt))
                },
                ..SOUND
            },
        ),
        breaking(
            "trust_comes_from_address_and_signature",
            Alteration {
                reads: |_, delivery| of_report(delivery, |report| report.trust = Trust::Addressed),
                ..SOUND
            },
        ),
        breaking(
            "a_torn_delivery_decides_nothing",
            Alteration {
                reads: |_, delivery| believe(delivery, |body| body.ends_with(br#""state":"PAID""#)),
                ..SOUND
            },
        ),
        breaking(
            "a_meaningless_delivery_decides_nothing",
            Alteration { reads: |_, delivery| believe(delivery, |body| body == b"{}"), ..SOUND },
        ),
        breaking(
            "a_delivery_always_gets_a_reply",
            Alteration { replies: |_, _| Reply::json(200, r#"{"ok":true}"#), ..SOUND },
        ),
    ]
}

fn of_report(delivery: &Delivery, change: impl FnOnce(&mut Report)) -> Result<Read, CallbackError> {
    let mut read = TemboCallbacks.read(delivery)?;
    if let Read::Report(report) = &mut read {
        change(report);
    }
    Ok(read)
}

/// Takes a delivery whose body `persuades` for the news of a payment.
fn believe(delivery: &Delivery, persuades: fn(&[u8]) -> bool) -> Result<Read, CallbackError> {
    if persuades(delivery.body.bytes()) {
        return Ok(Read::Report(Report::new(ProviderId::of("tembo"), State::Settled, delivery.trust())));
    }
    TemboCallbacks.read(delivery)
}
