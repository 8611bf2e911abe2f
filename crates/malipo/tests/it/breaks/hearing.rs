//! Breaks of what is made of answers and deliveries.

use bytes::Bytes;
use http::{Method, Request, Response};
use malipo::{
    Answer, BalanceReport, CallbackError, Callbacks as _, Delivery, Effect, Error, ErrorKind, Lookup, Money,
    Operation, Read, Report, State, Trust,
};

use super::{Break, asks_for_token, breaking, harmless, hears, in_state, replaced};
use crate::altered::{Alteration, Memory, SOUND, with_effect};
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
            fails(|error| {
                if error.code() == Some("NO_FUNDS") {
                    with_effect(&error, Effect::Unknown, error.operation())
                } else {
                    error
                }
            }),
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

/// An answer to a question in which something is altered. What is altered cannot be an argument: an alteration is a
/// plain function.
macro_rules! knows {
    ($change:expr) => {
        Alteration {
            answers: |outcome| {
                let change: fn(&mut Report) = $change;
                let mut answer = outcome?;
                if let Answer::Known(report) = &mut answer {
                    change(report);
                }
                Ok(answer)
            },
            ..SOUND
        }
    };
}

pub(super) fn knowing() -> Vec<Break> {
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
        breaking("asking_tells_what_the_gateway_tells", knows!(|report| report.trust = Trust::Signed)),
        breaking("asking_tells_what_the_gateway_tells", knows!(|report| report.amount = None)),
        breaking(
            "asking_tells_what_the_gateway_tells",
            knows!(|report| report.amount = Some(Money::kes("15").unwrap())),
        ),
        breaking(
            "asking_tells_what_the_gateway_tells",
            knows!(|report| report.reference = Some("TEMBO-9".parse().unwrap())),
        ),
        breaking(
            "asking_tells_what_the_gateway_tells",
            knows!(|report| report.operation = Some(Operation::Collect)),
        ),
        breaking("asking_tells_what_the_gateway_tells", knows!(|report| report.code = None)),
        breaking(
            "asking_tells_what_the_gateway_tells",
            knows!(|report| {
                if report.code.as_deref() == Some("RESTING") {
                    report.state = State::Failed;
                }
            }),
        ),
    ]
}

pub(super) fn asking() -> Vec<Break> {
    vec![
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
        .along(&["a_list_is_no_answer", "a_question_without_an_answer_changes_nothing"]),
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
        let reference = request.uri().path().rsplit('/').next().unwrap().to_owned();
        *request.method_mut() = Method::POST;
        *request.uri_mut() =
            format!("https://api.tembo.example/v1/payouts?about={reference}").parse().unwrap();
    }
    request
}

pub(super) fn balances() -> Vec<Break> {
    vec![
        breaking(
            "balances_are_told_and_nothing_changes",
            Alteration {
                counts: |outcome| {
                    outcome.map_err(|error| with_effect(&error, Effect::None, error.operation()))
                },
                ..SOUND
            },
        ),
        breaking(
            "balances_are_told_and_nothing_changes",
            Alteration { counts: |outcome| outcome.map(claimed), ..SOUND },
        ),
        breaking(
            "balances_are_told_and_nothing_changes",
            Alteration { sends: balances_are_payments, ..SOUND },
        ),
    ]
}

fn claimed(mut balances: BalanceReport) -> BalanceReport {
    balances.trust = Trust::Claimed;
    balances
}

fn balances_are_payments(mut request: Request<Bytes>) -> Request<Bytes> {
    if request.uri().path() == "/v1/balance" {
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
        breaking(
            "a_delivery_that_is_refused_is_not_repeated",
            Alteration { reads: |_, delivery| leaking(delivery), ..SOUND },
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

fn leaking(delivery: &Delivery) -> Result<Read, CallbackError> {
    TemboCallbacks.read(delivery).map_err(|_| {
        let body = String::from_utf8_lossy(delivery.body.bytes()).into_owned();
        CallbackError::Unreadable(body.leak())
    })
}
