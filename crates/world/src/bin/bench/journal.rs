//! What is measured, in which order.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use malipo::SystemEnv;
use malipo::journal::{Journal, MemoryJournal, PostgresConfig, PostgresJournal, SqliteJournal};
use tempfile::TempDir;

use crate::bare::{self, Rows, Shape, Writer};
use crate::orders::{self, Merchant};
use crate::table::Table;
use crate::{Arguments, callers, disk};

/// How many callers, and how many submits they make together.
const LEVELS: [(usize, u32); 3] = [(1, 1000), (64, 6000), (512, 10_000)];

/// The bare rows.
const BARE: &str = "bare rows, SQLite (1 commit)";
/// The first commit of a submit.
const COMMIT: &str = "Journal::commit, SQLite (1)";
/// A submit from its beginning to its end: two commits, and what is read between.
const SUBMIT: &str = "Payments::submit, SQLite (2)";
/// The same without a disk.
const MEMORY: &str = "Payments::submit, memory (2)";
/// The same on a server.
const SERVER: &str = "Payments::submit, server (2)";
/// How many connections to the server an engine has.
const CONNECTIONS: usize = 16;

/// Measures, and prints.
///
/// # Errors
///
/// When something could not be written: there are no figures of failures.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::prepare(disk::folder(&arguments.folder)?).await?;
    let mut ways = vec![BARE, COMMIT, SUBMIT, MEMORY];
    match bench.server {
        Some(_) => ways.push(SERVER),
        None => anstream::println!("no server of PostgreSQL in MALIPO_POSTGRES: it is not measured"),
    }
    let mut table = Table::new(ways, &[0]);
    for (callers, count) in LEVELS {
        for round in 0..=arguments.rounds {
            // In turns, so that what else the machine does falls on all alike. The first round warms up.
            let mut rates = vec![
                bench.bare(callers, count).await?,
                bench.commit(callers, count).await?,
                bench.submit(callers, count, Books::File).await?,
                bench.submit(callers, count, Books::Memory).await?,
            ];
            if bench.server.is_some() {
                rates.push(bench.submit(callers, count, Books::Server).await?);
            }
            if round > 0 {
                table.add(callers, rates);
            }
        }
    }
    table.print();
    anstream::println!(
        "\nA submit commits twice, before the request leaves and after its answer, and the bare rows once, all \
         together:\nwhere the disk is all that counts, its ratio cannot be above 0.50."
    );
    disk::tell_flush(bench.folder.path())
}

/// Where an engine keeps its books.
#[derive(Debug, Clone, Copy)]
enum Books {
    File,
    Memory,
    Server,
}

struct Bench {
    folder: TempDir,
    shape: Shape,
    rows: Vec<Rows>,
    merchant: Merchant,
    files: u32,
    /// The address of PostgreSQL, with its password.
    server: Option<String>,
}

impl Bench {
    /// Lets the journal write what the bare writer is to write after it: the very same rows.
    async fn prepare(folder: TempDir) -> Result<Self, Box<dyn Error>> {
        let most = LEVELS.iter().map(|(_, count)| *count).max().unwrap_or_default();
        let file = folder.path().join("model.db");
        let journal = SqliteJournal::open(file.as_path(), Arc::new(SystemEnv::new()))?;
        let opens = (0..most).map(orders::open).collect::<Result<Vec<_>, _>>()?;
        for result in journal.commit(opens).await? {
            result?;
        }
        drop(journal);
        let (shape, rows) = bare::read(&file, &bare::SUBMITTED)?;
        let merchant = Merchant::new()?;
        Ok(Self { folder, shape, rows, merchant, files: 0, server: crate::server_address() })
    }

    /// A file that was not there before; every measurement has its own.
    fn file(&mut self) -> PathBuf {
        self.files += 1;
        self.folder.path().join(format!("{}.db", self.files))
    }

    /// A schema that was not there before.
    async fn server(&mut self) -> Result<Arc<dyn Journal>, Box<dyn Error>> {
        self.files += 1;
        let schema = format!("bench_{}_{}", std::process::id(), self.files);
        let address = self.server.as_deref().ok_or("no server is named")?;
        let config = PostgresConfig::new(address).with_schema(schema).with_connections(CONNECTIONS);
        Ok(Arc::new(PostgresJournal::open(config).await?))
    }

    async fn bare(&mut self, callers: usize, count: u32) -> Result<u64, Box<dyn Error>> {
        let file = self.file();
        let writer = Writer::start(&file, &self.shape)?;
        let rows = self.rows.iter().take(usize::try_from(count)?).cloned().collect();
        callers::rate(rows, callers, |rows| writer.write(rows)).await
    }

    async fn commit(&mut self, callers: usize, count: u32) -> Result<u64, Box<dyn Error>> {
        let file = self.file();
        let journal = SqliteJournal::open(file.as_path(), Arc::new(SystemEnv::new()))?;
        let opens = (0..count).map(orders::open).collect::<Result<_, _>>()?;
        callers::rate(opens, callers, async |open| {
            for result in journal.commit(vec![open]).await? {
                result?;
            }
            Ok(())
        })
        .await
    }

    async fn submit(&mut self, callers: usize, count: u32, books: Books) -> Result<u64, Box<dyn Error>> {
        let env = Arc::new(SystemEnv::new());
        let journal: Arc<dyn Journal> = match books {
            Books::File => Arc::new(SqliteJournal::open(self.file().as_path(), env)?),
            Books::Memory => Arc::new(MemoryJournal::new(env)),
            Books::Server => self.server().await?,
        };
        let payments = self.merchant.payments(journal)?;
        let all = (0..count).map(|number| Ok((orders::key(number)?, orders::payout(number)?)));
        let all = all.collect::<Result<_, Box<dyn Error>>>()?;
        callers::rate(all, callers, async |(key, payout)| {
            payments.submit(&orders::ACCOUNT, key, payout).await?;
            Ok(())
        })
        .await
    }
}
