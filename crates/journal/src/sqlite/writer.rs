//! The one that writes: batches that wait together are committed together, and answered after that.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use futures_channel::oneshot;
use malipo_core::Env;
use rusqlite::Connection;

use super::failure::failed;
use super::run;
use super::tx::Rows;
use crate::ready::ready;
use crate::{Done, Entry, JournalError, JournalErrorKind, Refused, execute};

/// What came of a batch.
pub(super) type Result<T> = std::result::Result<T, JournalError>;

/// What came of each entry of a batch.
pub(super) struct Results(pub(super) Vec<std::result::Result<Done, Refused>>);

/// At most so many wait for one commit: enough that the disk is not what limits, few enough that the first does not
/// wait for long.
const TOGETHER: usize = 512;

/// A connection, and the clock of its journal.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) env: Arc<dyn Env>,
}

impl Writer {
    /// Commits batches in one transaction, each undone alone when it fails. No result is given before the commit; when
    /// that fails, every batch has failed.
    pub(super) fn commit(&mut self, batches: Vec<Vec<Entry>>) -> Vec<Result<Results>> {
        let count = batches.len();
        let erases = batches.iter().flatten().any(|entry| matches!(entry, Entry::Erase(_)));
        let all_failed = |error: &JournalError| (0..count).map(|_| Err(error.clone())).collect();
        match self.transact(batches) {
            Ok(results) => {
                if erases {
                    self.forget_old_pages();
                }
                results
            }
            Err(error) => {
                if !self.connection.is_autocommit() {
                    // What cannot be rolled back is rolled back when the connection closes.
                    let _ = run(&mut self.connection, "ROLLBACK");
                }
                all_failed(&error)
            }
        }
    }

    fn transact(&mut self, batches: Vec<Vec<Entry>>) -> Result<Vec<Result<Results>>> {
        run(&mut self.connection, "BEGIN IMMEDIATE")?;
        let now = execute::in_millis(self.env.now());
        let mut results = Vec::with_capacity(batches.len());
        for batch in batches {
            // An entry has a savepoint of its own, which is enough for a batch of one.
            let is_one = batch.len() == 1;
            if !is_one {
                run(&mut self.connection, "SAVEPOINT batch")?;
            }
            let result = ready(execute::batch(&mut Rows(&mut self.connection), batch, now));
            match &result {
                Ok(_) if is_one => {}
                Ok(_) => run(&mut self.connection, "RELEASE batch")?,
                // A full or failing disk ends the whole transaction, and nothing of it can be kept.
                Err(error) if self.connection.is_autocommit() => return Err(error.clone()),
                Err(_) => {
                    let undo = if is_one {
                        ["ROLLBACK TO entry", "RELEASE entry"]
                    } else {
                        ["ROLLBACK TO batch", "RELEASE batch"]
                    };
                    for sql in undo {
                        run(&mut self.connection, sql)?;
                    }
                }
            }
            results.push(result.map(Results));
        }
        run(&mut self.connection, "COMMIT")?;
        Ok(results)
    }

    /// Reads in one transaction, so that rows that belong together are of one moment.
    pub(super) fn read<T>(&mut self, read: impl FnOnce(&mut Rows<'_>) -> Result<T>) -> Result<T> {
        run(&mut self.connection, "BEGIN")?;
        let result = read(&mut Rows(&mut self.connection));
        // It wrote nothing, so there is nothing to keep; some failures have ended the transaction already.
        if !self.connection.is_autocommit() {
            run(&mut self.connection, "ROLLBACK")?;
        }
        result
    }

    /// What was erased is still in the log until its pages are written over.
    fn forget_old_pages(&mut self) {
        // A reader elsewhere can keep it from happening now; then the next erasure does it.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

/// One thing for the writer to do.
enum Job {
    Commit(Vec<Entry>, oneshot::Sender<Result<Results>>),
    Read(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// A writer on a thread of its own. Dropping it ends the thread once all that waits is done.
pub(super) struct Thread {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Thread {
    pub(super) fn start(writer: Writer) -> Result<Self> {
        let (jobs, waiting) = channel();
        let thread = Builder::new()
            .name("malipo-journal".to_owned())
            .spawn(move || work(writer, &waiting))
            .map_err(|_| gone("its thread cannot be started"))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    pub(super) async fn commit(&self, batch: Vec<Entry>) -> Result<Results> {
        let (sender, answer) = oneshot::channel();
        self.send(Job::Commit(batch, sender))?;
        answer.await.map_err(|_| gone("its thread ended"))?
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Rows<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, answer) = oneshot::channel();
        // Nobody listens any more when the one who asked has gone, which is no failure.
        self.send(Job::Read(Box::new(move |writer| drop(sender.send(writer.read(read))))))?;
        answer.await.map_err(|_| gone("its thread ended"))?
    }

    fn send(&self, job: Job) -> Result<()> {
        let jobs = self.jobs.as_ref().ok_or_else(|| gone("its thread ended"))?;
        jobs.send(job).map_err(|_| gone("its thread ended"))
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // If it panicked, whoever waited for it was told so.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thread")
    }
}

fn gone(why: &str) -> JournalError {
    JournalError::new(JournalErrorKind::Unavailable, format!("the journal's writer is gone: {why}"))
}

/// Takes what waits, writes it in one commit, answers, then reads. Ends when nobody can ask any more.
fn work(mut writer: Writer, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let (mut batches, mut askers, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        for job in std::iter::once(first).chain(waiting.try_iter().take(TOGETHER - 1)) {
            match job {
                Job::Commit(batch, asker) => {
                    batches.push(batch);
                    askers.push(asker);
                }
                Job::Read(read) => reads.push(read),
            }
        }
        if !batches.is_empty() {
            for (asker, result) in askers.into_iter().zip(writer.commit(batches)) {
                // Whoever does not wait any more finds out with the same key.
                let _ = asker.send(result);
            }
        }
        for read in reads {
            read(&mut writer);
        }
    }
    // Closed here and now, so that whoever opens the file next finds it whole. An error would change nothing.
    let _ = writer.connection.close().map_err(|(_, error)| failed(error));
}

#[cfg(test)]
mod tests;
