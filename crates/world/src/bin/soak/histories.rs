//! What the books tell of each payment, from its first event to its last.

use std::collections::{BTreeMap, BTreeSet};

use malipo::journal::{Event, EventKind, PaymentId, PaymentState};

use crate::check::{Kept, Run};
use crate::findings::Findings;

/// What was read of one payment so far.
#[derive(Default)]
struct History {
    last: u64,
    state: Option<PaymentState>,
    ends: usize,
}

/// Events have no gap, each begins where the one before it ended, the last one ends where the payment stands, and an end
/// is told once. The lives that were killed while they sent are those whose attempts had to be swept.
pub(crate) fn follow(told: &[Event], kept: &[Kept], run: &Run, findings: &mut Findings) {
    let mut known: BTreeMap<PaymentId, History> = BTreeMap::new();
    let mut swept = BTreeSet::new();
    for event in told {
        let (payment, sequence) = (event.payment, event.sequence);
        let history = known.entry(payment).or_default();
        if sequence != history.last + 1 {
            findings.violations.push(format!("GAP: payment {payment} goes on with event {sequence}"));
        }
        if let Some(before) = history.state.filter(|before| *before != event.from) {
            let from = event.from;
            findings.violations.push(format!(
                "BROKEN: event {sequence} of payment {payment} finds it {from}, left {before}"
            ));
        }
        history.last = sequence;
        history.state = Some(event.to);
        history.ends += usize::from(event.outcome().is_some());
        if event.kind == EventKind::Swept {
            swept.insert((payment, event.attempt));
        }
    }
    for Kept { payment, attempts, .. } in kept {
        let History { state, ends, .. } = known.remove(&payment.id).unwrap_or_default();
        let (id, now) = (payment.id, payment.state());
        if ends != usize::from(now.is_final()) {
            findings.violations.push(format!("ENDS: payment {id} ended {ends} times"));
        }
        if state != Some(now) {
            let last = state.map_or("never written", PaymentState::as_str);
            findings.violations.push(format!("BROKEN: payment {id} is {now}, its last event left it {last}"));
        }
        for attempt in attempts.iter().filter(|one| swept.contains(&(one.payment, Some(one.number)))) {
            findings.swept += 1;
            findings.in_a_send.insert(attempt.worker.to_string());
        }
    }
    findings.in_a_send.retain(|life| run.killed.contains(life));
}
