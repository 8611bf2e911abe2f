//! The provider as every test here configures it.

use std::sync::Arc;

use bytes::Bytes;
use malipo_core::{
    Balances, Callback, Callbacks, Currency, Delivery, DeliveryPurpose, Env, Headers, Instruction, Money,
    Operation, PayOut, Payee, Provider, Reference, Secret, State, Terms, Ticket,
};
use malipo_kasapay::{AppKeys, Config, KasaPay, Sandbox};
use malipo_testkit::conformance::{Asked, Posted, Sample, Says, Subject, Submitted, TokenExchange};
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};
use malipo_transport::Transport;

pub(crate) const KEY: &str = "PlantedConsumerKey7731";
pub(crate) const SECRET: &str = "PlantedConsumerSecret/9+8264";
pub(crate) const TOKEN: &str = "PlantedAccessToken5590";
pub(crate) const TOKEN_REPLY: &str = r#"{"access_token":"PlantedAccessToken5590","expiresIn":3600}"#;
pub(crate) const ACCEPTED: &str = include_str!("fixtures/acknowledgement.json");
pub(crate) const REFUSED: &str = include_str!("fixtures/refusal.json");

pub(crate) fn keys() -> AppKeys {
    AppKeys::new(Secret::new(KEY), Secret::new(SECRET)).unwrap()
}

pub(crate) fn config() -> Config<Sandbox> {
    Config::sandbox(keys(), "12346").unwrap()
}

/// The provider over a gateway that gives a token and answers anything else so.
pub(crate) fn kasapay(status: u16, answer: impl Into<Bytes>) -> (KasaPay, Arc<ScriptedTransport>) {
    let transport = ScriptedTransport::new()
        .on("/v1/auth", Outcome::json(200, TOKEN_REPLY))
        .always(Outcome::json(status, answer.into()));
    let transport = Arc::new(transport);
    (KasaPay::new(config(), transport.clone(), Arc::new(ManualEnv::new())), transport)
}

pub(crate) fn callback() -> Callback {
    Callback::new("https://payments.x.xyz/result".parse().unwrap())
}

pub(crate) fn terms(reference: &str, amount: &str) -> Terms {
    Terms::new(reference.parse().unwrap(), Money::kes(amount).unwrap()).with_callback(callback())
}

pub(crate) fn dollars(reference: &str, amount: &str) -> Terms {
    let amount = Money::parse(amount, Currency::Usd).unwrap();
    Terms::new(reference.parse().unwrap(), amount).with_callback(callback())
}

pub(crate) fn paybill() -> Payee {
    named(Payee::paybill("565656".parse().unwrap(), "0101".parse().unwrap()))
}

pub(crate) fn till() -> Payee {
    named(Payee::till("123456".parse().unwrap()))
}

pub(crate) fn bank() -> Payee {
    named(Payee::bank(None, "08292000000849".parse().unwrap()))
}

fn named(payee: Payee) -> Payee {
    payee.with_name("Test Limited".parse().unwrap())
}

pub(crate) fn pay_out(payee: Payee, terms: Terms) -> Instruction {
    Instruction::PayOut(PayOut::new(payee, terms))
}

pub(crate) fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

pub(crate) fn ticket(text: &str) -> Ticket {
    Ticket::new(reference(text), Operation::PayOut)
}

pub(crate) fn delivery(purpose: DeliveryPurpose, body: &str) -> Delivery {
    Delivery::new(purpose, Headers::new().with("content-type", "application/json"), body)
}

