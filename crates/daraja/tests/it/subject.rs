//! The provider as every test here configures it.

use std::sync::Arc;

use bytes::Bytes;
use malipo_core::{
    Balances, Callback, Callbacks, Delivery, DeliveryPurpose, Env, Headers, Instruction, Money, Network,
    PayOut, Payee, Provider, Purpose, Reference, Secret, State, Terms, Ticket,
};
use malipo_daraja::{AppKeys, Config, Daraja, Initiator, Sandbox, SecurityCredential};
use malipo_testkit::conformance::{Asked, Posted, Sample, Says, Subject, Submitted, TokenExchange};
use malipo_transport::Transport;

pub(crate) const KEY: &str = "PlantedConsumerKey7731";
pub(crate) const SECRET: &str = "PlantedConsumerSecret/9+8264";
pub(crate) const TOKEN: &str = "PlantedAccessToken5590";
/// As long as a real one, and base64 as a real one is.
pub(crate) const CREDENTIAL: &str = concat!(
    "PlantedCredential4417PlantedCredential4417PlantedCredential4417PlantedCredential4417",
    "PlantedCredential4417PlantedCredential4417PlantedCredential4417PlantedCredential4417",
    "PlantedCredential4417PlantedCredential4417PlantedCredential4417PlantedCredential4417",
    "PlantedCredential4417PlantedCredential4417PlantedCredential4417PlantedCredential4417",
    "Plante=="
);
pub(crate) const TOKEN_REPLY: &str = r#"{"access_token":"PlantedAccessToken5590","expires_in":"3599"}"#;
pub(crate) const ACCEPTED: &str = r#"{"ConversationID":"AG_20261122_0000a1b2c3d4e5f60718","OriginatorConversationID":"PAY-1","ResponseCode":"0","ResponseDescription":"Accept the service request successfully."}"#;

pub(crate) fn config() -> Config<Sandbox> {
    let keys = AppKeys::new(Secret::new(KEY), Secret::new(SECRET)).unwrap();
    let initiator = Initiator::new("testapi", SecurityCredential::ready_made(CREDENTIAL).unwrap()).unwrap();
    Config::sandbox(keys, initiator, "600996".parse().unwrap()).unwrap()
}

pub(crate) fn callback() -> Callback {
    Callback::new("https://mydomain.com/b2c/result".parse().unwrap())
        .with_timeout("https://mydomain.com/b2c/queue".parse().unwrap())
}

pub(crate) fn terms(reference: &str, amount: &str) -> Terms {
    Terms::new(reference.parse().unwrap(), Money::kes(amount).unwrap()).with_callback(callback())
}

pub(crate) fn pay_out(terms: Terms) -> Instruction {
    let payee = Payee::wallet(Network::Safaricom, "254728762287".parse().unwrap());
    Instruction::PayOut(PayOut::new(payee, terms))
}

pub(crate) fn delivery(purpose: DeliveryPurpose, body: &str) -> Delivery {
    Delivery::new(purpose, Headers::new().with("content-type", "application/json"), body)
}

pub(crate) fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

