//! What leaves, and what is read of the answer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use malipo_core::{Operation, ProviderId, Reference, Secret};
use malipo_transport::{
    BearerToken, Call, Environment as _, Exchange, Gateway, Line, Path, Sandbox, StaticKey, Transport,
    TransportError,
};

use crate::scripted::{Clock, Dialect, NO_HOSTS, Scripted, gateway, pay_out, says};

fn key() -> StaticKey {
    StaticKey::new(HeaderName::from_static("apikey"), Secret::new("key-123456"))
}

#[tokio::test]
async fn a_request_is_the_call_the_address_and_the_credentials() {
    let transport = Scripted::new(|_| says(200, "{}"));
    let gateway = gateway(&transport, &Clock::default(), key());
    let reference: Reference = "LOAN-1".parse().unwrap();
    let path = Path::new("/v1").segment("a/b").query("lang", "sw&en");
    let call = Call::post(Operation::PayOut, path, &"body")
        .unwrap()
        .with_reference(&reference)
        .with_header(HeaderName::from_static("x-request"), HeaderValue::from_static("1"));
    assert!(gateway.call(call).await.is_ok());

    let sent = &transport.sent("/v1/a%2Fb")[0];
    assert_eq!((sent.method(), sent.body().as_ref()), (&Method::POST, b"\"body\"".as_ref()));
    assert_eq!(sent.uri(), "https://gateway.example/v1/a%2Fb?lang=sw%26en");
    let headers: Vec<_> =
        sent.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let expected = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("x-request", "1"),
        ("apikey", "key-123456"),
    ];
    assert_eq!(headers, expected);
    assert!(sent.headers()["apikey"].is_sensitive());
    assert!(!format!("{sent:?}").contains("key-123456"));
    let exchange = sent.extensions().get::<Exchange>().unwrap();
    assert_eq!(exchange.provider, ProviderId::of("somepay"));
    assert_eq!((exchange.operation, &exchange.reference), (Operation::PayOut, &Some(reference)));
}

#[tokio::test]
async fn a_request_for_a_token_says_what_it_is() {
    let transport = Scripted::new(|request| match request.uri().path() {
        "/token" => says(200, "token-1 3599"),
        _ => says(200, "{}"),
    });
    let gateway = gateway(&transport, &Clock::default(), BearerToken::new(Dialect("a")));
    assert!(gateway.call(pay_out()).await.is_ok());
    let asked = &transport.sent("/token")[0];
    assert!(asked.headers()["authorization"].is_sensitive());
    assert_eq!(asked.extensions().get::<Exchange>().unwrap().operation, Operation::Authorize);
    assert!(transport.sent("/pay")[0].headers()["x-access-token"].is_sensitive());
}

#[tokio::test]
async fn the_path_of_the_base_comes_first() {
    for base in ["https://gateway.example/base", "https://gateway.example/base/"] {
        let transport = Scripted::new(|_| says(200, "{}"));
        let base = Sandbox::base_url(base, &NO_HOSTS).unwrap();
        let line = Line::new(
            ProviderId::of("somepay"),
            base,
            Arc::new(transport.clone()),
            Arc::new(Clock::default()),
        );
        assert!(Gateway::new(line, key()).call(pay_out()).await.is_ok());
        assert_eq!(transport.sent("/base/pay").len(), 1);
    }
}

/// Answers with this `Retry-After`.
#[derive(Debug)]
struct Busy(&'static str);

#[async_trait]
impl Transport for Busy {
    async fn send(&self, _: Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        Ok(http::Response::builder().status(429).header("Retry-After", self.0).body(Bytes::new()).unwrap())
    }
}

#[tokio::test]
async fn how_long_to_wait_is_read_in_seconds() {
    for (text, seconds) in [
        ("7", Some(7)),
        (" 120 ", Some(120)),
        ("0", Some(0)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ] {
        let base = Sandbox::base_url("https://gateway.example", &NO_HOSTS).unwrap();
        let line =
            Line::new(ProviderId::of("somepay"), base, Arc::new(Busy(text)), Arc::new(Clock::default()));
        let response = Gateway::new(line, key()).call(pay_out()).await.unwrap();
        assert_eq!(response.retry_after, seconds.map(Duration::from_secs), "{text}");
    }
}
