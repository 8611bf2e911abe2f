use std::fmt;
use std::future::Future;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_util::TryStreamExt as _;
use futures_util::future::join;
use tokio_postgres::{Error, Row};

use super::failure::{failed, no_connection, silent};
use super::values::Value;
use crate::sql::Cells;
use crate::{JournalError, JournalErrorKind};

/// What a transaction is for. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To see all of one moment.
    Read,
    /// To change what was read: nobody else changes it in between.
    Write,
}

/// One transaction on one connection. A connection on which one was not ended in order is closed, and the server then
/// undoes it.
pub(super) struct Transaction {
    connection: Option<Object>,
    purpose: Purpose,
    /// What has no result to wait for goes along with the next statement that has one.
    later: String,
    patience: Duration,
}

impl Transaction {
    /// Begins one on a connection that is free.
    pub(super) async fn begin(
        pool: &Pool,
        purpose: Purpose,
        patience: Duration,
    ) -> Result<Self, JournalError> {
        let connection = Some(pool.get().await.map_err(no_connection)?);
        let begin = match purpose {
            Purpose::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            // Each statement sees what was committed before it, so what is locked is read as it is now.
            Purpose::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        Ok(Self { connection, purpose, later: begin.to_owned(), patience })
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Notes a statement without values that goes with the next one.
    pub(super) fn later(&mut self, sql: &str) {
        self.later.push_str("; ");
        self.later.push_str(sql);
    }

    /// The rows that a statement gives.
    pub(super) async fn rows(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, JournalError> {
        self.statement(sql, async |connection, statement| {
            connection.query_raw(statement, values).await?.try_collect().await
        })
        .await
    }

    /// How many rows a statement changes.
    pub(super) async fn change(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, JournalError> {
        self.statement(sql, async |connection, statement| connection.execute_raw(statement, values).await)
            .await
    }

    /// Each row that a statement gives, read.
    pub(super) async fn all<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: fn(&mut Cells<'_>) -> Result<T, JournalError>,
    ) -> Result<Vec<T>, JournalError> {
        self.rows(sql, values).await?.iter().map(|row| read(&mut Cells::of(row))).collect()
    }

    /// Statements without values.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), JournalError> {
        self.later(sql);
        self.flush().await
    }

    /// Makes it last. Nothing of it was done when this fails, but for one case: a server that cannot be reached may
    /// have done all of it.
    pub(super) async fn commit(mut self) -> Result<(), JournalError> {
        // A commit that waits for a second server would be answered as done when its time is up.
        self.later("SET LOCAL statement_timeout TO 0; COMMIT");
        self.flush().await?;
        drop(self.connection.take());
        Ok(())
    }

    /// Undoes it and keeps the connection for the next one.
    pub(super) async fn roll_back(mut self, after: &JournalError) {
        // Another connection may lead to another server, or to the same one after it was started again.
        let is_lost = matches!(after.kind(), JournalErrorKind::Unavailable | JournalErrorKind::ReadOnly);
        if !is_lost && self.run("ROLLBACK").await.is_ok() {
            drop(self.connection.take());
        }
    }

    async fn flush(&mut self) -> Result<(), JournalError> {
        let later = std::mem::take(&mut self.later);
        let connection = self.connection.as_ref().ok_or_else(silent)?;
        within(self.patience, connection.batch_execute(&later)).await
    }

    /// Sends what was noted and a statement together, and waits for both.
    async fn statement<T>(
        &mut self,
        sql: &str,
        execute: impl AsyncFnOnce(&Object, &tokio_postgres::Statement) -> Result<T, Error>,
    ) -> Result<T, JournalError> {
        let later = std::mem::take(&mut self.later);
        let connection = self.connection.as_ref().ok_or_else(silent)?;
        let both = async {
            let statement = connection.prepare_cached(sql).await?;
            if later.is_empty() {
                return execute(connection, &statement).await;
            }
            // In this order: a future sends when it is first polled, and the first of the two is polled first.
            let (first, result) =
                join(connection.batch_execute(&later), execute(connection, &statement)).await;
            first.and(result)
        };
        within(self.patience, both).await
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(Object::take(connection));
        }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

/// The server gives up first and says so, unless nobody hears it any more.
#[expect(
    clippy::disallowed_methods,
    reason = "sockets that nobody answers are given up by the clock of the runtime that has them; no payment depends \
              on it"
)]
async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, JournalError> {
    let worked = tokio::time::timeout(patience, work).await;
    worked.map_err(|_| silent())?.map_err(failed)
}
