//! What we sent in confidence is not in what comes back.

use http::{HeaderName, Request};
use malipo_core::{Error, Secret};
use malipo_transport::{BearerToken, StaticKey};

use crate::scripted::{Clock, Dialect, Scripted, gateway, pay_out, says};

const TOKEN: &str = "tok/en+of=ours";
const SPELLINGS: [&str; 3] = [TOKEN, r"tok\/en+of=ours", "tok%2Fen%2Bof%3Dours"];

fn echoing(text: String) -> Scripted {
    Scripted::new(move |request: &Request<_>| match request.uri().path() {
        "/token" => says(200, format!("{TOKEN} 3599")),
        _ => says(400, text.clone()),
    })
}

fn all(spellings: [&str; 3]) -> String {
    format!(r#"{{"errorMessage":"Invalid Access Token - {}"}}"#, spellings.join(" "))
}

const CLEAN: &str = r#"{"errorMessage":"Invalid Access Token - [secret] [secret] [secret]"}"#;

#[tokio::test]
async fn a_token_is_erased_in_every_spelling() {
    let transport = echoing(all(SPELLINGS));
    let gateway = gateway(&transport, &Clock::default(), BearerToken::new(Dialect("a")));
    assert_eq!(gateway.call(pay_out()).await.unwrap().body, CLEAN);
}

#[tokio::test]
async fn a_key_is_erased_in_every_spelling() {
    let transport = echoing(all(SPELLINGS));
    let key = StaticKey::new(HeaderName::from_static("apikey"), Secret::new(TOKEN));
    let gateway = gateway(&transport, &Clock::default(), key);
    assert_eq!(gateway.call(pay_out()).await.unwrap().body, CLEAN);
}

#[tokio::test]
async fn a_secret_of_the_call_is_erased_in_every_spelling() {
    let transport = echoing(all(SPELLINGS));
    let key = StaticKey::new(HeaderName::from_static("apikey"), Secret::new("another-key"));
    let gateway = gateway(&transport, &Clock::default(), key);
    let call = pay_out().with_secret(Secret::new(TOKEN));
    assert_eq!(gateway.call(call).await.unwrap().body, CLEAN);
}

#[tokio::test]
async fn neither_the_spent_nor_the_new_token_comes_back_after_a_renewal() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    let given = AtomicUsize::new(0);
    let transport = Scripted::new(move |request: &Request<_>| match request.uri().path() {
        "/token" => says(200, format!("planted-{} 3599", given.fetch_add(1, Ordering::Relaxed))),
        _ => says(401, "documented planted-0 planted-1"),
    });
    let gateway = gateway(&transport, &Clock::default(), BearerToken::new(Dialect("a")));
    assert_eq!(gateway.call(pay_out()).await.unwrap().body, "documented [secret] [secret]");
    assert_eq!(transport.tokens(), 2);
}

/// Every token that was tried, and the credentials that tokens were asked for with.
#[tokio::test]
async fn nothing_that_was_tried_comes_back() {
    let transport = Scripted::new(|request: &Request<_>| {
        let sent = |name| request.headers().get(name).map_or("", |value| value.to_str().unwrap());
        match request.uri().path() {
            "/token" => says(403, format!("no token for {}", sent("authorization"))),
            _ => says(200, "{}"),
        }
    });
    let gateway = gateway(&transport, &Clock::default(), BearerToken::new(Reading));
    let error: Error = gateway.call(pay_out()).await.unwrap_err();
    assert_eq!(error.message(), "no token for Basic [secret]");
}

/// Puts the answer into its error, so that the test can see it.
#[derive(Debug)]
struct Reading;

impl malipo_transport::TokenDialect for Reading {
    fn request(&self) -> malipo_core::Result<malipo_transport::Call> {
        Dialect("a").request()
    }

    fn read(&self, response: &malipo_transport::Response) -> malipo_core::Result<malipo_transport::Token> {
        let text = String::from_utf8(response.body.to_vec()).unwrap();
        let effect = malipo_core::Effect::None;
        Err(Error::new(malipo_core::ErrorKind::Credentials, effect, malipo_core::Operation::Authorize, text))
    }

    fn attach(&self, token: &Secret) -> malipo_core::Result<(HeaderName, http::HeaderValue)> {
        Dialect("a").attach(token)
    }

    fn rejected(&self, _: malipo_core::Operation, _: &malipo_transport::Response) -> bool {
        false
    }
}
