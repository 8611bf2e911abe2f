//! The server of the run, and a schema for each test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use malipo_journal::{Journal, PostgresConfig, PostgresJournal};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

use crate::bench::{Bench, Clock};

/// Tests of one run are told apart by this, runs by the number of their process.
static SCHEMAS: AtomicU32 = AtomicU32::new(1);

/// A schema that is dropped when its test is over, and a runtime for who opens it.
#[derive(Debug)]
pub(crate) struct Schema {
    address: String,
    name: String,
    runtime: Option<Runtime>,
}

/// After `cargo xtask test --without postgres`, which itself says NOT RUN.
fn is_without_postgres() -> bool {
    let without = std::env::var_os("MALIPO_WITHOUT").unwrap_or_default();
    without.to_string_lossy().split(',').any(|tool| tool == "postgres")
}

impl Schema {
    /// A name that nobody has; none when the tests are to do without a server.
    pub(crate) fn new() -> Option<Self> {
        if is_without_postgres() {
            return None;
        }
        let Some(address) = std::env::var_os("MALIPO_POSTGRES") else {
            panic!(
                "this test needs a server of PostgreSQL: `cargo xtask test` starts one, `cargo xtask test --without \
                 postgres` leaves it out, and MALIPO_POSTGRES=\"host=127.0.0.1 port=.. user=.. dbname=..\" names one \
                 that may be used for tests"
            )
        };
        let address = address.into_string().unwrap();
        let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
        let name = format!("malipo_test_{}_{number}", std::process::id());
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Some(Self { address, name, runtime: Some(runtime) })
    }

    pub(crate) fn config(&self) -> PostgresConfig {
        PostgresConfig::new(self.address()).with_schema(self.name.as_str())
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The server, with a word about the connection for those who look at them.
    pub(crate) fn address(&self) -> String {
        format!("{} application_name={}", self.address, self.name)
    }

    /// The runtime that the journal works in.
    pub(crate) fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime().block_on(work)
    }

    /// The server as somebody with an SQL prompt has it.
    pub(crate) fn by_hand(&self) -> ByHand<'_> {
        let client = self.wait(async {
            let (client, connection) = tokio_postgres::connect(&self.address, NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        let by_hand = ByHand { schema: self, client };
        by_hand.run(&format!("SET search_path TO \"{}\"", self.name)).unwrap();
        by_hand
    }

    pub(crate) fn open(&self, config: PostgresConfig, clock: &Arc<Clock>) -> Arc<dyn Journal> {
        Arc::new(self.wait(PostgresJournal::with_clock(config, clock.clone())).unwrap())
    }

    /// Two openings of one schema, as two processes have.
    pub(crate) fn bench(&self) -> Bench {
        let clock = Clock::new();
        let open = || self.open(self.config().with_connections(4), &clock);
        let (journal, other) = (open(), open());
        Bench { clock, journal, other, _keep: None }
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // A test that has failed need not fail twice.
        if !std::thread::panicking() {
            self.by_hand().run(&format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE", self.name)).unwrap();
        }
        self.runtime.take().unwrap().shutdown_background();
    }
}

#[derive(Debug)]
pub(crate) struct ByHand<'s> {
    schema: &'s Schema,
    client: Client,
}

impl ByHand<'_> {
    pub(crate) fn run(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.schema.wait(self.client.batch_execute(sql))
    }

    /// How many rows a statement changes, or what the server says against it.
    pub(crate) fn change(&self, sql: &str) -> Result<u64, String> {
        let said = |error: tokio_postgres::Error| error.as_db_error().unwrap().message().to_owned();
        self.schema.wait(self.client.execute(sql, &[])).map_err(said)
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.schema.wait(self.client.query_one(sql, &[])).unwrap().get(0)
    }

    /// Asks until the answer is at least so much.
    pub(crate) fn until(&self, sql: &str, least: i64) {
        while self.number(sql) < least {
            self.run("SELECT pg_sleep(0.002)").unwrap();
        }
    }

    pub(crate) fn text(&self, sql: &str) -> String {
        self.schema.wait(self.client.query_one(sql, &[])).unwrap().get(0)
    }
}

impl Bench {
    pub(crate) fn postgres() -> Option<Self> {
        let schema = Schema::new()?;
        let bench = schema.bench();
        Some(Self { _keep: Some(Box::new(schema)), ..bench })
    }
}
