//! What reached a gateway, and what came from one.

use std::collections::BTreeMap;

use malipo::DeliveryPurpose;
use malipo::journal::{PaymentState, StoredDelivery};

use super::{Checker, Row, Since, Wrong};
use crate::run::ACCOUNT;
use crate::violation::Invariant;
use crate::witness::{Acknowledged, Arrival};

impl Checker {
    /// Whatever arrived since the last look was committed by then: its newest attempt is under way, and had not arrived.
    pub(super) fn at_the_door(&mut self, rows: &[Row]) -> Vec<Wrong> {
        let seen = self.witness.seen();
        let mut wrong = Vec::new();
        for arrival in seen.arrivals.iter().skip(self.arrivals) {
            let Arrival { reference, provider, operation, .. } = arrival;
            let ours = |row: &&Row| row.payment.reference == *reference && row.payment.provider == *provider;
            let row = rows.iter().find(ours);
            let Some((payment, attempt)) = row.and_then(|row| Some((&row.payment, row.attempts.last()?)))
            else {
                let what = format!("{reference} reached {provider}, and no attempt of it is committed");
                wrong.push(Wrong::new(Invariant::NoPhantom, what));
                continue;
            };
            let leaving = attempt.end.is_none() && attempt.operation == *operation;
            // A step of a payment leaves its state as it is.
            let leaving =
                leaving && (*operation != payment.operation || payment.state() == PaymentState::Sending);
            let this = (payment.id, attempt.number);
            if !leaving || self.arrived.contains(&this) {
                let what = format!(
                    "{reference} reached {provider} while it was {}, and attempt {} of it {}",
                    payment.state(),
                    attempt.number,
                    if leaving { "had arrived before" } else { "was not leaving" }
                );
                wrong.push(Wrong::new(Invariant::Fenced, what));
            }
            if arrival.entered {
                self.arrived.insert(this);
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

    /// What was answered with success is in the file: body for body, and address for address.
    pub(super) fn acknowledged(&mut self, rows: &[Row], since: Since) -> Vec<Wrong> {
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
        let lost =
            acknowledged.into_iter().filter(|one| !kept.iter().any(|kept| self.is_kept(one, kept, rows)));
        lost.map(|one| {
            let what = format!("the callback {} was answered with success and is not kept", one.reference);
            Wrong::new(Invariant::AckedMeansStored, what)
        })
        .collect()
    }

    fn is_kept(&self, posted: &Acknowledged, kept: &StoredDelivery, rows: &[Row]) -> bool {
        let Ok(Some(delivery)) = kept.delivery() else { return false };
        let Some(PostedTo { account, payment, purpose }) = PostedTo::read(&posted.path) else { return false };
        // There is one account, and a payment of number 0 is none.
        let addressed = rows.iter().find(|row| row.payment.id.0 == payment).map(|row| &row.payment.reference);
        delivery.body.bytes() == posted.body.as_slice()
            && account == ACCOUNT
            && self.orders.iter().all(|order| order.account == kept.provider)
            && addressed == kept.addressed.as_ref()
            && purpose == kept.purpose
    }
}

/// Where a callback was posted to, as far as it says what it is about. Read here once more, in order not to ask those
/// who are checked.
struct PostedTo {
    account: u32,
    payment: u64,
    purpose: DeliveryPurpose,
}

impl PostedTo {
    fn read(path: &str) -> Option<Self> {
        let mut parts = path.rsplit('/').skip(1);
        let purpose = match parts.next()? {
            "1" => DeliveryPurpose::Result,
            "2" => DeliveryPurpose::Timeout,
            "3" => DeliveryPurpose::Answer,
            "4" => DeliveryPurpose::AnswerTimeout,
            "6" => DeliveryPurpose::Notice,
            _ => return None,
        };
        let payment = parts.next()?.parse().ok()?;
        Some(Self { account: parts.next()?.parse().ok()?, payment, purpose })
    }
}
