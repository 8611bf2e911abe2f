//! Ends, and the events that tell them.

use std::collections::BTreeMap;

use malipo::Reference;
use malipo::journal::{EventKind, Payment, PaymentState};
use malipo_sim::{Gateway, MoveKind, Payment as Entry, PaymentState as Decided};

use super::{Checker, Row, Wrong};
use crate::violation::Invariant;

impl Checker {
    /// Events are only added; they follow from each other and lead to the row; and each end is told once.
    pub(super) fn events(&mut self, rows: &[Row]) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        for Row { payment, history, attempts } in rows {
            let mut say = |invariant, what: String| {
                wrong.push(Wrong::new(invariant, format!("payment {}: {what}", payment.id)));
            };
            let past = self.past.insert(payment.id, history.clone()).unwrap_or_default();
            if history.get(..past.len()) != Some(past.as_slice()) {
                say(Invariant::Monotone, "an event was changed or is gone".into());
            }
            let mut state = PaymentState::Recorded;
            for (number, event) in (1_u64..).zip(history) {
                if event.sequence != number || event.from != state {
                    let what = format!(
                        "event {} goes from {} where {number} goes from {state}",
                        event.sequence, event.from
                    );
                    say(Invariant::Monotone, what);
                }
                state = event.to;
            }
            let begun =
                history.iter().filter(|event| event.to == PaymentState::Sending && event.from != event.to);
            let begun = begun.count();
            // A step of a payment is an attempt that changes no state.
            let made = attempts.iter().filter(|attempt| attempt.operation == payment.operation).count();
            if state != payment.state() || begun != made {
                let what = format!(
                    "events lead to {state} with {begun} attempts, the row says {} with {}",
                    payment.state(),
                    made
                );
                say(Invariant::Monotone, what);
            }
            for end in PaymentState::ALL.iter().filter(|state| state.is_final()) {
                let told = history.iter().filter(|event| event.outcome() == Some(*end)).count();
                if told > 1 || (*end == payment.state() && told == 0) {
                    say(Invariant::EffectOnce, format!("{told} events tell that it is {end}"));
                }
            }
            if history.first().is_none_or(|event| event.kind != EventKind::Opened) {
                say(Invariant::Monotone, "it was never opened".into());
            }
        }
        wrong
    }

    /// Whether the end of a payment was told to who acts on it, if it has come.
    pub(crate) fn is_told(&self, payment: &Payment) -> bool {
        let end = (payment.id, payment.state());
        !payment.state().is_final() || self.witness.seen().told.values().any(|told| *told == end)
    }

    /// At rest every end was told to who acts on it, once.
    pub(super) fn told(&self, rows: &[Row]) -> Vec<Wrong> {
        let told = self.witness.seen().told.clone();
        let count = |row: &Row| {
            let end = (row.payment.id, row.payment.state());
            told.values().filter(|told| **told == end).count()
        };
        let wrong = rows.iter().filter(|row| row.payment.state().is_final() && count(row) != 1);
        wrong
            .map(|row| {
                let what = format!("{} events told of the end of payment {}", count(row), row.payment.id);
                Wrong::new(Invariant::EffectOnce, what)
            })
            .collect()
    }

    /// Nobody is paid twice, and what is called over is over.
    pub(super) fn finals(&self, rows: &[Row]) -> Vec<Wrong> {
        let ledger = self.sim.ledger();
        let names = self.names();
        let mut wrong = Vec::new();
        let mut moved = BTreeMap::<_, usize>::new();
        for one in ledger.moves().iter().filter(|one| one.kind == MoveKind::Payment) {
            let reference = names.get(&(one.gateway, one.gateway_reference.clone()));
            let row = rows.iter().find(|row| Some(&row.payment.reference) == reference);
            match row {
                Some(row) => *moved.entry(row.payment.key.clone()).or_default() += 1,
                None => wrong.push(Wrong::new(
                    Invariant::NoPhantom,
                    format!("{} moved money and no payment of ours knows of it", one.gateway_reference),
                )),
            }
        }
        let twice = moved.into_iter().filter(|(_, count)| *count > 1);
        wrong.extend(twice.map(|(key, count)| {
            Wrong::new(Invariant::NoDoublePay, format!("money moved {count} times for {key}"))
        }));
        for row in rows {
            let theirs = ledger.payments().iter().filter(|entry| {
                names.get(&(entry.gateway, entry.gateway_reference.clone())) == Some(&row.payment.reference)
            });
            let theirs: Vec<_> = theirs.filter(|entry| was_paid(entry)).collect();
            let right = match row.payment.state() {
                PaymentState::Paid | PaymentState::Reversed => {
                    matches!(theirs.as_slice(), [entry] if self.is_as_asked(row, entry))
                }
                PaymentState::Failed | PaymentState::Cancelled => theirs.is_empty(),
                _ => true,
            };
            if !right {
                let (id, state) = (row.payment.id, row.payment.state());
                let what = format!("payment {id} is {state}, and the ledger has {theirs:?}");
                wrong.push(Wrong::new(Invariant::NoFalseFinal, what));
            }
        }
        wrong
    }

    /// What we call the payments that the gateways accepted.
    pub(super) fn names(&self) -> BTreeMap<(Gateway, String), Reference> {
        let seen = self.witness.seen();
        let accepted = seen.arrivals.iter().flat_map(|arrival| {
            arrival
                .accepted
                .iter()
                .filter_map(|theirs| Some(((arrival.gateway?, theirs.clone()), arrival.reference.clone())))
        });
        accepted.collect()
    }
}

/// Whether a gateway moved money for it.
pub(super) fn was_paid(entry: &Entry) -> bool {
    matches!(entry.state, Decided::Paid { .. } | Decided::Reversed { .. })
}
