use std::collections::BTreeMap;

use malipo_core::{ProviderId, Reference};

use crate::payment::ReportRecord;
use crate::{
    Attempt, AttemptRecord, CreditId, CreditRecord, CreditSequence, CreditState, DeliveryId, Event, Follower,
    Generation, JournalError, Key, Payment, PaymentId, PaymentState, StoredDelivery, Stream,
};

/// All rows, and what it takes to go back.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) payments: BTreeMap<PaymentId, Payment>,
    pub(super) by_key: BTreeMap<(Key, Generation), PaymentId>,
    pub(super) by_reference: BTreeMap<(ProviderId, Reference), PaymentId>,
    pub(super) attempts: BTreeMap<(PaymentId, Attempt), AttemptRecord>,
    pub(super) reports: Vec<ReportRecord>,
    pub(super) events: Vec<Event>,
    pub(super) deliveries: BTreeMap<DeliveryId, StoredDelivery>,
    pub(super) positions: BTreeMap<(Follower, Stream), u64>,
    pub(super) credits: BTreeMap<CreditId, CreditRecord>,
    changes: Vec<Change>,
    marks: Vec<usize>,
}

/// What was there before a write.
#[derive(Debug)]
enum Change {
    Payment(PaymentId, Option<Box<Payment>>),
    Attempt((PaymentId, Attempt), Option<Box<AttemptRecord>>),
    Delivery(DeliveryId, Option<Box<StoredDelivery>>),
    Credit(CreditId, Option<Box<CreditRecord>>),
    Report(usize, Option<Box<ReportRecord>>),
    Event,
    Position((Follower, Stream), Option<Box<u64>>),
}

impl Books {
    pub(super) fn mark_here(&mut self) {
        self.marks.push(self.changes.len());
    }

    pub(super) fn forget_mark(&mut self) {
        self.marks.pop();
        if self.marks.is_empty() {
            self.changes.clear();
        }
    }

    pub(super) fn undo_to_mark(&mut self) {
        let mark = self.marks.pop().unwrap_or_default();
        while self.changes.len() > mark {
            match self.changes.pop() {
                Some(change) => self.revert(change),
                None => break,
            }
        }
    }

    /// As when a transaction is rolled back.
    pub(super) fn undo_all(&mut self) {
        self.marks.clear();
        self.undo_to_mark();
    }

    fn revert(&mut self, change: Change) {
        match change {
            Change::Payment(id, Some(before)) => {
                self.payments.insert(id, *before);
            }
            Change::Payment(id, None) => {
                if let Some(payment) = self.payments.remove(&id) {
                    self.by_key.remove(&(payment.key, payment.generation));
                    self.by_reference.remove(&(payment.provider, payment.reference));
                }
            }
            Change::Attempt(id, before) => replace(&mut self.attempts, id, before),
            Change::Delivery(id, before) => replace(&mut self.deliveries, id, before),
            Change::Credit(id, before) => replace(&mut self.credits, id, before),
            Change::Report(at, Some(before)) => {
                if let Some(report) = self.reports.get_mut(at) {
                    *report = *before;
                }
            }
            Change::Report(at, None) => self.reports.truncate(at),
            Change::Event => {
                self.events.pop();
            }
            Change::Position(of, before) => replace(&mut self.positions, of, before),
        }
    }

    pub(super) fn add_payment(&mut self, payment: Payment) -> Result<(), JournalError> {
        let key = (payment.key.clone(), payment.generation);
        let reference = (payment.provider.clone(), payment.reference.clone());
        let open = self.of_key(&payment.key).any(|other| !other.state().is_final());
        (!open).then_some(()).ok_or_else(broken("a key has two payments that are not over"))?;
        (!self.by_key.contains_key(&key)).then_some(()).ok_or_else(broken("a key has a generation twice"))?;
        (!self.by_reference.contains_key(&reference))
            .then_some(())
            .ok_or_else(broken("a reference names two payments"))?;
        (payment.state() == PaymentState::Recorded)
            .then_some(())
            .ok_or_else(broken("a payment begins in the middle"))?;
        whole(&payment)?;
        self.changes.push(Change::Payment(payment.id, None));
        self.by_key.insert(key, payment.id);
        self.by_reference.insert(reference, payment.id);
        self.payments.insert(payment.id, payment);
        Ok(())
    }

    pub(super) fn put_payment(&mut self, payment: &mut Payment) -> Result<(), JournalError> {
        let known = self.payments.get(&payment.id).filter(|known| known.version == payment.version);
        let Some(known) = known else { return Err(JournalError::corrupt("a payment changed meanwhile")) };
        let (from, to) = (known.state(), payment.state());
        (from == to || from.may_become(to))
            .then_some(())
            .ok_or_else(broken("a payment took a step that there is not"))?;
        let names = |payment: &Payment| {
            let Payment { key, generation, provider, reference, operation, amount, opened_at, .. } = payment;
            (key.clone(), *generation, provider.clone(), reference.clone(), *operation, *amount, *opened_at)
        };
        (names(known) == names(payment)).then_some(()).ok_or_else(broken("what a payment is was changed"))?;
        whole(payment)?;
        let before = Box::new(known.clone());
        payment.version += 1;
        self.changes.push(Change::Payment(payment.id, Some(before)));
        self.payments.insert(payment.id, payment.clone());
        Ok(())
    }

