//! What an order comes to at its gateway.

use malipo::{Instruction, PayeeAccount, PayerSource};
use malipo_sim::{Direction, Gateway, Move};
use rust_decimal::Decimal;

/// Everything of a payment that is not a name for it: by this the ledger is held against the orders, without the books
/// and without asking either of them what anything is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owed {
    pub(crate) gateway: Gateway,
    direction: Direction,
    /// A till, or the nine digits of a subscriber, which each gateway spells in its own way.
    party: String,
    amount: Decimal,
    currency: String,
}

impl Owed {
    /// What an instruction asks for; `None` for what is never ordered here.
    pub(crate) fn of(gateway: Gateway, instruction: &Instruction) -> Option<Self> {
        let (direction, party) = match instruction {
            Instruction::PayOut(payout) => match &payout.to.account {
                PayeeAccount::Wallet { msisdn, .. } => (Direction::Out, msisdn.international()),
                PayeeAccount::Till { number } => (Direction::Out, number.to_string()),
                _ => return None,
            },
            Instruction::Collect(collect) => match &collect.from.source {
                PayerSource::MobileMoney { msisdn, .. } => (Direction::In, msisdn.international()),
                _ => return None,
            },
            _ => return None,
        };
        let amount = instruction.terms()?.amount;
        let (party, currency) = (subscriber(&party), amount.currency().to_string());
        Some(Self { gateway, direction, party, amount: amount.amount(), currency })
    }

    /// What was moved.
    pub(crate) fn moved(one: &Move) -> Self {
        let (party, currency) = (subscriber(&one.party), one.currency.clone());
        Self { gateway: one.gateway, direction: one.direction, party, amount: one.amount, currency }
    }

    /// What a gateway accepted.
    pub(crate) fn accepted(one: &malipo_sim::Payment) -> Self {
        let (party, currency) = (subscriber(&one.party), one.currency.clone());
        Self { gateway: one.gateway, direction: one.direction, party, amount: one.amount, currency }
    }
}

impl std::fmt::Display for Owed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { gateway, direction, party, amount, currency } = self;
        let way = match direction {
            Direction::Out => "to",
            Direction::In => "from",
        };
        write!(f, "{currency} {amount} {way} {party} at {gateway}")
    }
}

/// The last nine characters, or all where there are fewer.
fn subscriber(party: &str) -> String {
    party.get(party.len().saturating_sub(9)..).unwrap_or(party).to_owned()
}
