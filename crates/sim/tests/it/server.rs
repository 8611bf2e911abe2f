use std::time::Duration;

use malipo_sim::{Fault, Gateway, Operation, Options, Sim};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{
    PAYEE, PAYOUT, Raw, Rig, account, connect, options, payment, stopwatch, until, with, within,
};
use crate::in_process::{ask_token, pay, token, world};
use crate::merchant::Merchant;

const UNKNOWN_PATH: &[u8] = b"GET /nowhere HTTP/1.1\r\nHost: sim\r\n\r\n";

/// Sends a request on a kept connection and reads the head of the reply.
async fn ask_on(stream: &mut TcpStream) -> usize {
    stream.write_all(UNKNOWN_PATH).await.unwrap();
    let mut room = [0; 1024];
    stream.read(&mut room).await.unwrap()
}

#[tokio::test]
async fn a_body_too_large_is_refused_before_it_is_read_whole() {
    let sim = Sim::start(options()).await.unwrap();
    let mut stream = connect(&sim).await;
    let head = format!("POST {PAYOUT} HTTP/1.1\r\nHost: sim\r\nContent-Length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[b' '; 64 * 1024 + 1]).await.unwrap();
    let mut room = [0; 1024];
    let answer = within(Duration::from_secs(3), stream.read(&mut room)).await;
    let reply = Raw(room[..answer.expect("it does not wait for the rest").unwrap()].to_vec());
    assert_eq!(reply.status(), 413);
    assert_eq!(reply.body(), "the body is larger than 65536 bytes");
    assert_eq!(sim.calls(Gateway::Daraja, Operation::PayOut), 1);
}

#[tokio::test]
async fn connections_are_kept_unless_told_otherwise() {
    let sim = Sim::start(options()).await.unwrap();
    let mut stream = connect(&sim).await;
    for _ in 0..3 {
        assert!(ask_on(&mut stream).await > 0);
    }

    let sim = Sim::start(options().with_idle_limit(Duration::from_millis(80))).await.unwrap();
    let mut stream = connect(&sim).await;
    assert!(ask_on(&mut stream).await > 0);
    assert!(ask_on(&mut stream).await > 0, "in time");
    let elapsed = stopwatch();
    let mut room = [0; 16];
    let closed = within(Duration::from_secs(5), stream.read(&mut room)).await;
    assert_eq!(closed.expect("the server closes").unwrap(), 0);
    assert!(elapsed() >= Duration::from_millis(40), "{:?}", elapsed());
}

#[tokio::test]
async fn an_idle_limit_does_not_cut_a_request_under_way() {
    let limit = Duration::from_millis(40);
    let sim = Sim::start(options().with_idle_limit(limit).with_reply_delay(limit * 5)).await.unwrap();
    let mut stream = connect(&sim).await;
    assert!(ask_on(&mut stream).await > 0);
}

#[tokio::test]
async fn a_server_may_keep_silent() {
    let sim = Sim::start(options().with_reply_delay(Duration::from_secs(3600))).await.unwrap();
    let mut stream = connect(&sim).await;
    let answer = within(Duration::from_millis(200), ask_on(&mut stream)).await;
    assert!(answer.is_err());
}

#[tokio::test]
async fn dropping_the_simulator_closes_its_port_and_its_connections() {
    let rig = Rig::new(options().with_result_delay(Duration::from_millis(100))).await;
    rig.pay("ref", PAYEE).await;
    let address = rig.sim.url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = connect(&rig.sim).await;
    assert!(ask_on(&mut stream).await > 0);
    drop(rig.sim);
    let mut room = [0; 16];
    let end = within(Duration::from_secs(5), stream.read(&mut room)).await.expect("it is closed");
    assert!(matches!(end, Ok(0) | Err(_)));
    assert!(TcpStream::connect(&address).await.is_err());
    // Long enough for the result to have been told, had it still been to come.
    within(Duration::from_millis(250), std::future::pending::<()>()).await.unwrap_err();
    assert!(rig.merchant.posts().is_empty());
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let sim = Sim::start(options()).await.unwrap();
    let port = sim.url().rsplit(':').next().unwrap().parse().unwrap();
    let error = Sim::start(options().with_port(port)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the simulator cannot listen on 127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_merchant_that_does_not_answer_holds_up_nobody_else() {
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rig = Rig::new(options()).await;
    let url = format!("http://{}", deaf.local_addr().unwrap());
    rig.post(PAYOUT, &payment(rig.sim.daraja(), &url, "deaf", PAYEE)).await;
    // Connections stay in the backlog, unanswered.
    rig.pay("ref", PAYEE).await;
    until(|| !rig.merchant.posts().is_empty()).await;
}

#[tokio::test]
async fn a_client_that_hangs_up_stops_nothing() {
    let rig =
        Rig { merchant: Merchant::open_slow(Duration::from_millis(200)).await, ..Rig::new(options()).await };
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackEarly, Fault::CallbackTwice]).unwrap();
    // Hangs up while the merchant is still thinking about the first of the two.
    tokio::select! {
        raw = rig.pay("ref", PAYEE) => panic!("a reply before both are told: {raw:?}"),
        () = until(|| rig.merchant.posts().len() == 1) => {}
    }
    within(Duration::from_secs(5), rig.sim.idle()).await.expect("both are posted and done with");
    assert_eq!((rig.sim.ledger().moved(Gateway::Daraja, "ref"), rig.merchant.posts().len()), (1, 2));
}

#[tokio::test]
async fn idle_waits_for_replies_that_are_held_back() {
    let rig = Rig::new(options()).await;
    let slow = Duration::from_millis(300);
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::LostRequest, Fault::SlowReply(slow)]).unwrap();
    let elapsed = stopwatch();
    let (raw, idle) = tokio::join!(rig.pay("ref", PAYEE), async {
        until(|| rig.sim.calls(Gateway::Daraja, Operation::PayOut) == 1).await;
        rig.sim.idle().await;
        elapsed()
    });
    assert_eq!(raw, Raw(Vec::new()));
    assert!(idle >= slow, "{idle:?}");
}

