//! What goes wrong with Kyanda, for everything that moves money there.

use std::time::Duration;

use malipo_sim::{Fault, Options, Plan};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::client::{Raw, until};
use crate::in_process::world;
use crate::kyanda_client::{AIRTIME, BOOK, CHECKOUT, Kind, MOBILE, PAYING, Rig, VOUCHER, reference, sign};

/// The statuses told by notification, in order.
fn told(rig: &Rig) -> Vec<Value> {
    rig.merchant.posts().iter().map(|post| status(&post.json())).collect()
}

fn status(told: &Value) -> Value {
    if told["Status"].is_null() { told["status"].clone() } else { told["Status"].clone() }
}

fn amount(told: &Value) -> String {
    let amount = if told["Amount"].is_null() { &told["amount"] } else { &told["Amount"] };
    amount.as_str().map_or_else(|| amount.to_string(), str::to_owned)
}

#[tokio::test]
async fn faults_of_the_reply_leave_the_payment_alone() {
    for kind in PAYING {
        for (fault, status, code, moved) in [
            (Fault::LostRequest, None, "", 0),
            (Fault::LostReply, None, "", 1),
            (Fault::ErrorBeforeAccept, Some(503), "5000", 0),
            (Fault::ErrorAfterAccept, Some(503), "5000", 1),
            (Fault::HtmlPage, Some(504), "", 1),
            (Fault::TruncatedJson, Some(200), "", 1),
            (Fault::SpikeArrest, Some(429), "429", 0),
            (Fault::TokenExpired, Some(400), "1102", 0),
            (Fault::EchoedToken, Some(400), "1103", 0),
        ] {
            let rig = Rig::new().await;
            rig.sim.inject(BOOK, kind.operation, [fault]).unwrap();
            let raw = rig.post(kind, kind.body()).await;
            rig.sim.idle().await;
            let answered = (!raw.0.is_empty()).then(|| raw.status());
            let moves = rig.sim.ledger().moves().len();
            assert_eq!((answered, moves, told(&rig).len()), (status, moved, moved), "{fault:?}");
            let text = String::from_utf8_lossy(&raw.0).into_owned();
            let key = rig.sim.kyanda().api_key();
            assert_eq!(text.contains(key), fault == Fault::EchoedToken, "{fault:?}: {text}");
            assert!(!format!("{:?}", rig.sim.events()).contains(key), "{fault:?}");
            let body = text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
            let json = serde_json::from_str::<Value>(body).ok();
            assert_eq!(json.map_or("", |_| code), code, "{fault:?}: {text}");
            if !code.is_empty() {
                assert_eq!(raw.json()["status_code"], code, "{fault:?}");
            }
            // Once only. Nothing tells that it is the same payment, so that it is made again.
            rig.accepted(kind, kind.body()).await;
            rig.sim.idle().await;
            assert_eq!(rig.sim.ledger().moves().len(), moved + 1, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn faults_of_the_callback_tell_their_stories() {
    let late = Duration::from_millis(50);
    for kind in PAYING {
        for (faults, stories) in [
            (vec![Fault::CallbackNever], vec![]),
            (vec![Fault::QueueTimeout], vec![]),
            (vec![Fault::QueueTimeout, Fault::CallbackLate(late)], vec!["Success"]),
            (vec![Fault::CallbackEarly], vec!["Success"]),
            (vec![Fault::CallbackLate(late)], vec!["Success"]),
            (vec![Fault::CallbackTwice], vec!["Success", "Success"]),
            (vec![Fault::CallbackContradicting], vec!["Success", "Failed"]),
            (vec![Fault::CallbackForged], vec!["Success", "Success"]),
        ] {
            let rig = Rig::new().await;
            rig.sim.inject(BOOK, kind.operation, faults.clone()).unwrap();
            let reference = rig.accepted(kind, kind.body()).await;
            if faults == [Fault::CallbackEarly] {
                assert_eq!(told(&rig).len(), 1, "before the reply");
            }
            rig.sim.idle().await;
            let moved = rig.sim.ledger().moved_by_gateway_reference(BOOK, &reference);
            assert_eq!((moved, json!(told(&rig))), (1, json!(stories)), "{} {faults:?}", kind.path);
            assert_eq!(rig.ask(&reference).await.json()["details"]["status"], "Success", "{faults:?}");
            let posts: Vec<_> = rig.merchant.posts().iter().map(|post| post.json()).collect();
            if faults == [Fault::CallbackTwice] {
                assert_eq!(posts[0], posts[1]);
            }
            if faults == [Fault::CallbackForged] {
                let [forged, truth] =
                    [0, 1].map(|place: usize| amount(&posts[place]).parse::<Decimal>().unwrap());
                assert_eq!(forged, truth * Decimal::TEN);
                assert_ne!(
                    posts[0]["details"], posts[1]["details"],
                    "who forges knows neither receipt nor PIN"
                );
                let goods = &rig.ask(&reference).await.json()["details"]["details"];
                assert_eq!(goods, &posts[1]["details"]);
            }
        }
    }
}

#[tokio::test]
async fn notifications_change_places_and_a_payment_refused_is_contradicted() {
    let rig = Rig::new().await;
    rig.sim.inject(BOOK, AIRTIME.operation, [Fault::CallbacksReordered]).unwrap();
    let first = rig.accepted(&AIRTIME, AIRTIME.body()).await;
    rig.sim.idle().await;
    let second = rig.accepted(&VOUCHER, VOUCHER.body()).await;
    rig.sim.idle().await;
    let order: Vec<_> =
        rig.merchant.posts().iter().map(|post| post.json()["transactionRef"].clone()).collect();
    assert_eq!(order, [json!(second), json!(first)]);

    let rig = Rig::new().await;
    rig.sim.inject(BOOK, CHECKOUT.operation, [Fault::CallbackContradicting]).unwrap();
    rig.accepted(&CHECKOUT, CHECKOUT.body_with("/phoneNumber", json!("0700000130"))).await;
    rig.sim.idle().await;
    assert_eq!(told(&rig), [json!("Failed"), json!("Success")]);
    assert!(rig.sim.ledger().moves().is_empty());
}

#[tokio::test]
async fn magic_phones_strike_once_however_often_they_are_paid() {
    for kind in PAYING {
        let Some(pointer) = kind.signed.iter().find(|pointer| pointer.to_lowercase().contains("phone"))
        else {
            panic!("{}", kind.path)
        };
        let rig = Rig::new().await;
        let body = kind.body_with(pointer, json!("0700000103"));
        let first = rig.post(kind, body.clone()).await;
        // The one phone in a bill is that of its payer's clerk.
        if kind.party() == "/account" {
            assert_eq!(first.status(), 200, "a bill has no magic payee");
            continue;
        }
        assert_eq!(first, Raw(Vec::new()), "{}", kind.path);
        until(|| rig.sim.ledger().moves().len() == 1).await;
        let second = rig.post(kind, body).await;
        assert_eq!(second.status(), 200, "{}", kind.path);
        rig.sim.idle().await;
        assert_eq!(rig.sim.ledger().moved_by_gateway_reference(BOOK, &reference(&second.json())), 1);
        assert_eq!(rig.sim.ledger().moves().len(), 2, "each a payment of its own");
        assert!(rig.sim.ledger().paid_more_than_once().is_empty(), "no reference, no proof");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

/// Everything that comes out of a day with every kind of trouble.
fn run(seed: u64) -> Vec<String> {
    let plan = Plan::seeded(
        1,
        [
            (Fault::LostReply, 100),
            (Fault::CallbackTwice, 200),
            (Fault::CallbackForged, 200),
            (Fault::CallbackContradicting, 200),
            (Fault::CallbacksReordered, 100),
        ],
    );
    let url = "https://shop.example/ipn".parse().unwrap();
    let account = malipo_sim::KyandaAccount::new().with_callback_url(url);
    let (world, clock) = world(Options::new().with_seed(seed).with_plan(plan).with_kyanda(account));
    let mut trace = Vec::new();
    for kind in [PAYING, PAYING].concat() {
        let answer = world.handle(&request(kind, world.kyanda().api_key()));
        trace.push(format!("{:?} {:?}", answer.delay, answer.reply));
        clock.advance(Duration::from_millis(500));
        let told = world.take_due();
        trace.extend(told.iter().map(|callback| format!("{:?}", callback.request())));
    }
    trace.push(format!("{:?} {:?}", world.ledger(), world.events()));
    trace
}

fn request(kind: &Kind, key: &str) -> http::Request<bytes::Bytes> {
    http::Request::post(kind.path)
        .header("apiKey", key)
        .header("content-type", "application/json")
        .body(sign(kind, key, kind.body()).to_string().into())
        .unwrap()
}

#[tokio::test]
async fn what_prints_a_payment_prints_no_key() {
    let rig = Rig::new().await;
    rig.accepted(&MOBILE, MOBILE.body()).await;
    rig.sim.idle().await;
    let seen = format!("{:?} {:?} {:?}", rig.sim.kyanda(), rig.sim.events(), Options::new());
    for secret in [rig.sim.kyanda().api_key(), rig.sim.kyanda().security_key(), "/ipn"] {
        assert!(!seen.contains(secret), "{seen}");
    }
}
