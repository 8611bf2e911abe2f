//! What the engine refuses, holds, confirms and tells.

use std::time::Duration;

use malipo::journal::{Aside, Deliveries, DeliveryId, Reason};

use super::*;

fn from_wallet(amount: &str) -> Instruction {
    Instruction::Collect(Collect::new(Payer::gateway_wallet("0708374149".parse().unwrap()), terms(amount)))
}

#[tokio::test]
async fn a_code_that_its_payer_was_sent_confirms_a_collection() {
    for books in Books::each(Gateway::SasaPay, Operation::Collect, sasapay, |policy| policy).await {
        let key = "ORDER-1".parse().unwrap();
        let asked = books.submit("ORDER-1", from_wallet("50")).await.unwrap();
        assert_eq!((asked.state(), books.moved()), (PaymentState::Accepted, 0), "over {}", books.over);
        let code = books.sim.messages()[0].code.clone();
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let error = books.payments.confirm(&key, Secret::new(wrong)).await.unwrap_err();
        assert!(matches!(error, PaymentsError::CodeNotTaken(_)), "{error}");
        books.sim.inject(Gateway::SasaPay, Operation::Confirm, [Fault::LostReply]).unwrap();
        let confirmed = books.payments.confirm(&key, Secret::new(code)).await.unwrap();
        assert_ne!(confirmed.state(), PaymentState::Failed, "a lost answer says nothing");
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((books.sim.calls(Gateway::SasaPay, Operation::Confirm), books.moved()), (2, 1));
        let late = books.payments.confirm(&key, Secret::new("123456")).await.unwrap_err();
        assert!(matches!(late, PaymentsError::Refused(Refused::WrongState { .. })), "{late}");
    }
}

#[tokio::test]
async fn a_twin_of_what_is_unknown_is_held_until_a_person_has_decided() {
    let hasty = |mut policy: Policy| {
        policy.review_after = Duration::from_millis(1500);
        policy
    };
    for books in Books::each(Gateway::Kyanda, Operation::PayOut, kyanda, hasty).await {
        books.sim.inject(Gateway::Kyanda, Operation::PayOut, [Fault::LostRequest]).unwrap();
        let first = books.submit("ORDER-1", to_wallet("1500")).await.unwrap();
        let third = books.submit("ORDER-3", to_wallet("1500")).await.unwrap();
        assert_eq!((third.state(), books.sent()), (PaymentState::Recorded, 1), "over {}", books.over);
        let cancelled = books.payments.cancel(&third.key).await.unwrap();
        assert_eq!(cancelled.state(), PaymentState::Cancelled);
        let other = books.submit("ORDER-4", to_wallet("1501")).await.unwrap();
        assert_eq!(other.state(), PaymentState::Accepted, "another amount is no twin");
        books.until("ORDER-1", &[PaymentState::Review]).await;
        let twin = books.submit("ORDER-2", to_wallet("1500")).await.unwrap();
        books.payments.tick().await.unwrap();
        assert_eq!((twin.state(), books.sent()), (PaymentState::Recorded, 2), "and is still held");
        let unsaid = books.payments.resolve(first.id, "", "", Decision::Failed).await.unwrap_err();
        assert!(matches!(unsaid, PaymentsError::Refused(Refused::Unexplained)), "{unsaid}");
        let decided =
            books.payments.resolve(first.id, "Asha", "not on the dashboard", Decision::Failed).await;
        assert_eq!(decided.unwrap().state(), PaymentState::Failed);
        books.until("ORDER-2", &[PaymentState::Paid]).await;
        assert_eq!((books.sent(), books.moved()), (3, 2), "each once; the cancelled one never");
    }
}

#[tokio::test]
async fn what_is_posted_where_nobody_was_told_to_post_is_nobodys() {
    for books in Books::each(Gateway::Daraja, Operation::PayOut, daraja, |policy| policy).await {
        let payment = books.submit("ORDER-1", to_wallet("10")).await.unwrap();
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        let tag = "1".repeat(39);
        for path in ["/", "/callbacks", &format!("/callbacks/1/7/3/{}/1/{tag}", payment.id)] {
            assert!(books.payments.deliver(path, &[], "{}").await.is_none(), "{path}");
        }
        let events = books.payments.events(EventId(0), 100).await.unwrap();
        let ends: Vec<_> = events.iter().filter_map(malipo::journal::Event::outcome).collect();
        assert_eq!(ends, [PaymentState::Paid], "each end is told once, over {}", books.over);
    }
}

