use malipo_core::{Delivery, DeliveryPurpose, Headers, ProviderId, Raw, Reference, Timestamp};

use crate::names::named;
use crate::stored::{self, Sealed};
use crate::{DeliveryId, PaymentId, StoredError};

/// Why a delivery is set aside: it is kept, and nothing waits for it. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Aside {
    /// It cannot be what this gateway posts.
    Unreadable,
    /// It tells something that nobody models yet.
    NotModelled,
    /// It tells balances.
    Balances,
    /// It tells of money that came in unasked, which is written down as a credit.
    Credit,
    /// It tells of money that a collection of ours brought, whose events tell of it.
    Collected,
    /// A question came back without an answer.
    Unanswered,
    /// It is not signed, and the account's provider is told to want a signature.
    Unsigned,
    /// Its signature is wrong, and the account's provider is told to want a right one.
    WrongSignature,
    /// For long no payment of ours was found that it is about, or no answer of its gateway's agreed with it.
    Unmatched,
}

named! {
    Aside {
        Unreadable = "unreadable",
        NotModelled = "not_modelled",
        Balances = "balances",
        Credit = "credit",
        Collected = "collected",
        Unanswered = "unanswered",
        Unsigned = "unsigned",
        WrongSignature = "wrong_signature",
        Unmatched = "unmatched",
    }
}

/// A delivery as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredDelivery {
    /// The journal's number for it.
    pub id: DeliveryId,
    /// The account whose URL it came to.
    pub provider: ProviderId,
    /// What the URL was for.
    pub purpose: DeliveryPurpose,
    /// The payment the URL was for, once its unguessable part was checked.
    pub addressed: Option<Reference>,
    /// When it came.
    pub received_at: Timestamp,
    /// The payment it is about, once known.
    pub payment: Option<PaymentId>,
    /// When its report was applied.
    pub applied_at: Option<Timestamp>,
    /// Why nobody reads it again, if it was set aside.
    pub set_aside: Option<Aside>,
    /// SHA-256 of the body.
    pub(crate) digest: [u8; 32],
    /// Gone once erased.
    pub(crate) headers: Option<Sealed>,
    /// Gone once erased.
    pub(crate) body: Option<Raw>,
}

impl StoredDelivery {
    /// The delivery, to be read; `None` once it was erased.
    ///
    /// # Errors
    ///
    /// [`StoredError`] when its headers cannot be read.
    pub fn delivery(&self) -> Result<Option<Delivery>, StoredError> {
        let Some(body) = &self.body else { return Ok(None) };
        let headers = self.headers.as_ref().map_or_else(|| Ok(Headers::new()), stored::read_headers)?;
        let mut delivery = Delivery::new(self.purpose, headers, body.clone());
        delivery.addressed.clone_from(&self.addressed);
        Ok(Some(delivery))
    }
}
