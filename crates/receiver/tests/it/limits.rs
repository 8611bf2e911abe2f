//! What is too long or too slow is said to be so, whoever sends it and wherever to.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::{Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use malipo_receiver::{Limits, SourceMode, Sources};
use tower_service::Service as _;

use crate::answering::gist;
use crate::refusing::timeless;
use crate::rig::{ACCOUNT, Client, HandTimer, Served, Stand, TAKEN, ask, patient, post, within};

const MOST: usize = 64 * 1024;

fn chunked(path: &str, chunks: &[usize]) -> String {
    let mut request =
        format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    for chunk in chunks {
        request.push_str(&format!("{chunk:x}\r\n{}\r\n", "x".repeat(*chunk)));
    }
    request + "0\r\n\r\n"
}

#[tokio::test]
async fn sixty_four_kib_are_taken_and_one_byte_more_is_not() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver().with_limits(patient())).await;
    let (good, bad) = (stand.path(), stand.path().replace("/3/", "/4/"));
    let whole = ask(served.at, &post(&good, &"x".repeat(MOST))).await;
    assert_eq!(gist(&whole).1, TAKEN);
    let in_chunks = ask(served.at, &chunked(&good, &[1, MOST - 2, 1])).await;
    assert_eq!(gist(&in_chunks).1, TAKEN);
    assert_eq!(gist(&ask(served.at, &post(&bad, &"x".repeat(MOST))).await).0, "HTTP/1.1 404 Not Found");
    let mut refusals = Vec::new();
    for path in [&good, &bad, "/"] {
        refusals.push(ask(served.at, &post(path, &"x".repeat(MOST + 1))).await);
        refusals.push(ask(served.at, &chunked(path, &[1, MOST - 1, 1])).await);
    }
    for refusal in refusals {
        let expected =
            "HTTP/1.1 413 Payload Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        assert_eq!(timeless(&refusal), expected);
    }
    assert_eq!(stand.bodies().await, ["x".repeat(MOST)], "the second one repeats the first");
}

/// A body that has no end, in frames of 1 KiB.
struct Endless {
    polled: Arc<AtomicUsize>,
    declared: u64,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.polled.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 1024])))))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.declared);
        hint
    }
}

#[tokio::test]
async fn nothing_is_asked_for_behind_the_limit() {
    let stand = Stand::new();
    for (declared, most) in [(0, 65), (MOST as u64, 65), (MOST as u64 + 1, 0), (u64::MAX, 0)] {
        for path in [stand.path(), "/".to_owned()] {
            let polled = Arc::new(AtomicUsize::new(0));
            let body = Endless { polled: polled.clone(), declared };
            let answer = stand.receiver().call(Request::post(path).body(body).unwrap()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
            assert_eq!(polled.load(Ordering::SeqCst), most, "declared as {declared}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_declared_too_long_is_refused_before_it_comes() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver().with_limits(patient())).await;
    for path in [stand.path(), "/".to_owned()] {
        let mut client = Client::connect(served.at).await;
        client.send(&format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 65537\r\n\r\n")).await;
        client.half_close().await;
        assert_eq!(gist(&client.rest().await).0, "HTTP/1.1 413 Payload Too Large");
    }
}

#[tokio::test]
async fn who_asks_before_it_sends_is_told_at_once() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver().with_limits(patient())).await;
    for (length, said) in [(2, "HTTP/1.1 100 Continue"), (MOST + 1, "HTTP/1.1 413 Payload Too Large")] {
        let mut client = Client::connect(served.at).await;
        let path = stand.path();
        client
            .send(&format!("POST {path} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"))
            .await;
        client.send("{}").await;
        client.half_close().await;
        assert_eq!(gist(&client.rest().await).0, said);
    }
}

/// Some bytes that tell when somebody looks at them.
struct Watched {
    left: usize,
    looked: Arc<AtomicUsize>,
}

impl Buf for Watched {
    fn remaining(&self) -> usize {
        self.left
    }

    fn chunk(&self) -> &[u8] {
        self.looked.fetch_add(1, Ordering::SeqCst);
        &b"{}"[..self.left]
    }

    fn advance(&mut self, count: usize) {
        self.left -= count;
    }
}

#[tokio::test]
async fn nothing_of_what_a_stranger_posts_is_held() {
    let stand = Stand::new();
    let far = Sources::new(SourceMode::Enforce, ["192.0.2.0/24"]).unwrap();
    let enforcing = stand.receiver().with_sources(&ACCOUNT, far).unwrap();
    for (mut receiver, method, path, is_looked_at) in [
        (stand.receiver(), "POST", stand.path(), true),
        (stand.receiver(), "POST", "/".to_owned(), false),
        (stand.receiver(), "GET", stand.path(), false),
        (enforcing, "POST", stand.path(), false),
    ] {
        let looked = Arc::new(AtomicUsize::new(0));
        let body = Full::new(Watched { left: 2, looked: looked.clone() });
        let request = Request::builder().method(method).uri(&path).body(body).unwrap();
        receiver.call(request).await.unwrap();
        assert_eq!(looked.load(Ordering::SeqCst) > 0, is_looked_at, "{method} {path}");
    }
}

#[tokio::test]
async fn a_stranger_is_not_answered_sooner_than_a_gateway() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver().with_limits(patient())).await;
    for (path, said) in [(stand.path(), "HTTP/1.1 200 OK"), ("/".to_owned(), "HTTP/1.1 404 Not Found")] {
        let mut client = Client::connect(served.at).await;
        let request = post(&path, "{}");
        let (most, last) = request.split_at(request.len() - 1);
        client.send(most).await;
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert!(client.is_untouched(), "{path}");
        client.send(last).await;
        assert_eq!(gist(&client.rest().await).0, said);
    }
}

/// A request whose headers have exactly so many bytes, names and values together.
fn with_headers(path: &str, bytes: usize) -> String {
    let fixed =
        "host".len() + 1 + "connection".len() + "close".len() + "content-length".len() + 1 + "x-a".len();
    let value = "v".repeat(bytes - fixed);
    format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\nx-a: {value}\r\n\r\n{{}}"
    )
}

