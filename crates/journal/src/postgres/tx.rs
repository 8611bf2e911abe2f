use async_trait::async_trait;
use malipo_core::{Money, Operation, ProviderId, ProviderRef, Timestamp};

use super::transaction::Transaction;
use super::{credits, payments, rows};
use crate::payment::ReportRecord;
use crate::tx::{Address, FindCredit, Select, Tx};
use crate::{
    Attempt, AttemptRecord, Attention, CreditId, CreditRecord, CreditSequence, Deliveries, DeliveryId, Event,
    EventId, Find, Follower, JournalError, Payment, PaymentId, StoredDelivery, Stream,
};

#[async_trait]
impl Tx for Transaction {
    async fn mark(&mut self) -> Result<(), JournalError> {
        self.later("SAVEPOINT entry");
        Ok(())
    }

    async fn keep(&mut self) -> Result<(), JournalError> {
        self.later("RELEASE entry");
        Ok(())
    }

    async fn undo(&mut self) -> Result<(), JournalError> {
        self.later("ROLLBACK TO entry; RELEASE entry");
        Ok(())
    }

    async fn payment(&mut self, by: &Find) -> Result<Option<Payment>, JournalError> {
        payments::one(self, by).await
    }

    async fn payments(&mut self, which: &Select, limit: u32) -> Result<Vec<Payment>, JournalError> {
        payments::many(self, which, limit).await
    }

    async fn alone(&mut self, _: &ProviderId, _: Operation, _: Money) -> Result<(), JournalError> {
        // Whoever begins a payment has taken its turn to write.
        Ok(())
    }

    async fn insert_payment(&mut self, payment: &Payment) -> Result<PaymentId, JournalError> {
        payments::insert(self, payment).await
    }

    async fn update_payment(&mut self, payment: &mut Payment) -> Result<(), JournalError> {
        payments::update(self, payment).await
    }

    async fn insert_ref(&mut self, payment: &Payment, known: &ProviderRef) -> Result<(), JournalError> {
        payments::insert_ref(self, payment, known).await
    }

    async fn attempts(&mut self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        rows::attempts(self, payment).await
    }

    async fn attempt(
        &mut self,
        payment: PaymentId,
        number: Attempt,
    ) -> Result<Option<AttemptRecord>, JournalError> {
        rows::attempt(self, payment, number).await
    }

    async fn insert_attempt(&mut self, attempt: &AttemptRecord) -> Result<(), JournalError> {
        rows::insert_attempt(self, attempt).await
    }

    async fn update_attempt(&mut self, attempt: &AttemptRecord) -> Result<(), JournalError> {
        rows::update_attempt(self, attempt).await
    }

    async fn insert_event(&mut self, event: &Event) -> Result<EventId, JournalError> {
        rows::insert_event(self, event).await
    }

    async fn events(&mut self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        rows::events(self, after, limit).await
    }

    async fn history(&mut self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        rows::history(self, payment).await
    }

    async fn was_noticed(&mut self, payment: PaymentId, attention: &Attention) -> Result<bool, JournalError> {
        rows::was_noticed(self, payment, attention).await
    }

    async fn insert_report(&mut self, report: &ReportRecord) -> Result<(), JournalError> {
        rows::insert_report(self, report).await
    }

    async fn reports(&mut self, payment: PaymentId) -> Result<Vec<ReportRecord>, JournalError> {
        rows::reports(self, payment).await
    }

    async fn delivery(&mut self, id: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        rows::delivery(self, id).await
    }

    async fn same_delivery(&mut self, address: &Address) -> Result<Option<StoredDelivery>, JournalError> {
        rows::same_delivery(self, address).await
    }

    async fn insert_delivery(&mut self, delivery: &StoredDelivery) -> Result<DeliveryId, JournalError> {
        rows::insert_delivery(self, delivery).await
    }

    async fn update_delivery(&mut self, delivery: &StoredDelivery) -> Result<(), JournalError> {
        rows::update_delivery(self, delivery).await
    }

    async fn deliveries(
        &mut self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        rows::listed(self, which, after, limit).await
    }

    async fn credit(&mut self, by: &FindCredit) -> Result<Option<CreditRecord>, JournalError> {
        credits::one(self, by).await
    }

    async fn credits_called(
        &mut self,
        provider: &ProviderId,
        names: &[&str],
    ) -> Result<Vec<CreditRecord>, JournalError> {
        credits::called(self, provider, names).await
    }

    async fn insert_credit(&mut self, credit: &CreditRecord) -> Result<CreditId, JournalError> {
        credits::insert(self, credit).await
    }

    async fn update_credit(&mut self, credit: &CreditRecord) -> Result<(), JournalError> {
        credits::update(self, credit).await
    }

    async fn next_credit_sequence(&mut self) -> Result<CreditSequence, JournalError> {
        credits::next_sequence(self).await
    }

    async fn credits(
        &mut self,
        after: CreditSequence,
        limit: u32,
    ) -> Result<Vec<CreditRecord>, JournalError> {
        credits::told(self, after, limit).await
    }

    async fn due_credits(
        &mut self,
        providers: &[ProviderId],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CreditRecord>, JournalError> {
        credits::due(self, providers, now, limit).await
    }

    async fn erase_credits(&mut self, before: Timestamp, limit: u32) -> Result<u32, JournalError> {
        credits::erase(self, before, limit).await
    }

    async fn erase_beside(&mut self, payment: PaymentId) -> Result<(), JournalError> {
        rows::erase_beside(self, payment).await
    }

    async fn erase_deliveries(&mut self, before: Timestamp, limit: u32) -> Result<u32, JournalError> {
        rows::erase_deliveries(self, before, limit).await
    }

    async fn position(&mut self, follower: &Follower, stream: Stream) -> Result<u64, JournalError> {
        rows::position(self, follower, stream).await
    }

    async fn advance(
        &mut self,
        follower: &Follower,
        stream: Stream,
        position: u64,
    ) -> Result<(), JournalError> {
        rows::advance(self, follower, stream, position).await
    }
}
