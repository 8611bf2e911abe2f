//! What payers see and do by themselves, without any request of the merchant's.

use std::fmt;

use rust_decimal::Decimal;

use crate::gateways::Gateway;
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
        self.as_payer(|_, stage| stage.messages.clone())
    }

    /// A payer transfers `amount` shillings from a bank, with the narration that a collection from a bank at SasaPay
    /// was answered with (`TransactionReference`). It may be less or more than was asked for, and may be done again:
    /// each transfer moves money and is told. Takes as long as an accepted call does.
    ///
    /// # Errors
    ///
    /// When no such collection has this narration, or it is not an amount of money. Then nothing happens.
    pub fn transfer(&self, narration: &str, amount: Decimal) -> Result<(), PayerError> {
        self.as_payer(|sasapay, stage| sasapay.transfer(stage, narration, amount))
    }

    /// A customer pays `amount` shillings to the merchant's paybill at SasaPay without having been asked, from the
    /// phone with this `number` and with `account` for an account number, whatever that may be. Only an instant payment
    /// notification tells of it, where there is a URL for one. The ledger has it without a reference, by its
    /// `TransactionCode`. Takes as long as an accepted call does.
    ///
    /// # Errors
    ///
    /// When it is not a mobile number or not an amount of money. Then nothing happens.
    pub fn walk_in(&self, account: &str, number: &str, amount: Decimal) -> Result<(), PayerError> {
        self.as_payer(|sasapay, stage| sasapay.walk_in(stage, account, number, amount))
    }
}
