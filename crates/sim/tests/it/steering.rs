//! Moving the simulator's time and taking it back to its start, over its own paths and without a socket.

use std::time::Duration;

use malipo_sim::{Delivery, Fault, Gateway, Operation, Options, Plan};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{
    PAYEE, PAYOUT, Raw, Rig, account, ask_token, connect, options, payment, stopwatch, until, with, within,
};
use crate::control::{ADVANCE, FAULTS, IDLE, RESET, done, faults, get};
use crate::in_process::{pay, token, world};
use crate::merchant::Merchant;

#[tokio::test]
async fn a_reset_goes_back_to_the_start() {
    let account = account();
    let rig = Rig::new(options().with_seed(11).with_daraja(account)).await;
    rig.pay("ref", PAYEE).await;
    rig.sim.idle().await;
    let receipt = rig.sim.ledger().payments()[0].receipt().unwrap().to_owned();
    rig.pay("magic", "254700000103").await;
    done(&rig.sim, FAULTS, &faults(json!([{ "fault": "lost_reply" }]))).await;
    done(&rig.sim, ADVANCE, &json!({ "seconds": 60 })).await;

    let told = done(&rig.sim, RESET, &json!({})).await;
    assert_eq!(told["ahead_millis"], 0);
    assert!(rig.sim.ledger().payments().is_empty() && rig.sim.ledger().moves().is_empty());
    assert_eq!(rig.sim.ledger().balance(Gateway::Daraja, "Utility Account"), Some(10_000_000.into()));
    assert_eq!((rig.sim.events().len(), rig.sim.calls(Gateway::Daraja, Operation::PayOut)), (0, 0));
    assert_eq!(rig.pay("ref", PAYEE).await.status(), 401, "its token is not known any more");

    // From the start again, for the refusal has rolled the dice.
    rig.sim.reset();
    let token = ask_token(&rig.sim).await;
    assert_eq!(token, rig.token);
    let rig = Rig { token, ..rig };
    assert_eq!(rig.pay("ref", PAYEE).await.status(), 200, "no fault is left, and the reference is free");
    rig.sim.idle().await;
    assert_eq!(rig.sim.ledger().payments()[0].receipt(), Some(receipt.as_str()));
    assert_eq!(rig.pay("magic", "254700000103").await, Raw(Vec::new()), "a magic payee has its effect again");
}

#[tokio::test]
async fn what_was_still_to_be_told_is_not_told_after_a_reset() {
    let merchant = Merchant::open_slow(Duration::from_millis(300)).await;
    let rig = Rig { merchant, ..Rig::new(options()).await };
    let late = Fault::CallbackLate(Duration::from_millis(100));
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [late]).unwrap();
    rig.pay("late", PAYEE).await;
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackTwice]).unwrap();
    rig.pay("twice", PAYEE).await;
    // One is being posted, its twin waits behind it, and another is not due yet.
    until(|| rig.merchant.posts().len() == 1).await;
    rig.sim.reset();
    within(Duration::from_secs(5), rig.sim.idle()).await.expect("nothing of before is waited for");
    within(Duration::from_millis(500), std::future::pending::<()>()).await.unwrap_err();
    assert_eq!(rig.merchant.posts().len(), 1);
    assert_eq!(rig.sim.events(), [], "what came of the one on its way belongs to nothing");
}

#[tokio::test]
async fn whoever_waits_for_it_to_be_idle_hears_of_a_reset() {
    let rig = Rig::new(options().with_result_delay(Duration::from_secs(3600))).await;
    rig.pay("ref", PAYEE).await;
    let (idle, ()) = tokio::join!(within(Duration::from_secs(5), get(&rig.sim, IDLE)), async {
        within(Duration::from_millis(50), std::future::pending::<()>()).await.unwrap_err();
        rig.sim.reset();
    });
    assert_eq!(idle.unwrap().status(), 200);
}

