//! What a comparison found, and how it is told.

use std::collections::{BTreeMap, BTreeSet};

use malipo_sim::Gateway;

use crate::check::Run;

/// How many violations are told one by one.
const TOLD: usize = 20;

/// What the books and the ledger say together.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) rows: BTreeMap<Gateway, Row>,
    pub(crate) paid_twice: usize,
    pub(crate) lost: usize,
    pub(crate) stuck: usize,
    /// Money that moved and that no payment stands for.
    pub(crate) unexplained: usize,
    /// Attempts that somebody else had to give up as unknown.
    pub(crate) swept: usize,
    /// The lives that were killed while they sent.
    pub(crate) in_a_send: BTreeSet<String>,
    /// The lives that were killed while they took a delivery.
    pub(crate) in_a_delivery: BTreeSet<String>,
    pub(crate) posted: usize,
    pub(crate) answered: usize,
    pub(crate) refused: usize,
    pub(crate) unheard: usize,
    pub(crate) violations: Vec<String>,
}

/// One gateway.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) orders: usize,
    pub(crate) paid: usize,
    pub(crate) failed: usize,
    pub(crate) review: usize,
    /// Those of `review` that never reached the gateway: it turned them away, or they waited for their turn.
    pub(crate) held_back: usize,
    pub(crate) moved: usize,
    pub(crate) attempts: usize,
    pub(crate) sent: usize,
}

impl Findings {
    /// Tells a person.
    pub(crate) fn tell(&self, run: &Run) {
        let columns = ["orders", "paid", "failed", "review", "held back", "moved", "attempts", "sent"];
        anstream::println!("\n{:<10}{}", "", columns.map(|name| format!("{name:>10}")).concat());
        for (gateway, row) in &self.rows {
            let judged = [row.orders, row.paid, row.failed, row.review, row.held_back];
            let numbers = judged.into_iter().chain([row.moved, row.attempts, row.sent]);
            anstream::println!(
                "{:<10}{}",
                gateway.as_str(),
                numbers.map(|number| format!("{number:>10}")).collect::<String>()
            );
        }
        let both = self.in_a_send.union(&self.in_a_delivery).count();
        let neither = run.killed.len().saturating_sub(both);
        let (sends, deliveries) = (self.in_a_send.len(), self.in_a_delivery.len());
        anstream::println!(
            "\nkills {}: {sends} hit a send, {deliveries} a delivery, {neither} neither; {} attempts were swept",
            run.killed.len(),
            self.swept
        );
        anstream::println!(
            "deliveries {}: {} answered 200, {} refused, {} found nobody or lost their answer",
            self.posted,
            self.answered,
            self.refused,
            self.unheard
        );
        anstream::println!(
            "paid twice: {}  lost: {}  stuck: {}  unexplained: {}  took {} s  seed {}",
            self.paid_twice,
            self.lost,
            self.stuck,
            self.unexplained,
            run.took.as_secs(),
            run.seed
        );
        for violation in self.violations.iter().take(TOLD) {
            anstream::println!("  {violation}");
        }
        match self.violations.len() {
            0 => anstream::println!("ledger and books agree"),
            many => anstream::println!("LEDGER AND BOOKS DISAGREE: {many} violations"),
        }
    }
}
