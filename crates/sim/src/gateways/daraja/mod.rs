//! Daraja: tokens, B2C v3, transaction status, account balance.
//!
//! Sources: Safaricom's B2C page and error table, and integrators' captures of the other pages, all read
//! 2026-11-22. Where they leave a gap the choice is this simulator's own and said where it is made.

mod account;
mod fields;
mod key;
mod order;
mod payout;
mod query;
mod refusal;
mod result;
mod token;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use rust_decimal::Decimal;
use serde::Serialize;

pub use account::DarajaAccount;
pub use key::{DarajaKey, KeyError};
pub(crate) use refusal::unavailable;

use fields::Fields;
use order::Order;
use refusal::Refusal;
use token::Tokens;

use super::{Call, Gateway, Operation, Reply, json, no_object};
use crate::event::Delivery;
use crate::fault::{Fault, Faults};
use crate::notify::{Callback, Telling, tellings};
use crate::world::Stage;

/// What every amount here is in.
const SHILLINGS: &str = "KES";

const WORKING: &str = "Working Account";
const UTILITY: &str = "Utility Account";
const CHARGES: &str = "Charges Paid Account";

/// Everything there is to call.
pub(crate) const PATHS: [(&str, Operation); 4] = [
    ("/oauth/v1/generate", Operation::Token),
    ("/mpesa/b2c/v3/paymentrequest", Operation::PayOut),
    ("/mpesa/transactionstatus/v1/query", Operation::Status),
    ("/mpesa/accountbalance/v1/query", Operation::Balance),
];

/// What a callback comes of.
pub(crate) const TOLD: &[Operation] = &[Operation::PayOut, Operation::Status, Operation::Balance];

/// Where Daraja itself says that there is nothing.
const ROOMS: [&str; 2] = ["/oauth/", "/mpesa/"];

const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The face: an account and the tokens given out for it.
pub(crate) struct Daraja {
    account: Arc<DarajaAccount>,
    tokens: Tokens,
    /// The last credential found good. Callers encrypt once and send the same text again and again.
    trusted: Option<String>,
}

/// A call accepted and not yet got round to.
#[derive(Debug)]
pub(crate) struct Work {
    task: Task,
    order: Order,
    faults: Faults,
}

#[derive(Debug)]
enum Task {
    Pay(payout::Pay),
    Status(query::Status),
    Balance,
}

/// The names of one call and of what came of it.
#[derive(Debug, Clone)]
struct Ids {
    originator: String,
    conversation: String,
    transaction: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Acknowledgement<'a> {
    #[serde(rename = "ConversationID")]
    conversation: &'a str,
    #[serde(rename = "OriginatorConversationID")]
    originator: &'a str,
    response_code: &'static str,
    response_description: &'static str,
}

/// What a request asks for and about what, going by its path and body alone. `None` when the path is no
/// business of Daraja's.
pub(crate) fn recognise(request: &Request<Bytes>) -> Option<Call> {
    let path = request.uri().path();
    if !ROOMS.iter().any(|room| path.starts_with(room)) {
        return None;
    }
    let operation = PATHS.iter().find(|(known, _)| *known == path).map(|(_, operation)| *operation);
    let fields = Fields::parse(request.body());
    let peek = |name| fields.as_ref().and_then(|fields| fields.peek(name));
    let (reference, payee) = match operation {
        // PartyB is spelled as magic payees are, or refused.
        Some(Operation::PayOut) => (peek("OriginatorConversationID"), peek("PartyB")),
        Some(Operation::Status) => (peek("OriginalConversationID").or_else(|| peek("TransactionID")), None),
        _ => (None, None),
    };
    Some(Call { gateway: Some(Gateway::Daraja), operation, reference, payee })
}