#[tokio::test]
async fn a_late_callback_leaves_when_the_clock_is_moved() {
    let rig = Rig::new(options().with_result_delay(Duration::from_secs(60))).await;
    let late = json!([{ "fault": "callback_late", "millis": 3_600_000 }]);
    done(&rig.sim, FAULTS, &faults(late)).await;
    rig.pay("ref", PAYEE).await;
    done(&rig.sim, ADVANCE, &json!({ "millis": 61_000 })).await;
    assert_eq!(rig.sim.ledger().moved(Gateway::Daraja, "ref"), 1);
    assert!(rig.merchant.posts().is_empty());
    let told = done(&rig.sim, ADVANCE, &json!({ "seconds": 3600 })).await;
    assert_eq!(told["ahead_millis"], 3_661_000);
    let idle = within(Duration::from_secs(5), get(&rig.sim, IDLE)).await.unwrap();
    assert_eq!((idle.status(), idle.json()), (200, json!({ "idle": true })));
    assert_eq!(rig.merchant.only_post().code(), 0);
}

#[tokio::test]
async fn a_token_runs_out_when_the_clock_is_moved() {
    let rig = Rig::new(options()).await;
    rig.sim.advance(Duration::from_secs(3500));
    assert_eq!(rig.pay("a", PAYEE).await.status(), 200);
    done(&rig.sim, ADVANCE, &json!({ "seconds": 100 })).await;
    assert_eq!(rig.pay("b", PAYEE).await.status(), 401);
    let rig = Rig { token: ask_token(&rig.sim).await, ..rig };
    assert_eq!(rig.pay("b", PAYEE).await.status(), 200);
}

#[tokio::test]
async fn idle_answers_once_everything_is_settled() {
    let merchant = Merchant::open_slow(Duration::from_millis(200)).await;
    let rig = Rig { merchant, ..Rig::new(options()).await };
    rig.pay("ref", PAYEE).await;
    let elapsed = stopwatch();
    // Two at once do not wait for each other.
    let (one, other) = tokio::join!(get(&rig.sim, IDLE), get(&rig.sim, IDLE));
    assert_eq!((one.status(), other.status()), (200, 200));
    assert!(elapsed() >= Duration::from_millis(200), "{:?}", elapsed());
    assert_eq!(rig.merchant.posts().len(), 1);
}

#[tokio::test]
async fn idle_says_what_is_outstanding_when_it_gives_up() {
    let rig = Rig::new(options().with_result_delay(Duration::from_secs(3600))).await;
    rig.pay("ref", PAYEE).await;
    let mut under_way = connect(&rig.sim).await;
    let head = format!("POST {PAYOUT} HTTP/1.1\r\nHost: sim\r\nContent-Length: 10\r\n\r\n");
    under_way.write_all(head.as_bytes()).await.unwrap();
    // Its handling begins with its head; how soon after, nobody says.
    let asking = async {
        loop {
            let reply = get(&rig.sim, "/_sim/idle?millis=50").await;
            if reply.json()["requests"] == 1 {
                return reply;
            }
        }
    };
    let reply = within(Duration::from_secs(5), asking).await.expect("only that request is under way");
    let says = reply.json();
    assert_eq!(
        (reply.status(), &says["idle"], &says["callbacks"]),
        (504, &json!(false), &json!(0)),
        "{says}"
    );
    let next = says["next_in_millis"].as_u64().unwrap();
    assert!((3_500_000..=3_600_000).contains(&next), "{says}");
    assert!(says["error"].as_str().unwrap().starts_with("not idle after 50 ms"), "{says}");
    under_way.write_all(b"0123456789").await.unwrap();
    let mut room = [0; 64];
    assert!(under_way.read(&mut room).await.unwrap() > 0);
}

