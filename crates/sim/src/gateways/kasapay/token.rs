//! Tokens: asked for with key and secret in JSON, shown bare in a header of their own.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use serde::Serialize;

use super::account::KasaPayAccount;
use super::fields::Fields;
use super::refusal::Refusal;
use crate::gateways::json;
use crate::world::Stage;

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The tokens given out and when each runs out. A new one does not end the earlier ones.
#[derive(Default)]
pub(super) struct Tokens(BTreeMap<String, Duration>);

/// One name in snake case and one in camel case: so the real one writes them.
#[derive(Serialize)]
struct Body {
    access_token: String,
    #[serde(rename = "expiresIn")]
    expires_in: u64,
}

impl Tokens {
    pub(super) fn issue(
        &mut self,
        stage: &mut Stage,
        account: &KasaPayAccount,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, Refusal> {
        let mut fields = Fields::read(request)?;
        let shown = (fields.text("consumer_key"), fields.text("consumer_secret"));
        let (Some(key), Some(secret)) = shown else { return Err(fields.refusal()) };
        if key != account.consumer_key() || secret != account.consumer_secret() {
            return Err(Refusal::bad_credentials());
        }
        let now = stage.monotonic();
        let life = account.token_life();
        let token = stage.dice.text(ALPHABET, 40);
        self.0.retain(|_, end| *end > now);
        self.0.insert(token.clone(), now.saturating_add(life));
        Ok(json(StatusCode::OK, &Body { access_token: token, expires_in: life.as_secs() }))
    }

    pub(super) fn check(&self, stage: &Stage, token: &str) -> Result<(), Refusal> {
        match self.0.get(token) {
            Some(end) if stage.monotonic() < *end => Ok(()),
            _ => Err(Refusal::bad_token()),
        }
    }
}

/// The token a request shows.
pub(super) fn shown(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-access-token")?.to_str().ok()
}
