//! Deliveries that are read once more, and who is told of it.

use std::sync::Mutex;

use malipo::journal::{
    Aside, Deliveries, DeliveryId, Event, EventKind, Follower, Handler, Happening, JournalErrorKind,
    StoredDelivery, Stream,
};
use tokio::sync::{Mutex as Held, oneshot};

use super::failing::{Fails, failing};
use super::trust::{arrived, requiring};
use super::*;

async fn all(books: &Books) -> Vec<StoredDelivery> {
    books.payments.journal().deliveries(&Deliveries::All, DeliveryId(0), 99).await.unwrap()
}

async fn history(books: &Books, payment: &Payment) -> Vec<Event> {
    books.payments.journal().history(payment.id).await.unwrap()
}

/// What a handler of this application is given, up to what happened last.
async fn followed(books: &Books, name: &str) -> Vec<Event> {
    let (given, name): (Mutex<Vec<Event>>, Follower) = (Mutex::default(), name.parse().unwrap());
    let handler = |happening: Happening| {
        let given = &given;
        async move {
            match happening {
                Happening::Payment(event) => given.lock().unwrap().push(event),
                _ => return Err("of another stream".into()),
            }
            Ok(())
        }
    };
    let handler: &dyn Handler = &handler;
    let newest = books.payments.events(EventId(0), u32::MAX).await.unwrap().last().unwrap().id.0;
    let all_given = async {
        while books.payments.journal().position(&name, Stream::Events).await.unwrap() < newest {
            SystemEnv::new().sleep(Duration::from_millis(10)).await;
        }
    };
    books.payments.follow(&name, handler, all_given).await;
    given.into_inner().unwrap()
}

/// Told to stop by what can be asked once only, while how far it is cannot be written down.
#[tokio::test]
async fn a_follower_stops_when_it_is_told_to_and_the_journal_fails() {
    for (books, journal) in failing().await {
        books.submit("ORDER-1", to_till("1500")).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let stop = Held::new(Some(stop));
        let handler = |_: Happening| {
            let (journal, stop) = (&journal, &stop);
            async move {
                journal.set(Fails::Always(JournalErrorKind::Full));
                if let Some(stop) = stop.lock().await.take() {
                    stop.send(()).unwrap();
                }
                Ok(())
            }
        };
        let handler: &dyn Handler = &handler;
        let told = async {
            stopped.await.unwrap();
        };
        books.payments.follow(&"ledger".parse().unwrap(), handler, told).await;
        journal.set(Fails::Never);
        let given = followed(&books, "ledger").await;
        let payment = books.payments.newest(&"ORDER-1".parse().unwrap()).await.unwrap();
        assert_eq!(given, history(&books, &payment).await, "over {}: what was not written down", books.over);
    }
}

#[tokio::test]
async fn what_is_replayed_changes_nothing_and_says_so() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let what = format!("{:?} over {}", books.gateway, books.over);
        books.submit("ORDER-1", instruction("1500")).await.unwrap();
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        books.sim.idle().await;
        books.payments.tick().await.unwrap();
        let before = followed(&books, "ledger").await;
        assert_eq!(before, history(&books, &paid).await, "{what}");
        let asked = books.sim.calls(books.gateway, Operation::Status);
        let deliveries = all(&books).await;
        assert!(!deliveries.is_empty(), "{what}");
        for delivery in &deliveries {
            let replayed = books.payments.replay(delivery.id).await.unwrap();
            assert_eq!(replayed.set_aside, delivery.set_aside, "{what}");
        }
        let after = books.payments.newest(&paid.key).await.unwrap();
        assert_eq!(
            (after.standing, after.over_at, after.receipt.as_deref()),
            (paid.standing.clone(), paid.over_at, paid.receipt.as_deref()),
            "{what}"
        );
        assert_eq!((books.sent(), books.moved()), (1, 1), "{what}");
        assert_eq!(
            books.sim.calls(books.gateway, Operation::Status),
            asked,
            "{what}: nothing had to be asked"
        );
        let told = followed(&books, "ledger").await;
        assert_eq!(told.len(), deliveries.len(), "{what}: {told:#?}");
        for (event, delivery) in told.iter().zip(&deliveries) {
            assert_eq!((event.kind, event.replayed), (EventKind::Replayed, true), "{what}");
            assert_eq!((event.delivery, event.outcome()), (Some(delivery.id), None), "{what}");
        }
        let ends = history(&books, &paid).await.iter().filter_map(Event::outcome).count();
        assert_eq!(ends, 1, "{what}: every end is one event");
    }
}

