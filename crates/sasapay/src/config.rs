use std::marker::PhantomData;

use malipo_core::{
    Ability, Callback, CallbackUse, Capabilities, Currency, Effect, Error, ErrorKind, Lookup, Money,
    MoneyError, Network, Operation, PartyKind, ProviderId, Resubmit, Result, Shortcode,
};
use malipo_transport::{AppKeys, BaseUrl, Environment, Hosts, Production, Sandbox};

use crate::GATEWAY;
use crate::encode::DETAIL_TRANSACTION_FEE;

const HOSTS: &Hosts = &Hosts { sandbox: Some("sandbox.sasapay.app"), production: Some("api.sasapay.app") };

/// What to do about the signature of a delivery. Closed on purpose.
///
/// A good one is no proof, and never makes a delivery [`Trust::Signed`](malipo_core::Trust::Signed): its key is the
/// client id, which is hardly a secret, and it does not cover whether the payment succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignatureCheck {
    /// Do not look at it.
    #[default]
    Off,
    /// Look at it and say in the report what became of it; refuse nothing.
    Report,
    /// Refuse a delivery whose signature is missing or wrong.
    Require,
}

/// One merchant at SasaPay. `Config<Sandbox>` and `Config<Production>` are different types, so that keys for one
/// cannot be sent to the other by accident.
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
    pub(crate) merchant_code: Shortcode,
    pub(crate) callback: Option<Callback>,
    pub(crate) signature_check: SignatureCheck,
    pub(crate) capabilities: Capabilities,
}

impl Config<Sandbox> {
    /// The sandbox at `https://sandbox.sasapay.app`. `merchant_code` is the paybill or till that is paid to.
    ///
    /// # Errors
    ///
    /// As [`Config::with_base_url`].
    pub fn sandbox(keys: AppKeys, merchant_code: Shortcode) -> Result<Self> {
        Self::new(keys, merchant_code, "https://sandbox.sasapay.app")
    }
}

impl Config<Production> {
    /// Production at `https://api.sasapay.app`.
    ///
    /// # Errors
    ///
    /// As [`Config::with_base_url`].
    pub fn production(keys: AppKeys, merchant_code: Shortcode) -> Result<Self> {
        Self::new(keys, merchant_code, "https://api.sasapay.app")
    }
}

impl<E: Environment> Config<E> {
    /// Another address for the gateway: a proxy of yours, or the simulator.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when it is malformed, or plain `http` but to loopback from the sandbox.
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

    /// A callback URL for collections that have none. What arrives there is bound to no payment, so it is believed
    /// no more than any stranger ([`Trust::Claimed`](malipo_core::Trust::Claimed)). Questions never use it.
    #[must_use]
    pub fn with_callback(mut self, callback: Callback) -> Self {
        self.settings.callback = Some(callback);
        self
    }

    /// What to do about signatures. By default nothing: SasaPay has been seen to post without one.
    #[must_use]
    pub fn with_signature_check(mut self, check: SignatureCheck) -> Self {
        self.settings.signature_check = check;
        self
    }

    fn new(keys: AppKeys, merchant_code: Shortcode, base_url: &str) -> Result<Self> {
        let capabilities = Capabilities::new(GATEWAY, Resubmit::QueryFirst, Lookup::ByCallback);
        // A step of a collection: it has neither an amount nor a callback of its own.
        let nothing = Money::zero(Currency::Kes);
        let confirmations = Ability::new(Operation::Confirm, Vec::new(), nothing, nothing, nothing)
            .with_callback(CallbackUse::None);
        let settings = Settings {
            id: ProviderId::of(GATEWAY),
            base: E::base_url(base_url, HOSTS)?,
            keys,
            merchant_code,
            callback: None,
            signature_check: SignatureCheck::Off,
            capabilities: capabilities.with(collections()?).with(confirmations),
        };
        Ok(Self { settings, environment: PhantomData })
    }
}

/// No page tells limits, so there are none but a cent.
fn collections() -> Result<Ability> {
    let money = |minor| Money::from_minor(minor, Currency::Kes).map_err(bad_limit);
    let (cent, most) = (money(1)?, money(Money::MAX_MINOR)?);
    let wallets = [Network::Safaricom, Network::Airtel, Network::Telkom].map(PartyKind::Wallet);
    let parties = [PartyKind::GatewayWallet, PartyKind::Bank].into_iter().chain(wallets).collect();
    Ok(Ability::new(Operation::Collect, parties, cent, most, cent)
        .with_detail_keys(&[DETAIL_TRANSACTION_FEE])
        .with_callback(CallbackUse::Result))
}

fn bad_limit(error: MoneyError) -> Error {
    Error::new(ErrorKind::Configuration, Effect::None, Operation::Configure, "a limit is no amount")
        .with_source(error)
}
