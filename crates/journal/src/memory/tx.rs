use async_trait::async_trait;
use malipo_core::{Money, Operation, ProviderId, ProviderRef, Timestamp};

use super::books::{Books, broken};
use crate::payment::ReportRecord;
use crate::tx::{Address, FindCredit, Select, Tx};
use crate::{
    Attempt, AttemptRecord, Attention, CreditId, CreditRecord, CreditSequence, CreditState, Deliveries,
    DeliveryId, Event, EventId, Exposure, Filter, Find, Follower, JournalError, Payment, PaymentId,
    PaymentState, StoredDelivery, Stream,
};

#[async_trait]
impl Tx for Books {
    async fn mark(&mut self) -> Result<(), JournalError> {
        self.mark_here();
        Ok(())
    }

    async fn keep(&mut self) -> Result<(), JournalError> {
        self.forget_mark();
        Ok(())
    }

    async fn undo(&mut self) -> Result<(), JournalError> {
        self.undo_to_mark();
        Ok(())
    }

    async fn payment(&mut self, by: &Find) -> Result<Option<Payment>, JournalError> {
        let found = match by {
            Find::Id(id) => self.payments.get(id),
            Find::Key(key) => self.of_key(key).next_back(),
            Find::Reference(provider, reference) => self
                .by_reference
                .get(&(provider.clone(), reference.clone()))
                .and_then(|id| self.payments.get(id)),
            Find::ProviderRef { provider, kind, value } => {
                let mut known = self.payments.values().filter(|payment| {
                    payment.provider == *provider && payment.provider_refs.find(kind) == Some(value)
                });
                known.next().filter(|_| known.next().is_none())
            }
        };
        Ok(found.cloned())
    }

    async fn payments(&mut self, which: &Select, limit: u32) -> Result<Vec<Payment>, JournalError> {
        let mut found: Vec<_> = self.payments.values().filter(|payment| selects(which, payment)).collect();
        if let Select::Erasable { .. } = which {
            let waits =
                |delivery: &StoredDelivery| delivery.applied_at.is_none() && delivery.set_aside.is_none();
            let waiting: Vec<_> =
                self.deliveries.values().filter(|one| waits(one)).filter_map(|one| one.payment).collect();
            found.retain(|payment| !waiting.contains(&payment.id));
        }
        match which {
            Select::Key(_) => found.sort_by_key(|payment| payment.generation),
            Select::Erasable { .. } => found.sort_by_key(|payment| (payment.over_at, payment.id)),
            Select::Due { .. } => found.sort_by_key(|payment| (payment.next_at, payment.id)),
            _ => {}
        }
        Ok(found.into_iter().take(count(limit)).cloned().collect())
    }

    async fn alone(&mut self, _: &ProviderId, _: Operation, _: Money) -> Result<(), JournalError> {
        // Nobody else has the books meanwhile.
        Ok(())
    }

    async fn insert_payment(&mut self, payment: &Payment) -> Result<PaymentId, JournalError> {
        let id = PaymentId(self.payments.last_key_value().map_or(1, |(last, _)| last.0 + 1));
        self.add_payment(Payment { id, ..payment.clone() })?;
        Ok(id)
    }

    async fn update_payment(&mut self, payment: &mut Payment) -> Result<(), JournalError> {
        self.put_payment(payment)
    }

    async fn insert_ref(&mut self, _: &Payment, _: &ProviderRef) -> Result<(), JournalError> {
        // They stand in the payment's row.
        Ok(())
    }

    async fn attempts(&mut self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        let all = (payment, Attempt(0))..=(payment, Attempt(u32::MAX));
        Ok(self.attempts.range(all).map(|(_, attempt)| attempt.clone()).collect())
    }

    async fn attempt(
        &mut self,
        payment: PaymentId,
        number: Attempt,
    ) -> Result<Option<AttemptRecord>, JournalError> {
        Ok(self.attempts.get(&(payment, number)).cloned())
    }

    async fn insert_attempt(&mut self, attempt: &AttemptRecord) -> Result<(), JournalError> {
        let known = self.attempts.contains_key(&(attempt.payment, attempt.number));
        (!known).then_some(()).ok_or_else(broken("an attempt began twice"))?;
        self.put_attempt(attempt);
        Ok(())
    }

    async fn update_attempt(&mut self, attempt: &AttemptRecord) -> Result<(), JournalError> {
        let known = self.attempts.get(&(attempt.payment, attempt.number));
        (known.is_some_and(|known| known.end.is_none()))
            .then_some(())
            .ok_or_else(broken("an attempt ended twice"))?;
        self.put_attempt(attempt);
        Ok(())
    }

    async fn insert_event(&mut self, event: &Event) -> Result<EventId, JournalError> {
        let id = EventId(self.events.last().map_or(1, |last| last.id.0 + 1));
        self.add_event(Event { id, ..event.clone() })?;
        Ok(id)
    }

