//! The journal on a server of PostgreSQL.

mod config;
mod credits;
mod ears;
mod failure;
mod patience;
mod payments;
mod rows;
mod schema;
mod transaction;
mod tx;
mod values;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use futures_util::future::BoxFuture;
use malipo_core::{Env, Report};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

pub use self::config::PostgresConfig;
use self::config::unusable;
use self::ears::Ears;
use self::transaction::{Purpose, Transaction};
use self::values::Value;
use self::writer::{Clock, Queue, Results, Turn, Writer, gone};
use crate::sql::Cells;
use crate::tx::{FindCredit, Select, Tx as _};
use crate::{
    AttemptRecord, CreditId, CreditRecord, CreditSequence, Deliveries, DeliveryId, Done, Entry, Event,
    EventId, Filter, Find, Follower, Journal, JournalError, Payment, PaymentId, Refused, StoredDelivery,
    Stream, execute,
};

/// A journal on a server, for any number of processes on any number of machines. The server's clock is the journal's,
/// so that theirs need not agree. Every commit is on the server's disk before it is answered.
///
/// All its work is done in the runtime of tokio in which it was opened. It can be asked from anywhere.
#[derive(Debug)]
pub struct PostgresJournal {
    /// For reading. Whoever writes has connections of its own, so that no reader keeps it waiting.
    readers: Pool,
    writer: Writer,
    queue: Queue,
    ears: Ears,
    runtime: Handle,
}

impl PostgresJournal {
    /// Connects, and makes or updates the tables.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the server cannot be used, when the schema is something else's or was written by a newer
    /// version, and outside of a runtime of tokio.
    pub async fn open(config: impl Into<PostgresConfig>) -> Result<Self, JournalError> {
        Self::start(config.into(), Clock::Server).await
    }

    /// As [`PostgresJournal::open`], but `env` is the journal's clock. For tests that own time; between machines, two
    /// clocks are never the same.
    ///
    /// # Errors
    ///
    /// As [`PostgresJournal::open`].
    pub async fn with_clock(
        config: impl Into<PostgresConfig>,
        env: Arc<dyn Env>,
    ) -> Result<Self, JournalError> {
        Self::start(config.into(), Clock::Env(env)).await
    }

    async fn start(config: PostgresConfig, clock: Clock) -> Result<Self, JournalError> {
        let runtime = Handle::try_current().map_err(|_| unusable("it is opened outside of tokio"))?;
        let (pool, schema, patience) = (config.pool()?, config.schema_name()?, config.patience());
        let mut tx = Transaction::begin(&pool, Purpose::Write, patience).await?;
        match schema::prepare(&mut tx, schema).await {
            Ok(()) => tx.commit().await?,
            Err(error) => {
                tx.roll_back(&error).await;
                return Err(error);
            }
        }
        let readers = config.pool()?;
        let writer = Writer { pool, clock, patience, channel: schema.to_owned() };
        let queue = Queue::start(writer.clone(), lock_number(schema), &runtime);
        let ears = Ears::new(config.driver()?, schema);
        Ok(Self { readers, writer, queue, ears, runtime })
    }

    /// Reads in one transaction, so that rows that belong together are of one moment.
    async fn read<T: Send + 'static>(
        &self,
        read: impl for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, JournalError>> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (pool, patience) = (self.readers.clone(), self.writer.patience);
        let reading = self.runtime.spawn(async move {
            let mut tx = Transaction::begin(&pool, Purpose::Read, patience).await?;
            match read(&mut tx).await {
                Ok(found) => tx.commit().await.map(|()| found),
                Err(error) => {
                    tx.roll_back(&error).await;
                    Err(error)
                }
            }
        });
        reading.await.map_err(|_| gone())?
    }

    /// Claims are made side by side: what one worker takes, the others pass by.
    async fn claim(&self, batch: Vec<Entry>) -> Result<Results, JournalError> {
        let writer = self.writer.clone();
        let claiming = self.runtime.spawn(async move { writer.commit(&[batch], Turn::Free).await.pop() });
        let results = claiming.await.map_err(|_| gone())?;
        results.unwrap_or_else(|| Err(JournalError::corrupt("a batch was not committed")))
    }
}

/// The lock under which whoever writes this schema writes. The server has one space of numbers for each database.
fn lock_number(schema: &str) -> i64 {
    let digest = Sha256::new().chain_update("malipo-journal ").chain_update(schema).finalize();
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | i64::from(*byte))
}

/// Adds a row, and says which number it got.
async fn numbered(tx: &mut Transaction, sql: &str, values: &[Value<'_>]) -> Result<u64, JournalError> {
    let rows = tx.rows(sql, values).await?;
    let row = rows.first().ok_or_else(|| JournalError::corrupt("a row was not added"))?;
    Cells::of(row).number()
}

/// Changes one row, which must be there; `otherwise` says what it means that it is not.
async fn changed_one(
    tx: &mut Transaction,
    sql: &str,
    values: &[Value<'_>],
    otherwise: &str,
) -> Result<(), JournalError> {
    match tx.change(sql, values).await? {
        1 => Ok(()),
        _ => Err(JournalError::corrupt(otherwise)),
    }
}

#[async_trait]
impl Journal for PostgresJournal {
    async fn commit(&self, batch: Vec<Entry>) -> Result<Vec<Result<Done, Refused>>, JournalError> {
        let results = if batch.iter().all(|entry| matches!(entry, Entry::ClaimDue(_))) {
            self.claim(batch).await
        } else {
            self.queue.commit(batch).await
        };
        results.map(|results| results.0)
    }

    async fn find(&self, by: &Find) -> Result<Option<Payment>, JournalError> {
        let by = by.clone();
        self.read(|tx| Box::pin(async move { tx.payment(&by).await })).await
    }

    async fn list(&self, which: Filter, after: PaymentId, limit: u32) -> Result<Vec<Payment>, JournalError> {
        let page = Select::Page { which, after };
        self.read(move |tx| Box::pin(async move { tx.payments(&page, limit).await })).await
    }

    async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        self.read(move |tx| tx.events(after, limit)).await
    }

    async fn history(&self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        self.read(move |tx| tx.history(payment)).await
    }

    async fn attempts(&self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        self.read(move |tx| tx.attempts(payment)).await
    }

    async fn reports(&self, payment: PaymentId) -> Result<Vec<Report>, JournalError> {
        self.read(move |tx| Box::pin(execute::reports(tx, payment))).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        self.read(move |tx| tx.delivery(delivery)).await
    }

    async fn deliveries(
        &self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        let which = which.clone();
        self.read(move |tx| Box::pin(async move { tx.deliveries(&which, after, limit).await })).await
    }

    async fn position(&self, follower: &Follower, stream: Stream) -> Result<u64, JournalError> {
        let follower = follower.clone();
        self.read(move |tx| Box::pin(async move { tx.position(&follower, stream).await })).await
    }

    async fn credit(&self, credit: CreditId) -> Result<Option<CreditRecord>, JournalError> {
        let by = FindCredit::Id(credit);
        self.read(move |tx| Box::pin(async move { tx.credit(&by).await })).await
    }

    async fn credits(&self, after: CreditSequence, limit: u32) -> Result<Vec<CreditRecord>, JournalError> {
        self.read(move |tx| Box::pin(async move { tx.credits(after, limit).await })).await
    }

    async fn stirred(&self) {
        self.ears.heard(&self.runtime).await;
    }
}
