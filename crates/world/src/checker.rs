//! Holds what the journal's file says against what the gateways' ledger says.

mod at_the_door;
mod books;
mod ends;
mod money;
mod orders;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use malipo::Env as _;
use malipo::journal::{Attempt, Event, PaymentId, PaymentState};
use malipo_sim::World;

use crate::clock::Clock;
use crate::orders::Order;
use crate::unbuilt::Unbuilt;
use crate::violation::{Invariant, Violation};
use crate::witness::Witness;
pub(crate) use books::{Books, Row};

/// What is wrong, before it is told when.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) invariant: Invariant,
    pub(crate) what: String,
}

impl Wrong {
    pub(crate) fn new(invariant: Invariant, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }
}

/// Reads the file with a connection of its own: it believes no process.
#[derive(Debug)]
pub(crate) struct Checker {
    books: Books,
    sim: World,
    clock: Clock,
    witness: Witness,
    /// What was asked for: all that there may be, and all that there has to be.
    orders: Vec<Order>,
    /// The attempts that reached a gateway.
    arrived: BTreeSet<(PaymentId, Attempt)>,
    /// How much of what the witness has was held against the books already.
    arrivals: usize,
    acknowledged: usize,
    /// The events of each payment when they were last read.
    past: BTreeMap<PaymentId, Vec<Event>>,
}

impl Checker {
    pub(crate) fn new(
        file: &Path,
        sim: World,
        clock: Clock,
        witness: Witness,
        orders: Vec<Order>,
    ) -> Result<Self, Unbuilt> {
        let books = Books::open(file, Arc::new(clock.clone()))?;
        let (arrived, past) = (BTreeSet::new(), BTreeMap::new());
        Ok(Self { books, sim, clock, witness, orders, arrived, arrivals: 0, acknowledged: 0, past })
    }

    /// After every turn in which anything was committed, arrived or was answered.
    pub(crate) fn after_turn(&mut self) -> Vec<Violation> {
        if !std::mem::take(&mut self.witness.seen().changed) {
            return Vec::new();
        }
        let wrong = match self.rows() {
            Err(wrong) => vec![wrong],
            Ok(rows) => {
                let mut wrong = self.at_the_door(&rows);
                wrong.extend(self.acknowledged(&rows, Since::Last));
                wrong.extend(self.events(&rows));
                wrong.extend(self.finals(&rows));
                wrong.extend(self.written(&rows));
                wrong.extend(self.asked_for(&rows));
                wrong
            }
        };
        self.tell(wrong)
    }

    /// When nothing moves any more.
    pub(crate) fn at_rest(&mut self) -> Vec<Violation> {
        self.witness.seen().changed = true;
        let mut told = self.after_turn();
        let wrong = match self.rows() {
            Err(wrong) => vec![wrong],
            Ok(rows) => {
                let mut wrong = self.acknowledged(&rows, Since::Ever);
                wrong.extend(self.all_there(&rows));
                wrong.extend(self.moved(&rows));
                wrong.extend(self.told(&rows));
                let stuck = rows.iter().filter(|row| !rests(row.payment.state()));
                wrong.extend(stuck.map(|row| {
                    Wrong::new(
                        Invariant::Rests,
                        format!("payment {} is {}", row.payment.id, row.payment.state()),
                    )
                }));
                wrong
            }
        };
        told.extend(self.tell(wrong));
        told
    }

    /// Every payment as it stands in the file.
    pub(crate) fn rows(&self) -> Result<Vec<Row>, Wrong> {
        self.books.rows()
    }

    /// Violations of now.
    pub(crate) fn tell(&self, wrong: Vec<Wrong>) -> Vec<Violation> {
        let (at, timeline) = (self.clock.monotonic(), self.witness.timeline());
        let told = wrong.into_iter();
        told.map(|Wrong { invariant, what }| Violation { invariant, what, at, timeline: timeline.clone() })
            .collect()
    }
}

/// How far back to look. Since the last look, or since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    Last,
    Ever,
}

/// Whether nothing more has to happen to a payment.
pub(crate) fn rests(state: PaymentState) -> bool {
    state.is_final() || state == PaymentState::Review
}
