//! Tokens: fetched once, used until shortly before they expire, renewed once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::HeaderName;
use malipo_core::{Effect, ErrorKind, Reference, Secret};
use malipo_transport::{BearerToken, Failure, Gateway, StaticKey, TransportError};
use tokio::task::{JoinSet, yield_now};

use crate::scripted::{Answer, Clock, Dialect, Scripted, gateway, pay_out, says, status, token_of};

fn second(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Gives `token-1`, `token-2`, … that live as long as `lifetime` says, and takes every payment.
fn generous(lifetime: &'static str) -> Scripted {
    let given = AtomicUsize::new(0);
    Scripted::new(move |request| match request.uri().path() {
        "/token" => says(200, format!("token-{}{lifetime}", given.fetch_add(1, Ordering::Relaxed) + 1)),
        _ => says(200, "paid"),
    })
}

fn bearer(transport: &Scripted, clock: &Clock) -> Gateway {
    gateway(transport, clock, BearerToken::new(Dialect("a")))
}

async fn settle() {
    for _ in 0..50 {
        yield_now().await;
    }
}

#[tokio::test]
async fn many_cold_calls_ask_for_one_token() {
    let transport = generous(" 3599");
    let gateway = bearer(&transport, &Clock::default());
    let mut calls = JoinSet::new();
    for _ in 0..200 {
        let gateway = gateway.clone();
        calls.spawn(async move { gateway.call(pay_out()).await });
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));
    assert_eq!(transport.tokens(), 1);
    assert_eq!(transport.sent("/pay").len(), 200);
    assert!(transport.sent("/pay").iter().all(|request| token_of(request) == "token-1"));
}

#[tokio::test]
async fn many_cold_calls_share_one_failure_and_the_next_one_tries_again() {
    let healthy = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&healthy);
    let transport = Scripted::new(move |request| match request.uri().path() {
        "/token" if !switch.load(Ordering::Relaxed) => says(503, "later"),
        "/token" => says(200, "token-1 3599"),
        _ => says(200, "paid"),
    });
    let gateway = bearer(&transport, &Clock::default());
    let mut calls = JoinSet::new();
    for number in 0..200 {
        let gateway = gateway.clone();
        calls.spawn(async move {
            let reference: Reference = format!("LOAN-{number}").parse().unwrap();
            let (call, effect) =
                if number % 2 == 0 { (pay_out(), Effect::None) } else { (status(), Effect::Unchanged) };
            let operation = call.operation;
            let error = gateway.call(call.with_reference(&reference)).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Credentials, Some(503)));
            assert_eq!((error.effect(), error.operation()), (effect, operation));
            assert_eq!(error.reference(), Some(&reference), "a shared failure is still one's own");
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    assert_eq!(transport.tokens(), 1);
    assert!(transport.sent("/pay").is_empty() && transport.sent("/status").is_empty());

    assert!(gateway.call(pay_out()).await.is_err());
    assert_eq!(transport.tokens(), 2, "a failure is not kept");
    healthy.store(true, Ordering::Relaxed);
    assert!(gateway.call(pay_out()).await.is_ok());
    assert_eq!(transport.tokens(), 3);
}

#[tokio::test]
async fn a_dropped_leader_hands_over_to_the_next() {
    let transport = generous(" 3599").closed();
    let gateway = bearer(&transport, &Clock::default());
    let call = |gateway: &Gateway| {
        let gateway = gateway.clone();
        tokio::spawn(async move { gateway.call(pay_out()).await })
    };
    let leader = call(&gateway);
    settle().await;
    let waiters = [call(&gateway), call(&gateway), call(&gateway)];
    settle().await;
    assert_eq!(transport.tokens(), 1, "the leader asks, and the others wait");

    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    settle().await;
    assert_eq!(transport.tokens(), 2, "one of the others asks");
    transport.open();
    for waiter in waiters {
        assert!(waiter.await.unwrap().is_ok());
    }
    assert_eq!(transport.tokens(), 2);
}

/// A dropped waiter costs nobody anything.
#[tokio::test]
async fn a_dropped_waiter_is_not_missed() {
    let transport = generous(" 3599").closed();
    let gateway = bearer(&transport, &Clock::default());
    let mut calls: Vec<_> = (0..3)
        .map(|_| {
            let gateway = gateway.clone();
            tokio::spawn(async move { gateway.call(pay_out()).await })
        })
        .collect();
    settle().await;
    calls.remove(1).abort();
    transport.open();
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(transport.tokens(), 1);
}

