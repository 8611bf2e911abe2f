use std::collections::BTreeMap;

use malipo_core::Timestamp;
use rust_decimal::Decimal;

use crate::gateways::Gateway;

/// What really happened, as the gateways' own books have it: every payment they accepted and every time
/// money moved. A test asks it what the program under test may only infer.
///
/// Amounts are Kenyan shillings.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    payments: Vec<Payment>,
    /// Where the first payment of a reference stands in the list.
    firsts: BTreeMap<(Gateway, String), usize>,
    moves: Vec<Move>,
    balances: BTreeMap<(Gateway, &'static str), Decimal>,
}

/// A payment that a gateway accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payment {
    /// Who accepted it.
    pub gateway: Gateway,
    /// The caller's reference (Daraja: `OriginatorConversationID`).
    pub reference: String,
    /// The gateway's own name for it (Daraja: `ConversationID`).
    pub gateway_reference: String,
    /// Who is to have the money, as the request names them.
    pub payee: String,
    /// How much, in shillings.
    pub amount: Decimal,
    /// What has become of it.
    pub state: PaymentState,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it was paid or refused.
    pub decided_at: Option<Timestamp>,
}

impl Payment {
    /// The gateway's receipt number, once paid.
    pub fn receipt(&self) -> Option<&str> {
        match &self.state {
            PaymentState::Paid { receipt } => Some(receipt),
            PaymentState::Accepted | PaymentState::Refused { .. } => None,
        }
    }
}

/// What has become of a [`Payment`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaymentState {
    /// Queued. No money has moved.
    Accepted,
    /// The payee has the money.
    Paid {
        /// The gateway's receipt number.
        receipt: String,
    },
    /// No money moved and none will.
    Refused {
        /// The gateway's code.
        code: String,
        /// The gateway's words.
        text: String,
    },
}

/// Money that left the merchant for a payee.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Move {
    /// Who moved it.
    pub gateway: Gateway,
    /// The caller's reference of the payment it belongs to.
    pub reference: String,
    /// Who has the money now.
    pub payee: String,
    /// How much, in shillings.
    pub amount: Decimal,
    /// The gateway's receipt number.
    pub receipt: String,
    /// When.
    pub at: Timestamp,
}

impl Ledger {
    /// Every accepted payment, oldest first.
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// The first payment that `gateway` accepted under the caller's `reference`.
    pub fn find(&self, gateway: Gateway, reference: &str) -> Option<&Payment> {
        let index = self.firsts.get(&(gateway, reference.to_owned()))?;
        self.payments.get(*index)
    }

    /// Every move of money, oldest first.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// How many times money moved for `reference`. More than 1 is the one thing that must never be.
    pub fn moved(&self, reference: &str) -> usize {
        self.moves.iter().filter(|moved| moved.reference == reference).count()
    }

    /// What `payee` has received in all, in shillings.
    pub fn paid_to(&self, payee: &str) -> Decimal {
        self.moves.iter().filter(|moved| moved.payee == payee).map(|moved| moved.amount).sum()
    }

    /// The references for which money moved more than once, each named once.
    pub fn paid_more_than_once(&self) -> Vec<&str> {
        let mut counts = BTreeMap::<&str, usize>::new();
        for moved in &self.moves {
            *counts.entry(&moved.reference).or_default() += 1;
        }
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(reference, _)| reference).collect()
    }

    /// What one of the merchant's accounts holds, in shillings (Daraja: `Working Account`,
    /// `Utility Account`, `Charges Paid Account`).
    pub fn balance(&self, gateway: Gateway, account: &str) -> Option<Decimal> {
        let mut balances = self.balances.iter();
        balances.find(|((whose, name), _)| *whose == gateway && *name == account).map(|(_, held)| *held)
    }

    pub(crate) fn open_account(&mut self, gateway: Gateway, account: &'static str, holding: Decimal) {
        self.balances.insert((gateway, account), holding);
    }

    /// Enters an accepted payment and says where it stands in the list.
    pub(crate) fn accept(&mut self, payment: Payment) -> usize {
        let index = self.payments.len();
        self.firsts.entry((payment.gateway, payment.reference.clone())).or_insert(index);
        self.payments.push(payment);
        index
    }

    pub(crate) fn payment(&self, index: usize) -> Option<&Payment> {
        self.payments.get(index)
    }

    pub(crate) fn refuse(&mut self, index: usize, code: &str, text: &str, at: Timestamp) {
        if let Some(payment) = self.payments.get_mut(index) {
            payment.state = PaymentState::Refused { code: code.into(), text: text.into() };
            payment.decided_at = Some(at);
        }
    }

    /// Pays out of `account`, or leaves everything as it was when that holds too little.
    pub(crate) fn pay(
        &mut self,
        index: usize,
        account: &'static str,
        receipt: &str,
        at: Timestamp,
    ) -> Result<(), TooLittle> {
        let payment = self.payments.get_mut(index).ok_or(TooLittle)?;
        let held = self.balances.get_mut(&(payment.gateway, account)).ok_or(TooLittle)?;
        if *held < payment.amount {
            return Err(TooLittle);
        }
        *held -= payment.amount;
        payment.state = PaymentState::Paid { receipt: receipt.into() };
        payment.decided_at = Some(at);
        self.moves.push(Move {
            gateway: payment.gateway,
            reference: payment.reference.clone(),
            payee: payment.payee.clone(),
            amount: payment.amount,
            receipt: receipt.into(),
            at,
        });
        Ok(())
    }
}

/// The account holds less than the payment.
#[derive(Debug)]
pub(crate) struct TooLittle;

#[cfg(test)]
mod tests {
    use super::*;

    const UTILITY: &str = "Utility Account";

    fn payment(reference: &str, amount: i64) -> Payment {
        Payment {
            gateway: Gateway::Daraja,
            reference: reference.into(),
            gateway_reference: "AG_1".into(),
            payee: "254712345678".into(),
            amount: amount.into(),
            state: PaymentState::Accepted,
            accepted_at: Timestamp::UNIX_EPOCH,
            decided_at: None,
        }
    }

    #[test]
    fn money_that_moves_leaves_one_account_and_reaches_one_payee() {
        let mut ledger = Ledger::default();
        ledger.open_account(Gateway::Daraja, UTILITY, 100.into());
        let index = ledger.accept(payment("a", 60));
        ledger.pay(index, UTILITY, "R1", Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(ledger.balance(Gateway::Daraja, UTILITY), Some(40.into()));
        assert_eq!(ledger.paid_to("254712345678"), 60.into());
        assert_eq!(ledger.moved("a"), 1);

        let index = ledger.accept(payment("b", 41));
        ledger.pay(index, UTILITY, "R2", Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(ledger.balance(Gateway::Daraja, UTILITY), Some(40.into()));
        assert_eq!(ledger.moved("b"), 0);
    }

    #[test]
    fn paying_twice_for_one_reference_shows() {
        let mut ledger = Ledger::default();
        ledger.open_account(Gateway::Daraja, UTILITY, 100.into());
        for reference in ["a", "b", "a"] {
            let index = ledger.accept(payment(reference, 10));
            ledger.pay(index, UTILITY, "R", Timestamp::UNIX_EPOCH).unwrap();
        }
        assert_eq!(ledger.paid_more_than_once(), ["a"]);
    }
}
