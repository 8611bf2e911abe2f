//! KasaPay: tokens, B2B payouts and their status.
//!
//! Source: KasaPay's B2B page, read 2026-11-22. It prints few refusals; where it leaves a gap the choice is
//! this simulator's own and said where it is made. Paths and envelopes are those of a NestJS server, which the
//! one refusal that is printed comes from: it finds no path for a wrong method, and names all bad fields at
//! once.

mod account;
mod fields;
mod payout;
mod refusal;
mod reversal;
mod token;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde::Serialize;

pub use account::KasaPayAccount;
pub(crate) use refusal::unavailable;
pub use reversal::ReversalError;

use fields::Fields;
use payout::{Float, Payout, distorted};
use refusal::Refusal;
use token::Tokens;

use super::{Call, Gateway, Operation, Reply, json};
use crate::fault::{Fault, Faults};
use crate::notify::{Callback, Telling, tellings};
use crate::world::{Stage, plain};

const AUTH: &str = "/v1/auth";
const INITIATE: &str = "/v1/payouts/b2b/initiate";

/// Everything there is to call.
pub(crate) const PATHS: [(&str, Operation); 3] = [
    (AUTH, Operation::Token),
    (INITIATE, Operation::PayOut),
    ("/v1/payouts/b2b/{payout_reference}/status", Operation::Status),
];

/// What a callback comes of.
pub(crate) const TOLD: &[Operation] = &[Operation::PayOut];

/// Where KasaPay itself says that there is nothing.
const ROOM: &str = "/v1/payouts/";

const DIGITS_AND_CAPITALS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The face: an account, the tokens given out for it, and what the ledger has no room for.
pub(crate) struct KasaPay {
    account: Arc<KasaPayAccount>,
    tokens: Tokens,
    /// The number of the last transaction.
    transactions: u64,
    /// By reference, which is used once. Grows as the ledger does.
    payouts: BTreeMap<String, Payout>,
}

/// A payout accepted and not yet got round to.
#[derive(Debug)]
pub(crate) struct Work {
    reference: String,
    faults: Faults,
}

#[derive(Serialize)]
struct Acknowledgement<'a> {
    payout_reference: &'a str,
    response_code: u16,
    response_description: &'static str,
}

/// What a request asks for and about what, going by its path and body alone. `None` when the path is no
/// business of KasaPay's.
pub(crate) fn recognise(request: &Request<Bytes>) -> Option<Call> {
    let path = request.uri().path();
    let (operation, reference, payee) = match path {
        AUTH => (Some(Operation::Token), None, None),
        INITIATE => {
            let fields = Fields::parse(request.body());
            let peek = |name| fields.as_ref().and_then(|fields| fields.peek(name));
            (Some(Operation::PayOut), peek("payout_reference"), peek("recipient_account_number"))
        }
        path => match asked_about(path) {
            Some(segment) => (Some(Operation::Status), decoded(segment), None),
            None if path.starts_with(ROOM) => (None, None, None),
            None => return None,
        },
    };
    Some(Call { gateway: Some(Gateway::KasaPay), operation, reference, payee })
}

impl KasaPay {
    pub(crate) fn open(account: Arc<KasaPayAccount>, stage: &mut Stage) -> Self {
        for (float, holding) in [(Float::Kes, account.kes()), (Float::Usd, account.usd())] {
            stage.ledger.open_account(Gateway::KasaPay, float.name(), float.currency(), holding);
        }
        // The page's sample is 10001.
        Self { account, tokens: Tokens::default(), transactions: 10_000, payouts: BTreeMap::new() }
    }

    pub(crate) fn answer(
        &mut self,
        stage: &mut Stage,
        request: &Request<Bytes>,
        call: &Call,
        faults: &Faults,
    ) -> Reply {
        match self.decide(stage, request, call, faults) {
            Ok(response) => Reply { response, refused: None },
            Err(refusal) => {
                let refused = Some(refusal.why.clone());
                Reply { response: refusal.response(), refused }
            }
        }
    }

