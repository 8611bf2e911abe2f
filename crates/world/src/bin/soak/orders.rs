//! What is to be paid: a list without end that repeats with its seed.

use std::error::Error;

use malipo::journal::Key;
use malipo::{Collect, Instruction, Money, Network, PayOut, Payee, Payer, ProviderId, Terms};
use malipo_sim::Gateway;

use malipo_world::Dice;

/// One thing to be paid, under a key of its own.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) key: Key,
    pub(crate) account: ProviderId,
    pub(crate) instruction: Instruction,
}

/// A customer whom the gateways do not know.
const NOBODY: &str = "0700000101";
/// Payers who cancel, and who have too little money.
const UNWILLING: [&str; 2] = ["0700000130", "0700000132"];

impl Order {
    /// The order of this number. Its amount and its party are its own, unless it is the twin of the one before it at
    /// Kyanda: the gateway takes no reference, so only party and amount tell its payments apart. Those who are never
    /// paid and never pay are the same few.
    pub(crate) fn of(seed: u64, number: u32) -> Result<Self, Box<dyn Error>> {
        let gateway = gateway(number);
        let is_twin = gateway == Gateway::Kyanda && number % 40 == 39;
        let shape = if is_twin { number - 4 } else { number };
        let mut dice = Dice::seeded(seed ^ (u64::from(shape) << 32));
        let terms = Terms::new("REPLACED".parse()?, Money::shillings(100 + shape));
        let customer = format!("0722{shape:06}");
        let is_odd = dice.below(8) == 0;
        let phone = if is_odd { NOBODY.parse()? } else { customer.parse()? };
        let instruction = match gateway {
            Gateway::KasaPay => {
                let till = format!("{}", 500_000 + shape);
                let payee = Payee::till(till.parse()?).with_name("Test Limited".parse()?);
                Instruction::PayOut(PayOut::new(payee, terms))
            }
            Gateway::SasaPay => {
                let [cancels, poor] = UNWILLING;
                let payer = match dice.below(8) {
                    0 => cancels.parse()?,
                    1 => poor.parse()?,
                    _ => customer.parse()?,
                };
                Instruction::Collect(Collect::new(Payer::mobile_money(Network::Safaricom, payer), terms))
            }
            _ => Instruction::PayOut(PayOut::new(Payee::wallet(Network::Safaricom, phone), terms)),
        };
        Ok(Self { key: key(number)?, account: ProviderId::of(gateway.as_str()), instruction })
    }
}

/// The key of the order of this number.
pub(crate) fn key(number: u32) -> Result<Key, Box<dyn Error>> {
    Ok(format!("order-{number}").parse()?)
}

/// The gateway of the order of this number.
pub(crate) fn gateway(number: u32) -> Gateway {
    match number % 4 {
        0 => Gateway::Daraja,
        1 => Gateway::KasaPay,
        2 => Gateway::SasaPay,
        _ => Gateway::Kyanda,
    }
}
