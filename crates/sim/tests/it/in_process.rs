//! The same face with time in hand and no socket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use malipo_core::{Env, Timer, Timestamp};
use malipo_sim::{Answer, Delivery, Fault, Gateway, Operation, Options, Plan, World};
use serde_json::Value;

use crate::client::{PAYEE, PAYOUT, account, basic, payment, with};

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(crate) struct StillClock(Mutex<Duration>);

impl StillClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Env for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::parse_rfc3339("2026-11-22T09:00:00Z").unwrap().saturating_add(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn fill_bytes(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

#[async_trait]
impl Timer for StillClock {
    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

pub(crate) fn world(options: Options) -> (World, Arc<StillClock>) {
    let clock = Arc::new(StillClock::default());
    let env: Arc<StillClock> = Arc::clone(&clock);
    (World::new(options.with_env(env).with_daraja(account())).unwrap(), clock)
}

/// A token, unless a fault swallowed the reply.
pub(crate) fn token(world: &World) -> Option<String> {
    let body: Value = serde_json::from_slice(ask_token(world).reply?.body()).unwrap();
    Some(body["access_token"].as_str().unwrap().to_owned())
}

pub(crate) fn ask_token(world: &World) -> Answer {
    let request =
        Request::get("https://sandbox.safaricom.co.ke/oauth/v1/generate?grant_type=client_credentials")
            .header("authorization", basic(world.daraja()))
            .body(Bytes::new())
            .unwrap();
    world.handle(&request)
}

pub(crate) fn pay(world: &World, token: &str, body: &Value) -> Answer {
    let request = Request::post(PAYOUT)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json; charset=utf-8")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    world.handle(&request)
}

#[test]
fn nothing_happens_until_its_time() {
    let (world, clock) = world(Options::new());
    let token = token(&world).unwrap();
    // Any host will do: what becomes of the callback is up to the caller.
    let body = payment(world.daraja(), "https://shop.example/hook", "ref", PAYEE);
    let answer = pay(&world, &token, &body);
    assert_eq!(answer.reply.unwrap().status(), 200);
    assert_eq!(world.next_due(), Some(Duration::from_millis(50)));
    clock.advance(Duration::from_millis(49));
    assert!(world.take_due().is_empty());
    assert_eq!(world.ledger().moved(Gateway::Daraja, "ref"), 0, "accepted is not paid");
    clock.advance(Duration::from_millis(1));
    let callbacks = world.take_due();
    assert_eq!(world.ledger().moved(Gateway::Daraja, "ref"), 1);
    assert_eq!(callbacks.len(), 1);
    assert_eq!(callbacks[0].request().uri(), "https://shop.example/hook/result");
    assert_eq!(callbacks[0].reference(), "ref");
    let told = String::from_utf8(callbacks[0].request().body().to_vec()).unwrap();
    assert!(told.contains("22.11.2026 12:00:00"), "{told}");
    assert!(!world.is_idle());
    world.record(&callbacks[0], Delivery::Answered(200));
    assert!(world.is_idle());
}

#[test]
fn a_token_is_good_until_its_last_moment_and_not_longer() {
    let (world, clock) = world(Options::new());
    let token = token(&world).unwrap();
    let body = payment(world.daraja(), "https://shop.example/hook", "ref", PAYEE);
    clock.advance(Duration::from_secs(3599) - Duration::from_nanos(1));
    assert_eq!(pay(&world, &token, &body).reply.unwrap().status(), 200);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(pay(&world, &token, &body).reply.unwrap().status(), 401);
}

#[test]
fn an_early_callback_is_handed_over_with_the_answer() {
    let (world, _clock) = world(Options::new());
    let token = token(&world).unwrap();
    world.inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackEarly, Fault::LostReply]).unwrap();
    let answer = pay(&world, &token, &payment(world.daraja(), "https://shop.example/hook", "ref", PAYEE));
    assert_eq!((answer.first.len(), answer.reply.is_none()), (1, true));
    assert_eq!(world.ledger().moved(Gateway::Daraja, "ref"), 1);
    assert_eq!(world.next_due(), None);
}

#[test]
fn late_and_reordered_is_first_late_and_then_behind_another() {
    let (world, clock) = world(Options::new());
    let token = token(&world).unwrap();
    let late = Duration::from_secs(2);
    world
        .inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackLate(late), Fault::CallbacksReordered])
        .unwrap();
    let mut told = Vec::new();
    for (reference, by) in [("a", 1), ("b", 1), ("c", 2)] {
        let body = payment(world.daraja(), "https://shop.example/hook", reference, PAYEE);
        assert_eq!(pay(&world, &token, &body).reply.unwrap().status(), 200);
        clock.advance(Duration::from_secs(by));
        let leaving = world.take_due();
        told.push(leaving.iter().map(|callback| callback.reference().to_owned()).collect::<Vec<_>>());
    }
    assert_eq!(told, [vec![], vec!["b"], vec!["c", "a"]], "b leaves before a is late");
}

