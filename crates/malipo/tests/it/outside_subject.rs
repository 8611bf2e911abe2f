//! What Tembo documents, and the one line that holds its provider against it.

use std::sync::Arc;

use malipo::transport::{AppKeys, Environment, Hosts, Production, Transport};
use malipo::{
    Balances, Callback, Callbacks, Delivery, DeliveryPurpose, Env, Headers, Instruction, Money, Network,
    PayOut, Payee, Provider, Secret, State, Terms, Ticket,
};
use malipo_testkit::conformance::{Asked, Counted, Posted, Sample, Says, Subject, Submitted, TokenExchange};

use crate::outside_provider::{Tembo, TemboCallbacks};

malipo_testkit::conformance!(TemboSubject);

const CLIENT: &str = "PLANTED/client+4711";
pub(crate) const PASSWORD: &str = "PLANTED/password+4712";
const TOKEN: &str = "PLANTED/token+4713";
pub(crate) const TOKEN_REPLY: &str = r#"{"token":"PLANTED/token+4713","kind":"bearer"}"#;
pub(crate) const REJECTED: &str = r#"{"code":"TOKEN","message":"Stale"}"#;
pub(crate) const ACCEPTED: &str = r#"{"accepted":"P-1"}"#;

#[derive(Debug, Clone, Copy)]
pub(crate) struct TemboSubject;

impl Subject for TemboSubject {
    fn provider(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Arc<dyn Provider> {
        Arc::new(tembo(transport, env))
    }

    fn canaries(&self) -> Vec<&'static str> {
        vec![CLIENT, PASSWORD, TOKEN]
    }

    fn instructions(&self) -> Vec<Instruction> {
        [("TEMBO-1", Network::Safaricom), ("TEMBO-2", Network::Airtel)]
            .map(|(reference, network)| {
                let callback = Callback::new("https://pay.example.com/result/1".parse().unwrap())
                    .with_timeout("https://pay.example.com/timeout/1".parse().unwrap());
                let terms = Terms::new(reference.parse().unwrap(), amount())
                    .with_callback(callback)
                    .with_detail("branch", "7");
                let payee = Payee::wallet(network, "0708374149".parse().unwrap());
                Instruction::PayOut(PayOut::new(payee, terms))
            })
            .to_vec()
    }

    fn answers(&self, _: &Instruction) -> Vec<Sample<Submitted>> {
        let refused = |code: &str| format!(r#"{{"code":"{code}","message":"Not today / never"}}"#);
        vec![
            Sample::json("accepted", 202, ACCEPTED, Submitted::Reported(State::Pending)),
            Sample::json("no money", 402, refused("NO_FUNDS"), Submitted::NotStarted),
            Sample::json("a wrong number", 400, refused("BAD_NUMBER") + "\n", Submitted::NotStarted),
            Sample::json("seen before", 409, refused("SEEN"), Submitted::Duplicate).with_code("SEEN"),
            Sample::json("an unlisted refusal", 400, refused("BAD_MOOD"), Submitted::Unknown)
                .with_code("BAD_MOOD"),
            Sample::json("an unlisted success", 200, refused("NO_FUNDS"), Submitted::Unknown),
        ]
    }

    fn status_answers(&self, ticket: &Ticket) -> Vec<Sample<Asked>> {
        let known = |state: &str| told(ticket.reference.as_str(), state);
        vec![
            Sample::json("paid", 200, known("PAID"), Asked::Known(State::Settled)).with_amount(amount()),
            Sample::json("failed", 200, known("FAILED"), Asked::Known(State::Failed)),
            Sample::json("returned", 200, known("RETURNED"), Asked::Known(State::Reversed)),
            Sample::json("an unlisted state", 200, known("RESTING"), Asked::Known(State::Pending))
                .with_code("RESTING"),
            Sample::json("not found", 404, r#"{"code":"NO_SUCH"}"#, Asked::NoSuchReference),
            Sample::json("refused", 400, r#"{"code":"BAD_MOOD"}"#, Asked::Failed),
        ]
    }

    fn token(&self) -> Option<TokenExchange> {
        let reply = format!(r#"{{"token":"{TOKEN}","kind":"bearer"}}"#);
        Some(TokenExchange::json("/oauth/token", reply).rejected_by(401, REJECTED))
    }

    fn callbacks(&self) -> Option<Arc<dyn Callbacks>> {
        Some(Arc::new(TemboCallbacks))
    }

    fn deliveries(&self) -> Vec<Posted> {
        [
            ("PAID", Says::Report(State::Settled)),
            ("FAILED", Says::Report(State::Failed)),
            ("RETURNED", Says::Report(State::Reversed)),
            ("RESTING", Says::Report(State::Pending)),
        ]
        .map(|(state, says)| {
            let body = told("TEMBO-1", state);
            let delivery = Delivery::new(DeliveryPurpose::Result, Headers::new(), body.as_str());
            Posted::new(format!("the news {state}"), delivery, says).with_code(state).with_amount(amount())
        })
        .to_vec()
    }

    fn balances(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Option<Arc<dyn Balances>> {
        Some(Arc::new(tembo(transport, env)))
    }

    fn balance_answers(&self) -> Vec<Sample<Counted>> {
        vec![
            Sample::json("the balance", 200, r#"{"held":"1000.50"}"#, Counted::Told),
            Sample::json("no such account", 404, r#"{"code":"NO_SUCH"}"#, Counted::Failed),
        ]
    }
}

fn tembo(transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Tembo {
    let hosts = Hosts { sandbox: None, production: Some("api.tembo.example") };
    let base = Production::base_url("https://api.tembo.example", &hosts).unwrap();
    let keys = AppKeys::new(Secret::new(CLIENT), Secret::new(PASSWORD)).unwrap();
    Tembo::new(&keys, base, transport, env)
}

fn amount() -> Money {
    Money::kes("1500").unwrap()
}

fn told(reference: &str, state: &str) -> String {
    format!(r#"{{"reference":"{reference}","state":"{state}","amount":1500.00,"receipt":"R1"}}"#)
}
