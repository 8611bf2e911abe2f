//! How often one comes back to what is not settled: the older it is, the more rarely.

use std::time::Duration;

/// How long between two times at first.
pub(crate) const AT_FIRST: Duration = Duration::from_secs(60);
/// And later: from which age on, and how long between.
const LATER: &[(Duration, Duration)] = &[
    (Duration::from_secs(6 * 3600), Duration::from_secs(3600)),
    (Duration::from_secs(600), Duration::from_secs(600)),
];
/// From which age on nobody does.
pub(crate) const GIVEN_UP: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long between two times at this age.
pub(crate) fn every(age: Duration) -> Duration {
    LATER.iter().find(|(from, _)| age >= *from).map_or(AT_FIRST, |(_, every)| *every)
}