#[test]
fn what_is_told_of_one_decision_keeps_its_order_on_a_clock_that_runs() {
    let clock = Arc::new(RunningClock::default());
    let env: Arc<RunningClock> = Arc::clone(&clock);
    let options = Options::new().with_env(env).with_daraja(account()).with_result_delay(Duration::ZERO);
    let world = World::new(options).unwrap();
    let token = token(&world).unwrap();
    let late = Duration::from_nanos(5);
    world
        .inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackContradicting, Fault::CallbackLate(late)])
        .unwrap();
    pay(&world, &token, &payment(world.daraja(), "https://shop.example/hook", "ref", PAYEE));
    let batches: Vec<_> = std::iter::repeat_with(|| world.take_due().len()).take(10).collect();
    assert_eq!(batches.into_iter().max(), Some(2), "both are due at one time");
}

/// A clock on which time passes whenever it is read.
#[derive(Debug, Default)]
struct RunningClock(StillClock);

impl Env for RunningClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.advance(Duration::from_nanos(1));
        self.0.monotonic()
    }

    fn fill_bytes(&self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[async_trait]
impl Timer for RunningClock {
    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    // Padding is random, so one credential must serve both runs.
    let body = payment(&account(), "https://shop.example/hook", "ref", PAYEE);
    assert_eq!(run(5, &body), run(5, &body));
    assert_ne!(run(5, &body), run(6, &body));
}

/// Everything that comes out of a day with every kind of trouble.
fn run(seed: u64, body: &Value) -> Vec<String> {
    let plan = Plan::seeded(
        1,
        [
            (Fault::LostReply, 100),
            (Fault::CallbackTwice, 200),
            (Fault::CallbackForged, 200),
            (Fault::CallbackContradicting, 200),
            (Fault::CallbackLate(Duration::from_secs(2)), 200),
            (Fault::CallbacksReordered, 100),
            (Fault::SlowReply(Duration::from_secs(1)), 100),
        ],
    );
    let (world, clock) = world(Options::new().with_seed(seed).with_plan(plan));
    let token = (0..).find_map(|_| token(&world)).unwrap();
    let mut trace = vec![token.clone()];
    for number in 0..40 {
        let body = with(body.clone(), "OriginatorConversationID", format!("ref-{number}").into());
        let answer = pay(&world, &token, &body);
        trace.push(format!("{:?} {:?}", answer.delay, answer.reply));
        clock.advance(Duration::from_millis(500));
        let told = world.take_due();
        trace.extend(told.iter().map(|callback| format!("{:?}", callback.request())));
    }
    trace.push(format!("{:?} {:?}", world.ledger(), world.events()));
    trace
}

#[test]
fn the_certificate_holds_the_public_key_that_passwords_are_encrypted_for() {
    let account = account();
    let pem = account.certificate_pem();
    let lines: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(lines).unwrap();
    let spki = account.key().public_key_der();
    assert!(der.windows(spki.len()).any(|window| window == spki));
    let key = PublicEncryptingKey::from_der(spki).unwrap();
    assert_eq!(Pkcs1PublicEncryptingKey::new(key).unwrap().key_size_bits(), 2048);
}
