//! Each fault does what it says: to the ledger, to the bytes on the socket, and to what the merchant is told.

use std::time::Duration;

use malipo_sim::{Event, Fault, Gateway, MAGIC_PAYEES, MagicEffect, Operation, Plan, Sim};
use serde_json::json;

use crate::client::{
    PAYEE, PAYOUT, Raw, Rig, basic, exchange, options, parameter, payment, stopwatch, until, with,
};
use crate::merchant::Post;

/// Pays 100 shillings under the reference `ref` with these faults.
async fn pay_with<const N: usize>(faults: [Fault; N]) -> (Rig, Raw) {
    let rig = Rig::new(options()).await;
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, faults).unwrap();
    let raw = rig.pay("ref", PAYEE).await;
    rig.sim.idle().await;
    (rig, raw)
}

fn moved(rig: &Rig) -> usize {
    rig.sim.ledger().moved(Gateway::Daraja, "ref")
}

fn told(rig: &Rig) -> Vec<Post> {
    rig.merchant.posts()
}

#[tokio::test]
async fn a_lost_request_and_a_lost_reply_look_alike() {
    let (lost_request, nothing) = pay_with([Fault::LostRequest]).await;
    assert_eq!(nothing, Raw(Vec::new()), "not one byte");
    assert!(lost_request.sim.ledger().payments().is_empty());
    assert!(told(&lost_request).is_empty());

    let (lost_reply, also_nothing) = pay_with([Fault::LostReply]).await;
    assert_eq!(also_nothing, nothing);
    assert_eq!(moved(&lost_reply), 1);
    assert_eq!(told(&lost_reply).len(), 1);
}

#[tokio::test]
async fn an_error_says_nothing_about_whether_it_was_paid() {
    let (before, first) = pay_with([Fault::ErrorBeforeAccept]).await;
    let (after, second) = pay_with([Fault::ErrorAfterAccept]).await;
    assert_eq!((first.status(), second.status()), (503, 503));
    assert_eq!(first.body(), second.body());
    assert_eq!((moved(&before), moved(&after)), (0, 1));
    assert!(before.sim.ledger().payments().is_empty());
}

#[tokio::test]
async fn a_web_page_comes_though_it_was_paid() {
    let (rig, raw) = pay_with([Fault::HtmlPage]).await;
    assert_eq!(raw.status(), 504);
    assert!(raw.body().starts_with("<html>"));
    assert!(String::from_utf8_lossy(&raw.0).contains("content-type: text/html"));
    assert_eq!(moved(&rig), 1);
}

#[tokio::test]
async fn truncated_json_is_half_of_the_true_reply() {
    let (rig, raw) = pay_with([Fault::TruncatedJson]).await;
    assert_eq!(raw.status(), 200);
    assert!(raw.body().starts_with(r#"{"ConversationID":"AG_"#), "{}", raw.body());
    assert!(serde_json::from_str::<serde_json::Value>(&raw.body()).is_err());
    assert_eq!(moved(&rig), 1);
}

#[tokio::test]
async fn a_slow_reply_is_slow_and_the_result_is_not() {
    let rig = Rig::new(options()).await;
    rig.sim
        .inject(Gateway::Daraja, Operation::PayOut, [Fault::SlowReply(Duration::from_millis(300))])
        .unwrap();
    let elapsed = stopwatch();
    let (raw, early) = tokio::join!(rig.pay("ref", PAYEE), async {
        until(|| !told(&rig).is_empty()).await;
        elapsed()
    });
    assert_eq!(raw.status(), 200);
    assert!(elapsed() >= Duration::from_millis(300), "{:?}", elapsed());
    assert!(early < Duration::from_millis(300), "{early:?}");
}

#[tokio::test]
async fn refusals_on_demand_process_nothing_and_pass() {
    for (fault, status, code) in [
        (Fault::SpikeArrest, 500, "500.003.02"),
        (Fault::TokenExpired, 401, "401.002.01"),
        (Fault::EchoedToken, 404, "404.001.04"),
    ] {
        let (rig, raw) = pay_with([fault]).await;
        assert_eq!((raw.status(), &raw.json()["errorCode"]), (status, &code.into()), "{fault:?}");
        let repeated = raw.body().contains(&rig.token);
        assert_eq!(repeated, fault != Fault::SpikeArrest, "{fault:?}: {}", raw.body());
        assert!(!format!("{:?}", rig.sim.events()).contains(&rig.token), "{fault:?}");
        assert!(rig.sim.ledger().payments().is_empty(), "{fault:?}");
        // Once only, and with the same token.
        assert_eq!(rig.pay("ref", PAYEE).await.status(), 200, "{fault:?}");
    }
}

#[tokio::test]
async fn a_callback_may_never_come_or_come_twice() {
    let (rig, raw) = pay_with([Fault::CallbackNever]).await;
    assert_eq!((raw.status(), moved(&rig), told(&rig).len()), (200, 1, 0));

    let (rig, _) = pay_with([Fault::CallbackTwice]).await;
    let posts = told(&rig);
    assert_eq!((moved(&rig), posts.len()), (1, 2));
    assert_eq!(posts[0], posts[1]);
}

#[tokio::test]
async fn an_early_callback_is_answered_before_the_reply_is_sent() {
    let rig = Rig::new(options().with_result_delay(Duration::from_secs(60))).await;
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackEarly]).unwrap();
    let raw = rig.pay("ref", PAYEE).await;
    // No waiting: the reply is here, so the callback must be.
    let post = rig.merchant.only_post();
    assert_eq!(post.json()["Result"]["ConversationID"], raw.json()["ConversationID"]);
    let answered = |event: &Event| matches!(event, Event::Callback { .. });
    assert!(rig.sim.events().iter().any(answered));
}

