//! A gateway that is slow, busy or refuses us.

use std::num::NonZeroU32;

use super::*;

#[tokio::test]
async fn one_payment_that_takes_long_keeps_no_other_back() {
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, |policy| policy).await {
        let slow = [Fault::SlowReply(Duration::from_millis(700))];
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::CallbackNever]).unwrap();
        books.sim.inject(Gateway::KasaPay, Operation::Status, slow).unwrap();
        books.submit("SLOW", to_till("10")).await.unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let payments = books.payments.clone();
        let running = tokio::spawn(async move { payments.run(async { drop(stopped.await) }).await });
        while books.sim.calls(Gateway::KasaPay, Operation::Status) == 0 {
            SystemEnv::new().sleep(Duration::from_millis(5)).await;
        }
        let others: Vec<_> = (0..5).map(|number| format!("ORDER-{number}")).collect();
        for key in &others {
            books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::CallbackNever]).unwrap();
            books.submit(key, to_till("1500")).await.unwrap();
        }
        for key in &others {
            let settlement = books.payments.settled(&key.parse().unwrap(), Duration::from_secs(10)).await;
            assert!(matches!(settlement, Ok(Settlement::Paid(_))), "over {}: {settlement:?}", books.over);
        }
        let slow = books.payments.newest(&"SLOW".parse().unwrap()).await.unwrap();
        assert_eq!(
            slow.state(),
            PaymentState::Accepted,
            "over {}: it is still being asked about",
            books.over
        );
        stop.send(()).unwrap();
        running.await.unwrap();
        let slow = books.payments.newest(&"SLOW".parse().unwrap()).await.unwrap();
        assert_eq!(slow.state(), PaymentState::Paid, "whoever stops finishes what it began");
    }
}

#[tokio::test]
async fn what_has_to_wait_for_its_turn_is_sent_by_whoever_runs() {
    let slow = |mut policy: Policy| {
        policy.per_second = NonZeroU32::new(20);
        policy
    };
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, slow).await {
        let first = books.submit("ORDER-1", to_till("10")).await.unwrap();
        let second = books.submit("ORDER-2", to_till("20")).await.unwrap();
        assert_eq!((first.state(), second.state()), (PaymentState::Accepted, PaymentState::Recorded));
        books.until("ORDER-2", &[PaymentState::Paid]).await;
        assert_eq!((books.sent(), books.moved()), (2, 2), "over {}", books.over);
    }
}

#[tokio::test]
async fn one_request_too_many_is_sent_again_later() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let what = format!("{:?} over {}", books.gateway, books.over);
        if books.gateway == Gateway::Kyanda {
            continue; // Nobody documents what it says then, so the payment is unknown.
        }
        books.sim.inject(books.gateway, books.operation, [Fault::SpikeArrest]).unwrap();
        let first = books.submit("ORDER-1", instruction("1500")).await.unwrap();
        assert_eq!((first.state(), books.sent()), (PaymentState::Recorded, 1), "{what}");
        let second = books.submit("ORDER-2", instruction("1600")).await.unwrap();
        assert_eq!(
            (second.state(), books.sent()),
            (PaymentState::Recorded, 1),
            "{what}: nobody goes on at once"
        );
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        books.until("ORDER-2", &[PaymentState::Paid]).await;
        assert_eq!((books.sent(), books.moved()), (3, 2), "{what}");
    }
}

#[tokio::test]
async fn a_credential_that_is_refused_again_and_again_is_not_used_any_more() {
    for books in Books::each(Gateway::Kyanda, Operation::PayOut, kyanda, |policy| policy).await {
        for _ in 0..9 {
            books.sim.inject(Gateway::Kyanda, Operation::PayOut, [Fault::TokenExpired]).unwrap();
        }
        for number in 0..9 {
            let amount = format!("{}", 100 + number);
            let payment = books.submit(&format!("ORDER-{number}"), to_wallet(&amount)).await.unwrap();
            assert_eq!(
                payment.state(),
                PaymentState::Recorded,
                "over {}: nothing is failed by it",
                books.over
            );
            books.payments.tick().await.unwrap();
        }
        assert_eq!(books.sent(), 3, "over {}", books.over);
    }
}

/// Daraja takes the request, and M-PESA says later that the operator's password is wrong: that locks an initiator.
#[tokio::test]
async fn results_that_refuse_the_initiator_stop_it_too() {
    for books in Books::each(Gateway::Daraja, Operation::PayOut, daraja, |policy| policy).await {
        for number in 0..5 {
            books.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackNever]).unwrap();
            let payment = books.submit(&format!("ORDER-{number}"), to_wallet("100")).await.unwrap();
            if payment.state() == PaymentState::Recorded {
                assert_eq!((number, books.sent()), (3, 3), "over {}", books.over);
                break;
            }
            let url = books.urls.mint(Address::of(3, payment.id, DeliveryPurpose::Result)).unwrap();
            let path = format!("/callbacks{}", url.as_str().split_once("/callbacks").unwrap().1);
            let result = format!(
                r#"{{"Result":{{"ResultType":0,"ResultCode":2001,"ResultDesc":"The initiator information is invalid.","OriginatorConversationID":"{}","ConversationID":"{}","TransactionID":"X"}}}}"#,
                payment.reference,
                payment.provider_refs.find("conversation").unwrap(),
            );
            let delivered = books.payments.deliver(&path, &[], result.into_bytes()).await.unwrap();
            books.payments.read_delivery(delivered.delivery.unwrap()).await.unwrap();
            let failed = books.payments.newest(&payment.key).await.unwrap();
            assert_eq!(failed.code.as_deref(), Some("2001"), "{failed:?}");
            assert_ne!(number, 4, "the fourth is not sent");
        }
    }
}
