use std::collections::BTreeSet;
use std::time::Duration;

use malipo_transport::Stage;
use tokio::time::sleep;

use super::server::{Server, Step, reply};
use super::{Maker, Setup, answer, request};

pub(crate) async fn connections_are_reused(maker: Maker) {
    let server = Server::new(|_| vec![reply(200, "{}")]);
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for _ in 0..5 {
        answer(&*transport, &url).await;
    }
    assert_eq!(server.connections(), 1);
}

pub(crate) async fn an_idle_connection_is_not_used_after_its_time(maker: Maker) {
    let server = Server::new(|_| vec![reply(200, "{}")]);
    let setup = Setup { pool_idle: Duration::from_millis(100), ..Setup::default() };
    let (url, transport) = (server.start().await, maker.make(setup));
    for connections in 1..=3 {
        answer(&*transport, &url).await;
        assert_eq!(server.connections(), connections);
        sleep(Duration::from_millis(250)).await;
    }
}

/// Ours goes out of use after 200 ms, theirs is closed after a second: whenever the next request comes, it does not
/// meet a connection that is being closed.
pub(crate) async fn a_server_that_closes_later_costs_nothing(maker: Maker) {
    let server = Server::new(|_| vec![reply(200, "{}")]).closing_idle_after(Duration::from_secs(1));
    let setup = Setup { pool_idle: Duration::from_millis(200), ..Setup::default() };
    let (url, transport) = (server.start().await, maker.make(setup));
    let pauses = [0, 20, 150, 190, 210, 300, 980, 1000, 1020];
    for pause in pauses {
        sleep(Duration::from_millis(pause)).await;
        answer(&*transport, &url).await;
    }
    assert_eq!(server.requests().len(), pauses.len());
}

/// It closes after every answer, without a word in it. By the next request that is known.
pub(crate) async fn a_server_that_closes_sooner_costs_nothing(maker: Maker) {
    let server = Server::new(|_| vec![reply(200, "{}"), Step::Close]);
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for connections in 1..=5 {
        answer(&*transport, &url).await;
        assert_eq!(server.connections(), connections);
        sleep(Duration::from_millis(100)).await;
    }
}

/// It closes a moment after every answer, and the next request comes at that very moment. Some are lost then, and some
/// move to a new connection because they had not left; what was said of each has to be what the server saw.
pub(crate) async fn a_race_with_a_goodbye_repeats_nothing(maker: Maker) {
    let server = Server::new(|received| {
        let end = [Step::Close, Step::Reset][received.number % 2].clone();
        vec![reply(200, "{}"), Step::Wait(Duration::from_millis(1)), end]
    });
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    let mut answered = BTreeSet::new();
    let mut unsent = BTreeSet::new();
    for number in 0..300_u64 {
        let body = number.to_string().into_bytes();
        let mut request = request(&url);
        *request.body_mut() = body.clone().into();
        match transport.send(request).await {
            Ok(_) => answered.insert(body),
            Err(error) if error.stage() == Stage::BeforeSend => unsent.insert(body),
            Err(_) => false,
        };
        sleep(Duration::from_millis(number % 3)).await;
    }
    let seen: Vec<_> = server.requests().into_iter().map(|received| received.body).collect();
    let once: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!(once.len(), seen.len(), "a request was repeated");
    assert!(once.is_superset(&answered) && once.is_disjoint(&unsent));
}
