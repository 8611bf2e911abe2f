use std::time::Duration;

use malipo_core::{
    Instruction, Money, Operation, ProviderId, ProviderRefs, Raw, Reference, Ticket, Timestamp,
};

use crate::names::named;
use crate::stored::{self, Sealed};
use crate::{
    Attempt, Attention, DeliveryId, EventId, Fence, Fingerprint, Generation, Key, PaymentId, PaymentState,
    Standing, StoredError, Worker,
};

/// One payment, as far as the journal knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payment {
    /// The journal's number for it.
    pub id: PaymentId,
    /// The caller's name for the intent.
    pub key: Key,
    /// Which payment of that key it is.
    pub generation: Generation,
    /// The account at the gateway.
    pub provider: ProviderId,
    /// What it is.
    pub operation: Operation,
    /// Our name for it on the wire.
    pub reference: Reference,
    /// How much.
    pub amount: Money,
    /// The state, and why a person must look.
    pub standing: Standing,
    /// The newest attempt; 0 before the first.
    pub attempt: Attempt,
    /// The gateway's names for it.
    pub provider_refs: ProviderRefs,
    /// The receipt, once told.
    pub receipt: Option<String>,
    /// The gateway's newest code, verbatim.
    pub code: Option<String>,
    /// How many goods it brought; their values are in its reports.
    pub goods: u32,
    /// When the same reference may be sent again without a person.
    pub resend: ResendRule,
    /// Whether it leaves beside another one that nothing could tell from it.
    pub twins: Twins,
    /// How often it was asked about, since the newest attempt.
    pub asks: u32,
    /// How often the gateway said that it knows no such payment, since the newest attempt.
    pub absences: u32,
    /// When it said so, as far as it counted.
    pub absent_at: Option<Timestamp>,
    /// The newest lease.
    pub fence: Fence,
    /// Who holds it.
    pub worker: Option<Worker>,
    /// Until when.
    pub leased_until: Option<Timestamp>,
    /// When to send it or to ask about it next.
    pub next_at: Option<Timestamp>,
    /// When it was written down.
    pub opened_at: Timestamp,
    /// When its state changed last.
    pub changed_at: Timestamp,
    /// When it was over, if it is.
    pub over_at: Option<Timestamp>,
    /// Gone once erased.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Gone once erased.
    pub(crate) instruction: Option<Sealed>,
    /// How many events it has.
    pub(crate) events: u64,
    /// How often its row was written.
    pub(crate) version: u64,
}

impl Payment {
    /// The state.
    pub const fn state(&self) -> PaymentState {
        self.standing.state
    }

    /// Why a person must look, if one must.
    pub const fn attention(&self) -> Option<&Attention> {
        self.standing.attention.as_ref()
    }

    /// What was asked for, with the reference and the callback that went out; `None` once it was erased.
    ///
    /// # Errors
    ///
    /// [`StoredError`] when its stored form cannot be read.
    pub fn instruction(&self) -> Result<Option<Instruction>, StoredError> {
        self.instruction.as_ref().map(stored::read_instruction).transpose()
    }

    /// How to ask about it. A callback for the answer is for whoever asks to add.
    pub fn ticket(&self) -> Ticket {
        Ticket::new(self.reference.clone(), self.operation).with_provider_refs(self.provider_refs.clone())
    }
}

/// When a payment whose fate is unknown may be sent again under the same reference, without a person. Stored with the
/// payment, so that a later configuration does not change what was promised. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResendRule {
    /// Never: the gateway may pay twice.
    Never,
    /// The gateway refuses a reference that it has seen.
    SameReference {
        /// How long it remembers, from the first attempt on.
        within: Duration,
    },
    /// The gateway has to say that it knows no such payment.
    AfterAbsence {
        /// How often; at least once.
        times: u32,
        /// How long after the attempt, and after the time before. A request can be slow to arrive.
        quiet: Duration,
        /// Until how long after the first attempt.
        within: Duration,
    },
}

/// What happens to a payment while another one of the same account, operation, party and amount may be at the gateway
/// under no name that is known. Stored with the payment. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Twins {
    /// It is sent: our reference tells the two apart.
    Sent,
    /// It is held back until the other one's fate is known, since nothing could tell the two apart.
    Held,
}

named! {
    Twins {
        Sent = "sent",
        Held = "held",
    }
}

