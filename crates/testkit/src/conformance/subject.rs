use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use malipo_core::{Balances, Callbacks, Delivery, Env, Instruction, Money, Provider, State, Ticket};
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
    /// report, and the first such is what it usually answers; one that is [`Submitted::NotStarted`], but for a
    /// confirmation, which may have none; and one that is [`Submitted::Unknown`], because its code stands in no
    /// document.
    fn answers(&self, instruction: &Instruction) -> Vec<Sample<Submitted>>;

    /// What the gateway answers to a question about this payment, as documented. Empty if nothing can be asked. Where
    /// the answer comes at once, there is for every operation one that says paid, with its amount; one that says
    /// failed; and one with a code that stands in no document, which is [`State::Pending`] and names that code.
    fn status_answers(&self, ticket: &Ticket) -> Vec<Sample<Asked>>;

    /// How tokens are got. `None`: the gateway has none.
    fn token(&self) -> Option<TokenExchange>;

    /// What reads the gateway's deliveries. `None`: it makes none.
    fn callbacks(&self) -> Option<Arc<dyn Callbacks>>;

    /// The deliveries that the gateway documents. Whether they are addressed is the suite's to choose. Where operations
    /// have callbacks, there is one that says paid, with its amount; one that says failed; and one with a code that
    /// stands in no document, which is [`State::Pending`] and names that code.
    fn deliveries(&self) -> Vec<Posted>;

    /// What asks for our balances, configured as [`provider`](Self::provider) is. `None`: the gateway does not tell
    /// them at once.
    fn balances(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Option<Arc<dyn Balances>>;

    /// What the gateway answers when it is asked for our balances. Where there is something to ask with, at least one
    /// is [`Counted::Told`].
    fn balance_answers(&self) -> Vec<Sample<Counted>> {
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
    /// The code in it, which is kept verbatim.
    pub code: Option<String>,
    /// The amount in it.
    pub amount: Option<Money>,
}

impl<M> Sample<M> {
    /// An answer of any kind.
    pub fn new(name: impl Into<String>, response: Response<Bytes>, meaning: M) -> Self {
        Self { name: name.into(), response, meaning, code: None, amount: None }
    }

    /// An answer in JSON. A status that HTTP does not know becomes 500.
    pub fn json(name: impl Into<String>, status: u16, body: impl Into<Bytes>, meaning: M) -> Self {
        Self::new(name, answer(status, "application/json", body), meaning)
    }

    /// Says which code is in it. It must be told verbatim.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Says which amount is in it. It must be told; whatever says that money moved must have one.
    #[must_use]
    pub fn with_amount(mut self, amount: Money) -> Self {
        self.amount = Some(amount);
        self
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

/// What an answer to a question for our balances means. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// They are told.
    Told,
    /// They are not.
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
    /// The code in it, which is kept verbatim.
    pub code: Option<String>,
    /// The amount in it.
    pub amount: Option<Money>,
}

impl Posted {
    /// A delivery that says this.
    pub fn new(name: impl Into<String>, delivery: Delivery, says: Says) -> Self {
        Self { name: name.into(), delivery, says, code: None, amount: None }
    }

    /// Says which code is in it. It must be told verbatim.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Says which amount is in it. It must be told; whatever says that money moved must have one.
    #[must_use]
    pub fn with_amount(mut self, amount: Money) -> Self {
        self.amount = Some(amount);
        self
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
    /// How the gateway says that it does not accept a token. It has to be said, one way or the other.
    pub rejection: Rejection,
}

/// How a gateway says, in answer to an instruction, that it does not accept a token. Closed on purpose.
#[derive(Debug, Clone)]
pub enum Rejection {
    /// The subject forgot to say, which is a fault of the subject.
    Unsaid,
    /// In no way of which it is documented that nothing was done.
    Never,
    /// By this answer, documented to mean: this token is not accepted, and nothing was done.
    By(Response<Bytes>),
}

impl TokenExchange {
    /// Tokens come from `path`, in an answer like `reply`. How they are rejected has yet to be said.
    pub fn new(path: impl Into<String>, reply: Response<Bytes>) -> Self {
        Self { path: path.into(), reply, rejection: Rejection::Unsaid }
    }

    /// Tokens come from `path`, in a JSON answer like `body`. How they are rejected has yet to be said.
    pub fn json(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(path, answer(200, "application/json", body))
    }

    /// An answer of this status and this JSON means that the token is not accepted and nothing was done.
    #[must_use]
    pub fn rejected_by(mut self, status: u16, body: impl Into<Bytes>) -> Self {
        self.rejection = Rejection::By(answer(status, "application/json", body));
        self
    }

    /// No answer is documented to mean that the token is not accepted and nothing was done.
    #[must_use]
    pub fn never_rejected(mut self) -> Self {
        self.rejection = Rejection::Never;
        self
    }

    pub(super) fn documented_rejection(&self) -> Option<&Response<Bytes>> {
        match &self.rejection {
            Rejection::By(response) => Some(response),
            Rejection::Unsaid | Rejection::Never => None,
        }
    }
}
