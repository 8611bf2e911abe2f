use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue};
use malipo_core::{
    Answer, CallbackError, Callbacks, Capabilities, Delivery, Env, Instruction, Operation, Provider,
    ProviderId, Read, Reply, Report, Result, Secret, Storage, Ticket,
};
use malipo_transport::{
    AppKeys, BearerToken, Call, Environment, Gateway, Line, Response, Token, TokenDialect, Transport,
};

use crate::config::Settings;
use crate::{Config, callback, decode, encode};

/// The gateway's name, and the default name of an account at it.
pub const GATEWAY: &str = "kasapay";

/// One merchant's service at KasaPay: pays out to paybills, tills and bank accounts.
#[derive(Debug, Clone)]
pub struct KasaPay {
    settings: Settings,
    gateway: Gateway,
}

impl KasaPay {
    /// An account as configured, reached over `transport`. Sends nothing yet.
    pub fn new<E: Environment>(config: Config<E>, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Self {
        let settings = config.settings;
        let line = Line::new(settings.id.clone(), settings.base.clone(), transport, env);
        let tokens = BearerToken::new(Tokens(settings.keys.clone()));
        Self { gateway: Gateway::new(line, tokens), settings }
    }

    /// What came back. Its error says which account it is of.
    async fn asked<T>(&self, call: Result<Call>, read: impl FnOnce(&Response) -> Result<T>) -> Result<T> {
        let asked = async { read(&self.gateway.call(call?).await?) };
        asked.await.map_err(|error| error.with_provider(self.id()))
    }
}

#[async_trait]
impl Provider for KasaPay {
    fn id(&self) -> &ProviderId {
        &self.settings.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.settings.capabilities
    }

    async fn submit(&self, instruction: &Instruction) -> Result<Report> {
        let read = |answer: &Response| decode::accepted(self.id(), instruction.reference(), answer);
        let submitted = self.asked(encode::submit(&self.settings, instruction), read).await;
        submitted.map_err(|error| error.with_reference(instruction.reference()))
    }

    async fn status(&self, ticket: &Ticket) -> Result<Answer> {
        let read = |answer: &Response| decode::status(self.id(), &ticket.reference, answer);
        let asked = self.asked(encode::status(ticket), read).await;
        asked.map_err(|error| error.with_reference(&ticket.reference))
    }
}

impl Callbacks for KasaPay {
    fn read(&self, delivery: &Delivery) -> std::result::Result<Read, CallbackError> {
        callback::read(self.id(), delivery)
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

    fn rejected(&self, _: Operation, response: &Response) -> bool {
        decode::rejected(response)
    }
}
