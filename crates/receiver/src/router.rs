use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower_service::Service;

use crate::{Peer, Receiver};

impl Receiver {
    /// A router that takes everything below where it is nested: the path of
    /// [`CallbackUrls`](malipo_journal::CallbackUrls)' base.
    ///
    /// Serve it with `into_make_service_with_connect_info::<SocketAddr>()` where an account has a list of sources and no
    /// proxy stands before it: that is how axum tells who is at the other end.
    pub fn router(self) -> Router {
        // Not a fallback: axum loses that of a router that is nested in a nested one.
        Router::new().route_service("/{*path}", Mounted(self))
    }
}

/// A receiver that is told the other end of the connection in axum's way.
#[derive(Clone)]
struct Mounted(Receiver);

impl Service<Request<Body>> for Mounted {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let told = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| Peer(*peer));
        if let Some(peer) = told {
            request.extensions_mut().insert(peer);
        }
        self.0.call(request)
    }
}
