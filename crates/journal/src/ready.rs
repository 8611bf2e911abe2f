use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::JournalError;

/// The result of a future that never waits, as those over stores in this process.
pub(crate) fn ready<T>(future: impl Future<Output = Result<T, JournalError>>) -> Result<T, JournalError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(JournalError::corrupt("a store in this process waited")),
    }
}