/// One attempt to send a payment, or a step of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// Of which payment.
    pub payment: PaymentId,
    /// Which one.
    pub number: Attempt,
    /// What was sent: the payment's own operation, or a step of it.
    pub operation: Operation,
    /// Who made it.
    pub worker: Worker,
    /// When it began, which is before the first byte left.
    pub began_at: Timestamp,
    /// When it ended; `None` while nobody said how.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub end: Option<AttemptEnd>,
    /// What the gateway said, as far as it said anything.
    pub notes: Notes,
}

/// How an attempt ended. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptEnd {
    /// It provably did not leave.
    NotSent,
    /// It was turned away as one too many.
    Throttled,
    /// It was refused, documented as not started.
    Refused,
    /// It was answered with a report.
    Accepted,
    /// It has no answer, or one that settles nothing.
    Unknown,
}

named! {
    AttemptEnd {
        NotSent = "not_sent",
        Throttled = "throttled",
        Refused = "refused",
        Accepted = "accepted",
        Unknown = "unknown",
    }
}

/// What an error told about an attempt, for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Notes {
    /// The gateway's code, verbatim.
    pub code: Option<String>,
    /// The gateway's words, made safe to show. Erased with the rest.
    pub text: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The gateway's name for the request.
    pub request_id: Option<String>,
}

impl From<&malipo_core::Error> for Notes {
    fn from(error: &malipo_core::Error) -> Self {
        Self {
            code: error.code().map(str::to_owned),
            text: error.text().map(|text| text.as_str().to_owned()),
            status: error.status(),
            request_id: error.request_id().map(str::to_owned),
        }
    }
}

/// One thing that happened to a payment. Events are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The journal's number for it.
    pub id: EventId,
    /// Of which payment.
    pub payment: PaymentId,
    /// Which of that payment, from 1 without a gap.
    pub sequence: u64,
    /// When, by the journal's clock.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The state before.
    pub from: PaymentState,
    /// The state after.
    pub to: PaymentState,
    /// The attempt it is about.
    pub attempt: Option<Attempt>,
    /// The delivery it comes from.
    pub delivery: Option<DeliveryId>,
    /// The gateway's code, verbatim.
    pub code: Option<String>,
    /// What a person was told to look at, also where an earlier attention stands.
    pub attention: Option<Attention>,
    /// Who decided, where a person did.
    pub operator: Option<String>,
    /// Why.
    pub note: Option<String>,
    /// Whether it comes of reading a delivery [once more](crate::Payments::replay). It is as true as any other; whoever
    /// acts on news may want to act otherwise on old ones.
    pub replayed: bool,
}

impl Event {
    /// The end that this event brought, if it brought one. Every end of a payment is brought by exactly one event, so
    /// this is what to act on.
    pub fn outcome(&self) -> Option<PaymentState> {
        (self.to.is_final() && self.from != self.to).then_some(self.to)
    }
}

/// What an event is about. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// The payment was written down.
    Opened,
    /// An attempt began.
    Began,
    /// An attempt ended.
    Ended,
    /// An attempt ended that had ended before.
    Late,
    /// An attempt's lease ran out.
    Swept,
    /// The gateway said that it knows no such payment.
    Absent,
    /// A report told something new.
    Reported,
    /// A report does not agree with what was asked.
    Mismatched,
    /// A delivery was read once more, and told nothing new.
    Replayed,
    /// A delivery without an address was found to be about this payment.
    Matched,
    /// A time allowed ran out.
    Overdue,
    /// Something was noticed that a person must look at.
    Noticed,
    /// A person decided.
    Resolved,
    /// The caller gave it up.
    Cancelled,
    /// What names people was erased.
    Erased,
}

named! {
    EventKind {
        Opened = "opened",
        Began = "began",
        Ended = "ended",
        Late = "late",
        Swept = "swept",
        Absent = "absent",
        Reported = "reported",
        Mismatched = "mismatched",
        Replayed = "replayed",
        Matched = "matched",
        Overdue = "overdue",
        Noticed = "noticed",
        Resolved = "resolved",
        Cancelled = "cancelled",
        Erased = "erased",
    }
}

/// Where a report comes from. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The reply to an attempt, too late to end it.
    Reply,
    /// The answer to a question.
    Answer,
    /// A stored delivery.
    Delivery(DeliveryId),
    /// A stored delivery that is read once more, whatever became of it the first time.
    Replay(DeliveryId),
}

/// A report as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportRecord {
    pub(crate) payment: PaymentId,
    /// The event that it brought.
    pub(crate) event: EventId,
    /// Gone once erased, as the other two.
    pub(crate) report: Option<Sealed>,
    pub(crate) goods: Option<Sealed>,
    /// The bytes it was read from; a delivery keeps its own.
    pub(crate) raw: Option<Raw>,
}