#[tokio::test]
async fn idle_does_not_wait_for_a_client_that_left() {
    let rig = Rig::new(options()).await;
    let slow = Fault::SlowReply(Duration::from_secs(3600));
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [slow]).unwrap();
    tokio::select! {
        raw = rig.pay("ref", PAYEE) => panic!("{raw:?}"),
        () = until(|| rig.merchant.posts().len() == 1) => {}
    }
    within(Duration::from_secs(5), rig.sim.idle()).await.expect("nobody waits for the reply");
}

#[tokio::test]
async fn callbacks_of_one_call_wait_for_each_other() {
    let merchant = Merchant::open_slow(Duration::from_millis(400)).await;
    let rig = Rig { merchant, ..Rig::new(options()).await };
    let late = Fault::CallbackLate(Duration::from_millis(50));
    rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackForged, late]).unwrap();
    rig.pay("ref", PAYEE).await;
    until(|| rig.merchant.posts().len() == 1).await;
    let elapsed = stopwatch();
    until(|| rig.merchant.posts().len() == 2).await;
    assert!(elapsed() >= Duration::from_millis(300), "the first was not answered yet: {:?}", elapsed());
    rig.sim.idle().await;
    assert_eq!(rig.merchant.posts().len(), 2);
}

#[tokio::test]
async fn nothing_printed_holds_a_secret() {
    let account = account().with_consumer("CK-MARKER", "CS-MARKER").with_initiator("testapi", "PW-MARKER");
    let options: Options = options().with_daraja(account).with_seed(987_654_321);
    let (world, clock) = world(options.clone());
    let token_answer = ask_token(&world);
    let token = token(&world).unwrap();
    let body = payment(world.daraja(), "https://shop.example/hook", "ref", PAYEE);
    world.inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackEarly]).unwrap();
    let early = pay(&world, &token, &body);
    pay(&world, &token, &with(body, "OriginatorConversationID", "ref-2".into()));
    clock.advance(Duration::from_secs(1));
    let later = world.take_due();
    assert_eq!((early.first.len(), later.len()), (1, 1));
    let printed = format!("{options:?} {world:?} {token_answer:?} {early:?} {later:?}");
    assert!(printed.contains("status: Some(200)"), "{printed}");
    let first_token: Value = serde_json::from_slice(token_answer.reply.unwrap().body()).unwrap();
    let rig = Rig::new(options).await;
    rig.pay("ref", PAYEE).await;
    rig.sim.idle().await;
    let printed = format!(
        "{printed} {:?} {:?} {:?} {:?} {:?}",
        rig.sim,
        rig.sim.daraja(),
        rig.sim.daraja().key(),
        rig.sim.ledger(),
        rig.sim.events()
    );
    let first_token = first_token["access_token"].as_str().unwrap();
    let told = ["/result", "/hook", "ResultCode", "ConversationID\":"];
    for secret in
        ["MARKER", &rig.token, &token, first_token, "987654321", "PRIVATE KEY"].into_iter().chain(told)
    {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    assert!(printed.contains("600996"));
}
