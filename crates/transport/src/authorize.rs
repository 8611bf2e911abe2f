use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_lock::Mutex;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use malipo_core::{Effect, Error, ErrorKind, Operation, Result, Secret};

use crate::{Call, Line, Response};

/// How a gateway knows that it is us.
#[async_trait]
pub trait Authorize: fmt::Debug + Send + Sync {
    /// Adds our credentials, getting them over `line` if need be.
    ///
    /// # Errors
    ///
    /// When there are none to be had. Nothing was asked of the gateway but those.
    async fn authorize(&self, headers: &mut HeaderMap, line: &Line) -> Result<Pass>;

    /// Whether this answer to this operation is documented to mean: these credentials are not accepted, and nothing was
    /// done.
    fn rejected(&self, operation: Operation, response: &Response) -> bool;

    /// Lets go of rejected credentials. Whether it makes sense to try again with others.
    async fn renew(&self, rejected: &Pass) -> bool;
}

/// The credentials that one call was made with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pass {
    /// What is erased from the answer.
    pub secrets: Vec<Secret>,
    /// Tells one set of credentials from the next.
    pub generation: u64,
}

impl Pass {
    /// Credentials made of `secrets`.
    pub const fn new(secrets: Vec<Secret>, generation: u64) -> Self {
        Self { secrets, generation }
    }
}

/// The two keys of an app at a gateway: one names it, the other proves it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AppKeys {
    /// The consumer key or client id.
    pub key: Secret,
    /// The consumer secret or client secret.
    pub secret: Secret,
}

impl AppKeys {
    /// The consumer key and the consumer secret.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when one of them is empty.
    pub fn new(key: Secret, secret: Secret) -> Result<Self> {
        if key.is_empty() || secret.is_empty() {
            let message = "one of the two keys of the app is empty";
            return Err(Error::new(ErrorKind::Configuration, Effect::None, Operation::Configure, message));
        }
        Ok(Self { key, secret })
    }

    /// Both as HTTP's Basic scheme joins them: base64, without the word `Basic`.
    pub fn basic(&self) -> Secret {
        Secret::new(STANDARD.encode(format!("{}:{}", self.key.expose(), self.secret.expose())))
    }
}

/// A key that never changes, in a header.
#[derive(Debug, Clone)]
pub struct StaticKey {
    name: HeaderName,
    key: Secret,
}

impl StaticKey {
    /// Sends `key` in the header `name`.
    pub const fn new(name: HeaderName, key: Secret) -> Self {
        Self { name, key }
    }
}

#[async_trait]
impl Authorize for StaticKey {
    async fn authorize(&self, headers: &mut HeaderMap, _: &Line) -> Result<Pass> {
        headers.insert(self.name.clone(), secret_header("", &self.key)?);
        Ok(Pass::new(vec![self.key.clone()], 0))
    }

    fn rejected(&self, _: Operation, _: &Response) -> bool {
        false
    }

    async fn renew(&self, _: &Pass) -> bool {
        false
    }
}

/// How a gateway's tokens are asked for, read and sent. Pure.
pub trait TokenDialect: fmt::Debug + Send + Sync {
    /// The call that gets a token.
    ///
    /// # Errors
    ///
    /// When the credentials cannot be written.
    fn request(&self) -> Result<Call>;

    /// Reads the answer to that call. The token in it is not yet known, so it is not erased from it: nothing of the
    /// body may go into the error, not even through the words of a parser.
    ///
    /// # Errors
    ///
    /// When there is no token in it.
    fn read(&self, response: &Response) -> Result<Token>;

    /// The header a token goes into.
    ///
    /// # Errors
    ///
    /// When the token cannot be a header.
    fn attach(&self, token: &Secret) -> Result<(HeaderName, HeaderValue)>;

    /// Whether this answer to this operation is documented to mean: this token is not accepted, and nothing was done.
    fn rejected(&self, operation: Operation, response: &Response) -> bool;
}

