use std::fmt;
use std::time::Duration;

use http::Uri;
use rust_decimal::Decimal;

/// A merchant's account at the simulated Kyanda: what it lets in, and what its wallet holds at the start.
///
/// Both sides of a test read it: the simulator to check, the client under test to be configured. Printing it
/// shows no secret.
#[derive(Clone)]
pub struct KyandaAccount {
    api_key: String,
    security_key: Option<String>,
    merchant_id: String,
    float: Decimal,
    callback_url: Option<Uri>,
    duplicate_window: Option<Duration>,
}

impl KyandaAccount {
    /// Merchant `kyanda`, as in Kyanda's own samples; one made-up key to be let in with and to sign with; a
    /// float of 10,000,000 shillings; no callback URL yet; the same payment twice is two payments.
    pub fn new() -> Self {
        Self {
            api_key: "simulated-kyanda-key".into(),
            security_key: None,
            merchant_id: "kyanda".into(),
            float: Decimal::new(10_000_000, 0),
            callback_url: None,
            duplicate_window: None,
        }
    }

    /// The key shown in the header `apiKey`. Signatures are made with it as well, unless there is a
    /// [security key](Self::with_security_key).
    #[must_use]
    pub fn with_api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = key.into();
        self
    }

    /// A key of its own for signatures.
    #[must_use]
    pub fn with_security_key(mut self, key: impl Into<String>) -> Self {
        self.security_key = Some(key.into());
        self
    }

    /// The merchant every call must name.
    #[must_use]
    pub fn with_merchant_id(mut self, merchant_id: impl Into<String>) -> Self {
        self.merchant_id = merchant_id.into();
        self
    }

    /// What the wallet (`Payment Wallet` in the ledger) holds at the start, in shillings.
    #[must_use]
    pub fn with_float(mut self, shillings: Decimal) -> Self {
        self.float = shillings;
        self
    }

    /// Where notifications go from the start, as if it had been set on the dashboard. As one can be set only
    /// once, none can be registered then.
    #[must_use]
    pub fn with_callback_url(mut self, url: Uri) -> Self {
        self.callback_url = Some(url);
        self
    }

    /// Refuses airtime, vouchers and bills (9005, 8006) that repeat operation, payee and amount of one
    /// accepted less than this long before. How Kyanda tells a duplicate is published nowhere; 60 s is a
    /// fair guess. Payouts and checkouts have no such code and are never refused so.
    #[must_use]
    pub fn with_duplicate_window(mut self, window: Duration) -> Self {
        self.duplicate_window = Some(window);
        self
    }

    /// The key shown in the header `apiKey`.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The key signatures are made with.
    pub fn security_key(&self) -> &str {
        self.security_key.as_deref().unwrap_or(&self.api_key)
    }

    /// The merchant (`MerchantID`).
    pub fn merchant_id(&self) -> &str {
        &self.merchant_id
    }

    pub(super) fn float(&self) -> Decimal {
        self.float
    }

    pub(super) fn callback_url(&self) -> Option<&Uri> {
        self.callback_url.as_ref()
    }

    pub(super) fn duplicate_window(&self) -> Option<Duration> {
        self.duplicate_window
    }
}

impl Default for KyandaAccount {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for KyandaAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KyandaAccount").field("merchant_id", &self.merchant_id).finish_non_exhaustive()
    }
}
