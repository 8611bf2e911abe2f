//! Money that came in, asked for or not, and payers who act of their own accord.

use std::time::Duration;

use malipo_core::Timestamp;
use rust_decimal::Decimal;

use super::channel::{Channel, Way};
use super::told::{About, News};
use super::{DIGITS_AND_CAPITALS, Name, SHILLINGS, SasaPay, Task, WORKING, Work, fields};
use crate::fault::{Fault, Faults};
use crate::gateways::Gateway;
use crate::payment::{Direction, Payment, PaymentState};
use crate::world::Stage;

/// Why a payer cannot pay like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayerError {
    /// No request that waits for a bank transfer was given this narration.
    #[error("no request for a bank transfer has this narration")]
    Narration,
    /// It is not an amount of money: more than nothing, at most two decimals, 10,000,000,000,000 at most.
    #[error("the amount is not greater than 0 or has more than 2 decimals or is more than 10000000000000")]
    Amount,
    /// It is no Kenyan mobile number: `07...`, `01...` or `254...`.
    #[error("the number is not a Kenyan mobile number")]
    Number,
    /// The payer's own doing cannot meet this fault.
    #[error("{} can never strike: there is no call of the merchant's that it could spoil", .0.as_str())]
    Fault(Fault),
}

/// The most that a payer pays at once, in cents: far from where sums of many end.
const MOST: i64 = 1_000_000_000_000_000;

/// What a payer gives for a request.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) amount: Decimal,
    /// The number it comes from, where that is not up to the request.
    pub(super) from: Option<String>,
}

/// Money that came in.
#[derive(Debug)]
pub(super) struct Credit {
    /// Its place in the ledger.
    pub(super) payment: usize,
    pub(super) amount: Decimal,
    pub(super) at: Timestamp,
    /// The request it was given for, if there was one.
    pub(super) collection: Option<usize>,
    pub(super) about: About,
}

/// A customer who pays the paybill without having been asked.
#[derive(Debug)]
pub(super) struct WalkIn {
    account: String,
    msisdn: String,
    amount: Decimal,
}

impl WalkIn {
    pub(super) fn given(self) -> Given {
        Given { amount: self.amount, from: Some(self.msisdn) }
    }
}

impl SasaPay {
    /// A payer's bank makes a transfer with a narration that it was given.
    pub(crate) fn transfer(
        &mut self,
        stage: &mut Stage,
        narration: &str,
        amount: Decimal,
    ) -> Result<(), PayerError> {
        let place = self.names.get(&Name::Narration(narration.into())).copied();
        let place = place.ok_or(PayerError::Narration)?;
        let collection = self.collections.get_mut(place).ok_or(PayerError::Narration)?;
        if collection.channel.way != Way::Transfer {
            return Err(PayerError::Narration);
        }
        payable(amount)?;
        let faults = collection.take_faults();
        self.undertake(stage, Work { task: Task::Transfer { collection: place, amount }, faults });
        Ok(())
    }

    /// A customer pays the paybill, be it for a request or not.
    pub(crate) fn walk_in(
        &mut self,
        stage: &mut Stage,
        account: &str,
        number: &str,
        amount: Decimal,
        faults: Faults,
    ) -> Result<(), PayerError> {
        payable(amount)?;
        let msisdn = fields::international(number).ok_or(PayerError::Number)?;
        faults.fit_no_call().map_err(PayerError::Fault)?;
        let place = self.names.get(&Name::Narration(account.into())).copied();
        let collection = place.and_then(|place| self.collections.get_mut(place));
        let faults = match collection {
            Some(collection) => collection.take_faults().and(&faults),
            None => faults,
        };
        let walk_in = WalkIn { account: account.into(), msisdn, amount };
        self.undertake(stage, Work { task: Task::WalkIn(place, walk_in), faults });
        Ok(())
    }

    /// Takes in what nobody asked for. The ledger has it without a reference: what the customer typed is no name that
    /// the merchant gave to anything.
    pub(super) fn welcome(&mut self, stage: &mut Stage, walk_in: WalkIn, decided: Duration, faults: &Faults) {
        let WalkIn { account, msisdn, amount } = walk_in;
        let at = stage.now();
        let code = transaction_code(stage);
        let payment = stage.ledger.accept(Payment {
            gateway: Gateway::SasaPay,
            direction: Direction::In,
            reference: None,
            gateway_reference: code.clone(),
            party: msisdn.clone(),
            amount,
            currency: SHILLINGS.into(),
            state: PaymentState::Accepted,
            accepted_at: at,
            decided_at: None,
        });
        // There is no such failure: the account is ours, and in shillings.
        let _ = stage.ledger.pay(payment, WORKING, &code, at);
        let about = About {
            msisdn,
            channel: Channel::MPESA.name,
            bill_reference: account,
            third_party: third_party(stage),
            held_after: stage.ledger.balance(Gateway::SasaPay, WORKING).unwrap_or_default(),
        };
        let credit = Credit { payment, amount, at, collection: None, about };
        let Some(made) = stage.ledger.payment(payment).cloned() else { return };
        let news = News { payment: made, about: &credit.about, collection: None, lane: stage.new_lane() };
        self.tell(stage, &news, decided, faults);
        self.credits.insert(code, credit);
    }
}

/// The gateway's own number for money that came in.
pub(super) fn transaction_code(stage: &mut Stage) -> String {
    format!("SPEJ{}", stage.dice.text(DIGITS_AND_CAPITALS, 11))
}

/// The number of the network or bank that the money came from.
pub(super) fn third_party(stage: &mut Stage) -> String {
    stage.dice.text(DIGITS_AND_CAPITALS, 10)
}

fn payable(amount: Decimal) -> Result<(), PayerError> {
    let whole_cents = amount.normalize().scale() <= 2;
    if amount > Decimal::ZERO && amount <= Decimal::new(MOST, 2) && whole_cents {
        Ok(())
    } else {
        Err(PayerError::Amount)
    }
}
