use std::time::Duration;

use malipo_core::Timestamp;

use crate::{
    Attempt, CreditId, CreditRecord, CreditState, DeliveryId, Fence, Payment, PaymentId, PaymentState,
    StoredError,
};

/// What was done. Open: more will come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Done {
    /// A payment was written down.
    Opened {
        /// Its number.
        payment: PaymentId,
        /// Its first attempt, if it was to begin at once and nothing held it back.
        begun: Option<Begun>,
    },
    /// The key is known, and this is what it named before; nothing was written. Whatever its state, also paid.
    Existing(Box<Payment>),
    /// An attempt may leave now.
    Begun(Begun),
    /// An attempt ended.
    Finished {
        /// The state before.
        from: PaymentState,
        /// The state now.
        state: PaymentState,
    },
    /// An attempt ended that had ended before; only an event was written.
    Late(PaymentState),
    /// How often the gateway has said that it knows no such payment, as far as that counts.
    Absent {
        /// So often.
        counted: u32,
    },
    /// A delivery was kept.
    Stored(DeliveryId),
    /// The same delivery came before; nothing was written.
    AlreadyStored {
        /// The first one.
        delivery: DeliveryId,
        /// Its payment, once known.
        payment: Option<PaymentId>,
        /// When its report was applied; `None` when that is still to be done.
        applied_at: Option<Timestamp>,
    },
    /// A report was held against its payment and folded in.
    Applied {
        /// The state before.
        from: PaymentState,
        /// The state now.
        state: PaymentState,
        /// Whether it told anything new.
        news: News,
    },
    /// It was noted that a delivery was read once more; `None` where it is about no payment that is known.
    Replayed(Option<PaymentId>),
    /// A person is told, or was before; nothing is told of a payment that is over.
    Raised(News),
    /// A delivery is not read again.
    SetAside(News),
    /// A delivery tells of money that came in, which is written down.
    Credited {
        /// The journal's number for it.
        credit: CreditId,
        /// Whether it was written down now, or the transaction was known.
        news: News,
        /// A payment that is not over, and that it may be the money of: what becomes of that decides.
        open: Option<PaymentId>,
    },
    /// Money that came in stands there now.
    CreditDecided {
        /// The state before.
        from: CreditState,
        /// The state now.
        state: CreditState,
        /// A payment that is not over, and that it may be the money of: what becomes of that decides.
        open: Option<PaymentId>,
    },
    /// Money that came in of which the gateway is to be asked now. Nobody else is told to ask for a while.
    CreditsDue {
        /// What to ask about.
        due: Vec<CreditRecord>,
        /// What was asked about for so long that a person must look.
        given_up: Vec<CreditRecord>,
    },
    /// A delivery is about this payment.
    Matched(PaymentId),
    /// No payment, or more than one, can be what a delivery is about.
    NotMatched {
        /// Those that it can be about.
        candidates: Vec<PaymentId>,
    },
    /// Payments that are leased now.
    Claimed(Vec<Claim>),
    /// A payment is due then.
    Scheduled(Timestamp),
    /// A payment waits for a person.
    Overdue,
    /// Attempts whose lease ran out, and that are unknown now.
    Swept(Vec<PaymentId>),
    /// What a person decided stands.
    Resolved {
        /// The state now.
        state: PaymentState,
        /// The attempt that may leave now, if one was decided.
        begun: Option<Begun>,
    },
    /// A payment was given up.
    Cancelled,
    /// What names people was erased.
    Erased {
        /// In so many payments.
        payments: u32,
        /// And in so many deliveries without a payment.
        deliveries: u32,
        /// And in so many credits.
        credits: u32,
    },
    /// A follower is so far now, or was further already.
    Advanced(u64),
}

/// An attempt that may leave now, and the lease that it is made under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Begun {
    /// The attempt.
    pub attempt: Attempt,
    /// The lease, to be shown when the attempt ends.
    pub fence: Fence,
}

impl Begun {
    pub(crate) const fn new(attempt: Attempt, fence: Fence) -> Self {
        Self { attempt, fence }
    }
}

/// A payment that was leased to its claimer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The payment. If it is recorded, send it; otherwise ask about it.
    pub payment: Payment,
    /// The lease, to be shown with everything that is written under it.
    pub fence: Fence,
    /// When it was leased, by the journal's clock: how long a payment is open is counted by that.
    pub at: Timestamp,
}

