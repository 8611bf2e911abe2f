//! Tokens: asked for with basic authentication, shown as a bearer.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use serde::Serialize;

use super::account::SasaPayAccount;
use super::refusal::Refusal;
use crate::gateways::json;
use crate::world::Stage;

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The tokens given out and when each runs out. A new one does not end the earlier ones.
#[derive(Default)]
pub(super) struct Tokens(BTreeMap<String, Duration>);

#[derive(Serialize)]
struct Body {
    status: bool,
    detail: &'static str,
    access_token: String,
    expires_in: u64,
    token_type: &'static str,
    scope: &'static str,
}

impl Tokens {
    pub(super) fn issue(
        &mut self,
        stage: &mut Stage,
        account: &SasaPayAccount,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, Refusal> {
        if !knows(account, request.headers()) {
            return Err(Refusal::bad_credentials());
        }
        let query = request.uri().query().unwrap_or_default();
        if !query.split('&').any(|pair| pair == "grant_type=client_credentials") {
            return Err(Refusal::bad_grant());
        }
        let now = stage.monotonic();
        let life = account.token_life();
        let token = stage.dice.text(ALPHABET, 36);
        self.0.retain(|_, end| *end > now);
        self.0.insert(token.clone(), now.saturating_add(life));
        let body = Body {
            status: true,
            detail: "SUCCESS",
            access_token: token,
            expires_in: life.as_secs(),
            token_type: "Bearer",
            scope: "merchant-c2b",
        };
        Ok(json(StatusCode::OK, &body))
    }

    pub(super) fn check(&self, stage: &Stage, token: &str) -> Result<(), Refusal> {
        match self.0.get(token) {
            Some(end) if stage.monotonic() < *end => Ok(()),
            _ => Err(Refusal::bad_token()),
        }
    }
}

/// The token a request shows.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let token = value.strip_prefix("Bearer ")?;
    (!token.is_empty() && !token.contains(' ')).then_some(token)
}

fn knows(account: &SasaPayAccount, headers: &HeaderMap) -> bool {
    let shown = || {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        STANDARD.decode(value.strip_prefix("Basic ")?).ok()
    };
    let wanted = format!("{}:{}", account.client_id(), account.client_secret());
    shown().is_some_and(|shown| shown == wanted.as_bytes())
}
