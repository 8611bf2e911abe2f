//! SasaPay: tokens, collections from wallets, mobile money and banks, payments nobody asked for, and the questions
//! about all of them.
//!
//! Sources: SasaPay's C2B page; its pages on tokens, status, verification and balance; integrators' captures. All read
//! 2026-11-22. The C2B page prints no refusal; where the sources leave a gap the choice is this simulator's own and
//! said where it is made. The paths with a slash at the end are Django's, and so are the manners: see
//! [`Refusal::no_slash`].

mod account;
mod channel;
mod collect;
mod confirm;
mod credit;
mod fields;
mod query;
mod refusal;
mod token;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri};
use rust_decimal::Decimal;
use serde::Serialize;

pub use account::SasaPayAccount;
pub use credit::PayerError;
pub(crate) use refusal::unavailable;

use collect::Collection;
use credit::{Credit, Given};
use fields::Fields;
use refusal::Refusal;
use token::Tokens;

use super::{Call, Gateway, Operation, Reply, json};
use crate::fault::{Fault, Faults};
use crate::world::Stage;

const SHILLINGS: &str = "KES";

/// Where everything collected goes.
const WORKING: &str = "Working Account";
/// In the order the balance page prints them.
const ACCOUNTS: [&str; 3] = ["Bulk Payment", "Utility Account", WORKING];

/// Everything there is to call.
pub(crate) const PATHS: [(&str, Operation); 7] = [
    ("/api/v1/auth/token/", Operation::Token),
    ("/api/v1/payments/request-payment/", Operation::Collect),
    ("/api/v1/payments/process-payment/", Operation::Confirm),
    ("/api/v1/transactions/status-query/", Operation::Status),
    ("/api/v1/transactions/verify/", Operation::Verify),
    ("/api/v1/payments/check-balance/", Operation::Balance),
    ("/api/v1/payments/register-ipn-url/", Operation::RegisterCallback),
];

/// What a callback comes of, or comes of once a fault speaks of one.
pub(crate) const TOLD: &[Operation] = &[Operation::Collect, Operation::Confirm, Operation::Status];

/// Where SasaPay itself says that there is nothing.
const ROOM: &str = "/api/v1/";

const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const DIGITS_AND_CAPITALS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The face: an account, the tokens given out for it, and what the ledger has no room for. Grows as the ledger does.
pub(crate) struct SasaPay {
    account: Arc<SasaPayAccount>,
    tokens: Tokens,
    ipn_url: Option<Uri>,
    collections: Vec<Collection>,
    /// Where a collection stands in the list.
    names: BTreeMap<Name, usize>,
    /// What came in, by transaction code.
    credits: BTreeMap<String, Credit>,
}

/// What a collection can be found by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Checkout(String),
    Narration(String),
    /// The merchant's own, which nothing keeps it from using again: then it is the latest collection's.
    Reference(String),
}

/// Something accepted and not yet got round to.
#[derive(Debug)]
pub(crate) struct Work {
    task: Task,
    faults: Faults,
}

#[derive(Debug)]
enum Task {
    /// The payer answers a prompt, or the right code was given.
    Decide(usize),
    /// Too many wrong codes.
    GiveUp(usize),
    Transfer {
        collection: usize,
        amount: Decimal,
    },
    /// For the collection whose narration was given for an account, if one's was.
    WalkIn(Option<usize>, credit::WalkIn),
    Status(query::Status),
}

/// The reply to what has nothing more to say.
#[derive(Serialize)]
struct Done {
    status: bool,
    detail: &'static str,
}

/// What a request asks for and about what, going by its path and body alone. `None` when the path is no
/// business of SasaPay's.
pub(crate) fn recognise(request: &Request<Bytes>) -> Option<Call> {
    let path = request.uri().path();
    if !path.starts_with(ROOM) {
        return None;
    }
    let operation = PATHS.iter().find(|(known, _)| *known == path).map(|(_, operation)| *operation);
    let fields = Fields::parse(request.body());
    let peek = |name| fields.as_ref().and_then(|fields| fields.peek(name));
    let (reference, payee) = match operation {
        Some(Operation::Collect) => {
            let payer = peek("PhoneNumber").and_then(|spelled| fields::international(&spelled));
            (peek("AccountReference"), payer)
        }
        Some(Operation::Confirm) => (peek("CheckoutRequestID"), None),
        Some(Operation::Status) => {
            let names = ["MerchantTransactionReference", "CheckoutRequestId", "TransactionCode"];
            (names.into_iter().find_map(peek), None)
        }
        Some(Operation::Verify) => (peek("TransactionCode").or_else(|| peek("transactionCode")), None),
        _ => (None, None),
    };
    Some(Call { gateway: Some(Gateway::SasaPay), operation, reference, payee })
}