/// A token as the gateway gave it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Token {
    /// The token.
    pub value: Secret,
    /// How long it lives, from when it was given.
    pub lifetime: Duration,
}

impl Token {
    /// A token that lives this long; a minute if the gateway did not say.
    pub fn new(value: Secret, lifetime: Option<Duration>) -> Self {
        Self { value, lifetime: lifetime.unwrap_or(Duration::from_secs(60)) }
    }

    /// How long we use it: a minute less than it lives, or four fifths of a life shorter than five minutes.
    fn usable(&self) -> Duration {
        self.lifetime - (self.lifetime / 5).min(Duration::from_secs(60))
    }
}

/// A token that is fetched when needed and used until shortly before it expires.
///
/// However many calls need one at once, one fetches and the others wait for what it gets, token or failure. A
/// failure is not kept: the next call tries again. Two of these never share a token.
#[derive(Debug)]
pub struct BearerToken<D> {
    dialect: D,
    /// How many fetches have ended. Whoever waited while one ended shares its outcome.
    ended: AtomicU64,
    held: Mutex<Held>,
}

#[derive(Debug)]
enum Held {
    Nothing,
    Token { value: Secret, generation: u64, use_until: Duration },
    Failure(Error),
}

impl<D: TokenDialect> BearerToken<D> {
    /// Nothing is fetched until the first call.
    pub const fn new(dialect: D) -> Self {
        Self { dialect, ended: AtomicU64::new(0), held: Mutex::new(Held::Nothing) }
    }

    async fn token(&self, line: &Line) -> Result<(Secret, u64)> {
        let ended_before = self.ended.load(Ordering::Acquire);
        let mut held = self.held.lock().await;
        let waited = self.ended.load(Ordering::Acquire) != ended_before;
        match &*held {
            Held::Token { value, generation, use_until } if waited || line.env().monotonic() < *use_until => {
                return Ok((value.clone(), *generation));
            }
            Held::Failure(error) if waited => return Err(error.clone()),
            _ => {}
        }
        // A caller that is dropped here lets go of the lock, and the next one fetches.
        let asked_at = line.env().monotonic();
        let fetched = self.fetch(line).await;
        let generation = self.ended.fetch_add(1, Ordering::AcqRel) + 1;
        match fetched {
            Ok(token) => {
                let use_until = asked_at.saturating_add(token.usable());
                *held = Held::Token { value: token.value.clone(), generation, use_until };
                Ok((token.value, generation))
            }
            Err(error) => {
                *held = Held::Failure(error.clone());
                Err(error)
            }
        }
    }

    async fn fetch(&self, line: &Line) -> Result<Token> {
        let response = line.send(&self.dialect.request()?).await?;
        self.dialect.read(&response)
    }
}

#[async_trait]
impl<D: TokenDialect> Authorize for BearerToken<D> {
    async fn authorize(&self, headers: &mut HeaderMap, line: &Line) -> Result<Pass> {
        let (token, generation) = self.token(line).await?;
        let (name, value) = self.dialect.attach(&token)?;
        headers.insert(name, value);
        Ok(Pass::new(vec![token], generation))
    }

    fn rejected(&self, operation: Operation, response: &Response) -> bool {
        self.dialect.rejected(operation, response)
    }

    async fn renew(&self, rejected: &Pass) -> bool {
        let mut held = self.held.lock().await;
        if matches!(&*held, Held::Token { generation, .. } if *generation == rejected.generation) {
            *held = Held::Nothing;
        }
        true
    }
}

/// A header value of `prefix` and a secret, marked so that nothing prints it.
///
/// # Errors
///
/// [`ErrorKind::Configuration`] when the secret has characters that no header can have.
pub fn secret_header(prefix: &str, secret: &Secret) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("{prefix}{}", secret.expose())).map_err(|_| {
        let message = "a credential has characters that cannot be sent in a header: check how it was copied";
        Error::new(ErrorKind::Configuration, Effect::None, Operation::Authorize, message)
    })?;
    value.set_sensitive(true);
    Ok(value)
}
