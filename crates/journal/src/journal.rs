use std::fmt::Debug;

use async_trait::async_trait;
use malipo_core::{ProviderId, Reference, Report};

use crate::names::named;
use crate::{
    AttemptRecord, CreditId, CreditRecord, CreditSequence, DeliveryId, Done, Entry, Event, EventId, Follower,
    JournalError, Key, Payment, PaymentId, PaymentState, Refused, StoredDelivery,
};

/// A durable memory of payments. It neither sends nor asks; it says who may, and remembers what came of it.
#[async_trait]
pub trait Journal: Debug + Send + Sync {
    /// Writes a batch in one transaction and answers once it is durable: for each entry what was done, or why it was
    /// refused. A refused entry leaves no trace and undoes no other.
    ///
    /// Dropping the future does not undo the batch: it may be written or not. Doing it again is safe, since the same
    /// key is the same payment and the same delivery is the same delivery.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when nothing of the batch was done.
    async fn commit(&self, batch: Vec<Entry>) -> Result<Vec<Result<Done, Refused>>, JournalError>;

    /// One payment.
    ///
    /// # Errors
    ///
    /// [`JournalError`], as for all that reads.
    async fn find(&self, by: &Find) -> Result<Option<Payment>, JournalError>;

    /// Payments in the order of their numbers, from after `after` on.
    ///
    /// # Errors
    ///
    /// As [`Journal::find`].
    async fn list(&self, which: Filter, after: PaymentId, limit: u32) -> Result<Vec<Payment>, JournalError>;

    /// Events of all payments in the order of their numbers, from after `after` on.
    ///
    /// # Errors
    ///
    /// As [`Journal::find`].
    async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError>;

    /// All events of one payment, in order.
    ///
    /// # Errors
    ///
    /// As [`Journal::find`].
    async fn history(&self, payment: PaymentId) -> Result<Vec<Event>, JournalError>;

    /// All attempts of one payment, in order.
    ///
    /// # Errors
    ///
    /// As [`Journal::find`].
    async fn attempts(&self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError>;

    /// The reports that told something new of one payment, in order, with goods, as far as they are not erased. The
    /// bytes of a report that was delivered are with its delivery.
    ///
    /// # Errors
    ///
    /// As [`Journal::find`].
    async fn reports(&self, payment: PaymentId) -> Result<Vec<Report>, JournalError>;

    /// One delivery.
    ///
    /// # Errors
    ///
    /// As [`Journal::find`].
    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<StoredDelivery>, JournalError>;

    /// Deliveries in the order of their numbers, from after `after` on.
    ///
    /// # Errors
    ///
    /// As [`Journal::find`].
    async fn deliveries(
        &self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError>;

    /// How far this follower is in this stream: the number of the last thing that it is done with, and 0 before the
    /// first. [`Entry::Advance`] moves it.
    ///
    /// # Errors
    ///
    /// As [`Journal::find`].
    async fn position(&self, follower: &Follower, stream: Stream) -> Result<u64, JournalError>;

    /// Money that came in, whatever is known of it.
    ///
    /// # Errors
    ///
    /// As [`Journal::find`].
    async fn credit(&self, credit: CreditId) -> Result<Option<CreditRecord>, JournalError>;

    /// What there is to tell of money that came in, in the order of its sequence, from after `after` on. A credit whose
    /// state changes again comes again, under a new number.
    ///
    /// # Errors
    ///
    /// As [`Journal::find`].
    async fn credits(&self, after: CreditSequence, limit: u32) -> Result<Vec<CreditRecord>, JournalError>;

    /// Ready when something may have become due through another process. A hint to look sooner, and no more: it may
    /// never be ready, so whoever waits for it also looks now and then without it.
    async fn stirred(&self);
}

/// What to find a payment by. Closed on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Find {
    /// The journal's number.
    Id(PaymentId),
    /// The caller's key: its newest payment.
    Key(Key),
    /// Our name for it at a gateway.
    Reference(ProviderId, Reference),
    /// The gateway's name for it, where exactly one payment has it.
    ProviderRef {
        /// The account at the gateway.
        provider: ProviderId,
        /// The kind of name.
        kind: String,
        /// The name.
        value: String,
    },
}

/// Which payments to list. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// All that are not over.
    Open,
    /// All in this state.
    In(PaymentState),
    /// All that a person must look at, open or over.
    NeedsPerson,
}

/// Which deliveries to list. Closed on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deliveries {
    /// Those to this account that were neither applied to a payment nor set aside.
    Waiting(ProviderId),
    /// Those that were set aside, of all accounts.
    SetAside,
    /// Those that are about this payment, or came to a URL of it.
    Of(PaymentId),
    /// All of them, such as for choosing what to [`replay`](crate::Payments::replay).
    All,
}

/// What can be followed, each in the order of its own numbers. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stream {
    /// The events of all payments.
    Events,
    /// What there is to tell of money that came in unasked.
    Credits,
}

named! {
    Stream {
        Events = "events",
        Credits = "credits",
    }
}
