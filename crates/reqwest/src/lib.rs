#![doc = include_str!("../README.md")]

mod classify;
mod options;
mod tls;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::Uri;
use malipo_transport::{Failure, Transport, TransportError, is_loopback};
use reqwest::{Client, Url, redirect, retry};

pub use classify::classify;
pub use options::{BuildError, Options};

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
compile_error!("malipo-reqwest needs one of its features `aws-lc-rs` (the default) and `ring` for TLS");

/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 1 << 20;

/// The default [`Transport`]: reqwest, set up for payments. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Client,
    options: Options,
}

impl ReqwestTransport {
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
        let client = Client::builder()
            .user_agent(concat!("malipo/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the headers in which gateways take their keys to whoever it names.
            .redirect(redirect::Policy::none())
            // By default a request is repeated when HTTP/2 says that it was not processed. That is the
            // gateway's word, and whether to take it is for the journal to decide.
            .retry(retry::never())
            .no_proxy()
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.read_timeout)
            .timeout(options.total_timeout)
            .pool_idle_timeout(options.pool_idle_timeout)
            // All calls may share one HTTP/2 connection: one that has died is given up before many meet it.
            .http2_keep_alive_interval(Duration::from_secs(10))
            .http2_keep_alive_timeout(Duration::from_secs(10))
            .tls_backend_preconfigured(tls::config(&options.roots)?)
            .build()
            .map_err(|error| BuildError::Client(error.into()))?;
        Ok(Self { client, options })
    }

    /// The URL as it will be requested, if that is allowed.
    fn target(&self, uri: &Uri) -> Result<Url, TransportError> {
        let url = Url::parse(&uri.to_string())
            .map_err(|error| TransportError::before_send(Failure::Other).with_source(error))?;
        // A URL parser resolves `..` even where it is percent-encoded. The path that was asked for, or none.
        if url.path() != uri.path() || url.query() != uri.query() {
            return Err(TransportError::before_send(Failure::Other).with_source(ChangedPath));
        }
        // The host as it was parsed is the one that would be connected to: `127.1` is 127.0.0.1 by now.
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_loopback(host) || self.options.plain_http.contains(host) => Ok(url),
            _ => Err(TransportError::before_send(Failure::Insecure)),
        }
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let response = self.client.execute(self.outgoing(request)?).await.map_err(classify)?;
        receive(response).await
    }
}

impl ReqwestTransport {
    /// The request in reqwest's words. Its extensions are for us, and the version is settled with the gateway.
    fn outgoing(&self, request: http::Request<Bytes>) -> Result<reqwest::Request, TransportError> {
        let (parts, body) = request.into_parts();
        let mut outgoing = reqwest::Request::new(parts.method, self.target(&parts.uri)?);
        *outgoing.headers_mut() = parts.headers;
        if !body.is_empty() {
            *outgoing.body_mut() = Some(body.into());
        }
        Ok(outgoing)
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Why a request whose URL reads differently once it is parsed is not sent.
#[derive(Debug, thiserror::Error)]
#[error("the path of the request means another one: it has dots or characters that a URL cannot have")]
struct ChangedPath;

/// Reads the answer. It started to arrive, so the request has left, whatever fails from here on.
async fn receive(mut response: reqwest::Response) -> Result<http::Response<Bytes>, TransportError> {
    let too_large = TransportError::after_send(Failure::TooLarge);
    if response.content_length().is_some_and(|length| length > LARGEST_BODY as u64) {
        return Err(too_large);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(classify::interrupted)? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(too_large);
        }
        body.extend_from_slice(&chunk);
    }
    let mut received = http::Response::new(body.freeze());
    *received.status_mut() = response.status();
    *received.version_mut() = response.version();
    *received.headers_mut() = std::mem::take(response.headers_mut());
    Ok(received)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use http::HeaderValue;
    use malipo_transport::Stage;

    use super::*;

    fn transport() -> ReqwestTransport {
        ReqwestTransport::with_options(Options::new().allow_plain_http("Sandbox.Example.com")).unwrap()
    }

    fn outgoing(url: &str) -> Result<reqwest::Request, TransportError> {
        transport().outgoing(http::Request::get(url).body(Bytes::new()).unwrap())
    }

    #[test]
    fn plain_http_goes_to_loopback_and_to_named_hosts_only() {
        for url in [
            "https://api.example.com/a",
            "http://127.0.0.1:8080/a",
            "http://127.1.2.3/a",
            "http://[::1]:8080/a",
            "http://LOCALHOST/a",
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
            "http://sandbox.example.com@example.org/a",
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
        for path in ["/a/b?c=%20d&e=f%2Fg", "/a%2F..%2Fb", "/", "/a/", "/v1/LOAN-1.2/status", "/a//b"] {
            let request = outgoing(&format!("https://api.example.com{path}")).unwrap();
            assert_eq!(request.url().as_str(), format!("https://api.example.com{path}"));
        }
        for path in ["/v1/%2E%2E/admin", "/v1/../admin", "/v1/%2e/a", "/v1/.%2E"] {
            let error = outgoing(&format!("https://api.example.com{path}")).unwrap_err();
            assert_eq!((error.stage(), error.failure()), (Stage::BeforeSend, Failure::Other), "{path}");
            assert!(error.source().is_some_and(|source| !source.to_string().contains("admin")));
        }
        assert!(outgoing("/no/host").is_err());
    }

    #[test]
    fn secret_headers_stay_marked() {
        let mut secret = HeaderValue::from_static("key-marker");
        secret.set_sensitive(true);
        let request = http::Request::post("https://api.example.com/a")
            .header("apiKey", secret)
            .body(Bytes::from_static(b"{}"))
            .unwrap();
        let transport = transport();
        let outgoing = transport.outgoing(request).unwrap();
        assert!(outgoing.headers()["apikey"].is_sensitive());
        assert!(!format!("{outgoing:?} {transport:?}").contains("key-marker"));
    }
}
