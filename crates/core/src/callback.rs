use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::naming::named;
use crate::{
    BalanceReport, Money, ProviderId, ProviderRefs, Raw, Reference, Report, Secret, Signature, Timestamp,
    Told, ToldParty, Trust,
};

/// Reads what a gateway posts to us. Synchronous and pure: the same delivery always reads the same.
pub trait Callbacks: fmt::Debug + Send + Sync {
    /// Reads one delivery. What it says is a claim until it is bound to what we asked for.
    ///
    /// # Errors
    ///
    /// [`CallbackError`] when it cannot be what this gateway posts.
    fn read(&self, delivery: &Delivery) -> Result<Read, CallbackError>;

    /// The exact answer that this gateway wants.
    fn reply(&self, storage: Storage) -> Reply;

    /// Credentials of ours that a delivery may repeat, since some gateways echo a request. Whoever keeps a delivery
    /// erases them from it first, with [`Raw::without`]: also where [`read`](Self::read) fails.
    fn secrets(&self) -> Vec<Secret>;
}

impl<C: Callbacks + ?Sized> Callbacks for Arc<C> {
    fn read(&self, delivery: &Delivery) -> Result<Read, CallbackError> {
        (**self).read(delivery)
    }

    fn reply(&self, storage: Storage) -> Reply {
        (**self).reply(storage)
    }

    fn secrets(&self) -> Vec<Secret> {
        (**self).secrets()
    }
}

/// One thing a gateway, or somebody who claims to be it, posted to us.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivery {
    /// What the URL it arrived at was given out for.
    pub purpose: DeliveryPurpose,
    /// The payment that the URL was given out for, once its unguessable part has been checked.
    pub addressed: Option<Reference>,
    /// The request's headers.
    pub headers: Headers,
    /// The request's body.
    pub body: Raw,
}

impl Delivery {
    /// A delivery to a URL that is not bound to a payment.
    pub fn new(purpose: DeliveryPurpose, headers: Headers, body: impl Into<Raw>) -> Self {
        Self { purpose, addressed: None, headers, body: body.into() }
    }

    /// Says which payment the URL was given out for. Only after its unguessable part has been checked.
    #[must_use]
    pub fn addressed_to(mut self, reference: Reference) -> Self {
        self.addressed = Some(reference);
        self
    }

    /// How far what it says can be believed, if it is not signed.
    pub fn trust(&self) -> Trust {
        if self.addressed.is_some() { Trust::Addressed } else { Trust::Claimed }
    }
}

/// What a callback URL was given out for. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DeliveryPurpose {
    /// The result of a payment.
    Result,
    /// The news that a payment waited too long in the gateway's queue.
    Timeout,
    /// The answer to a question about a payment.
    Answer,
    /// The news that such a question waited too long.
    AnswerTimeout,
    /// Our balances.
    Balance,
    /// A merchant's one URL for everything (an IPN).
    Notice,
}

named! {
    DeliveryPurpose {
        Result = "result",
        Timeout = "timeout",
        Answer = "answer",
        AnswerTimeout = "answer_timeout",
        Balance = "balance",
        Notice = "notice",
    }
}

/// What a delivery says. Closed on purpose: a receiver handles each.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "one lives for one delivery; a box would only make it harder to read"
)]
pub enum Read {
    /// Something about a payment of ours.
    Report(Report),
    /// Money that came in without having been asked for.
    Credit(Credit),
    /// Our balances.
    Balances(BalanceReport),
    /// A question of ours came back without an answer. What was known before is still what is known.
    Unanswered(Unanswered),
    /// Something we do not model. Keep it; it is no error.
    NotModelled,
}

/// Money that came in without having been asked for, such as a customer paying at a till. Prints nothing of what the
/// payer typed, which may be a name or a number.
#[derive(Clone)]
#[non_exhaustive]
pub struct Credit {
    /// Which configured account it came in at.
    pub provider: ProviderId,
    /// How much.
    pub amount: Money,
    /// Who paid, as told.
    pub payer: Option<ToldParty>,
    /// What the payer typed as account or reference, verbatim.
    pub account: Option<String>,
    /// The collection of ours that it may belong to, where the payer's text can be a reference.
    pub reference: Option<Reference>,
    /// The gateway's names for it.
    pub provider_refs: ProviderRefs,
    /// When, as told.
    pub at: Option<Timestamp>,
    /// How far it can be believed.
    pub trust: Trust,
    /// What became of its signature.
    pub signature: Signature,
    /// The bytes it was read from.
    pub raw: Raw,
}

