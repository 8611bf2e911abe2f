// tidy: over 400 lines: one shape for each entry

use std::time::Duration;

use malipo_core::{
    Credit, DeliveryPurpose, Instruction, Money, Operation, ProviderId, ProviderRefs, Raw, Reference, Report,
    Timestamp, ToldParty,
};

use crate::{
    Aside, Attempt, Attention, CreditId, Decision, DeliveryId, Fence, Fingerprint, Follower, Key, Lease,
    Notes, PaymentId, Reason, ResendRule, Source, Stream, Twins,
};

/// One thing to be written, or refused, as a whole. Open: more will come.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Entry {
    /// Writes a payment down, or finds the one that has the key.
    Open(Box<Open>),
    /// Writes the next payment of a key down, after the one before came to nothing.
    Again(Box<Open>),
    /// Begins an attempt of a payment that is only written down. To be committed before the first byte leaves.
    Begin(Begin),
    /// Begins another attempt of a payment whose fate is unknown, where its [`ResendRule`] allows it.
    BeginAgain(Begin),
    /// Begins to hand in the code of a collection's payer, a step of the payment whose state stays.
    BeginConfirm(Begin),
    /// Says how an attempt ended.
    Finish(Box<Finish>),
    /// Notes that the gateway knows no such payment.
    NoteAbsent(NoteAbsent),
    /// Keeps a delivery. To be committed before it is answered.
    StoreDelivery(Box<StoreDelivery>),
    /// Holds a report against its payment and folds it in.
    Apply(Box<Apply>),
    /// Notes that a delivery was read once more, and that nothing came of it.
    NoteReplay(DeliveryId),
    /// Tells a person of something about a payment that is not over.
    Raise(Box<Raise>),
    /// Keeps a delivery from being read again.
    SetAside(SetAside),
    /// Writes down what a delivery tells of money that came in, once for each transaction.
    StoreCredit(Box<StoreCredit>),
    /// Says what the gateway answered about money that came in, or that it cannot be asked.
    DecideCredit(Box<DecideCredit>),
    /// Finds the money that came in of which the gateway is to be asked now.
    DueCredits(DueCredits),
    /// Finds the one payment that a delivery without an address can be about.
    MatchUnaddressed(Box<MatchUnaddressed>),
    /// Leases payments of an account that are to be sent or asked about now.
    ClaimDue(ClaimDue),
    /// Says when to look at a claimed payment again, and gives it back.
    Schedule(Schedule),
    /// Hands a payment to a person because a time allowed has run out.
    Overdue(Overdue),
    /// Makes unknown what was being sent when its lease ran out.
    Sweep(Sweep),
    /// Writes down what a person decided.
    Resolve(Box<Resolve>),
    /// Gives a payment up of which nothing has left.
    Cancel(PaymentId),
    /// Erases what names people.
    Erase(Erase),
    /// Moves a follower on. It never goes back: what is further already stays.
    Advance(Box<Advance>),
}

/// See [`Entry::Open`] and [`Entry::Again`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Open {
    /// The account at the gateway.
    pub provider: ProviderId,
    /// The caller's name for the intent.
    pub key: Key,
    /// What is asked for, with the reference and the callback that will go out.
    pub instruction: Instruction,
    /// Of the intent as the caller gave it.
    pub fingerprint: Fingerprint,
    /// When the same reference may be sent again.
    pub resend: ResendRule,
    /// Whether it leaves beside another one that nothing could tell from it.
    pub twins: Twins,
    /// When to send it.
    pub start: Start,
}

impl Open {
    /// A payment that is due at once and never sent again without a person.
    pub fn new(provider: ProviderId, key: Key, instruction: Instruction, fingerprint: Fingerprint) -> Self {
        let (resend, start) = (ResendRule::Never, Start::Later { after: Duration::ZERO });
        Self { provider, key, instruction, fingerprint, resend, twins: Twins::Sent, start }
    }

    /// Says whether it leaves beside another one that nothing could tell from it.
    #[must_use]
    pub fn with_twins(mut self, twins: Twins) -> Self {
        self.twins = twins;
        self
    }

    /// Says when the same reference may be sent again.
    #[must_use]
    pub fn with_resend(mut self, resend: ResendRule) -> Self {
        self.resend = resend;
        self
    }

    /// Says when to send it.
    #[must_use]
    pub fn with_start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }
}

/// When a payment is sent. Closed on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// By whoever claims it.
    Later {
        /// How long from now.
        after: Duration,
    },
    /// By who opens it: its first attempt begins in the same commit, unless a twin holds it back.
    Now(Lease),
}

/// See [`Entry::Begin`], [`Entry::BeginAgain`] and [`Entry::BeginConfirm`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Begin {
    /// Which payment.
    pub payment: PaymentId,
    /// Who sends it.
    pub lease: Lease,
    /// The lease it was claimed under; `None` when it was not claimed.
    pub fence: Option<Fence>,
}

impl Begin {
    /// An attempt by the holder of `lease`.
    pub const fn new(payment: PaymentId, lease: Lease, fence: Option<Fence>) -> Self {
        Self { payment, lease, fence }
    }
}