#[tokio::test]
async fn an_instruction_that_cannot_be_carried_out_is_refused_before_it_is_written() {
    for books in Books::each(Gateway::Daraja, Operation::PayOut, daraja, |policy| policy).await {
        let error = books.submit("ORDER-1", to_till("10")).await.unwrap_err();
        assert!(matches!(error, PaymentsError::Invalid(_)), "{error}");
        let mut brought = to_wallet("10");
        let callback = malipo::Callback::new("https://elsewhere.example/1".parse().unwrap());
        brought.terms_mut().unwrap().callback = Some(callback);
        let error = books.submit("ORDER-1", brought).await.unwrap_err();
        assert!(matches!(error, PaymentsError::NotTaken(_)), "{error}");
        let error = books.payments.newest(&"ORDER-1".parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, PaymentsError::NoSuchKey), "nothing was written: {error}");
    }
}

#[tokio::test]
async fn somebody_runs_until_told_to_stop_and_whoever_waits_is_told() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let payments = books.payments.clone();
        let running = tokio::spawn(async move { payments.run(async { drop(stopped.await) }).await });
        let payment = books.submit("ORDER-1", instruction("1500")).await.unwrap();
        let settlement = books.payments.settled(&payment.key, Duration::from_secs(10)).await.unwrap();
        assert!(matches!(settlement, Settlement::Paid(_)), "{:?} over {}", books.gateway, books.over);
        stop.send(()).unwrap();
        running.await.unwrap();
    }
}

#[tokio::test]
async fn whoever_waits_too_short_is_told_that_nobody_knows() {
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, |policy| policy).await {
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::LostRequest]).unwrap();
        let payment = books.submit("ORDER-1", to_till("10")).await.unwrap();
        let settlement = books.payments.settled(&payment.key, Duration::from_millis(50)).await.unwrap();
        assert!(matches!(settlement, Settlement::Unknown(_)), "over {}: {settlement:?}", books.over);
    }
}

#[tokio::test]
async fn a_person_may_have_it_sent_again() {
    let hasty = |mut policy: Policy| {
        policy.review_after = Duration::from_millis(300);
        policy
    };
    for books in Books::each(Gateway::Kyanda, Operation::PayOut, kyanda, hasty).await {
        books.sim.inject(Gateway::Kyanda, Operation::PayOut, [Fault::LostRequest]).unwrap();
        books.submit("ORDER-1", to_wallet("1500")).await.unwrap();
        let held = books.until("ORDER-1", &[PaymentState::Review]).await;
        let lease = Lease::new("anybody".parse().unwrap(), Duration::from_secs(1));
        let again = Decision::SendAgain(lease);
        let sent = books.payments.resolve(held.id, "Asha", "not on the dashboard", again).await.unwrap();
        assert_eq!((sent.state(), sent.attempt.0), (PaymentState::Accepted, 2), "over {}", books.over);
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((books.sent(), books.moved()), (2, 1));
    }
}

/// Whoever knows a payment's URL can post a failure to it. Believed, it would have the payment made once more.
#[tokio::test]
async fn a_failure_that_is_posted_is_asked_about_before_it_ends_a_payment() {
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, |policy| policy).await {
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::CallbackNever]).unwrap();
        let payment = books.submit("ORDER-1", to_till("1500")).await.unwrap();
        let url = books.urls.mint(Address::of(3, payment.id, DeliveryPurpose::Result)).unwrap();
        let path = url.as_str().split_once("/callbacks").unwrap().1;
        let forged = format!(
            r#"{{"payout_reference":"{}","payment_status":701,"amount":"1500.00","currency":"KES"}}"#,
            payment.reference
        );
        let delivered =
            books.payments.deliver(&format!("/callbacks{path}"), &[], forged.into_bytes()).await.unwrap();
        assert_eq!(delivered.reply.status, 200, "it is kept");
        books.payments.read_delivery(delivered.delivery.unwrap()).await.unwrap();
        let open = books.payments.newest(&payment.key).await.unwrap();
        assert_ne!(open.state(), PaymentState::Failed, "over {}", books.over);
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!(books.moved(), 1);
    }
}

