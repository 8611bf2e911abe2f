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
    pub(crate) address: String,
}

impl Store {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
        }
    }
}

impl Place {
    /// Books that nobody has written in.
    pub(crate) async fn make(arguments: &Arguments, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let store = arguments.store;
        let address = match store {
            Store::Sqlite => folder.join("books.db").display().to_string(),
        };
        Ok(Self { store, address })
    }

    /// The books, as any process finds them.
    pub(crate) fn open(&self) -> Result<Arc<dyn Journal>, Box<dyn Error>> {
        let env = Arc::new(SystemEnv::new());
        match self.store {
            Store::Sqlite => Ok(Arc::new(SqliteJournal::open(Path::new(&self.address), env)?)),
        }
    }
}
