use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_util::TryStreamExt as _;
use futures_util::future::join;
use malipo_core::Timestamp;
use tokio_postgres::{Error, Row};

use super::failure::{no_connection, silent};
use super::patience::within;
use super::values::Value;
use crate::sql::Cells;
use crate::{JournalError, JournalErrorKind, Payment, PaymentId};

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
    /// The moment that all of it happens at.
    now: Option<Timestamp>,
    /// Payments that it leaves due, and whether it leaves a delivery.
    due: BTreeSet<PaymentId>,
    delivered: bool,
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
        Ok(Self {
            connection,
            purpose,
            later: begin.to_owned(),
            patience,
            now: None,
            due: BTreeSet::new(),
            delivered: false,
        })
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    pub(super) fn happens_at(&mut self, now: Timestamp) {
        self.now = Some(now);
    }

    /// Notes whether a payment is due as it was written now.
    pub(super) fn leaves(&mut self, id: PaymentId, payment: &Payment) {
        let is_past = |at: Option<Timestamp>| at.is_some_and(|at| self.now.is_none_or(|now| at <= now));
        let is_free = payment.leased_until.is_none() || is_past(payment.leased_until);
        if is_free && is_past(payment.next_at) {
            self.due.insert(id);
        } else {
            self.due.remove(&id);
        }
    }

    /// Notes that a delivery was stored.
    pub(super) fn delivers(&mut self) {
        self.delivered = true;
    }

    /// Whether it leaves something that others may want to know of.
    pub(super) fn stirs(&self) -> bool {
        self.delivered || !self.due.is_empty()
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
