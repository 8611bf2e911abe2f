//! What became of payments, for whoever wants to know.

use std::time::Duration;

use super::{Payments, PaymentsError, reached};
use crate::{Event, EventId, Filter, Find, Journal, Key, Payment, PaymentId, PaymentState};

/// What came of a payment, as far as is known. Closed on purpose: every caller decides what each one means to it.
#[derive(Debug, Clone)]
pub enum Settlement {
    /// The money moved.
    Paid(Payment),
    /// The money did not move and will not, or it came back. Which one stands in its state: only what failed or was
    /// cancelled can be made [`again`](Payments::again).
    NotPaid(Payment),
    /// Nobody knows yet. It may have moved: do not pay again, and do not call it failed.
    Unknown(Payment),
}

impl Payments {
    /// The newest payment of this key.
    ///
    /// # Errors
    ///
    /// [`PaymentsError::NoSuchKey`], or what keeps the journal from being read.
    pub async fn newest(&self, key: &Key) -> Result<Payment, PaymentsError> {
        let found = self.journal.find(&Find::Key(key.clone())).await?;
        found.ok_or(PaymentsError::NoSuchKey)
    }

    /// What came of the newest payment of this key, waiting at most so long for it. Somebody has to [`run`](Self::run)
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// As [`newest`](Self::newest).
    pub async fn settled(&self, key: &Key, within: Duration) -> Result<Settlement, PaymentsError> {
        let until = self.timer.monotonic().saturating_add(within);
        loop {
            let payment = self.newest(key).await?;
            match payment.state() {
                PaymentState::Paid => return Ok(Settlement::Paid(payment)),
                // A failure that something contradicts may be a payment: a person has to look.
                PaymentState::Failed | PaymentState::Cancelled | PaymentState::Reversed => {
                    let is_certain = payment.attention().is_none();
                    return Ok(if is_certain {
                        Settlement::NotPaid(payment)
                    } else {
                        Settlement::Unknown(payment)
                    });
                }
                _ if self.timer.monotonic() >= until => return Ok(Settlement::Unknown(payment)),
                _ => self.timer.sleep(Duration::from_millis(100).min(within)).await,
            }
        }
    }

    /// Payments that a person must look at, from after `after` on.
    ///
    /// # Errors
    ///
    /// What keeps the journal from being read.
    pub async fn for_review(&self, after: PaymentId, limit: u32) -> Result<Vec<Payment>, PaymentsError> {
        Ok(self.journal.list(Filter::NeedsPerson, after, limit).await?)
    }

    /// Events in the order of their numbers, from after `after` on. Keep the number of the last one you acted on: an
    /// event may be read more than once, and none is left out.
    ///
    /// # Errors
    ///
    /// What keeps the journal from being read.
    pub async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, PaymentsError> {
        let events = self.journal.events(after, limit).await?;
        reached!(self, EventsRead);
        Ok(events)
    }

    /// The journal: for reading histories, attempts, and reports with what was bought.
    pub fn journal(&self) -> &dyn Journal {
        &*self.journal
    }
}
