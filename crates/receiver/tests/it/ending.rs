//! Connections that have to end, and a server that does.

use std::sync::Arc;
use std::time::Duration;

use malipo_receiver::{Limits, serve};
use tokio::net::{TcpSocket, TcpStream};

use crate::answering::gist;
use crate::rig::{Client, HandTimer, Served, Stand, TAKEN, patient, post, within};

/// How long a connection that was asked to end may take.
fn longest(limits: &Limits) -> Duration {
    limits.headers_within + limits.body_within + limits.answer_within
}

/// The default limits, but for hyper's own, which goes by a clock that nobody moves.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.headers_within = patient().headers_within;
    limits
}

/// A POST on a connection that stays open.
fn open(path: &str, body: &str) -> String {
    post(path, body).replace("connection: close\r\n", "")
}

/// A client that has been answered and keeps its connection, and one whose last byte is missing.
async fn two(stand: &Stand, timer: &HandTimer, limits: &Limits, served: &Served) -> (Client, Client, String) {
    let mut idle = Client::connect(served.at).await;
    idle.send(&open(&stand.path(), "1")).await;
    assert_eq!(gist(&idle.answer().await).1, TAKEN);
    let mut busy = Client::connect(served.at).await;
    let request = open(&stand.path(), "22");
    let (most, last) = request.split_at(request.len() - 1);
    busy.send(most).await;
    within(timer.sleeps(limits.body_within)).await;
    (idle, busy, last.to_owned())
}

#[tokio::test]
async fn an_old_connection_ends_with_its_next_answer() {
    let timer = Arc::new(HandTimer::default());
    let stand = Stand::at(timer.clone());
    let mut limits = limits();
    limits.body_within = Duration::from_secs(3600);
    let served = Served::start(stand.receiver().with_limits(limits)).await;
    let (mut idle, mut busy, last) = two(&stand, &timer, &limits, &served).await;
    timer.forward(limits.connection_for);
    for _ in 0..2 {
        within(timer.sleeps(longest(&limits))).await;
    }
    // Nothing is closed that a callback could be on its way to.
    assert!(idle.is_untouched() && busy.is_untouched());
    busy.send(&last).await;
    idle.send(&open(&stand.path(), "3")).await;
    for client in [&mut busy, &mut idle] {
        let answer = client.rest().await;
        assert_eq!(gist(&answer).1, TAKEN);
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
    assert_eq!(stand.bodies().await, ["1", "22", "3"]);
}

/// A server whose answers soon have no room where nobody reads them.
async fn narrow(stand: &Stand, limits: Limits) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(4096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(8).unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, stand.receiver().with_limits(limits), std::future::pending()));
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_send_buffer_size(4096).unwrap();
    within(socket.connect(at)).await.unwrap()
}

/// Sends requests until no more are taken, and reads nothing.
async fn deafly(stream: &TcpStream) {
    let request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
    let mut in_vain = 0;
    while in_vain < 10_000 {
        in_vain = if stream.try_write(request).is_ok() { 0 } else { in_vain + 1 };
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_never_reads_an_answer_is_cut() {
    let timer = Arc::new(HandTimer::default());
    let stand = Stand::at(timer.clone());
    let limits = limits();
    let deaf = narrow(&stand, limits).await;
    within(deafly(&deaf)).await;
    timer.forward(limits.connection_for);
    within(timer.sleeps(longest(&limits))).await;
    timer.forward(longest(&limits));
    within(async {
        // Cut with something unread: the next that is sent is refused by the system.
        while stream_is_open(&deaf) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn stream_is_open(stream: &TcpStream) -> bool {
    let full = |error: std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
    stream.try_write(b"x").map_or_else(full, |_| true)
}

#[tokio::test]
async fn who_is_refused_may_go_on_for_a_moment_so_that_the_answer_arrives() {
    let timer = Arc::new(HandTimer::default());
    let stand = Stand::at(timer.clone());
    let served = Served::start(stand.receiver().with_limits(limits())).await;
    let mut client = Client::connect(served.at).await;
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 65537\r\n\r\n").await;
    assert_eq!(gist(&client.rest().await).0, "HTTP/1.1 413 Payload Too Large");
    for _ in 0..100 {
        assert!(client.can_send().await, "a reset could take the answer back");
        tokio::task::yield_now().await;
    }
    timer.forward(Duration::from_secs(1));
    within(async { while client.can_send().await {} }).await;
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_is_under_way() {
    let timer = Arc::new(HandTimer::default());
    let stand = Stand::at(timer.clone());
    let limits = limits();
    let served = Served::start(stand.receiver().with_limits(limits)).await;
    let (mut idle, mut busy, last) = two(&stand, &timer, &limits, &served).await;
    let at = served.at;
    let task = served.stop();
    assert_eq!(idle.rest().await, "");
    within(async { while TcpStream::connect(at).await.is_ok() {} }).await;
    assert!(!task.is_finished() && busy.is_untouched());
    busy.send(&last).await;
    assert_eq!(gist(&busy.rest().await).1, TAKEN);
    within(task).await.unwrap();
    assert_eq!(stand.bodies().await, ["1", "22"]);
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_ever() {
    let timer = Arc::new(HandTimer::default());
    let stand = Stand::at(timer.clone());
    let limits = limits();
    let served = Served::start(stand.receiver().with_limits(limits)).await;
    stand.journal.hold();
    // One whose body does not come, and one that the journal does not let go.
    let mut slow = Client::connect(served.at).await;
    slow.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n{").await;
    within(timer.sleeps(limits.body_within)).await;
    let mut stuck = Client::connect(served.at).await;
    stuck.send(&open(&stand.path(), "1")).await;
    within(stand.journal.written()).await;
    let task = served.stop();
    for _ in 0..2 {
        within(timer.sleeps(longest(&limits))).await;
    }
    timer.forward(limits.body_within);
    assert_eq!(gist(&slow.rest().await).0, "HTTP/1.1 408 Request Timeout");
    assert!(!task.is_finished() && stuck.is_untouched());
    timer.forward(limits.headers_within + limits.answer_within);
    within(task).await.unwrap();
    assert_eq!(stuck.rest().await, "");
    assert_eq!(stand.bodies().await, ["1"], "kept, and not said to be: it comes again");
}