/// The path of a URL that was given out for this payment.
fn path_of(books: &Books, payment: &Payment, purpose: DeliveryPurpose) -> String {
    let url = books.urls.mint(Address::of(3, payment.id, purpose)).unwrap();
    format!("/callbacks{}", url.as_str().split_once("/callbacks").unwrap().1)
}

/// Posts this, and has it read. Whether nothing is left to be done with it.
async fn post(books: &Books, path: &str, body: &str) -> bool {
    let delivered = books.payments.deliver(path, &[], body.as_bytes().to_vec()).await.unwrap();
    assert_eq!(delivered.reply.status, 200, "it is kept");
    books.payments.read_delivery(delivered.delivery.unwrap()).await.unwrap()
}

async fn newest(books: &Books) -> Payment {
    books.payments.newest(&"ORDER-1".parse().unwrap()).await.unwrap()
}

/// Whoever has seen a URL in somebody's log knows which payment it is for, and not its names.
#[tokio::test]
async fn a_failure_that_names_no_payment_ends_none_by_its_url_alone() {
    let daraja = Books::each(Gateway::Daraja, Operation::PayOut, daraja, |policy| policy).await;
    let sasapay = Books::each(Gateway::SasaPay, Operation::Collect, sasapay, |policy| policy).await;
    let bare = r#"{"Result":{"ResultType":0,"ResultCode":1,"ResultDesc":"The balance is insufficient."}}"#;
    let of_sasapay = r#"{"ResultCode":"1","ResultDesc":"Cancelled by the payer"}"#;
    let all = daraja.into_iter().map(|books| (books, to_wallet as fn(&str) -> Instruction, bare));
    for (books, instruction, body) in
        all.chain(sasapay.into_iter().map(|books| (books, from_phone as fn(&str) -> Instruction, of_sasapay)))
    {
        books.sim.inject(books.gateway, books.operation, [Fault::CallbackNever]).unwrap();
        let payment = books.submit("ORDER-1", instruction("1500")).await.unwrap();
        let path = path_of(&books, &payment, DeliveryPurpose::Result);
        post(&books, &path, body).await;
        assert_ne!(
            newest(&books).await.state(),
            PaymentState::Failed,
            "{:?} over {}",
            books.gateway,
            books.over
        );
        let paid = books.until("ORDER-1", &[PaymentState::Paid, PaymentState::Failed]).await;
        assert_eq!((paid.state(), books.moved()), (PaymentState::Paid, 1), "{:?}", books.gateway);
    }
}

#[tokio::test]
async fn a_result_that_comes_when_a_person_was_called_is_asked_about_and_settles_it() {
    let hasty = |mut policy: Policy| {
        policy.review_after = Duration::from_millis(150);
        policy
    };
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, hasty).await {
        for _ in 0..40 {
            books.sim.inject(Gateway::KasaPay, Operation::Status, [Fault::ErrorBeforeAccept]).unwrap();
        }
        let late = [Fault::CallbackLate(Duration::from_secs(600))];
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, late).unwrap();
        books.submit("ORDER-1", to_till("1500")).await.unwrap();
        books.until("ORDER-1", &[PaymentState::Review]).await;
        books.sim.clear_faults();
        books.sim.advance(Duration::from_secs(601));
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((paid.attention(), books.moved()), (None, 1), "over {}", books.over);
    }
}

