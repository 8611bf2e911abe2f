//! Which deliveries are read, and how often those that could not be folded in.

use std::sync::PoisonError;
use std::time::Duration;

use malipo_core::ProviderId;

use super::{Payments, PaymentsError};
use crate::again::{AT_FIRST, every};
use crate::{Deliveries, DeliveryId, StoredDelivery};

impl Payments {
    /// What is new, and now and then what could not be folded in before: its payment may be there by now. The older it
    /// is, the more rarely.
    pub(super) async fn new_deliveries(
        &self,
        account: ProviderId,
        limit: usize,
    ) -> Result<Vec<StoredDelivery>, PaymentsError> {
        let (now, limit) = (self.timer.monotonic(), u32::try_from(limit).unwrap_or(u32::MAX));
        let Reading { seen, read, .. } = self.reading_of(&account, now);
        let which = Deliveries::Waiting(account.clone());
        let mut page = self.journal.deliveries(&which, seen, limit).await?;
        let mut all = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = all.entry(account).or_default();
        match page.last() {
            Some(last) => (reading.seen, reading.read) = (last.id, reading.read.max(last.id)),
            None if limit > 0 => reading.again_at = reading.again_at.or(Some(now.saturating_add(AT_FIRST))),
            None => {}
        }
        drop(all);
        page.retain(|delivery| delivery.id > read || self.is_due(delivery));
        Ok(page)
    }

    /// From the first one on again once the last pass has come to its end and has rested.
    fn reading_of(&self, account: &ProviderId, now: Duration) -> Reading {
        let mut all = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = all.entry(account.clone()).or_default();
        if reading.again_at.is_some_and(|again_at| now >= again_at) {
            *reading = Reading { read: reading.read, ..Reading::default() };
        }
        *reading
    }

    /// Whether a delivery that was read before is read in this pass.
    fn is_due(&self, delivery: &StoredDelivery) -> bool {
        let age = self.age(delivery);
        let every = every(age);
        let turn = |age: Duration| age.as_secs() / every.as_secs();
        age < AT_FIRST || turn(age) != turn(age.saturating_sub(AT_FIRST))
    }
}

/// How far the deliveries of an account are read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    /// The last one of this pass.
    seen: DeliveryId,
    /// The last one of all passes: this process has read what came before it.
    read: DeliveryId,
    /// When to begin from the first again.
    again_at: Option<Duration>,
}
