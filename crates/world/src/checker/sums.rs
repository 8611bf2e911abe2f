//! Sums, in exact decimals, by account and currency.

use std::collections::{BTreeMap, BTreeSet};

use malipo::journal::PaymentState;
use malipo::{Money, ProviderId};
use malipo_sim::{Gateway, MoveKind};
use rust_decimal::Decimal;

use super::{Checker, Row, Wrong};
use crate::violation::Invariant;

/// An account and a currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Purse(ProviderId, String);

impl Purse {
    fn of(provider: &ProviderId, amount: Money) -> Self {
        Self(provider.clone(), amount.currency().code().to_owned())
    }
}

/// What adds up in each purse.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums(BTreeMap<Purse, Decimal>);

impl Sums {
    fn of(amounts: impl IntoIterator<Item = (ProviderId, Money)>) -> Self {
        let mut sums = Self::default();
        for (provider, amount) in amounts {
            let sum = sums.0.entry(Purse::of(&provider, amount)).or_default();
            *sum = sum.saturating_add(amount.amount());
        }
        sums
    }

    fn in_purse(&self, purse: &Purse) -> Decimal {
        self.0.get(purse).copied().unwrap_or_default()
    }
}

impl Checker {
    /// What somebody was told is written down is there, with its amount.
    pub(super) fn intents(&self, rows: &[Row]) -> Vec<Wrong> {
        let intents = self.witness.seen().intents.clone();
        let known: BTreeSet<_> = intents.iter().map(|intent| intent.payment).collect();
        let asked = Sums::of(intents.into_iter().map(|intent| (intent.provider, intent.amount)));
        let rows = rows.iter().filter(|row| known.contains(&row.payment.id));
        let kept = Sums::of(rows.map(|row| (row.payment.provider.clone(), row.payment.amount)));
        if asked == kept {
            return Vec::new();
        }
        vec![Wrong::new(Invariant::Conserved, format!("asked for were {asked:?}, kept are {kept:?}"))]
    }

    /// What the gateways moved is what is paid, but for what waits for a person.
    pub(super) fn moved(&self, rows: &[Row]) -> Vec<Wrong> {
        let with = |wanted: fn(PaymentState) -> bool| {
            let rows = rows.iter().filter(|row| wanted(row.payment.state()));
            Sums::of(rows.map(|row| (row.payment.provider.clone(), row.payment.amount)))
        };
        let paid = with(|state| state == PaymentState::Paid);
        let open = with(|state| !state.is_final());
        let moved = self.moved_by_gateways();
        let purses: BTreeSet<_> = paid.0.keys().chain(open.0.keys()).chain(moved.keys()).cloned().collect();
        let wrong = purses.into_iter().filter_map(|purse| {
            let moved = moved.get(&purse).copied().unwrap_or_default();
            let (paid, open) = (paid.in_purse(&purse), open.in_purse(&purse));
            let fits = paid <= moved && moved <= paid.saturating_add(open);
            (!fits).then(|| format!("{purse:?}: {moved} were moved, {paid} are paid and {open} are open"))
        });
        wrong.map(|what| Wrong::new(Invariant::Conserved, what)).collect()
    }

    fn moved_by_gateways(&self) -> BTreeMap<Purse, Decimal> {
        let accounts: BTreeMap<Gateway, ProviderId> = {
            let seen = self.witness.seen();
            let known = seen.arrivals.iter();
            known.filter_map(|arrival| Some((arrival.gateway?, arrival.provider.clone()))).collect()
        };
        let mut moved = BTreeMap::<Purse, Decimal>::new();
        for one in self.sim.ledger().moves() {
            let Some(provider) = accounts.get(&one.gateway) else { continue };
            let sum = moved.entry(Purse(provider.clone(), one.currency.clone())).or_default();
            *sum = match one.kind {
                MoveKind::Reversal => sum.saturating_sub(one.amount),
                _ => sum.saturating_add(one.amount),
            };
        }
        moved
    }
}
