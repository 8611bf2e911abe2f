//! What can be configured, and what is refused at once.

use std::sync::Arc;

use malipo_core::{
    Advice, Effect, Error, ErrorKind, Network, Operation, Provider, ProviderId, ReferenceUse, Secret,
};
use malipo_kyanda::{Config, Endpoint, Initiator, Keys, Kyanda};
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};
use malipo_transport::Environment;

use crate::subject::{AIRTIME, airtime, config, initiator, keys, phone, terms};

fn refused(error: &Error) {
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Configuration, Operation::Configure),
        "{error}"
    );
    assert_eq!((error.effect(), error.advice()), (Effect::None, Advice::Fix), "{error}");
}

/// Where airtime is bought.
fn address<E: Environment>(config: Config<E>) -> String {
    let transport = Arc::new(ScriptedTransport::new().always(Outcome::json(200, AIRTIME)));
    let kyanda = Kyanda::new(config, transport.clone(), Arc::new(ManualEnv::new()));
    pollster::block_on(kyanda.submit(&airtime(Network::Safaricom, terms("PAY-1", "10")))).unwrap();
    transport.requests()[0].uri().to_string()
}

#[test]
fn empty_keys_odd_merchants_and_odd_countries_are_refused() {
    refused(&Keys::new(Secret::new("")).unwrap_err());
    refused(&keys().with_security_key(Secret::new("")).unwrap_err());
    for merchant in ["", " kyanda", "ky anda", "kyanda\n", "kyandä", &"k".repeat(65)] {
        refused(&Config::sandbox(keys(), merchant, initiator()).unwrap_err());
        refused(&Config::production(keys(), merchant, initiator()).unwrap_err());
    }
    for country in ["", " Kenya", "Kenya ", "Ken\tya", &"K".repeat(61)] {
        refused(&Initiator::new("John Doe".parse().unwrap(), country, phone()).unwrap_err());
    }
}

#[test]
fn both_environments_have_their_own_address() {
    assert_eq!(address(config()), "http://sandbox.kyanda.io:3030/billing/v1/airtime/create");
    let production = || Config::production(keys(), "kyanda", initiator()).unwrap();
    assert_eq!(address(production()), "https://api.kyanda.app/billing/v1/airtime/create");
    for url in [
        "http://127.0.0.1:8080",
        "http://api.kyanda.app",
        "https://sandbox.kyanda.io",
        "https://u:p@x.example",
        "",
    ] {
        refused(&production().with_base_url(url).unwrap_err());
    }
    for url in ["https://api.kyanda.app", "http://proxy.example.com", ""] {
        refused(&config().with_base_url(url).unwrap_err());
    }
    let simulated = config().with_base_url("http://127.0.0.1:8080").unwrap();
    assert_eq!(address(simulated), "http://127.0.0.1:8080/billing/v1/airtime/create");
}

#[test]
fn a_path_is_another_one_or_refused() {
    let moved = config().with_path(Endpoint::Airtime, "/billing/v4/airtime.new").unwrap();
    assert_eq!(address(moved), "http://sandbox.kyanda.io:3030/billing/v4/airtime.new");
    let other = config().with_path(Endpoint::Bill, "/billing/v4/bill").unwrap();
    assert_eq!(address(other), "http://sandbox.kyanda.io:3030/billing/v1/airtime/create");
    for path in [
        "",
        "/",
        "billing/v1",
        "//billing",
        "/billing/",
        "/billing/../v1",
        "/billing/./v1",
        "/..",
        "/billing?x=1",
        "/billing#x",
        "/billing v1",
        "/billing\n",
        "/bill%2e%2e/x",
        "/billing\\v1",
        "/billïng",
        "http://x.example/billing",
    ] {
        refused(&config().with_path(Endpoint::Airtime, path).unwrap_err());
    }
}

#[test]
fn an_account_has_the_name_it_is_given() {
    let named = config().with_id("kyanda-suppliers".parse::<ProviderId>().unwrap());
    let kyanda = Kyanda::new(named, Arc::new(ScriptedTransport::new()), Arc::new(ManualEnv::new()));
    assert_eq!(kyanda.id().as_str(), "kyanda-suppliers");
    let error =
        pollster::block_on(kyanda.submit(&airtime(Network::Safaricom, terms("PAY-1", "0")))).unwrap_err();
    assert_eq!(error.provider().map(ProviderId::as_str), Some("kyanda-suppliers"));
    assert_eq!(kyanda.capabilities().reference, ReferenceUse::NotSent);
}

#[test]
fn a_key_that_is_no_header_is_found_out_before_anything_leaves() {
    let keys = Keys::new(Secret::new("copied\nwith a line break")).unwrap();
    let transport = Arc::new(ScriptedTransport::new());
    let config = Config::sandbox(keys, "kyanda", initiator()).unwrap();
    let kyanda = Kyanda::new(config, transport.clone(), Arc::new(ManualEnv::new()));
    let error =
        pollster::block_on(kyanda.submit(&airtime(Network::Safaricom, terms("PAY-1", "10")))).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Configuration, Effect::None));
    assert!(transport.requests().is_empty());
}