#[test]
fn what_falls_due_on_the_way_happens_at_its_own_time() {
    let (world, clock) = world(Options::new());
    let token = token(&world).unwrap();
    let body = payment(world.daraja(), "https://shop.example/hook", "ref", PAYEE);
    let late = Fault::CallbackLate(Duration::from_secs(10));
    world.inject(Gateway::Daraja, Operation::PayOut, [late]).unwrap();
    pay(&world, &token, &body);
    world.advance(Duration::from_millis(10_049));
    assert_eq!(world.ledger().moved(Gateway::Daraja, "ref"), 1, "decided on the way");
    let decided = world.ledger().payments()[0].decided_at.unwrap().to_string();
    assert_eq!(decided, "2026-11-22T09:00:00.05Z", "after 50 ms, as always");
    assert!(world.take_due().is_empty());
    assert_eq!(
        world.next_due(),
        Some(Duration::from_millis(1)),
        "in the time of the clock that was not moved"
    );
    clock.advance(Duration::from_millis(1));
    let callbacks = world.take_due();
    assert_eq!((callbacks.len(), world.is_idle()), (1, false));
    world.record(&callbacks[0], Delivery::Answered(200));
    assert!(world.is_idle());
}

#[test]
fn callbacks_that_left_on_the_way_are_due_at_once_and_in_order() {
    let (world, _clock) = world(Options::new());
    let token = token(&world).unwrap();
    for (reference, late) in [("slow", 20), ("quick", 10)] {
        let late = Fault::CallbackLate(Duration::from_secs(late));
        world.inject(Gateway::Daraja, Operation::PayOut, [late]).unwrap();
        let body = payment(world.daraja(), "https://shop.example/hook", reference, PAYEE);
        pay(&world, &token, &body);
    }
    world.advance(Duration::from_secs(60));
    assert_eq!((world.next_due(), world.is_idle()), (Some(Duration::ZERO), false));
    let told: Vec<_> = world.take_due().iter().map(|callback| callback.reference().to_owned()).collect();
    assert_eq!(told, ["quick", "slow"]);
    assert_eq!(world.next_due(), None);
}

#[test]
fn a_callback_of_before_a_reset_belongs_to_nothing() {
    let (world, clock) = world(Options::new());
    let send = |reference: &str| {
        let body = payment(world.daraja(), "https://shop.example/hook", reference, PAYEE);
        pay(&world, &token(&world).unwrap(), &body);
        clock.advance(Duration::from_millis(50));
        world.take_due()
    };
    let before = send("before");
    pay(
        &world,
        &token(&world).unwrap(),
        &payment(world.daraja(), "https://shop.example/hook", "never", PAYEE),
    );
    world.reset();
    assert_eq!((world.is_idle(), world.next_due()), (true, None));
    let after = send("after");
    assert_eq!((before.len(), after.len()), (1, 1));
    world.record(&before[0], Delivery::Answered(200));
    assert!(!world.is_idle(), "the one of after the reset is still on its way");
    let events = world.events();
    world.record(&after[0], Delivery::Answered(200));
    assert!(world.is_idle());
    assert_eq!(world.events().len(), events.len() + 1, "the other was not entered");
}

#[test]
fn a_reset_world_does_the_same_again() {
    let plan =
        Plan::seeded(3, [(Fault::LostReply, 300), (Fault::CallbackTwice, 300), (Fault::TokenExpired, 200)]);
    let (world, _clock) = world(Options::new().with_seed(5).with_plan(plan));
    let body = payment(world.daraja(), "https://shop.example/hook", "ref", PAYEE);
    let day = || {
        let token = (0..50).find_map(|_| token(&world)).unwrap();
        let mut trace = Vec::new();
        for number in 0..20 {
            let body = with(body.clone(), "OriginatorConversationID", format!("ref-{number}").into());
            trace.push(format!("{:?}", pay(&world, &token, &body).reply));
            world.advance(Duration::from_secs(1));
            trace.extend(world.take_due().iter().map(|callback| format!("{:?}", callback.request())));
        }
        trace.push(format!("{:?} {:?}", world.ledger(), world.events()));
        trace
    };
    let first = day();
    world.reset();
    assert_eq!(first, day());
}
