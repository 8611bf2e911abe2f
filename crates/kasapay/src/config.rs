use std::marker::PhantomData;

use malipo_core::{
    Ability, Callback, CallbackUse, Capabilities, Currency, Effect, Error, ErrorKind, Lookup, Money,
    MoneyError, Operation, PartyKind, ProviderId, Resubmit, Result,
};
use malipo_transport::{AppKeys, BaseUrl, Environment, Hosts, Production, Sandbox};

use crate::GATEWAY;
use crate::encode::{DETAIL_ACCOUNT_REFERENCE, DETAIL_EXTRA};

/// Where production lives is told to merchants only.
const HOSTS: &Hosts = &Hosts { sandbox: Some("sandbox.api.gateway.kasapay.com"), production: None };

/// One merchant's service at KasaPay. `Config<Sandbox>` and `Config<Production>` are different types, so that keys
/// for one cannot be sent to the other by accident.
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
    pub(crate) keys: AppKeys,
    pub(crate) service_code: String,
    pub(crate) country_code: String,
    pub(crate) callback: Option<Callback>,
    pub(crate) capabilities: Capabilities,
}

impl Config<Sandbox> {
    /// The sandbox at `https://sandbox.api.gateway.kasapay.com`. `service_code` is KasaPay's name for the service
    /// that is paid from, as in `12346`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when the service code cannot be one.
    pub fn sandbox(keys: AppKeys, service_code: &str) -> Result<Self> {
        Self::new(keys, service_code, "https://sandbox.api.gateway.kasapay.com")
    }
}

impl Config<Production> {
    /// Production at an address that KasaPay tells its merchants: no public page has it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when the service code or the address cannot be one.
    pub fn production(keys: AppKeys, service_code: &str, base_url: &str) -> Result<Self> {
        Self::new(keys, service_code, base_url)
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

    /// The country that is paid in, as three capital letters (ISO 3166-1 alpha-3). Kenya, `KEN`, by default.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when it is anything else.
    pub fn with_country(mut self, country_code: &str) -> Result<Self> {
        if country_code.len() != 3 || !country_code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(misconfigured("a country code is three capital letters, as in KEN"));
        }
        self.settings.country_code = country_code.to_owned();
        Ok(self)
    }

    /// A callback URL for instructions that have none. What arrives there is bound to no payment, so it is believed
    /// no more than any stranger ([`Trust::Claimed`](malipo_core::Trust::Claimed)).
    #[must_use]
    pub fn with_callback(mut self, callback: Callback) -> Self {
        self.settings.callback = Some(callback);
        self
    }

    fn new(keys: AppKeys, service_code: &str, base_url: &str) -> Result<Self> {
        let printable = service_code.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable || !(1..=64).contains(&service_code.len()) {
            return Err(misconfigured("a service code is 1 to 64 printable characters without spaces"));
        }
        let capabilities =
            Capabilities::new(GATEWAY, Resubmit::QueryFirst, Lookup::ByReference).with_stuck_codes(&["704"]);
        let settings = Settings {
            id: ProviderId::of(GATEWAY),
            base: E::base_url(base_url, HOSTS)?,
            keys,
            service_code: service_code.to_owned(),
            country_code: "KEN".to_owned(),
            callback: None,
            capabilities: capabilities.with(payouts(Currency::Kes)?).with(payouts(Currency::Usd)?),
        };
        Ok(Self { settings, environment: PhantomData })
    }
}

/// No page tells limits, so there are none but a cent.
fn payouts(currency: Currency) -> Result<Ability> {
    let money = |minor| Money::from_minor(minor, currency).map_err(bad_limit);
    let (cent, most) = (money(1)?, money(Money::MAX_MINOR)?);
    let parties = vec![PartyKind::Paybill, PartyKind::Till, PartyKind::Bank];
    Ok(Ability::new(Operation::PayOut, parties, cent, most, cent)
        .with_detail_keys(&[DETAIL_ACCOUNT_REFERENCE, DETAIL_EXTRA])
        .with_callback(CallbackUse::Result))
}

fn bad_limit(error: MoneyError) -> Error {
    misconfigured("a limit is no amount").with_source(error)
}

fn misconfigured(message: &str) -> Error {
    Error::new(ErrorKind::Configuration, Effect::None, Operation::Configure, message)
        .with_provider(&ProviderId::of(GATEWAY))
}
