//! How the gateways keep their books.

use malipo_core::Timestamp;
use rust_decimal::Decimal;

use super::{Account, Ledger};
use crate::gateways::Gateway;
use crate::payment::{Direction, Move, MoveKind, Payment, PaymentState};

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
