use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use malipo::SystemEnv;
use malipo::journal::{Journal, PostgresConfig, PostgresJournal, SqliteJournal};
use serde::{Deserialize, Serialize};

use crate::Arguments;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Store {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where the books of one run are.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) store: Store,
    /// The file, or the server, with its password.
    address: String,
    /// The schema of this run, where there are any.
    schema: String,
}

impl Store {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

impl Place {
    /// A place that nobody has written to.
    pub(crate) fn new(arguments: &Arguments, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let store = arguments.store;
        let address = match (store, server()) {
            (Store::Sqlite, _) => folder.join("books.db").display().to_string(),
            (Store::Postgres, Some(address)) => address,
            (Store::Postgres, None) => return Err("say where PostgreSQL is, with MALIPO_POSTGRES".into()),
        };
        Ok(Self { store, address, schema: format!("soak_{}", std::process::id()) })
    }

    /// The books, as any process finds them.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Journal>, Box<dyn Error>> {
        match self.store {
            Store::Sqlite => {
                let env = Arc::new(SystemEnv::new());
                Ok(Arc::new(SqliteJournal::open(Path::new(&self.address), env)?))
            }
            Store::Postgres => {
                let config =
                    PostgresConfig::new(&*self.address).with_schema(&*self.schema).with_connections(8);
                Ok(Arc::new(PostgresJournal::open(config).await?))
            }
        }
    }

    /// Where a person finds them after a run, if they are still there. The address is not told: it has a password.
    pub(crate) fn told(&self) -> String {
        match self.store {
            Store::Sqlite => self.address.clone(),
            Store::Postgres => format!("the schema {} of the server", self.schema),
        }
    }
}

/// The server, as `cargo xtask soak` tells it: not in an argument, which every user of the machine can read.
#[allow(clippy::disallowed_methods, reason = "this is a program, and its configuration is there")]
fn server() -> Option<String> {
    std::env::var("MALIPO_POSTGRES").ok()
}
