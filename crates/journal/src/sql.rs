//! What the stores in SQL have in common: how their rows are read, and how their tables come to be.

mod cells;
mod migration;
mod read;

use std::time::Duration;

pub(crate) use cells::{Cells, Columns};
pub(crate) use migration::{Migration, pending, steps};
pub(crate) use read::{
    ATTEMPT, CREDIT, DELIVERY, EVENT, PAYMENT, REPORT, Rule, attempt, credit, delivery, event, report,
    wanted, workable,
};

/// A number as databases have them. None of ours comes near the end of its range.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A mark for each of so many values, as a list.
pub(crate) fn marks(count: usize, mark: impl Fn(usize) -> String) -> String {
    (0..count).map(mark).collect::<Vec<_>>().join(", ")
}
