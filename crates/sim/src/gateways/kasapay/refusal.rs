use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Serialize;

use crate::gateways::json_bytes;
use crate::world::plain;

/// A call refused on the spot.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    /// What the caller is told.
    body: Bytes,
    /// What the log is told. Never holds a secret.
    pub(super) why: String,
}

/// How KasaPay says no at its door (B2B page, read 2026-11-22; printed there for wrong credentials only).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a, M: ?Sized> {
    status_code: u16,
    message: &'a M,
    error: &'a str,
}

/// How it says no to a payout.
#[derive(Serialize)]
struct Answer {
    response_code: u16,
    response_description: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
}

impl Refusal {
    pub(super) fn no_such_path(request: &Request<Bytes>) -> Self {
        let message = format!("Cannot {} {}", request.method(), request.uri().path());
        Self::envelope(StatusCode::NOT_FOUND, &message)
    }

    pub(super) fn bad_credentials() -> Self {
        Self::envelope(StatusCode::BAD_REQUEST, "Invalid Authentication Credentials")
    }

    /// The status is our choice: no page prints what a bad token gets.
    pub(super) fn bad_token() -> Self {
        let refusal = Self::envelope(StatusCode::UNAUTHORIZED, "Unauthorized");
        Self { why: "the token is missing or unknown or has run out".into(), ..refusal }
    }

    pub(super) fn echoing(token: &str) -> Self {
        let refusal = Self::envelope(StatusCode::FORBIDDEN, &format!("Forbidden resource for token {token}"));
        Self { why: "the fault says so, with the token repeated".into(), ..refusal }
    }

    pub(super) fn too_fast() -> Self {
        Self::envelope(StatusCode::TOO_MANY_REQUESTS, "ThrottlerException: Too Many Requests")
    }

    pub(super) fn payload(rule: &str) -> Self {
        Self::envelope(StatusCode::BAD_REQUEST, rule)
    }

    /// Each of `rules` names a field and what is wrong with it. Values are not repeated: they may be secrets.
    pub(super) fn fields(rules: &[String]) -> Self {
        Self::told(StatusCode::BAD_REQUEST, rules, rules.join("; "))
    }

    /// The HTTP status is our choice: the page prints the body alone.
    pub(super) fn service_not_allowed() -> Self {
        let answer = Answer {
            response_code: 721,
            response_description: "Invalid Service",
            error_code: Some("SERVICE_NOT_ALLOWED"),
        };
        Self::answer(StatusCode::BAD_REQUEST, &answer)
    }

    /// The page speaks of duplication errors and prints none, so code and status are our choice, and on
    /// purpose like nothing that is printed: a caller that knows only the page knows nothing from this.
    pub(super) fn duplicate() -> Self {
        let answer = Answer {
            response_code: 722,
            response_description: "Duplicate payout reference",
            error_code: None,
        };
        Self::answer(StatusCode::CONFLICT, &answer)
    }

    /// The shape is our choice: no page prints what an unknown reference gets.
    pub(super) fn no_such_payout() -> Self {
        Self::envelope(StatusCode::NOT_FOUND, "Payout not found")
    }

    pub(super) fn response(self) -> Response<Bytes> {
        plain(self.status, "application/json", self.body)
    }

    fn envelope(status: StatusCode, message: &str) -> Self {
        Self::told(status, message, message.to_owned())
    }

    fn told<M: Serialize + ?Sized>(status: StatusCode, message: &M, why: String) -> Self {
        let error = status.canonical_reason().unwrap_or_default();
        let body = json_bytes(&Envelope { status_code: status.as_u16(), message, error });
        Self { status, body, why }
    }

    fn answer(status: StatusCode, answer: &Answer) -> Self {
        Self { status, body: json_bytes(answer), why: answer.response_description.into() }
    }
}

/// What is said when the gateway cannot be reached, or was lost half way. It is the same either way, so the
/// caller cannot tell.
pub(crate) fn unavailable() -> Response<Bytes> {
    Refusal::envelope(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable").response()
}
