use std::error::Error;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use malipo::daraja::{
    AppKeys, Certificate, Config, Daraja, Initiator, InitiatorPassword, SecurityCredential,
};
use malipo::journal::{
    Account, Address, CallbackKey, CallbackUrls, Journal, Key, Payment, Payments, Policy, SqliteConfig,
    SqliteJournal,
};
use malipo::reqwest::ReqwestTransport;
use malipo::transport::Transport as _;
use malipo::{
    DeliveryPurpose, Instruction, Money, Msisdn, Network, PayOut, Payee, Provider as _, ProviderId,
    Reference, Secret, SystemEnv, Terms,
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::env::SeededEnv;

/// What a program is configured with. It goes to other processes through a pipe: it holds secrets, so it stands in no
/// command line and prints nowhere.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) gateway: String,
    pub(crate) consumer_key: String,
    pub(crate) consumer_secret: String,
    pub(crate) shortcode: String,
    pub(crate) initiator: String,
    pub(crate) initiator_password: String,
    pub(crate) certificate: String,
    /// The file of the journal.
    pub(crate) journal: PathBuf,
    /// What callback URLs begin with.
    pub(crate) callbacks: String,
    pub(crate) callback_key: String,
}

/// A payment that is wanted, and the name of that wish.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Order<'a> {
    pub(crate) key: &'a str,
    pub(crate) payee: &'a str,
    pub(crate) shillings: &'a str,
}

impl Order<'_> {
    pub(crate) fn key(&self) -> Result<Key, Box<dyn Error>> {
        Ok(self.key.parse()?)
    }

    pub(crate) fn payee(&self) -> Result<Msisdn, Box<dyn Error>> {
        Ok(self.payee.parse()?)
    }

    pub(crate) fn amount(&self) -> Result<Money, Box<dyn Error>> {
        Ok(Money::kes(self.shillings)?)
    }
}

/// The account at Daraja and the journal, as every process of one program has them.
pub(crate) struct Engine {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) env: Arc<SeededEnv>,
    daraja: Arc<Daraja>,
    urls: CallbackUrls,
}

/// The account's number in callback URLs.
const ACCOUNT: u32 = 1;
/// How long after a question the next one comes.
const ASK_AGAIN: Duration = Duration::from_secs(5);

impl Engine {
    /// Opens the journal, whether it is new or somebody left it behind. What is minted follows from `seed`.
    pub(crate) fn open(settings: &Settings, seed: u64) -> Result<Self, Box<dyn Error>> {
        let env = Arc::new(SeededEnv::new(seed));
        let key = CallbackKey::new(1, Secret::new(settings.callback_key.as_str()))?;
        let urls = CallbackUrls::new(&settings.callbacks, key)?;
        let journal = SqliteJournal::open(SqliteConfig::new(&settings.journal), Arc::new(SystemEnv::new()))?;
        let daraja = Arc::new(daraja(settings, env.clone())?);
        Ok(Self { journal: Arc::new(journal), env, daraja, urls })
    }

    pub(crate) fn account(&self) -> &ProviderId {
        self.daraja.id()
    }

    /// The engine, which asks what became of a payment so long after its attempt.
    pub(crate) fn payments(&self, ask_after: Duration) -> Result<Payments, Box<dyn Error>> {
        let mut policy = Policy::of(self.daraja.capabilities());
        policy.asking = vec![ask_after, ASK_AGAIN];
        let account = Account::new(ACCOUNT, self.daraja.clone()).with_policy(policy);
        let worker = format!("process {}", std::process::id()).parse()?;
        Ok(Payments::new(self.journal.clone(), self.urls.clone(), self.env.clone(), worker)
            .with_account(account)?)
    }

    /// Posts this where the gateway posts the result of a payment, and says with which status it is answered.
    pub(crate) async fn post(&self, payment: &Payment, body: &[u8]) -> Result<u16, Box<dyn Error>> {
        let url = self.urls.mint(Address::of(ACCOUNT, payment.id, DeliveryPurpose::Result))?;
        let request = http::Request::post(url.as_str())
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Bytes::copy_from_slice(body))?;
        Ok(ReqwestTransport::new()?.send(request).await?.status().as_u16())
    }

    /// What to submit for an order. Orders that are alike have instructions that are alike.
    pub(crate) fn instruction(&self, order: &Order<'_>) -> Result<Instruction, Box<dyn Error>> {
        // The engine mints the reference that is sent; terms are not made without any.
        let terms =
            Terms::new(Reference::mint(&*self.env), order.amount()?).with_description("Demonstration");
        let payee = Payee::wallet(Network::Safaricom, order.payee()?);
        Ok(Instruction::PayOut(PayOut::new(payee, terms)))
    }
}

/// The account at Daraja as a user would configure it, with the simulator's address.
fn daraja(settings: &Settings, env: Arc<SeededEnv>) -> Result<Daraja, Box<dyn Error>> {
    let keys = AppKeys::new(
        Secret::new(settings.consumer_key.as_str()),
        Secret::new(settings.consumer_secret.as_str()),
    )?;
    let certificate = Certificate::read(settings.certificate.as_bytes())?;
    let password = InitiatorPassword::new(settings.initiator_password.as_str())?;
    let credential = SecurityCredential::encrypt(&password, &certificate)?;
    let initiator = Initiator::new(settings.initiator.as_str(), credential)?;
    let config = Config::sandbox(keys, initiator, settings.shortcode.parse()?)?
        .with_base_url(settings.gateway.as_str())?;
    Ok(Daraja::new(config, Arc::new(ReqwestTransport::new()?), env))
}

/// Does `work` while the engine runs, and lets the engine finish what it is doing.
pub(crate) async fn while_running<T>(payments: &Payments, work: impl Future<Output = T>) -> T {
    let (stop, stopped) = oneshot::channel::<()>();
    let work = async {
        let done = work.await;
        drop(stop);
        done
    };
    let stopped = async {
        // It ends when its other end is dropped, which is no error.
        let _ = stopped.await;
    };
    tokio::join!(work, payments.run(stopped)).0
}
