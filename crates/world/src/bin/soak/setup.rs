//! What a worker is told, and the engine that it makes of it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use malipo::daraja::{Certificate, Daraja, Initiator, InitiatorPassword, SecurityCredential};
use malipo::hyper::HyperTransport;
use malipo::journal::{Account, CallbackKey, CallbackUrls, Payments, Policy, ResendRule};
use malipo::kasapay::KasaPay;
use malipo::kyanda::Kyanda;
use malipo::sasapay::SasaPay;
use malipo::transport::{AppKeys, Transport};
use malipo::{Callbacks, Provider, Secret, SystemEnv};
use malipo_sim::{Gateway, Sim};
use serde::{Deserialize, Serialize};

use crate::store::Place;

/// All that a worker needs to know. The credentials are the simulator's.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// The name of this life of the worker.
    pub(crate) life: String,
    pub(crate) seed: u64,
    /// How many orders there are so far.
    pub(crate) orders: u32,
    /// From which one on they are new.
    pub(crate) newest: u32,
    pub(crate) place: Place,
    /// Where the gateways are.
    pub(crate) gateways: String,
    /// Below which URL they post.
    pub(crate) callbacks: String,
    /// Words that let us in, by name.
    pub(crate) words: Words,
}

/// What the merchant's accounts are let in with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Words {
    daraja: [String; 6],
    kasapay: [String; 3],
    sasapay: [String; 3],
    kyanda: [String; 3],
}

/// The number that an account has in callback URLs.
pub(crate) const fn number(gateway: Gateway) -> u32 {
    match gateway {
        Gateway::Daraja => 1,
        Gateway::KasaPay => 2,
        Gateway::SasaPay => 3,
        _ => 4,
    }
}

/// How long nobody else touches what a worker does. Longer than three exchanges that run out of time.
const LEASE: Duration = Duration::from_millis(1500);
/// How long a gateway has to answer.
const PATIENCE: Duration = Duration::from_millis(400);
/// How long it has to take the connection.
const CONNECT: Duration = Duration::from_millis(200);

impl Words {
    pub(crate) fn of(sim: &Sim) -> Self {
        let (daraja, kasapay, sasapay, kyanda) = (sim.daraja(), sim.kasapay(), sim.sasapay(), sim.kyanda());
        Self {
            daraja: [
                daraja.consumer_key(),
                daraja.consumer_secret(),
                daraja.certificate_pem(),
                daraja.initiator(),
                daraja.initiator_password(),
                daraja.shortcode(),
            ]
            .map(str::to_owned),
            kasapay: [kasapay.consumer_key(), kasapay.consumer_secret(), kasapay.service_code()]
                .map(str::to_owned),
            sasapay: [sasapay.client_id(), sasapay.client_secret(), sasapay.merchant_code()]
                .map(str::to_owned),
            kyanda: [kyanda.api_key(), kyanda.security_key(), kyanda.merchant_id()].map(str::to_owned),
        }
    }
}

/// The URLs that gateways post to: the same for every worker, as all of them stand behind one address.
pub(crate) fn urls(base: &str) -> Result<CallbackUrls, Box<dyn Error>> {
    let key = CallbackKey::new(1, Secret::new("a key of at least thirty-two bytes"))?;
    let of_notices = CallbackKey::new(2, Secret::new("another of at least thirty-two bytes"))?;
    Ok(CallbackUrls::new(base, key)?.with_notice_key(number(Gateway::Kyanda), of_notices)?)
}

impl Setup {
    /// The engine with the four accounts.
    pub(crate) async fn payments(&self) -> Result<Payments, Box<dyn Error>> {
        let options = malipo::hyper::Options::new()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(PATIENCE)
            .with_total_timeout(PATIENCE);
        let transport = Arc::new(HyperTransport::with_options(options)?);
        let env = Arc::new(SystemEnv::new());
        let payments =
            Payments::new(self.place.open().await?, urls(&self.callbacks)?, env, self.life.parse()?)
                .with_lease(LEASE);
        Ok(payments
            .with_account(account(Gateway::Daraja, self.daraja(transport.clone())?))?
            .with_account(account(Gateway::KasaPay, self.kasapay(transport.clone())?))?
            .with_account(account(Gateway::SasaPay, self.sasapay(transport.clone())?))?
            .with_account(account(Gateway::Kyanda, self.kyanda(transport)?))?)
    }

    fn daraja(&self, transport: Arc<dyn Transport>) -> Result<Daraja, Box<dyn Error>> {
        let [key, secret, certificate, initiator, password, shortcode] = &self.words.daraja;
        let certificate = Certificate::read(certificate.as_bytes())?;
        let password = InitiatorPassword::new(password)?;
        let credential = SecurityCredential::encrypt(&password, &certificate)?;
        let initiator = Initiator::new(initiator, credential)?;
        let config = malipo::daraja::Config::sandbox(app_keys(key, secret)?, initiator, shortcode.parse()?)?;
        Ok(Daraja::new(config.with_base_url(&self.gateways)?, transport, Arc::new(SystemEnv::new())))
    }

    fn kasapay(&self, transport: Arc<dyn Transport>) -> Result<KasaPay, Box<dyn Error>> {
        let [key, secret, service_code] = &self.words.kasapay;
        let config = malipo::kasapay::Config::sandbox(app_keys(key, secret)?, service_code)?;
        Ok(KasaPay::new(config.with_base_url(&self.gateways)?, transport, Arc::new(SystemEnv::new())))
    }

    fn sasapay(&self, transport: Arc<dyn Transport>) -> Result<SasaPay, Box<dyn Error>> {
        let [id, secret, merchant_code] = &self.words.sasapay;
        let config = malipo::sasapay::Config::sandbox(app_keys(id, secret)?, merchant_code.parse()?)?;
        Ok(SasaPay::new(config.with_base_url(&self.gateways)?, transport, Arc::new(SystemEnv::new())))
    }

    fn kyanda(&self, transport: Arc<dyn Transport>) -> Result<Kyanda, Box<dyn Error>> {
        let [api_key, security_key, merchant_id] = &self.words.kyanda;
        let keys = malipo::kyanda::Keys::new(Secret::new(api_key))?;
        let keys = keys.with_security_key(Secret::new(security_key))?;
        let initiator = malipo::kyanda::Initiator::new("John Doe".parse()?, "Kenya", "0715330000".parse()?)?;
        let config = malipo::kyanda::Config::sandbox(keys, merchant_id, initiator)?;
        Ok(Kyanda::new(config.with_base_url(&self.gateways)?, transport, Arc::new(SystemEnv::new())))
    }
}

fn app_keys(key: &str, secret: &str) -> Result<AppKeys, Box<dyn Error>> {
    Ok(AppKeys::new(Secret::new(key), Secret::new(secret))?)
}

/// The rules are those of the gateway, and only the times are shorter: minutes become parts of a second.
fn account<P: Provider + Callbacks + 'static>(gateway: Gateway, provider: P) -> Account {
    let mut policy = Policy::of(provider.capabilities());
    policy.asking = [150, 300, 600].map(Duration::from_millis).to_vec();
    policy.retry = Duration::from_millis(100);
    policy.review_after = Duration::from_secs(4);
    if let ResendRule::AfterAbsence { times, within, .. } = policy.resend {
        policy.resend = ResendRule::AfterAbsence { times, quiet: Duration::from_millis(200), within };
    }
    Account::new(number(gateway), Arc::new(provider)).with_policy(policy)
}
