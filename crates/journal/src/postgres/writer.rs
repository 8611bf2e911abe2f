//! The one that writes: batches that wait together are committed together, and answered after that.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use malipo_core::{Env, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::failure::may_pass;
use super::transaction::{Purpose, Transaction};
use super::values::values;
use crate::sql::Cells;
use crate::{Done, Entry, JournalError, JournalErrorKind, Refused, execute};

/// What came of a batch.
pub(super) type Result<T> = std::result::Result<T, JournalError>;

/// What came of each entry of a batch.
pub(super) struct Results(pub(super) Vec<std::result::Result<Done, Refused>>);

/// At most so many wait for one commit: enough that the disk is not what limits, few enough that the first does not
/// wait for long, and that others find the lock free now and then.
const TOGETHER: usize = 128;

/// So often a transaction is tried that somebody else's was in the way of.
const TRIES: u32 = 4;

/// Whose time it is.
#[derive(Debug, Clone)]
pub(super) enum Clock {
    /// The server's, which all processes share.
    Server,
    /// That of a test.
    Env(Arc<dyn Env>),
}

/// Whether a transaction waits for every other one that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// One after the other, under this lock. Numbers are then given in the order in which they become visible, and
    /// whoever follows the events misses none.
    Taken(i64),
    /// Side by side: nothing is numbered.
    Free,
}

/// Connections, and the clock of their journal.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pub(super) pool: Pool,
    pub(super) clock: Clock,
    pub(super) patience: Duration,
    /// Where those listen who want to know that there is something to do.
    pub(super) channel: String,
}

impl Writer {
    /// Commits batches in one transaction, each undone alone when it fails. No result is given before the commit; when
    /// that fails, every batch has failed.
    pub(super) async fn commit(&self, batches: &[Vec<Entry>], turn: Turn) -> Vec<Result<Results>> {
        let mut tries = 1;
        loop {
            match self.transact(batches, turn, tries).await {
                Ok(results) => return results,
                Err(error) if tries < TRIES && may_pass(&error) => tries += 1,
                Err(error) => return batches.iter().map(|_| Err(error.clone())).collect(),
            }
        }
    }

    async fn transact(&self, batches: &[Vec<Entry>], turn: Turn, tries: u32) -> Result<Vec<Result<Results>>> {
        let mut tx = Transaction::begin(&self.pool, Purpose::Write, self.patience).await?;
        match self.write(&mut tx, batches, turn, tries).await {
            Ok(results) => {
                if tx.stirs() {
                    tx.later(&format!("NOTIFY \"{}\"", self.channel));
                }
                tx.commit().await.map(|()| results)
            }
            Err(error) => {
                tx.roll_back(&error).await;
                Err(error)
            }
        }
    }

    async fn write(
        &self,
        tx: &mut Transaction,
        batches: &[Vec<Entry>],
        turn: Turn,
        tries: u32,
    ) -> Result<Vec<Result<Results>>> {
        let now = self.now(tx, turn).await?;
        tx.happens_at(now);
        let mut results = Vec::with_capacity(batches.len());
        for batch in batches {
            tx.later("SAVEPOINT batch");
            let result = execute::batch(tx, batch.clone(), now).await;
            if let Err(error) = &result {
                // All of it is done once more, since what it has seen is not so any more; or nothing of it can be kept.
                let concerns_all = matches!(
                    error.kind(),
                    JournalErrorKind::Unavailable | JournalErrorKind::ReadOnly | JournalErrorKind::Full
                );
                if concerns_all || (tries < TRIES && may_pass(error)) {
                    return Err(error.clone());
                }
                tx.run("ROLLBACK TO batch").await?;
            }
            tx.later("RELEASE batch");
            results.push(result.map(Results));
        }
        Ok(results)
    }

    /// Takes the turn and then reads the clock, once: what comes later is not earlier.
    async fn now(&self, tx: &mut Transaction, turn: Turn) -> Result<Timestamp> {
        const MILLIS: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        let rows = match turn {
            Turn::Free => tx.rows(MILLIS, &[]).await?,
            Turn::Taken(lock) => {
                let sql = format!(
                    "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock($1)) {MILLIS} FROM turn"
                );
                tx.rows(&sql, values![lock]).await?
            }
        };
        match (&self.clock, rows.first()) {
            (Clock::Env(env), _) => Ok(execute::in_millis(env.now())),
            (Clock::Server, Some(row)) => Cells::of(row).time(),
            (Clock::Server, None) => Err(JournalError::corrupt("the server has no time")),
        }
    }
}

struct Job {
    batch: Vec<Entry>,
    asker: oneshot::Sender<Result<Results>>,
}

/// A writer that works on its own. It ends once nobody can ask any more and all that waits is done.
pub(super) struct Queue(UnboundedSender<Job>);

impl Queue {
    pub(super) fn start(writer: Writer, lock: i64, runtime: &Handle) -> Self {
        let (jobs, waiting) = unbounded_channel();
        runtime.spawn(work(writer, Turn::Taken(lock), waiting));
        Self(jobs)
    }

    pub(super) async fn commit(&self, batch: Vec<Entry>) -> Result<Results> {
        let (asker, answer) = oneshot::channel();
        self.0.send(Job { batch, asker }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

/// The runtime in which the journal was opened has ended.
pub(super) fn gone() -> JournalError {
    super::config::unusable("the journal's runtime has ended")
}

/// Takes what waits, writes it in one commit, and answers. Ends when nobody can ask any more.
async fn work(writer: Writer, turn: Turn, mut waiting: UnboundedReceiver<Job>) {
    let mut jobs = Vec::new();
    while waiting.recv_many(&mut jobs, TOGETHER).await > 0 {
        let (batches, askers): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.batch, job.asker)).unzip();
        for (asker, result) in askers.into_iter().zip(writer.commit(&batches, turn).await) {
            // Whoever does not wait any more finds out with the same key.
            let _ = asker.send(result);
        }
    }
}
