//! What a store has to do: read and write rows. All that is decided is decided above it, once for all stores.

use async_trait::async_trait;
use malipo_core::{DeliveryPurpose, Money, Operation, ProviderId, ProviderRef, Reference, Timestamp};

use crate::payment::ReportRecord;
use crate::{
    Attempt, AttemptRecord, Attention, CreditId, CreditRecord, CreditSequence, Deliveries, DeliveryId, Event,
    EventId, Filter, Find, Follower, JournalError, Key, Payment, PaymentId, StoredDelivery, Stream,
};

/// One transaction. Rows are read and written whole; a row that breaks a rule of the store is refused as corrupt.
#[async_trait]
pub(crate) trait Tx: Send {
    /// Marks where [`undo`](Tx::undo) goes back to.
    async fn mark(&mut self) -> Result<(), JournalError>;

    /// Forgets the newest mark and keeps what was done since.
    async fn keep(&mut self) -> Result<(), JournalError>;

    /// Goes back to the newest mark and forgets it.
    async fn undo(&mut self) -> Result<(), JournalError>;

    /// One payment.
    async fn payment(&mut self, by: &Find) -> Result<Option<Payment>, JournalError>;

    /// Some payments, in the order that the selection says.
    async fn payments(&mut self, which: &Select, limit: u32) -> Result<Vec<Payment>, JournalError>;

    /// Sees to it that nobody else begins a payment of this account, operation and amount before this transaction ends.
    async fn alone(
        &mut self,
        provider: &ProviderId,
        operation: Operation,
        amount: Money,
    ) -> Result<(), JournalError>;

    /// Adds a payment and numbers it.
    async fn insert_payment(&mut self, payment: &Payment) -> Result<PaymentId, JournalError>;

    /// Writes what changes of a payment. The row must be of the version that was read; the version is counted up
    /// here and there.
    async fn update_payment(&mut self, payment: &mut Payment) -> Result<(), JournalError>;

    /// Adds a name that the gateway gave a payment.
    async fn insert_ref(&mut self, payment: &Payment, known: &ProviderRef) -> Result<(), JournalError>;

    /// All attempts of a payment, in order.
    async fn attempts(&mut self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError>;

    /// One attempt.
    async fn attempt(
        &mut self,
        payment: PaymentId,
        number: Attempt,
    ) -> Result<Option<AttemptRecord>, JournalError>;

    /// Adds an attempt.
    async fn insert_attempt(&mut self, attempt: &AttemptRecord) -> Result<(), JournalError>;

    /// Writes how an attempt ended.
    async fn update_attempt(&mut self, attempt: &AttemptRecord) -> Result<(), JournalError>;

    /// Adds an event and numbers it.
    async fn insert_event(&mut self, event: &Event) -> Result<EventId, JournalError>;

    /// Events of all payments in order, from after `after` on.
    async fn events(&mut self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError>;

    /// All events of a payment, in order.
    async fn history(&mut self, payment: PaymentId) -> Result<Vec<Event>, JournalError>;

    /// Whether an event of this payment told of just this.
    async fn was_noticed(&mut self, payment: PaymentId, attention: &Attention) -> Result<bool, JournalError>;

    /// Adds a report.
    async fn insert_report(&mut self, report: &ReportRecord) -> Result<(), JournalError>;

    /// All reports of a payment, in order.
    async fn reports(&mut self, payment: PaymentId) -> Result<Vec<ReportRecord>, JournalError>;

    /// One delivery.
    async fn delivery(&mut self, id: DeliveryId) -> Result<Option<StoredDelivery>, JournalError>;

    /// The delivery that came to this address with this body.
    async fn same_delivery(&mut self, address: &Address) -> Result<Option<StoredDelivery>, JournalError>;

    /// Adds a delivery and numbers it.
    async fn insert_delivery(&mut self, delivery: &StoredDelivery) -> Result<DeliveryId, JournalError>;

    /// Writes which payment a delivery is about, when it was applied, and why it is set aside.
    async fn update_delivery(&mut self, delivery: &StoredDelivery) -> Result<(), JournalError>;

    /// Deliveries in order, from after `after` on.
    async fn deliveries(
        &mut self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError>;

    /// One credit.
    async fn credit(&mut self, by: &FindCredit) -> Result<Option<CreditRecord>, JournalError>;

    /// Credits of this account that have one of these names, of whatever kind.
    async fn credits_called(
        &mut self,
        provider: &ProviderId,
        names: &[&str],
    ) -> Result<Vec<CreditRecord>, JournalError>;

    /// Adds a credit and numbers it.
    async fn insert_credit(&mut self, credit: &CreditRecord) -> Result<CreditId, JournalError>;

    /// Writes what changes of a credit.
    async fn update_credit(&mut self, credit: &CreditRecord) -> Result<(), JournalError>;

    /// The number after the highest one that a credit has.
    async fn next_credit_sequence(&mut self) -> Result<CreditSequence, JournalError>;

    /// Credits in the order of their sequence, from after `after` on.
    async fn credits(&mut self, after: CreditSequence, limit: u32)
    -> Result<Vec<CreditRecord>, JournalError>;

    /// Credits of these accounts that are to be asked about, longest due first.
    async fn due_credits(
        &mut self,
        providers: &[ProviderId],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CreditRecord>, JournalError>;

    /// Erases the people of credits that changed before `before` and are no claims any more; says of how many.
    async fn erase_credits(&mut self, before: Timestamp, limit: u32) -> Result<u32, JournalError>;

    /// Erases the words of a payment's attempts, its reports and its deliveries.
    async fn erase_beside(&mut self, payment: PaymentId) -> Result<(), JournalError>;

    /// Erases deliveries without a payment that came before `before`; says how many.
    async fn erase_deliveries(&mut self, before: Timestamp, limit: u32) -> Result<u32, JournalError>;

    /// How far a follower is.
    async fn position(&mut self, follower: &Follower, stream: Stream) -> Result<u64, JournalError>;

    /// Writes how far a follower is, unless it is further already.
    async fn advance(
        &mut self,
        follower: &Follower,
        stream: Stream,
        position: u64,
    ) -> Result<(), JournalError>;
}

/// Which payments.
#[derive(Debug, Clone)]
pub(crate) enum Select {
    /// Those of a key, oldest first.
    Key(Key),
    /// Those that a gateway calls so.
    ProviderRef { provider: ProviderId, kind: String, value: String },
    /// Collections that have this receipt.
    Receipt { provider: ProviderId, receipt: String },
    /// Those of an account to send or to ask about that nobody has, longest due first.
    Due { provider: ProviderId, now: Timestamp },
    /// Those being sent whose lease has run out, oldest first.
    Expired { now: Timestamp },
    /// Those not over that may have reached this gateway, for this and so much.
    Exposed { provider: ProviderId, operation: Operation, amount: Money },
    /// Those over before then that nobody has to look at and that are not erased, longest over first.
    Erasable { before: Timestamp },
    /// A page.
    Page { which: Filter, after: PaymentId },
}

/// Which credit.
#[derive(Debug, Clone)]
pub(crate) enum FindCredit {
    /// The journal's number.
    Id(CreditId),
    /// The gateway's name for the transaction.
    Name { provider: ProviderId, kind: String, value: String },
}

/// Where a delivery came to, and the digest of its body.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) provider: ProviderId,
    pub(crate) purpose: DeliveryPurpose,
    pub(crate) addressed: Option<Reference>,
    pub(crate) digest: [u8; 32],
}