#[tokio::test]
async fn eight_kib_of_headers_are_taken_and_one_byte_more_is_not() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver().with_limits(patient())).await;
    let (good, bad) = (stand.path(), "/callbacks");
    assert_eq!(gist(&ask(served.at, &with_headers(&good, 8192)).await).1, TAKEN);
    assert_eq!(gist(&ask(served.at, &with_headers(bad, 8192)).await).0, "HTTP/1.1 404 Not Found");
    for more in [8193, 12_000, 16 * 1024, 100_000] {
        let refusal = timeless(&ask(served.at, &with_headers(&good, more)).await);
        assert_eq!(gist(&refusal).0, "HTTP/1.1 431 Request Header Fields Too Large", "{more}");
        assert_eq!(timeless(&ask(served.at, &with_headers(bad, more)).await), refusal, "{more}");
    }
}

#[tokio::test]
async fn headers_without_an_end_end_in_431() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver().with_limits(patient())).await;
    let many = (0..101).map(|number| format!("x-{number}: 1\r\n")).collect::<String>();
    for endless in ["x-a: ".to_owned() + &"v".repeat(40_000), "x-a: b\r\n".repeat(5000), many + "\r\n"] {
        let mut client = Client::connect(served.at).await;
        client.send(&format!("POST {} HTTP/1.1\r\n{endless}", stand.path())).await;
        assert_eq!(gist(&client.rest().await).0, "HTTP/1.1 431 Request Header Fields Too Large");
    }
}

#[tokio::test]
async fn what_is_no_http_ends_in_400() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver().with_limits(patient())).await;
    let (good, head) = (stand.path(), "HTTP/1.1\r\nhost: a\r\n");
    for unreadable in [
        "what is this?\r\n\r\n".to_owned(),
        format!("POST {good} {head}content-length: two\r\n\r\n{{}}"),
        format!("POST {good} {head}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"),
        format!("POST {good} {head}transfer-encoding: chunked\r\n\r\nnone\r\n"),
        format!("POST / {head}transfer-encoding: chunked\r\n\r\nnone\r\n"),
    ] {
        assert_eq!(gist(&ask(served.at, &unreadable).await).0, "HTTP/1.1 400 Bad Request", "{unreadable}");
    }
    assert!(stand.kept().await.is_empty());
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_refused_whoever_sends_it() {
    let timer = Arc::new(HandTimer::default());
    let stand = Stand::at(timer.clone());
    let mut limits = patient();
    limits.body_within = Limits::default().body_within;
    let served = Served::start(stand.receiver().with_limits(limits)).await;
    for path in [stand.path(), "/".to_owned()] {
        let mut client = Client::connect(served.at).await;
        client.send(&format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n")).await;
        within(timer.sleeps(limits.body_within)).await;
        client.send("{").await;
        timer.forward(Duration::from_millis(9_999));
        assert!(client.is_untouched());
        timer.forward(Duration::from_millis(1));
        let expected =
            "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        assert_eq!(timeless(&client.rest().await), expected);
    }
    assert!(stand.kept().await.is_empty());
}
