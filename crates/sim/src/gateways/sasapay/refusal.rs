//! How SasaPay says no. Nothing of it is on the C2B page; integrators' captures (read 2026-11-22) show five shapes, and
//! all five are here, each where it fits best, so that a client cannot count on one of them.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use serde::Serialize;

use super::fields::Wrong;
use crate::gateways::json;
use crate::world::plain;

/// A call refused on the spot.
#[derive(Debug)]
pub(super) struct Refusal {
    response: Box<Response<Bytes>>,
    /// What the log is told. Never holds a secret.
    pub(super) why: String,
}

#[derive(Serialize)]
struct Detail<'a> {
    status: bool,
    detail: &'a str,
}

#[derive(Serialize)]
struct Message<'a> {
    status: bool,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Coded<'a> {
    #[serde(rename = "status")]
    status: bool,
    response_code: &'a str,
    response_description: &'a str,
}

#[derive(Serialize)]
struct AtTheDoor<'a> {
    detail: &'a str,
    status: bool,
    status_code: u16,
}

impl Refusal {
    /// Django's own page, since no view is reached.
    pub(super) fn no_such_path() -> Self {
        let page = "<!doctype html>\n<html lang=\"en\"><head><title>Not Found</title></head>\
                    <body><h1>Not Found</h1></body></html>\n";
        let response =
            plain(StatusCode::NOT_FOUND, "text/html; charset=utf-8", Bytes::from_static(page.as_bytes()));
        Self { response: Box::new(response), why: "SasaPay has no such path".into() }
    }

    /// What Django does for a path that would exist with a slash at its end: it sends the client there, whatever the
    /// method. Most clients then go on with GET and without the body, so a POST never arrives.
    pub(super) fn no_slash(request: &Request<Bytes>) -> Self {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let place = format!("{}/{query}", request.uri().path());
        let mut response = plain(StatusCode::MOVED_PERMANENTLY, "text/html; charset=utf-8", Bytes::new());
        insert(&mut response, header::LOCATION, &place);
        Self { response: Box::new(response), why: "the path lacks the slash at its end".into() }
    }

    pub(super) fn wrong_method(used: &Method, wanted: &Method) -> Self {
        let mut refusal =
            Self::detail(StatusCode::METHOD_NOT_ALLOWED, &format!("Method \"{used}\" not allowed."));
        insert(&mut refusal.response, header::ALLOW, wanted.as_str());
        refusal
    }

    pub(super) fn bad_credentials() -> Self {
        Self::at_the_door(StatusCode::UNAUTHORIZED, "Invalid client credentials")
    }

    pub(super) fn bad_grant() -> Self {
        Self::at_the_door(StatusCode::BAD_REQUEST, "grant_type must be client_credentials")
    }

    pub(super) fn bad_token() -> Self {
        let refusal = Self::at_the_door(StatusCode::UNAUTHORIZED, "Invalid or expired access token");
        Self { why: "the token is missing or unknown or has run out".into(), ..refusal }
    }

    pub(super) fn echoing(token: &str) -> Self {
        let refusal = Self::detail(StatusCode::FORBIDDEN, &format!("Token {token} has no such scope"));
        Self { why: "the fault says so, with the token repeated".into(), ..refusal }
    }

    pub(super) fn too_fast() -> Self {
        Self::coded(StatusCode::TOO_MANY_REQUESTS, "SP.429.000", "Too many requests")
    }

    pub(super) fn unsupported_media() -> Self {
        Self::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The content type must be application/json")
    }

    pub(super) fn no_object(why: &str) -> Self {
        Self::detail(StatusCode::BAD_REQUEST, &format!("JSON parse error: {why}"))
    }

    /// Names each field and the rules it breaks. Values are not repeated: they may be secrets.
    pub(super) fn fields(wrong: &Wrong) -> Self {
        let rules: Vec<_> =
            wrong.0.iter().map(|(name, rules)| format!("{name}: {}", rules.join(" "))).collect();
        Self { response: Box::new(json(StatusCode::BAD_REQUEST, &wrong.0)), why: rules.join("; ") }
    }

    /// A single one.
    pub(super) fn field(name: &str, rule: &str) -> Self {
        Self::fields(&Wrong([(name.to_owned(), vec![rule.to_owned()])].into()))
    }

    pub(super) fn other_merchant() -> Self {
        Self::coded(StatusCode::BAD_REQUEST, "SP4041", "MerchantCode is not that of this account")
    }

    pub(super) fn no_wallet() -> Self {
        Self::coded(StatusCode::BAD_REQUEST, "SP4060", "PhoneNumber is not that of a registered SasaPay user")
    }

    /// A code that confirms nothing, with the reason.
    pub(super) fn code(why: &str) -> Self {
        Self::detail(StatusCode::BAD_REQUEST, why)
    }

    pub(super) fn no_such_payment() -> Self {
        Self::message(StatusCode::NOT_FOUND, "No such transaction was found")
    }

    pub(super) fn response(self) -> Response<Bytes> {
        *self.response
    }

    fn detail(status: StatusCode, detail: &str) -> Self {
        Self { response: Box::new(json(status, &Detail { status: false, detail })), why: detail.into() }
    }

    fn message(status: StatusCode, message: &str) -> Self {
        Self { response: Box::new(json(status, &Message { status: false, message })), why: message.into() }
    }

    fn coded(status: StatusCode, code: &str, description: &str) -> Self {
        let body = Coded { status: false, response_code: code, response_description: description };
        Self { response: Box::new(json(status, &body)), why: format!("{code}: {description}") }
    }

    fn at_the_door(status: StatusCode, detail: &str) -> Self {
        let body = AtTheDoor { detail, status: false, status_code: status.as_u16() };
        Self { response: Box::new(json(status, &body)), why: detail.into() }
    }
}

fn insert(response: &mut Response<Bytes>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// What is said when the gateway cannot be reached, or was lost half way. It is the same either way, so the
/// caller cannot tell.
pub(crate) fn unavailable() -> Response<Bytes> {
    Refusal::message(StatusCode::SERVICE_UNAVAILABLE, "Service temporarily unavailable").response()
}