impl Credit {
    /// A credit of `amount`, with the gateway's names for it.
    pub fn new(
        provider: ProviderId,
        amount: Money,
        provider_refs: ProviderRefs,
        trust: Trust,
        raw: Raw,
    ) -> Self {
        Self {
            provider,
            amount,
            payer: None,
            account: None,
            reference: None,
            provider_refs,
            at: None,
            trust,
            signature: Signature::NotExpected,
            raw,
        }
    }
}

impl fmt::Debug for Credit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credit")
            .field("provider", &self.provider)
            .field("amount", &self.amount)
            .field("payer", &self.payer)
            .field("account", &self.account.as_ref().map(|_| "***"))
            .field("reference", &self.reference)
            .field("provider_refs", &self.provider_refs)
            .field("at", &self.at)
            .field("trust", &self.trust)
            .field("signature", &self.signature)
            .field("raw", &self.raw)
            .finish()
    }
}

/// A question of ours that came back without an answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Unanswered {
    /// Which configured account asked.
    pub provider: ProviderId,
    /// The payment that was asked about, as far as the delivery's address says.
    pub reference: Option<Reference>,
    /// The gateway's code, verbatim.
    pub code: Option<String>,
    /// The gateway's words.
    pub text: Option<Told>,
    /// What can be done about it, for codes we know.
    pub remedy: Option<Cow<'static, str>>,
    /// The bytes it was read from.
    pub raw: Raw,
}

impl Unanswered {
    /// A question that came back with nothing.
    pub fn new(provider: ProviderId, raw: Raw) -> Self {
        Self { provider, reference: None, code: None, text: None, remedy: None, raw }
    }
}

/// Whether a delivery is safely kept. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// It is.
    Stored,
    /// It is not; the gateway should post it again.
    NotStored,
}

/// What to answer to a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The content type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Cow<'static, [u8]>,
}

impl Reply {
    /// A JSON answer.
    pub const fn json(status: u16, body: &'static str) -> Self {
        Self { status, content_type: "application/json", body: Cow::Borrowed(body.as_bytes()) }
    }
}

/// Why a delivery cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// It is not what this gateway posts to this URL.
    #[error("the delivery cannot be read: {0}")]
    Unreadable(&'static str),
    /// A header that counts came twice, so nobody can say which one is meant.
    #[error("the header {0} came more than once")]
    RepeatedHeader(&'static str),
    /// A signature is required and there is none.
    #[error("the delivery is not signed")]
    Unsigned,
    /// The signature is wrong.
    #[error("the delivery's signature is wrong")]
    WrongSignature,
}

/// The headers of a delivery. Prints the names only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one; the same name may come again.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The one value of this header, in whatever letter case it was named.
    ///
    /// # Errors
    ///
    /// [`CallbackError::RepeatedHeader`] when it came more than once.
    pub fn single(&self, name: &'static str) -> Result<Option<&[u8]>, CallbackError> {
        let mut values = self.0.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let first = values.next();
        match values.next() {
            Some(_) => Err(CallbackError::RepeatedHeader(name)),
            None => Ok(first.map(|(_, value)| value.as_slice())),
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_comes_twice_is_refused() {
        let headers = Headers::new().with("X-Signature", "a").with("x-other", "b");
        assert_eq!(headers.single("x-signature"), Ok(Some(b"a".as_slice())));
        assert_eq!(headers.single("missing"), Ok(None));
        let twice = headers.with("x-SIGNATURE", "c");
        assert_eq!(twice.single("x-signature"), Err(CallbackError::RepeatedHeader("x-signature")));
        assert_eq!(format!("{twice:?}"), r#"{"X-Signature", "x-other", "x-SIGNATURE"}"#);
    }

    #[test]
    fn a_credit_prints_nothing_of_what_its_payer_typed() {
        let amount = Money::kes("350").unwrap();
        let refs = ProviderRefs::new();
        let mut credit = Credit::new(ProviderId::of("a"), amount, refs, Trust::Claimed, Raw::default());
        credit.account = Some("Jane 0708374149".to_owned());
        let printed = format!("{credit:?}");
        assert!(printed.contains("***") && !printed.contains("Jane"), "{printed}");
    }

    #[test]
    fn trust_comes_from_the_address() {
        let delivery = Delivery::new(DeliveryPurpose::Result, Headers::new(), "{}");
        assert_eq!(delivery.trust(), Trust::Claimed);
        assert_eq!(delivery.addressed_to("A".parse().unwrap()).trust(), Trust::Addressed);
    }
}