    async fn events(&mut self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        let from = self.events.partition_point(|event| event.id <= after);
        Ok(self.events.iter().skip(from).take(count(limit)).cloned().collect())
    }

    async fn history(&mut self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        Ok(self.events.iter().filter(|event| event.payment == payment).cloned().collect())
    }

    async fn was_noticed(&mut self, payment: PaymentId, attention: &Attention) -> Result<bool, JournalError> {
        let mut events = self.events.iter().filter(|event| event.payment == payment);
        Ok(events.any(|event| event.attention.as_ref() == Some(attention)))
    }

    async fn insert_report(&mut self, report: &ReportRecord) -> Result<(), JournalError> {
        self.add_report(report.clone());
        Ok(())
    }

    async fn reports(&mut self, payment: PaymentId) -> Result<Vec<ReportRecord>, JournalError> {
        Ok(self.reports.iter().filter(|report| report.payment == payment).cloned().collect())
    }

    async fn delivery(&mut self, id: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        Ok(self.deliveries.get(&id).cloned())
    }

    async fn same_delivery(&mut self, address: &Address) -> Result<Option<StoredDelivery>, JournalError> {
        let same = |delivery: &&StoredDelivery| {
            delivery.digest == address.digest
                && delivery.provider == address.provider
                && delivery.purpose == address.purpose
                && delivery.addressed == address.addressed
        };
        Ok(self.deliveries.values().find(same).cloned())
    }

    async fn insert_delivery(&mut self, delivery: &StoredDelivery) -> Result<DeliveryId, JournalError> {
        let id = DeliveryId(self.deliveries.last_key_value().map_or(1, |(last, _)| last.0 + 1));
        self.put_delivery(StoredDelivery { id, ..delivery.clone() });
        Ok(id)
    }

    async fn update_delivery(&mut self, delivery: &StoredDelivery) -> Result<(), JournalError> {
        (self.deliveries.contains_key(&delivery.id))
            .then_some(())
            .ok_or_else(broken("a delivery is gone"))?;
        self.put_delivery(delivery.clone());
        Ok(())
    }

    async fn deliveries(
        &mut self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        let listed = |delivery: &&StoredDelivery| match which {
            Deliveries::Waiting(provider) => {
                delivery.provider == *provider
                    && delivery.applied_at.is_none()
                    && delivery.set_aside.is_none()
            }
            Deliveries::SetAside => delivery.set_aside.is_some(),
            Deliveries::Of(payment) => delivery.payment == Some(*payment),
            Deliveries::All => true,
        };
        let listed = self.deliveries.values().filter(|delivery| delivery.id > after).filter(listed);
        Ok(listed.take(count(limit)).cloned().collect())
    }

    async fn credit(&mut self, by: &FindCredit) -> Result<Option<CreditRecord>, JournalError> {
        let found = match by {
            FindCredit::Id(id) => self.credits.get(id),
            FindCredit::Name { provider, kind, value } => self.credits.values().find(|credit| {
                credit.provider == *provider && credit.kind == *kind && credit.value == *value
            }),
        };
        Ok(found.cloned())
    }

    async fn credits_called(
        &mut self,
        provider: &ProviderId,
        names: &[&str],
    ) -> Result<Vec<CreditRecord>, JournalError> {
        let called = |credit: &&CreditRecord| {
            let names_it = |name: &str| names.contains(&name);
            credit.provider == *provider
                && (names_it(&credit.value) || credit.also.as_deref().is_some_and(names_it))
        };
        Ok(self.credits.values().filter(called).cloned().collect())
    }

    async fn insert_credit(&mut self, credit: &CreditRecord) -> Result<CreditId, JournalError> {
        let id = CreditId(self.credits.last_key_value().map_or(1, |(last, _)| last.0 + 1));
        self.put_credit(CreditRecord { id, ..credit.clone() })?;
        Ok(id)
    }

    async fn update_credit(&mut self, credit: &CreditRecord) -> Result<(), JournalError> {
        (self.credits.contains_key(&credit.id)).then_some(()).ok_or_else(broken("a credit is gone"))?;
        self.put_credit(credit.clone())
    }

    async fn next_credit_sequence(&mut self) -> Result<CreditSequence, JournalError> {
        let highest = self.credits.values().map(|credit| credit.sequence.0).max();
        Ok(CreditSequence(highest.unwrap_or_default() + 1))
    }

    async fn credits(
        &mut self,
        after: CreditSequence,
        limit: u32,
    ) -> Result<Vec<CreditRecord>, JournalError> {
        let mut told: Vec<_> = self.credits.values().filter(|credit| credit.sequence > after).collect();
        told.sort_by_key(|credit| credit.sequence);
        Ok(told.into_iter().take(count(limit)).cloned().collect())
    }