impl SasaPay {
    pub(crate) fn open(account: Arc<SasaPayAccount>, stage: &mut Stage) -> Self {
        for name in ACCOUNTS {
            let holding = if name == WORKING { account.working() } else { Decimal::ZERO };
            stage.ledger.open_account(Gateway::SasaPay, name, SHILLINGS, holding);
        }
        Self {
            ipn_url: account.ipn_url().cloned(),
            account,
            tokens: Tokens::default(),
            collections: Vec::new(),
            names: BTreeMap::new(),
            credits: BTreeMap::new(),
        }
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

    /// Gets round to what was accepted and tells the merchant.
    pub(crate) fn perform(&mut self, stage: &mut Stage, work: Work) {
        let Work { task, faults } = work;
        // Read once: what is told of one decision keeps its order, however long telling takes.
        let decided = stage.monotonic();
        match task {
            Task::Decide(place) => self.charge(stage, place, decided, &faults),
            Task::GiveUp(place) => self.fail(stage, place, confirm::TOO_MANY_CODES, decided, &faults),
            Task::Transfer { collection, amount } => {
                let given = Given { amount, from: None };
                self.receive(stage, collection, given, decided, &faults);
            }
            Task::WalkIn(Some(collection), walk_in) => {
                self.receive(stage, collection, walk_in.given(), decided, &faults);
            }
            Task::WalkIn(None, walk_in) => self.welcome(stage, walk_in, decided, &faults),
            Task::Status(status) => self.tell_status(stage, &status, decided, &faults),
        }
    }

    fn decide(
        &mut self,
        stage: &mut Stage,
        request: &Request<Bytes>,
        call: &Call,
        faults: &Faults,
    ) -> Result<Response<Bytes>, Refusal> {
        let operation = call.operation.ok_or_else(|| astray(request))?;
        let wanted = match operation {
            Operation::Token | Operation::Balance => Method::GET,
            _ => Method::POST,
        };
        if request.method() != wanted {
            return Err(Refusal::wrong_method(request.method(), &wanted));
        }
        if faults.has(Fault::SpikeArrest) {
            return Err(Refusal::too_fast());
        }
        if operation == Operation::Token {
            return self.tokens.issue(stage, &self.account, request);
        }
        self.admit(stage, request, faults)?;
        match operation {
            Operation::Collect => self.collect(stage, &mut Fields::read(request)?, faults),
            Operation::Confirm => self.confirm(stage, &mut Fields::read(request)?, faults),
            Operation::Status => self.status(stage, &mut Fields::read(request)?, faults),
            Operation::Verify => self.verify(stage, &mut Fields::read(request)?),
            Operation::Balance => self.balance(stage, request.uri().query()),
            Operation::RegisterCallback => self.register(&mut Fields::read(request)?),
            _ => Err(Refusal::no_such_path()),
        }
    }

    /// Lets a call past the door.
    fn admit(&self, stage: &Stage, request: &Request<Bytes>, faults: &Faults) -> Result<(), Refusal> {
        let token = token::bearer(request.headers()).ok_or_else(Refusal::bad_token)?;
        if faults.has(Fault::TokenExpired) {
            return Err(Refusal::bad_token());
        }
        if faults.has(Fault::EchoedToken) {
            return Err(Refusal::echoing(token));
        }
        self.tokens.check(stage, token)
    }

    fn register(&mut self, fields: &mut Fields) -> Result<Response<Bytes>, Refusal> {
        let merchant = fields.code("MerchantCode");
        // The public libraries spell it both ways.
        let name = if fields.has("ConfirmationURL") { "ConfirmationURL" } else { "ConfirmationUrl" };
        let url = fields.url(name);
        let (Some(merchant), Some(url)) = (merchant, url) else { return Err(fields.refusal()) };
        self.ours(&merchant)?;
        self.ipn_url = Some(url);
        Ok(done("IPN URL registered"))
    }

    fn ours(&self, merchant: &str) -> Result<(), Refusal> {
        if merchant == self.account.merchant_code() { Ok(()) } else { Err(Refusal::other_merchant()) }
    }

    /// Leaves work for later, or does it before the reply if the faults say so.
    fn undertake(&mut self, stage: &mut Stage, work: Work) {
        if work.faults.has(Fault::CallbackEarly) {
            self.perform(stage, work);
        } else {
            stage.queue(super::Work::SasaPay(Box::new(work)));
        }
    }
}

/// What is said to a request for none of the paths.
fn astray(request: &Request<Bytes>) -> Refusal {
    let slashed = format!("{}/", request.uri().path());
    if PATHS.iter().any(|(known, _)| *known == slashed) {
        return Refusal::no_slash(request);
    }
    Refusal::no_such_path()
}

fn done(detail: &'static str) -> Response<Bytes> {
    json(StatusCode::OK, &Done { status: true, detail })
}
