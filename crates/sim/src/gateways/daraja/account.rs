use std::fmt;
use std::time::Duration;

use rust_decimal::Decimal;

use super::key::DarajaKey;

/// A merchant's account at the simulated Daraja: what it lets in, and what the accounts hold at the start.
///
/// Both sides of a test read it: the simulator to check, the client under test to be configured. Printing it
/// shows no secret.
#[derive(Clone)]
pub struct DarajaAccount {
    key: DarajaKey,
    consumer_key: String,
    consumer_secret: String,
    shortcode: String,
    initiator: String,
    initiator_password: String,
    token_life: Duration,
    working: Decimal,
    utility: Decimal,
}

impl DarajaAccount {
    /// Shortcode 600996 and initiator `testapi`, as in Safaricom's sandbox; made-up credentials; 900,000
    /// shillings in the Working account and 10,000,000 in the Utility account; tokens good for 3599 s.
    pub fn new(key: DarajaKey) -> Self {
        Self {
            key,
            consumer_key: "simulated-consumer-key".into(),
            consumer_secret: "simulated-consumer-secret".into(),
            shortcode: "600996".into(),
            initiator: "testapi".into(),
            initiator_password: "Simulated#2026".into(),
            token_life: Duration::from_secs(3599),
            working: Decimal::new(900_000, 0),
            utility: Decimal::new(10_000_000, 0),
        }
    }

    /// The key and secret a token is asked for with.
    #[must_use]
    pub fn with_consumer(mut self, key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.consumer_key = key.into();
        self.consumer_secret = secret.into();
        self
    }

    /// The API operator and the password that the SecurityCredential must hold.
    #[must_use]
    pub fn with_initiator(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.initiator = name.into();
        self.initiator_password = password.into();
        self
    }

    /// The shortcode payments are made from.
    #[must_use]
    pub fn with_shortcode(mut self, shortcode: impl Into<String>) -> Self {
        self.shortcode = shortcode.into();
        self
    }

    /// What the Utility account, out of which payments are made, holds at the start, in shillings.
    #[must_use]
    pub fn with_utility(mut self, shillings: Decimal) -> Self {
        self.utility = shillings;
        self
    }

    /// How long a token is good for. The reply tells it in whole seconds.
    #[must_use]
    pub fn with_token_life(mut self, life: Duration) -> Self {
        self.token_life = life;
        self
    }

    /// The consumer key.
    pub fn consumer_key(&self) -> &str {
        &self.consumer_key
    }

    /// The consumer secret.
    pub fn consumer_secret(&self) -> &str {
        &self.consumer_secret
    }

    /// The shortcode payments are made from (`PartyA`).
    pub fn shortcode(&self) -> &str {
        &self.shortcode
    }

    /// The API operator's name (`InitiatorName`, `Initiator`).
    pub fn initiator(&self) -> &str {
        &self.initiator
    }

    /// The API operator's password in the clear.
    pub fn initiator_password(&self) -> &str {
        &self.initiator_password
    }

    /// The certificate to encrypt the password for, PEM.
    pub fn certificate_pem(&self) -> &str {
        self.key.certificate_pem()
    }

    /// The key behind the certificate.
    pub fn key(&self) -> &DarajaKey {
        &self.key
    }

    pub(super) fn token_life(&self) -> Duration {
        self.token_life
    }

    pub(super) fn working(&self) -> Decimal {
        self.working
    }

    pub(super) fn utility(&self) -> Decimal {
        self.utility
    }
}

impl fmt::Debug for DarajaAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DarajaAccount")
            .field("shortcode", &self.shortcode)
            .field("initiator", &self.initiator)
            .finish_non_exhaustive()
    }
}
