use std::collections::BTreeMap;

use malipo_core::Timestamp;
use rust_decimal::Decimal;

use crate::gateways::Gateway;
use crate::payment::{Direction, Move, MoveKind, Payment, PaymentState};

/// What really happened, as the gateways' own books have it: every payment they accepted and every time
/// money moved. A test asks it what the program under test may only infer.
///
/// Nothing is ever struck out, so that it can tell of any payment: it grows with every one.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    payments: Vec<Payment>,
    /// Where the first payment of a reference stands in the list.
    firsts: BTreeMap<(Gateway, String), usize>,
    moves: Vec<Move>,
    accounts: BTreeMap<(Gateway, &'static str), Account>,
}

#[derive(Debug, Clone)]
struct Account {
    currency: &'static str,
    held: Decimal,
}

/// Why the books stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BookError {
    /// The account that would pay holds less than the payment.
    TooLittle,
    /// The payment is not in a state that allows it.
    WrongState,
    /// The account holds another currency than the payment's.
    OtherCurrency,
    /// There is no such payment.
    NoPayment,
    /// There is no such account.
    NoAccount,
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

    /// The payment that `gateway` calls by this name of its own.
    pub fn find_by_gateway_reference(&self, gateway: Gateway, gateway_reference: &str) -> Option<&Payment> {
        let mut payments = self.payments.iter();
        payments.find(|payment| payment.gateway == gateway && payment.gateway_reference == gateway_reference)
    }

    /// Every move of money, oldest first, reversals included.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// How many times `gateway` moved money for the caller's `reference`, whatever was reversed later. More
    /// than 1 is the one thing that must never be.
    pub fn moved(&self, gateway: Gateway, reference: &str) -> usize {
        let wanted = |moved: &&Move| {
            moved.gateway == gateway
                && moved.kind == MoveKind::Payment
                && moved.reference.as_deref() == Some(reference)
        };
        self.moves.iter().filter(wanted).count()
    }

    /// [`moved`](Self::moved), by the gateway's own name for the payment.
    pub fn moved_by_gateway_reference(&self, gateway: Gateway, gateway_reference: &str) -> usize {
        let wanted = |moved: &&Move| {
            moved.gateway == gateway
                && moved.kind == MoveKind::Payment
                && moved.gateway_reference == gateway_reference
        };
        self.moves.iter().filter(wanted).count()
    }

    /// How much `party` has received through `gateway` in all, in one currency: reversed payments do not
    /// count, nor does what `party` paid.
    pub fn paid_to(&self, gateway: Gateway, party: &str, currency: &str) -> Decimal {
        let theirs = self
            .moves
            .iter()
            .filter(|moved| moved.gateway == gateway && moved.party == party && moved.currency == currency);
        theirs.fold(Decimal::ZERO, |sum, moved| match (moved.kind, moved.direction) {
            (MoveKind::Payment, Direction::Out) => sum.saturating_add(moved.amount),
            (MoveKind::Reversal, Direction::In) => sum.saturating_sub(moved.amount),
            (MoveKind::Payment, Direction::In) | (MoveKind::Reversal, Direction::Out) => sum,
        })
    }

    /// The references for which one gateway moved money more than once, each named once. Payments without a
    /// reference are never among them: nothing tells a repetition from a second payment that was meant.
    pub fn paid_more_than_once(&self) -> Vec<(Gateway, &str)> {
        let mut counts = BTreeMap::<(Gateway, &str), usize>::new();
        for moved in self.moves.iter().filter(|moved| moved.kind == MoveKind::Payment) {
            if let Some(reference) = &moved.reference {
                *counts.entry((moved.gateway, reference)).or_default() += 1;
            }
        }
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(key, _)| key).collect()
    }

    /// What one of the merchant's accounts holds, in its own currency (Daraja, all in shillings: `Working
    /// Account`, `Utility Account`, `Charges Paid Account`; KasaPay: `KES Float`, `USD Float`; SasaPay: `Working
    /// Account`, `Utility Account`, `Bulk Payment`; Kyanda: `Payment Wallet`).
    pub fn balance(&self, gateway: Gateway, account: &str) -> Option<Decimal> {
        let mut accounts = self.accounts.iter();
        accounts
            .find(|((whose, name), _)| *whose == gateway && *name == account)
            .map(|(_, account)| account.held)
    }

    /// Every account of the merchant's: whose, its name, its currency, what it holds.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (Gateway, &'static str, &'static str, Decimal)> {
        self.accounts.iter().map(|((whose, name), account)| (*whose, *name, account.currency, account.held))
    }

    pub(crate) fn open_account(
        &mut self,
        gateway: Gateway,
        account: &'static str,
        currency: &'static str,
        holding: Decimal,
    ) {
        self.accounts.insert((gateway, account), Account { currency, held: holding });
    }

    /// Enters an accepted payment and says where it stands in the list.
    pub(crate) fn accept(&mut self, payment: Payment) -> usize {
        let index = self.payments.len();
        if let Some(reference) = payment.reference.clone() {
            self.firsts.entry((payment.gateway, reference)).or_insert(index);
        }
        self.payments.push(payment);
        index
    }

    pub(crate) fn payment(&self, index: usize) -> Option<&Payment> {
        self.payments.get(index)
    }

    /// Refuses an accepted payment, or leaves everything as it was.
    pub(crate) fn refuse(
        &mut self,
        index: usize,
        code: &str,
        text: &str,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let payment = self.payments.get_mut(index).ok_or(BookError::NoPayment)?;
        if payment.state != PaymentState::Accepted {
            return Err(BookError::WrongState);
        }
        payment.state = PaymentState::Refused { code: code.into(), text: text.into() };
        payment.decided_at = Some(at);
        Ok(())
    }

    /// Makes an accepted payment out of `account`, or into it, or leaves everything as it was.
    pub(crate) fn pay(
        &mut self,
        index: usize,
        account: &'static str,
        receipt: &str,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let payment = self.payments.get(index).ok_or(BookError::NoPayment)?;
        let amount = payment.amount;
        self.pay_some(index, account, receipt, amount, at)
    }

    /// As [`Self::pay`], where it is up to the payer how much.
    pub(crate) fn pay_some(
        &mut self,
        index: usize,
        account: &'static str,
        receipt: &str,
        amount: Decimal,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let payment = self.payments.get(index).ok_or(BookError::NoPayment)?;
        if payment.state != PaymentState::Accepted {
            return Err(BookError::WrongState);
        }
        let made = Move {
            gateway: payment.gateway,
            kind: MoveKind::Payment,
            direction: payment.direction,
            reference: payment.reference.clone(),
            gateway_reference: payment.gateway_reference.clone(),
            account,
            party: payment.party.clone(),
            amount,
            currency: payment.currency.clone(),
            receipt: receipt.into(),
            at,
        };
        self.book(index, made, PaymentState::Paid { receipt: receipt.into() })
    }

    /// Takes a payment back to where the money came from, or leaves everything as it was.
    #[cfg_attr(not(test), expect(dead_code, reason = "no face reverses anything yet"))]
    pub(crate) fn reverse(
        &mut self,
        index: usize,
        code: &str,
        text: &str,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let payment = self.payments.get(index).ok_or(BookError::NoPayment)?;
        let receipt = payment.receipt().ok_or(BookError::WrongState)?.to_owned();
        let made = self.moves.iter().rfind(|moved| {
            moved.kind == MoveKind::Payment
                && moved.gateway == payment.gateway
                && moved.gateway_reference == payment.gateway_reference
        });
        let made = made.ok_or(BookError::NoPayment)?;
        let back = Move { kind: MoveKind::Reversal, direction: made.direction.back(), at, ..made.clone() };
        self.book(index, back, PaymentState::Reversed { receipt, code: code.into(), text: text.into() })
    }

    fn book(&mut self, index: usize, made: Move, state: PaymentState) -> Result<(), BookError> {
        let payment = self.payments.get_mut(index).ok_or(BookError::NoPayment)?;
        let account = self.accounts.get_mut(&(made.gateway, made.account)).ok_or(BookError::NoAccount)?;
        if account.currency != made.currency {
            return Err(BookError::OtherCurrency);
        }
        account.held = match made.direction {
            Direction::Out if account.held < made.amount => return Err(BookError::TooLittle),
            Direction::Out => account.held.saturating_sub(made.amount),
            Direction::In => account.held.saturating_add(made.amount),
        };
        payment.state = state;
        payment.decided_at = Some(made.at);
        self.moves.push(made);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTILITY: &str = "Utility Account";
    const EPOCH: Timestamp = Timestamp::UNIX_EPOCH;
    const PARTY: &str = "254712345678";

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.open_account(Gateway::Daraja, UTILITY, "KES", 100.into());
        ledger.open_account(Gateway::Elsewhere, UTILITY, "KES", 100.into());
        ledger
    }

    fn payment(gateway: Gateway, reference: &str, amount: i64) -> Payment {
        Payment {
            gateway,
            direction: Direction::Out,
            reference: Some(reference.into()),
            gateway_reference: format!("AG_{reference}"),
            party: PARTY.into(),
            amount: amount.into(),
            currency: "KES".into(),
            state: PaymentState::Accepted,
            accepted_at: EPOCH,
            decided_at: None,
        }
    }

    fn daraja(reference: &str, amount: i64) -> Payment {
        payment(Gateway::Daraja, reference, amount)
    }

    fn paid(ledger: &mut Ledger, payment: Payment) -> usize {
        let index = ledger.accept(payment);
        ledger.pay(index, UTILITY, "R", EPOCH).unwrap();
        index
    }

    fn held(ledger: &Ledger) -> i64 {
        ledger.balance(Gateway::Daraja, UTILITY).unwrap().try_into().unwrap()
    }

    #[test]
    fn money_that_moves_leaves_one_account_and_reaches_one_party() {
        let mut ledger = ledger();
        paid(&mut ledger, daraja("a", 60));
        assert_eq!(held(&ledger), 40);
        assert_eq!(ledger.paid_to(Gateway::Daraja, PARTY, "KES"), 60.into());
        assert_eq!(ledger.paid_to(Gateway::Elsewhere, PARTY, "KES"), 0.into());
        assert_eq!(ledger.paid_to(Gateway::Daraja, PARTY, "UGX"), 0.into());
        assert_eq!(ledger.moved(Gateway::Daraja, "a"), 1);

        let index = ledger.accept(daraja("b", 41));
        assert_eq!(ledger.pay(index, UTILITY, "R2", EPOCH), Err(BookError::TooLittle));
        assert_eq!(held(&ledger), 40);
        assert_eq!(ledger.moved(Gateway::Daraja, "b"), 0);
    }

    #[test]
    fn collected_money_reaches_the_account_and_nobody_else() {
        let mut ledger = ledger();
        paid(&mut ledger, Payment { direction: Direction::In, ..daraja("a", 500) });
        assert_eq!(held(&ledger), 600);
        assert_eq!(ledger.paid_to(Gateway::Daraja, PARTY, "KES"), 0.into());
        assert_eq!(ledger.moved(Gateway::Daraja, "a"), 1);
    }

    #[test]
    fn paying_twice_for_one_reference_shows_and_only_at_one_gateway() {
        let mut ledger = ledger();
        for reference in ["a", "b", "a"] {
            paid(&mut ledger, daraja(reference, 10));
        }
        paid(&mut ledger, payment(Gateway::Elsewhere, "b", 10));
        assert_eq!(ledger.paid_more_than_once(), [(Gateway::Daraja, "a")]);
        assert_eq!(ledger.moved(Gateway::Daraja, "b"), 1);
        assert_eq!(ledger.find(Gateway::Elsewhere, "b").unwrap().gateway, Gateway::Elsewhere);
    }

    #[test]
    fn payments_without_a_reference_are_not_one_payment() {
        let mut ledger = ledger();
        for name in ["x", "y"] {
            paid(&mut ledger, Payment { reference: None, ..daraja(name, 10) });
        }
        assert!(ledger.paid_more_than_once().is_empty());
        assert_eq!((ledger.moves().len(), ledger.moved(Gateway::Daraja, "")), (2, 0));
        assert_eq!(ledger.moved_by_gateway_reference(Gateway::Daraja, "AG_y"), 1);
        assert_eq!(ledger.moved_by_gateway_reference(Gateway::Elsewhere, "AG_y"), 0);
        let found = ledger.find_by_gateway_reference(Gateway::Daraja, "AG_y").unwrap();
        assert_eq!(found, &ledger.payments()[1]);
        assert_eq!(ledger.find_by_gateway_reference(Gateway::Elsewhere, "AG_y"), None);
    }

    #[test]
    fn a_reversal_takes_the_money_back_once_and_is_no_payment() {
        let mut ledger = ledger();
        let index = ledger.accept(daraja("a", 60));
        assert_eq!(ledger.reverse(index, "9", "taken back", EPOCH), Err(BookError::WrongState));
        ledger.pay(index, UTILITY, "R", EPOCH).unwrap();
        ledger.reverse(index, "9", "taken back", EPOCH).unwrap();
        assert_eq!(ledger.reverse(index, "9", "taken back", EPOCH), Err(BookError::WrongState));
        assert_eq!(held(&ledger), 100);
        assert_eq!(ledger.paid_to(Gateway::Daraja, PARTY, "KES"), 0.into());
        assert_eq!(ledger.moved(Gateway::Daraja, "a"), 1);
        let ways: Vec<_> = ledger.moves().iter().map(|moved| (moved.kind, moved.direction)).collect();
        assert_eq!(ways, [(MoveKind::Payment, Direction::Out), (MoveKind::Reversal, Direction::In)]);
        let reversed =
            PaymentState::Reversed { receipt: "R".into(), code: "9".into(), text: "taken back".into() };
        assert_eq!((&ledger.payments()[0].state, ledger.payments()[0].receipt()), (&reversed, None));
    }

    #[test]
    fn what_cannot_be_booked_says_why_and_changes_nothing() {
        let mut ledger = ledger();
        let index = ledger.accept(daraja("a", 10));
        assert_eq!(ledger.pay(index, "No Such Account", "R", EPOCH), Err(BookError::NoAccount));
        assert_eq!(ledger.pay(index + 1, UTILITY, "R", EPOCH), Err(BookError::NoPayment));
        let other = ledger.accept(Payment { currency: "UGX".into(), ..daraja("b", 10) });
        assert_eq!(ledger.pay(other, UTILITY, "R", EPOCH), Err(BookError::OtherCurrency));
        assert_eq!((ledger.payments()[index].state.clone(), held(&ledger)), (PaymentState::Accepted, 100));

        ledger.pay(index, UTILITY, "R", EPOCH).unwrap();
        assert_eq!(ledger.pay(index, UTILITY, "R", EPOCH), Err(BookError::WrongState));
        assert_eq!(ledger.refuse(index, "1", "no", EPOCH), Err(BookError::WrongState));
        assert_eq!((ledger.moves().len(), held(&ledger)), (1, 90));
    }
}