    async fn due_credits(
        &mut self,
        providers: &[ProviderId],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CreditRecord>, JournalError> {
        let is_due = |credit: &&CreditRecord| {
            providers.contains(&credit.provider) && credit.next_at.is_some_and(|at| at <= now)
        };
        let mut due: Vec<_> = self.credits.values().filter(is_due).collect();
        due.sort_by_key(|credit| (credit.next_at, credit.id));
        Ok(due.into_iter().take(count(limit)).cloned().collect())
    }

    async fn erase_credits(&mut self, before: Timestamp, limit: u32) -> Result<u32, JournalError> {
        let old = |credit: &&CreditRecord| {
            credit.state != CreditState::Claimed && credit.changed_at < before && credit.credit.is_some()
        };
        let mut credits: Vec<_> = self.credits.values().filter(old).cloned().collect();
        credits.sort_by_key(|credit| (credit.changed_at, credit.id));
        credits.truncate(count(limit));
        let erased = u32::try_from(credits.len()).unwrap_or(u32::MAX);
        for credit in credits {
            self.put_credit(CreditRecord { credit: None, ..credit })?;
        }
        Ok(erased)
    }

    async fn erase_beside(&mut self, payment: PaymentId) -> Result<(), JournalError> {
        self.erase_reports(payment);
        for mut attempt in self.attempts(payment).await? {
            attempt.notes.text = None;
            self.put_attempt(&attempt);
        }
        let of_payment = |delivery: &&StoredDelivery| delivery.payment == Some(payment);
        let deliveries: Vec<_> = self.deliveries.values().filter(of_payment).cloned().collect();
        for mut delivery in deliveries {
            (delivery.headers, delivery.body) = (None, None);
            self.put_delivery(delivery);
        }
        Ok(())
    }

    async fn erase_deliveries(&mut self, before: Timestamp, limit: u32) -> Result<u32, JournalError> {
        let old = |delivery: &&StoredDelivery| {
            delivery.payment.is_none()
                && delivery.set_aside.is_some()
                && delivery.received_at < before
                && delivery.body.is_some()
        };
        let deliveries: Vec<_> = self.deliveries.values().filter(old).take(count(limit)).cloned().collect();
        let erased = u32::try_from(deliveries.len()).unwrap_or(u32::MAX);
        for mut delivery in deliveries {
            (delivery.headers, delivery.body) = (None, None);
            self.put_delivery(delivery);
        }
        Ok(erased)
    }

    async fn position(&mut self, follower: &Follower, stream: Stream) -> Result<u64, JournalError> {
        Ok(self.positions.get(&(follower.clone(), stream)).copied().unwrap_or_default())
    }

    async fn advance(
        &mut self,
        follower: &Follower,
        stream: Stream,
        position: u64,
    ) -> Result<(), JournalError> {
        if position > self.position(follower, stream).await? {
            self.put_position((follower.clone(), stream), position);
        }
        Ok(())
    }
}

fn selects(which: &Select, payment: &Payment) -> bool {
    let free = |now: Timestamp| payment.leased_until.is_none_or(|until| until <= now);
    match which {
        Select::Key(key) => payment.key == *key,
        Select::ProviderRef { provider, kind, value } => {
            payment.provider == *provider && payment.provider_refs.find(kind) == Some(value)
        }
        Select::Receipt { provider, receipt } => {
            payment.operation == Operation::Collect
                && payment.provider == *provider
                && payment.receipt.as_ref() == Some(receipt)
        }
        Select::Due { provider, now } => {
            let waits = matches!(
                payment.state(),
                PaymentState::Recorded | PaymentState::Accepted | PaymentState::Unknown
            );
            waits
                && payment.provider == *provider
                && payment.next_at.is_some_and(|at| at <= *now)
                && free(*now)
        }
        Select::Expired { now } => payment.state() == PaymentState::Sending && free(*now),
        Select::Exposed { provider, operation, amount } => {
            let may_be_out = match payment.state() {
                PaymentState::Sending | PaymentState::Accepted | PaymentState::Unknown => true,
                PaymentState::Review => payment.standing.exposure != Exposure::None,
                _ => false,
            };
            may_be_out
                && payment.provider == *provider
                && payment.operation == *operation
                && payment.amount == *amount
        }
        Select::Erasable { before } => {
            payment.over_at.is_some_and(|at| at < *before)
                && payment.attention().is_none()
                && payment.instruction.is_some()
        }
        Select::Page { which, after } => {
            let listed = match which {
                Filter::Open => !payment.state().is_final(),
                Filter::In(state) => payment.state() == *state,
                Filter::NeedsPerson => payment.attention().is_some(),
            };
            listed && payment.id > *after
        }
    }
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
