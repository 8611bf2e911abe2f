//! What is posted again, too early, or by somebody else.

use malipo::Money;
use malipo_sim::Operation;
use rust_decimal::Decimal;
use serde_json::Value;

use super::*;

#[tokio::test]
async fn what_is_posted_three_times_is_used_once() {
    for Shop { books, instruction } in everywhere(only_told).await {
        let what = name(&books);
        books.submit("ORDER-1", instruction("1500")).await.unwrap();
        books.sim.idle().await;
        let posted = books.tap.exchanges();
        let again = async || {
            for exchange in &posted {
                assert_eq!(books.tap.post(&exchange.request).await, exchange.answered(), "{what}");
            }
        };
        again().await;
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        let history = books.payments.journal().history(paid.id).await.unwrap();
        again().await;
        work(&books).await;
        assert_eq!(kept(&books).await.len(), posted.len(), "{what}: each is kept once");
        assert_eq!(books.payments.journal().history(paid.id).await.unwrap(), history, "{what}");
        assert_eq!((newest(&books).await, books.moved()), (paid, 1), "{what}");
    }
}

#[tokio::test]
async fn what_comes_before_the_reply_counts_when_the_reply_has_come() {
    for Shop { books, instruction } in everywhere(only_told).await {
        let what = name(&books);
        books.sim.inject(books.gateway, books.operation, [Fault::CallbackEarly]).unwrap();
        let accepted = books.submit("ORDER-1", instruction("1500")).await.unwrap();
        let early = books.tap.exchanges();
        assert!(!early.is_empty(), "{what}");
        assert!(early.iter().all(|one| one.answered() == told(books.gateway, Storage::Stored)), "{what}");
        assert_eq!(accepted.state(), PaymentState::Accepted, "{what}: kept, and not read yet");
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((paid.attempt.0, books.sent(), books.moved()), (1, 1, 1), "{what}");
        assert!(paid.attention().is_none(), "{what}: {:?}", paid.attention());
    }
}

#[tokio::test]
async fn what_claims_more_is_kept_and_settles_nothing() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let what = name(&books);
        books.tap.hold();
        books.submit("ORDER-1", instruction("1500")).await.unwrap();
        books.sim.idle().await;
        books.tap.let_through();
        // Nobody can be asked, so it is the callback alone that counts or does not.
        for _ in 0..50 {
            books.sim.inject(books.gateway, Operation::Status, [Fault::LostRequest]).unwrap();
        }
        let held = books.tap.exchanges();
        let forged: Vec<_> = held.iter().map(|one| larger(&one.posted().body)).collect();
        for (exchange, forged) in held.iter().zip(&forged) {
            let answer = books.tap.post(&exchange.with_body(forged)).await;
            assert_eq!(
                answer,
                told(books.gateway, Storage::Stored),
                "{what}: nobody learns what it is worth"
            );
        }
        work(&books).await;
        let open = newest(&books).await;
        assert!(!open.state().is_final(), "{what}: a forgery made it {}", open.state());
        assert_eq!(kept(&books).await, forged, "{what}: it is evidence");

        books.sim.clear_faults();
        for exchange in &held {
            assert_eq!(
                books.tap.post(&exchange.request).await,
                told(books.gateway, Storage::Stored),
                "{what}"
            );
        }
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((paid.amount, books.sent(), books.moved()), (Money::kes("1500").unwrap(), 1, 1), "{what}");
        // Where nobody can be asked at once, the forgery was held against the payment by itself.
        if matches!(books.gateway, Gateway::Daraja | Gateway::SasaPay) {
            assert!(paid.attention().is_some(), "{what}: a person is told of it");
        }
    }
}

/// The same body with ten times the money in it.
fn larger(body: &str) -> String {
    let mut told: Value = serde_json::from_str(body).unwrap();
    let changed = enlarge(&mut told);
    assert!(changed > 0, "no amount in {body}");
    told.to_string()
}

fn enlarge(told: &mut Value) -> usize {
    let is_amount = |text: &str| text.parse::<Decimal>().is_ok_and(|number| number == Decimal::from(1500));
    match told {
        Value::String(text) if is_amount(text) => *told = Value::from("15000.00"),
        Value::Number(number) if is_amount(&number.to_string()) => *told = Value::from(15000),
        Value::Array(all) => return all.iter_mut().map(enlarge).sum(),
        Value::Object(all) => return all.values_mut().map(enlarge).sum(),
        _ => return 0,
    }
    1
}
