//! What goes wrong between us and a gateway, whichever it is.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use malipo_transport::{Failure, Stage};

use super::bench::is_json;
use crate::Outcome;
use crate::scripted::answer;

const FAILURES: &[Failure] = &[
    Failure::Connect,
    Failure::Insecure,
    Failure::Timeout,
    Failure::Broken,
    Failure::TooLarge,
    Failure::Other,
];

/// Each way to have no answer, by name.
pub(super) fn losses(stage: Stage) -> Vec<(String, Outcome)> {
    let when = match stage {
        Stage::BeforeSend => "before",
        Stage::AfterSend => "after",
    };
    FAILURES
        .iter()
        .map(|failure| (format!("{failure:?} {when} sending"), Outcome::lost(stage, *failure)))
        .collect()
}

/// Servers and proxies in trouble, by name.
pub(super) fn troubles() -> Vec<(String, Outcome)> {
    says_nothing(&[500, 502, 503, 504])
}

/// Redirects, by name.
pub(super) fn redirects() -> Vec<(String, Outcome)> {
    let redirect = |status: u16| {
        let mut response = answer(status, "text/html", "<html>Moved</html>");
        let elsewhere = HeaderValue::from_static("https://elsewhere.example/");
        response.headers_mut().insert(header::LOCATION, elsewhere);
        (format!("a redirect with {status}"), Outcome::answered(response))
    };
    [301, 302, 303, 307, 308].into_iter().map(redirect).collect()
}

/// Success without a word about what succeeded, by name.
pub(super) fn empty_successes() -> Vec<(String, Outcome)> {
    says_nothing(&[200, 201, 202])
}

/// Refusals without a word about what was refused, by name. 401 and 403 among them: a proxy says so, too.
pub(super) fn empty_refusals() -> Vec<(String, Outcome)> {
    says_nothing(&[400, 401, 403, 404, 422])
}

/// Everything that can go wrong with any exchange, by name.
pub(super) fn everything() -> Vec<(String, Outcome)> {
    let mut all = losses(Stage::BeforeSend);
    all.extend(losses(Stage::AfterSend));
    all.extend(troubles());
    all.extend(redirects());
    all.extend(empty_successes());
    all.extend(empty_refusals());
    all
}

fn says_nothing(statuses: &[u16]) -> Vec<(String, Outcome)> {
    let mut all = Vec::new();
    for status in statuses {
        for (what, content_type, body) in babble() {
            let outcome = Outcome::answered(answer(*status, content_type, body));
            all.push((format!("{status} with {what}"), outcome));
        }
    }
    all
}

/// Bodies that say nothing, by name.
pub(super) fn babble() -> Vec<(&'static str, &'static str, Bytes)> {
    vec![
        ("nothing", "application/json", Bytes::new()),
        ("HTML", "text/html", Bytes::from_static(b"<!DOCTYPE html><html><body>Sorry</body></html>")),
        ("HTML called JSON", "application/json", Bytes::from_static(b"<html>Sorry</html>")),
        ("null", "application/json", Bytes::from_static(b"null")),
        ("an empty list", "application/json", Bytes::from_static(b"[]")),
        ("a list of nulls", "application/json", Bytes::from_static(b"[null,null,null,null]")),
        ("an empty object", "application/json", Bytes::from_static(b"{}")),
        ("true", "application/json", Bytes::from_static(b"true")),
        ("a number", "application/json", Bytes::from_static(b"0")),
        ("a text", "application/json", Bytes::from_static(b"\"OK\"")),
        ("a nested list", "application/json", Bytes::from(vec![b'['; 10_000])),
        ("no UTF-8", "application/json", Bytes::from_static(b"{\"a\":\"\xff\xfe\"}")),
        ("zeros", "application/json", Bytes::from(vec![0; 1_000])),
    ]
}

/// The answer with every shorter body, and whether what is left still says everything. In JSON that is so only
/// when nothing but space was cut; in anything else nobody can tell.
pub(super) fn cuts(response: &Response<Bytes>) -> impl Iterator<Item = (String, Response<Bytes>, Rest)> + '_ {
    let whole_is_json = is_json(response.body());
    (0..response.body().len()).map(move |length| {
        let body = response.body().slice(..length);
        let rest = if whole_is_json && !is_json(&body) { Rest::Torn } else { Rest::Whole };
        (format!("cut to {length} bytes"), response.clone().map(|_| body), rest)
    })
}

/// What is left of a body that was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Certainly not all it said.
    Torn,
    /// Perhaps all it said.
    Whole,
}
