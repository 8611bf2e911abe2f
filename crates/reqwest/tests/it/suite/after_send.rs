use std::time::Duration;

use malipo_transport::{Failure, Stage};
use tokio::time::timeout;

use super::server::{Server, Step, head, reply};
use super::{Maker, Setup, answer, failure, lost};

/// Long enough to connect on a busy machine, short enough to wait for.
const SHORT: Duration = Duration::from_millis(800);
const NEVER: Duration = Duration::from_secs(3600);

fn impatient(read: Duration, total: Duration) -> Setup {
    Setup { connect: Duration::from_millis(700), read, total, ..Setup::default() }
}

/// Expects that time runs out, and that it does so while somebody still watches.
async fn too_late(maker: Maker, setup: Setup, steps: Vec<Step>) {
    let server = Server::new(move |_| steps.clone());
    let (url, transport) = (server.start().await, maker.make(setup));
    let failed = failure(&*transport, &url, Stage::AfterSend, Failure::Timeout);
    assert!(timeout(Duration::from_secs(30), failed).await.is_ok(), "it would have waited for ever");
    assert_eq!(server.requests().len(), 1);
}

pub(crate) async fn no_answer_in_time(maker: Maker) {
    too_late(maker, impatient(SHORT, NEVER), vec![Step::Hang]).await;
}

pub(crate) async fn an_answer_that_stops(maker: Maker) {
    let half = Step::Send([head(200, 10).as_bytes(), b"12345"].concat());
    too_late(maker, impatient(SHORT, NEVER), vec![half, Step::Hang]).await;
}

/// Each byte comes in time, and all of them would take minutes.
pub(crate) async fn an_answer_that_trickles(maker: Maker) {
    let trickle = Step::Repeat(b"x".to_vec(), Duration::from_millis(50));
    too_late(maker, impatient(NEVER, SHORT), vec![Step::Send(head(200, 5000).into_bytes()), trickle]).await;
}

pub(crate) async fn a_reset(maker: Maker) {
    let server = Server::new(|_| vec![Step::Reset]);
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    failure(&*transport, &url, Stage::AfterSend, Failure::Broken).await;
    assert_eq!(server.requests().len(), 1);
}

pub(crate) async fn a_truncated_answer(maker: Maker) {
    let parts = [
        format!("{}12345", head(200, 10)),
        "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n".to_owned(),
        "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345".to_owned(),
        "HTTP/1.1 200 X\r\nContent-Le".to_owned(),
        "HTTP/1.1".to_owned(),
    ];
    let number = parts.len();
    let server = Server::new(move |received| {
        vec![Step::Send(parts[received.number - 1].clone().into_bytes()), Step::Close]
    });
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for _ in 0..number {
        failure(&*transport, &url, Stage::AfterSend, Failure::Broken).await;
    }
    assert_eq!(server.requests().len(), number);
}

pub(crate) async fn what_is_no_http(maker: Maker) {
    const ANSWERS: [&str; 4] = [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "\0\0\0\0",
        "HTTP/1.1 999999 X\r\n\r\n",
        "HTTP/1.1 200 X\r\nContent-Length: many\r\n\r\n",
    ];
    let server = Server::new(|received| vec![Step::Send(ANSWERS[received.number - 1].into()), Step::Close]);
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for _ in ANSWERS {
        lost(&*transport, &url).await;
    }
    assert_eq!(server.requests().len(), ANSWERS.len());
}

/// The connection ends without a byte of an answer. Whoever repeats the request here pays twice.
pub(crate) async fn a_killed_request_is_seen_once(maker: Maker) {
    let server = Server::new(|received| vec![[Step::Close, Step::Reset][received.number % 2].clone()]);
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for _ in 0..10 {
        failure(&*transport, &url, Stage::AfterSend, Failure::Broken).await;
    }
    assert_eq!(server.requests().len(), 10);
}

pub(crate) async fn a_killed_request_on_a_pooled_connection_is_seen_once(maker: Maker) {
    let server = Server::new(|received| match received.number % 4 {
        0 => vec![Step::Close],
        2 => vec![Step::Reset],
        _ => vec![reply(200, "{}")],
    });
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for round in 1..=10 {
        answer(&*transport, &url).await;
        failure(&*transport, &url, Stage::AfterSend, Failure::Broken).await;
        assert_eq!(server.requests().len(), 2 * round);
        assert_eq!(server.connections(), round, "the second request went over the first one's connection");
    }
}
