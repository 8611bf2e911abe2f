use std::time::Duration;

use malipo_core::{Error, ProviderId};

use crate::{InvalidCallbacks, JournalError, Refused, StoredError};

/// Why something was not done. Open: more will come.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PaymentsError {
    /// No account has this name.
    #[error("there is no account {0}: add it with `with_account`")]
    NoSuchAccount(ProviderId),
    /// Two accounts have the same name or number.
    #[error("two accounts have the name or the number of {0}: give each its own")]
    RepeatedAccount(ProviderId),
    /// The gateway would never call a URL below the base.
    #[error("{provider} never calls a URL with {word:?} in it: choose another base for the callback URLs")]
    RefusedBase {
        /// The account.
        provider: ProviderId,
        /// What the base holds.
        word: &'static str,
    },
    /// A policy without a pause would ask or send without end.
    #[error("the policy of {0} has no pause between questions or attempts: give it one")]
    HastyPolicy(ProviderId),
    /// The instruction brings its own callback URL, or is a step of a payment.
    #[error("{0}")]
    NotTaken(&'static str),
    /// The instruction cannot be carried out as it is. Nothing was written and nothing was sent.
    #[error("the instruction is refused: {0}")]
    Invalid(#[source] Error),
    /// The journal refused it; nothing was sent.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The journal does not work. Whatever was being sent is unknown until it does.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// A callback URL cannot be made.
    #[error(transparent)]
    Callbacks(#[from] InvalidCallbacks),
    /// The delivery's body was erased.
    #[error("the delivery was erased with what else names people: there is nothing left to read once more")]
    DeliveryErased,
    /// There is no payment of this key.
    #[error("there is no payment of this key")]
    NoSuchKey,
    /// The credential may not be used now: it was used too often, or refused too often.
    #[error("the account's credential may not be used for another {} seconds: do it then", .0.as_secs())]
    NotNow(Duration),
    /// The gateway did not take a payer's code. The collection is as it was.
    #[error("the code was not taken: {0}")]
    CodeNotTaken(#[source] Error),
}
