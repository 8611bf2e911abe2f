use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue};
use malipo_core::{
    Answer, BalanceReport, Balances, CallbackError, CallbackUrl, Callbacks, Capabilities, Credit, Delivery,
    Env, Instruction, Operation, Provider, ProviderId, Read, Reply, Report, Result, Secret, Storage, Ticket,
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

    /// Looks up money that came in by SasaPay's code for it, the reference `transaction` of a result or a credit. What
    /// is posted is only claimed; this is answered.
    ///
    /// # Errors
    ///
    /// [`Error`](malipo_core::Error) with [`Effect::Unchanged`](malipo_core::Effect::Unchanged); also where none came.
    pub async fn verify(&self, transaction_code: &str) -> Result<Credit> {
        let verified = async {
            let call = encode::verify(&self.settings, transaction_code)?;
            decode::verified(&self.settings, transaction_code, &self.gateway.call(call).await?)
        };
        verified.await.map_err(|error| error.with_provider(self.id()))
    }

    /// Tells SasaPay where to post notices of all money that comes in to this merchant.
    ///
    /// # Errors
    ///
    /// [`Error`](malipo_core::Error), always with [`Effect::Unchanged`](malipo_core::Effect::Unchanged).
    pub async fn register_ipn_url(&self, url: &CallbackUrl) -> Result<()> {
        let registered = async {
            let call = encode::register_ipn_url(&self.settings, url)?;
            decode::answered(Operation::RegisterCallback, &self.gateway.call(call).await?).map(|_| ())
        };
        registered.await.map_err(|error| error.with_provider(self.id()))
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
        let reference = instruction.reference();
        let submitted = async {
            let call = encode::submit(&self.settings, instruction)?;
            decode::accepted(self.id(), instruction, &self.gateway.call(call).await?)
        };
        submitted.await.map_err(|error| error.with_provider(self.id()).with_reference(reference))
    }

    async fn status(&self, ticket: &Ticket) -> Result<Answer> {
        let asked = async {
            let call = encode::status(&self.settings, ticket)?;
            decode::status(self.id(), ticket, &self.gateway.call(call).await?)
        };
        asked.await.map_err(|error| error.with_provider(self.id()).with_reference(&ticket.reference))
    }
}

#[async_trait]
impl Balances for SasaPay {
    async fn balances(&self) -> Result<BalanceReport> {
        let call = encode::balances(&self.settings);
        decode::balances(self.id(), &self.gateway.call(call).await?)
            .map_err(|error| error.with_provider(self.id()))
    }
}

impl Callbacks for SasaPay {
    fn read(&self, delivery: &Delivery) -> std::result::Result<Read, CallbackError> {
        callback::read(&self.settings, delivery)
    }

    fn reply(&self, storage: Storage) -> Reply {
        callback::reply(storage)
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