#[tokio::test]
async fn a_token_is_used_until_shortly_before_it_expires() {
    for (lifetime, usable) in [
        (" 3599", second(3539)),
        (" 300", second(240)),
        (" 299", Duration::from_millis(299_000 - 59_800)),
        (" 100", second(80)),
        (" 1", Duration::from_millis(800)),
        ("", second(48)),
    ] {
        let (transport, clock) = (generous(lifetime), Clock::default());
        clock.advance(second(1_000_000));
        let gateway = bearer(&transport, &clock);
        assert!(gateway.call(pay_out()).await.is_ok());
        clock.advance(usable - Duration::from_nanos(1));
        assert!(gateway.call(pay_out()).await.is_ok());
        assert_eq!(transport.tokens(), 1, "{lifetime}: too early");
        clock.advance(Duration::from_nanos(1));
        assert!(gateway.call(pay_out()).await.is_ok());
        assert_eq!(transport.tokens(), 2, "{lifetime}: too late");
        assert_eq!(token_of(&transport.sent("/pay")[2]), "token-2");
    }
}

#[tokio::test]
async fn lifetimes_at_the_ends_of_the_scale() {
    for (lifetime, tokens) in [(" 0", 3), (" 18446744073709551615", 1)] {
        let (transport, clock) = (generous(lifetime), Clock::default());
        clock.advance(second(1_000_000));
        let gateway = bearer(&transport, &clock);
        for _ in 0..3 {
            assert!(gateway.call(pay_out()).await.is_ok());
            clock.advance(second(1));
        }
        assert_eq!(transport.tokens(), tokens, "{lifetime}");
    }
}

/// Takes only tokens that `accepts`, and says what is documented, or not, about others.
fn strict(rejection: &'static str, accepts: fn(&str) -> bool) -> Scripted {
    let given = AtomicUsize::new(0);
    Scripted::new(move |request| match request.uri().path() {
        "/token" => says(200, format!("token-{} 3599", given.fetch_add(1, Ordering::Relaxed) + 1)),
        _ if accepts(token_of(request)) => says(200, "paid"),
        _ => says(401, rejection),
    })
}

#[tokio::test]
async fn a_documented_rejection_is_answered_with_one_new_token() {
    let transport = strict("documented", |token| token != "token-1");
    let response = bearer(&transport, &Clock::default()).call(pay_out()).await.unwrap();
    assert_eq!((response.status, response.body.as_ref()), (200, b"paid".as_ref()));
    let sent = transport.sent("/pay");
    assert_eq!(sent.iter().map(token_of).collect::<Vec<_>>(), ["token-1", "token-2"]);
    assert_eq!(sent[1].headers().get_all("x-access-token").iter().count(), 1);
}

#[tokio::test]
async fn a_gateway_that_rejects_every_token_is_left_alone_after_one() {
    let transport = strict("documented", |_| false);
    let response = bearer(&transport, &Clock::default()).call(pay_out()).await.unwrap();
    assert_eq!((response.status, response.body.as_ref()), (401, b"documented".as_ref()));
    assert_eq!((transport.sent("/pay").len(), transport.tokens()), (2, 2));
}

#[tokio::test]
async fn any_other_rejection_is_not_answered_at_all() {
    let transport = strict("who are you?", |_| false);
    let response = bearer(&transport, &Clock::default()).call(pay_out()).await.unwrap();
    assert_eq!(response.status, 401);
    assert_eq!((transport.sent("/pay").len(), transport.tokens()), (1, 1));

    let transport = Scripted::new(|_| says(401, "documented"));
    let key = StaticKey::new(HeaderName::from_static("apikey"), Secret::new("key-123456"));
    assert_eq!(gateway(&transport, &Clock::default(), key).call(pay_out()).await.unwrap().status, 401);
    assert_eq!(transport.sent("/pay").len(), 1, "a key cannot be renewed");
}

#[tokio::test]
async fn an_undocumented_rejection_costs_one_call_and_not_the_next() {
    let transport = strict("who are you?", |token| token != "token-1");
    let gateway = bearer(&transport, &Clock::default());
    assert_eq!(gateway.call(pay_out()).await.unwrap().status, 401);
    assert_eq!(transport.sent("/pay").len(), 1, "nothing is resent on a guess");
    assert_eq!(gateway.call(pay_out()).await.unwrap().status, 200);
    assert_eq!((transport.sent("/pay").len(), transport.tokens()), (2, 2));
}

