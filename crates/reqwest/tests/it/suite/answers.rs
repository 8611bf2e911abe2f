use std::time::Duration;

use bytes::Bytes;
use http::Request;
use malipo_transport::{Failure, Stage};
use tokio::task::JoinSet;

use super::server::{Server, Step, head, reply};
use super::{BODY, HEADER, Maker, QUERY, Setup, answer, failure, request};

const MEBIBYTE: usize = 1 << 20;

pub(crate) async fn every_status_is_an_answer(maker: Maker) {
    const STATUSES: [u16; 16] =
        [200, 201, 202, 204, 299, 304, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503];
    let server = Server::new(|received| vec![reply(STATUSES[received.number - 1], "body")]);
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for status in STATUSES {
        let response = answer(&*transport, &url).await;
        assert_eq!(response.status(), status);
        let body = if [204, 304].contains(&status) { "" } else { "body" };
        assert_eq!(response.body(), body, "{status}");
    }
}

pub(crate) async fn redirects_are_not_followed(maker: Maker) {
    const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
    let elsewhere = Server::new(|_| vec![reply(200, "{}")]);
    let target = elsewhere.start().await;
    let server = Server::new(move |received| {
        let status = STATUSES[received.number - 1];
        let answer = format!("HTTP/1.1 {status} X\r\nLocation: {target}/a\r\nContent-Length: 0\r\n\r\n");
        vec![Step::Send(answer.into_bytes())]
    });
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for status in STATUSES {
        let response = answer(&*transport, &url).await;
        assert_eq!(response.status(), status);
        assert!(response.headers().contains_key("location"));
    }
    assert_eq!(elsewhere.connections(), 0, "the keys would have gone to another host");
    assert_eq!(server.requests().len(), STATUSES.len());
}

pub(crate) async fn the_request_arrives_as_it_is(maker: Maker) {
    let server = Server::new(|_| vec![reply(200, "{}")]);
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    answer(&*transport, &url).await;
    let get = Request::get(format!("{url}/v1/LOAN-1.2/status")).body(Bytes::new()).unwrap();
    assert!(transport.send(get).await.is_ok());

    let requests = server.requests();
    let post = &requests[0];
    assert_eq!(post.line, format!("POST /v1/pay%2Fout?token={QUERY} HTTP/1.1"));
    assert_eq!(post.body, format!(r#"{{"pin":"{BODY}"}}"#).into_bytes());
    assert_eq!(post.header("x-access-token"), Some(HEADER));
    assert_eq!(post.header("apikey"), Some(HEADER));
    assert_eq!(post.header("host"), url.strip_prefix("http://"));
    assert_eq!(requests[1].line, "GET /v1/LOAN-1.2/status HTTP/1.1");
    for received in &requests {
        // What is not asked for cannot be a compressed bomb or a session.
        for absent in ["accept-encoding", "cookie", "referer", "expect", "te", "transfer-encoding"] {
            assert_eq!(received.header(absent), None, "{absent}");
        }
        assert!(received.header("user-agent").is_none_or(|agent| agent.starts_with("malipo/")));
    }
    assert_eq!(requests[1].header("content-length"), None);
}

pub(crate) async fn names_of_headers_have_no_case(maker: Maker) {
    let answer_in_capitals = "HTTP/1.1 200 X\r\nCONTENT-LENGTH: 2\r\nRETRY-AFTER: 7\r\n\r\n{}";
    let server = Server::new(move |_| vec![Step::Send(answer_in_capitals.into())]);
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    let response = answer(&*transport, &url).await;
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(response.body(), "{}");
}

pub(crate) async fn a_body_of_one_mebibyte_is_read(maker: Maker) {
    let server = Server::new(|received| match received.number {
        1 => vec![reply(200, &"x".repeat(MEBIBYTE))],
        _ => chunked(MEBIBYTE),
    });
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for _ in 0..2 {
        assert_eq!(answer(&*transport, &url).await.body().len(), MEBIBYTE);
    }
}

pub(crate) async fn a_larger_body_is_not(maker: Maker) {
    let server = Server::new(|received| match received.number {
        // Known from the head alone: nothing more comes.
        1 => vec![Step::Send(head(200, MEBIBYTE + 1).into_bytes()), Step::Hang],
        _ => chunked(MEBIBYTE + 1),
    });
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for _ in 0..2 {
        failure(&*transport, &url, Stage::AfterSend, Failure::TooLarge).await;
    }
}

pub(crate) async fn an_endless_body_is_not(maker: Maker) {
    let server = Server::new(|received| match received.number {
        1 => endless("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(64 * 1024)),
        _ => endless("HTTP/1.1 200 X\r\n\r\n", vec![b'x'; 64 * 1024]),
    });
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    for _ in 0..2 {
        failure(&*transport, &url, Stage::AfterSend, Failure::TooLarge).await;
    }
}

pub(crate) async fn many_at_once(maker: Maker) {
    let server = Server::new(|received| {
        let body = String::from_utf8(received.body.clone()).unwrap();
        vec![Step::Wait(Duration::from_millis(20)), reply(200, &body)]
    });
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    let mut calls = JoinSet::new();
    for number in 0..64 {
        let (url, transport) = (url.clone(), transport.clone());
        calls.spawn(async move {
            let mut request = request(&url);
            *request.body_mut() = Bytes::from(number.to_string());
            assert_eq!(transport.send(request).await.unwrap().body(), &number.to_string());
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    assert_eq!(server.requests().len(), 64);
}

pub(crate) async fn it_prints_no_secret(maker: Maker) {
    let server = Server::new(|_| vec![reply(200, "{}")]);
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    answer(&*transport, &url).await;
    let printed = format!("{transport:?}");
    for marker in [QUERY, HEADER, BODY] {
        assert!(!printed.contains(marker), "{printed}");
    }
}

fn endless(head: &str, part: Vec<u8>) -> Vec<Step> {
    vec![Step::Send(head.into()), Step::Repeat(part, Duration::ZERO)]
}

fn chunked(length: usize) -> Vec<Step> {
    const PART: usize = 64 * 1024;
    let head = "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut bytes = head.as_bytes().to_vec();
    for start in (0..length).step_by(PART) {
        bytes.extend(chunk(PART.min(length - start)));
    }
    bytes.extend(chunk(0));
    vec![Step::Send(bytes)]
}

fn chunk(length: usize) -> Vec<u8> {
    format!("{length:x}\r\n{}\r\n", "x".repeat(length)).into_bytes()
}
