use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde::Serialize;

use crate::dice::Dice;
use crate::gateways::json;
use crate::world::plain;

/// A call refused on the spot. Codes and statuses: Safaricom's portal pages, read 2026-11-22.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    /// What the caller is told. May repeat the caller's token, as the real one does.
    message: String,
    /// What the log is told. Never holds a secret.
    pub(super) why: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    request_id: String,
    error_code: &'a str,
    error_message: &'a str,
}

impl Refusal {
    pub(super) fn no_such_path() -> Self {
        Self::same(StatusCode::NOT_FOUND, "404.002.01", "Resource not found".into())
    }

    /// The real one answers a GET as if the header were at fault.
    pub(super) fn wrong_method(used: &Method, wanted: &Method) -> Self {
        let (status, code, name) = match *used {
            Method::GET => (StatusCode::NOT_FOUND, "404.001.04", "Invalid Authentication Header"),
            _ => (StatusCode::METHOD_NOT_ALLOWED, "405.001", "Method Not Allowed"),
        };
        Self::same(status, code, format!("{name}: this resource takes {wanted}"))
    }

    pub(super) fn no_bearer() -> Self {
        let message = "Invalid Authentication Header: it must read \"Bearer\" and a token";
        Self::same(StatusCode::NOT_FOUND, "404.001.04", message.into())
    }

    pub(super) fn echoing(token: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "404.001.04",
            message: format!("Invalid Authentication Header - Bearer {token}"),
            why: "the fault says so, with the token repeated".into(),
        }
    }

    /// The real one repeats the token (Safaricom B2C page, read 2026-11-22).
    pub(super) fn bad_token(token: &str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: "401.002.01",
            message: format!("Error Occurred - Invalid Access Token - {token}"),
            why: "the token is unknown or has run out".into(),
        }
    }

    pub(super) fn bad_basic() -> Self {
        let message = "Invalid Authentication passed: basic authentication with the consumer key and secret";
        Self::same(StatusCode::BAD_REQUEST, "400.008.01", message.into())
    }

    pub(super) fn bad_grant() -> Self {
        let message = "Invalid grant type passed: it must be client_credentials";
        Self::same(StatusCode::BAD_REQUEST, "400.008.02", message.into())
    }

    pub(super) fn payload(rule: &str) -> Self {
        let message = format!("Bad Request - Invalid Request Payload: {rule}");
        Self::same(StatusCode::BAD_REQUEST, "400.002.05", message)
    }

    /// A field is missing or breaks `rule`. The field's value is not repeated: it may be a secret.
    pub(super) fn field(name: &str, rule: &str) -> Self {
        Self::same(StatusCode::BAD_REQUEST, "400.002.02", format!("Bad Request - Invalid {name}: {rule}"))
    }

    /// The real one is said to acknowledge a query whose TransactionID is empty, with an acknowledgement that
    /// looks blank. That this one refuses it is our choice: nothing could come of such a query.
    pub(super) fn empty_transaction() -> Self {
        Self::field("TransactionID", "it is empty")
    }

    pub(super) fn duplicate() -> Self {
        let message = "Duplicate OriginatorConversationID: it was used by an earlier request";
        Self::same(StatusCode::INTERNAL_SERVER_ERROR, "500.002.1001", message.into())
    }

    pub(super) fn too_fast() -> Self {
        let message = "Error Occurred: Spike Arrest Violation";
        Self::same(StatusCode::INTERNAL_SERVER_ERROR, "500.003.02", message.into())
    }

    pub(super) fn response(&self, dice: &mut Dice) -> Response<Bytes> {
        let digits = b"0123456789";
        let body = Body {
            request_id: format!("{}-{}-1", dice.text(digits, 5), dice.text(digits, 8)),
            error_code: self.code,
            error_message: &self.message,
        };
        json(self.status, &body)
    }

    fn same(status: StatusCode, code: &'static str, message: String) -> Self {
        Self { status, code, why: message.clone(), message }
    }
}

/// What the platform in front of the gateway says when it cannot reach it, or lost it half way. It is the
/// same either way, so the caller cannot tell.
pub(crate) fn unavailable() -> Response<Bytes> {
    let body = r#"{"fault":{"faultstring":"The Service is temporarily unavailable","detail":{"errorcode":"messaging.adaptors.http.flow.ServiceUnavailable"}}}"#;
    plain(StatusCode::SERVICE_UNAVAILABLE, "application/json", Bytes::from_static(body.as_bytes()))
}
