use std::collections::BTreeMap;
use std::marker::PhantomData;

use malipo_core::{
    Ability, Biller, CallbackUse, Capabilities, Currency, Effect, Error, ErrorKind, Lookup, Money, Msisdn,
    Name, Network, Operation, PartyKind, ProviderId, ReferenceUse, Resubmit, Result, Secret,
};
use malipo_transport::{BaseUrl, Environment, Hosts, Production, Sandbox};

use crate::encode::{DETAIL_BUNDLE, DETAIL_METADATA};
use crate::{Endpoint, GATEWAY};

const SANDBOX_HOST: &str = "sandbox.kyanda.io";
const HOSTS: &Hosts = &Hosts { sandbox: Some(SANDBOX_HOST), production: Some("api.kyanda.app") };

/// A merchant's keys.
#[derive(Debug, Clone)]
pub struct Keys {
    pub(crate) api: Secret,
    pub(crate) security: Secret,
}

impl Keys {
    /// The API key, which requests are also signed with unless there is a [security key](Self::with_security_key).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when it is empty.
    pub fn new(api_key: Secret) -> Result<Self> {
        let api = filled(api_key)?;
        Ok(Self { security: api.clone(), api })
    }

    /// The key that requests are signed with, for merchants who have two.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when it is empty.
    pub fn with_security_key(mut self, security_key: Secret) -> Result<Self> {
        self.security = filled(security_key)?;
        Ok(self)
    }
}

fn filled(key: Secret) -> Result<Secret> {
    if key.is_empty() { Err(misconfigured("a key is empty")) } else { Ok(key) }
}

/// The person in whose name Kyanda does things.
#[derive(Debug, Clone)]
pub struct Initiator {
    pub(crate) name: Name,
    pub(crate) country: String,
    pub(crate) phone: Msisdn,
}

impl Initiator {
    /// First and last name, the country in which the person is, as in `Kenya`, and the person's phone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when the country is not 1 to 60 printable characters.
    pub fn new(name: Name, country: &str, phone: Msisdn) -> Result<Self> {
        let printable = !country.chars().any(char::is_control) && country.trim() == country;
        if !printable || !(1..=60).contains(&country.chars().count()) {
            return Err(misconfigured("a country is 1 to 60 printable characters, no space at either end"));
        }
        Ok(Self { name, country: country.to_owned(), phone })
    }
}

/// One merchant at Kyanda. `Config<Sandbox>` and `Config<Production>` are different types, so that keys for one cannot
/// be sent to the other by accident.
#[derive(Debug, Clone)]
pub struct Config<E: Environment> {
    pub(crate) settings: Settings,
    environment: PhantomData<E>,
}

/// What is configured, whatever the environment.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) id: ProviderId,
    pub(crate) base: BaseUrl,
    pub(crate) keys: Keys,
    pub(crate) merchant: String,
    pub(crate) initiator: Initiator,
    pub(crate) paths: BTreeMap<Endpoint, String>,
    pub(crate) capabilities: Capabilities,
}

impl Config<Sandbox> {
    /// The sandbox at `http://sandbox.kyanda.io:3030`. It is plain `http`, so the transport has to allow the host
    /// `sandbox.kyanda.io`, too; whoever listens on the way sees keys and payments.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when the merchant id cannot be one.
    pub fn sandbox(keys: Keys, merchant_id: &str, initiator: Initiator) -> Result<Self> {
        let base = BaseUrl::plain_http("http://sandbox.kyanda.io:3030", SANDBOX_HOST)?;
        Self::new(keys, merchant_id, initiator, base)
    }
}

impl Config<Production> {
    /// Production at `https://api.kyanda.app`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when the merchant id cannot be one.
    pub fn production(keys: Keys, merchant_id: &str, initiator: Initiator) -> Result<Self> {
        Self::new(keys, merchant_id, initiator, Production::base_url("https://api.kyanda.app", HOSTS)?)
    }
}