#[tokio::test]
async fn waiters_share_a_token_that_dies_at_once() {
    let transport = generous(" 0");
    let gateway = bearer(&transport, &Clock::default());
    let mut calls = JoinSet::new();
    for _ in 0..200 {
        let gateway = gateway.clone();
        calls.spawn(async move { gateway.call(pay_out()).await });
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));
    assert_eq!(transport.tokens(), 1);
    gateway.call(pay_out()).await.unwrap();
    assert_eq!(transport.tokens(), 2, "who comes later gets another one");
}

#[tokio::test]
async fn a_life_is_counted_from_when_the_token_was_asked_for() {
    let clock = Clock::default();
    let slow = clock.clone();
    let given = AtomicUsize::new(0);
    let transport = Scripted::new(move |request| match request.uri().path() {
        "/token" => {
            slow.advance(second(100));
            says(200, format!("token-{} 1000", given.fetch_add(1, Ordering::Relaxed) + 1))
        }
        _ => says(200, "paid"),
    });
    let gateway = bearer(&transport, &clock);
    gateway.call(status()).await.unwrap();
    clock.advance(second(839));
    gateway.call(status()).await.unwrap();
    assert_eq!(transport.tokens(), 1, "939 of 940 seconds");
    clock.advance(second(1));
    gateway.call(status()).await.unwrap();
    assert_eq!(transport.tokens(), 2);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_nothing_started() {
    let given = AtomicUsize::new(0);
    let transport = Scripted::new(move |request| match request.uri().path() {
        "/token" if given.fetch_add(1, Ordering::Relaxed) > 0 => {
            Answer::Fails(TransportError::after_send(Failure::Timeout))
        }
        "/token" => says(200, "token-1 3599"),
        _ => says(401, "documented"),
    });
    let error = bearer(&transport, &Clock::default()).call(pay_out()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Interrupted, Effect::None));
    assert_eq!(transport.sent("/pay").len(), 1);
}

#[tokio::test]
async fn many_calls_rejected_with_the_same_token_ask_for_one_new() {
    let transport = strict("documented", |token| token != "token-1");
    let gateway = bearer(&transport, &Clock::default());
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let gateway = gateway.clone();
        calls.spawn(async move { gateway.call(pay_out()).await.unwrap().status });
    }
    assert!(calls.join_all().await.iter().all(|status| *status == 200));
    assert_eq!(transport.tokens(), 2);
    assert_eq!(transport.sent("/pay").len(), 100);
}

#[tokio::test]
async fn tenants_share_nothing() {
    let transport = Scripted::new(|request| match request.uri().path() {
        // `a:consumer-secret` and `b:consumer-secret`.
        "/token" if request.headers()["authorization"].as_bytes().starts_with(b"Basic YTpj") => {
            says(200, "token-of-a 3599")
        }
        "/token" => says(200, "token-of-b 3599"),
        _ => says(200, token_of(request).replace("token-of-", "from ")),
    });
    let clock = Clock::default();
    let mut calls = JoinSet::new();
    let gateways = [
        ("from a", gateway(&transport, &clock, BearerToken::new(Dialect("a")))),
        ("from b", gateway(&transport, &clock, BearerToken::new(Dialect("b")))),
    ];
    for number in 0..100 {
        let (name, gateway) = gateways[number % 2].clone();
        calls.spawn(async move { gateway.call(pay_out()).await.unwrap().body == name });
    }
    assert!(calls.join_all().await.into_iter().all(|own| own));
    assert_eq!(transport.tokens(), 2, "one each");
}

/// Whoever called may have been given up by then: a machine can fall asleep while it waits for a token.
#[tokio::test]
async fn a_payment_whose_token_took_too_long_is_not_sent() {
    for (takes, is_sent) in [(30, true), (31, false)] {
        let clock = Clock::default();
        let slow = clock.clone();
        let transport = Scripted::new(move |request| match request.uri().path() {
            "/token" => {
                slow.advance(second(takes));
                says(200, "token-1 3599")
            }
            _ => says(200, "paid"),
        });
        let told = bearer(&transport, &clock).call(pay_out()).await;
        assert_eq!(transport.sent("/pay").len(), usize::from(is_sent), "{takes} s");
        if let Err(error) = told {
            assert_eq!((error.kind(), error.effect()), (ErrorKind::NotSent, Effect::None));
        }
        let clock = Clock::default();
        bearer(&transport, &clock).call(status()).await.unwrap();
        assert_eq!(transport.sent("/status").len(), 1, "a question moves nothing");
    }
}
