use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use malipo_core::{SystemEnv, Timer};

use crate::fault::Plan;
use crate::gateways::daraja::DarajaAccount;
use crate::gateways::kasapay::KasaPayAccount;
use crate::gateways::kyanda::KyandaAccount;
use crate::gateways::sasapay::SasaPayAccount;

/// How a simulator is set up. Everything has a default.
#[derive(Clone)]
pub struct Options {
    pub(crate) env: Arc<dyn Timer>,
    pub(crate) seed: Option<u64>,
    pub(crate) plan: Plan,
    pub(crate) result_delay: Duration,
    pub(crate) daraja: Option<DarajaAccount>,
    pub(crate) kasapay: KasaPayAccount,
    pub(crate) sasapay: SasaPayAccount,
    pub(crate) kyanda: KyandaAccount,
    pub(crate) server: ServerOptions,
}

/// The part that only a server on a socket has a use for.
#[derive(Debug, Clone)]
pub(crate) struct ServerOptions {
    pub(crate) port: u16,
    pub(crate) reply_delay: Duration,
    pub(crate) idle_limit: Option<Duration>,
}

impl Options {
    /// The real clock, a random seed, no faults, results 50 ms after acceptance, any free port.
    pub fn new() -> Self {
        Self {
            env: Arc::new(SystemEnv::new()),
            seed: None,
            plan: Plan::calm(),
            result_delay: Duration::from_millis(50),
            daraja: None,
            kasapay: KasaPayAccount::new(),
            sasapay: SasaPayAccount::new(),
            kyanda: KyandaAccount::new(),
            server: ServerOptions { port: 0, reply_delay: Duration::ZERO, idle_limit: None },
        }
    }

    /// Whose time it is. Without a seed, also where the first randomness comes from.
    #[must_use]
    pub fn with_env(mut self, env: Arc<dyn Timer>) -> Self {
        self.env = env;
        self
    }

    /// Makes tokens, receipts and the gateway's ids repeat: the same seed, time and calls give the same bytes.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Which faults strike at random.
    #[must_use]
    pub fn with_plan(mut self, plan: Plan) -> Self {
        self.plan = plan;
        self
    }

    /// How long after accepting a call a gateway gets round to it. Payments are decided, and money moves,
    /// then and not before.
    #[must_use]
    pub fn with_result_delay(mut self, delay: Duration) -> Self {
        self.result_delay = delay;
        self
    }

    /// The merchant's account at Daraja. By default one with a fresh key, which takes a moment to make: a
    /// program that starts many simulators makes one [`DarajaKey`](crate::DarajaKey) and shares it.
    #[must_use]
    pub fn with_daraja(mut self, account: DarajaAccount) -> Self {
        self.daraja = Some(account);
        self
    }

    /// The merchant's account at KasaPay. By default [`KasaPayAccount::new`].
    #[must_use]
    pub fn with_kasapay(mut self, account: KasaPayAccount) -> Self {
        self.kasapay = account;
        self
    }

    /// The merchant's account at SasaPay. By default [`SasaPayAccount::new`].
    #[must_use]
    pub fn with_sasapay(mut self, account: SasaPayAccount) -> Self {
        self.sasapay = account;
        self
    }

    /// The merchant's account at Kyanda. By default [`KyandaAccount::new`].
    #[must_use]
    pub fn with_kyanda(mut self, account: KyandaAccount) -> Self {
        self.kyanda = account;
        self
    }

    /// Which port of 127.0.0.1 to listen on; 0 is any free one.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.server.port = port;
        self
    }

    /// Holds back every reply on the socket for this long. Requests are processed at once.
    #[must_use]
    pub fn with_reply_delay(mut self, delay: Duration) -> Self {
        self.server.reply_delay = delay;
        self
    }

    /// Closes a connection on which nothing has been asked for this long, without a word, as servers do
    /// that keep connections alive only for so long. By default they are kept until the client leaves.
    #[must_use]
    pub fn with_idle_limit(mut self, limit: Duration) -> Self {
        self.server.idle_limit = Some(limit);
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    /// Without the seed, from which every token follows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("plan", &self.plan)
            .field("result_delay", &self.result_delay)
            .field("daraja", &self.daraja)
            .field("kasapay", &self.kasapay)
            .field("sasapay", &self.sasapay)
            .field("kyanda", &self.kyanda)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
