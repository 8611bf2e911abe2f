//! A transport, a clock and a token dialect for tests.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};
use malipo_core::{Effect, Env, Error, ErrorKind, Operation, ProviderId, Result, Secret, Timestamp};
use malipo_transport::{
    AppKeys, Authorize, Call, Environment as _, Gateway, Hosts, Line, Path, Response, Sandbox, Token,
    TokenDialect, Transport, TransportError, secret_header,
};
use tokio::sync::Semaphore;

/// What the other side says to one request.
#[derive(Debug)]
pub(crate) enum Answer {
    Says(u16, String),
    Fails(TransportError),
}

pub(crate) fn says(status: u16, body: impl Into<String>) -> Answer {
    Answer::Says(status, body.into())
}

/// A transport that answers by script and remembers what it was sent.
#[derive(Clone)]
pub(crate) struct Scripted {
    #[expect(clippy::type_complexity, reason = "written once")]
    script: Arc<dyn Fn(&Request<Bytes>) -> Answer + Send + Sync>,
    sent: Arc<Mutex<Vec<Request<Bytes>>>>,
    /// Requests for a token wait for one of these.
    gate: Arc<Semaphore>,
}

impl Scripted {
    pub(crate) fn new(script: impl Fn(&Request<Bytes>) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            script: Arc::new(script),
            sent: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }

    /// Tokens come only when [`Scripted::open`] says so.
    pub(crate) fn closed(mut self) -> Self {
        self.gate = Arc::new(Semaphore::new(0));
        self
    }

    /// Lets one more token through.
    pub(crate) fn open(&self) {
        self.gate.add_permits(1);
    }

    /// Everything sent to this path, in order.
    pub(crate) fn sent(&self, path: &str) -> Vec<Request<Bytes>> {
        let sent = self.sent.lock().unwrap();
        sent.iter().filter(|request| request.uri().path() == path).cloned().collect()
    }

    pub(crate) fn tokens(&self) -> usize {
        self.sent("/token").len()
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(
        &self,
        request: Request<Bytes>,
    ) -> std::result::Result<http::Response<Bytes>, TransportError> {
        self.sent.lock().unwrap().push(request.clone());
        if request.uri().path() == "/token" {
            self.gate.acquire().await.unwrap().forget();
        }
        // Others get their turn while this is on its way.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        match (self.script)(&request) {
            Answer::Says(status, body) => {
                Ok(http::Response::builder().status(status).body(Bytes::from(body)).unwrap())
            }
            Answer::Fails(error) => Err(error),
        }
    }
}

/// A clock that a test moves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Arc<Mutex<Duration>>);

impl Clock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Env for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(1_700_000_000_000).unwrap()
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn fill_bytes(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// A gateway whose token is `/token`'s body: the token, and perhaps how many seconds it lives.
#[derive(Debug)]
pub(crate) struct Dialect(pub(crate) &'static str);

pub(crate) const TOKEN_HEADER: &str = "x-access-token";

impl TokenDialect for Dialect {
    fn request(&self) -> Result<Call> {
        let credentials = AppKeys::new(Secret::new(self.0), Secret::new("consumer-secret"))?.basic();
        Ok(Call::get(Operation::Authorize, Path::new("/token"))
            .with_header(header::AUTHORIZATION, secret_header("Basic ", &credentials)?)
            .with_secret(credentials))
    }

    fn read(&self, response: &Response) -> Result<Token> {
        let refused = || {
            let message = "the gateway gave no token";
            Error::new(ErrorKind::Credentials, Effect::None, Operation::Authorize, message)
                .with_status(response.status)
        };
        let text = std::str::from_utf8(&response.body).map_err(|_| refused())?;
        let mut words = text.split(' ');
        let value = words.next().filter(|_| response.is_success()).ok_or_else(refused)?;
        let lifetime = words.next().map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
        Ok(Token::new(Secret::new(value), lifetime))
    }

    fn attach(&self, token: &Secret) -> Result<(HeaderName, HeaderValue)> {
        Ok((HeaderName::from_static(TOKEN_HEADER), secret_header("", token)?))
    }

    fn rejected(&self, _: Operation, response: &Response) -> bool {
        response.status == 401 && response.body.starts_with(b"documented")
    }
}

pub(crate) const NO_HOSTS: Hosts = Hosts { sandbox: None, production: None };

pub(crate) fn gateway(transport: &Scripted, clock: &Clock, authorize: impl Authorize + 'static) -> Gateway {
    let base = Sandbox::base_url("https://gateway.example", &NO_HOSTS).unwrap();
    let line =
        Line::new(ProviderId::of("somepay"), base, Arc::new(transport.clone()), Arc::new(clock.clone()));
    Gateway::new(line, authorize)
}

pub(crate) fn pay_out() -> Call {
    Call::get(Operation::PayOut, Path::new("/pay"))
}

pub(crate) fn status() -> Call {
    Call::get(Operation::Status, Path::new("/status"))
}

/// The token a request was sent with.
pub(crate) fn token_of(request: &Request<Bytes>) -> &str {
    request.headers()[TOKEN_HEADER].to_str().unwrap()
}
