use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue};
use malipo_core::{
    Answer, BalanceReport, Balances, CallbackError, CallbackUrl, Callbacks, Capabilities, Credit, Credits,
    Delivery, Env, Instruction, Operation, Provider, ProviderId, ProviderRefs, Read, Reply, Report, Result,
    Secret, Storage, Ticket,
};
use malipo_transport::{
    AppKeys, BearerToken, Call, Environment, Gateway, Line, Response, Token, TokenDialect, Transport,
};

use crate::config::Settings;
use crate::{Config, callback, decode, encode};

/// The gateway's name, and the default name of an account at it.
pub const GATEWAY: &str = "sasapay";

/// One merchant at SasaPay: collects from wallets at SasaPay, from mobile money and from banks.
#[derive(Debug, Clone)]
pub struct SasaPay {
    settings: Settings,
    gateway: Gateway,
}

impl SasaPay {
    /// An account as configured, reached over `transport`. Sends nothing yet.
    pub fn new<E: Environment>(config: Config<E>, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Self {
        let settings = config.settings;
        let line = Line::new(settings.id.clone(), settings.base.clone(), transport, env);
        let tokens = BearerToken::new(Tokens(settings.keys.clone()));
        Self { gateway: Gateway::new(line, tokens), settings }
    }

    /// Tells SasaPay where to post notices of all money that comes in to this merchant.
    ///
    /// # Errors
    ///
    /// [`Error`](malipo_core::Error), always with [`Effect::Unchanged`](malipo_core::Effect::Unchanged).
    pub async fn register_ipn_url(&self, url: &CallbackUrl) -> Result<()> {
        let read = |answer: &Response| decode::answered(Operation::RegisterCallback, None, answer);
        self.asked(encode::register_ipn_url(&self.settings, url), read).await.map(|_| ())
    }

    /// What came back. Its error says which account it is of.
    async fn asked<T>(&self, call: Result<Call>, read: impl FnOnce(&Response) -> Result<T>) -> Result<T> {
        let asked = async { read(&self.gateway.call(call?).await?) };
        asked.await.map_err(|error| error.with_provider(self.id()))
    }
}

#[async_trait]
impl Provider for SasaPay {
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
        let read = |answer: &Response| decode::status(self.id(), ticket, answer);
        let asked = self.asked(encode::status(&self.settings, ticket), read).await;
        asked.map_err(|error| error.with_reference(&ticket.reference))
    }
}

#[async_trait]
impl Balances for SasaPay {
    async fn balances(&self) -> Result<BalanceReport> {
        let read = |answer: &Response| decode::balances(self.id(), answer);
        self.asked(Ok(encode::balances(&self.settings)), read).await
    }
}

/// By the reference `transaction`. No page says how one that does not exist is answered, so nothing reads as `None`.
#[async_trait]
impl Credits for SasaPay {
    async fn credit(&self, refs: &ProviderRefs) -> Result<Option<Credit>> {
        let read = |answer: &Response| decode::verified(&self.settings, refs, answer);
        self.asked(encode::verify(&self.settings, refs), read).await.map(Some)
    }
}

impl Callbacks for SasaPay {
    fn read(&self, delivery: &Delivery) -> std::result::Result<Read, CallbackError> {
        callback::read(&self.settings, delivery)
    }

    fn reply(&self, storage: Storage) -> Reply {
        callback::reply(storage)
    }

    fn secrets(&self) -> Vec<Secret> {
        Vec::new()
    }
}

#[derive(Debug)]
struct Tokens(AppKeys);

impl TokenDialect for Tokens {
    fn request(&self) -> Result<Call> {
        encode::token(&self.0)
    }

    fn read(&self, response: &Response) -> Result<Token> {
        decode::token(response)
    }

    fn attach(&self, token: &Secret) -> Result<(HeaderName, HeaderValue)> {
        encode::attach(token)
    }

    fn rejected(&self, operation: Operation, response: &Response) -> bool {
        decode::rejected(operation, response)
    }
}
