//! Kyanda: payouts, mobile checkout, airtime, bills, vouchers, and questions about them.
//!
//! Sources: Kyanda's merchant page of 20-01-2023, its public twin, which has the paths and two notifications, and
//! what integrators report of the live service; all read 2026-11-22. Where they leave a gap the choice is this
//! simulator's own and said where it is made.

mod account;
mod codes;
mod endpoint;
mod fields;
mod order;
mod refusal;
mod sign;
mod told;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

pub use account::KyandaAccount;
pub(crate) use endpoint::Endpoint;
pub(crate) use refusal::unavailable;

use endpoint::MERCHANT;
use fields::Parameters;
use order::{Goods, Order, distorted};
use refusal::Refusal;

use super::{Call, Gateway, Operation, Reply, json, positive_decimal};
use crate::event::Delivery;
use crate::fault::{Fault, Faults};
use crate::notify::{Acknowledgement, Callback, Telling, tellings};
use crate::payment::{Direction, Payment, PaymentState};
use crate::world::{Stage, plain};

/// Everything there is to call.
pub(crate) const PATHS: [(&str, Endpoint); 9] = [
    ("/billing/v1/account-balance", Endpoint::Balance),
    ("/billing/v1/transaction-check", Endpoint::Check),
    ("/billing/v3/mobile-payout/create", Endpoint::MobilePayout),
    ("/billing/v3/bank-payout/create", Endpoint::BankPayout),
    ("/billing/v1/checkout/create", Endpoint::Checkout),
    ("/billing/v1/airtime/create", Endpoint::Airtime),
    ("/billing/v1/bill/create", Endpoint::Bill),
    ("/billing/v1/pin-airtime/create", Endpoint::Voucher),
    ("/billing/v1/callback-url/create", Endpoint::Register),
];

/// What a callback comes of.
pub(crate) const TOLD: &[Operation] =
    &[Operation::PayOut, Operation::Collect, Operation::Airtime, Operation::Bill, Operation::Voucher];

/// Where Kyanda itself says that there is nothing.
const ROOM: &str = "/billing/";

/// The merchant's one account, and what is in it.
const WALLET: &str = "Payment Wallet";
const SHILLINGS: &str = "KES";

const DIGITS: &[u8] = b"0123456789";
const DIGITS_AND_CAPITALS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The face: an account and what the ledger has no room for.
pub(crate) struct Kyanda {
    account: Arc<KyandaAccount>,
    /// Where notifications go. Set once.
    callback_url: Option<Uri>,
    /// The number of the last transaction.
    transactions: u64,
    /// By the reference given out for it. Grows as the ledger does.
    orders: BTreeMap<String, Order>,
    /// When such a payment was last accepted, if that matters.
    recent: BTreeMap<(Operation, String, Decimal), Duration>,
}

/// A payment accepted and not yet got round to.
#[derive(Debug)]
pub(crate) struct Work {
    reference: String,
    faults: Faults,
}

/// The reference goes by one name or by the other.
#[derive(Serialize)]
struct Accepted<'a> {
    status: &'static str,
    status_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_reference: Option<&'a str>,
    #[serde(rename = "transactionId", skip_serializing_if = "Option::is_none")]
    transaction: Option<&'a str>,
    transactiontxt: &'static str,
}

#[derive(Serialize)]
struct Balances {
    #[serde(rename = "Account_Bal")]
    account: Option<Box<RawValue>>,
    /// Nobody earns anything here.
    #[serde(rename = "Earnings_Bal")]
    earnings: u8,
}

/// What a request asks for and about whom, going by its path and body alone. `None` when the path is no
/// business of Kyanda's.
pub(crate) fn recognise(request: &Request<Bytes>) -> Option<Call> {
    if !request.uri().path().starts_with(ROOM) {
        return None;
    }
    let endpoint = endpoint(request);
    let peek = |name| fields::peek(endpoint?, request, name);
    let reference =
        endpoint.filter(|endpoint| *endpoint == Endpoint::Check).and_then(|_| peek("transactionRef"));
    let phone = endpoint.and_then(Endpoint::phone).and_then(peek);
    Some(Call {
        gateway: Some(Gateway::Kyanda),
        operation: endpoint.map(Endpoint::operation),
        reference,
        payee: phone.map(|phone| with_country(&phone)),
    })
}

fn endpoint(request: &Request<Bytes>) -> Option<Endpoint> {
    PATHS.iter().find(|(path, _)| *path == request.uri().path()).map(|(_, endpoint)| *endpoint)
}

/// A phone as magic payees are spelled. What is spelled otherwise stays so, and is refused later.
fn with_country(phone: &str) -> String {
    phone.strip_prefix('0').map_or_else(|| phone.to_owned(), |rest| format!("254{rest}"))
}