/// See [`Entry::Finish`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finish {
    /// Which payment.
    pub payment: PaymentId,
    /// Which attempt.
    pub attempt: Attempt,
    /// The lease it was made under.
    pub fence: Fence,
    /// How it ended.
    pub outcome: Outcome,
    /// When to send again or to ask, from now, unless it is over.
    pub next: Duration,
}

impl Finish {
    /// The end of an attempt.
    pub const fn new(
        payment: PaymentId,
        attempt: Attempt,
        fence: Fence,
        outcome: Outcome,
        next: Duration,
    ) -> Self {
        Self { payment, attempt, fence, outcome, next }
    }
}

/// How an attempt ended, and what was told. Closed on purpose.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "it lives in a box with its entry")]
pub enum Outcome {
    /// It provably did not leave.
    NotSent(Notes),
    /// It was turned away as one too many.
    Throttled(Notes),
    /// It was refused, documented as not started.
    Refused(Notes),
    /// It was answered with a report.
    Accepted(Report),
    /// It has no answer, or one that settles nothing.
    Unknown(Notes),
}

/// See [`Entry::NoteAbsent`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NoteAbsent {
    /// Which payment.
    pub payment: PaymentId,
    /// The lease it was asked under.
    pub fence: Fence,
    /// When to ask again, from now.
    pub next: Duration,
}

impl NoteAbsent {
    /// The gateway knows no such payment; it is asked again after `next`.
    pub const fn new(payment: PaymentId, fence: Fence, next: Duration) -> Self {
        Self { payment, fence, next }
    }
}

/// See [`Entry::StoreDelivery`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreDelivery {
    /// The account whose URL it came to.
    pub provider: ProviderId,
    /// What the URL is for.
    pub purpose: DeliveryPurpose,
    /// The payment the URL is for, once its unguessable part was checked.
    pub addressed: Option<Reference>,
    /// Its number instead, where that is what the URL says: its reference is looked up where it is kept.
    pub payment: Option<PaymentId>,
    /// The headers that are worth keeping, such as a signature.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Raw,
}

impl StoreDelivery {
    /// A delivery to a URL of no payment, without headers.
    pub const fn new(provider: ProviderId, purpose: DeliveryPurpose, body: Raw) -> Self {
        Self { provider, purpose, addressed: None, payment: None, headers: Vec::new(), body }
    }

    /// Says which payment the URL is for. Only after its unguessable part was checked.
    #[must_use]
    pub fn addressed_to(mut self, reference: Reference) -> Self {
        self.addressed = Some(reference);
        self
    }

    /// The same by the journal's number. Books that do not have that payment keep it as of none.
    #[must_use]
    pub fn of_payment(mut self, payment: PaymentId) -> Self {
        self.payment = Some(payment);
        self
    }

    /// Keeps a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// See [`Entry::Apply`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Apply {
    /// Which payment.
    pub payment: PaymentId,
    /// Where the report comes from.
    pub source: Source,
    /// What it says.
    pub report: Report,
}

impl Apply {
    /// A report about a payment.
    pub const fn new(payment: PaymentId, source: Source, report: Report) -> Self {
        Self { payment, source, report }
    }
}

/// See [`Entry::Raise`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Raise {
    /// Which payment.
    pub payment: PaymentId,
    /// The delivery that it comes from.
    pub delivery: Option<DeliveryId>,
    /// What a person must look at.
    pub attention: Attention,
    /// Whether it comes of reading a delivery once more.
    pub replayed: bool,
}

impl Raise {
    /// A person must look at a payment.
    pub const fn new(payment: PaymentId, delivery: Option<DeliveryId>, attention: Attention) -> Self {
        Self { payment, delivery, attention, replayed: false }
    }

    /// It comes of reading a delivery once more.
    #[must_use]
    pub const fn replayed(mut self) -> Self {
        self.replayed = true;
        self
    }
}

/// See [`Entry::SetAside`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SetAside {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// Why nothing waits for it.
    pub why: Aside,
    /// Whether it was read once more. Then this is why, whatever was said the first time.
    pub replayed: bool,
}

impl SetAside {
    /// Nothing waits for this delivery.
    pub const fn new(delivery: DeliveryId, why: Aside) -> Self {
        Self { delivery, why, replayed: false }
    }

    /// It was read once more.
    #[must_use]
    pub const fn replayed(mut self) -> Self {
        self.replayed = true;
        self
    }
}

/// See [`Entry::StoreCredit`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreCredit {
    /// The delivery.
    pub delivery: DeliveryId,
    /// What it claims. The first of the gateway's names is what tells one transaction from another.
    pub credit: Credit,
}

impl StoreCredit {
    /// What a delivery claims.
    pub const fn new(delivery: DeliveryId, credit: Credit) -> Self {
        Self { delivery, credit }
    }
}

/// See [`Entry::DecideCredit`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DecideCredit {
    /// Which money.
    pub credit: CreditId,
    /// What the gateway answered about it; `None` where there is no way to ask.
    pub answered: Option<Credit>,
}

impl DecideCredit {
    /// The gateway's own answer.
    pub const fn answered(credit: CreditId, answered: Credit) -> Self {
        Self { credit, answered: Some(answered) }
    }

