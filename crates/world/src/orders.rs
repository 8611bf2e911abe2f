//! What is asked for in a small world, and how its gateway has to write it down.

use malipo::journal::Key;
use malipo::{Collect, Instruction, Money, Network, PayOut, Payee, Payer, ProviderId, Terms};
use malipo_sim::Gateway;

use crate::scenario::{Scenario, Then, Trouble};
use crate::unbuilt::Unbuilt;

/// More than any account of the gateways holds.
const TOO_MUCH: u32 = 20_000_000;
/// A number that nobody is registered with, and one whose owner says no when asked for money.
const NOBODY: u64 = 254_700_000_101;
const UNWILLING: u64 = 254_700_000_130;

/// A payment that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) key: Key,
    pub(crate) account: ProviderId,
    pub(crate) instruction: Instruction,
    pub(crate) amount: Money,
    /// Who is at the other end, exactly as the ledger of the gateway names them.
    pub(crate) party: String,
    /// What follows on it.
    pub(crate) then: Then,
    /// Whether a wrong code is handed in before the right one.
    pub(crate) wrong_code_first: bool,
}

impl Order {
    /// All orders of a scenario, each with a party and an amount of its own, but for twins.
    pub(crate) fn all(scenario: &Scenario, account: &ProviderId) -> Result<Vec<Self>, Unbuilt> {
        (1..=scenario.payments).map(|number| Self::of(scenario, account, number)).collect()
    }

    fn of(scenario: &Scenario, account: &ProviderId, number: u32) -> Result<Self, Unbuilt> {
        let gateway = scenario.gateway;
        let kind = if scenario.trouble.has_twins() { 1 } else { number };
        let amount = match (&scenario.trouble, gateway) {
            (Trouble::AtTheDoor, Gateway::Kyanda) | (Trouble::Later, Gateway::KasaPay) => TOO_MUCH,
            _ => 1000 + 500 * kind,
        };
        let phone = match (&scenario.trouble, gateway) {
            (Trouble::Later, Gateway::SasaPay) => UNWILLING,
            (Trouble::Later, _) => NOBODY,
            _ => 254_708_374_148 + u64::from(kind),
        };
        let phone = phone.to_string();
        let local = phone.strip_prefix("254").map(|rest| format!("0{rest}")).unwrap_or_default();
        let till = (565_655 + kind).to_string();
        let amount = Money::kes(&amount.to_string())?;
        // The engine puts a reference of its own in its place.
        let terms = Terms::new("REPLACED".parse()?, amount);
        let (instruction, party) = match gateway {
            Gateway::KasaPay => {
                let payee = Payee::till(till.parse()?).with_name("Test Limited".parse()?);
                (Instruction::PayOut(PayOut::new(payee, terms)), till)
            }
            Gateway::SasaPay => {
                let payer = match scenario.then {
                    Then::Confirms => Payer::gateway_wallet(phone.parse()?),
                    _ => Payer::mobile_money(Network::Safaricom, phone.parse()?),
                };
                (Instruction::Collect(Collect::new(payer, terms)), phone)
            }
            _ => {
                let payee = Payee::wallet(Network::Safaricom, phone.parse()?);
                let party = if gateway == Gateway::Kyanda { local } else { phone };
                (Instruction::PayOut(PayOut::new(payee, terms)), party)
            }
        };
        let then = match scenario.then {
            Then::Cancels if number < scenario.payments => Then::Nothing,
            then => then,
        };
        let wrong_code_first = !matches!(scenario.trouble, Trouble::Code(_));
        let (key, account) = (format!("ORDER-{number}").parse()?, account.clone());
        Ok(Self { key, account, instruction, amount, party, then, wrong_code_first })
    }

    /// Whether an instruction asks for the same, whatever its reference and its callback are.
    pub(crate) fn asks_for(&self, other: &Instruction) -> bool {
        let (Some(ours), Some(theirs)) = (self.instruction.terms(), other.terms()) else { return false };
        let same_party = match (&self.instruction, other) {
            (Instruction::PayOut(ours), Instruction::PayOut(theirs)) => ours.to == theirs.to,
            (Instruction::Collect(ours), Instruction::Collect(theirs)) => ours.from == theirs.from,
            _ => false,
        };
        same_party && ours.amount == theirs.amount
    }
}