impl Daraja {
    pub(crate) fn open(account: Arc<DarajaAccount>, stage: &mut Stage) -> Self {
        let open = [
            (WORKING, account.working()),
            (UTILITY, account.utility()),
            // Below zero from the start, as in Safaricom's own sample: readers must bear it.
            (CHARGES, Decimal::new(-4510, 0)),
        ];
        for (name, holding) in open {
            stage.ledger.open_account(Gateway::Daraja, name, SHILLINGS, holding);
        }
        Self { account, tokens: Tokens::default(), trusted: None }
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
            Err(refusal) => Reply { response: refusal.response(&mut stage.dice), refused: Some(refusal.why) },
        }
    }

    /// Gets round to an accepted call and tells the merchant.
    pub(crate) fn perform(&mut self, stage: &mut Stage, work: Work) {
        let Work { task, order, faults } = work;
        // Read once: what is told of one decision keeps its order, however long telling takes.
        let decided = stage.monotonic();
        let ids = Ids {
            originator: order.originator.clone(),
            conversation: order.conversation.clone(),
            transaction: stage.dice.text(UPPER, 10),
        };
        if let Task::Pay(pay) = &task {
            pay.decide(stage, order.authority, &ids.transaction);
        }
        for (when, telling) in tellings(&faults) {
            let (url, body) = match (telling, &task) {
                (Telling::TimedOut, _) => (&order.timeout_url, result::timed_out(&ids)),
                (_, Task::Pay(pay)) => (&order.result_url, pay.tell(stage, &ids, telling)),
                (_, Task::Status(status)) => {
                    (&order.result_url, status.tell(stage, &ids, &order, telling, &self.account))
                }
                (_, Task::Balance) => (&order.result_url, query::tell_balance(stage, &ids, &order, telling)),
            };
            match result::unspeakable(url) {
                Some(word) => {
                    let why = format!("the gateway never calls a URL that contains \"{word}\"");
                    stage.log_callback(Gateway::Daraja, &ids.originator, Delivery::Withheld(why));
                }
                None => {
                    let (gateway, name) = (Gateway::Daraja, &ids.originator);
                    let callback = Callback::json(gateway, name, order.lane, url, HeaderMap::new(), body);
                    stage.tell(decided, when, callback);
                }
            }
        }
    }

    fn decide(
        &mut self,
        stage: &mut Stage,
        request: &Request<Bytes>,
        call: &Call,
        faults: &Faults,
    ) -> Result<Response<Bytes>, Refusal> {
        let operation = call.operation.ok_or_else(Refusal::no_such_path)?;
        if faults.has(Fault::SpikeArrest) {
            return Err(Refusal::too_fast());
        }
        let (task, order) = match operation {
            Operation::Token => {
                takes(request, &Method::GET)?;
                return self.tokens.issue(stage, &self.account, request);
            }
            Operation::PayOut => {
                let fields = self.admit(stage, request, faults)?;
                self.read_payout(stage, &fields)?
            }
            Operation::Status => {
                let fields = self.admit(stage, request, faults)?;
                self.read_status(stage, &fields)?
            }
            Operation::Balance => {
                let fields = self.admit(stage, request, faults)?;
                self.read_balance(stage, &fields)?
            }
            // Those have no path here.
            _ => return Err(Refusal::no_such_path()),
        };
        let reply = json(
            StatusCode::OK,
            &Acknowledgement {
                conversation: &order.conversation,
                originator: &order.originator,
                response_code: "0",
                response_description: "Accept the service request successfully.",
            },
        );
        let work = Work { task, order, faults: faults.clone() };
        if faults.has(Fault::CallbackEarly) {
            self.perform(stage, work);
        } else {
            stage.queue(super::Work::Daraja(Box::new(work)));
        }
        Ok(reply)
    }

    /// Lets a call past the door, with its fields.
    fn admit(&self, stage: &Stage, request: &Request<Bytes>, faults: &Faults) -> Result<Fields, Refusal> {
        takes(request, &Method::POST)?;
        let token = token::bearer(request.headers()).ok_or_else(Refusal::no_bearer)?;
        if faults.has(Fault::TokenExpired) {
            return Err(Refusal::bad_token(token));
        }
        if faults.has(Fault::EchoedToken) {
            return Err(Refusal::echoing(token));
        }
        self.tokens.check(stage, token)?;
        read_fields(request)
    }
}

fn takes(request: &Request<Bytes>, wanted: &Method) -> Result<(), Refusal> {
    let used = request.method();
    if used == wanted { Ok(()) } else { Err(Refusal::wrong_method(used, wanted)) }
}

fn read_fields(request: &Request<Bytes>) -> Result<Fields, Refusal> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::payload("the content type must be application/json"));
    }
    Fields::parse(request.body()).ok_or_else(|| Refusal::payload(&no_object(request.body())))
}
