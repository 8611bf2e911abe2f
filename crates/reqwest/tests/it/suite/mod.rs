//! What every transport on real sockets has to do. Knows none of them: a transport brings a [`Maker`] and gets
//! one test per promise from [`tests!`].

pub(crate) mod after_send;
pub(crate) mod answers;
pub(crate) mod before_send;
pub(crate) mod http2;
pub(crate) mod idle;
pub(crate) mod proxies;
pub(crate) mod server;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use malipo_core::{Operation, ProviderId};
use malipo_transport::{Exchange, Failure, Stage, Transport, TransportError};

/// How to build the transport under test.
#[derive(Clone, Copy)]
pub(crate) struct Maker(pub(crate) fn(Setup) -> Arc<dyn Transport>);

impl Maker {
    pub(crate) fn make(self, setup: Setup) -> Arc<dyn Transport> {
        (self.0)(setup)
    }
}

/// What a case sets. The defaults are far longer than anything on loopback takes, even on a busy machine.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) connect: Duration,
    pub(crate) read: Duration,
    pub(crate) total: Duration,
    pub(crate) pool_idle: Duration,
    pub(crate) plain_http: Option<String>,
    pub(crate) root_pem: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(20),
            total: Duration::from_secs(30),
            pool_idle: Duration::from_secs(10),
            plain_http: None,
            root_pem: None,
        }
    }
}

/// One test per promise.
macro_rules! tests {
    ($maker:expr) => {
        $crate::suite::tests! { @each $maker;
            answers: every_status_is_an_answer, redirects_are_not_followed, the_request_arrives_as_it_is,
                names_of_headers_have_no_case, a_body_of_one_mebibyte_is_read, a_larger_body_is_not,
                an_endless_body_is_not, many_at_once, it_prints_no_secret;
            before_send: a_refused_connection, an_unknown_name, a_server_without_tls, an_unknown_certificate,
                a_certificate_for_another_name, a_known_certificate, a_handshake_that_hangs,
                a_full_backlog, plain_http_is_refused, plain_http_to_a_named_host;
            after_send: no_answer_in_time, an_answer_that_stops, an_answer_that_trickles, a_reset,
                a_truncated_answer, what_is_no_http, a_killed_request_is_seen_once,
                a_killed_request_on_a_pooled_connection_is_seen_once;
            idle: connections_are_reused, an_idle_connection_is_not_used_after_its_time,
                a_server_that_closes_later_costs_nothing, a_server_that_closes_sooner_costs_nothing,
                a_race_with_a_goodbye_repeats_nothing;
            http2: it_is_spoken_where_offered, a_refused_stream_is_not_repeated,
                a_goodbye_instead_of_an_answer_is_not_an_invitation, a_goodbye_after_an_answer_costs_nothing,
                many_share_a_connection, secret_headers_are_never_indexed;
            proxies: the_environment_names_no_proxy;
        }
    };
    (@each $maker:expr; $($module:ident: $($case:ident),+;)+) => {
        $($(
            #[tokio::test]
            async fn $case() {
                $crate::suite::$module::$case($maker).await;
            }
        )+)+
    };
}
pub(crate) use tests;

const QUERY: &str = "query-marker-61f0";
const HEADER: &str = "header-marker-61f0";
const BODY: &str = "body-marker-61f0";

/// A request as a provider sends it, full of secrets.
pub(crate) fn request(url: &str) -> Request<Bytes> {
    let mut secret = HeaderValue::from_static(HEADER);
    secret.set_sensitive(true);
    let exchange = Exchange::new(ProviderId::of("somepay"), Operation::PayOut, None);
    Request::post(format!("{url}/v1/pay%2Fout?token={QUERY}"))
        .header("content-type", "application/json")
        .header("x-access-token", secret.clone())
        .header("apiKey", secret)
        .extension(exchange)
        .body(Bytes::from(format!(r#"{{"pin":"{BODY}"}}"#)))
        .unwrap()
}

/// Sends that request and expects an answer.
pub(crate) async fn answer(transport: &dyn Transport, url: &str) -> Response<Bytes> {
    match transport.send(request(url)).await {
        Ok(response) => response,
        Err(error) => panic!("no answer: {error:?}"),
    }
}

/// Sends that request and expects this failure, without a secret anywhere in it.
pub(crate) async fn failure(transport: &dyn Transport, url: &str, stage: Stage, failure: Failure) {
    let error = transport.send(request(url)).await.expect_err("an answer");
    assert_eq!((error.stage(), error.failure()), (stage, failure), "{error:?}");
    assert_clean(&error);
}

/// As [`failure`], where what exactly fails is up to the operating system.
pub(crate) async fn lost(transport: &dyn Transport, url: &str) {
    let error = transport.send(request(url)).await.expect_err("an answer");
    assert_eq!(error.stage(), Stage::AfterSend, "{error:?}");
    assert_clean(&error);
}

fn assert_clean(error: &TransportError) {
    let mut printed = format!("{error:?}");
    let mut next: Option<&dyn StdError> = Some(error);
    while let Some(error) = next {
        printed.push_str(&format!(" {error}"));
        next = error.source();
    }
    for marker in [QUERY, HEADER, BODY] {
        assert!(!printed.contains(marker), "{printed}");
    }
}
