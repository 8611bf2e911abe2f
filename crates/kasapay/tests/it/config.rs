//! What can be configured, and what is refused at once.

use std::sync::Arc;

use malipo_core::{Advice, Effect, Error, ErrorKind, Operation, Provider, ProviderId, Secret};
use malipo_kasapay::{AppKeys, Config, KasaPay};
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};

use crate::subject::{ACCEPTED, TOKEN_REPLY, callback, config, keys, pay_out, terms, till};

fn refused(error: &Error) {
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Configuration, Operation::Configure),
        "{error}"
    );
    assert_eq!((error.effect(), error.advice()), (Effect::None, Advice::Fix), "{error}");
}

fn gateway() -> Arc<ScriptedTransport> {
    let transport = ScriptedTransport::new().on("/v1/auth", Outcome::json(200, TOKEN_REPLY));
    Arc::new(transport.always(Outcome::json(200, ACCEPTED)))
}

#[test]
fn empty_keys_service_codes_and_countries_are_refused() {
    refused(&AppKeys::new(Secret::new(""), Secret::new("secret")).unwrap_err());
    for code in ["", " 12346", "12 346", "12346\n", &"1".repeat(65)] {
        refused(&Config::sandbox(keys(), code).unwrap_err());
    }
    for country in ["", "KE", "ken", "KENY", "K3N"] {
        refused(&config().with_country(country).unwrap_err());
    }
}

#[test]
fn production_has_the_address_it_is_given_over_https_alone() {
    for address in
        ["http://127.0.0.1:8080", "http://api.example.com", "https://user:word@api.example.com", ""]
    {
        refused(&Config::production(keys(), "12346", address).unwrap_err());
    }
    let config = Config::production(keys(), "12346", "https://gateway.example.com").unwrap();
    let transport = gateway();
    let kasapay = KasaPay::new(config, transport.clone(), Arc::new(ManualEnv::new()));
    pollster::block_on(kasapay.submit(&pay_out(till(), terms("PAY-1", "10")))).unwrap();
    for request in transport.requests() {
        assert!(
            request.uri().to_string().starts_with("https://gateway.example.com/v1/"),
            "{}",
            request.uri()
        );
    }
}

#[test]
fn production_does_not_take_the_address_of_the_sandbox() {
    let sandbox = "https://sandbox.api.gateway.kasapay.com";
    refused(&Config::production(keys(), "12346", sandbox).unwrap_err());
    assert!(config().with_base_url("http://127.0.0.1:8080").is_ok(), "where a simulator lives");
    refused(&config().with_base_url("http://sandbox.api.gateway.kasapay.com").unwrap_err());
}

#[test]
fn the_country_and_the_callback_of_the_configuration_are_used() {
    let config = config().with_country("UGA").unwrap().with_callback(callback());
    let transport = gateway();
    let kasapay = KasaPay::new(config, transport.clone(), Arc::new(ManualEnv::new()));
    let mut bare = terms("PAY-1", "10");
    bare.callback = None;
    pollster::block_on(kasapay.submit(&pay_out(till(), bare))).unwrap();
    let requests = transport.requests();
    let sent: serde_json::Value = serde_json::from_slice(requests[1].body()).unwrap();
    assert_eq!(
        (&sent["country_code"], &sent["callback_url"]),
        (&"UGA".into(), &"https://payments.x.xyz/result".into())
    );
}

#[test]
fn an_account_has_the_name_it_is_given() {
    let named = config().with_id("kasapay-suppliers".parse::<ProviderId>().unwrap());
    let kasapay = KasaPay::new(named, gateway(), Arc::new(ManualEnv::new()));
    assert_eq!(kasapay.id().as_str(), "kasapay-suppliers");
    let error = pollster::block_on(kasapay.submit(&pay_out(till(), terms("PAY-1", "0")))).unwrap_err();
    assert_eq!(error.provider().map(ProviderId::as_str), Some("kasapay-suppliers"));
}