#[tokio::test]
async fn a_late_callback_is_late_but_the_money_is_not() {
    let rig = Rig::new(options()).await;
    let late = Duration::from_millis(300);
    rig.sim
        .inject(Gateway::Daraja, Operation::PayOut, [Fault::LostReply, Fault::CallbackLate(late)])
        .unwrap();
    let elapsed = stopwatch();
    assert_eq!(rig.pay("ref", PAYEE).await, Raw(Vec::new()), "faults combine");
    until(|| moved(&rig) == 1).await;
    assert!(told(&rig).is_empty());
    rig.sim.idle().await;
    assert!(elapsed() >= late);
    assert_eq!(told(&rig).len(), 1);
}

#[tokio::test]
async fn reordered_callbacks_change_places() {
    let rig = Rig::new(options()).await;
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbacksReordered]).unwrap();
    rig.pay("first", PAYEE).await;
    rig.sim.idle().await;
    assert!(told(&rig).is_empty(), "held back until another one leaves");
    rig.pay("second", PAYEE).await;
    rig.sim.idle().await;
    let order: Vec<_> =
        told(&rig).iter().map(|post| post.json()["Result"]["OriginatorConversationID"].clone()).collect();
    assert_eq!(order, [json!("second"), json!("first")]);
}

#[tokio::test]
async fn a_contradiction_follows_the_truth_and_a_forgery_precedes_it() {
    let (rig, _) = pay_with([Fault::CallbackContradicting]).await;
    let codes: Vec<_> = told(&rig).iter().map(Post::code).collect();
    assert_eq!(codes, [json!(0), json!(1)]);
    assert_eq!(moved(&rig), 1);

    let (rig, _) = pay_with([Fault::CallbackForged]).await;
    let posts = told(&rig);
    let amounts: Vec<_> =
        posts.iter().map(|post| parameter(&post.json(), "TransactionAmount").clone()).collect();
    assert_eq!(amounts, [json!(1000), json!(100)]);
    let receipt = &rig.sim.ledger().moves()[0].receipt.clone();
    assert_ne!(parameter(&posts[0].json(), "TransactionReceipt"), receipt);
    assert_eq!(parameter(&posts[1].json(), "TransactionReceipt"), receipt);
}

#[tokio::test]
async fn a_queue_timeout_calls_the_other_url() {
    let (rig, _) = pay_with([Fault::QueueTimeout]).await;
    let post = rig.merchant.only_post();
    assert_eq!(post.path, "/timeout");
    assert!(post.json()["Result"].get("ResultCode").is_none());
    assert_eq!(moved(&rig), 1, "a timeout says nothing about the money");

    let (rig, _) = pay_with([Fault::QueueTimeout, Fault::CallbackLate(Duration::from_millis(50))]).await;
    let paths: Vec<_> = told(&rig).iter().map(|post| post.path.clone()).collect();
    assert_eq!(paths, ["/timeout", "/result"]);
}

