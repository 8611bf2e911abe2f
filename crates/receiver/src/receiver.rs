use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::Full;
use malipo_core::Reply;
use malipo_journal::Payments;
use tower_service::Service;

use crate::Limits;
use crate::body::{self, Keep};

/// Answers what is posted to URLs that [`Payments`] gave out. A tower service for the requests of any server.
///
/// In this order: what is too long or too slow is refused as such, whoever sends it; what came to no URL of ours gets one
/// empty 404, whatever is wrong with it; the rest is kept, and only then answered in the words of its gateway. Nobody's
/// code runs in between, so nothing that fails later can turn a callback that is kept into one that is not answered.
#[derive(Debug, Clone)]
pub struct Receiver {
    payments: Payments,
    limits: Limits,
}

impl Receiver {
    /// Takes callbacks for these payments. Somebody has to [`run`](Payments::run) them as well: it is what reads them.
    pub fn new(payments: Payments) -> Self {
        Self { payments, limits: Limits::default() }
    }

    /// Takes more or less of whoever posts.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    #[cfg(feature = "serve")]
    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    #[cfg(feature = "serve")]
    pub(crate) fn timer(&self) -> &dyn malipo_core::Timer {
        &**self.payments.timer()
    }

    async fn answer<B: Body>(&self, request: Request<B>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        if length(&parts.headers) > self.limits.headers {
            return closing(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        let inbox = self.payments.inbox(parts.uri.path()).filter(|_| parts.method == Method::POST);
        let keep = if inbox.is_some() { Keep::All } else { Keep::Nothing };
        let body = match body::read(body, keep, &self.limits, &**self.payments.timer()).await {
            Ok(body) => body,
            Err(status) => return closing(status),
        };
        match inbox {
            Some(inbox) => said(inbox.deliver(&kept(&parts.headers), body).await.reply),
            None => empty(StatusCode::NOT_FOUND),
        }
    }
}

impl<B> Service<Request<B>> for Receiver
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let receiver = self.clone();
        Box::pin(async move { Ok(receiver.answer(request).await) })
    }
}

fn length(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// The headers that a gateway may have put there itself.
fn kept(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let all = headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    all.filter(|(name, _)| name.starts_with("x-")).collect()
}

fn said(reply: Reply) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Full::new(Bytes::from(reply.body.into_owned())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    response
}

/// What was not read to its end leaves its connection unfit for another request.
fn closing(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = empty(status);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
