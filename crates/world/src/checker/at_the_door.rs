//! What reached a gateway, and what came from one.

use std::collections::BTreeMap;

use super::{Checker, Row, Since, Wrong};
use crate::violation::Invariant;
use crate::witness::Acknowledged;

impl Checker {
    /// Whatever arrived since the last look was committed by then, as often as it arrived.
    pub(super) fn at_the_door(&mut self, rows: &[Row]) -> Vec<Wrong> {
        let seen = self.witness.seen();
        let mut wrong = Vec::new();
        for (index, arrival) in seen.arrivals.iter().enumerate().skip(self.arrivals) {
            let row = rows.iter().find(|row| {
                row.payment.reference == arrival.reference && row.payment.provider == arrival.provider
            });
            let committed = row.map_or(0, |row| row.attempts.len());
            let so_far = seen.arrivals.iter().take(index + 1);
            let sent = so_far.filter(|one| one.entered && one.reference == arrival.reference).count();
            let what = format!("{} reached {} {sent} times", arrival.reference, arrival.provider);
            if committed == 0 {
                let what = format!("{what}, and no attempt of it is committed");
                wrong.push(Wrong::new(Invariant::NoPhantom, what));
            } else if sent > committed {
                let what = format!("{what}, and {committed} attempts of it are committed");
                wrong.push(Wrong::new(Invariant::Fenced, what));
            }
        }
        self.arrivals = seen.arrivals.len();
        // Each attempt is given to one worker, once.
        let mut winners = BTreeMap::<_, usize>::new();
        for (payment, attempt, _) in &seen.begun {
            *winners.entry((*payment, *attempt)).or_default() += 1;
        }
        let several = winners.into_iter().filter(|(_, count)| *count > 1);
        wrong.extend(several.map(|((payment, attempt), count)| {
            let what = format!("attempt {attempt} of payment {payment} was given out {count} times");
            Wrong::new(Invariant::Fenced, what)
        }));
        wrong
    }

    /// What was answered with success is in the file, body for body.
    pub(super) fn acknowledged(&mut self, since: Since) -> Vec<Wrong> {
        let from = match since {
            Since::Last => self.acknowledged,
            Since::Ever => 0,
        };
        let acknowledged: Vec<Acknowledged> =
            self.witness.seen().acknowledged.iter().skip(from).cloned().collect();
        self.acknowledged = from + acknowledged.len();
        if acknowledged.is_empty() {
            return Vec::new();
        }
        let kept = match self.books.deliveries() {
            Ok(kept) => kept,
            Err(wrong) => return vec![wrong],
        };
        let bodies: Vec<_> = kept.iter().filter_map(|kept| kept.delivery().ok().flatten()).collect();
        let lost = acknowledged
            .into_iter()
            .filter(|one| !bodies.iter().any(|kept| kept.body.bytes() == one.body.as_slice()));
        lost.map(|one| {
            let what = format!("the callback {} was answered with success and is not kept", one.reference);
            Wrong::new(Invariant::AckedMeansStored, what)
        })
        .collect()
    }
}
