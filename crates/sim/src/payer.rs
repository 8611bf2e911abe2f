//! What payers see and do, and a gateway does, without any request of the merchant's.

use std::fmt;

use rust_decimal::Decimal;

use crate::fault::{Fault, Faults};
use crate::gateways::Gateway;
use crate::gateways::kasapay::ReversalError;
use crate::gateways::sasapay::PayerError;
use crate::world::World;

/// What a gateway sent to somebody's phone.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// Who sent it.
    pub gateway: Gateway,
    /// To which number: twelve digits with the country code and no plus sign.
    pub to: String,
    /// What it says.
    pub text: String,
    /// The code in it, which whoever has the phone may give away.
    pub code: String,
}

impl fmt::Debug for Message {
    /// Without the text and the code, which is a secret for as long as it is good.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("gateway", &self.gateway)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

impl World {
    /// A copy of everything that was sent to payers' phones, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.unasked(|_, stage| stage.messages.clone())
    }

    /// A payer transfers `amount` shillings from a bank, with the narration that a collection from a bank at SasaPay
    /// was answered with (`TransactionReference`). It may be less or more than was asked for, and may be done again:
    /// each transfer moves money and is told. Takes as long as an accepted call does.
    ///
    /// # Errors
    ///
    /// When no such collection has this narration, or it is not an amount of money. Then nothing happens.
    pub fn transfer(&self, narration: &str, amount: Decimal) -> Result<(), PayerError> {
        self.unasked(|faces, stage| faces.sasapay.transfer(stage, narration, amount))
    }

    /// A customer pays `amount` shillings to the merchant's paybill at SasaPay without having been asked, from the
    /// phone with this `number` and with `account` for an account number, whatever that may be. Only an instant payment
    /// notification tells of it, where there is a URL for one. The ledger has it without a reference, by its
    /// `TransactionCode`. Takes as long as an accepted call does.
    ///
    /// If `account` is the `TransactionReference` that a collection was answered with, the money is that collection's,
    /// as it would be by [`transfer`](Self::transfer), whatever became of the prompt or the code.
    ///
    /// # Errors
    ///
    /// When it is not a mobile number or not an amount of money. Then nothing happens.
    pub fn walk_in(&self, account: &str, number: &str, amount: Decimal) -> Result<(), PayerError> {
        self.walk_in_with(account, number, amount, [])
    }

    /// As [`walk_in`](Self::walk_in), and what is told of it meets these faults.
    ///
    /// # Errors
    ///
    /// Those of [`walk_in`](Self::walk_in), and for a fault that is of a request or a reply, or of a callback that comes
    /// before the reply: there is neither.
    pub fn walk_in_with(
        &self,
        account: &str,
        number: &str,
        amount: Decimal,
        faults: impl IntoIterator<Item = Fault>,
    ) -> Result<(), PayerError> {
        let faults = Faults::new(faults);
        self.unasked(|faces, stage| faces.sasapay.walk_in(stage, account, number, amount, faults))
    }

    /// KasaPay takes a paid payout back, by the caller's `payout_reference`, at once: the whole amount is in its float
    /// again, and both a callback and the status query tell so.
    ///
    /// # Errors
    ///
    /// When there is no such payout, or it is not paid (any more). Then nothing happens.
    pub fn reverse(&self, reference: &str) -> Result<(), ReversalError> {
        self.unasked(|faces, stage| faces.kasapay.reverse(stage, reference))
    }
}
