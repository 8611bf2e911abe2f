//! Breaks of what is sent: another payment, another amount, another party.

use bytes::Bytes;
use http::{Method, Request};
use malipo::Instruction;
use serde_json::Value;

use super::sending::with_terms;
use super::{Break, breaking};
use crate::altered::{Alteration, SOUND};

pub(super) fn wording() -> Vec<Break> {
    let sends = |sends: fn(Request<Bytes>) -> Request<Bytes>| Alteration { sends, ..SOUND };
    vec![
        breaking("our_reference_is_sent_verbatim", Alteration { takes: short_references, ..SOUND }),
        breaking(
            "our_reference_is_sent_verbatim",
            sends(|request| edited(request, "reference", |own| format!("{own}-9"))),
        ),
        breaking(
            "our_reference_is_sent_verbatim",
            sends(|request| {
                edited(request, "reference", |own| if own == "7" { "8".to_owned() } else { own })
            }),
        ),
        breaking(
            "what_is_sent_is_what_was_asked",
            sends(|request| edited(request, "amount", |_| "1500".to_owned())),
        ),
        breaking(
            "what_is_sent_is_what_was_asked",
            sends(|request| edited(request, "amount", |own| own.replace(".00", "").replace("1501", "1500"))),
        ),
        breaking(
            "what_is_sent_is_what_was_asked",
            sends(|request| {
                // Shillings, but cents from a hundred thousand on.
                edited(request, "amount", |own| if own.len() > 8 { own.replace('.', "") } else { own })
            }),
        ),
        breaking(
            "what_is_sent_is_what_was_asked",
            sends(|request| edited(request, "msisdn", |_| "254708374149".to_owned())),
        ),
        breaking(
            "what_is_sent_is_what_was_asked",
            sends(|request| edited(request, "msisdn", |own| format!("{own}0"))),
        ),
        breaking("a_question_names_its_payment", sends(asks_about_another)),
    ]
}

fn short_references(instruction: Instruction) -> Instruction {
    with_terms(instruction, |terms| {
        let short: String = terms.reference.as_str().chars().take(20).collect();
        terms.reference = short.parse().unwrap();
    })
}

/// The payment with another value in this field.
fn edited(request: Request<Bytes>, field: &str, change: impl FnOnce(String) -> String) -> Request<Bytes> {
    if request.method() != Method::POST {
        return request;
    }
    request.map(|body| {
        let mut payment: Value = serde_json::from_slice(&body).unwrap();
        let own = payment[field].as_str().unwrap().to_owned();
        payment[field] = Value::String(change(own));
        Bytes::from(payment.to_string())
    })
}

fn asks_about_another(mut request: Request<Bytes>) -> Request<Bytes> {
    if request.uri().path().starts_with("/v1/payouts/") {
        *request.uri_mut() = "https://api.tembo.example/v1/payouts/TEMBO-9".parse().unwrap();
    }
    request
}
