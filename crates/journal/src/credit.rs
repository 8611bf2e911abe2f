use malipo_core::{Credit, Money, ProviderId, Timestamp};

use crate::names::named;
use crate::stored::{self, Sealed};
use crate::{Attention, CreditId, CreditSequence, DeliveryId, PaymentId, StoredError};

/// Where money that came in unasked stands. Closed on purpose: whoever handles these four has handled every credit.
/// There is none for what is false, since no clock and no answer proves that money did not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CreditState {
    /// Somebody posted it, and the gateway has not said so itself. Nobody is told of it.
    Claimed,
    /// The gateway itself said so, and its amount is the one that counts.
    Confirmed,
    /// A person has to look; why stands in the [`Attention`].
    Review,
    /// It is the money of a collection of ours, whose events tell of it: it is no credit, and nothing is booked for it.
    Collected,
}

named! {
    CreditState {
        Claimed = "claimed",
        Confirmed = "confirmed",
        Review = "review",
        Collected = "collected",
    }
}

impl CreditState {
    /// Whether there is a step from here to there. Staying is no step. The tables of the SQL stores take no other.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Claimed => !matches!(next, Self::Claimed),
            Self::Confirmed => matches!(next, Self::Review | Self::Collected),
            Self::Review => matches!(next, Self::Confirmed | Self::Collected),
            Self::Collected => false,
        }
    }
}

/// Money that came in unasked, as far as the journal knows it. One transaction of the gateway's is one credit, however
/// often and in whatever words it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreditRecord {
    /// The journal's number for it.
    pub id: CreditId,
    /// Its place among what is told of credits: given anew whenever there is something to tell. 0 while there is not.
    pub sequence: CreditSequence,
    /// The account at the gateway.
    pub provider: ProviderId,
    /// The kind of the gateway's name for it, such as `transaction`.
    pub kind: String,
    /// The gateway's name for it.
    pub value: String,
    /// Another name that the gateway answered with, such as what the payer's network calls it.
    pub also: Option<String>,
    /// How much: as posted, until the gateway says it itself.
    pub amount: Money,
    /// Where it stands.
    pub state: CreditState,
    /// Why a person must look; and in every state, where what was posted (claimed) differs from what the gateway answered
    /// (expected).
    pub attention: Option<Attention>,
    /// The delivery that told of it first.
    pub delivery: DeliveryId,
    /// The payment of ours that it names, or whose money it is.
    pub payment: Option<PaymentId>,
    /// When it came in, as told.
    pub at: Option<Timestamp>,
    /// When it was first told.
    pub received_at: Timestamp,
    /// When the gateway said so itself, if it did.
    pub answered_at: Option<Timestamp>,
    /// When its state changed last.
    pub changed_at: Timestamp,
    /// How often the gateway is to have been asked since it was told.
    pub(crate) asks: u32,
    /// When to ask next.
    pub(crate) next_at: Option<Timestamp>,
    /// Gone once erased.
    pub(crate) credit: Option<Sealed>,
}

impl CreditRecord {
    /// What is told of it, with the payer and what the payer typed: as the gateway answered it, and before that as it was
    /// posted. The bytes are with the delivery. `None` once it was erased.
    ///
    /// # Errors
    ///
    /// [`StoredError`] when its stored form cannot be read.
    pub fn credit(&self) -> Result<Option<Credit>, StoredError> {
        self.credit.as_ref().map(stored::read_credit).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for state in CreditState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
    }

    #[test]
    fn nothing_becomes_a_claim_again() {
        for state in CreditState::ALL {
            assert!(!state.may_become(CreditState::Claimed) && !state.may_become(*state), "{state}");
            assert_eq!(
                state.may_become(CreditState::Collected),
                *state != CreditState::Collected,
                "a payment may turn up at any time"
            );
        }
    }
}
