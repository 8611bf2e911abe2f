#![doc = include_str!("../README.md")]

mod classify;
mod connect;
mod exchange;
mod options;
mod tls;
mod wait;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use malipo_transport::{Failure, Transport, TransportError, is_loopback};

use connect::Connector;
use exchange::{client, exchange};
pub use options::{BuildError, Options};

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
compile_error!("malipo-hyper needs one of its features `aws-lc-rs` (the default) and `ring` for TLS");

const AGENT: HeaderValue = HeaderValue::from_static(concat!("malipo/", env!("CARGO_PKG_VERSION")));

/// The lean [`Transport`]: hyper, set up for payments. Cheap to clone; clones share their connections.
///
/// It is used on a tokio runtime that has its time and its sockets turned on.
#[derive(Clone)]
pub struct HyperTransport {
    client: Client<Connector, Full<Bytes>>,
    options: Options,
}

impl HyperTransport {
    /// A transport with the defaults that [`Options`] lists.
    ///
    /// # Errors
    ///
    /// [`BuildError::Tls`] on a machine without root certificates.
    pub fn new() -> Result<Self, BuildError> {
        Self::with_options(Options::new())
    }

    /// A transport with these options.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] when the options contradict each other or TLS cannot be set up.
    pub fn with_options(options: Options) -> Result<Self, BuildError> {
        options.check()?;
        let connector = Connector::new(options.connect_timeout, tls::config(&options.roots)?);
        Ok(Self { client: client(connector, &options), options })
    }

    /// The request in hyper's words, if it is allowed. Its extensions are for us, and the version is settled with
    /// the gateway.
    fn outgoing(&self, request: Request<Bytes>) -> Result<Request<Full<Bytes>>, TransportError> {
        let (parts, body) = request.into_parts();
        self.check(&parts.uri)?;
        let mut outgoing = Request::new(Full::new(body));
        *outgoing.method_mut() = parts.method;
        *outgoing.uri_mut() = parts.uri;
        *outgoing.headers_mut() = parts.headers;
        outgoing.headers_mut().entry(USER_AGENT).or_insert(AGENT);
        Ok(outgoing)
    }

    fn check(&self, uri: &Uri) -> Result<(), TransportError> {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(TransportError::before_send(Failure::Other).with_source(NotTaken::Relative));
        };
        if authority.as_str().contains('@') {
            return Err(TransportError::before_send(Failure::Other).with_source(NotTaken::UserName));
        }
        if !is_plain(uri.path()) {
            return Err(TransportError::before_send(Failure::Other).with_source(NotTaken::Path));
        }
        let host = authority.host();
        let allowed = || self.options.plain_http.contains(&host.to_ascii_lowercase());
        match scheme {
            "https" => Ok(()),
            "http" if is_loopback(host) || allowed() => Ok(()),
            _ => Err(TransportError::before_send(Failure::Insecure)),
        }
    }
}

#[async_trait]
impl Transport for HyperTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        exchange(&self.client, &self.options, self.outgoing(request)?).await
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Why a request is not sent. Says nothing of the URL: that may hold a secret.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("the URL of the request has no scheme or no host")]
    Relative,
    #[error("the URL of the request has a user name")]
    UserName,
    /// hyper sends a path as it is, and whoever reads it may resolve it to another one.
    #[error("the path of the request means another one: it has dots or characters that a URL cannot have")]
    Path,
}

/// Whether a path can only be read in one way: no segment that goes up or stays, nor one that a server could take for
/// such, and no character that RFC 3986 does not have.
fn is_plain(path: &str) -> bool {
    let is_dots = |segment: &str| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".."
    };
    let is_foreign = |byte: u8| !byte.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&byte);
    !path.bytes().any(is_foreign) && !path.split('/').any(is_dots)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use malipo_transport::Stage;

    use super::*;

    fn transport() -> HyperTransport {
        HyperTransport::with_options(Options::new().allow_plain_http("Sandbox.Example.com")).unwrap()
    }

    fn outgoing(url: &str) -> Result<Request<Full<Bytes>>, TransportError> {
        transport().outgoing(Request::get(url).body(Bytes::new()).unwrap())
    }

    #[test]
    fn plain_http_goes_to_loopback_and_to_named_hosts_only() {
        for url in [
            "https://api.example.com/a",
            "http://127.0.0.1:8080/a",
            "http://127.1.2.3/a",
            "http://[::1]:8080/a",
            "http://LOCALHOST/a",
            "HTTP://localhost/a",
            "http://sandbox.example.com:3030/a",
            "http://SANDBOX.example.com/a",
        ] {
            assert!(outgoing(url).is_ok(), "{url}");
        }
        for url in [
            "http://api.example.com/a",
            "http://127.0.0.1.example.com/a",
            "http://localhost.example.com/a",
            "http://sandbox.example.com.example.org/a",
            "http://evil.sandbox.example.com/a",
            "http://0.0.0.0/a",
            "http://10.0.0.1/a",
            "http://[::ffff:10.0.0.1]/a",
            "ftp://127.0.0.1/a",
        ] {
            let error = outgoing(url).unwrap_err();
            assert_eq!((error.stage(), error.failure()), (Stage::BeforeSend, Failure::Insecure), "{url}");
        }
    }

    #[test]
    fn a_path_is_sent_as_it_is_or_not_at_all() {
        for path in [
            "/a/b?c=%20d&e=f%2Fg",
            "/a%2F..%2Fb",
            "/",
            "/a/",
            "/v1/LOAN-1.2/status",
            "/a//b",
            "/a/...",
            "/?a=/../b",
        ] {
            let request = outgoing(&format!("https://api.example.com{path}")).unwrap();
            assert_eq!(request.uri().to_string(), format!("https://api.example.com{path}"));
        }
        for path in [
            "/v1/%2E%2E/admin",
            "/v1/../admin",
            "/v1/..",
            "/v1/%2e/a",
            "/v1/.%2E",
            "/v1/..\\admin",
            "/v1/\"admin\"",
            "/v1/{admin}",
        ] {
            refused(&format!("https://api.example.com{path}"));
        }
        refused("/no/host/admin");
        refused("https://admin:admin@api.example.com/a");
        refused("http://sandbox.example.com@example.org/admin");
    }

    fn refused(url: &str) {
        let error = outgoing(url).unwrap_err();
        assert_eq!((error.stage(), error.failure()), (Stage::BeforeSend, Failure::Other), "{url}");
        assert!(!format!("{error:?}").contains("admin"));
        assert!(error.source().is_some_and(|source| !source.to_string().contains("admin")));
    }

    #[test]
    fn secret_headers_stay_marked() {
        let mut secret = HeaderValue::from_static("key-marker");
        secret.set_sensitive(true);
        let request = Request::post("https://api.example.com/a")
            .header("apiKey", secret)
            .body(Bytes::from_static(b"{}"))
            .unwrap();
        let transport = transport();
        let outgoing = transport.outgoing(request).unwrap();
        assert!(outgoing.headers()["apikey"].is_sensitive());
        assert!(!format!("{:?} {transport:?}", outgoing.headers()).contains("key-marker"));
    }
}
