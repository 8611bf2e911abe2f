use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Operation, ProviderId, Reference, Told};

/// The result of everything that talks to a gateway.
pub type Result<T> = std::result::Result<T, Error>;

/// Why there is no [`Report`](crate::Report), and what may have happened to the money.
///
/// Small (one pointer), cloneable, and free of secrets: it holds neither a body nor a header nor a URL.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    effect: Effect,
    operation: Operation,
    message: String,
    provider: Option<ProviderId>,
    reference: Option<Reference>,
    code: Option<String>,
    text: Option<Told>,
    status: Option<u16>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    remedy: Option<&'static str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What may have happened to the money. Closed on purpose: a caller who has handled these three has handled all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Certainly nothing: the gateway did not start it.
    None,
    /// It may have moved. Ask; never resend by guess, never call it failed.
    Unknown,
    /// We only asked, and asking moves nothing: what was known before is still what is known.
    Unchanged,
}

/// What went wrong. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The provider does not do this; nothing was sent.
    Unsupported,
    /// The instruction cannot be expressed to this gateway; nothing was sent.
    Invalid,
    /// The provider was put together wrongly.
    Configuration,
    /// The gateway did not accept our credentials or our token.
    Credentials,
    /// The request provably never left: no connection, no name, no TLS.
    NotSent,
    /// The connection failed after the request, or part of it, may have left.
    Interrupted,
    /// The gateway refused, with a code or shape documented as "not started".
    Refused,
    /// The gateway refused because of too many requests, documented as "not started".
    Throttled,
    /// The gateway has seen this reference before.
    Duplicate,
    /// The gateway has trouble of its own.
    Unavailable,
    /// The gateway's answer cannot be read.
    Unreadable,
    /// The gateway answered with a code nobody documented.
    Unlisted,
}

/// What to do about an [`Error`]. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Advice {
    /// It will never work like this: change something first.
    Fix,
    /// Nothing happened, and the same may be sent again, after [`Error::retry_after`] if there is one.
    Resend,
    /// Find out first what happened.
    Ask,
}

