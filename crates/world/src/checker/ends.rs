//! The floor: a death may delay an end, and hardly ever does it take one away.

use malipo::journal::{PaymentState, Reason};
use malipo_sim::{Gateway, Payment as Entry, PaymentState as Decided};

use super::{Checker, Row, Wrong};
use crate::scenario::Scenario;
use crate::violation::Invariant;

/// What is known of a payment that waits for a person.
struct Evidence<'a> {
    row: &'a Row,
    /// What its gateway's ledger has of it.
    entry: Option<&'a Entry>,
    /// Whether a callback about it was answered with success.
    was_told: bool,
}

/// Where a payment may be left to a person.
struct Exception {
    gateway: Gateway,
    applies: fn(&Evidence<'_>) -> bool,
    why: &'static str,
}

/// Something was told that does not agree with what was asked. From then on nobody asks, and a result that was missed
/// while nobody listened is not heard.
const fn disagrees(known: &Evidence<'_>) -> bool {
    matches!(known.row.payment.attention(), Some(attention) if matches!(attention.reason, Reason::Mismatched))
}

/// It never arrived, and all attempts that it may have are spent. Those that never left count among them.
const fn is_spent(known: &Evidence<'_>) -> bool {
    known.entry.is_none()
        && matches!(known.row.payment.attention(), Some(attention) if matches!(attention.reason, Reason::Exhausted))
}

/// All that there are. Daraja and KasaPay can be asked about our own name for a payment, and what they do not know may
/// be sent again.
const EXCEPTIONS: &[Exception] = &[
    Exception { gateway: Gateway::Daraja, applies: disagrees, why: "something else was told of it" },
    Exception { gateway: Gateway::Daraja, applies: is_spent, why: "too many attempts were made" },
    Exception { gateway: Gateway::KasaPay, applies: is_spent, why: "too many attempts were made" },
    Exception { gateway: Gateway::SasaPay, applies: disagrees, why: "something else was told of it" },
    Exception {
        gateway: Gateway::SasaPay,
        applies: |known| known.entry.is_none(),
        why: "it did not arrive, and may not be sent again",
    },
    Exception {
        gateway: Gateway::SasaPay,
        applies: |known| known.entry.is_some_and(|entry| entry.state == Decided::Accepted),
        why: "its payer was not heard of, and their code may have been lost",
    },
    Exception {
        gateway: Gateway::SasaPay,
        applies: |known| {
            !known.was_told && known.entry.is_some_and(|entry| matches!(entry.state, Decided::Refused { .. }))
        },
        why: "its result was not heard, and an answer tells what is paid and not what has failed",
    },
    Exception {
        gateway: Gateway::Kyanda,
        applies: |known| known.entry.is_none(),
        why: "it did not arrive, and may not be sent again",
    },
    Exception {
        gateway: Gateway::Kyanda,
        applies: |known| known.row.payment.provider_refs.is_empty() && !known.was_told,
        why: "the reply with its name was lost and so was the notice, and it cannot be asked about",
    },
];

impl Checker {
    /// At rest a payment has the end that its world has for it, whoever died, or waits for a person for a reason that
    /// is listed.
    pub(crate) fn ends(&self, rows: &[Row], scenario: &Scenario) -> Vec<Wrong> {
        let Scenario { gateway, ends, .. } = scenario;
        let mut wrong = Vec::new();
        if rows.len() > ends.len() {
            wrong.push(Wrong::new(Invariant::Rests, format!("{} payments were made", rows.len())));
        }
        let (ledger, names) = (self.sim.ledger(), self.names());
        for row in rows {
            let state = row.payment.state();
            let entry = ledger.payments().iter().find(|entry| {
                names.get(&(entry.gateway, entry.gateway_reference.clone())) == Some(&row.payment.reference)
            });
            let acknowledged = self.witness.seen().acknowledged.clone();
            let names_it = |told: &str| {
                entry.is_some_and(|entry| {
                    entry.gateway_reference == told || entry.reference.as_deref() == Some(told)
                })
            };
            let was_told = acknowledged.iter().any(|one| names_it(&one.reference));
            let known = Evidence { row, entry, was_told };
            let fits = match state {
                PaymentState::Review => {
                    let mut exceptions = EXCEPTIONS.iter().filter(|one| one.gateway == *gateway);
                    let exception = exceptions.find(|one| (one.applies)(&known));
                    if let Some(Exception { why, .. }) = exception {
                        self.witness.note(format!("payment {} waits for a person: {why}", row.payment.id));
                    }
                    exception.is_some() || scenario.may_end(PaymentState::Review)
                }
                state => ends.contains(&state) || scenario.may_end(state),
            };
            if !fits {
                let what = format!("payment {} ends {state}, and the ledger has {entry:?}", row.payment.id);
                wrong.push(Wrong::new(Invariant::Rests, what));
            }
        }
        wrong
    }
}
