//! B2C payments.

use bytes::Bytes;

use super::fields::Fields;
use super::order::{Authority, Order, UNAUTHORISED};
use super::refusal::Refusal;
use super::result::{self, Failure};
use super::{Daraja, Ids, SHILLINGS, Task, UPPER, UTILITY};
use crate::gateways::Gateway;
use crate::ledger::BookError;
use crate::magic;
use crate::notify::Telling;
use crate::payment::{Direction, Payment, PaymentState};
use crate::world::Stage;

/// Per payment, in shillings (portal capture, read 2026-11-22).
const MINIMUM: i64 = 10;
const MAXIMUM: i64 = 250_000;

const TOO_LITTLE_HELD: Failure =
    Failure { code: "1", text: "The balance is insufficient for the transaction." };
const BELOW_MINIMUM: Failure =
    Failure { code: "2", text: "The amount is less than the minimum transaction amount." };
const ABOVE_MAXIMUM: Failure =
    Failure { code: "3", text: "The amount is more than the maximum transaction amount." };
/// What our own books do not allow is nobody's fault but the gateway's.
const INTERNAL: Failure = Failure { code: "17", text: "System internal error." };
const UNREGISTERED: Failure =
    Failure { code: "2040", text: "The recipient type is not supported: the customer is not registered." };

/// An accepted payment, by its place in the ledger.
#[derive(Debug)]
pub(super) struct Pay {
    payment: usize,
    command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Salary,
    Business,
    Promotion,
}

const COMMANDS: [(&str, Command); 3] = [
    ("SalaryPayment", Command::Salary),
    ("BusinessPayment", Command::Business),
    ("PromotionPayment", Command::Promotion),
];

impl Daraja {
    pub(super) fn read_payout(
        &mut self,
        stage: &mut Stage,
        fields: &Fields,
    ) -> Result<(Task, Order), Refusal> {
        let reference = fields.text("OriginatorConversationID")?;
        let command = fields.one_of("CommandID", &COMMANDS)?;
        let amount = fields.shillings("Amount")?;
        let payee = fields.digits("PartyB")?;
        if payee.len() != 12 || !(payee.starts_with("2547") || payee.starts_with("2541")) {
            return Err(Refusal::field("PartyB", "it must be 12 digits that begin with 2547 or 2541"));
        }
        fields.optional_sentence("Occassion", 1, 100)?;
        let order = self.read_order(stage, fields, "InitiatorName", Some(reference.clone()))?;
        if stage.ledger.find(Gateway::Daraja, &reference).is_some() {
            return Err(Refusal::duplicate());
        }
        let payment = stage.ledger.accept(Payment {
            gateway: Gateway::Daraja,
            direction: Direction::Out,
            reference: Some(reference),
            gateway_reference: order.conversation.clone(),
            party: payee,
            amount,
            currency: SHILLINGS.into(),
            state: PaymentState::Accepted,
            accepted_at: stage.now(),
            decided_at: None,
        });
        Ok((Task::Pay(Pay { payment, command }), order))
    }
}

impl Pay {
    /// Pays, or refuses to. `receipt` is the number to use if it pays.
    pub(super) fn decide(&self, stage: &mut Stage, authority: Authority, receipt: &str) {
        let at = stage.now();
        let Some(payment) = stage.ledger.payment(self.payment) else { return };
        let failure = match self.objection(payment, authority) {
            Some(failure) => Some(failure),
            None => stage.ledger.pay(self.payment, UTILITY, receipt, at).err().map(failure_of),
        };
        if let Some(Failure { code, text }) = failure {
            // Fails only when it was decided before: then that decision stands, and is what is told.
            let _ = stage.ledger.refuse(self.payment, code, text, at);
        }
    }

    pub(super) fn tell(&self, stage: &mut Stage, ids: &Ids, telling: Telling) -> Bytes {
        let Some(payment) = stage.ledger.payment(self.payment).cloned() else {
            return result::timed_out(ids);
        };
        let payment = distorted(payment, telling, stage);
        result::payment(ids, &payment, &stage.ledger)
    }

    fn objection(&self, payment: &Payment, authority: Authority) -> Option<Failure> {
        if authority == Authority::Denied {
            Some(UNAUTHORISED)
        } else if payment.amount < MINIMUM.into() {
            Some(BELOW_MINIMUM)
        } else if payment.amount > MAXIMUM.into() {
            Some(ABOVE_MAXIMUM)
        } else if self.command != Command::Salary && !magic::is_registered(&payment.party) {
            Some(UNREGISTERED)
        } else {
            None
        }
    }
}

fn failure_of(error: BookError) -> Failure {
    match error {
        BookError::TooLittle => TOO_LITTLE_HELD,
        BookError::WrongState | BookError::OtherCurrency | BookError::NoPayment | BookError::NoAccount => {
            INTERNAL
        }
    }
}

/// The payment as the story has it.
pub(super) fn distorted(payment: Payment, telling: Telling, stage: &mut Stage) -> Payment {
    let Failure { code, text } = TOO_LITTLE_HELD;
    telling.of(payment, (code, text), || stage.dice.text(UPPER, 10))
}
