//! What is known and could not be written down, because the journal failed meanwhile. It is written as soon as the
//! journal works again; when the process ends before that, its attempt is unknown, which is what the books say then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Finish;

/// Ends of attempts that wait for the journal. As many at most as attempts are under way, since none begins without it.
#[derive(Debug, Clone, Default)]
pub(super) struct Unwritten(Arc<Mutex<Vec<Finish>>>);

impl Unwritten {
    pub(super) fn keep(&self, finish: Finish) {
        self.waiting().push(finish);
    }

    pub(super) fn take(&self) -> Vec<Finish> {
        std::mem::take(&mut self.waiting())
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Finish>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