#[tokio::test]
async fn a_fault_waits_for_its_own_operation() {
    let rig = Rig::new(options()).await;
    rig.sim.inject(Gateway::Daraja, Operation::Status, [Fault::LostReply]).unwrap();
    assert_eq!(rig.pay("ref", PAYEE).await.status(), 200);
    assert_eq!(rig.ask("ref").await, Raw(Vec::new()));
    assert_eq!(rig.ask("ref").await.status(), 200);
}

#[tokio::test]
async fn a_magic_payee_strikes_once_for_each_reference() {
    let rig = Rig::new(options()).await;
    for reference in ["a", "b"] {
        assert_eq!(rig.pay(reference, "254700000102").await, Raw(Vec::new()));
        assert_eq!(rig.sim.ledger().find(Gateway::Daraja, reference), None);
        assert_eq!(rig.pay(reference, "254700000102").await.status(), 200);
    }
    assert_eq!(rig.pay("c", "254700000103").await, Raw(Vec::new()));
    rig.sim.idle().await;
    assert_eq!(rig.sim.ledger().moved(Gateway::Daraja, "c"), 1);
    // What was asked for by name comes before the number's own nature.
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::SpikeArrest]).unwrap();
    assert_eq!(rig.pay("d", "254700000103").await.json()["errorCode"], "500.003.02");
}

#[tokio::test]
async fn without_a_reference_a_magic_payee_strikes_once() {
    let rig = Rig::new(options()).await;
    let pay = async |payee| {
        let body = payment(rig.sim.daraja(), rig.merchant.url(), "ref", payee);
        rig.post(PAYOUT, &with(body, "OriginatorConversationID", json!(null))).await
    };
    assert_eq!(pay("254700000102").await, Raw(Vec::new()));
    assert_eq!(pay("254700000105").await.status(), 503, "another payee has an effect of its own");
    for payee in ["254700000102", "254700000105"] {
        assert_eq!(pay(payee).await.status(), 400, "{payee}: Daraja wants a reference");
    }
}

#[tokio::test]
async fn of_two_faults_that_exclude_each_other_the_upper_one_strikes() {
    for (faults, status) in [
        ([Fault::LostReply, Fault::SpikeArrest], 500),
        ([Fault::HtmlPage, Fault::ErrorBeforeAccept], 503),
        ([Fault::ErrorAfterAccept, Fault::TokenExpired], 401),
    ] {
        let (rig, raw) = pay_with(faults).await;
        assert_eq!((raw.status(), rig.sim.ledger().payments().len()), (status, 0), "{faults:?}");
    }
    // A fault that does not fit the operation excludes nothing.
    let plan = Plan::seeded(1, [(Fault::TokenExpired, 1000), (Fault::LostReply, 1000)]);
    let sim = Sim::start(options().with_plan(plan)).await.unwrap();
    let path = "/oauth/v1/generate?grant_type=client_credentials";
    assert_eq!(exchange(&sim, "GET", path, &basic(sim.daraja()), "").await, Raw(Vec::new()));
}

#[tokio::test]
async fn every_magic_payee_meets_the_faults_of_its_row() {
    let rig = Rig::new(options()).await;
    for magic in MAGIC_PAYEES {
        let MagicEffect::Faults(expected) = magic.effect else { continue };
        if expected.iter().any(|fault| matches!(fault, Fault::SlowReply(_))) {
            continue;
        }
        rig.pay(magic.number, magic.number).await;
        let events = rig.sim.events();
        let met = events.iter().rev().find_map(|event| match event {
            Event::Request { faults, .. } => Some(faults.clone()),
            _ => None,
        });
        assert_eq!(met.as_deref(), Some(expected), "{}", magic.number);
    }
}

#[tokio::test]
async fn a_seeded_plan_strikes_the_same_calls_each_time() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        // These two do nothing to a token request, so the rig gets its token.
        let plan = Plan::seeded(11, [(Fault::EchoedToken, 400), (Fault::TokenExpired, 200)]);
        let rig = Rig::new(options().with_plan(plan)).await;
        let mut outcomes = Vec::new();
        for number in 0..20 {
            let raw = rig.pay(&format!("ref-{number}"), PAYEE).await;
            outcomes.push(raw.status());
        }
        runs.push(outcomes);
    }
    assert_eq!(runs[0], runs[1]);
    for kind in [200, 401, 404] {
        assert!(runs[0].contains(&kind), "{kind} in {:?}", runs[0]);
    }
}
