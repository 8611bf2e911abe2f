use std::time::Duration;

use crate::Worker;

/// Who works on a payment, and for how long nobody else does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// Who.
    pub worker: Worker,
    /// How long. Longer than the slowest exchange with the gateway: an attempt whose lease has run out counts as
    /// unknown, also when its answer is on the way.
    pub lasts: Duration,
}

impl Lease {
    /// A lease for `worker` that lasts so long.
    pub const fn new(worker: Worker, lasts: Duration) -> Self {
        Self { worker, lasts }
    }
}
