use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use malipo_core::{Error, ErrorKind, Operation, Reference, Result, Secret};
use serde::Serialize;

/// A request as a provider encodes it: everything but the gateway's address and the credentials. Prints how long its
/// body is, not what is in it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Call {
    /// What is being done.
    pub operation: Operation,
    /// Our payment, if it is about one.
    pub reference: Option<Reference>,
    /// The method.
    pub method: Method,
    /// The path and query.
    pub path: Path,
    /// Headers of this call.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Secrets in it, which are erased from the answer.
    pub secrets: Vec<Secret>,
}

impl Call {
    /// A call without a body.
    pub fn get(operation: Operation, path: Path) -> Self {
        Self {
            operation,
            reference: None,
            method: Method::GET,
            path,
            headers: HeaderMap::from_iter([(header::ACCEPT, JSON)]),
            body: Bytes::new(),
            secrets: Vec::new(),
        }
    }

    /// A call with a JSON body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] when the body cannot be written as JSON; nothing is sent.
    pub fn post(operation: Operation, path: Path, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::new(
                ErrorKind::Invalid,
                operation.not_started(),
                operation,
                "the request cannot be written as JSON",
            )
            .with_source(error)
        })?;
        let mut call = Self::get(operation, path);
        call.method = Method::POST;
        call.body = Bytes::from(body);
        call.headers.insert(header::CONTENT_TYPE, JSON);
        Ok(call)
    }

    /// Names our payment.
    #[must_use]
    pub fn with_reference(mut self, reference: &Reference) -> Self {
        self.reference = Some(reference.clone());
        self
    }

    /// Adds a header of this call.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Names a secret that is in the call, so that it is erased from the answer.
    #[must_use]
    pub fn with_secret(mut self, secret: Secret) -> Self {
        self.secrets.push(secret);
        self
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation)
            .field("reference", &self.reference)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A path and query. Text that is not ours goes in as segments and query values, which are percent-encoded, so
/// that it cannot change which path it is.
///
/// ```
/// use malipo_transport::Path;
///
/// let path = Path::new("/v1/payouts").segment("a/../b").query("lang", "sw&en");
/// assert_eq!(path.as_str(), "/v1/payouts/a%2F..%2Fb?lang=sw%26en");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// A fixed path, with a slash at its start.
    pub fn new(fixed: &str) -> Self {
        Self(fixed.to_owned())
    }

    /// Adds one segment. A segment of dots only is encoded in full, as some software resolves `..`.
    #[must_use]
    pub fn segment(mut self, text: &str) -> Self {
        self.0.push('/');
        let dots_only = text.bytes().all(|byte| byte == b'.');
        self.encode(text, |byte| is_unreserved(byte) && !(dots_only && byte == b'.'));
        self
    }

    /// Adds one query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.encode(name, is_unreserved);
        self.0.push('=');
        self.encode(value, is_unreserved);
        self
    }

    /// The path and query as they go on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn encode(&mut self, text: &str, plain: impl Fn(u8) -> bool) {
        for byte in text.bytes() {
            if plain(byte) {
                self.0.push(char::from(byte));
            } else {
                self.0.push_str(&format!("%{byte:02X}"));
            }
        }
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_does_not_print_its_body() {
        let call = Call::post(Operation::PayOut, Path::new("/pay"), &"planted body").unwrap();
        let printed = format!("{call:?} {call:#?}");
        assert!(printed.contains("body_bytes: 14") && !printed.contains("planted"), "{printed}");
    }

    #[test]
    fn text_cannot_leave_its_segment() {
        for (text, encoded) in [
            ("plain-1.2_3~", "plain-1.2_3~"),
            ("..", "%2E%2E"),
            (".", "%2E"),
            ("a/b?c#d", "a%2Fb%3Fc%23d"),
            ("%2e", "%252e"),
            ("é\n", "%C3%A9%0A"),
        ] {
            assert_eq!(
                Path::new("/v1").segment(text).segment("status").as_str(),
                format!("/v1/{encoded}/status")
            );
        }
    }
}
