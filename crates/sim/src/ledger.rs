mod book;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::gateways::Gateway;
use crate::payment::{Direction, Move, MoveKind, Payment};
pub(crate) use book::BookError;

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
    /// than 1 is the one thing that must never be, except for money that comes in: a payer may give it in parts, see
    /// [`paid_more_than_once`](Self::paid_more_than_once).
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

    /// How much came in for this payment: 0 as long as nothing did, or if it is one that goes out. A payer may give
    /// less than the payment's amount, or more, and what a payer gives later is a payment of its own.
    pub fn received(&self, payment: &Payment) -> Decimal {
        let theirs = self.moves.iter().filter(|moved| {
            moved.gateway == payment.gateway
                && moved.gateway_reference == payment.gateway_reference
                && moved.kind == MoveKind::Payment
                && moved.direction == Direction::In
        });
        theirs.fold(Decimal::ZERO, |sum, moved| sum.saturating_add(moved.amount))
    }

    /// The references for which one gateway moved money more than once, each named once. Money that comes in may come
    /// in parts: there it takes more than was first asked for under the reference. Payments without a reference are
    /// never among them: nothing tells a repetition from a second payment that was meant.
    pub fn paid_more_than_once(&self) -> Vec<(Gateway, &str)> {
        let mut sums = BTreeMap::<(Gateway, &str), (usize, Decimal)>::new();
        for moved in self.moves.iter().filter(|moved| moved.kind == MoveKind::Payment) {
            if let Some(reference) = &moved.reference {
                let (count, sum) = sums.entry((moved.gateway, reference)).or_default();
                *count += 1;
                *sum = sum.saturating_add(moved.amount);
            }
        }
        let too_much = |gateway, reference, sum| {
            let asked = self.find(gateway, reference);
            asked.is_none_or(|asked| asked.direction == Direction::Out || sum > asked.amount)
        };
        let repeated = sums
            .into_iter()
            .filter(|((gateway, reference), (count, sum))| *count > 1 && too_much(*gateway, reference, *sum));
        repeated.map(|(key, _)| key).collect()
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
}

#[cfg(test)]
mod tests {
    use malipo_core::Timestamp;

    use super::*;
    use crate::payment::PaymentState;

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
    fn money_that_comes_in_parts_is_paid_twice_once_it_is_too_much() {
        let mut ledger = ledger();
        let asked = Payment { direction: Direction::In, ..daraja("a", 1500) };
        let index = ledger.accept(asked.clone());
        assert_eq!(ledger.received(&asked), 0.into());
        ledger.pay_some(index, UTILITY, "R", 500.into(), EPOCH).unwrap();
        let rest = Payment { gateway_reference: "R2".into(), amount: 1000.into(), ..asked.clone() };
        paid(&mut ledger, rest.clone());
        assert_eq!((ledger.received(&asked), ledger.received(&rest)), (500.into(), 1000.into()));
        assert_eq!((ledger.moved(Gateway::Daraja, "a"), ledger.paid_more_than_once()), (2, vec![]));
        paid(&mut ledger, Payment { gateway_reference: "R3".into(), amount: 1.into(), ..asked });
        assert_eq!(ledger.paid_more_than_once(), [(Gateway::Daraja, "a")]);
        let out = daraja("b", 10);
        paid(&mut ledger, out.clone());
        assert_eq!(ledger.received(&out), 0.into(), "it went out");
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
