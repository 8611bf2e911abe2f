use std::fmt;
use std::time::Duration;

use http::Uri;
use rust_decimal::Decimal;

/// A merchant's account at the simulated SasaPay: what it lets in, what it holds at the start, and how it tells.
///
/// Both sides of a test read it: the simulator to check, the client under test to be configured. Printing it
/// shows no secret.
#[derive(Clone)]
pub struct SasaPayAccount {
    client_id: String,
    client_secret: String,
    merchant_code: String,
    token_life: Duration,
    working: Decimal,
    ipn_url: Option<Uri>,
    signature: Signature,
    status: StatusAnswer,
}

/// Whether callbacks carry a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signature {
    Absent,
    Header,
}

/// How the question after a payment is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusAnswer {
    InReply,
    ByCallback,
}

impl SasaPayAccount {
    /// Merchant `600980`, as in SasaPay's own sample; made-up credentials; nothing collected yet; tokens good for
    /// 3600 s; no IPN URL; callbacks unsigned; a status query answered in its reply.
    pub fn new() -> Self {
        Self {
            client_id: "simulated-sasapay-client".into(),
            client_secret: "simulated-sasapay-secret".into(),
            merchant_code: "600980".into(),
            token_life: Duration::from_secs(3600),
            working: Decimal::ZERO,
            ipn_url: None,
            signature: Signature::Absent,
            status: StatusAnswer::InReply,
        }
    }

    /// The id and secret a token is asked for with. The id is also the key that callbacks are signed with.
    #[must_use]
    pub fn with_client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.client_id = id.into();
        self.client_secret = secret.into();
        self
    }

    /// The merchant that money is collected for.
    #[must_use]
    pub fn with_merchant_code(mut self, code: impl Into<String>) -> Self {
        self.merchant_code = code.into();
        self
    }

    /// What the Working Account, into which everything is collected, holds at the start, in shillings.
    #[must_use]
    pub fn with_working(mut self, shillings: Decimal) -> Self {
        self.working = shillings;
        self
    }

    /// How long a token is good for. The reply tells it in whole seconds.
    #[must_use]
    pub fn with_token_life(mut self, life: Duration) -> Self {
        self.token_life = life;
        self
    }

    /// Where instant payment notifications go from the start, as if given when the application was created. A
    /// client may register another.
    #[must_use]
    pub fn with_ipn_url(mut self, url: Uri) -> Self {
        self.ipn_url = Some(url);
        self
    }

    /// Puts `X-SasaPay-Signature` on every callback and notification: HMAC-SHA512 in lower-case hex, the client id
    /// for a key, over transaction code, merchant code, the payer's number, `BillRefNumber` and `TransAmount`, joined
    /// by `-`. Without this they are unsigned, as they have been seen in production.
    #[must_use]
    pub fn with_signed_callbacks(mut self) -> Self {
        self.signature = Signature::Header;
        self
    }

    /// Answers a status query with an acknowledgement alone, and posts the answer itself to its `CallbackUrl`, as the
    /// newer of SasaPay's pages has it.
    #[must_use]
    pub fn with_status_by_callback(mut self) -> Self {
        self.status = StatusAnswer::ByCallback;
        self
    }

    /// The client id.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The client secret.
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// The merchant money is collected for (`MerchantCode`).
    pub fn merchant_code(&self) -> &str {
        &self.merchant_code
    }

    pub(super) fn token_life(&self) -> Duration {
        self.token_life
    }

    pub(super) fn working(&self) -> Decimal {
        self.working
    }

    pub(super) fn ipn_url(&self) -> Option<&Uri> {
        self.ipn_url.as_ref()
    }

    pub(super) fn signature(&self) -> Signature {
        self.signature
    }

    pub(super) fn status(&self) -> StatusAnswer {
        self.status
    }
}

impl Default for SasaPayAccount {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SasaPayAccount {
    /// Without the IPN URL, whose path is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SasaPayAccount").field("merchant_code", &self.merchant_code).finish_non_exhaustive()
    }
}