/// What one reader does not take, another may: here one that asks for a signature, and one that does not.
#[tokio::test]
async fn what_one_reader_set_aside_is_folded_in_by_the_next() {
    let journals = Mutex::new(Vec::new());
    let shared = |env: Arc<SystemEnv>| -> Arc<dyn Journal> {
        let journal = Arc::new(MemoryJournal::new(env));
        journals.lock().unwrap().push(journal.clone());
        journal
    };
    let made = Books::each_in(shared, Gateway::SasaPay, Operation::Collect, requiring, |policy| policy).await;
    let journals = journals.into_inner().unwrap();
    for (mut books, journal) in made.into_iter().zip(journals) {
        let payment = books.submit("ORDER-1", from_phone("1500")).await.unwrap();
        let delivery = arrived(&books, &Deliveries::Of(payment.id)).await;
        assert!(books.payments.read_delivery(delivery.id).await.unwrap());
        // The same reader does the same once more.
        let aside = books.payments.replay(delivery.id).await.unwrap();
        assert_eq!((aside.set_aside, aside.applied_at), (Some(Aside::Unsigned), None), "over {}", books.over);
        let noted = history(&books, &payment).await.pop().unwrap();
        assert_eq!((noted.kind, noted.delivery), (EventKind::Replayed, Some(delivery.id)));
        followed(&books, "ledger").await;

        let env = Arc::new(SystemEnv::new());
        let newer = Arc::new(sasapay(&books.sim, books.wire.clone()));
        books.payments = Payments::new(journal, books.urls.clone(), env, "worker-2".parse().unwrap())
            .with_account(Account::new(3, newer))
            .unwrap();
        let applied = books.payments.replay(delivery.id).await.unwrap();
        assert!(applied.set_aside.is_none() && applied.applied_at.is_some(), "over {}", books.over);
        let told = followed(&books, "ledger").await;
        let [paid] = told.as_slice() else { panic!("over {}: {told:#?}", books.over) };
        assert_eq!((paid.outcome(), paid.replayed), (Some(PaymentState::Paid), true));
        assert_eq!((paid.kind, paid.delivery), (EventKind::Reported, Some(delivery.id)));
        let known = books.payments.newest(&payment.key).await.unwrap();
        assert_eq!((known.attention(), books.moved()), (None, 1), "over {}", books.over);
    }
}

#[tokio::test]
async fn a_claim_that_is_replayed_is_confirmed_as_at_first() {
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, |policy| policy).await {
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::LostRequest]).unwrap();
        let payment = books.submit("ORDER-1", to_till("1500")).await.unwrap();
        let url = books.urls.mint(Address::of(3, payment.id, DeliveryPurpose::Result)).unwrap();
        let path = format!("/callbacks{}", url.as_str().split_once("/callbacks").unwrap().1);
        let forged = format!(
            r#"{{"payout_reference":"{}","payment_status":700,"amount":"1500.00","currency":"KES"}}"#,
            payment.reference
        );
        let delivered = books.payments.deliver(&path, &[], forged.into_bytes()).await.unwrap();
        let delivery = delivered.delivery.unwrap();
        let replayed = books.payments.replay(delivery).await.unwrap();
        assert_eq!((replayed.applied_at, replayed.set_aside), (None, None), "over {}: it waits", books.over);
        assert_eq!(books.sim.calls(Gateway::KasaPay, Operation::Status), 1, "the gateway is asked");
        let known = books.payments.newest(&payment.key).await.unwrap();
        assert_eq!(known.state(), PaymentState::Unknown, "over {}", books.over);
        let noted = history(&books, &payment).await.pop().unwrap();
        assert_eq!((noted.kind, noted.replayed, noted.delivery), (EventKind::Replayed, true, Some(delivery)));
        assert_eq!(books.moved(), 0);
    }
}

#[tokio::test]
async fn what_was_erased_is_not_replayed() {
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, |policy| policy).await {
        let payment = books.submit("ORDER-1", to_till("1500")).await.unwrap();
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        let delivery = arrived(&books, &Deliveries::Of(payment.id)).await;
        books.payments.read_delivery(delivery.id).await.unwrap();
        let tomorrow = books.payments.timer().now().saturating_add(Duration::from_secs(86_400));
        books.payments.erase(tomorrow).await.unwrap();
        let events = history(&books, &payment).await.len();
        let refused = books.payments.replay(delivery.id).await.unwrap_err();
        assert!(matches!(refused, PaymentsError::DeliveryErased), "over {}: {refused}", books.over);
        assert_eq!(history(&books, &payment).await.len(), events, "nothing is noted");
        let nobodys = books.payments.replay(DeliveryId(99)).await.unwrap_err();
        assert!(matches!(nobodys, PaymentsError::Refused(Refused::NoSuchDelivery)), "{nobodys}");
    }
}
