//! What can be configured, and what is refused at once.

use std::sync::Arc;

use malipo_core::{
    Advice, Balances, Credits, Effect, Error, ErrorKind, Operation, Provider, ProviderId, Secret,
};
use malipo_sasapay::{AppKeys, Config, SasaPay, SignatureCheck};
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};

use crate::subject::{
    MOBILE, TOKEN_PATH, TOKEN_REPLY, callback, collect, config, keys, terms, transaction, wallet,
};

fn refused(error: &Error) {
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Configuration, Operation::Configure),
        "{error}"
    );
    assert_eq!((error.effect(), error.advice()), (Effect::None, Advice::Fix), "{error}");
}

fn gateway() -> Arc<ScriptedTransport> {
    let transport = ScriptedTransport::new().on(TOKEN_PATH, Outcome::json(200, TOKEN_REPLY));
    Arc::new(transport.always(Outcome::json(200, MOBILE)))
}

#[test]
fn empty_keys_are_refused() {
    refused(&AppKeys::new(Secret::new(""), Secret::new("secret")).unwrap_err());
}

#[test]
fn each_environment_has_its_host_and_refuses_the_others() {
    let production = || Config::production(keys(), "600980".parse().unwrap()).unwrap();
    for address in ["http://127.0.0.1:8080", "https://sandbox.sasapay.app", "http://api.sasapay.app", ""] {
        refused(&production().with_base_url(address).unwrap_err());
    }
    for address in ["https://api.sasapay.app", "http://sandbox.sasapay.app", "https://a:b@example.com"] {
        refused(&config().with_base_url(address).unwrap_err());
    }
    assert!(config().with_base_url("http://127.0.0.1:8080").is_ok(), "where a simulator lives");
    let (sandboxed, produced) = (gateway(), gateway());
    let instruction = collect(wallet(), terms("PAY-1", "10"));
    let env = || Arc::new(ManualEnv::new());
    pollster::block_on(SasaPay::new(config(), sandboxed.clone(), env()).submit(&instruction)).unwrap();
    pollster::block_on(SasaPay::new(production(), produced.clone(), env()).submit(&instruction)).unwrap();
    for (transport, host) in [(sandboxed, "sandbox.sasapay.app"), (produced, "api.sasapay.app")] {
        let requests = transport.requests();
        assert!(requests.iter().all(|request| request.uri().host() == Some(host)));
        assert!(requests.iter().all(|request| request.uri().path().ends_with('/')), "slashes are kept");
    }
}

#[test]
fn the_callback_of_the_configuration_is_used_for_collections_and_never_for_questions() {
    let transport = gateway();
    let config = config().with_callback(callback()).with_signature_check(SignatureCheck::Report);
    let sasapay = SasaPay::new(config, transport.clone(), Arc::new(ManualEnv::new()));
    let mut bare = terms("PAY-1", "10");
    bare.callback = None;
    pollster::block_on(sasapay.submit(&collect(wallet(), bare))).unwrap();
    let requests = transport.requests();
    let sent: serde_json::Value = serde_json::from_slice(requests[1].body()).unwrap();
    assert_eq!(sent["CallBackURL"], "https://payments.example.com/result");
    let ticket = malipo_core::Ticket::new("PAY-1".parse().unwrap(), Operation::Collect);
    assert_eq!(pollster::block_on(sasapay.status(&ticket)).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn an_account_has_the_name_it_is_given() {
    let named = config().with_id("sasapay-shop".parse::<ProviderId>().unwrap());
    let transport = Arc::new(ScriptedTransport::new());
    let sasapay = SasaPay::new(named, transport, Arc::new(ManualEnv::new()));
    assert_eq!(sasapay.id().as_str(), "sasapay-shop");
    let errors = [
        pollster::block_on(sasapay.submit(&collect(wallet(), terms("PAY-1", "0")))).map(drop),
        pollster::block_on(sasapay.balances()).map(drop),
        pollster::block_on(sasapay.credit(&transaction("SPEJ"))).map(drop),
        pollster::block_on(sasapay.register_ipn_url(&callback().result)),
    ];
    for error in errors.map(Result::unwrap_err) {
        assert_eq!(error.provider().map(ProviderId::as_str), Some("sasapay-shop"), "{error}");
    }
}
