//! Breaks of what is made of lists and contradictions.

use bytes::Bytes;
use http::{Response, StatusCode};
use malipo::{Callbacks as _, Delivery};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Break, asks_for_token, breaking, hears};
use crate::altered::{Alteration, SOUND};
use crate::outside_provider::TemboCallbacks;
use crate::outside_subject::REJECTED;

const ACCEPTANCE: &[&str] = &["accepted"];
const REFUSAL: &[&str] = &["code", "message"];
const NEWS: &[&str] = &["reference", "state", "amount", "receipt"];
const TOKEN: &[&str] = &["token", "kind"];

pub(super) fn shapes() -> Vec<Break> {
    vec![
        breaking("a_list_is_no_answer", hears(|_, response| by_position(response, 202, ACCEPTANCE))),
        breaking("a_list_is_no_answer", hears(|_, response| by_position(response, 402, REFUSAL))),
        breaking("a_list_is_no_answer", hears(|_, response| by_position(response, 401, REFUSAL))),
        breaking("a_list_is_no_answer", hears(|_, response| by_position(response, 404, REFUSAL))),
        breaking(
            "a_list_is_no_answer",
            hears(
                |request, response| {
                    if asks_for_token(request) { by_position(response, 200, TOKEN) } else { response }
                },
            ),
        ),
        breaking(
            "a_list_is_no_answer",
            hears(
                |request, response| {
                    if asks_for_token(request) { response } else { by_position(response, 200, NEWS) }
                },
            ),
        ),
        breaking("a_list_is_no_answer", hears(|_, response| unwrapped(response))),
        breaking(
            "a_list_is_no_delivery",
            Alteration {
                reads: |_, delivery| {
                    let body = named(delivery.body.bytes(), NEWS);
                    let body = body.unwrap_or_else(|| delivery.body.bytes().to_vec());
                    let mut read = Delivery::new(delivery.purpose, delivery.headers.clone(), body);
                    read.addressed.clone_from(&delivery.addressed);
                    TemboCallbacks.read(&read)
                },
                ..SOUND
            },
        ),
        breaking(
            "an_answer_that_contradicts_itself_means_unknown",
            hears(|_, response| refused(response, 402)),
        ),
        breaking(
            "an_answer_that_contradicts_itself_means_unknown",
            hears(|_, response| refused(response, 202)),
        ),
        breaking("an_answer_that_contradicts_itself_means_unknown", hears(|_, response| stale(response))),
    ]
}

/// What a parser that takes the items of a list for these fields would make of it.
fn named(body: &[u8], fields: &[&str]) -> Option<Vec<u8>> {
    let items: Vec<Value> = serde_json::from_slice(body).ok()?;
    let complete = items.first().is_some_and(|first| first.is_string());
    let object: Map<_, _> = fields.iter().map(|field| (*field).to_owned()).zip(items).collect();
    complete.then(|| Value::Object(object).to_string().into_bytes())
}

fn by_position(response: Response<Bytes>, status: u16, fields: &[&str]) -> Response<Bytes> {
    if response.status() != status {
        return response;
    }
    response.map(|body| named(&body, fields).map_or(body, Bytes::from))
}

fn unwrapped(response: Response<Bytes>) -> Response<Bytes> {
    response.map(|body| match serde_json::from_slice::<[Map<String, Value>; 1]>(&body) {
        Ok([object]) => Bytes::from(Value::Object(object).to_string()),
        Err(_) => body,
    })
}

#[derive(Deserialize)]
struct Both {
    #[serde(rename = "accepted")]
    _accepted: String,
    code: String,
}

fn contradiction(response: &Response<Bytes>) -> Option<Both> {
    serde_json::from_slice(response.body()).ok().filter(|_| response.body().starts_with(b"{"))
}

/// What the first code of the table would make of it, whatever else is said.
fn refused(response: Response<Bytes>, status: u16) -> Response<Bytes> {
    match contradiction(&response) {
        Some(both) if response.status() == status && both.code == "NO_FUNDS" => {
            let mut refusal = response.map(|_| Bytes::from_static(br#"{"code":"NO_FUNDS"}"#));
            *refusal.status_mut() = StatusCode::PAYMENT_REQUIRED;
            refusal
        }
        _ => response,
    }
}

fn stale(response: Response<Bytes>) -> Response<Bytes> {
    match contradiction(&response) {
        Some(both) if response.status() == 401 && both.code == "TOKEN" => {
            response.map(|_| Bytes::from_static(REJECTED.as_bytes()))
        }
        _ => response,
    }
}

#[test]
fn a_list_is_read_by_position() {
    assert_eq!(named(br#"["P-1",null]"#, ACCEPTANCE), Some(br#"{"accepted":"P-1"}"#.to_vec()));
    assert_eq!(named(b"[null]", ACCEPTANCE), None);
}
