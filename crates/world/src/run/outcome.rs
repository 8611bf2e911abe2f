use std::collections::BTreeMap;
use std::time::Duration;

use malipo::journal::PaymentState;

use crate::life::Place;
use crate::violation::Violation;

/// What came of a small world.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// How many processes died.
    pub deaths: usize,
    /// How many lines the trace had each time that a process came by each place: those that died in the order of their
    /// deaths, and then those that lived on.
    pub passed: Vec<BTreeMap<Place, Vec<u64>>>,
    /// Where the payments stand, oldest first.
    pub states: Vec<PaymentState>,
    /// How many attempts were made of all of them.
    pub attempts: usize,
    /// How much time passed in it.
    pub lasted: Duration,
    /// How many lines its trace has.
    pub events: u64,
    /// The SHA-256 of its trace.
    pub hash: String,
    /// The last lines of its trace.
    pub timeline: Vec<String>,
    /// What did not hold. It ends at the first turn in which something does not.
    pub violations: Vec<Violation>,
}