impl Error {
    /// An error with its effect, which nobody else can know. `message` is ours: what was wrong, where, what to do.
    pub fn new(kind: ErrorKind, effect: Effect, operation: Operation, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            effect,
            operation,
            message: message.into(),
            provider: None,
            reference: None,
            code: None,
            text: None,
            status: None,
            request_id: None,
            retry_after: None,
            remedy: None,
            source: None,
        }))
    }

    /// Names the configured account, unless it is named already.
    #[must_use]
    pub fn with_provider(mut self, provider: &ProviderId) -> Self {
        self.0.provider.get_or_insert_with(|| provider.clone());
        self
    }

    /// Names our payment.
    #[must_use]
    pub fn with_reference(mut self, reference: &Reference) -> Self {
        self.0.reference = Some(reference.clone());
        self
    }

    /// Keeps the gateway's code.
    #[must_use]
    pub fn with_code(mut self, code: Option<&str>) -> Self {
        self.0.code = code.map(Told::code);
        self
    }

    /// Keeps the gateway's words.
    #[must_use]
    pub fn with_text(mut self, text: Option<&str>) -> Self {
        self.0.text = text.map(Told::new).filter(|text| !text.is_empty());
        self
    }

    /// Keeps the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Keeps the gateway's name for the request, which its support people ask for.
    #[must_use]
    pub fn with_request_id(mut self, request_id: Option<&str>) -> Self {
        self.0.request_id = request_id.map(Told::code);
        self
    }

    /// Keeps how long the gateway asks us to wait.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    /// Says what to do next, for a code we know.
    #[must_use]
    pub fn with_remedy(mut self, remedy: &'static str) -> Self {
        self.0.remedy = Some(remedy);
        self
    }

    /// Keeps the cause. It must hold no secret, as it will be printed.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// The same failure as the reason why `operation` was not begun: a token that could not be fetched moved nothing of
    /// the payment that needed it, whatever became of the token.
    #[must_use]
    pub fn before(mut self, operation: Operation) -> Self {
        self.0.operation = operation;
        self.0.effect = operation.not_started();
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What may have happened to the money.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// What to do about it.
    pub fn advice(&self) -> Advice {
        match (self.0.effect, self.0.kind) {
            (Effect::Unknown | Effect::Unchanged, _) => Advice::Ask,
            (
                Effect::None,
                ErrorKind::NotSent | ErrorKind::Interrupted | ErrorKind::Throttled | ErrorKind::Unavailable,
            ) => Advice::Resend,
            (Effect::None, _) => Advice::Fix,
        }
    }

    /// What was being done.
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// Which configured account it happened to.
    pub fn provider(&self) -> Option<&ProviderId> {
        self.0.provider.as_ref()
    }

    /// Our payment.
    pub fn reference(&self) -> Option<&Reference> {
        self.0.reference.as_ref()
    }

    /// The gateway's code, verbatim.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The gateway's words.
    pub fn text(&self) -> Option<&Told> {
        self.0.text.as_ref()
    }

    /// The HTTP status.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The gateway's name for the request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the gateway asks us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What to do next, for codes we know.
    pub fn remedy(&self) -> Option<&'static str> {
        self.0.remedy
    }

    /// What was wrong, in our words.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, message, provider, reference, code, text, status, effect, remedy, .. } =
            &*self.0;
        if let Some(provider) = provider {
            write!(f, "{provider} ")?;
        }
        write!(f, "{operation}")?;
        if let Some(reference) = reference {
            write!(f, " {reference}")?;
        }
        write!(f, ": {message}")?;
        if let Some(status) = status {
            write!(f, " (HTTP {status})")?;
        }
        match (code, text) {
            (Some(code), Some(text)) => write!(f, "; the gateway says {code}: {text}")?,
            (Some(code), None) => write!(f, "; the gateway says {code}")?,
            (None, Some(text)) => write!(f, "; the gateway says: {text}")?,
            (None, None) => {}
        }
        f.write_str(match effect {
            Effect::None => "; no money moved",
            Effect::Unknown => "; money may have moved: ask before anything else",
            Effect::Unchanged => "; this was only a question",
        })?;
        match remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("effect", &self.0.effect)
            .field("operation", &self.0.operation)
            .field("provider", &self.0.provider)
            .field("reference", &self.0.reference)
            .field("code", &self.0.code)
            .field("text", &self.0.text)
            .field("status", &self.0.status)
            .field("request_id", &self.0.request_id)
            .field("retry_after", &self.0.retry_after)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_follows_from_effect_and_kind() {
        let advice = |kind, effect| Error::new(kind, effect, Operation::PayOut, "x").advice();
        let all = [
            ErrorKind::Unsupported,
            ErrorKind::Invalid,
            ErrorKind::Configuration,
            ErrorKind::Credentials,
            ErrorKind::NotSent,
            ErrorKind::Interrupted,
            ErrorKind::Refused,
            ErrorKind::Throttled,
            ErrorKind::Duplicate,
            ErrorKind::Unavailable,
            ErrorKind::Unreadable,
            ErrorKind::Unlisted,
        ];
        for kind in all {
            assert_eq!(advice(kind, Effect::Unknown), Advice::Ask);
            assert_eq!(advice(kind, Effect::Unchanged), Advice::Ask);
            let resend =
                [ErrorKind::NotSent, ErrorKind::Interrupted, ErrorKind::Throttled, ErrorKind::Unavailable]
                    .contains(&kind);
            assert_eq!(advice(kind, Effect::None), if resend { Advice::Resend } else { Advice::Fix });
        }
    }

    #[test]
    fn it_reads_as_one_sentence_without_what_the_gateway_echoed() {
        let error = Error::new(
            ErrorKind::Refused,
            Effect::None,
            Operation::PayOut,
            "the gateway refused the request",
        )
        .with_provider(&ProviderId::of("somepay"))
        .with_reference(&"LOAN-1".parse().unwrap())
        .with_status(401)
        .with_code(Some("401.002.01"))
        .with_text(Some("Invalid Access Token - BJGFGOXv5aZnw90KkA4TDtu4Xdyf"))
        .with_remedy("check the consumer key");
        assert_eq!(
            error.to_string(),
            "somepay pay_out LOAN-1: the gateway refused the request (HTTP 401); the gateway says 401.002.01: \
             Invalid Access Token - [removed]; no money moved; check the consumer key"
        );
        assert!(!format!("{error:?}").contains("BJGFGOX"));
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
