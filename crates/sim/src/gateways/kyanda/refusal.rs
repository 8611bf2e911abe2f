use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Serialize;

use crate::gateways::json;

/// A code and its description in Kyanda's table (merchant page of 20-01-2023; the public one, of the same
/// date, adds 1201).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) number: &'static str,
    pub(super) words: &'static str,
}

const fn code(number: &'static str, words: &'static str) -> Code {
    Code { number, words }
}

pub(super) const MERCHANT: Code = code("1101", "Invalid Merchant ID.");
pub(super) const AUTHENTICATION: Code = code("1102", "Authentication failed.");
pub(super) const FORBIDDEN: Code = code("1103", "Forbidden access.");
pub(super) const SIGNATURE: Code = code("1104", "Signature Mismatch.");
pub(super) const PAYMENT_SERVICE: Code = code("1105", "Payment services unavailable.");
pub(super) const FLOAT: Code = code("1107", "Insufficient float balance.");
pub(super) const MISSING: Code = code("1108", "Missing parameter.");
pub(super) const INVALID: Code = code("1109", "Parameter validation error.");
pub(super) const BANK: Code = code("1201", "Invalid Bank Code.");
/// Not on either page; integrators meet it.
pub(super) const PAYER_FUNDS: Code = code("4000", "Insufficient funds.");
pub(super) const UNEXPECTED: Code = code("5000", "Unexpected error has occurred.");
pub(super) const REGISTERED: Code = code("6001", "Cannot register the URL.");
pub(super) const URL: Code = code("6002", "Invalid URL format.");
pub(super) const NOT_FOUND: Code = code("7001", "Transaction not found.");
pub(super) const BILL_ACCOUNT: Code = code("8001", "Invalid account number format.");
pub(super) const BILL_PHONE: Code = code("8002", "Invalid phone number format.");
pub(super) const BILL_TELCO: Code = code("8003", "Invalid Telco.");
pub(super) const BILL_AMOUNT: Code = code("8004", "Invalid amount format.");
pub(super) const BILL_TWICE: Code = code("8006", "Duplicate transmission.");
pub(super) const AIRTIME_PHONE: Code = code("9001", "Invalid phone number format.");
pub(super) const AIRTIME_CHANNEL: Code = code("9002", "Invalid transaction channel.");
pub(super) const AIRTIME_AMOUNT: Code = code("9003", "Invalid amount format.");
pub(super) const AIRTIME_TWICE: Code = code("9005", "Duplicate transmission.");

/// A call refused on the spot.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    number: &'static str,
    /// What the caller is told.
    text: String,
    transaction: Option<String>,
    /// What the log is told. Never holds a secret.
    pub(super) why: String,
}

/// How Kyanda says no. The page lists codes and prints no body: this is what integrators report.
#[derive(Serialize)]
struct Envelope<'a> {
    status: &'static str,
    status_code: &'static str,
    #[serde(rename = "transactionId", skip_serializing_if = "Option::is_none")]
    transaction: Option<&'a str>,
    transactiontxt: &'a str,
}

impl Refusal {
    /// `why` names the rule that is broken, and no value: values may be secrets.
    pub(super) fn of(code: Code, why: &str) -> Self {
        let Code { number, words } = code;
        let (text, why) = (format!("{words} {why}"), format!("{number}: {why}"));
        Self { status: StatusCode::BAD_REQUEST, number, text, transaction: None, why }
    }

    pub(super) fn field(code: Code, name: &str, rule: &str) -> Self {
        Self::of(code, &format!("{name} {rule}"))
    }

    /// Only the status is known of the real one. As no code is, the status stands in for it.
    pub(super) fn no_such_path(request: &Request<Bytes>) -> Self {
        let why = format!("Cannot {} {}", request.method(), request.uri().path());
        let (status, text) = (StatusCode::NOT_FOUND, why.clone());
        Self { status, number: "404", text, transaction: None, why }
    }

    /// Our choice, and on purpose like nothing that is printed.
    pub(super) fn too_fast() -> Self {
        let (status, text) = (StatusCode::TOO_MANY_REQUESTS, "Too many requests.".to_owned());
        Self { status, number: "429", why: text.clone(), text, transaction: None }
    }

    pub(super) fn echoing(key: &str) -> Self {
        let refusal = Self::of(FORBIDDEN, "the fault says so, with the key repeated");
        Self { text: format!("{} Key {key} may not do this.", FORBIDDEN.words), ..refusal }
    }

    /// Whether the real one gives even this refusal an id (integrators saw it with these codes): it names
    /// nothing that could be checked.
    pub(super) fn is_numbered(&self) -> bool {
        [SIGNATURE, FLOAT].iter().any(|code| code.number == self.number)
    }

    pub(super) fn numbered(self, transaction: String) -> Self {
        Self { transaction: Some(transaction), ..self }
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        json(
            self.status,
            &Envelope {
                status: "Failed",
                status_code: self.number,
                transaction: self.transaction.as_deref(),
                transactiontxt: &self.text,
            },
        )
    }
}

/// What is said when the gateway cannot be reached, or was lost half way. It is the same either way, so the
/// caller cannot tell; 1105 would say that nothing was paid.
pub(crate) fn unavailable() -> Response<Bytes> {
    let refusal = Refusal::of(UNEXPECTED, "Try again later.");
    Refusal { status: StatusCode::SERVICE_UNAVAILABLE, ..refusal }.response()
}