pub(crate) fn envelope(status: u16) -> String {
    format!(r#"{{"statusCode":{status},"message":"as documented","error":"as HTTP names it"}}"#)
}

/// What became of a payout of 100 shillings.
pub(crate) fn told(reference: &Reference, status: &str) -> String {
    format!(
        r#"{{"payout_reference":"{reference}","transaction_id":"10001","payment_reference":"TQLXMNSBBYSF","payment_status":{status},"amount":"100.00","currency":"KES","account_number":"08292******849","result_description":"as documented"}}"#
    )
}

#[derive(Default)]
pub(crate) struct KasaPaySubject;

impl Subject for KasaPaySubject {
    fn provider(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Arc<dyn Provider> {
        Arc::new(KasaPay::new(config(), transport, env))
    }

    fn canaries(&self) -> Vec<&'static str> {
        vec![KEY, SECRET, TOKEN]
    }

    fn instructions(&self) -> Vec<Instruction> {
        vec![
            pay_out(paybill(), terms("PAY-1", "1500")),
            pay_out(till(), terms("PAY-2", "99.50").with_detail("account_reference", "0101")),
            pay_out(bank(), terms("PAY-3", "100").with_detail("extra.bank_code", "01")),
            pay_out(paybill(), dollars("PAY-4", "10")),
            pay_out(till(), dollars("PAY-5", "10.25")),
            pay_out(bank(), dollars("PAY-6", "10").with_description("Invoice 6")),
        ]
    }

    fn answers(&self, _: &Instruction) -> Vec<Sample<Submitted>> {
        let unlisted = r#"{"response_code":799,"response_description":"what"}"#;
        vec![
            Sample::json("acknowledgement", 200, ACCEPTED, Submitted::Reported(State::Pending)),
            Sample::json("acknowledgement as created", 201, ACCEPTED, Submitted::Reported(State::Pending)),
            Sample::json("refusal", 200, REFUSED, Submitted::NotStarted).with_code("SERVICE_NOT_ALLOWED"),
            Sample::json("refusal as a bad request", 400, REFUSED, Submitted::NotStarted),
            Sample::json("envelope", 400, envelope(400), Submitted::NotStarted).with_code("400"),
            Sample::json("unlisted", 200, unlisted, Submitted::Unknown).with_code("799"),
            Sample::json("unlisted as a bad request", 400, unlisted, Submitted::Unknown),
            Sample::json("failure of the framework", 500, envelope(500), Submitted::Unknown),
        ]
    }

    fn status_answers(&self, ticket: &Ticket) -> Vec<Sample<Asked>> {
        let hundred = Money::kes("100").unwrap();
        let known = |name, status: &str, state| {
            let body = told(&ticket.reference, status);
            Sample::json(name, 200, body, Asked::Known(state)).with_code(status).with_amount(hundred)
        };
        vec![
            known("paid", "700", State::Settled),
            known("failed", "701", State::Failed),
            known("reversed", "702", State::Reversed),
            known("pending", "703", State::Pending),
            known("jammed", "704", State::Pending),
            known("refunded", "705", State::Reversed),
            known("unlisted", "799", State::Pending),
            Sample::json("not found", 404, envelope(404), Asked::NoSuchReference),
            Sample::json("bad request", 400, envelope(400), Asked::Failed),
            Sample::json("another payout", 200, told(&reference("OTHER-1"), "700"), Asked::Failed),
        ]
    }

    fn token(&self) -> Option<TokenExchange> {
        Some(TokenExchange::json("/v1/auth", TOKEN_REPLY).rejected_by(401, envelope(401)))
    }

    fn callbacks(&self) -> Option<Arc<dyn Callbacks>> {
        Some(Arc::new(kasapay(500, "").0))
    }

    fn balances(&self, _: Arc<dyn Transport>, _: Arc<dyn Env>) -> Option<Arc<dyn Balances>> {
        None
    }

    fn deliveries(&self) -> Vec<Posted> {
        let posted = |name, body: &str, state| {
            Posted::new(name, delivery(DeliveryPurpose::Result, body), Says::Report(state))
        };
        let told = |status| told(&reference("PAY-1"), status);
        let hundred = Money::kes("100").unwrap();
        let notice = delivery(DeliveryPurpose::Notice, "{}");
        vec![
            posted("the page's", include_str!("fixtures/callback.json"), State::Settled).with_amount(hundred),
            posted("paid", &told("700"), State::Settled).with_code("700").with_amount(hundred),
            posted("failed", &told("701"), State::Failed).with_code("701"),
            posted("reversed", &told("702"), State::Reversed).with_code("702"),
            posted("jammed", &told("704"), State::Pending).with_code("704"),
            posted("refunded", &told("\"705\""), State::Reversed).with_code("705"),
            posted("unlisted", &told("799"), State::Pending).with_code("799"),
            Posted::new("nothing", delivery(DeliveryPurpose::Result, "{}"), Says::Refused),
            Posted::new("something else", notice, Says::NotModelled),
        ]
    }
}
