use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use malipo_core::async_trait;
use malipo_transport::{Transport, TransportError};

/// One request and what came of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Recorded {
    /// The request.
    pub request: Request<Bytes>,
    /// The answer, if there was one.
    pub response: Option<Response<Bytes>>,
}

/// Passes everything on to another transport and keeps what it saw.
pub struct RecordingTransport {
    inner: Arc<dyn Transport>,
    recorded: Mutex<Vec<Recorded>>,
}

impl RecordingTransport {
    /// Records what `inner` does.
    pub fn new(inner: Arc<dyn Transport>) -> Self {
        Self { inner, recorded: Mutex::default() }
    }

    /// Everything so far, in the order it ended.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How many requests there were, and nothing of them: a provider that prints its transport prints no payment.
impl fmt::Debug for RecordingTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = self.recorded.lock().unwrap_or_else(PoisonError::into_inner).len();
        write!(f, "RecordingTransport({seen} requests to {:?})", self.inner)
    }
}

#[async_trait]
impl Transport for RecordingTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let answered = self.inner.send(request.clone()).await;
        let recorded = Recorded { request, response: answered.as_ref().ok().cloned() };
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
        answered
    }
}

#[cfg(test)]
mod tests {
    use malipo_transport::{Failure, Stage};

    use super::*;
    use crate::{Outcome, ScriptedTransport};

    #[test]
    fn requests_are_kept_with_their_answers_and_not_printed() {
        let gateway = ScriptedTransport::new()
            .then(Outcome::json(200, "{}"))
            .then(Outcome::lost(Stage::AfterSend, Failure::Timeout));
        let recording = RecordingTransport::new(Arc::new(gateway));
        for body in ["first", "second"] {
            let request = Request::post("https://h.example/pay").body(Bytes::from(body)).unwrap();
            let _ = pollster::block_on(recording.send(request));
        }
        let kept: Vec<_> = recording
            .recorded()
            .into_iter()
            .map(|one| (one.request.into_body(), one.response.map(|response| response.status().as_u16())))
            .collect();
        assert_eq!(kept, [(Bytes::from("first"), Some(200)), (Bytes::from("second"), None)]);
        assert_eq!(
            format!("{recording:?}"),
            "RecordingTransport(2 requests to ScriptedTransport(2 requests))"
        );
    }
}
