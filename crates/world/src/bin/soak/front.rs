//! The one address that gateways post to, whoever lives behind it; it writes down what was answered.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use malipo::hyper::HyperTransport;
use malipo::transport::{Stage, Transport};
use tokio::net::TcpListener;

/// The longest body that is passed on.
const LIMIT: usize = 1 << 20;
/// How long a worker has to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it has to take the connection.
const CONNECT: Duration = Duration::from_millis(500);

/// Passes on what is posted to the workers that live, in turn, as a load balancer does.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    pub(crate) base: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    transport: HyperTransport,
    state: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// For each worker its life and its port, while it lives.
    living: Vec<Option<(String, u16)>>,
    turn: usize,
    posted: Vec<Posted>,
}

/// One thing that was posted, and how it ended.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    /// The path that it was posted to.
    pub(crate) path: String,
    pub(crate) body: Bytes,
    pub(crate) answer: Answer,
}

/// How a post ended.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// It was answered.
    Status(u16),
    /// This life ended before it had answered.
    Lost(String),
    /// Nobody lived.
    Nobody,
}

impl Front {
    pub(crate) async fn open(workers: usize) -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}/in", listener.local_addr()?);
        let options = malipo::hyper::Options::new()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(PATIENCE)
            .with_total_timeout(PATIENCE);
        let state = Mutex::new(Book { living: vec![None; workers], ..Book::default() });
        let shared = Arc::new(Shared { transport: HyperTransport::with_options(options)?, state });
        let router = Router::new().fallback(pass).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base, shared })
    }

    /// A worker lives, and listens there.
    pub(crate) fn lives(&self, worker: usize, life: &str, port: u16) {
        if let Some(place) = self.shared.book().living.get_mut(worker) {
            *place = Some((life.to_owned(), port));
        }
    }

    /// A worker lives no more.
    pub(crate) fn died(&self, worker: usize) {
        if let Some(place) = self.shared.book().living.get_mut(worker) {
            *place = None;
        }
    }

    /// Whether a worker lives, and listens.
    pub(crate) fn has(&self, worker: usize) -> bool {
        self.shared.book().living.get(worker).is_some_and(Option::is_some)
    }

    /// All that was posted so far.
    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.shared.book().posted.clone()
    }
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<(String, u16)> {
        let mut book = self.book();
        book.turn = book.turn.wrapping_add(1);
        let living: Vec<_> = book.living.iter().flatten().collect();
        let turn = book.turn.checked_rem(living.len())?;
        living.get(turn).map(|one| (*one).clone())
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path().to_owned();
    let (answer, response) = match shared.next() {
        None => (Answer::Nobody, StatusCode::BAD_GATEWAY.into_response()),
        Some((life, port)) => {
            let mut onward = axum::http::Request::new(body.clone());
            *onward.method_mut() = parts.method;
            *onward.headers_mut() = parts.headers;
            for hop in [header::HOST, header::CONTENT_LENGTH, header::CONNECTION] {
                onward.headers_mut().remove(hop);
            }
            if let Ok(uri) = format!("http://127.0.0.1:{port}{path}").parse() {
                *onward.uri_mut() = uri;
            }
            match shared.transport.send(onward).await {
                Ok(response) => (Answer::Status(response.status().as_u16()), response.map(Body::from)),
                Err(error) if error.stage() == Stage::AfterSend => {
                    (Answer::Lost(life), StatusCode::BAD_GATEWAY.into_response())
                }
                Err(_) => (Answer::Nobody, StatusCode::BAD_GATEWAY.into_response()),
            }
        }
    };
    shared.book().posted.push(Posted { path, body, answer });
    response
}
