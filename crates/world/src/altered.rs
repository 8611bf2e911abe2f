//! Parts put in the place of others: how the checker is shown what it must find.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use malipo::Timer;
use malipo::journal::{Journal, Policy};
use malipo::transport::Transport;

use crate::gateways::Account;
use crate::postman::Door;

/// What is altered of every process. Each method is given the part as it is built, and nothing is altered by default.
pub trait Alterations: Debug + Send + Sync {
    /// The journal, whose file is `file`.
    fn journal(&self, built: Arc<dyn Journal>, file: &Path, timer: Arc<dyn Timer>) -> Arc<dyn Journal> {
        let _ = (file, timer);
        built
    }

    /// What a provider sends with.
    fn transport(&self, built: Arc<dyn Transport>) -> Arc<dyn Transport> {
        built
    }

    /// The provider.
    fn account(&self, built: Account) -> Account {
        built
    }

    /// The rules.
    fn policy(&self, built: Policy) -> Policy {
        built
    }

    /// The server.
    fn door(&self, built: Arc<dyn Door>, timer: Arc<dyn Timer>) -> Arc<dyn Door> {
        let _ = timer;
        built
    }
}

/// Nothing is altered.
#[derive(Debug)]
pub struct AsBuilt;

impl Alterations for AsBuilt {}