#[tokio::test]
async fn a_claim_that_the_gateway_does_not_confirm_is_shown_to_a_person() {
    let hasty = |mut policy: Policy| {
        policy.review_after = Duration::from_millis(150);
        policy.resend = ResendRule::Never;
        policy
    };
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, hasty).await {
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::LostRequest]).unwrap();
        let payment = books.submit("ORDER-1", to_till("1500")).await.unwrap();
        books.until("ORDER-1", &[PaymentState::Review]).await;
        let path = path_of(&books, &payment, DeliveryPurpose::Result);
        let forged = format!(
            r#"{{"payout_reference":"{}","payment_status":700,"amount":"1500.00","currency":"KES"}}"#,
            payment.reference
        );
        assert!(!post(&books, &path, &forged).await, "over {}: it waits", books.over);
        let shown = newest(&books).await;
        let attention = shown.attention().unwrap();
        assert_eq!((shown.state(), attention.reason), (PaymentState::Review, Reason::Unconfirmed));
        assert_eq!(attention.claimed.as_deref(), Some("settled"));
        let of = Deliveries::Of(payment.id);
        let kept = books.payments.journal().deliveries(&of, DeliveryId(0), 9).await.unwrap();
        assert_eq!(kept.len(), 1, "a person finds it with its payment");
    }
}

#[tokio::test]
async fn what_nobody_can_read_is_kept_where_a_person_finds_it() {
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, |policy| policy).await {
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::CallbackNever]).unwrap();
        let payment = books.submit("ORDER-1", to_till("1500")).await.unwrap();
        let path = path_of(&books, &payment, DeliveryPurpose::Result);
        assert!(post(&books, &path, "<xml>").await);
        let known = newest(&books).await;
        assert_eq!(known.attention().unwrap().reason, Reason::Unconfirmed, "over {}", books.over);
        let journal = books.payments.journal();
        let aside = journal.deliveries(&Deliveries::SetAside, DeliveryId(0), 9).await.unwrap();
        assert_eq!((aside.len(), aside[0].set_aside), (1, Some(Aside::Unreadable)));
        assert_eq!(aside[0].payment, Some(payment.id));
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!(paid.attention(), None, "and the gateway's own answer settles it");
    }
}

#[tokio::test]
async fn a_payment_that_is_stuck_at_its_gateway_calls_a_person() {
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, |policy| policy).await {
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::CallbackNever]).unwrap();
        let payment = books.submit("ORDER-1", to_till("1500")).await.unwrap();
        let path = path_of(&books, &payment, DeliveryPurpose::Result);
        let stuck = format!(
            r#"{{"payout_reference":"{}","payment_status":704,"amount":"1500.00","currency":"KES"}}"#,
            payment.reference
        );
        assert!(post(&books, &path, &stuck).await);
        let known = newest(&books).await;
        assert_eq!(
            (known.state(), known.attention().unwrap().reason),
            (PaymentState::Accepted, Reason::Stuck)
        );
    }
}

#[tokio::test]
async fn a_policy_without_a_pause_is_refused() {
    for hasty in [
        |mut policy: Policy| {
            policy.asking = vec![Duration::ZERO];
            policy
        },
        |mut policy: Policy| {
            policy.asking.clear();
            policy
        },
        |mut policy: Policy| {
            policy.retry = Duration::ZERO;
            policy
        },
    ] {
        let (_, transport) = transports().remove(0);
        let sim = Sim::start(options()).await.unwrap();
        let provider = Arc::new(kasapay(&sim, transport));
        let policy = hasty(Policy::of(provider.capabilities()));
        let env = Arc::new(SystemEnv::new());
        let key = CallbackKey::new(7, Secret::new("a key of at least thirty-two bytes")).unwrap();
        let urls = CallbackUrls::new("https://pay.example.com", key).unwrap();
        let payments =
            Payments::new(Arc::new(MemoryJournal::new(env.clone())), urls, env, "a".parse().unwrap());
        let refused = payments.with_account(Account::new(1, provider).with_policy(policy)).unwrap_err();
        assert!(matches!(refused, PaymentsError::HastyPolicy(_)), "{refused}");
    }
}