    pub(super) fn put_attempt(&mut self, attempt: &AttemptRecord) {
        let id = (attempt.payment, attempt.number);
        let before = self.attempts.insert(id, attempt.clone());
        self.changes.push(Change::Attempt(id, before.map(Box::new)));
    }

    pub(super) fn put_delivery(&mut self, delivery: StoredDelivery) {
        let id = delivery.id;
        let before = self.deliveries.insert(id, delivery);
        self.changes.push(Change::Delivery(id, before.map(Box::new)));
    }

    pub(super) fn put_position(&mut self, of: (Follower, Stream), position: u64) {
        let before = self.positions.insert(of.clone(), position);
        self.changes.push(Change::Position(of, before.map(Box::new)));
    }

    pub(super) fn put_credit(&mut self, credit: CreditRecord) -> Result<(), JournalError> {
        let known = self.credits.get(&credit.id);
        let is_told_twice = self.credits.values().any(|other| {
            let name = |one: &CreditRecord| (one.provider.clone(), one.kind.clone(), one.value.clone());
            let is_same = name(other) == name(&credit)
                || other.sequence != CreditSequence(0) && other.sequence == credit.sequence;
            other.id != credit.id && is_same
        });
        (!is_told_twice).then_some(()).ok_or_else(broken("a transaction or a number is of two credits"))?;
        let begins = || credit.state == CreditState::Claimed;
        let follows = |known: &CreditRecord| {
            let is_step = known.state == credit.state || known.state.may_become(credit.state);
            let is_said = known.state != CreditState::Confirmed || known.amount == credit.amount;
            is_step && is_said && known.sequence <= credit.sequence
        };
        known
            .map_or_else(begins, follows)
            .then_some(())
            .ok_or_else(broken("a credit took a step that there is not"))?;
        remembered(&credit)?;
        let id = credit.id;
        let before = self.credits.insert(id, credit);
        self.changes.push(Change::Credit(id, before.map(Box::new)));
        Ok(())
    }

    pub(super) fn add_report(&mut self, report: ReportRecord) {
        self.changes.push(Change::Report(self.reports.len(), None));
        self.reports.push(report);
    }

    pub(super) fn erase_reports(&mut self, payment: PaymentId) {
        for (at, report) in self.reports.iter_mut().enumerate() {
            if report.payment == payment {
                self.changes.push(Change::Report(at, Some(Box::new(report.clone()))));
                (report.report, report.goods, report.raw) = (None, None, None);
            }
        }
    }

    pub(super) fn add_event(&mut self, event: Event) -> Result<(), JournalError> {
        let of_payment = || self.events.iter().rev().filter(|other| other.payment == event.payment);
        let last = of_payment().next().map_or(0, |last| last.sequence);
        (event.sequence == last + 1)
            .then_some(())
            .ok_or_else(broken("the events of a payment have a gap"))?;
        let again = event.outcome().is_some_and(|end| of_payment().any(|other| other.outcome() == Some(end)));
        (!again).then_some(()).ok_or_else(broken("a payment ended in one way twice"))?;
        self.changes.push(Change::Event);
        self.events.push(event);
        Ok(())
    }

    /// All payments of a key, oldest first.
    pub(super) fn of_key(&self, key: &Key) -> impl DoubleEndedIterator<Item = &Payment> {
        let all = (key.clone(), Generation(0))..=(key.clone(), Generation(u32::MAX));
        self.by_key.range(all).filter_map(|(_, id)| self.payments.get(id))
    }
}

/// What has to be so of every payment, as the SQL stores check it too: nothing is forgotten.
fn whole(payment: &Payment) -> Result<(), JournalError> {
    let flagged = payment.attention().is_some();
    let remembered = match payment.state() {
        PaymentState::Sending => payment.leased_until.is_some(),
        PaymentState::Accepted | PaymentState::Unknown => payment.next_at.is_some(),
        PaymentState::Recorded => payment.next_at.is_some() || flagged,
        PaymentState::Review => flagged,
        _ => payment.over_at.is_some() && payment.next_at.is_none(),
    };
    remembered.then_some(()).ok_or_else(broken("a payment would be forgotten"))
}

/// The same of every credit: it is asked about, or told, or not told for a reason.
fn remembered(credit: &CreditRecord) -> Result<(), JournalError> {
    let is_told = credit.sequence != CreditSequence(0) && credit.next_at.is_none();
    let remembered = match credit.state {
        CreditState::Claimed => credit.sequence == CreditSequence(0) && credit.next_at.is_some(),
        CreditState::Confirmed => is_told && credit.answered_at.is_some(),
        CreditState::Review => is_told && credit.attention.is_some(),
        CreditState::Collected => credit.payment.is_some() && credit.next_at.is_none(),
    };
    remembered.then_some(()).ok_or_else(broken("a credit would be forgotten"))
}

/// The error of a rule that does not hold.
pub(super) fn broken(rule: &'static str) -> impl FnOnce() -> JournalError {
    move || JournalError::corrupt(rule)
}

fn replace<K: Ord, V>(rows: &mut BTreeMap<K, V>, id: K, before: Option<Box<V>>) {
    match before {
        Some(before) => rows.insert(id, *before),
        None => rows.remove(&id),
    };
}

#[cfg(test)]
mod tests;
