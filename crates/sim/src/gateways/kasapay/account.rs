use std::fmt;
use std::time::Duration;

use rust_decimal::Decimal;

/// A merchant's account at the simulated KasaPay: what it lets in, and what its floats hold at the start.
///
/// Both sides of a test read it: the simulator to check, the client under test to be configured. Printing it
/// shows no secret.
#[derive(Clone)]
pub struct KasaPayAccount {
    consumer_key: String,
    consumer_secret: String,
    service_code: String,
    token_life: Duration,
    kes: Decimal,
    usd: Decimal,
}

impl KasaPayAccount {
    /// Service `12346`, as in KasaPay's own sample; made-up credentials; floats of 10,000,000 shillings and
    /// 100,000 dollars; tokens good for 3600 s.
    pub fn new() -> Self {
        Self {
            consumer_key: "simulated-kasapay-key".into(),
            consumer_secret: "simulated-kasapay-secret".into(),
            service_code: "12346".into(),
            token_life: Duration::from_secs(3600),
            kes: Decimal::new(10_000_000, 0),
            usd: Decimal::new(100_000, 0),
        }
    }

    /// The key and secret a token is asked for with.
    #[must_use]
    pub fn with_consumer(mut self, key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.consumer_key = key.into();
        self.consumer_secret = secret.into();
        self
    }

    /// The one service payments may be made under.
    #[must_use]
    pub fn with_service_code(mut self, code: impl Into<String>) -> Self {
        self.service_code = code.into();
        self
    }

    /// What the float in shillings (`KES Float` in the ledger) holds at the start.
    #[must_use]
    pub fn with_kes_float(mut self, shillings: Decimal) -> Self {
        self.kes = shillings;
        self
    }

    /// What the float in US dollars (`USD Float` in the ledger) holds at the start.
    #[must_use]
    pub fn with_usd_float(mut self, dollars: Decimal) -> Self {
        self.usd = dollars;
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

    /// The service payments are made under (`service_code`).
    pub fn service_code(&self) -> &str {
        &self.service_code
    }

    pub(super) fn token_life(&self) -> Duration {
        self.token_life
    }

    pub(super) fn kes(&self) -> Decimal {
        self.kes
    }

    pub(super) fn usd(&self) -> Decimal {
        self.usd
    }
}

impl Default for KasaPayAccount {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for KasaPayAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KasaPayAccount").field("service_code", &self.service_code).finish_non_exhaustive()
    }
}