/// What names nobody teaches no name, with which a failure could then name a payment.
#[tokio::test]
async fn a_url_alone_teaches_no_name_to_fail_a_payment_with() {
    for books in Books::each(Gateway::Daraja, Operation::PayOut, daraja, |policy| policy).await {
        books
            .sim
            .inject(Gateway::Daraja, Operation::PayOut, [Fault::LostReply, Fault::CallbackNever])
            .unwrap();
        let payment = books.submit("ORDER-1", to_wallet("1500")).await.unwrap();
        assert_eq!(payment.state(), PaymentState::Unknown);
        let path = path_of(&books, &payment, DeliveryPurpose::Result);
        post(&books, &path, r#"{"Result":{"ResultType":1,"ConversationID":"X"}}"#).await;
        let failure = r#"{"Result":{"ResultType":0,"ResultCode":1,"ResultDesc":"no","ConversationID":"X"}}"#;
        post(&books, &path, failure).await;
        let known = newest(&books).await;
        assert_ne!(known.state(), PaymentState::Failed, "over {}", books.over);
        assert_eq!(known.provider_refs.find("conversation"), None, "nobody taught it X");
        // Nor does the URL of a question do.
        let answer = path_of(&books, &payment, DeliveryPurpose::Answer);
        let cancelled = r#"{"Result":{"ResultType":0,"ResultCode":0,"ResultParameters":{"ResultParameter":[{"Key":"TransactionStatus","Value":"Cancelled"}]}}}"#;
        post(&books, &answer, cancelled).await;
        let known = newest(&books).await;
        assert_ne!(known.state(), PaymentState::Failed, "over {}", books.over);
        assert!(known.attention().is_some(), "a person is told");
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!(books.moved(), 1);
    }
}

/// What says that money came back takes a payment back: it has to say which one.
#[tokio::test]
async fn a_reversal_that_names_no_payment_takes_none_back() {
    for books in Books::each(Gateway::SasaPay, Operation::Collect, sasapay, |policy| policy).await {
        let payment = books.submit("ORDER-1", from_phone("1500")).await.unwrap();
        let path = path_of(&books, &payment, DeliveryPurpose::Result);
        let reversed = r#"{"ResultCode":"SP01003","TransAmount":"1500.00"}"#;
        post(&books, &path, reversed).await;
        assert_ne!(newest(&books).await.state(), PaymentState::Reversed, "over {}", books.over);
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        post(&books, &path, &reversed.replace("SP01003\"", "SP01003\",\"Later\":1")).await;
        assert_eq!(newest(&books).await.state(), PaymentState::Paid, "over {}", books.over);
    }
}

/// Nor does what names the payment and ends nothing: the true result would contradict a name that was made up.
#[tokio::test]
async fn what_ends_nothing_makes_no_name_that_the_true_result_contradicts() {
    for books in Books::each(Gateway::KasaPay, Operation::PayOut, kasapay, |policy| policy).await {
        let faults = [Fault::LostReply, Fault::CallbackNever];
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, faults).unwrap();
        let payment = books.submit("ORDER-1", to_till("1500")).await.unwrap();
        let reference = &payment.reference;
        let nothing = format!(
            r#"{{"payout_reference":"{reference}","payment_reference":"MADE-UP","payment_status":"700"}}"#
        );
        post(&books, &path_of(&books, &payment, DeliveryPurpose::Result), &nothing).await;
        let known = newest(&books).await;
        assert_eq!(known.provider_refs.find("payment"), None, "over {}", books.over);
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((paid.attention(), books.moved()), (None, 1), "over {}", books.over);
    }
}

#[tokio::test]
async fn a_code_that_has_no_turn_is_not_taken_for_handed_in() {
    let slow = |mut policy: Policy| {
        policy.per_second = std::num::NonZeroU32::new(1);
        policy
    };
    for books in Books::each(Gateway::SasaPay, Operation::Collect, sasapay, slow).await {
        let key = "ORDER-1".parse().unwrap();
        books.submit("ORDER-1", from_wallet("50")).await.unwrap();
        let code = books.sim.messages()[0].code.clone();
        let early = books.payments.confirm(&key, Secret::new(code.clone())).await.unwrap_err();
        let PaymentsError::NotNow(wait) = early else { panic!("over {}: {early}", books.over) };
        assert_eq!(books.sim.calls(Gateway::SasaPay, Operation::Confirm), 0);
        SystemEnv::new().sleep(wait).await;
        books.payments.confirm(&key, Secret::new(code)).await.unwrap();
        assert_eq!(books.sim.calls(Gateway::SasaPay, Operation::Confirm), 1);
    }
}
