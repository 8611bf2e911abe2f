//! Clients that hold their connection and say nothing, or too little.

use std::time::Duration;

use crate::answering::gist;
use crate::rig::{Client, Served, Stand, TAKEN, ask, patient, post, within};

/// Lets this process have both ends of some thousand connections.
#[cfg(unix)]
fn with_room() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < 4096) {
        limit.current = limit.maximum.map_or(Some(4096), |most| Some(most.min(4096)));
        setrlimit(Resource::Nofile, limit).unwrap();
    }
}

#[cfg(not(unix))]
fn with_room() {}

/// What a client says before it says nothing more.
fn beginnings(stand: &Stand) -> [String; 5] {
    let head = format!("POST {} HTTP/1.1\r\nhost: a\r\ncontent-length: 60000\r\n", stand.path());
    let stranger = "POST /callbacks HTTP/1.1\r\nhost: a\r\ncontent-length: 60000\r\n\r\n{";
    [String::new(), "POST /callb".to_owned(), head.clone(), head + "\r\n{", stranger.to_owned()]
}

#[tokio::test]
async fn a_thousand_slow_clients_do_not_keep_a_good_callback_waiting() {
    with_room();
    let stand = Stand::new();
    let served = Served::start(stand.receiver().with_limits(patient())).await;
    let beginnings = beginnings(&stand);
    let mut slow = Vec::new();
    for number in 0..1000 {
        let mut client = Client::connect(served.at).await;
        client.send(&beginnings[number % beginnings.len()]).await;
        slow.push(client);
    }
    for round in 0..3 {
        let answer = ask(served.at, &post(&stand.path(), &format!("{round}"))).await;
        assert_eq!(gist(&answer), ("HTTP/1.1 200 OK", TAKEN));
        assert!(slow.iter().all(Client::is_untouched), "nobody had to be closed for it");
        for (number, client) in slow.iter_mut().enumerate() {
            // The second kind goes on with its path, the others with headers and bodies.
            client.send(if number % beginnings.len() == 0 { "" } else { "a" }).await;
        }
    }
    assert_eq!(stand.bodies().await, ["0", "1", "2"]);
}

#[tokio::test]
async fn who_has_no_whole_request_in_time_is_closed() {
    let stand = Stand::new();
    let mut limits = patient();
    limits.headers_within = Duration::from_secs(2);
    let served = Served::start(stand.receiver().with_limits(limits)).await;
    let mut slow = Vec::new();
    for beginning in ["", "P", "POST /callbacks HTTP/1.1\r\nx-a: "] {
        let mut client = Client::connect(served.at).await;
        client.send(beginning).await;
        slow.push(client);
    }
    // Kept open for nothing.
    let mut idle = Client::connect(served.at).await;
    idle.send(&post(&stand.path(), "{}").replace("connection: close\r\n", "")).await;
    assert_eq!(gist(&idle.answer().await).1, TAKEN);
    slow.push(idle);
    for client in &mut slow {
        assert_eq!(client.rest().await, "");
    }
    // One byte after the other does not help.
    let mut steady = Client::connect(served.at).await;
    steady.send("POST / HTTP/1.1\r\nx-a: ").await;
    within(async {
        while steady.is_untouched() {
            steady.send("b").await;
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!served.task.is_finished());
}

#[tokio::test]
async fn who_finds_no_place_waits_for_one() {
    let stand = Stand::new();
    let mut limits = patient();
    limits.connections = 2;
    let served = Served::start(stand.receiver().with_limits(limits)).await;
    let slow = [Client::connect(served.at).await, Client::connect(served.at).await];
    let mut good = Client::connect(served.at).await;
    good.send(&post(&stand.path(), "{}")).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(good.is_untouched() && stand.kept().await.is_empty(), "there is no place for it");
    let [one, other] = slow;
    drop(one);
    assert_eq!(gist(&good.rest().await).1, TAKEN);
    assert!(other.is_untouched());
}

#[tokio::test]
async fn places_that_nobody_uses_become_free_by_themselves() {
    let stand = Stand::new();
    let mut limits = patient();
    (limits.connections, limits.headers_within) = (2, Duration::from_secs(1));
    let served = Served::start(stand.receiver().with_limits(limits)).await;
    let _slow = [Client::connect(served.at).await, Client::connect(served.at).await];
    assert_eq!(gist(&ask(served.at, &post(&stand.path(), "{}")).await).1, TAKEN);
}
