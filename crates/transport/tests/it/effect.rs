//! What a failure says about the money.

use http::HeaderName;
use malipo_core::{Effect, Error, ErrorKind, Operation, Reference, Secret};
use malipo_transport::{BearerToken, Call, Failure, Path, StaticKey, TransportError};

use crate::scripted::{Answer, Clock, Dialect, Scripted, gateway, says};

const MOVE_MONEY: [Operation; 6] = [
    Operation::PayOut,
    Operation::Collect,
    Operation::Confirm,
    Operation::Airtime,
    Operation::Bill,
    Operation::Voucher,
];
const ASK: [Operation; 3] = [Operation::Status, Operation::Balances, Operation::RegisterCallback];

fn key(text: &str) -> StaticKey {
    StaticKey::new(HeaderName::from_static("apikey"), Secret::new(text))
}

async fn failed(operation: Operation, answer: fn() -> Answer) -> Error {
    let transport = Scripted::new(move |_| answer());
    let gateway = gateway(&transport, &Clock::default(), key("key-123456"));
    let reference: Reference = "LOAN-1".parse().unwrap();
    let call = Call::get(operation, Path::new("/pay")).with_reference(&reference);
    let error = gateway.call(call).await.unwrap_err();
    assert_eq!(error.provider().map(|id| id.as_str()), Some("somepay"));
    assert_eq!((error.operation(), error.reference()), (operation, Some(&reference)));
    assert_eq!(transport.sent("/pay").len(), 1, "a failure is never sent again");
    error
}

#[tokio::test]
async fn before_sending_nothing_happened() {
    let answer = || Answer::Fails(TransportError::before_send(Failure::Timeout));
    for operation in MOVE_MONEY {
        let error = failed(operation, answer).await;
        assert_eq!((error.kind(), error.effect()), (ErrorKind::NotSent, Effect::None));
    }
    for operation in ASK {
        let error = failed(operation, answer).await;
        assert_eq!((error.kind(), error.effect()), (ErrorKind::NotSent, Effect::Unchanged));
    }
}

#[tokio::test]
async fn after_sending_nobody_knows() {
    let answer = || Answer::Fails(TransportError::after_send(Failure::Connect));
    for operation in MOVE_MONEY {
        let error = failed(operation, answer).await;
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Interrupted, Effect::Unknown));
    }
    for operation in ASK {
        let error = failed(operation, answer).await;
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Interrupted, Effect::Unchanged));
    }
}

#[tokio::test]
async fn a_redirect_says_nothing_about_the_payment() {
    for answer in [|| says(302, ""), || says(300, ""), || says(399, "")] {
        let error = failed(Operation::PayOut, answer).await;
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unlisted, Effect::Unknown));
        assert!(matches!(error.status(), Some(300..=399)));
        assert_eq!(failed(Operation::Status, answer).await.effect(), Effect::Unchanged);
    }
}

#[tokio::test]
async fn any_other_status_is_for_the_provider_to_read() {
    for status in [200, 204, 400, 401, 404, 429, 500, 503, 599] {
        let transport = Scripted::new(move |_| says(status, "{}"));
        let gateway = gateway(&transport, &Clock::default(), key("key-123456"));
        let call = Call::get(Operation::PayOut, Path::new("/pay"));
        assert_eq!(gateway.call(call).await.unwrap().status, status);
    }
}

/// However a token is lost, the payment that needed it has not begun.
#[tokio::test]
async fn without_a_token_nothing_happened() {
    let failures: [(fn() -> Answer, ErrorKind); 4] = [
        (|| Answer::Fails(TransportError::before_send(Failure::Connect)), ErrorKind::NotSent),
        (|| Answer::Fails(TransportError::after_send(Failure::Timeout)), ErrorKind::Interrupted),
        (|| says(302, ""), ErrorKind::Unlisted),
        (|| says(400, "no"), ErrorKind::Credentials),
    ];
    for (answer, kind) in failures {
        for (operation, effect) in [(Operation::PayOut, Effect::None), (Operation::Status, Effect::Unchanged)]
        {
            let transport = Scripted::new(move |_| answer());
            let gateway = gateway(&transport, &Clock::default(), BearerToken::new(Dialect("a")));
            let error = gateway.call(Call::get(operation, Path::new("/pay"))).await.unwrap_err();
            assert_eq!((error.kind(), error.effect(), error.operation()), (kind, effect, operation));
            assert_eq!(error.provider().map(|id| id.as_str()), Some("somepay"));
            assert!(transport.sent("/pay").is_empty());
        }
    }
}

#[tokio::test]
async fn a_key_that_no_header_can_hold_is_a_mistake_in_the_configuration() {
    for text in ["key-1234\n", "key\0", "key\r\nx-admin: 1"] {
        let transport = Scripted::new(|_| says(200, "{}"));
        let gateway = gateway(&transport, &Clock::default(), key(text));
        let error = gateway.call(Call::get(Operation::PayOut, Path::new("/pay"))).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Configuration, Effect::None));
        assert_eq!(error.operation(), Operation::PayOut);
        assert!(!format!("{error:?} {error}").contains("key"), "{error:?}");
        assert!(transport.sent("/pay").is_empty());
    }
}