    /// There is no way to ask this gateway.
    pub const fn unaskable(credit: CreditId) -> Self {
        Self { credit, answered: None }
    }
}

/// See [`Entry::DueCredits`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DueCredits {
    /// The accounts.
    pub providers: Vec<ProviderId>,
    /// At most this many.
    pub limit: u32,
}

impl DueCredits {
    /// At most `limit` credits of these accounts.
    pub const fn new(providers: Vec<ProviderId>, limit: u32) -> Self {
        Self { providers, limit }
    }
}

/// See [`Entry::MatchUnaddressed`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MatchUnaddressed {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The account it came to.
    pub provider: ProviderId,
    /// What it says that was done.
    pub operation: Operation,
    /// With whom.
    pub party: Option<ToldParty>,
    /// How much.
    pub amount: Money,
    /// The gateway's names for it.
    pub provider_refs: ProviderRefs,
    /// Whether it is read once more.
    pub replayed: bool,
}

impl MatchUnaddressed {
    /// A delivery that says what was done and how much, and neither with whom nor under which name.
    pub const fn new(
        delivery: DeliveryId,
        provider: ProviderId,
        operation: Operation,
        amount: Money,
    ) -> Self {
        let provider_refs = ProviderRefs::new();
        Self { delivery, provider, operation, party: None, amount, provider_refs, replayed: false }
    }

    /// It is read once more.
    #[must_use]
    pub const fn replayed(mut self) -> Self {
        self.replayed = true;
        self
    }

    /// Says with whom.
    #[must_use]
    pub fn with_party(mut self, party: Option<ToldParty>) -> Self {
        self.party = party;
        self
    }

    /// Says the gateway's names for it.
    #[must_use]
    pub fn with_provider_refs(mut self, provider_refs: ProviderRefs) -> Self {
        self.provider_refs = provider_refs;
        self
    }
}

/// See [`Entry::ClaimDue`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClaimDue {
    /// The account.
    pub provider: ProviderId,
    /// Who claims, and for how long.
    pub lease: Lease,
    /// At most this many.
    pub limit: u32,
}

impl ClaimDue {
    /// At most `limit` payments of this account for the holder of `lease`.
    pub const fn new(provider: ProviderId, lease: Lease, limit: u32) -> Self {
        Self { provider, lease, limit }
    }
}

/// See [`Entry::Schedule`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Schedule {
    /// Which payment.
    pub payment: PaymentId,
    /// The lease it was claimed under.
    pub fence: Fence,
    /// When to look again, from now.
    pub after: Duration,
    /// How often it was asked about meanwhile.
    pub asks: u32,
}

impl Schedule {
    /// Looks at a payment again after `after`. It was not asked about.
    pub const fn new(payment: PaymentId, fence: Fence, after: Duration) -> Self {
        Self { payment, fence, after, asks: 0 }
    }

    /// It was asked about once.
    #[must_use]
    pub const fn asked(mut self) -> Self {
        self.asks = 1;
        self
    }
}

/// See [`Entry::Overdue`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Overdue {
    /// Which payment.
    pub payment: PaymentId,
    /// The lease it was claimed under.
    pub fence: Fence,
    /// What ran out.
    pub reason: Reason,
}

impl Overdue {
    /// Hands a payment to a person.
    pub const fn new(payment: PaymentId, fence: Fence, reason: Reason) -> Self {
        Self { payment, fence, reason }
    }
}

/// See [`Entry::Sweep`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Sweep {
    /// At most this many.
    pub limit: u32,
}

impl Sweep {
    /// At most `limit` payments.
    pub const fn new(limit: u32) -> Self {
        Self { limit }
    }
}

/// See [`Entry::Resolve`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resolve {
    /// Which payment.
    pub payment: PaymentId,
    /// Who decides. Kept for good.
    pub operator: String,
    /// Why. Kept for good: name no customer in it.
    pub reason: String,
    /// What.
    pub decision: Decision,
}

impl Resolve {
    /// What `operator` decided, and why.
    pub fn new(
        payment: PaymentId,
        operator: impl Into<String>,
        reason: impl Into<String>,
        decision: Decision,
    ) -> Self {
        Self { payment, operator: operator.into(), reason: reason.into(), decision }
    }
}

/// See [`Entry::Erase`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Erase {
    /// Payments that were over before this, deliveries without a payment that came before it, and credits that changed
    /// before it.
    pub before: Timestamp,
    /// At most this many of each.
    pub limit: u32,
}

impl Erase {
    /// At most `limit` payments, deliveries and credits of before `before`.
    pub const fn new(before: Timestamp, limit: u32) -> Self {
        Self { before, limit }
    }
}

/// See [`Entry::Advance`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Advance {
    /// Who.
    pub follower: Follower,
    /// In which stream.
    pub stream: Stream,
    /// The number of the last thing that nothing is left to be done for, nor for any before it.
    pub position: u64,
}

impl Advance {
    /// The follower is done with everything of this stream up to `position`.
    pub const fn new(follower: Follower, stream: Stream, position: u64) -> Self {
        Self { follower, stream, position }
    }
}
