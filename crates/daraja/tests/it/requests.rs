//! Every request, byte for byte, as text. Read against Safaricom's B2C page before a snapshot is changed.

use std::sync::Arc;

use malipo_core::{Callback, Effect, ErrorKind, Operation, Provider, ProviderRefs, Purpose, Ticket};
use malipo_daraja::Daraja;
use malipo_testkit::{ManualEnv, ScriptedTransport, render};

use crate::subject::{ACCEPTED, CREDENTIAL, TOKEN_REPLY, callback, config, pay_out, reference, terms};

fn daraja() -> (Daraja, Arc<ScriptedTransport>) {
    let transport = ScriptedTransport::new()
        .on("/oauth/v1/generate", malipo_testkit::Outcome::json(200, TOKEN_REPLY))
        .on("/mpesa/b2c/v3/paymentrequest", malipo_testkit::Outcome::json(200, ACCEPTED))
        .on("/mpesa/transactionstatus/v1/query", malipo_testkit::Outcome::json(200, ACCEPTED))
        .on("/mpesa/accountbalance/v1/query", malipo_testkit::Outcome::json(200, ACCEPTED));
    let transport = Arc::new(transport);
    (Daraja::new(config(), transport.clone(), Arc::new(ManualEnv::new())), transport)
}

/// The requests seen, the token's first, as text.
fn rendered(transport: &ScriptedTransport) -> Vec<String> {
    transport.requests().iter().map(|request| render(request, &[CREDENTIAL])).collect()
}

#[test]
fn token() {
    let (daraja, transport) = daraja();
    pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "10")))).unwrap();
    insta::assert_snapshot!(rendered(&transport)[0]);
}

#[test]
fn payment_with_everything() {
    let (daraja, transport) = daraja();
    let terms = terms("feb5e3f2-fbbc-4745-844c-ee37b546f627", "10")
        .with_description("here are my remarks")
        .with_detail("occasion", "Christmas");
    pollster::block_on(daraja.submit(&pay_out(terms))).unwrap();
    insta::assert_snapshot!(rendered(&transport)[1]);
}

#[test]
fn payment_with_nothing_optional() {
    let (daraja, transport) = daraja();
    pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "250000.00")))).unwrap();
    insta::assert_snapshot!(rendered(&transport)[1]);
}

#[test]
fn payment_of_a_salary() {
    let (daraja, transport) = daraja();
    pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "10").with_purpose(Purpose::Salary)))).unwrap();
    insta::assert_snapshot!(rendered(&transport)[1]);
}

#[test]
fn payment_of_a_promotion() {
    let (daraja, transport) = daraja();
    pollster::block_on(daraja.submit(&pay_out(terms("PAY-1", "10").with_purpose(Purpose::Promotion))))
        .unwrap();
    insta::assert_snapshot!(rendered(&transport)[1]);
}

#[test]
fn status_by_our_reference() {
    let (daraja, transport) = daraja();
    let ticket = Ticket::new(reference("PAY-1"), Operation::PayOut).with_callback(callback());
    pollster::block_on(daraja.status(&ticket)).unwrap();
    insta::assert_snapshot!(rendered(&transport)[1]);
}

#[test]
fn status_by_receipt() {
    let (daraja, transport) = daraja();
    let refs = ProviderRefs::new().with("transaction", Some("QKA81LK5CY"));
    let ticket = Ticket::new(reference("PAY-1"), Operation::PayOut).with_callback(callback());
    pollster::block_on(daraja.status(&ticket.with_provider_refs(refs))).unwrap();
    insta::assert_snapshot!(rendered(&transport)[1]);
}

#[test]
fn balances() {
    let (daraja, transport) = daraja();
    let refs = pollster::block_on(daraja.request_balances(&callback())).unwrap();
    assert_eq!(refs.find("conversation"), Some("AG_20261122_0000a1b2c3d4e5f60718"));
    insta::assert_snapshot!(rendered(&transport)[1]);
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_leaves() {
    let long = "x".repeat(101);
    for (what, terms) in [
        ("one character", terms("PAY-1", "10").with_description("x")),
        ("101 characters", terms("PAY-1", "10").with_description(&long)),
        ("a line break", terms("PAY-1", "10").with_description("two\nlines")),
        ("an empty occasion", terms("PAY-1", "10").with_detail("occasion", "")),
        ("a long occasion", terms("PAY-1", "10").with_detail("occasion", &long)),
    ] {
        let (daraja, transport) = daraja();
        let error = pollster::block_on(daraja.submit(&pay_out(terms))).unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None), "{what}");
        assert!(transport.requests().is_empty(), "{what}");
    }
}

#[test]
fn only_payouts_can_be_asked_about() {
    let (daraja, transport) = daraja();
    for operation in [Operation::Collect, Operation::Airtime, Operation::Status] {
        let ticket = Ticket::new(reference("PAY-1"), operation).with_callback(callback());
        let error = pollster::block_on(daraja.status(&ticket)).unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unsupported, Effect::Unchanged));
    }
    assert!(transport.requests().is_empty());
}

#[test]
fn a_callback_daraja_would_not_call_is_refused_unless_told_otherwise() {
    let silent = Callback::new("https://mydomain.com/api/mPesa/result".parse().unwrap())
        .with_timeout("https://mydomain.com/b2c/queue".parse().unwrap());
    let instruction = pay_out(terms("PAY-1", "10").with_callback(silent.clone()));
    let ticket = Ticket::new(reference("PAY-1"), Operation::PayOut).with_callback(silent);

    let (daraja, transport) = daraja();
    let error = pollster::block_on(daraja.submit(&instruction)).unwrap_err();
    assert!(error.message().contains("\"mpesa\""), "{error}");
    assert_eq!(pollster::block_on(daraja.status(&ticket)).unwrap_err().effect(), Effect::Unchanged);
    assert!(transport.requests().is_empty());

    let daraja =
        Daraja::new(config().with_any_callback_words(), transport.clone(), Arc::new(ManualEnv::new()));
    assert!(
        !pollster::block_on(daraja.submit(&instruction))
            .is_err_and(|error| error.kind() == ErrorKind::Invalid)
    );
}

#[test]
fn a_configured_callback_serves_payments_but_no_questions() {
    let (_, transport) = daraja();
    let config = config().with_callback(callback());
    let daraja = Daraja::new(config, transport.clone(), Arc::new(ManualEnv::new()));
    let mut bare = terms("PAY-1", "10");
    bare.callback = None;
    pollster::block_on(daraja.submit(&pay_out(bare))).unwrap();
    assert!(rendered(&transport)[1].contains("https://mydomain.com/b2c/result"));

    let ticket = Ticket::new(reference("PAY-1"), Operation::PayOut);
    let error = pollster::block_on(daraja.status(&ticket)).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::Unchanged));
    assert_eq!(transport.requests().len(), 2);
}
