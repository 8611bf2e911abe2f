//! What is ours is kept and answered, whatever becomes of whoever sent it.

use std::sync::atomic::Ordering;

use http::{Request, StatusCode};
use http_body_util::Full;
use tower_service::Service as _;

use crate::rig::{Client, NOT_TAKEN, Served, Stand, TAKEN, ask, path, patient, post, urls_before, within};

/// An answer's first line and its body.
pub(crate) fn gist(answer: &str) -> (&str, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    (head.lines().next().unwrap_or_default(), body)
}

#[tokio::test]
async fn a_callback_is_kept_and_answered_in_the_words_of_its_gateway() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver()).await;
    let request = "X-Signature: abc\r\nAuthorization: Basic abc\r\ncontent-length: 11\r\n\r\n{\"paid\":15}";
    let request = format!("POST {} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{request}", stand.path());
    let answer = ask(served.at, &request).await;
    assert_eq!(gist(&answer), ("HTTP/1.1 200 OK", TAKEN));
    assert!(answer.contains("content-type: application/json\r\n"), "{answer}");
    let kept = stand.kept().await.remove(0).delivery().unwrap().unwrap();
    assert_eq!(kept.body.bytes(), br#"{"paid":15}"#);
    let headers = format!("{:?}", kept.headers);
    assert!(headers.contains("x-signature") && !headers.contains("authorization"), "{headers}");
}

#[tokio::test]
async fn a_url_of_a_key_that_was_changed_is_good_until_its_time() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver()).await;
    let before = path(&urls_before().mint(stand.address()).unwrap());
    assert_eq!(gist(&ask(served.at, &post(&before, "{}")).await).1, TAKEN);
}

#[tokio::test]
async fn what_cannot_be_kept_is_said_not_to_be() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver()).await;
    stand.journal.is_full.store(true, Ordering::SeqCst);
    let answer = ask(served.at, &post(&stand.path(), "{}")).await;
    assert_eq!(gist(&answer), ("HTTP/1.1 503 Service Unavailable", NOT_TAKEN));
    stand.journal.is_full.store(false, Ordering::SeqCst);
    assert!(stand.kept().await.is_empty());
}

#[tokio::test]
async fn one_connection_serves_one_callback_after_the_other() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver()).await;
    let mut client = Client::connect(served.at).await;
    for number in 0..3 {
        client
            .send(&format!("POST {} HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n{number}", stand.path()))
            .await;
        assert_eq!(gist(&client.answer().await).1, TAKEN);
        // And somebody else's, whose body is read to its end, does no harm.
        client.send("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}").await;
        assert_eq!(gist(&client.answer().await).0, "HTTP/1.1 404 Not Found");
    }
    assert_eq!(stand.bodies().await, ["0", "1", "2"]);
}

#[tokio::test]
async fn who_has_said_all_and_closes_its_side_is_answered() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver()).await;
    stand.journal.hold();
    let mut client = Client::connect(served.at).await;
    client.send(&post(&stand.path(), "{}")).await;
    client.half_close().await;
    within(stand.journal.written()).await;
    stand.journal.let_go();
    assert_eq!(gist(&client.rest().await).1, TAKEN);
}

#[tokio::test]
async fn what_a_sender_did_not_wait_for_is_kept() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver()).await;
    for number in 0..20 {
        let mut client = Client::connect(served.at).await;
        client.send(&post(&stand.path(), &format!("{number}"))).await;
        drop(client);
    }
    within(async {
        while stand.kept().await.len() < 20 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_written_is_kept_though_nobody_waits_for_the_answer() {
    let stand = Stand::new();
    stand.journal.hold();
    let request = Request::post(stand.path()).body(Full::<bytes::Bytes>::from("{}")).unwrap();
    let answer = tokio::spawn(stand.receiver().call(request));
    within(stand.journal.written()).await;
    answer.abort();
    assert!(within(answer).await.unwrap_err().is_cancelled());
    assert_eq!(stand.bodies().await, ["{}"], "the gateway posts it again, and it is a repetition");
    stand.journal.let_go();
    let request = Request::post(stand.path()).body(Full::<bytes::Bytes>::from("{}")).unwrap();
    assert_eq!(stand.receiver().call(request).await.unwrap().status(), StatusCode::OK);
    assert_eq!(stand.kept().await.len(), 1);
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_nothing_else() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver().with_limits(patient())).await;
    let mut idle = Client::connect(served.at).await;
    idle.send("POST /").await;
    stand.panics.store(true, Ordering::SeqCst);
    assert_eq!(ask(served.at, &post(&stand.path(), "{}")).await, "", "it is not said to be kept");
    stand.panics.store(false, Ordering::SeqCst);
    assert_eq!(gist(&ask(served.at, &post(&stand.path(), "{}")).await).1, TAKEN);
    assert!(idle.is_untouched());
    assert!(!served.task.is_finished());
}
