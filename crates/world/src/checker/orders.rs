//! What was asked for, row by row: it is all there, it is nothing else, and the gateways moved that and no more.

use std::collections::BTreeMap;

use malipo::journal::{Payment, PaymentState};
use malipo_sim::{MoveKind, Payment as Entry};
use rust_decimal::Decimal;

use super::{Checker, Row, Wrong};
use crate::orders::Order;
use crate::violation::Invariant;

impl Checker {
    /// What somebody was told is written down is there.
    pub(super) fn written(&self, rows: &[Row]) -> Vec<Wrong> {
        let written = self.witness.seen().written.clone();
        let lost = written.into_iter().filter(|id| !rows.iter().any(|row| row.payment.id == *id));
        lost.map(|id| Wrong::new(Invariant::Conserved, format!("payment {id} was written down and is gone")))
            .collect()
    }

    /// Every row is of an order, with its account, amount, party and operation.
    pub(super) fn asked_for(&self, rows: &[Row]) -> Vec<Wrong> {
        let wrong =
            rows.iter().filter(|row| !self.order(&row.payment).is_some_and(|order| is_of(row, order)));
        wrong
            .map(|Row { payment, .. }| {
                let what = format!(
                    "payment {} of {} is over {}: nobody asked for that",
                    payment.id, payment.key, payment.amount
                );
                Wrong::new(Invariant::Conserved, what)
            })
            .collect()
    }

    /// At rest every order has its row, whoever died, and one row of each generation.
    pub(super) fn all_there(&self, rows: &[Row]) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        for order in &self.orders {
            let of = rows.iter().filter(|row| row.payment.key == order.key);
            let generations: Vec<_> = of.map(|row| row.payment.generation.0).collect();
            let expected: Vec<_> = (1..).take(generations.len().max(1)).collect();
            if generations != expected {
                let what = format!("{} was asked for, and its payments are {generations:?}", order.key);
                wrong.push(Wrong::new(Invariant::Conserved, what));
            }
        }
        wrong
    }

    /// What the gateways moved is what is paid, payment by payment. What waits for a person may have moved.
    pub(super) fn moved(&self, rows: &[Row]) -> Vec<Wrong> {
        let names = self.names();
        let mut moved = BTreeMap::<_, Decimal>::new();
        let mut wrong = Vec::new();
        for one in self.sim.ledger().moves() {
            let name = names.get(&(one.gateway, one.gateway_reference.clone()));
            let row = rows.iter().find(|row| Some(&row.payment.reference) == name);
            let Some(Row { payment, .. }) =
                row.filter(|row| row.payment.amount.currency().code() == one.currency)
            else {
                let what = format!("{} of {} moved, and are no payment's", one.amount, one.currency);
                wrong.push(Wrong::new(Invariant::Conserved, what));
                continue;
            };
            let sum = moved.entry(payment.id).or_default();
            *sum = match one.kind {
                MoveKind::Reversal => sum.saturating_sub(one.amount),
                _ => sum.saturating_add(one.amount),
            };
        }
        for Row { payment, .. } in rows {
            let moved = moved.get(&payment.id).copied().unwrap_or_default();
            let whole = payment.amount.amount();
            let fits = match payment.state() {
                PaymentState::Paid => moved == whole,
                state if state.is_final() => moved == Decimal::ZERO,
                _ => moved == Decimal::ZERO || moved == whole,
            };
            if !fits {
                let (id, state) = (payment.id, payment.state());
                let what = format!("payment {id} of {whole} is {state}, and {moved} were moved");
                wrong.push(Wrong::new(Invariant::Conserved, what));
            }
        }
        wrong
    }

    /// Whether a gateway's entry has the amount and the party of the order that a row is of.
    pub(super) fn is_as_asked(&self, row: &Row, entry: &Entry) -> bool {
        self.order(&row.payment).is_some_and(|order| {
            entry.amount == order.amount.amount()
                && entry.currency == order.amount.currency().code()
                && entry.party == order.party
        })
    }

    fn order(&self, payment: &Payment) -> Option<&Order> {
        self.orders.iter().find(|order| order.key == payment.key)
    }
}

fn is_of(Row { payment, .. }: &Row, order: &Order) -> bool {
    let kept = payment.instruction().ok().flatten();
    payment.provider == order.account
        && payment.operation == order.instruction.operation()
        && payment.amount == order.amount
        && kept.is_some_and(|kept| order.asks_for(&kept))
}
