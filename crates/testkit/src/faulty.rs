use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use malipo_core::async_trait;
use malipo_transport::{Failure, Transport, TransportError};

use crate::scripted::answer;

/// What goes wrong with one request. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It never leaves; the gateway does not see it.
    LostBeforeSend,
    /// The gateway does what it was asked; its answer is lost.
    LostAfterSend,
    /// The gateway does what it was asked; only so many bytes of the body of its answer arrive.
    Truncated(usize),
    /// The gateway does what it was asked; a proxy answers with a page of HTML and the status 502.
    BadGateway,
    /// Something on the way answers with a redirect; the gateway does not see the request.
    Redirect,
}

/// Passes everything on to another transport, but for the requests it was told to spoil.
#[derive(Debug)]
pub struct FaultyTransport {
    inner: Arc<dyn Transport>,
    plans: Vec<Plan>,
}

#[derive(Debug)]
struct Plan {
    path: String,
    nth: u32,
    fault: Fault,
    seen: AtomicU32,
}

impl FaultyTransport {
    /// Spoils nothing yet.
    pub fn new(inner: Arc<dyn Transport>) -> Self {
        Self { inner, plans: Vec::new() }
    }

    /// Spoils the `nth` request, counted from 1, whose path begins with `path`.
    #[must_use]
    pub fn spoil(mut self, path: impl Into<String>, nth: u32, fault: Fault) -> Self {
        self.plans.push(Plan { path: path.into(), nth, fault, seen: AtomicU32::new(0) });
        self
    }

    /// Every plan counts every request of its path; the first that is due decides.
    fn fault_of(&self, request: &Request<Bytes>) -> Option<Fault> {
        let concerned = self.plans.iter().filter(|plan| request.uri().path().starts_with(&plan.path));
        let due: Vec<_> =
            concerned.filter(|plan| plan.seen.fetch_add(1, Ordering::Relaxed) + 1 == plan.nth).collect();
        due.first().map(|plan| plan.fault)
    }
}

#[async_trait]
impl Transport for FaultyTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        match self.fault_of(&request) {
            None => self.inner.send(request).await,
            Some(Fault::LostBeforeSend) => Err(TransportError::before_send(Failure::Connect)),
            Some(Fault::LostAfterSend) => {
                self.inner.send(request).await?;
                Err(TransportError::after_send(Failure::Timeout))
            }
            Some(Fault::Truncated(length)) => {
                Ok(self.inner.send(request).await?.map(|body| body.slice(..length.min(body.len()))))
            }
            Some(Fault::BadGateway) => {
                self.inner.send(request).await?;
                Ok(answer(502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>"))
            }
            Some(Fault::Redirect) => {
                let mut response = answer(302, "text/html", "<html><body>Found</body></html>");
                let elsewhere = HeaderValue::from_static("https://elsewhere.example/");
                response.headers_mut().insert(header::LOCATION, elsewhere);
                Ok(response)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, ScriptedTransport};

    #[test]
    fn each_fault_spoils_its_request_and_no_other() {
        for (fault, reached, answered) in [
            (Fault::LostBeforeSend, 2, None),
            (Fault::LostAfterSend, 3, None),
            (Fault::Truncated(3), 3, Some((200, 3))),
            (Fault::BadGateway, 3, Some((502, 50))),
            (Fault::Redirect, 2, Some((302, 31))),
        ] {
            let gateway = Arc::new(ScriptedTransport::new().always(Outcome::json(200, r#"{"ok":1}"#)));
            let faulty = FaultyTransport::new(gateway.clone()).spoil("/pay", 2, fault);
            let send = |path: &str| {
                let request = Request::post(format!("https://h.example{path}")).body(Bytes::new()).unwrap();
                let sent = pollster::block_on(faulty.send(request)).ok();
                sent.map(|response| (response.status().as_u16(), response.body().len()))
            };
            assert_eq!(send("/other"), Some((200, 8)));
            assert_eq!(send("/pay/1"), Some((200, 8)));
            assert_eq!(send("/pay/2"), answered, "{fault:?}");
            assert_eq!(gateway.requests().len(), reached, "{fault:?}");
        }
    }
}
