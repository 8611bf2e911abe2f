use std::collections::BTreeMap;
use std::error::Error;

use malipo::journal::{Filter, Journal, Payment, PaymentId, PaymentState};
use malipo_sim::{Gateway, Ledger, MoveKind};

/// How our books and the gateway's ledger compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) paid_in_books: usize,
    pub(crate) paid_in_ledger: usize,
    pub(crate) refused: usize,
    pub(crate) open: usize,
    /// To how many people money moved more often than the story has it: nobody is paid by two orders.
    pub(crate) paid_twice: usize,
    /// What the two do not agree on, in words.
    pub(crate) unexplained: Vec<String>,
}

/// More payments than the demonstration makes.
const ALL: u32 = 1000;
/// What holds every payment once.
const EVERY: [Filter; 5] = [
    Filter::Open,
    Filter::In(PaymentState::Paid),
    Filter::In(PaymentState::Failed),
    Filter::In(PaymentState::Reversed),
    Filter::In(PaymentState::Cancelled),
];

/// Every payment that the journal knows.
pub(crate) async fn books(journal: &dyn Journal) -> Result<Vec<Payment>, Box<dyn Error>> {
    let mut books = Vec::new();
    for filter in EVERY {
        books.extend(journal.list(filter, PaymentId(0), ALL).await?);
    }
    Ok(books)
}

impl Comparison {
    /// Compares every payment with the gateway's ledger, in both directions.
    pub(crate) fn of(books: &[Payment], ledger: &Ledger, gateway: Gateway) -> Self {
        let mut paid = BTreeMap::<_, usize>::new();
        for moved in ledger.moves().iter().filter(|moved| moved.kind == MoveKind::Payment) {
            *paid.entry(moved.party.as_str()).or_default() += 1;
        }
        let mut comparison = Self {
            paid_in_books: 0,
            paid_in_ledger: paid.values().sum(),
            refused: 0,
            open: 0,
            paid_twice: paid.values().filter(|times| **times > 1).count(),
            unexplained: Vec::new(),
        };
        for ours in books {
            let reference = ours.reference.as_str();
            let theirs = ledger.find(gateway, reference);
            let moved = ledger.moved(gateway, reference);
            let agrees = match ours.state() {
                PaymentState::Paid => {
                    comparison.paid_in_books += 1;
                    moved == 1
                        && ours.receipt.is_some()
                        && theirs.and_then(|theirs| theirs.receipt()) == ours.receipt.as_deref()
                        && theirs.map(|theirs| theirs.amount) == Some(ours.amount.amount())
                }
                PaymentState::Failed | PaymentState::Cancelled | PaymentState::Reversed => {
                    comparison.refused += 1;
                    moved == 0
                }
                _ => {
                    comparison.open += 1;
                    false
                }
            };
            if !agrees {
                let (key, state) = (&ours.key, ours.state());
                let known = format!("{key}: our books say {state}, the ledger moved it {moved} times");
                comparison.unexplained.push(known);
            }
        }
        let is_ours = |reference| books.iter().any(|ours| Some(ours.reference.as_str()) == reference);
        let strangers = ledger.payments().iter().filter(|theirs| !is_ours(theirs.reference.as_deref()));
        comparison
            .unexplained
            .extend(strangers.map(|theirs| format!("{}: not in our books", theirs.gateway_reference)));
        comparison
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.paid_twice == 0 && self.unexplained.is_empty()
    }
}
