//! The service in routers of axum, and behind a hyper server that somebody else runs.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use malipo_receiver::{Peer, Receiver, SourceMode, Sources};
use tokio::net::TcpListener;
use tower_service::Service as _;

use crate::answering::gist;
use crate::refusing::{NOBODYS, timeless, wrongs};
use crate::rig::{ACCOUNT, Stand, TAKEN, ask, post};

async fn serving(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    at
}

/// From loopback only.
fn near(receiver: Receiver) -> Receiver {
    let near = Sources::new(SourceMode::Enforce, ["127.0.0.0/8", "::1"]).unwrap();
    receiver.with_sources(&ACCOUNT, near).unwrap()
}

#[tokio::test]
async fn a_router_takes_callbacks_wherever_it_is_put() {
    let stand = Stand::new();
    let own = || Router::new().route("/health", get(|| async { "well" }));
    let receiver = || near(stand.receiver());
    let nested = own().nest("/callbacks", receiver().router());
    let deeper = own().nest("/v1", Router::new().nest("/callbacks", receiver().router()));
    let merged = own().merge(receiver().router());
    // Without connect info, so that no list can be held against it.
    let service = own().nest_service("/callbacks", stand.receiver());
    let fallback = own().fallback_service(stand.receiver());
    for (number, (router, before)) in
        [(nested, ""), (deeper, "/v1"), (merged, ""), (service, ""), (fallback, "")].into_iter().enumerate()
    {
        let at = serving(router).await;
        let body = format!("{number}");
        let answer = ask(at, &post(&format!("{before}{}", stand.path()), &body)).await;
        assert_eq!(gist(&answer), ("HTTP/1.1 200 OK", TAKEN), "{number}");
        assert_eq!(stand.bodies().await.last(), Some(&body));
        assert_eq!(
            gist(&ask(at, "GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await).1,
            "well"
        );
    }
}

#[tokio::test]
async fn a_router_refuses_as_the_service_does() {
    let stand = Stand::new();
    let far = Sources::new(SourceMode::Enforce, ["192.0.2.0/24"]).unwrap();
    let far = stand.receiver().with_sources(&ACCOUNT, far).unwrap();
    let at = serving(Router::new().nest("/callbacks", far.router())).await;
    let mut answers = vec![("from elsewhere", ask(at, &post(&stand.path(), "{}")).await)];
    for (wrong, method, path) in wrongs(&stand) {
        // What is not below it is axum's to answer.
        if path.starts_with("/callbacks/") {
            answers.push((wrong, ask(at, &post(&path, "{}").replacen("POST", method, 1)).await));
        }
    }
    assert!(answers.len() > 20);
    for (wrong, answer) in answers {
        assert_eq!(timeless(&answer), NOBODYS, "{wrong}");
    }
    assert!(stand.kept().await.is_empty());
}

#[tokio::test]
async fn a_plain_server_says_who_is_at_the_other_end() {
    let stand = Stand::new();
    let receiver = near(stand.receiver());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let receiver = receiver.clone();
            let service = service_fn(move |mut request| {
                request_from(peer, &mut request);
                receiver.clone().call(request)
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    assert_eq!(gist(&ask(at, &post(&stand.path(), "{}")).await).1, TAKEN);
}

fn request_from(peer: SocketAddr, request: &mut http::Request<hyper::body::Incoming>) {
    request.extensions_mut().insert(Peer(peer));
}
