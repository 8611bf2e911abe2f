use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use malipo_sim::{Gateway, Operation, Sim};

use crate::client::{Rig, account, ask_token, basic, exchange, options, payment, within};

const ASK: &str = "/oauth/v1/generate?grant_type=client_credentials";

#[tokio::test]
async fn a_token_comes_with_its_life_in_a_string() {
    let sim = Sim::start(options()).await.unwrap();
    let reply = exchange(&sim, "GET", ASK, &basic(sim.daraja()), "").await;
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.json()["expires_in"], "3599");
    assert_eq!(reply.json()["access_token"].as_str().unwrap().len(), 28);
    assert_eq!(sim.calls(Gateway::Daraja, Operation::Token), 1);
}

#[tokio::test]
async fn wrong_credentials_and_grants_are_refused_by_their_codes() {
    let sim = Sim::start(options()).await.unwrap();
    let wrong = format!("Basic {}", STANDARD.encode("simulated-consumer-key:wrong"));
    let good = basic(sim.daraja());
    for (path, authorization, code) in [
        (ASK, wrong.as_str(), "400.008.01"),
        (ASK, "Bearer abc", "400.008.01"),
        (ASK, "Basic not-base64!", "400.008.01"),
        ("/oauth/v1/generate", &good, "400.008.02"),
        ("/oauth/v1/generate?grant_type=password", &good, "400.008.02"),
    ] {
        let reply = exchange(&sim, "GET", path, authorization, "").await;
        assert_eq!(
            (reply.status(), &reply.json()["errorCode"]),
            (400, &code.into()),
            "{path} {authorization}"
        );
        assert!(reply.json()["requestId"].is_string());
    }
    assert_eq!(sim.calls(Gateway::Daraja, Operation::Token), 5);
}

#[tokio::test]
async fn a_new_token_leaves_the_earlier_one_good() {
    let rig = Rig::new(options()).await;
    let newer = ask_token(&rig.sim).await;
    assert_ne!(newer, rig.token);
    assert_eq!(rig.pay("a", crate::client::PAYEE).await.status(), 200);
}

#[tokio::test]
async fn a_token_runs_out() {
    let account = account().with_token_life(Duration::from_millis(1));
    let rig = Rig::new(options().with_daraja(account)).await;
    within(Duration::from_millis(20), std::future::pending::<()>()).await.unwrap_err();
    let body = payment(rig.sim.daraja(), rig.merchant.url(), "a", crate::client::PAYEE);
    let reply = rig.post(crate::client::PAYOUT, &body).await;
    assert_eq!((reply.status(), &reply.json()["errorCode"]), (401, &"401.002.01".into()));
    assert!(rig.sim.ledger().payments().is_empty());
}
