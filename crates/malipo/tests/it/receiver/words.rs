//! What each gateway is told, byte for byte, and when.

use std::collections::BTreeSet;

use malipo::journal::Address;
use malipo::{Callback, DeliveryPurpose};
use malipo_sim::{Delivery, Event, Operation};

use super::*;
use crate::rig::{daraja, transports};

/// Has a gateway post whatever it posts, and says to which kinds of URL that is.
async fn everything(books: &Books, instruction: fn(&str) -> malipo::Instruction) -> BTreeSet<u8> {
    books.submit("ORDER-1", instruction("1500")).await.unwrap();
    books.until("ORDER-1", &[PaymentState::Paid]).await;
    match books.gateway {
        Gateway::Daraja => {
            books.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::QueueTimeout]).unwrap();
            books.submit("ORDER-2", instruction("1600")).await.unwrap();
            books.until("ORDER-2", &[PaymentState::Paid]).await;
            books.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackNever]).unwrap();
            books.sim.inject(Gateway::Daraja, Operation::Status, [Fault::QueueTimeout]).unwrap();
            books.submit("ORDER-3", instruction("1700")).await.unwrap();
            books.until("ORDER-3", &[PaymentState::Paid]).await;
            let url = books.urls.mint(Address::of_account(3, DeliveryPurpose::Balance)).unwrap();
            let provider = daraja(&books.sim, transports().remove(0).1);
            provider.request_balances(&Callback::new(url.clone()).with_timeout(url)).await.unwrap();
            BTreeSet::from([1, 2, 3, 4, 5])
        }
        Gateway::KasaPay => BTreeSet::from([1]),
        Gateway::SasaPay => {
            books.sim.inject(Gateway::SasaPay, Operation::Collect, [Fault::CallbackNever]).unwrap();
            books.sim.inject(Gateway::SasaPay, Operation::Status, [Fault::CallbackTwice]).unwrap();
            books.submit("ORDER-2", instruction("1600")).await.unwrap();
            books.until("ORDER-2", &[PaymentState::Paid]).await;
            books.sim.walk_in("SHOP-7", "254708374149", 350.into()).unwrap();
            BTreeSet::from([1, 3, 6])
        }
        _ => BTreeSet::from([6]),
    }
}

#[tokio::test]
async fn each_gateway_is_told_in_its_own_words_that_it_is_kept() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let what = name(&books);
        let expected = everything(&books, instruction).await;
        books.sim.idle().await;
        let exchanges = books.tap.exchanges();
        assert_eq!(exchanges.iter().map(purpose).collect::<BTreeSet<_>>(), expected, "{what}");
        for exchange in &exchanges {
            assert_eq!(
                exchange.answered(),
                told(books.gateway, Storage::Stored),
                "{what}: {}",
                purpose(exchange)
            );
        }
        let came_of_them: Vec<_> = books.sim.events().into_iter().filter_map(came_of).collect();
        assert_eq!(came_of_them, vec![Delivery::Answered(200); exchanges.len()], "{what}: as it asks");
    }
}

fn came_of(event: Event) -> Option<Delivery> {
    if let Event::Callback { delivery, .. } = event { Some(delivery) } else { None }
}

#[tokio::test]
async fn nobody_is_told_anything_before_it_is_kept() {
    for (Shop { books, instruction }, journal) in failing().await {
        let what = name(&books);
        let late = Duration::from_secs(3600);
        books.sim.inject(books.gateway, books.operation, [Fault::CallbackLate(late)]).unwrap();
        books.submit("ORDER-1", instruction("1500")).await.unwrap();
        journal.set(Fails::Slowly);
        books.sim.advance(late);
        until(async || !books.tap.exchanges().is_empty()).await;
        SystemEnv::new().sleep(Duration::from_millis(150)).await;
        let posted = books.tap.exchanges();
        assert!(posted.iter().all(|one| one.response.is_empty()), "{what}: told before it was kept");
        assert_eq!(kept(&books).await, Vec::<String>::new(), "{what}");
        journal.set(Fails::Never);
        books.sim.idle().await;
        let posted = books.tap.exchanges();
        assert!(posted.iter().all(|one| one.answered() == told(books.gateway, Storage::Stored)), "{what}");
        assert_eq!(kept(&books).await.len(), posted.len(), "{what}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_said_not_to_be_and_counts_when_it_comes_again() {
    for (Shop { books, instruction }, journal) in failing().await {
        let what = name(&books);
        let late = Duration::from_secs(3600);
        books.sim.inject(books.gateway, books.operation, [Fault::CallbackLate(late)]).unwrap();
        books.submit("ORDER-1", instruction("1500")).await.unwrap();
        journal.set(Fails::Always(JournalErrorKind::Full));
        books.sim.advance(late);
        books.sim.idle().await;
        let posted = books.tap.exchanges();
        assert!(!posted.is_empty(), "{what}");
        for exchange in &posted {
            assert_eq!(exchange.answered(), told(books.gateway, Storage::NotStored), "{what}");
        }
        journal.set(Fails::Never);
        work(&books).await;
        assert_eq!(newest(&books).await.state(), PaymentState::Accepted, "{what}: nobody knows of it");
        for exchange in &posted {
            assert_eq!(
                books.tap.post(&exchange.request).await,
                told(books.gateway, Storage::Stored),
                "{what}"
            );
        }
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((books.sent(), books.moved()), (1, 1), "{what}");
    }
}
