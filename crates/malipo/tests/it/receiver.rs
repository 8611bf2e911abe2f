//! The four gateways as they post, over real sockets, to `serve`: what they are told, and what is done with what they
//! tell.

mod claims;
mod served;
mod words;

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use malipo::journal::{Deliveries, DeliveryId, Journal, JournalErrorKind, Payment, PaymentState, Policy};
use malipo::{Storage, SystemEnv, Timer};
use malipo_sim::{Fault, Gateway};

use crate::books::failing::{Failing, Fails};
use crate::books::{Books, Shop, everywhere, everywhere_in};
use crate::tap::{Exchange, Message};

/// What a gateway is to be told in HTTP. Written down here once more, from what the gateways' own pages ask for.
fn told(gateway: Gateway, storage: Storage) -> Message {
    let body = match (gateway, storage) {
        (Gateway::Daraja, Storage::Stored) => r#"{"ResultCode":0,"ResultDesc":"Accepted"}"#,
        (Gateway::Daraja, Storage::NotStored) => r#"{"ResultCode":1,"ResultDesc":"Not stored"}"#,
        // The only page that prints the body it wants.
        (Gateway::Kyanda, Storage::Stored) => r#"{"status":"success"}"#,
        // A 200 is all that the others ask for, and whatever else may have them post again.
        (_, Storage::Stored) => r#"{"status":"stored"}"#,
        (_, Storage::NotStored) => r#"{"status":"not stored"}"#,
    };
    let line = match storage {
        Storage::Stored => "HTTP/1.1 200 OK",
        Storage::NotStored => "HTTP/1.1 503 Service Unavailable",
    };
    Message {
        line: line.to_owned(),
        content_type: Some("application/json".to_owned()),
        body: body.to_owned(),
    }
}

fn name(books: &Books) -> String {
    format!("{:?} over {}", books.gateway, books.over)
}

/// What the URL that this came to was given out for, as its number.
fn purpose(exchange: &Exchange) -> u8 {
    let line = exchange.posted().line;
    let path = line.strip_prefix("POST ").unwrap().strip_suffix(" HTTP/1.1").unwrap();
    assert!(path.starts_with("/callbacks/1/"), "{path}");
    path.rsplit('/').nth(1).unwrap().parse().unwrap()
}

/// Everywhere, with a journal that fails when it is told to, and where nothing is asked unless something is posted.
async fn failing() -> Vec<(Shop, Arc<Failing>)> {
    let journals = Mutex::new(Vec::new());
    let make = |env: Arc<SystemEnv>| -> Arc<dyn Journal> {
        let journal = Arc::new(Failing::new(env));
        journals.lock().unwrap().push(journal.clone());
        journal
    };
    let all = everywhere_in(make, only_told).await;
    all.into_iter().zip(journals.into_inner().unwrap()).collect()
}

fn only_told(mut policy: Policy) -> Policy {
    policy.asking = vec![Duration::from_secs(3600)];
    policy
}

/// Waits until this is so.
async fn until<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    for _ in 0..1000 {
        if is_so().await {
            return;
        }
        SystemEnv::new().sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not come to be so");
}

/// Works on for a while.
async fn work(books: &Books) {
    for _ in 0..10 {
        books.payments.tick().await.unwrap();
        SystemEnv::new().sleep(Duration::from_millis(20)).await;
    }
}

async fn newest(books: &Books) -> Payment {
    books.payments.newest(&"ORDER-1".parse().unwrap()).await.unwrap()
}

/// The bodies that are kept of all that was posted, in order.
async fn kept(books: &Books) -> Vec<String> {
    let mut found = std::collections::BTreeMap::new();
    let lists = [
        Deliveries::Waiting(books.account.clone()),
        Deliveries::SetAside,
        Deliveries::Of(newest(books).await.id),
    ];
    for which in lists {
        for stored in books.payments.journal().deliveries(&which, DeliveryId(0), 100).await.unwrap() {
            let body = stored.delivery().unwrap().unwrap().body;
            found.insert(stored.id, String::from_utf8(body.bytes().to_vec()).unwrap());
        }
    }
    found.into_values().collect()
}
