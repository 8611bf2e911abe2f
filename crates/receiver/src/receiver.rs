use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Once};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body;
use http_body_util::Full;
use malipo_core::{ProviderId, Reply};
use malipo_journal::{Inbox, Payments};
use tower_service::Service;
use tracing::Instrument as _;

use crate::body::{self, Keep};
use crate::sources::{self, SourceMode};
use crate::watch::{self, Why};
use crate::{InvalidSources, Limits, Peer, Sources};

/// Answers what is posted to URLs that [`Payments`] gave out. A tower service for the requests of any server.
///
/// In this order: what is too long or too slow is refused as such, whoever sends it; what came to no URL of ours gets one
/// empty 404, whatever is wrong with it; the rest is kept, and only then answered in the words of its gateway. Nobody's
/// code runs in between, so nothing that fails later can turn a callback that is kept into one that is not answered.
#[derive(Debug, Clone)]
pub struct Receiver {
    // Cloned for every request.
    payments: Arc<Payments>,
    sources: Arc<BTreeMap<ProviderId, Sources>>,
    limits: Limits,
    proxies: usize,
    /// Whether it was said that no request tells where it comes from.
    said: Arc<Once>,
}

impl Receiver {
    /// Takes callbacks for these payments. Somebody has to [`run`](Payments::run) them as well: it is what reads them.
    pub fn new(payments: Payments) -> Self {
        Self {
            payments: Arc::new(payments),
            sources: Arc::default(),
            limits: Limits::default(),
            proxies: 0,
            said: Arc::new(Once::new()),
        }
    }

    /// Takes more or less of whoever posts.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Holds this account's callbacks against a list of addresses. Without one, they may come from anywhere.
    ///
    /// # Errors
    ///
    /// [`InvalidSources::NoSuchAccount`], since a list that is never looked at protects nobody.
    pub fn with_sources(mut self, account: &ProviderId, sources: Sources) -> Result<Self, InvalidSources> {
        if !self.payments.accounts().any(|known| known == account) {
            return Err(InvalidSources::NoSuchAccount(account.clone()));
        }
        Arc::make_mut(&mut self.sources).insert(account.clone(), sources);
        Ok(self)
    }

    /// How many proxies of yours stand before this server, which is none at first. Then a callback comes from where the
    /// entry of `X-Forwarded-For` says that is so many from the right; each of them has to add one. One too many, or a
    /// way past them, and whoever posts writes that entry himself.
    #[must_use]
    pub fn with_proxies(mut self, proxies: usize) -> Self {
        self.proxies = proxies;
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
        let version = request.version();
        match self.take(request).await {
            Ok(reply) => said(reply),
            Err(why) => {
                watch::refused(why);
                refused(why, version)
            }
        }
    }

    async fn take<B: Body>(&self, request: Request<B>) -> Result<Reply, Why> {
        let (parts, body) = request.into_parts();
        if length(&parts.headers) > self.limits.headers {
            return Err(Why::Headers);
        }
        if body::is_declared_too_long(&body, &self.limits) {
            return Err(Why::Length);
        }
        let inbox = self.inbox(&parts);
        let keep = if inbox.is_ok() { Keep::All } else { Keep::Nothing };
        let body = body::read(body, keep, &self.limits, &**self.payments.timer()).await?;
        let inbox = inbox?;
        let account = inbox.account().map(tracing::field::display);
        let span = tracing::info_span!("callback", account, purpose = inbox.purpose().as_str());
        Ok(inbox.deliver(&told(&parts.headers), body).instrument(span).await.reply)
    }

    fn inbox(&self, parts: &Parts) -> Result<Inbox<'_>, Why> {
        let inbox = self.payments.inbox(parts.uri.path());
        let inbox = inbox.filter(|_| parts.method == Method::POST).ok_or(Why::Nobodys)?;
        self.hold_against_list(&inbox, parts)?;
        Ok(inbox)
    }

    fn hold_against_list(&self, inbox: &Inbox<'_>, parts: &Parts) -> Result<(), Why> {
        let Some((account, sources)) = inbox.account().and_then(|id| self.sources.get_key_value(id)) else {
            return Ok(());
        };
        let peer = parts.extensions.get::<Peer>().map(|Peer(peer)| *peer);
        if peer.is_none() && self.proxies == 0 && sources.mode() != SourceMode::Off {
            self.said.call_once(|| {
                tracing::error!(
                    "no request says who is at the other end of its connection, so none comes from a list, and those \
                     of accounts with `SourceMode::Enforce` are refused: use `serve` or the router with connect info, \
                     insert `Peer`, or say `with_proxies`"
                );
            });
        }
        let from = sources::source(&parts.headers, peer, self.proxies);
        if sources.expects(from) {
            return Ok(());
        }
        let (purpose, from) = (inbox.purpose().as_str(), from.map(tracing::field::display));
        if sources.mode() == SourceMode::Enforce {
            watch::unlisted(account, "refused");
            tracing::warn!(%account, purpose, from, "a callback was refused: it came from an address that is not listed");
            return Err(Why::Source);
        }
        watch::unlisted(account, "reported");
        tracing::warn!(%account, purpose, from, "a callback came from an address that is not listed");
        Ok(())
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

/// In the shape that the engine takes, which keeps some of them.
fn told(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let told = |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), value.as_bytes().to_vec());
    headers.iter().map(told).collect()
}

fn said(reply: Reply) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Full::new(Bytes::from(reply.body.into_owned())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    response
}

/// Nothing but the status. The length is written here, so that servers that leave it out of some answers, such as those to
/// HEAD, answer all alike.
fn refused(why: Why, version: Version) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = why.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    // What was not read to its end leaves its connection unfit for another request. From HTTP/2 on that is another matter.
    if why.status() != StatusCode::NOT_FOUND && version <= Version::HTTP_11 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
