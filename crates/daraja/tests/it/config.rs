//! What can be configured, and what is refused at once.

use std::sync::Arc;

use malipo_core::{Advice, Effect, Error, ErrorKind, Money, Operation, Provider, ProviderId, Secret};
use malipo_daraja::{AppKeys, Config, Daraja, Initiator, SecurityCredential};
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};

use crate::subject::{ACCEPTED, CREDENTIAL, KEY, SECRET, TOKEN_REPLY, config, pay_out, terms};

fn refused(error: &Error) {
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Configuration, Operation::Configure),
        "{error}"
    );
    assert_eq!((error.effect(), error.advice()), (Effect::None, Advice::Fix), "{error}");
}

fn credential() -> SecurityCredential {
    SecurityCredential::ready_made(CREDENTIAL).unwrap()
}

fn keys() -> AppKeys {
    AppKeys::new(Secret::new(KEY), Secret::new(SECRET)).unwrap()
}

#[test]
fn empty_keys_and_unprintable_names_are_refused() {
    refused(&AppKeys::new(Secret::new(""), Secret::new(SECRET)).unwrap_err());
    refused(&AppKeys::new(Secret::new(KEY), Secret::new("")).unwrap_err());
    for name in ["", " testapi", "testapi ", "test\u{7}api", &"x".repeat(101)] {
        refused(&Initiator::new(name, credential()).unwrap_err());
    }
    for name in ["testapi", "John Doe", "initiator_1"] {
        assert!(Initiator::new(name, credential()).is_ok(), "{name}");
    }
}

#[test]
fn production_is_reached_by_https_and_nothing_else() {
    let initiator = Initiator::new("testapi", credential()).unwrap();
    let production = Config::production(keys(), initiator, "600996".parse().unwrap()).unwrap();
    for address in
        ["http://127.0.0.1:8080", "http://api.safaricom.co.ke", "https://user:word@api.safaricom.co.ke", ""]
    {
        refused(&production.clone().with_base_url(address).unwrap_err());
    }
    assert!(production.with_base_url("https://proxy.example.com/daraja").is_ok());
    assert!(config().with_base_url("http://127.0.0.1:8080").is_ok(), "where the simulator lives");
    refused(&config().with_base_url("http://sandbox.safaricom.co.ke").unwrap_err());
}

#[test]
fn neither_environment_takes_the_address_of_the_other() {
    let initiator = Initiator::new("testapi", credential()).unwrap();
    let production = Config::production(keys(), initiator, "600996".parse().unwrap()).unwrap();
    refused(&production.with_base_url("https://sandbox.safaricom.co.ke").unwrap_err());
    refused(&config().with_base_url("https://api.safaricom.co.ke").unwrap_err());
}

#[test]
fn each_environment_has_its_address() {
    let initiator = || Initiator::new("testapi", credential()).unwrap();
    let shortcode = || "600996".parse().unwrap();
    for (name, address) in
        [("sandbox", "https://sandbox.safaricom.co.ke/"), ("production", "https://api.safaricom.co.ke/")]
    {
        let transport = ScriptedTransport::new().on("/oauth/v1/generate", Outcome::json(200, TOKEN_REPLY));
        let transport = Arc::new(transport.always(Outcome::json(200, ACCEPTED)));
        let env = Arc::new(ManualEnv::new());
        let daraja = match name {
            "sandbox" => Daraja::new(
                Config::sandbox(keys(), initiator(), shortcode()).unwrap(),
                transport.clone(),
                env,
            ),
            _ => Daraja::new(
                Config::production(keys(), initiator(), shortcode()).unwrap(),
                transport.clone(),
                env,
            ),
        };
        pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "10")))).unwrap();
        for request in transport.requests() {
            assert!(request.uri().to_string().starts_with(address), "{name}: {}", request.uri());
        }
    }
}

#[test]
fn limits_are_whole_shillings_in_order() {
    let money = |text| Money::kes(text).unwrap();
    for (minimum, maximum) in [("0", "10"), ("-1", "10"), ("10", "9"), ("10.50", "20"), ("10", "20.50")] {
        refused(&config().with_limits(money(minimum), money(maximum)).unwrap_err());
    }
    let config = config().with_limits(money("1"), money("500000")).unwrap();
    let transport = ScriptedTransport::new().on("/oauth/v1/generate", Outcome::json(200, TOKEN_REPLY));
    let transport = Arc::new(transport.always(Outcome::json(200, ACCEPTED)));
    let daraja = Daraja::new(config, transport, Arc::new(ManualEnv::new()));
    for (amount, fits) in [("1", true), ("500000", true), ("500001", false)] {
        assert_eq!(
            pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", amount)))).is_ok(),
            fits,
            "{amount}"
        );
    }
}

#[test]
fn an_account_has_the_name_it_is_given() {
    let named = config().with_id("daraja-salaries".parse::<ProviderId>().unwrap());
    let transport = Arc::new(ScriptedTransport::new());
    let daraja = Daraja::new(named, transport, Arc::new(ManualEnv::new()));
    assert_eq!(daraja.id().as_str(), "daraja-salaries");
    let error = pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "1")))).unwrap_err();
    assert_eq!(error.provider().map(ProviderId::as_str), Some("daraja-salaries"));
}
