use std::marker::PhantomData;

use malipo_core::{
    Ability, Callback, CallbackUse, Capabilities, Currency, Effect, Error, ErrorKind, Lookup, Money, Network,
    Operation, PartyKind, ProviderId, Resubmit, Result, Shortcode,
};
use malipo_transport::{AppKeys, BaseUrl, Environment, Hosts, Production, Sandbox};

use crate::encode::{DETAIL_OCCASION, REFUSED_CALLBACK_WORDS};
use crate::{GATEWAY, SecurityCredential};

const HOSTS: &Hosts =
    &Hosts { sandbox: Some("sandbox.safaricom.co.ke"), production: Some("api.safaricom.co.ke") };

/// The API operator in whose name M-PESA pays.
#[derive(Debug, Clone)]
pub struct Initiator {
    pub(crate) name: String,
    pub(crate) credential: SecurityCredential,
}

impl Initiator {
    /// The operator's user name on the M-PESA portal, and the encrypted password.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when the name is empty, longer than 100 characters or not printable.
    pub fn new(name: &str, credential: SecurityCredential) -> Result<Self> {
        let printable = !name.chars().any(char::is_control) && name.trim() == name;
        if !printable || !(1..=100).contains(&name.chars().count()) {
            return Err(misconfigured(
                "the initiator name must be 1 to 100 printable characters without a space at either end",
            ));
        }
        Ok(Self { name: name.to_owned(), credential })
    }
}

/// One B2C account at Daraja. `Config<Sandbox>` and `Config<Production>` are different types, so that keys for
/// one cannot be sent to the other by accident.
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
    pub(crate) initiator: Initiator,
    pub(crate) shortcode: Shortcode,
    pub(crate) callback: Option<Callback>,
    pub(crate) capabilities: Capabilities,
}

impl Config<Sandbox> {
    /// The sandbox at `https://sandbox.safaricom.co.ke`.
    ///
    /// # Errors
    ///
    /// As [`Config::with_base_url`].
    pub fn sandbox(keys: AppKeys, initiator: Initiator, shortcode: Shortcode) -> Result<Self> {
        Self::new(keys, initiator, shortcode, "https://sandbox.safaricom.co.ke")
    }
}

impl Config<Production> {
    /// Production at `https://api.safaricom.co.ke`.
    ///
    /// # Errors
    ///
    /// As [`Config::with_base_url`].
    pub fn production(keys: AppKeys, initiator: Initiator, shortcode: Shortcode) -> Result<Self> {
        Self::new(keys, initiator, shortcode, "https://api.safaricom.co.ke")
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

    /// Callback URLs for instructions that have none. What arrives there is bound to no payment, so it is believed
    /// no more than any stranger ([`Trust::Claimed`](malipo_core::Trust::Claimed)).
    #[must_use]
    pub fn with_callback(mut self, callback: Callback) -> Self {
        self.settings.callback = Some(callback);
        self
    }

    /// Other limits of one payout, in whole shillings. The default is 10 to 250,000 (Daraja portal, 2026).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when they are not whole, positive shillings in order.
    pub fn with_limits(mut self, minimum: Money, maximum: Money) -> Result<Self> {
        let whole = |money: Money| {
            money.currency() == Currency::Kes && money.is_positive() && money.whole().is_some()
        };
        if !whole(minimum) || !whole(maximum) || minimum.minor() > maximum.minor() {
            return Err(misconfigured("the limits must be whole positive shillings, the least first"));
        }
        self.settings.capabilities.abilities = vec![payouts(minimum, maximum)?];
        Ok(self)
    }

    /// Takes callback URLs that hold one of [`REFUSED_CALLBACK_WORDS`]. Only for who has seen Daraja call them.
    #[must_use]
    pub fn with_any_callback_words(mut self) -> Self {
        self.settings.capabilities.refused_callback_words = &[];
        self
    }

    fn new(keys: AppKeys, initiator: Initiator, shortcode: Shortcode, base_url: &str) -> Result<Self> {
        let capabilities = Capabilities::new(GATEWAY, Resubmit::RefusedAsDuplicate, Lookup::ByCallback)
            .with(payouts(shillings("10")?, shillings("250000")?)?)
            .with_refused_callback_words(REFUSED_CALLBACK_WORDS)
            .with_credential_codes(&["18", "2001", "8006"]);
        let settings = Settings {
            id: ProviderId::of(GATEWAY),
            base: E::base_url(base_url, HOSTS)?,
            keys,
            initiator,
            shortcode,
            callback: None,
            capabilities,
        };
        Ok(Self { settings, environment: PhantomData })
    }
}

fn payouts(minimum: Money, maximum: Money) -> Result<Ability> {
    let parties = vec![PartyKind::Wallet(Network::Safaricom)];
    Ok(Ability::new(Operation::PayOut, parties, minimum, maximum, shillings("1")?)
        .with_detail_keys(&[DETAIL_OCCASION])
        .with_callback(CallbackUse::ResultAndTimeout))
}

fn shillings(text: &str) -> Result<Money> {
    Money::kes(text).map_err(|error| misconfigured("a limit is no amount").with_source(error))
}

fn misconfigured(message: &str) -> Error {
    Error::new(ErrorKind::Configuration, Effect::None, Operation::Configure, message)
        .with_provider(&ProviderId::of(GATEWAY))
}
