use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use tower_service::Service;

use crate::wait::{over, within};

/// How connections are made: name, TCP and TLS, together within one limit. What fails here is known to have come
/// before the first byte of any request.
#[derive(Clone)]
pub(crate) struct Connector {
    https: HttpsConnector<HttpConnector>,
    limit: Duration,
}

impl Connector {
    pub(crate) fn new(limit: Duration, tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        // The scheme was checked with the request, and TLS is put on top of this.
        tcp.enforce_http(false);
        // A request is written at once. Waiting for more of it to send would only cost time.
        tcp.set_nodelay(true);
        // Shared out among the addresses of a name, so that a dead first one does not use up everything.
        tcp.set_connect_timeout(Some(limit));
        Self { https: HttpsConnector::from((tcp, tls)), limit }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<<HttpConnector as Service<Uri>>::Response>;
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let (limit, connecting) = (self.limit, self.https.call(target));
        Box::pin(async move {
            let connected = within(limit, connecting).await;
            connected.unwrap_or_else(|| Err(over("there was no connection in time").into()))
        })
    }
}
