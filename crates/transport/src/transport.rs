use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use malipo_core::{Operation, ProviderId, Reference};

/// How bytes leave. One method: bring your own HTTP client by writing it.
///
/// A transport does names, connections, TLS, pooling and timeouts. It must not follow redirects, repeat a
/// request on its own, or read more than about 1 MiB of an answer. Any status is an answer, never an error.
/// The request's extensions hold an [`Exchange`] that says what is being sent.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends one request, once.
    ///
    /// # Errors
    ///
    /// [`TransportError::before_send`] only if no byte of the request can have left; in every other case, and
    /// whenever the transport cannot tell, [`TransportError::after_send`].
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError>;
}

/// What a request is for, found in its extensions.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// The configured account.
    pub provider: ProviderId,
    /// What is being done.
    pub operation: Operation,
    /// Our payment, if it is about one.
    pub reference: Option<Reference>,
}

impl Exchange {
    /// A request for this operation.
    pub const fn new(provider: ProviderId, operation: Operation, reference: Option<Reference>) -> Self {
        Self { provider, operation, reference }
    }
}

/// Why there is no answer, and whether the request may have left.
///
/// The cause must hold no secret: no URL with a query, no header, no body.
#[derive(Debug)]
pub struct TransportError {
    stage: Stage,
    failure: Failure,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// How far a request got. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// No byte of it has left.
    BeforeSend,
    /// It may have left, wholly or in part.
    AfterSend,
}

/// What failed. For people; what follows from a failure depends on its [`Stage`] alone. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// No connection: name, TCP or TLS.
    Connect,
    /// Plain `http` to a host it is not allowed for.
    Insecure,
    /// Time ran out.
    Timeout,
    /// The connection broke.
    Broken,
    /// The answer is larger than we read.
    TooLarge,
    /// Anything else.
    Other,
}

impl TransportError {
    /// No byte of the request has left: it may be sent again.
    pub const fn before_send(failure: Failure) -> Self {
        Self { stage: Stage::BeforeSend, failure, source: None }
    }

    /// The request may have left: nobody knows what became of it.
    pub const fn after_send(failure: Failure) -> Self {
        Self { stage: Stage::AfterSend, failure, source: None }
    }

    /// Keeps the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// How far the request got.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// What failed.
    pub const fn failure(&self) -> Failure {
        self.failure
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.failure {
            Failure::Connect => "no connection",
            Failure::Insecure => "plain http is allowed only to loopback and to hosts named for it",
            Failure::Timeout => "time ran out",
            Failure::Broken => "the connection broke",
            Failure::TooLarge => "the answer is too large",
            Failure::Other => "the exchange failed",
        })?;
        f.write_str(match self.stage {
            Stage::BeforeSend => " before anything was sent",
            Stage::AfterSend => " after the request may have left",
        })
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
