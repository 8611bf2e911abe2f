use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use malipo_core::{Env, Error, ErrorKind, Moment, Operation, ProviderId, Result, Secret, Timestamp};
use tracing::Instrument as _;

use crate::{Authorize, BaseUrl, Call, Exchange, Pass, Response, Stage, Transport, TransportError};

/// One gateway, ready to be called: the only way a provider sends anything.
///
/// It authorizes a call, sends it once, erases every secret it sent from the answer, and says of a failure what
/// may have happened to the money. The one thing it ever sends again is a call that the gateway turned away at
/// the door with a code documented for a token it does not accept: once, with a new token.
#[derive(Debug, Clone)]
pub struct Gateway {
    line: Line,
    authorize: Arc<dyn Authorize>,
}

impl Gateway {
    /// The gateway at the other end of `line`.
    pub fn new(line: Line, authorize: impl Authorize + 'static) -> Self {
        Self { line, authorize: Arc::new(authorize) }
    }

    /// Makes a call.
    ///
    /// # Errors
    ///
    /// An [`Error`] when there is no answer. An answer of any status, other than a redirect, is not an error here.
    pub async fn call(&self, call: Call) -> Result<Response> {
        self.authorize_and_send(&call).await.map_err(|error| {
            let error = error.with_provider(&self.line.provider);
            match &call.reference {
                Some(reference) => error.with_reference(reference),
                None => error,
            }
        })
    }

    /// The wall clock.
    pub fn now(&self) -> Timestamp {
        self.line.env.now()
    }

    async fn authorize_and_send(&self, call: &Call) -> Result<Response> {
        let began = Moment::now(self.line.env());
        let (response, pass) = self.send_with_pass(call, &[], began).await?;
        if !self.authorize.rejected(call.operation, &response) {
            // Whatever a 401 means for this call, the next one should not be made with the same credentials.
            if response.status == 401 {
                self.authorize.renew(&pass).await;
            }
            return Ok(response);
        }
        if !self.authorize.renew(&pass).await {
            return Ok(response);
        }
        let (response, _) = self.send_with_pass(call, &pass.secrets, began).await?;
        Ok(response)
    }

    /// Sends the call once, with credentials of its own; `spent` are those of an earlier try, erased as well. Not when
    /// it `began` so long ago that whoever called may have been given up: a machine can fall asleep.
    async fn send_with_pass(&self, call: &Call, spent: &[Secret], began: Moment) -> Result<(Response, Pass)> {
        let mut headers = HeaderMap::new();
        let authorized = self.authorize.authorize(&mut headers, &self.line).await;
        let pass = authorized.map_err(|error| error.before(call.operation))?;
        if call.operation.moves_money() && began.passed(self.line.env()) > LATEST {
            let effect = call.operation.not_started();
            let late = "getting the credentials took so long that the request was not sent";
            return Err(Error::new(ErrorKind::NotSent, effect, call.operation, late));
        }
        let secrets = [pass.secrets.as_slice(), spent].concat();
        let response = self.line.exchange(call, headers, &secrets).await?;
        Ok((response, pass))
    }
}

/// The longest time between the beginning of a call that moves money and its first byte.
const LATEST: Duration = Duration::from_secs(30);

/// The way to a gateway: where it lives, what carries the bytes, and what time it is.
#[derive(Debug, Clone)]
pub struct Line {
    provider: ProviderId,
    base: BaseUrl,
    transport: Arc<dyn Transport>,
    env: Arc<dyn Env>,
}

impl Line {
    /// A line for the configured account `provider`.
    pub fn new(
        provider: ProviderId,
        base: BaseUrl,
        transport: Arc<dyn Transport>,
        env: Arc<dyn Env>,
    ) -> Self {
        Self { provider, base, transport, env }
    }

    /// Time and randomness.
    pub fn env(&self) -> &dyn Env {
        &*self.env
    }

    /// Sends a call with nothing but what it has: for the call that gets a token.
    ///
    /// # Errors
    ///
    /// As [`Gateway::call`].
    pub async fn send(&self, call: &Call) -> Result<Response> {
        self.exchange(call, HeaderMap::new(), &[]).await
    }

    async fn exchange(&self, call: &Call, credentials: HeaderMap, secrets: &[Secret]) -> Result<Response> {
        let request = self.request(call, credentials)?;
        let span = tracing::debug_span!(
            "exchange",
            provider = self.provider.as_str(),
            operation = call.operation.as_str(),
            reference = call.reference.as_ref().map(|reference| reference.as_str()),
            sent_bytes = call.body.len(),
        );
        async {
            let answered = self.transport.send(request).await;
            let response = answered.map_err(|error| {
                tracing::debug!(%error, "no answer");
                lost(call.operation, error)
            })?;
            tracing::debug!(
                status = response.status().as_u16(),
                received_bytes = response.body().len(),
                "answered"
            );
            let secrets: Vec<_> = secrets.iter().chain(&call.secrets).cloned().collect();
            let response = Response::read(response, &secrets);
            match response.status {
                300..=399 => Err(redirected(call.operation, response.status)),
                _ => Ok(response),
            }
        }
        .instrument(span)
        .await
    }

    fn request(&self, call: &Call, credentials: HeaderMap) -> Result<Request<Bytes>> {
        let url = format!("{}{}", self.base.as_str(), call.path.as_str());
        let mut request =
            Request::builder().method(call.method.clone()).uri(url).body(call.body.clone()).map_err(
                |error| {
                    let effect = call.operation.not_started();
                    Error::new(ErrorKind::Invalid, effect, call.operation, "the request is no HTTP request")
                        .with_source(error)
                },
            )?;
        request.headers_mut().extend(call.headers.clone());
        request.headers_mut().extend(credentials);
        request.extensions_mut().insert(Exchange::new(
            self.provider.clone(),
            call.operation,
            call.reference.clone(),
        ));
        Ok(request)
    }
}

fn lost(operation: Operation, error: TransportError) -> Error {
    match error.stage() {
        Stage::BeforeSend => {
            Error::new(ErrorKind::NotSent, operation.not_started(), operation, "the request was not sent")
        }
        Stage::AfterSend => Error::new(
            ErrorKind::Interrupted,
            operation.uncertain(),
            operation,
            "there is no answer to the request",
        ),
    }
    .with_source(error)
}

fn redirected(operation: Operation, status: u16) -> Error {
    let message = "the gateway answered with a redirect, which is never followed: check the base URL";
    Error::new(ErrorKind::Unlisted, operation.uncertain(), operation, message).with_status(status)
}
