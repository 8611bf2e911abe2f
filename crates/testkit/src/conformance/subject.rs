use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use malipo_core::{Callbacks, Delivery, Env, Instruction, Provider, State, Ticket};
use malipo_transport::Transport;

use crate::scripted::answer;

/// What the suite has to know of one provider and cannot guess.
///
/// Everything here comes from the gateway's documents and from the provider's configuration; what the provider can
/// do, the suite reads from its [`Capabilities`](malipo_core::Capabilities).
pub trait Subject {
    /// The provider, configured with the planted secrets, without any fallback for callbacks, and with nothing
    /// kept from an earlier call of this function.
    fn provider(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Arc<dyn Provider>;

    /// The planted secrets: every key and password of the configuration and every token of
    /// [`token`](Self::token), at least twelve characters each and found nowhere else.
    fn canaries(&self) -> Vec<&'static str>;

    /// At least one admissible instruction for every declared operation, kind of party and detail. Where a callback
    /// is required, it has one. Each has a reference of its own.
    fn instructions(&self) -> Vec<Instruction>;

    /// What the gateway answers to this instruction, as documented. There is at least one answer that becomes a
    /// report, and the first such is what it usually answers; one that is [`Submitted::NotStarted`]; and one that
    /// is [`Submitted::Unknown`], because its code stands in no document.
    fn answers(&self, instruction: &Instruction) -> Vec<Sample<Submitted>>;

    /// What the gateway answers to a question about this payment, as documented. Empty if nothing can be asked.
    fn status_answers(&self, ticket: &Ticket) -> Vec<Sample<Asked>>;

    /// How tokens are got. `None`: the gateway has none.
    fn token(&self) -> Option<TokenExchange> {
        None
    }

    /// What reads the gateway's deliveries. `None`: it makes none.
    fn callbacks(&self) -> Option<Arc<dyn Callbacks>> {
        None
    }

    /// The deliveries that the gateway documents. Whether they are addressed is the suite's to choose.
    fn deliveries(&self) -> Vec<Posted> {
        Vec::new()
    }
}

/// One documented answer of a gateway, and what it means.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sample<M> {
    /// What it is, for whoever reads a failed test.
    pub name: String,
    /// The answer.
    pub response: Response<Bytes>,
    /// What it means.
    pub meaning: M,
}

impl<M> Sample<M> {
    /// An answer of any kind.
    pub fn new(name: impl Into<String>, response: Response<Bytes>, meaning: M) -> Self {
        Self { name: name.into(), response, meaning }
    }

    /// An answer in JSON. A status that HTTP does not know becomes 500.
    pub fn json(name: impl Into<String>, status: u16, body: impl Into<Bytes>, meaning: M) -> Self {
        Self::new(name, answer(status, "application/json", body), meaning)
    }
}

/// What an answer to an instruction means. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// It becomes a report of this state. Accepted is [`State::Pending`]; anything else is only for gateways that
    /// settle while one waits.
    Reported(State),
    /// A refusal that is documented, by code or shape, as "nothing was started".
    NotStarted,
    /// The gateway has seen the reference before.
    Duplicate,
    /// Nobody can tell: a code that stands in no document, or one documented as uncertain.
    Unknown,
}

/// What an answer to a question means. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The payment is in this state. A code that stands in no document is [`State::Pending`].
    Known(State),
    /// The gateway has no such payment.
    NoSuchReference,
    /// The answer will be posted to us.
    ComesByCallback,
    /// The gateway did not answer the question.
    Failed,
}

/// One documented delivery of a gateway, and what it means.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Posted {
    /// What it is, for whoever reads a failed test.
    pub name: String,
    /// The delivery.
    pub delivery: Delivery,
    /// What it says.
    pub says: Says,
}

impl Posted {
    /// A delivery that says this.
    pub fn new(name: impl Into<String>, delivery: Delivery, says: Says) -> Self {
        Self { name: name.into(), delivery, says }
    }
}

/// What a delivery says. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// A payment of ours is in this state.
    Report(State),
    /// Money came in without having been asked for.
    Credit,
    /// Our balances.
    Balances,
    /// A question of ours got no answer.
    Unanswered,
    /// Something that is not modelled.
    NotModelled,
    /// Nothing: it is refused.
    Refused,
}

/// How a gateway's tokens are got.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenExchange {
    /// The path that tokens are asked for at, from the first slash, without a query.
    pub path: String,
    /// The documented answer. Its token is one of the canaries.
    pub reply: Response<Bytes>,
    /// The answer to an instruction that is documented to mean: this token is not accepted, and nothing was done.
    pub rejection: Option<Response<Bytes>>,
}

impl TokenExchange {
    /// Tokens come from `path`, in an answer like `reply`.
    pub fn new(path: impl Into<String>, reply: Response<Bytes>) -> Self {
        Self { path: path.into(), reply, rejection: None }
    }

    /// Tokens come from `path`, in a JSON answer like `body`.
    pub fn json(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(path, answer(200, "application/json", body))
    }

    /// An answer of this status and this JSON means that the token is not accepted and nothing was done.
    #[must_use]
    pub fn rejected_by(mut self, status: u16, body: impl Into<Bytes>) -> Self {
        self.rejection = Some(answer(status, "application/json", body));
        self
    }
}
