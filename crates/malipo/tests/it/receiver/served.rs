//! The servers that the documentation shows, driven by the simulator: what is shown is what is tested.

use axum::Router;
use axum::routing::get;
use malipo::journal::Payments;
use malipo::receiver::{Receiver, SourceMode, Sources};
use tokio::net::TcpListener;

use super::*;

#[path = "../../../examples/callback_axum.rs"]
#[allow(dead_code, reason = "the example's program is run by itself; this is about its server")]
mod callback_axum;
#[path = "../../../examples/callback_hyper.rs"]
#[allow(dead_code, reason = "as above")]
mod callback_hyper;

async fn with_axum(listener: TcpListener, payments: Payments) {
    let service = Router::new().route("/health", get(|| async { "well" }));
    let service = callback_axum::with_callbacks(service, payments);
    axum::serve(listener, service).await.unwrap();
}

async fn with_hyper(listener: TcpListener, payments: Payments) {
    // With a list, nothing is taken from whom the server does not say who it is.
    let account = payments.accounts().next().unwrap().clone();
    let sources = Sources::new(SourceMode::Enforce, ["127.0.0.1"]).unwrap();
    let receiver = Receiver::new(payments).with_sources(&account, sources).unwrap();
    callback_hyper::serve_callbacks(listener, receiver).await.unwrap();
}

/// Every gateway posts to this server instead of ours.
async fn is_driven<S: Future<Output = ()> + Send + 'static>(serve: fn(TcpListener, Payments) -> S) {
    for Shop { books, instruction } in everywhere(only_told).await {
        let what = name(&books);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        books.tap.lead_to(listener.local_addr().unwrap());
        let serving = tokio::spawn(serve(listener, books.payments.clone()));
        books.submit("ORDER-1", instruction("1500")).await.unwrap();
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        books.sim.idle().await;
        let posted = books.tap.exchanges();
        assert!(!posted.is_empty() && books.moved() == 1, "{what}");
        for exchange in &posted {
            assert_eq!(exchange.answered(), told(books.gateway, Storage::Stored), "{what}");
        }
        let line = posted[0].posted().line.clone();
        let guess = line.replacen("/3/", "/4/", 1);
        assert_ne!(guess, line, "of another account");
        let request = format!("{guess}\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{{}}");
        let nothing =
            Message { line: "HTTP/1.1 404 Not Found".into(), content_type: None, body: String::new() };
        assert_eq!(books.tap.post(request.as_bytes()).await, nothing, "{what}: a stranger");
        serving.abort();
    }
}

#[tokio::test]
async fn the_axum_service_that_is_shown_is_driven_by_every_gateway() {
    is_driven(with_axum).await;
}

#[tokio::test]
async fn the_plain_hyper_server_that_is_shown_is_driven_by_every_gateway() {
    is_driven(with_hyper).await;
}

#[tokio::test]
async fn what_the_service_had_before_is_still_there() {
    let Shop { books, .. } = everywhere(only_told).await.remove(0);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    books.tap.lead_to(listener.local_addr().unwrap());
    let serving = tokio::spawn(with_axum(listener, books.payments.clone()));
    let answer = books.tap.post(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!((answer.line.as_str(), answer.body.as_str()), ("HTTP/1.1 200 OK", "well"));
    serving.abort();
}

/// The part of a file from this on to the next brace at the margin.
fn part<'a>(source: &'a str, from: &str) -> &'a str {
    let start = source.find(from).unwrap();
    let end = start + source[start..].find("\n}\n").unwrap() + 3;
    &source[start..end]
}

/// The pages compile, so they could still show something else than what is tested here.
#[test]
fn the_pages_show_what_is_tested() {
    let axum = include_str!("../../../examples/callback_axum.rs");
    let hyper = include_str!("../../../examples/callback_hyper.rs");
    let mounting = part(axum, "/// The service as it was").replace("pub(crate) ", "");
    assert!(mounting.lines().count() <= 5, "it mounts in five lines or fewer:\n{mounting}");
    let accepting = part(hyper, "    loop {\n        let (stream, peer)");
    let front = include_str!("../../../../../README.md");
    let receiver = include_str!("../../../../receiver/README.md");
    for (page, shown) in [(front, &*mounting), (receiver, accepting)] {
        assert!(page.contains(shown), "a page does not show:\n{shown}");
    }
    let nested = ".nest(\"/callbacks\", Receiver::new(payments).router())";
    assert!(mounting.contains(nested) && receiver.contains(nested), "two pages mount it differently");
}