impl Claim {
    pub(crate) fn new(payment: Payment, at: Timestamp) -> Self {
        Self { fence: payment.fence, payment, at }
    }
}

/// Whether a report told anything new. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It did.
    New,
    /// All of it was known.
    Repeat,
}

/// Why an entry was refused. Nothing of it was written; the other entries of its batch were. Open: more will come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The key names another intent.
    #[error("the key is used for a payment that differs in {}: use a new key", fields.join(", "))]
    Conflict {
        /// The names of the fields that differ.
        fields: Vec<&'static str>,
    },
    /// The key names an intent that was erased, so nobody can tell whether this is the same.
    #[error("the key was used for a payment that is erased: use a new key")]
    Erased,
    /// The key's newest payment did not come to nothing.
    #[error("the payment is {state}, and can only be made again once it has failed or was cancelled")]
    NotOver {
        /// Its state.
        state: PaymentState,
    },
    /// A person must look at a payment of this key first.
    #[error("payment {payment} of this key waits for a person: resolve it first")]
    Held {
        /// The payment to look at.
        payment: PaymentId,
    },
    /// There is no such payment.
    #[error("there is no such payment")]
    NoSuchPayment,
    /// There is no such attempt.
    #[error("there is no such attempt")]
    NoSuchAttempt,
    /// There is no such delivery.
    #[error("there is no such delivery")]
    NoSuchDelivery,
    /// There is no such credit.
    #[error("there is no such credit")]
    NoSuchCredit,
    /// Only the gateway's own answer about this very transaction confirms a credit.
    #[error("that is not the gateway's own answer about this transaction")]
    NotItsAnswer,
    /// The reference names another payment at this gateway.
    #[error("the reference is used for another payment: mint a new one")]
    ReferenceUsed,
    /// The payment is not where this can be done.
    #[error("this cannot be done with a payment that is {state}")]
    WrongState {
        /// Its state.
        state: PaymentState,
    },
    /// A newer lease was given out: whoever holds the older one was away too long.
    #[error("the lease is not the newest one any more: another worker has the payment")]
    Fenced,
    /// Somebody else has the payment.
    #[error("another worker has the payment until {until}")]
    Leased {
        /// Until when.
        until: Timestamp,
    },
    /// A lease of no time holds nobody off.
    #[error("a lease has to last some time")]
    NoLease,
    /// Nothing could tell the payment from this one, whose fate is not known.
    #[error(
        "nothing could tell it from payment {payment}, which may be at the gateway: it waits for that one"
    )]
    Twin {
        /// The other one.
        payment: PaymentId,
    },
    /// A code was handed in, and nobody knows whether it was taken.
    #[error(
        "a code was handed in, and nobody knows whether it was taken: wait until it is known what became of it"
    )]
    CodeOpen,
    /// The payment's rule does not allow the same reference again.
    #[error("the payment may not be sent again: {0}")]
    NotAgain(Bar),
    /// The delivery is about another payment.
    #[error("the delivery is about payment {0}")]
    OtherPayment(PaymentId),
    /// The fingerprint is not that of what is to be stored, or it cannot be stored.
    #[error("it cannot be stored: {0}")]
    Unstorable(StoredError),
    /// A decision needs a name and a reason.
    #[error(
        "a decision needs the name of who decides and a reason, each in at most 200 characters on one line"
    )]
    Unexplained,
}

/// What keeps a reference from being sent again. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Bar {
    /// The gateway may pay twice.
    #[error("the gateway may pay the same reference twice")]
    Never,
    /// The gateway may have forgotten the reference.
    #[error("the first attempt is {} seconds old, and the gateway remembers it for {} only", age.as_secs(), within.as_secs())]
    TooLate {
        /// The age of the first attempt.
        age: Duration,
        /// The most that is allowed.
        within: Duration,
    },
    /// The gateway has not said often enough that it knows no such payment.
    #[error("the gateway said {counted} times that it knows no such payment, and {needed} are needed")]
    NotAbsent {
        /// So often it has.
        counted: u32,
        /// So often it must.
        needed: u32,
    },
}
