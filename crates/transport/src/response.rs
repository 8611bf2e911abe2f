use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header;
use malipo_core::{CodeRow, Error, ErrorKind, Meaning, Operation, Secret};

/// A gateway's answer, with every secret that was sent erased from its body. Prints how long its body is, not what
/// is in it: that may be a new token.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// How long the gateway asks us to wait, from a `Retry-After` in seconds.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Bytes,
}

/// What an answer that is no acceptance says for itself.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::exhaustive_structs, reason = "a plain record that providers fill in; it has no invariants")]
pub struct Complaint<'a> {
    /// The gateway's code.
    pub code: Option<&'a str>,
    /// Its words.
    pub text: Option<&'a str>,
    /// Its name for the request.
    pub request_id: Option<&'a str>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("retry_after", &self.retry_after)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl Response {
    /// An answer.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, retry_after: None, body: body.into() }
    }

    /// Whether the status is 2xx.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The error of an operation that was answered with a complaint. A code that the table has means what the
    /// table says, whatever the HTTP status; any other leaves open what was done.
    pub fn refusal(
        &self,
        operation: Operation,
        table: &[CodeRow<Meaning>],
        complaint: Complaint<'_>,
    ) -> Error {
        let Some(code) = complaint.code else { return self.complete(self.unreadable(operation), complaint) };
        let error = match CodeRow::find(table, code) {
            Some(row) => row.meaning.error(operation).with_remedy(row.remedy),
            None if self.status >= 500 => Meaning::Failed.error(operation),
            None => {
                let message = "the gateway answered with a code that is in none of its documents";
                Error::new(ErrorKind::Unlisted, operation.uncertain(), operation, message)
            }
        };
        self.complete(error, complaint)
    }

    /// An error of the provider's own making, such as for a refusal that is documented by its shape, with all that
    /// this answer says for itself.
    pub fn complete(&self, error: Error, complaint: Complaint<'_>) -> Error {
        error
            .with_status(self.status)
            .with_retry_after(self.retry_after)
            .with_code(complaint.code)
            .with_text(complaint.text)
            .with_request_id(complaint.request_id)
    }

    /// The error of an operation whose answer cannot be read: nobody knows what was done.
    pub fn unreadable(&self, operation: Operation) -> Error {
        let (kind, message) = match self.status {
            500.. => (ErrorKind::Unavailable, "the gateway failed without saying how"),
            _ => (ErrorKind::Unreadable, "the gateway's answer cannot be read"),
        };
        self.complete(Error::new(kind, operation.uncertain(), operation, message), Complaint::default())
    }

    pub(crate) fn read(response: http::Response<Bytes>, secrets: &[Secret]) -> Self {
        let (parts, body) = response.into_parts();
        let seconds =
            parts.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Self {
            status: parts.status.as_u16(),
            retry_after: seconds.map(Duration::from_secs),
            body: secrets.iter().fold(body, |body, secret| secret.erase_from(body)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_does_not_print_its_body() {
        let printed = format!("{:?}", Response::new(200, "planted token"));
        assert_eq!(printed, "Response { status: 200, retry_after: None, body_bytes: 13 }");
    }
}
