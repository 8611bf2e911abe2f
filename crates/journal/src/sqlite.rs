//! The journal in a file of SQLite.

mod cells;
mod credits;
mod failure;
mod payments;
mod rows;
mod schema;
mod tx;
mod writer;

use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use malipo_core::{Env, Report};
use rusqlite::{Connection, OpenFlags, Params};

use self::failure::failed;
use self::tx::Rows;
use self::writer::{Thread, Writer};
use crate::ready::ready;
use crate::tx::{FindCredit, Select, Tx};
use crate::{
    AttemptRecord, CreditId, CreditRecord, CreditSequence, Deliveries, DeliveryId, Done, Entry, Event,
    EventId, Filter, Find, Follower, Journal, JournalError, JournalErrorKind, Payment, PaymentId, Refused,
    StoredDelivery, Stream, execute,
};

/// How many statements a connection keeps prepared.
const STATEMENTS: usize = 80;

/// Where the file is and how it is used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// The file. It is made if there is none, for its owner only; `:memory:` keeps everything in memory. Not on a
    /// network file system: its locks cannot be trusted.
    pub path: PathBuf,
    /// How long to wait for another process that writes.
    pub busy_timeout: Duration,
    /// The most pages (of 4096 bytes) that the file may have; `None` for as many as the disk has.
    pub max_pages: Option<u32>,
}

impl SqliteConfig {
    /// The file at `path`. Waits five seconds for another process, and grows as far as the disk allows.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), busy_timeout: Duration::from_secs(5), max_pages: None }
    }

    /// Says how long to wait for another process that writes.
    #[must_use]
    pub const fn with_busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    /// Says how many pages the file may have.
    #[must_use]
    pub const fn with_max_pages(mut self, max_pages: u32) -> Self {
        self.max_pages = Some(max_pages);
        self
    }
}

impl From<&Path> for SqliteConfig {
    fn from(path: &Path) -> Self {
        Self::new(path)
    }
}

/// A journal in a file. Every commit is on the disk before it is answered.
///
/// Several processes can have the same file open; they take turns in writing.
#[derive(Debug)]
pub struct SqliteJournal(Way);

/// Who does the work.
#[derive(Debug)]
enum Way {
    /// A thread of its own, which commits together what waits together.
    Thread(Thread),
    /// Whoever asks.
    Inline(Mutex<Writer>),
}

impl SqliteJournal {
    /// Opens the file, makes or updates its tables, and starts a thread that writes. `env` is the journal's clock.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the file cannot be used, is something else's, or was written by a newer version.
    pub fn open(config: impl Into<SqliteConfig>, env: Arc<dyn Env>) -> Result<Self, JournalError> {
        Ok(Self(Way::Thread(Thread::start(writer(&config.into(), env)?)?)))
    }

    /// As [`SqliteJournal::open`], but without a thread: the task that asks does the work, and waits for the disk. For
    /// tests that own time, where a thread that nobody knows of would make time run away.
    ///
    /// # Errors
    ///
    /// As [`SqliteJournal::open`].
    pub fn inline(config: impl Into<SqliteConfig>, env: Arc<dyn Env>) -> Result<Self, JournalError> {
        Ok(Self(Way::Inline(Mutex::new(writer(&config.into(), env)?))))
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Rows<'_>) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        match &self.0 {
            Way::Thread(thread) => thread.read(read).await,
            Way::Inline(writer) => locked(writer, |writer| writer.read(read)),
        }
    }
}

fn locked<T>(
    writer: &Mutex<Writer>,
    work: impl FnOnce(&mut Writer) -> Result<T, JournalError>,
) -> Result<T, JournalError> {
    let mut writer = writer.lock().map_err(|_| {
        JournalError::new(JournalErrorKind::Unavailable, "an earlier call stopped in the middle")
    })?;
    work(&mut writer)
}

fn writer(config: &SqliteConfig, env: Arc<dyn Env>) -> Result<Writer, JournalError> {
    make_private(&config.path)?;
    // Without SQLITE_OPEN_URI: a path is a path.
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&config.path, flags).map_err(failed)?;
    connection.busy_timeout(config.busy_timeout).map_err(failed)?;
    if let Some(most) = config.max_pages {
        connection.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(())).map_err(failed)?;
    }
    // As many as there are statements: making one anew takes longer than running it.
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    settle(&connection)?;
    schema::prepare(&mut connection, execute::in_millis(env.now()))?;
    Ok(Writer { connection, env })
}

