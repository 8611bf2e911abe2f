use std::collections::BTreeMap;

use malipo::{Money, Reference, Report, State};
use malipo_sim::{Gateway, Ledger, MoveKind};

/// What we know of our payments, and nothing that the gateway's ledger knows.
#[derive(Debug, Default)]
pub(crate) struct Books(BTreeMap<Reference, Entry>);

#[derive(Debug)]
struct Entry {
    amount: Money,
    outcome: Outcome,
}

/// What became of a payment, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was taken, or may have been: nobody has told us how it ended.
    Open,
    /// It was paid, with this receipt.
    Paid(String),
    /// It was not paid and will not be.
    Refused,
}

/// How our books and the gateway's ledger compare.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) paid_in_books: usize,
    pub(crate) paid_in_ledger: usize,
    pub(crate) refused: usize,
    pub(crate) open: usize,
    pub(crate) paid_twice: usize,
    /// What the two do not agree on, in words.
    pub(crate) unexplained: Vec<String>,
}

impl Comparison {
    pub(crate) fn is_clean(&self) -> bool {
        self.paid_twice == 0 && self.unexplained.is_empty()
    }
}

impl Books {
    /// Writes down a payment before it is sent.
    pub(crate) fn open(&mut self, reference: Reference, amount: Money) {
        self.0.insert(reference, Entry { amount, outcome: Outcome::Open });
    }

    /// Writes down that a payment was refused before anything was started.
    pub(crate) fn refuse(&mut self, reference: &Reference) {
        if let Some(entry) = self.0.get_mut(reference) {
            entry.outcome = Outcome::Refused;
        }
    }

    /// Takes in what a callback claims, if it agrees with what we asked for. Gives back how the payment stands now, or
    /// why the claim is not believed.
    pub(crate) fn bind(&mut self, reference: &Reference, report: &Report) -> Result<Outcome, String> {
        let entry = self.0.get_mut(reference).ok_or_else(|| format!("{reference} is no payment of ours"))?;
        if report.reference.as_ref() != Some(reference) {
            return Err(format!("it came for {reference} and speaks of {:?}", report.reference));
        }
        let outcome = match report.state {
            State::Settled if report.amount != Some(entry.amount) => {
                return Err(format!("it speaks of {:?} instead of {}", report.amount, entry.amount));
            }
            State::Settled => Outcome::Paid(report.receipt.clone().unwrap_or_default()),
            State::Failed | State::Reversed => Outcome::Refused,
            State::Pending => Outcome::Open,
        };
        if entry.outcome != Outcome::Open && entry.outcome != outcome {
            return Err(format!("it says {outcome:?}, and we were told {:?} before", entry.outcome));
        }
        entry.outcome = outcome;
        Ok(entry.outcome.clone())
    }

    /// Compares every payment with the gateway's ledger, in both directions.
    pub(crate) fn compare(&self, ledger: &Ledger, gateway: Gateway) -> Comparison {
        let mut comparison = Comparison {
            paid_in_books: 0,
            paid_in_ledger: ledger.moves().iter().filter(|moved| moved.kind == MoveKind::Payment).count(),
            refused: 0,
            open: 0,
            paid_twice: ledger.paid_more_than_once().len(),
            unexplained: Vec::new(),
        };
        for (reference, entry) in &self.0 {
            let payment = ledger.find(gateway, reference.as_str());
            let moved = ledger.moved(gateway, reference.as_str());
            let receipt = payment.and_then(|payment| payment.receipt());
            let amount = payment.map(|payment| payment.amount);
            let agrees = match &entry.outcome {
                Outcome::Paid(told) => {
                    comparison.paid_in_books += 1;
                    moved == 1 && receipt == Some(told.as_str()) && amount == Some(entry.amount.amount())
                }
                Outcome::Refused => {
                    comparison.refused += 1;
                    moved == 0
                }
                Outcome::Open => {
                    comparison.open += 1;
                    false
                }
            };
            if !agrees {
                let known =
                    format!("{reference}: we know {:?}, the ledger moved it {moved} times", entry.outcome);
                comparison.unexplained.push(known);
            }
        }
        let strangers = ledger.payments().iter().filter(|payment| !self.has(payment.reference.as_deref()));
        comparison
            .unexplained
            .extend(strangers.map(|payment| format!("{}: not ours", payment.gateway_reference)));
        comparison
    }

    fn has(&self, reference: Option<&str>) -> bool {
        self.0.keys().any(|known| Some(known.as_str()) == reference)
    }
}
