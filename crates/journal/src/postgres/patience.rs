//! The runtime's clock: when to give up on a socket, and when to try one again. No payment depends on it.
#![expect(
    clippy::disallowed_methods,
    reason = "a server that nobody hears is given up by the clock of the runtime that has the socket"
)]

use std::future::Future;
use std::time::Duration;

use tokio_postgres::Error;

use super::failure::{failed, silent};
use crate::JournalError;

/// The server gives up first and says so, unless nobody hears it any more.
pub(super) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, JournalError> {
    let worked = tokio::time::timeout(patience, work).await;
    worked.map_err(|_| silent())?.map_err(failed)
}

pub(super) async fn pause(lasts: Duration) {
    tokio::time::sleep(lasts).await;
}