/// The file names people and holds callback URLs, so only its owner reads it. SQLite gives its log the same rights.
fn make_private(path: &Path) -> Result<(), JournalError> {
    if path == Path::new(":memory:") {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let kind = match error.kind() {
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                    JournalErrorKind::ReadOnly
                }
                std::io::ErrorKind::StorageFull => JournalErrorKind::Full,
                _ => JournalErrorKind::Unavailable,
            };
            Err(JournalError::new(kind, format!("the file cannot be made ({error})")))
        }
    }
}

/// How every connection is used, whatever the defaults of the build are.
fn settle(connection: &Connection) -> Result<(), JournalError> {
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if !matches!(mode.as_str(), "wal" | "memory") {
        let message = format!("the file system keeps no write-ahead log (it is in mode {mode})");
        return Err(JournalError::new(JournalErrorKind::Unavailable, message));
    }
    for (name, value) in [
        // A commit that is answered survives the loss of power.
        ("synchronous", "FULL"),
        ("fullfsync", "ON"),
        ("foreign_keys", "ON"),
        // What a changed file asks for in its schema is not done.
        ("trusted_schema", "OFF"),
        // What is erased is overwritten.
        ("secure_delete", "ON"),
        // What a savepoint puts by names people too, and belongs into no file beside this one.
        ("temp_store", "MEMORY"),
    ] {
        connection.pragma_update(None, name, value).map_err(failed)?;
    }
    Ok(())
}

/// Runs a statement without values or rows.
fn run(connection: &mut Connection, sql: &str) -> Result<(), JournalError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(failed).map(drop)
}

/// Changes rows, and says how many.
fn change(connection: &Connection, sql: &str, values: impl Params) -> Result<usize, JournalError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map_err(failed)
}

/// The number of the row that was added last.
fn last(connection: &Connection) -> Result<u64, JournalError> {
    u64::try_from(connection.last_insert_rowid())
        .map_err(|_| JournalError::corrupt("a number in the database is out of bounds"))
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn commit(&self, batch: Vec<Entry>) -> Result<Vec<Result<Done, Refused>>, JournalError> {
        let results = match &self.0 {
            Way::Thread(thread) => thread.commit(batch).await,
            Way::Inline(writer) => locked(writer, |writer| {
                let only = writer.commit(vec![batch]).pop();
                only.unwrap_or_else(|| Err(JournalError::corrupt("a batch was not committed")))
            }),
        };
        results.map(|results| results.0)
    }

    async fn find(&self, by: &Find) -> Result<Option<Payment>, JournalError> {
        let by = by.clone();
        self.read(move |rows| ready(rows.payment(&by))).await
    }

    async fn list(&self, which: Filter, after: PaymentId, limit: u32) -> Result<Vec<Payment>, JournalError> {
        self.read(move |rows| ready(rows.payments(&Select::Page { which, after }, limit))).await
    }

    async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        self.read(move |rows| ready(rows.events(after, limit))).await
    }

    async fn history(&self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        self.read(move |rows| ready(rows.history(payment))).await
    }

    async fn attempts(&self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        self.read(move |rows| ready(rows.attempts(payment))).await
    }

    async fn reports(&self, payment: PaymentId) -> Result<Vec<Report>, JournalError> {
        self.read(move |rows| ready(execute::reports(rows, payment))).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        self.read(move |rows| ready(rows.delivery(delivery))).await
    }

    async fn deliveries(
        &self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        let which = which.clone();
        self.read(move |rows| ready(rows.deliveries(&which, after, limit))).await
    }

    async fn position(&self, follower: &Follower, stream: Stream) -> Result<u64, JournalError> {
        let follower = follower.clone();
        self.read(move |rows| ready(rows.position(&follower, stream))).await
    }

    async fn credit(&self, credit: CreditId) -> Result<Option<CreditRecord>, JournalError> {
        self.read(move |rows| ready(rows.credit(&FindCredit::Id(credit)))).await
    }

    async fn credits(&self, after: CreditSequence, limit: u32) -> Result<Vec<CreditRecord>, JournalError> {
        self.read(move |rows| ready(Tx::credits(rows, after, limit))).await
    }

    async fn stirred(&self) {
        // A file tells nobody that it was written.
        pending().await
    }
}
