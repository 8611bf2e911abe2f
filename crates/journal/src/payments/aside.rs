//! What nothing waits for, and what has to wait.

use malipo_core::Signature;

use super::replay::{Became, Occasion};
use super::{Account, Payments, PaymentsError, watch};
use crate::again::GIVEN_UP;
use crate::{Aside, Attention, Done, Entry, News, PaymentId, Raise, Reason, SetAside, StoredDelivery};

impl Payments {
    /// Whether nobody did so before.
    pub(super) async fn set_aside(
        &self,
        account: &Account,
        stored: &StoredDelivery,
        why: Aside,
        occasion: Occasion,
    ) -> Result<News, PaymentsError> {
        let mut aside = SetAside::new(stored.id, why);
        aside.replayed = occasion == Occasion::Replay;
        match self.commit(Entry::SetAside(aside)).await? {
            Done::SetAside(News::New) => {
                watch::set_aside(account.id(), stored.id, why);
                match why {
                    Aside::Unsigned => watch::signed(account.id(), stored.id, Signature::Missing),
                    Aside::WrongSignature => watch::signed(account.id(), stored.id, Signature::Wrong),
                    _ => {}
                }
                Ok(News::New)
            }
            _ => Ok(News::Repeat),
        }
    }

    /// Reads a delivery again later, unless that was tried for long, or nothing waits for it any more.
    pub(super) async fn put_off(
        &self,
        account: &Account,
        stored: &StoredDelivery,
        occasion: Occasion,
    ) -> Result<Became, PaymentsError> {
        if self.age(stored) <= GIVEN_UP && stored.set_aside.is_none() {
            return Ok(Became::Waits);
        }
        self.set_aside(account, stored, Aside::Unmatched, occasion).await?;
        Ok(Became::Aside)
    }

    /// Tells a person of a claim that the gateway did not confirm.
    pub(super) async fn unconfirmed(
        &self,
        payment: PaymentId,
        stored: &StoredDelivery,
        claimed: &str,
        occasion: Occasion,
    ) -> Result<(), PaymentsError> {
        let attention = Attention::new(Reason::Unconfirmed).with("the gateway's own answer", claimed);
        self.raise(occasion.mark(Raise::new(payment, Some(stored.id), attention))).await
    }
}

/// What a person is told of a delivery to a payment's own URL that tells nothing of it.
pub(super) const fn untold(why: Aside) -> Option<&'static str> {
    match why {
        Aside::Unreadable => Some("something that nobody can read"),
        Aside::Unsigned => Some("something that is not signed"),
        Aside::WrongSignature => Some("something with a wrong signature"),
        _ => None,
    }
}
