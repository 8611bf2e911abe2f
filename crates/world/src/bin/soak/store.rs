use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use malipo::SystemEnv;
use malipo::journal::{Journal, SqliteJournal};
use serde::{Deserialize, Serialize};

use crate::Arguments;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Store {
    /// A file.
    Sqlite,
}

/// Where the books of one run are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) store: Store,
    /// The file.
    address: String,
}

impl Store {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
        }
    }
}

impl Place {
    /// A place that nobody has written to.
    pub(crate) fn new(arguments: &Arguments, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let store = arguments.store;
        let address = match store {
            Store::Sqlite => folder.join("books.db").display().to_string(),
        };
        Ok(Self { store, address })
    }

    /// The books, as any process finds them.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Journal>, Box<dyn Error>> {
        match self.store {
            Store::Sqlite => {
                let env = Arc::new(SystemEnv::new());
                Ok(Arc::new(SqliteJournal::open(Path::new(&self.address), env)?))
            }
        }
    }

    /// Where a person finds them after a run, if they are still there.
    pub(crate) fn told(&self) -> String {
        match self.store {
            Store::Sqlite => self.address.clone(),
        }
    }
}