impl Kyanda {
    pub(crate) fn open(account: Arc<KyandaAccount>, stage: &mut Stage) -> Self {
        stage.ledger.open_account(Gateway::Kyanda, WALLET, SHILLINGS, account.float());
        let callback_url = account.callback_url().cloned();
        // The page's sample is KYAAPI677833.
        let transactions = 677_832;
        Self { account, callback_url, transactions, orders: BTreeMap::new(), recent: BTreeMap::new() }
    }

    pub(crate) fn answer(&mut self, stage: &mut Stage, request: &Request<Bytes>, faults: &Faults) -> Reply {
        match self.decide(stage, request, faults) {
            Ok(response) => Reply { response, refused: None },
            Err(refusal) => {
                let refusal =
                    if refusal.is_numbered() { refusal.numbered(self.next_reference()) } else { refusal };
                Reply { response: refusal.response(), refused: Some(refusal.why) }
            }
        }
    }

    /// Gets round to an accepted payment and tells the merchant.
    pub(crate) fn perform(&mut self, stage: &mut Stage, work: &Work) {
        let Some(order) = self.orders.get_mut(&work.reference) else { return };
        // Read once: what is told of one decision keeps its order, however long telling takes.
        let decided = stage.monotonic();
        order.decide(stage);
        let Some(payment) = stage.ledger.payment(order.payment).cloned() else { return };
        for (when, telling) in tellings(&work.faults) {
            // There is no second URL to tell of a timeout, so nothing is told.
            if telling == Telling::TimedOut {
                continue;
            }
            let Some(url) = &self.callback_url else {
                let why = "no callback URL is registered".to_owned();
                stage.log_callback(Gateway::Kyanda, &work.reference, Delivery::Withheld(why));
                continue;
            };
            let told = distorted(payment.clone(), telling, stage);
            // Who makes up a story does not know the PIN.
            let made_up = (telling != Telling::Truth).then(|| order.make_goods(&told, &mut stage.dice));
            let goods = made_up.as_ref().unwrap_or(&order.goods);
            let body = told::notification(order, &told, goods, self.account.merchant_id());
            let (name, headers) = (&work.reference, HeaderMap::new());
            let callback = Callback::json(Gateway::Kyanda, name, order.lane, url, headers, body);
            stage.tell(decided, when, callback.acknowledged_by(Acknowledgement::StatusSuccess));
        }
    }

    fn decide(
        &mut self,
        stage: &mut Stage,
        request: &Request<Bytes>,
        faults: &Faults,
    ) -> Result<Response<Bytes>, Refusal> {
        let endpoint = endpoint(request).filter(|_| request.method() == Method::POST);
        let endpoint = endpoint.ok_or_else(|| Refusal::no_such_path(request))?;
        if faults.has(Fault::SpikeArrest) {
            return Err(Refusal::too_fast());
        }
        self.admit(request, faults)?;
        let parameters = Parameters::read(endpoint, request)?;
        if parameters.text(MERCHANT) != self.account.merchant_id() {
            return Err(Refusal::field(refusal::MERCHANT, MERCHANT, "is none that the key belongs to"));
        }
        order::check_bundle(endpoint, &parameters)?;
        sign::check(endpoint, &parameters, self.account.security_key())?;
        match endpoint {
            Endpoint::Balance => Ok(balances(stage)),
            Endpoint::Check => self.check(stage, parameters.text("transactionRef")),
            Endpoint::Register => self.register(parameters.text("callbackURL")),
            _ => self.accept(stage, endpoint, parameters, faults),
        }
    }

    /// Lets a call past the door.
    fn admit(&self, request: &Request<Bytes>, faults: &Faults) -> Result<(), Refusal> {
        let shown = request.headers().get("apikey").and_then(|value| value.to_str().ok());
        let Some(key) = shown else {
            return Err(Refusal::of(refusal::AUTHENTICATION, "the header apiKey is missing"));
        };
        if faults.has(Fault::EchoedToken) && !faults.has(Fault::TokenExpired) {
            return Err(Refusal::echoing(key));
        }
        if faults.has(Fault::TokenExpired) || key != self.account.api_key() {
            return Err(Refusal::of(refusal::AUTHENTICATION, "the header apiKey holds no key known here"));
        }
        Ok(())
    }

    fn check(&self, stage: &Stage, reference: &str) -> Result<Response<Bytes>, Refusal> {
        let unknown = || Refusal::field(refusal::NOT_FOUND, "transactionRef", "was given to no payment");
        let order = self.orders.get(reference).ok_or_else(unknown)?;
        let payment = stage.ledger.payment(order.payment).ok_or_else(unknown)?;
        let body = told::checked(order, payment, self.account.merchant_id());
        Ok(plain(StatusCode::OK, "application/json", body))
    }

