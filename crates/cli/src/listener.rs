use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use malipo::{Callback, CallbackUrl, Callbacks, Delivery, DeliveryPurpose, Env, Headers, Reference, Storage};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Receives what the gateway posts, on loopback. Every payment has URLs of its own that nobody can guess, so what
/// arrives at one is known to be about that payment.
#[derive(Debug)]
pub(crate) struct Listener {
    origin: String,
    addresses: Addresses,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
}

/// Which payment each path was given out for, and what for.
#[derive(Debug, Clone, Default)]
struct Addresses(Arc<Mutex<BTreeMap<String, (Reference, DeliveryPurpose)>>>);

impl Addresses {
    fn assign(&self, path: String, reference: Reference, purpose: DeliveryPurpose) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path, (reference, purpose));
    }

    fn find(&self, path: &str) -> Option<(Reference, DeliveryPurpose)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

/// More than any result is long.
const LONGEST_BODY: usize = 64 * 1024;

impl Listener {
    /// Listens on a free port and answers as `callbacks` says.
    pub(crate) async fn open(callbacks: Arc<dyn Callbacks>) -> io::Result<Self> {
        let socket = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", socket.local_addr()?);
        let addresses = Addresses::default();
        let (sender, deliveries) = mpsc::unbounded_channel();
        let door = Door { addresses: addresses.clone(), sender, callbacks };
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let door = door.clone();
                let service = service_fn(move |request| {
                    let door = door.clone();
                    async move { Ok::<_, Infallible>(door.take(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { origin, addresses, deliveries })
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// New URLs for the result and the queue timeout of this payment.
    pub(crate) fn mint(
        &self,
        reference: &Reference,
        env: &dyn Env,
    ) -> Result<Callback, malipo::InvalidCallbackUrl> {
        let result = self.address(reference, DeliveryPurpose::Result, env)?;
        Ok(Callback::new(result).with_timeout(self.address(reference, DeliveryPurpose::Timeout, env)?))
    }

    /// The next delivery to one of the URLs.
    pub(crate) async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    /// Digits only: a gateway may dislike words.
    fn address(
        &self,
        reference: &Reference,
        purpose: DeliveryPurpose,
        env: &dyn Env,
    ) -> Result<CallbackUrl, malipo::InvalidCallbackUrl> {
        let mut random = [0; 16];
        env.fill_bytes(&mut random);
        let path = format!("/{:039}", u128::from_le_bytes(random));
        let url = format!("{}{path}", self.origin).parse()?;
        self.addresses.assign(path, reference.clone(), purpose);
        Ok(url)
    }
}

#[derive(Debug, Clone)]
struct Door {
    addresses: Addresses,
    sender: mpsc::UnboundedSender<Delivery>,
    callbacks: Arc<dyn Callbacks>,
}

impl Door {
    async fn take(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let Some((reference, purpose)) = self.addresses.find(request.uri().path()) else {
            return empty(StatusCode::NOT_FOUND);
        };
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LONGEST_BODY).collect().await else {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let headers = parts
            .headers
            .iter()
            .fold(Headers::new(), |headers, (name, value)| headers.with(name.as_str(), value.as_bytes()));
        let delivery = Delivery::new(purpose, headers, body.to_bytes()).addressed_to(reference);
        let storage = match self.sender.send(delivery) {
            Ok(()) => Storage::Stored,
            Err(_) => Storage::NotStored,
        };
        let reply = self.callbacks.reply(storage);
        let mut response = Response::new(Full::new(Bytes::from(reply.body.into_owned())));
        *response.status_mut() =
            StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        response
    }
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}
