//! What is known and could not be written down, because the journal failed meanwhile. It is written as soon as the
//! journal works again; when the process ends before that, its attempt is unknown, which is what the books say then.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Finish;

/// Ends of attempts that wait for the journal. No attempt begins while it fails, so they are not many.
#[derive(Debug, Clone, Default)]
pub(super) struct Unwritten(Arc<Mutex<VecDeque<Finish>>>);

impl Unwritten {
    pub(super) fn keep(&self, finish: Finish) {
        self.waiting().push_back(finish);
    }

    /// The one that waits longest. It stays until it is [`written`](Self::written).
    pub(super) fn first(&self) -> Option<Finish> {
        self.waiting().front().cloned()
    }

    pub(super) fn written(&self, finish: &Finish) {
        self.waiting().retain(|kept| (kept.payment, kept.attempt) != (finish.payment, finish.attempt));
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Finish>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
