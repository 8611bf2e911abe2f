use async_trait::async_trait;
use malipo_core::{Money, Operation, ProviderId, ProviderRef, Timestamp};
use rusqlite::Connection;

use super::{credits, payments, rows, run};
use crate::payment::ReportRecord;
use crate::tx::{Address, FindCredit, Select, Tx};
use crate::{
    Attempt, AttemptRecord, Attention, CreditId, CreditRecord, CreditSequence, Deliveries, DeliveryId, Event,
    EventId, Find, Follower, JournalError, Payment, PaymentId, StoredDelivery, Stream,
};

/// The rows behind a connection, inside of a transaction that somebody else begins and ends. Its futures never wait.
#[derive(Debug)]
pub(super) struct Rows<'c>(pub(super) &'c mut Connection);

#[async_trait]
impl Tx for Rows<'_> {
    async fn mark(&mut self) -> Result<(), JournalError> {
        run(self.0, "SAVEPOINT entry")
    }

    async fn keep(&mut self) -> Result<(), JournalError> {
        run(self.0, "RELEASE entry")
    }

    async fn undo(&mut self) -> Result<(), JournalError> {
        run(self.0, "ROLLBACK TO entry")?;
        run(self.0, "RELEASE entry")
    }

    async fn payment(&mut self, by: &Find) -> Result<Option<Payment>, JournalError> {
        payments::one(self.0, by)
    }

    async fn payments(&mut self, which: &Select, limit: u32) -> Result<Vec<Payment>, JournalError> {
        payments::many(self.0, which, limit)
    }

    async fn alone(&mut self, _: &ProviderId, _: Operation, _: Money) -> Result<(), JournalError> {
        // There is one writer at a time.
        Ok(())
    }

    async fn insert_payment(&mut self, payment: &Payment) -> Result<PaymentId, JournalError> {
        payments::insert(self.0, payment)
    }

    async fn update_payment(&mut self, payment: &mut Payment) -> Result<(), JournalError> {
        payments::update(self.0, payment)
    }

    async fn insert_ref(&mut self, payment: &Payment, known: &ProviderRef) -> Result<(), JournalError> {
        payments::insert_ref(self.0, payment, known)
    }

    async fn attempts(&mut self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        rows::attempts(self.0, payment)
    }

    async fn attempt(
        &mut self,
        payment: PaymentId,
        number: Attempt,
    ) -> Result<Option<AttemptRecord>, JournalError> {
        rows::attempt(self.0, payment, number)
    }

    async fn insert_attempt(&mut self, attempt: &AttemptRecord) -> Result<(), JournalError> {
        rows::insert_attempt(self.0, attempt)
    }

    async fn update_attempt(&mut self, attempt: &AttemptRecord) -> Result<(), JournalError> {
        rows::update_attempt(self.0, attempt)
    }

    async fn insert_event(&mut self, event: &Event) -> Result<EventId, JournalError> {
        rows::insert_event(self.0, event)
    }

    async fn events(&mut self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        rows::events(self.0, after, limit)
    }

    async fn history(&mut self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        rows::history(self.0, payment)
    }

    async fn was_noticed(&mut self, payment: PaymentId, attention: &Attention) -> Result<bool, JournalError> {
        rows::was_noticed(self.0, payment, attention)
    }

    async fn insert_report(&mut self, report: &ReportRecord) -> Result<(), JournalError> {
        rows::insert_report(self.0, report)
    }

    async fn reports(&mut self, payment: PaymentId) -> Result<Vec<ReportRecord>, JournalError> {
        rows::reports(self.0, payment)
    }

    async fn delivery(&mut self, id: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        rows::delivery(self.0, id)
    }

    async fn same_delivery(&mut self, address: &Address) -> Result<Option<StoredDelivery>, JournalError> {
        rows::same_delivery(self.0, address)
    }

    async fn insert_delivery(&mut self, delivery: &StoredDelivery) -> Result<DeliveryId, JournalError> {
        rows::insert_delivery(self.0, delivery)
    }

    async fn update_delivery(&mut self, delivery: &StoredDelivery) -> Result<(), JournalError> {
        rows::update_delivery(self.0, delivery)
    }

    async fn deliveries(
        &mut self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        rows::deliveries(self.0, which, after, limit)
    }

    async fn credit(&mut self, by: &FindCredit) -> Result<Option<CreditRecord>, JournalError> {
        credits::one(self.0, by)
    }

    async fn credits_called(
        &mut self,
        provider: &ProviderId,
        names: &[&str],
    ) -> Result<Vec<CreditRecord>, JournalError> {
        credits::called(self.0, provider, names)
    }

    async fn insert_credit(&mut self, credit: &CreditRecord) -> Result<CreditId, JournalError> {
        credits::insert(self.0, credit)
    }

    async fn update_credit(&mut self, credit: &CreditRecord) -> Result<(), JournalError> {
        credits::update(self.0, credit)
    }

    async fn next_credit_sequence(&mut self) -> Result<CreditSequence, JournalError> {
        credits::next_sequence(self.0)
    }

    async fn credits(
        &mut self,
        after: CreditSequence,
        limit: u32,
    ) -> Result<Vec<CreditRecord>, JournalError> {
        credits::told(self.0, after, limit)
    }

    async fn due_credits(
        &mut self,
        providers: &[ProviderId],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CreditRecord>, JournalError> {
        credits::due(self.0, providers, now, limit)
    }

    async fn erase_credits(&mut self, before: Timestamp, limit: u32) -> Result<u32, JournalError> {
        credits::erase(self.0, before, limit)
    }

    async fn erase_beside(&mut self, payment: PaymentId) -> Result<(), JournalError> {
        rows::erase_beside(self.0, payment)
    }

    async fn erase_deliveries(&mut self, before: Timestamp, limit: u32) -> Result<u32, JournalError> {
        rows::erase_deliveries(self.0, before, limit)
    }

    async fn position(&mut self, follower: &Follower, stream: Stream) -> Result<u64, JournalError> {
        rows::position(self.0, follower, stream)
    }

    async fn advance(
        &mut self,
        follower: &Follower,
        stream: Stream,
        position: u64,
    ) -> Result<(), JournalError> {
        rows::advance(self.0, follower, stream, position)
    }
}