    fn register(&mut self, url: &str) -> Result<Response<Bytes>, Refusal> {
        let url: Option<Uri> = url.parse().ok().filter(may_be_called);
        let Some(url) = url else {
            let rule = "must be an https URL with a host (here also http on a loopback address)";
            return Err(Refusal::field(refusal::URL, "callbackURL", rule));
        };
        if self.callback_url.is_some() {
            return Err(Refusal::of(
                refusal::REGISTERED,
                "there is one already, and it can be set only once",
            ));
        }
        self.callback_url = Some(url);
        let reference = self.next_reference();
        Ok(json(
            StatusCode::OK,
            &Accepted {
                status: "Success",
                status_code: "0000",
                merchant_reference: None,
                transaction: Some(&reference),
                transactiontxt: "Callback Updated!",
            },
        ))
    }

    /// Enters a payment in the books.
    fn accept(
        &mut self,
        stage: &mut Stage,
        endpoint: Endpoint,
        parameters: Parameters,
        faults: &Faults,
    ) -> Result<Response<Bytes>, Refusal> {
        if matches!(endpoint, Endpoint::Airtime | Endpoint::Bill | Endpoint::Voucher) {
            // The live service is seen to look at the float before anything else about the payment.
            positive_decimal(parameters.text(endpoint.amount()))
                .map_or(Ok(()), |amount| check_float(stage, amount))?;
        }
        let amount = order::read_amount(endpoint, &parameters)?;
        let direction = Order::direction(endpoint);
        if direction == Direction::Out {
            check_float(stage, amount)?;
        }
        let party = endpoint.party().map(|name| parameters.text(name)).unwrap_or_default();
        self.check_repetition(stage, endpoint, party, amount)?;
        let reference = self.next_reference();
        let payment = stage.ledger.accept(Payment {
            gateway: Gateway::Kyanda,
            direction,
            reference: None,
            gateway_reference: reference.clone(),
            party: party.into(),
            amount,
            currency: SHILLINGS.into(),
            state: PaymentState::Accepted,
            accepted_at: stage.now(),
            decided_at: None,
        });
        let order = Order {
            payment,
            endpoint,
            phone: endpoint.phone().map(|name| with_country(parameters.text(name))),
            telco: parameters.optional("telco").map(str::to_owned),
            metadata: parameters.metadata,
            goods: Goods::default(),
            lane: stage.new_lane(),
        };
        self.orders.insert(reference.clone(), order);
        let reply = json(StatusCode::OK, &acknowledgement(endpoint, &reference));
        let work = Work { reference, faults: faults.clone() };
        if faults.has(Fault::CallbackEarly) {
            self.perform(stage, &work);
        } else {
            stage.queue(super::Work::Kyanda(work));
        }
        Ok(reply)
    }

    /// Whether such a payment was accepted a short while ago, and if not, that it now is.
    fn check_repetition(
        &mut self,
        stage: &Stage,
        endpoint: Endpoint,
        party: &str,
        amount: Decimal,
    ) -> Result<(), Refusal> {
        let Some(window) = self.account.duplicate_window() else { return Ok(()) };
        let code = match endpoint {
            Endpoint::Airtime | Endpoint::Voucher => refusal::AIRTIME_TWICE,
            Endpoint::Bill => refusal::BILL_TWICE,
            _ => return Ok(()),
        };
        let now = stage.monotonic();
        self.recent.retain(|_, at| now.saturating_sub(*at) < window);
        let payment = (endpoint.operation(), party.to_owned(), amount);
        if self.recent.contains_key(&payment) {
            let why = format!("one to this payee, of this amount, came within {} s", window.as_secs());
            return Err(Refusal::of(code, &why));
        }
        self.recent.insert(payment, now);
        Ok(())
    }

    fn next_reference(&mut self) -> String {
        self.transactions += 1;
        format!("KYAAPI{}", self.transactions)
    }
}

/// None of these says that anything was paid.
fn acknowledgement(endpoint: Endpoint, reference: &str) -> Accepted<'_> {
    let (merchant_reference, transaction) = match endpoint {
        Endpoint::Bill | Endpoint::Voucher => (None, Some(reference)),
        _ => (Some(reference), None),
    };
    let (status, status_code, transactiontxt) = match endpoint {
        Endpoint::MobilePayout | Endpoint::BankPayout | Endpoint::Checkout => {
            ("Pending", "200", "Request accepted for processing!")
        }
        _ => ("Success", "0000", "Your request has been posted successfully!"),
    };
    Accepted { status, status_code, merchant_reference, transaction, transactiontxt }
}

fn held(stage: &Stage) -> Decimal {
    stage.ledger.balance(Gateway::Kyanda, WALLET).unwrap_or_default()
}

fn check_float(stage: &Stage, amount: Decimal) -> Result<(), Refusal> {
    if held(stage) < amount {
        return Err(Refusal::of(refusal::FLOAT, "the wallet holds less than the amount"));
    }
    Ok(())
}

fn balances(stage: &Stage) -> Response<Bytes> {
    json(StatusCode::OK, &Balances { account: told::number(held(stage)), earnings: 0 })
}

/// The real one asks for https. This one lets a test listen without a certificate.
fn may_be_called(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => loopback,
        _ => false,
    }
}