pub(crate) fn error(code: &str) -> Bytes {
    format!(r#"{{"requestId":"11728-2929992-1","errorCode":"{code}","errorMessage":"as documented"}}"#).into()
}

pub(crate) fn response(code: &str) -> Bytes {
    format!(r#"{{"ConversationID":"","ResponseCode":"{code}","ResponseDescription":"as documented"}}"#).into()
}

#[derive(Default)]
pub(crate) struct DarajaSubject;

impl Subject for DarajaSubject {
    fn provider(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Arc<dyn Provider> {
        Arc::new(Daraja::new(config(), transport, env))
    }

    fn canaries(&self) -> Vec<&'static str> {
        vec![KEY, SECRET, TOKEN, CREDENTIAL]
    }

    fn instructions(&self) -> Vec<Instruction> {
        let purposes = [Purpose::General, Purpose::Salary, Purpose::Promotion];
        let with = |(number, purpose)| pay_out(terms(&format!("PAY-{number}"), "1500").with_purpose(purpose));
        (1..).zip(purposes).map(with).collect()
    }

    fn answers(&self, _: &Instruction) -> Vec<Sample<Submitted>> {
        let fault = |code: &str| {
            Bytes::from(format!(r#"{{"fault":{{"faultstring":"no","detail":{{"errorcode":"{code}"}}}}}}"#))
        };
        vec![
            Sample::json("acknowledgement", 200, ACCEPTED, Submitted::Reported(State::Pending)),
            Sample::json("bad field", 400, error("400.002.02"), Submitted::NotStarted),
            Sample::json("spike arrest", 500, error("500.003.02"), Submitted::NotStarted),
            Sample::json(
                "spike arrest of the proxy",
                429,
                fault("policies.ratelimit.SpikeArrestViolation"),
                Submitted::NotStarted,
            ),
            Sample::json("too busy", 200, response("26"), Submitted::NotStarted),
            Sample::json("duplicate", 500, error("500.002.1001"), Submitted::Duplicate),
            Sample::json("internal error", 500, error("500.003.1001"), Submitted::Unknown),
            Sample::json("unlisted error", 400, error("400.999.99"), Submitted::Unknown),
            Sample::json("unlisted response", 200, response("1"), Submitted::Unknown),
            Sample::json("unlisted fault", 403, fault("steps.unheard.Of"), Submitted::Unknown),
        ]
    }

    fn status_answers(&self, _: &Ticket) -> Vec<Sample<Asked>> {
        vec![
            Sample::json("acknowledgement", 200, ACCEPTED, Asked::ComesByCallback),
            Sample::json("bad field", 400, error("400.002.02"), Asked::Failed),
            Sample::json("unlisted response", 200, response("1"), Asked::Failed),
        ]
    }

    fn token(&self) -> Option<TokenExchange> {
        Some(TokenExchange::json("/oauth/v1/generate", TOKEN_REPLY).rejected_by(401, error("401.002.01")))
    }

    fn callbacks(&self) -> Option<Arc<dyn Callbacks>> {
        let unused: Arc<dyn Transport> = Arc::new(malipo_testkit::ScriptedTransport::new());
        Some(Arc::new(Daraja::new(config(), unused, Arc::new(malipo_testkit::ManualEnv::new()))))
    }

    fn balances(&self, _: Arc<dyn Transport>, _: Arc<dyn Env>) -> Option<Arc<dyn Balances>> {
        None
    }

    fn deliveries(&self) -> Vec<Posted> {
        let posted = |name, purpose, body, says| Posted::new(name, delivery(purpose, body), says);
        let paid = include_str!("fixtures/result_success.json");
        let refused = include_str!("fixtures/result_failure.json");
        let completed = include_str!("fixtures/status_completed.json");
        let not_found = include_str!("fixtures/status_not_found.json");
        let balances = include_str!("fixtures/balances.json");
        let echo = r#"{"OriginatorConversationID":"PAY-1","Amount":"10"}"#;
        let unlisted = refused.replace("2001", "4999");
        let kes = |text| Money::kes(text).unwrap();
        vec![
            posted("paid", DeliveryPurpose::Result, paid, Says::Report(State::Settled))
                .with_amount(kes("10")),
            posted("refused", DeliveryPurpose::Result, refused, Says::Report(State::Failed))
                .with_code("2001"),
            posted("unlisted", DeliveryPurpose::Result, &unlisted, Says::Report(State::Pending))
                .with_code("4999"),
            posted("queue timeout", DeliveryPurpose::Timeout, refused, Says::Report(State::Pending)),
            posted("queue timeout that echoes", DeliveryPurpose::Timeout, echo, Says::Report(State::Pending)),
            posted("completed", DeliveryPurpose::Answer, completed, Says::Report(State::Settled))
                .with_amount(kes("1500")),
            posted("not found", DeliveryPurpose::Answer, not_found, Says::Unanswered),
            posted("question timed out", DeliveryPurpose::AnswerTimeout, "{}", Says::Unanswered),
            posted("balances", DeliveryPurpose::Balance, balances, Says::Balances),
            posted("something else", DeliveryPurpose::Notice, "{}", Says::NotModelled),
        ]
    }
}
