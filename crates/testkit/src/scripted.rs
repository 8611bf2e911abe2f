use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use malipo_core::async_trait;
use malipo_transport::{Failure, Stage, Transport, TransportError};

/// What becomes of one request.
#[derive(Clone)]
pub struct Outcome(Kind);

#[derive(Clone)]
enum Kind {
    Answered(Response<Bytes>),
    Lost(Stage, Failure),
    Computed(Arc<dyn Respond>),
}

trait Respond: Send + Sync {
    fn respond(&self, request: &Request<Bytes>) -> Outcome;
}

impl<F: Fn(&Request<Bytes>) -> Outcome + Send + Sync> Respond for F {
    fn respond(&self, request: &Request<Bytes>) -> Outcome {
        self(request)
    }
}

impl Outcome {
    /// This answer.
    pub const fn answered(response: Response<Bytes>) -> Self {
        Self(Kind::Answered(response))
    }

    /// A JSON answer. A status that HTTP does not know becomes 500.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::answered(answer(status, "application/json", body))
    }

    /// An HTML answer, as proxies give. A status that HTTP does not know becomes 500.
    pub fn html(status: u16, body: impl Into<Bytes>) -> Self {
        Self::answered(answer(status, "text/html", body))
    }

    /// No answer.
    pub const fn lost(stage: Stage, failure: Failure) -> Self {
        Self(Kind::Lost(stage, failure))
    }

    /// Whatever `responder` makes of the request.
    pub fn computed(responder: impl Fn(&Request<Bytes>) -> Self + Send + Sync + 'static) -> Self {
        Self(Kind::Computed(Arc::new(responder)))
    }

    fn resolve(self, request: &Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        match self.0 {
            Kind::Answered(response) => Ok(response),
            Kind::Lost(Stage::BeforeSend, failure) => Err(TransportError::before_send(failure)),
            Kind::Lost(Stage::AfterSend, failure) => Err(TransportError::after_send(failure)),
            Kind::Computed(responder) => responder.respond(request).resolve(request),
        }
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Answered(response) => write!(f, "Answered({})", response.status()),
            Kind::Lost(stage, failure) => write!(f, "Lost({stage:?}, {failure:?})"),
            Kind::Computed(_) => f.write_str("Computed"),
        }
    }
}

pub(crate) fn answer(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}

/// A transport without a network: it answers as it was told and keeps every request.
///
/// A request to a path named by [`on`](Self::on) gets that path's outcome, however often it comes. Every other
/// request gets the next outcome of the script, and after its end the one of [`always`](Self::always). A request
/// that nobody foresaw gets an error that names it.
///
/// ```
/// use bytes::Bytes;
/// use malipo_testkit::{Outcome, ScriptedTransport};
/// use malipo_transport::Transport;
///
/// let transport = ScriptedTransport::new()
///     .on("/token", Outcome::json(200, r#"{"token":"t"}"#))
///     .then(Outcome::json(202, "{}"));
/// let post = http::Request::post("https://api.example.com/payouts").body(Bytes::new())?;
/// let answer = pollster::block_on(transport.send(post.clone()))?;
/// assert_eq!(answer.status(), 202);
/// assert!(pollster::block_on(transport.send(post)).is_err(), "the script has ended");
/// assert_eq!(transport.requests().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct ScriptedTransport {
    routes: Vec<(String, Outcome)>,
    script: Mutex<VecDeque<Outcome>>,
    afterwards: Option<Outcome>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl ScriptedTransport {
    /// A transport that was told nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every request to `path` has this outcome.
    #[must_use]
    pub fn on(mut self, path: impl Into<String>, outcome: Outcome) -> Self {
        self.routes.push((path.into(), outcome));
        self
    }

    /// The next request to any other path has this outcome.
    #[must_use]
    pub fn then(mut self, outcome: Outcome) -> Self {
        self.script.get_mut().unwrap_or_else(PoisonError::into_inner).push_back(outcome);
        self
    }

    /// Requests after the end of the script have this outcome.
    #[must_use]
    pub fn always(mut self, outcome: Outcome) -> Self {
        self.afterwards = Some(outcome);
        self
    }

    /// Every request so far, in the order they came.
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn outcome_for(&self, request: &Request<Bytes>) -> Option<Outcome> {
        let route = self.routes.iter().find(|(path, _)| path == request.uri().path());
        if let Some((_, outcome)) = route {
            return Some(outcome.clone());
        }
        let next = self.script.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        next.or_else(|| self.afterwards.clone())
    }
}

/// How many requests there were, and nothing of them: a provider that prints its transport prints no payment.
impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = self.requests.lock().unwrap_or_else(PoisonError::into_inner).len();
        write!(f, "ScriptedTransport({seen} requests)")
    }
}

#[async_trait]
impl Transport for ScriptedTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        match self.outcome_for(&request) {
            Some(outcome) => outcome.resolve(&request),
            None => {
                let unforeseen =
                    format!("the script foresaw no {} {}", request.method(), request.uri().path());
                Err(TransportError::after_send(Failure::Other).with_source(unforeseen))
            }
        }
    }
}
