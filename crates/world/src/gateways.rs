//! The four providers, as a merchant configures them for the gateways of this world.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use malipo::daraja::{AppKeys, Certificate, Daraja, Initiator, InitiatorPassword, SecurityCredential};
use malipo::journal::SqliteJournal;
use malipo::kasapay::KasaPay;
use malipo::kyanda::Kyanda;
use malipo::sasapay::SasaPay;
use malipo::transport::Transport;
use malipo::{
    Answer, CallbackError, Callbacks, Capabilities, Delivery, Env, Instruction, Provider, ProviderId, Read,
    Reply, Report, Secret, Storage, Ticket, async_trait,
};
use malipo_sim::{DarajaAccount, DarajaKey, Gateway, World};
use tempfile::{Builder, TempDir};

use crate::clock::Clock;
use crate::unbuilt::Unbuilt;

/// Where the gateways are; no byte goes there.
const URL: &str = "http://127.0.0.1";

/// What takes long to make, and is made once for many worlds.
pub struct House {
    daraja: DarajaAccount,
    credential: SecurityCredential,
    /// A journal's file in which nothing stands.
    empty: Vec<u8>,
}

impl House {
    /// A fresh key for Daraja, the initiator's password encrypted with it, and the tables of a journal.
    ///
    /// # Errors
    ///
    /// When one of them cannot be made.
    pub fn new() -> Result<Self, Unbuilt> {
        let daraja = DarajaAccount::new(DarajaKey::generate()?);
        let certificate = Certificate::read(daraja.certificate_pem().as_bytes())?;
        let password = InitiatorPassword::new(daraja.initiator_password())?;
        let credential = SecurityCredential::encrypt(&password, &certificate)?;
        let folder = folder()?;
        let file = folder.path().join("empty.db");
        drop(SqliteJournal::inline(file.as_path(), Arc::new(Clock::seeded(0)))?);
        Ok(Self { daraja, credential, empty: fs::read(file)? })
    }

    /// Writes an empty journal to `file`.
    pub(crate) fn lay_out(&self, file: &Path) -> Result<(), Unbuilt> {
        Ok(fs::write(file, &self.empty)?)
    }

    /// The merchant's account at Daraja.
    pub fn daraja(&self) -> DarajaAccount {
        self.daraja.clone()
    }

    /// The provider for an account at `gateway`.
    pub(crate) fn provider(
        &self,
        gateway: Gateway,
        sim: &World,
        transport: Arc<dyn Transport>,
        env: Arc<dyn Env>,
    ) -> Result<Account, Unbuilt> {
        match gateway {
            Gateway::Daraja => {
                let account = sim.daraja();
                let initiator = Initiator::new(account.initiator(), self.credential.clone())?;
                let keys = keys(account.consumer_key(), account.consumer_secret())?;
                let config = malipo::daraja::Config::sandbox(keys, initiator, account.shortcode().parse()?)?;
                Ok(Account::of(Daraja::new(config.with_base_url(URL)?, transport, env)))
            }
            Gateway::KasaPay => {
                let account = sim.kasapay();
                let keys = keys(account.consumer_key(), account.consumer_secret())?;
                let config = malipo::kasapay::Config::sandbox(keys, account.service_code())?;
                Ok(Account::of(KasaPay::new(config.with_base_url(URL)?, transport, env)))
            }
            Gateway::SasaPay => {
                let account = sim.sasapay();
                let keys = keys(account.client_id(), account.client_secret())?;
                let config = malipo::sasapay::Config::sandbox(keys, account.merchant_code().parse()?)?;
                Ok(Account::of(SasaPay::new(config.with_base_url(URL)?, transport, env)))
            }
            Gateway::Kyanda => {
                let account = sim.kyanda();
                let keys = malipo::kyanda::Keys::new(Secret::new(account.api_key()))?;
                let keys = keys.with_security_key(Secret::new(account.security_key()))?;
                let (name, phone) = ("John Doe".parse()?, "0715330000".parse()?);
                let initiator = malipo::kyanda::Initiator::new(name, "Kenya", phone)?;
                let config = malipo::kyanda::Config::sandbox(keys, account.merchant_id(), initiator)?;
                Ok(Account::of(Kyanda::new(config.with_base_url(URL)?, transport, env)))
            }
            _ => Err(Unbuilt::because("nobody speaks to this gateway")),
        }
    }
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House").finish_non_exhaustive()
    }
}

/// A folder for a journal that need not outlive the machine: in memory, where there is such a place.
pub(crate) fn folder() -> Result<TempDir, Unbuilt> {
    let mut named = Builder::new();
    named.prefix("malipo-world-");
    Ok(named.tempdir_in("/dev/shm").or_else(|_| named.tempdir())?)
}

fn keys(key: &str, secret: &str) -> Result<AppKeys, Unbuilt> {
    Ok(AppKeys::new(Secret::new(key), Secret::new(secret))?)
}

/// One account at a gateway, and who reads what that posts. Either can be put in another's place.
#[derive(Debug, Clone)]
pub struct Account {
    /// Who sends and asks.
    pub provider: Arc<dyn Provider>,
    /// Who reads.
    pub callbacks: Arc<dyn Callbacks>,
}

impl Account {
    fn of<P: Provider + Callbacks + 'static>(provider: P) -> Self {
        let provider = Arc::new(provider);
        Self { callbacks: provider.clone(), provider }
    }
}

#[async_trait]
impl Provider for Account {
    fn id(&self) -> &ProviderId {
        self.provider.id()
    }

    fn capabilities(&self) -> &Capabilities {
        self.provider.capabilities()
    }

    async fn submit(&self, instruction: &Instruction) -> malipo::Result<Report> {
        self.provider.submit(instruction).await
    }

    async fn status(&self, ticket: &Ticket) -> malipo::Result<Answer> {
        self.provider.status(ticket).await
    }
}

impl Callbacks for Account {
    fn read(&self, delivery: &Delivery) -> Result<Read, CallbackError> {
        self.callbacks.read(delivery)
    }

    fn reply(&self, storage: Storage) -> Reply {
        self.callbacks.reply(storage)
    }

    fn secrets(&self) -> Vec<Secret> {
        self.callbacks.secrets()
    }
}
