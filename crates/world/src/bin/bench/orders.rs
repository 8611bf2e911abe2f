//! The payments that are written, and a gateway that takes them at once.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use malipo::daraja::{Certificate, Config, Daraja, Initiator, InitiatorPassword, SecurityCredential};
use malipo::journal::{
    Account, CallbackKey, CallbackUrls, Entry, Intent, Journal, Key, Lease, Open, Payments, Policy,
    ResendRule, Start,
};
use malipo::transport::http::{Request, Response};
use malipo::transport::{AppKeys, Bytes, Exchange, Transport, TransportError};
use malipo::{
    Instruction, Money, Network, Operation, PayOut, Payee, Provider as _, ProviderId, Reference, Secret,
    SystemEnv, Terms, async_trait,
};
use malipo_sim::DarajaKey;

/// The account that pays.
pub(crate) const ACCOUNT: ProviderId = ProviderId::of("daraja");

/// How many shillings the payout of this number is.
pub(crate) const fn amount(number: u32) -> u32 {
    100 + number % 10_000
}

/// Whom it goes to.
pub(crate) fn phone(number: u32) -> String {
    format!("254722{:06}", number % 1_000_000)
}

/// The payout of this number.
pub(crate) fn payout(number: u32) -> Result<Instruction, Box<dyn Error>> {
    let reference = Reference::mint(&SystemEnv::new());
    let payee = Payee::wallet(Network::Safaricom, phone(number).parse()?);
    let terms = Terms::new(reference, Money::shillings(amount(number)));
    Ok(Instruction::PayOut(PayOut::new(payee, terms.with_description("Salary of November"))))
}

/// A key of its own for each.
pub(crate) fn key(number: u32) -> Result<Key, Box<dyn Error>> {
    Ok(format!("payroll-2026-11-{number:08}").parse()?)
}

/// The first commit of a submit, as the engine makes it: the payment, and its first attempt.
pub(crate) fn open(number: u32) -> Result<Entry, Box<dyn Error>> {
    let instruction = payout(number)?;
    let fingerprint = Intent::new(&ACCOUNT, &instruction).fingerprint()?;
    let lease = Lease::new("worker-1".parse()?, Duration::from_secs(120));
    let open = Open::new(ACCOUNT, key(number)?, instruction, fingerprint)
        .with_resend(ResendRule::SameReference { within: Duration::from_secs(3600) })
        .with_start(Start::Now(lease));
    Ok(Entry::Open(Box::new(open)))
}

/// The URLs that the gateway is given.
pub(crate) fn urls() -> Result<CallbackUrls, Box<dyn Error>> {
    let key = CallbackKey::new(1, Secret::new("a key of at least thirty-two bytes"))?;
    Ok(CallbackUrls::new("https://merchant.example.com/in", key)?)
}

/// A gateway that takes everything at once, without a socket.
#[derive(Debug)]
struct Willing;

#[async_trait]
impl Transport for Willing {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let exchange = request.extensions().get::<Exchange>();
        let body = match exchange.map(|exchange| (exchange.operation, &exchange.reference)) {
            Some((Operation::PayOut, Some(reference))) => format!(
                "{{\"ConversationID\":\"AG_20261122_{reference}\",\"OriginatorConversationID\":\"{reference}\",\
                 \"ResponseCode\":\"0\",\"ResponseDescription\":\"Accept the service request successfully.\"}}"
            ),
            _ => "{\"access_token\":\"of the simulated gateway\",\"expires_in\":\"3599\"}".to_owned(),
        };
        Ok(Response::new(Bytes::from(body)))
    }
}

/// The provider and the engine on top of books. What is measured is our own work and the books'.
#[derive(Clone)]
pub(crate) struct Merchant {
    daraja: Arc<Daraja>,
}

impl Merchant {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let key = DarajaKey::generate()?;
        let certificate = Certificate::read(key.certificate_pem().as_bytes())?;
        let credential =
            SecurityCredential::encrypt(&InitiatorPassword::new("Safaricom999!*!")?, &certificate)?;
        let keys = AppKeys::new(Secret::new("consumer key"), Secret::new("consumer secret"))?;
        let config = Config::sandbox(keys, Initiator::new("apiop37", credential)?, "600996".parse()?)?;
        let daraja = Daraja::new(config, Arc::new(Willing), Arc::new(SystemEnv::new()));
        Ok(Self { daraja: Arc::new(daraja) })
    }

    pub(crate) fn payments(&self, journal: Arc<dyn Journal>) -> Result<Payments, Box<dyn Error>> {
        let urls = urls()?;
        let env = Arc::new(SystemEnv::new());
        let payments = Payments::new(journal, urls, env, "worker-1".parse()?);
        let mut policy = Policy::of(self.daraja.capabilities());
        // Nothing is asked while it is measured.
        policy.asking = vec![Duration::from_secs(24 * 3600)];
        Ok(payments.with_account(Account::new(1, self.daraja.clone()).with_policy(policy))?)
    }
}
