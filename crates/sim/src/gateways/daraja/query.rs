//! The two questions: what became of a payment, and what the accounts hold. Both are answered by callback.

use bytes::Bytes;
use rust_decimal::Decimal;

use super::account::DarajaAccount;
use super::fields::Fields;
use super::order::{Authority, Order, UNAUTHORISED};
use super::payout::distorted;
use super::refusal::Refusal;
use super::result::{self, Failure};
use super::{CHARGES, Daraja, Ids, Task, UTILITY, WORKING};
use crate::gateways::Gateway;
use crate::ledger::Ledger;
use crate::notify::Telling;
use crate::payment::Payment;
use crate::world::Stage;

const NOT_FOUND: Failure = Failure { code: "2033", text: "The transaction was not found." };

/// A question about a payment.
#[derive(Debug)]
pub(super) struct Status {
    wanted: Wanted,
    occasion: String,
}

#[derive(Debug)]
enum Wanted {
    Receipt(String),
    /// The caller's own id or the one the gateway gave: both are taken.
    Conversation(String),
}

impl Daraja {
    pub(super) fn read_status(
        &mut self,
        stage: &mut Stage,
        fields: &Fields,
    ) -> Result<(Task, Order), Refusal> {
        fields.one_of("CommandID", &[("TransactionStatusQuery", ())])?;
        shortcode_identifier(fields)?;
        let wanted = match (fields.has("TransactionID"), fields.has("OriginalConversationID")) {
            (true, false) if fields.peek("TransactionID").is_some_and(|id| id.is_empty()) => {
                return Err(Refusal::empty_transaction());
            }
            (true, false) => Wanted::Receipt(fields.text("TransactionID")?),
            (false, true) => Wanted::Conversation(fields.text("OriginalConversationID")?),
            (false, false) => {
                return Err(Refusal::field("TransactionID", "it or OriginalConversationID is required"));
            }
            (true, true) => {
                return Err(Refusal::field("TransactionID", "OriginalConversationID is there as well"));
            }
        };
        let occasion = fields.optional_sentence("Occasion", 1, 100)?.unwrap_or_default();
        let order = self.read_order(stage, fields, "Initiator", None)?;
        Ok((Task::Status(Status { wanted, occasion }), order))
    }

    pub(super) fn read_balance(
        &mut self,
        stage: &mut Stage,
        fields: &Fields,
    ) -> Result<(Task, Order), Refusal> {
        fields.one_of("CommandID", &[("AccountBalance", ())])?;
        shortcode_identifier(fields)?;
        let order = self.read_order(stage, fields, "Initiator", None)?;
        Ok((Task::Balance, order))
    }
}

impl Status {
    pub(super) fn tell(
        &self,
        stage: &mut Stage,
        ids: &Ids,
        order: &Order,
        telling: Telling,
        account: &DarajaAccount,
    ) -> Bytes {
        if order.authority == Authority::Denied {
            return result::failed(ids, UNAUTHORISED);
        }
        let Some(payment) = self.find(&stage.ledger).cloned() else { return result::failed(ids, NOT_FOUND) };
        let payment = distorted(payment, telling, stage);
        result::status(ids, &payment, account.shortcode(), &self.occasion)
    }

    fn find<'a>(&self, ledger: &'a Ledger) -> Option<&'a Payment> {
        match &self.wanted {
            Wanted::Receipt(receipt) => {
                let mut ours = ledger.payments().iter().filter(|payment| payment.gateway == Gateway::Daraja);
                ours.find(|payment| payment.receipt() == Some(receipt))
            }
            Wanted::Conversation(id) => ledger
                .find(Gateway::Daraja, id)
                .or_else(|| ledger.find_by_gateway_reference(Gateway::Daraja, id)),
        }
    }
}

pub(super) fn tell_balance(stage: &Stage, ids: &Ids, order: &Order, telling: Telling) -> Bytes {
    if order.authority == Authority::Denied || telling == Telling::Opposite {
        return result::failed(ids, UNAUTHORISED);
    }
    let accounts = [WORKING, UTILITY, CHARGES].map(|name| {
        let held = stage.ledger.balance(Gateway::Daraja, name).unwrap_or_default();
        (name, if telling == Telling::Forged { held.saturating_mul(Decimal::TEN) } else { held })
    });
    result::balance(ids, &accounts, stage.now())
}

/// Both questions come from a shortcode, which Daraja calls identifier type 4.
fn shortcode_identifier(fields: &Fields) -> Result<(), Refusal> {
    match fields.digits("IdentifierType")?.as_str() {
        "4" => Ok(()),
        _ => Err(Refusal::field("IdentifierType", "it must be 4, a shortcode")),
    }
}
