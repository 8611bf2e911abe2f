//! Reading what is kept once more.

use super::{Payments, PaymentsError};
use crate::{DeliveryId, Entry, Raise, Refused, Source, StoredDelivery};

/// Why a delivery is read. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// It came.
    Posted,
    /// Somebody wants it to be read once more.
    Replay,
}

impl Occasion {
    pub(super) const fn source(self, delivery: DeliveryId) -> Source {
        match self {
            Self::Posted => Source::Delivery(delivery),
            Self::Replay => Source::Replay(delivery),
        }
    }

    pub(super) const fn mark(self, raise: Raise) -> Raise {
        match self {
            Self::Posted => raise,
            Self::Replay => raise.replayed(),
        }
    }
}

/// What became of a delivery that was read. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    /// What it tells was held against its payment.
    Applied,
    /// Nothing waits for it.
    Aside,
    /// It is read again later.
    Waits,
}

impl Became {
    /// Whether nothing is left to be done with it.
    pub(super) const fn is_done(self) -> bool {
        match self {
            Self::Applied | Self::Aside => true,
            Self::Waits => false,
        }
    }
}

impl Payments {
    /// Reads a delivery that is kept once more and folds it in as at first, whatever became of it: it was applied, it was
    /// set aside, perhaps by an older version that could not read it, or it waits. What was known changes nothing, and
    /// where a claim has to be confirmed by its gateway first, it has to be now.
    ///
    /// Returns it as it stands after that. Where its payment is known, one event says that it was read once more: the
    /// one that it brought, or else [`EventKind::Replayed`](crate::EventKind::Replayed).
    /// [`Deliveries::All`](crate::Deliveries::All) lists what there is.
    ///
    /// # Errors
    ///
    /// [`PaymentsError::DeliveryErased`], [`PaymentsError::NoSuchAccount`] where its account is not configured here, and
    /// what keeps the journal from being read or written.
    pub async fn replay(&self, delivery: DeliveryId) -> Result<StoredDelivery, PaymentsError> {
        let stored = self.kept(delivery).await?;
        if stored.body.is_none() {
            return Err(PaymentsError::DeliveryErased);
        }
        self.account(&stored.provider)?;
        if self.read_on(&stored, Occasion::Replay).await? != Became::Applied {
            self.commit(Entry::NoteReplay(delivery)).await?;
        }
        self.kept(delivery).await
    }

    pub(super) async fn kept(&self, delivery: DeliveryId) -> Result<StoredDelivery, PaymentsError> {
        let found = self.journal.delivery(delivery).await?;
        found.ok_or_else(|| Refused::NoSuchDelivery.into())
    }
}