impl<E: Environment> Config<E> {
    /// Another address for the gateway: a proxy of yours, or the simulator.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when it is malformed, or plain `http` where that is not allowed: in
    /// production never, in the sandbox only on loopback.
    pub fn with_base_url(mut self, base_url: &str) -> Result<Self> {
        self.settings.base = E::base_url(base_url, HOSTS)?;
        Ok(self)
    }

    /// Names this account, where there is more than one at this gateway.
    #[must_use]
    pub fn with_id(mut self, id: ProviderId) -> Self {
        self.settings.id = id;
        self
    }

    /// Another path for an endpoint: Kyanda's page prints one path for all of them, so those here are from elsewhere.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when it is no absolute path of letters, digits and `-._~`, without dot segments.
    pub fn with_path(mut self, endpoint: Endpoint, path: &str) -> Result<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let is_segment = |text: &str| !matches!(text, "" | "." | "..") && text.bytes().all(plain);
        if !path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment)) {
            return Err(misconfigured("a path is like /billing/v1/airtime: no query, fragment or dots"));
        }
        self.settings.paths.insert(endpoint, path.to_owned());
        Ok(self)
    }

    fn new(keys: Keys, merchant_id: &str, initiator: Initiator, base: BaseUrl) -> Result<Self> {
        let printable = merchant_id.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable || !(1..=64).contains(&merchant_id.len()) {
            return Err(misconfigured("a merchant id is 1 to 64 printable characters without spaces"));
        }
        let settings = Settings {
            id: ProviderId::of(GATEWAY),
            base,
            keys,
            merchant: merchant_id.to_owned(),
            initiator,
            paths: BTreeMap::new(),
            capabilities: capabilities()?,
        };
        Ok(Self { settings, environment: PhantomData })
    }
}

fn capabilities() -> Result<Capabilities> {
    use Network::{Airtel, Equitel, Faiba, Safaricom, Telkom};

    let wallets = || [Safaricom, Airtel, Equitel].map(PartyKind::Wallet).to_vec();
    let lines = |networks: &[Network]| networks.iter().copied().map(PartyKind::Line).collect();
    let named = Biller::NAMED.iter().cloned().map(PartyKind::Biller);
    let billers = named.chain([PartyKind::BillerByCode]).collect();
    let bundles = ability(Operation::Airtime, lines(&[Faiba]), SHILLING)?.with_detail_keys(&[DETAIL_BUNDLE]);
    let checkouts = ability(Operation::Collect, wallets(), CENT)?.with_detail_keys(&[DETAIL_METADATA]);
    Ok(Capabilities::new(GATEWAY, Resubmit::Never, Lookup::ByProviderRef)
        .with_reference(ReferenceUse::NotSent)
        .with(ability(Operation::PayOut, [wallets(), vec![PartyKind::Bank]].concat(), CENT)?)
        .with(checkouts)
        .with(ability(Operation::Airtime, lines(&[Safaricom, Airtel, Telkom, Equitel]), SHILLING)?)
        .with(bundles)
        .with(ability(Operation::Bill, billers, CENT)?)
        .with(ability(Operation::Voucher, lines(&[Safaricom, Airtel, Telkom]), SHILLING)?))
}

/// The steps of amounts, in cents.
const CENT: i64 = 1;
const SHILLING: i64 = 100;

/// Sources differ about limits, so there are none but the step.
fn ability(operation: Operation, parties: Vec<PartyKind>, step: i64) -> Result<Ability> {
    let bad = |error| misconfigured("a limit is no amount").with_source(error);
    let money = |minor| Money::from_minor(minor, Currency::Kes).map_err(bad);
    let ability = Ability::new(operation, parties, money(step)?, money(Money::MAX_MINOR)?, money(step)?);
    Ok(ability.with_callback(CallbackUse::None))
}

fn misconfigured(message: &str) -> Error {
    Error::new(ErrorKind::Configuration, Effect::None, Operation::Configure, message)
        .with_provider(&ProviderId::of(GATEWAY))
}
