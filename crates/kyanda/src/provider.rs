use std::sync::Arc;

use async_trait::async_trait;
use malipo_core::{
    Answer, BalanceReport, Balances, CallbackError, CallbackUrl, Callbacks, Capabilities, Delivery, Env,
    Instruction, Provider, ProviderId, ProviderRefs, Read, Reply, Report, Result, Secret, Storage, Ticket,
};
use malipo_transport::{Call, Environment, Gateway, Line, Response, Transport};

use crate::config::Settings;
use crate::{Config, callback, decode, encode};

/// The gateway's name, and the default name of an account at it.
pub const GATEWAY: &str = "kyanda";

/// One merchant at Kyanda: pays out, collects, and buys airtime, bills and vouchers.
#[derive(Debug, Clone)]
pub struct Kyanda {
    settings: Settings,
    gateway: Gateway,
}

impl Kyanda {
    /// An account as configured, reached over `transport`. Sends nothing yet.
    pub fn new<E: Environment>(config: Config<E>, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Self {
        let settings = config.settings;
        let line = Line::new(settings.id.clone(), settings.base.clone(), transport, env);
        Self { gateway: Gateway::new(line, encode::key(&settings.keys)), settings }
    }

    /// Registers the merchant's one URL, to which Kyanda then posts every notice. It can be done once; only Kyanda's
    /// support changes it. Returns Kyanda's name for the registration.
    ///
    /// # Errors
    ///
    /// [`Error`](malipo_core::Error), always with [`Effect::Unchanged`](malipo_core::Effect::Unchanged): a URL that is
    /// not `https` is [`Invalid`](malipo_core::ErrorKind::Invalid), one that Kyanda does not take, or a second one,
    /// [`Refused`](malipo_core::ErrorKind::Refused).
    pub async fn register_callback(&self, url: &CallbackUrl) -> Result<ProviderRefs> {
        self.asked(encode::registration(&self.settings, url), decode::registered).await
    }

    /// What came back. Its error says which account it is of.
    async fn asked<T>(&self, call: Result<Call>, read: impl FnOnce(&Response) -> Result<T>) -> Result<T> {
        let asked = async { read(&self.gateway.call(call?).await?) };
        asked.await.map_err(|error| error.with_provider(self.id()))
    }
}

#[async_trait]
impl Provider for Kyanda {
    fn id(&self) -> &ProviderId {
        &self.settings.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.settings.capabilities
    }

    async fn submit(&self, instruction: &Instruction) -> Result<Report> {
        let read = |answer: &Response| decode::accepted(self.id(), instruction, answer);
        let submitted = self.asked(encode::submit(&self.settings, instruction), read).await;
        submitted.map_err(|error| error.with_reference(instruction.reference()))
    }

    async fn status(&self, ticket: &Ticket) -> Result<Answer> {
        let read = |answer: &Response| decode::status(&self.settings, ticket, answer);
        let asked = self.asked(encode::status(&self.settings, ticket), read).await;
        asked.map_err(|error| error.with_reference(&ticket.reference))
    }
}

#[async_trait]
impl Balances for Kyanda {
    async fn balances(&self) -> Result<BalanceReport> {
        let read = |answer: &Response| decode::balances(self.id(), answer);
        self.asked(encode::balances(&self.settings), read).await
    }
}

impl Callbacks for Kyanda {
    fn read(&self, delivery: &Delivery) -> std::result::Result<Read, CallbackError> {
        callback::read(&self.settings, delivery)
    }

    fn reply(&self, storage: Storage) -> Reply {
        callback::reply(storage)
    }

    fn secrets(&self) -> Vec<Secret> {
        vec![self.settings.keys.api.clone(), self.settings.keys.security.clone()]
    }
}