    /// Gets round to an accepted payout and tells the merchant.
    pub(crate) fn perform(&mut self, stage: &mut Stage, work: Work) {
        let Work { reference, faults } = work;
        let Some(payout) = self.payouts.get_mut(&reference) else { return };
        // Read once: what is told of one decision keeps its order, however long telling takes.
        let decided = stage.monotonic();
        let receipt = stage.dice.text(DIGITS_AND_CAPITALS, 12);
        payout.decide(stage, &receipt);
        let Some(payment) = stage.ledger.payment(payout.payment).cloned() else { return };
        let held = payout.held_after.unwrap_or_default();
        for (when, telling) in tellings(&faults) {
            // There is no second URL to tell of a timeout, so nothing is told.
            if telling == Telling::TimedOut {
                continue;
            }
            let body = told::body(payout, &distorted(payment.clone(), telling, stage), held);
            let (url, headers) = (&payout.callback_url, HeaderMap::new());
            let callback = Callback::json(Gateway::KasaPay, &reference, payout.lane, url, headers, body);
            stage.tell(decided, when, callback);
        }
    }

    fn decide(
        &mut self,
        stage: &mut Stage,
        request: &Request<Bytes>,
        call: &Call,
        faults: &Faults,
    ) -> Result<Response<Bytes>, Refusal> {
        let operation = match (call.operation, request.method()) {
            (Some(operation @ (Operation::Token | Operation::PayOut)), &Method::POST)
            | (Some(operation @ Operation::Status), &Method::GET) => operation,
            _ => return Err(Refusal::no_such_path(request)),
        };
        if faults.has(Fault::SpikeArrest) {
            return Err(Refusal::too_fast());
        }
        if operation == Operation::Token {
            return self.tokens.issue(stage, &self.account, request);
        }
        self.admit(stage, request, faults)?;
        if operation == Operation::Status {
            return self.status(stage, call.reference.as_deref());
        }
        let reference = self.accept(stage, &mut Fields::read(request)?)?;
        let reply = json(
            StatusCode::OK,
            &Acknowledgement {
                payout_reference: &reference,
                response_code: 720,
                response_description: "Payout request has been accepted for processing",
            },
        );
        let work = Work { reference, faults: faults.clone() };
        if faults.has(Fault::CallbackEarly) {
            self.perform(stage, work);
        } else {
            stage.queue(super::Work::KasaPay(work));
        }
        Ok(reply)
    }

    /// Lets a call past the door.
    fn admit(&self, stage: &Stage, request: &Request<Bytes>, faults: &Faults) -> Result<(), Refusal> {
        let token = token::shown(request.headers()).ok_or_else(Refusal::bad_token)?;
        if faults.has(Fault::TokenExpired) {
            return Err(Refusal::bad_token());
        }
        if faults.has(Fault::EchoedToken) {
            return Err(Refusal::echoing(token));
        }
        self.tokens.check(stage, token)
    }

    fn status(&self, stage: &Stage, reference: Option<&str>) -> Result<Response<Bytes>, Refusal> {
        let reference = reference.ok_or_else(|| Refusal::payload("the payout_reference is badly encoded"))?;
        let payout = self.payouts.get(reference).ok_or_else(Refusal::no_such_payout)?;
        let payment = stage.ledger.payment(payout.payment).ok_or_else(Refusal::no_such_payout)?;
        let held = payout.held_after.unwrap_or_else(|| payout.held(stage));
        let body = told::body(payout, payment, held);
        Ok(plain(StatusCode::OK, "application/json", body))
    }
}

/// The reference in the path of a status query, as it is written there.
fn asked_about(path: &str) -> Option<&str> {
    let segment = path.strip_prefix("/v1/payouts/b2b/")?.strip_suffix("/status")?;
    (!segment.is_empty() && !segment.contains('/')).then_some(segment)
}

/// A path segment without its percent encoding.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = segment.bytes();
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => nibble(bytes.next()?)? * 16 + nibble(bytes.next()?)?,
            byte => byte,
        };
        text.push(byte);
    }
    String::from_utf8(text).ok()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_out_of_paths() {
        let read = |path: &str| asked_about(path).and_then(decoded);
        for (path, reference) in [
            ("/v1/payouts/b2b/ms83-367839/status", Some("ms83-367839")),
            ("/v1/payouts/b2b/a%2Fb%20%C3%A9/status", Some("a/b é")),
            ("/v1/payouts/b2b/100%25/status", Some("100%")),
            ("/v1/payouts/b2b/a%2/status", None),
            ("/v1/payouts/b2b/a%+1/status", None),
            ("/v1/payouts/b2b/%FF/status", None),
            ("/v1/payouts/b2b/a/b/status", None),
            ("/v1/payouts/b2b//status", None),
            ("/v1/payouts/b2b/status", None),
            ("/v1/payouts/a/status", None),
        ] {
            assert_eq!(read(path).as_deref(), reference, "{path}");
        }
    }
}
