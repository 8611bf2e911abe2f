//! What a run must have done at the least: where nothing happens, nothing goes wrong.

use crate::check::Run;
use crate::findings::Findings;

/// From how many orders on a gateway must have paid some of them.
const ORDERS: usize = 20;
/// From how many kills on one must have hit a send.
const KILLS: usize = 20;
/// The most payments of one gateway that may have reached it and be left to a person, in a hundred. Kyanda, which takes
/// no reference, leaves most: about three in ten, while workers die all the time. What was held back does not count here:
/// a gateway that turns a worker away as too fast is used slowly for a minute, and the payments that wait then are older
/// than any may be here.
const REVIEW: usize = 60;
/// The most payments of all gateways together that may be left to a person, for whatever reason, in a hundred.
const REVIEW_OF_ALL: usize = 75;

/// Holds a run against them.
pub(crate) fn hold(run: &Run, findings: &mut Findings) {
    if findings.rows.values().all(|row| row.paid == 0) {
        findings.violations.push("TOO LITTLE: nothing was paid at all".to_owned());
    }
    for (gateway, row) in findings.rows.iter().filter(|(_, row)| row.orders >= ORDERS) {
        if row.paid == 0 {
            let orders = row.orders;
            findings.violations.push(format!("TOO LITTLE: {gateway} paid none of {orders} orders"));
        }
        let (review, orders) = (row.review.saturating_sub(row.held_back), row.orders);
        if review * 100 > orders * REVIEW {
            findings
                .violations
                .push(format!("TOO LITTLE: {gateway} left {review} of {orders} orders to a person"));
        }
    }
    let orders: usize = findings.rows.values().map(|row| row.orders).sum();
    let review: usize = findings.rows.values().map(|row| row.review).sum();
    if orders >= ORDERS && review * 100 > orders * REVIEW_OF_ALL {
        findings.violations.push(format!("TOO LITTLE: {review} of {orders} orders were left to a person"));
    }
    if run.killed.len() >= KILLS && findings.in_a_send.is_empty() {
        let kills = run.killed.len();
        findings.violations.push(format!("TOO LITTLE: none of {kills} kills hit a send"));
    }
}
