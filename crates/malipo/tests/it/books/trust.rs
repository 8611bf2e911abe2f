//! How far is believed what is posted: by whoever knows a payment's names, before its names are known, above a
//! threshold, and with a signature or without one.

use malipo::Signature;
use malipo::journal::{Aside, Confirmation, Deliveries, DeliveryId, Reason, StoredDelivery, Twins};
use malipo::sasapay::{SasaPay, SignatureCheck};
use malipo_sim::SasaPayAccount;

use super::watched::Counted;
use super::*;

/// Posts this, and has it read. Whether nothing is left to be done with it.
async fn post(books: &Books, url: &str, body: &str) -> bool {
    let path = format!("/callbacks{}", url.split_once("/callbacks").unwrap().1);
    let delivered = books.payments.deliver(&path, &[], body.as_bytes().to_vec()).await.unwrap();
    assert_eq!(delivered.reply.status, 200, "it is kept");
    books.payments.read_delivery(delivered.delivery.unwrap()).await.unwrap()
}

fn result_url(books: &Books, payment: &Payment) -> String {
    let url = books.urls.mint(Address::of(3, payment.id, DeliveryPurpose::Result)).unwrap();
    url.as_str().to_owned()
}

/// The delivery that comes next, while nobody reads it.
pub(super) async fn arrived(books: &Books, which: &Deliveries) -> StoredDelivery {
    for _ in 0..400 {
        let mut kept = books.payments.journal().deliveries(which, DeliveryId(0), 9).await.unwrap();
        if let Some(delivery) = kept.pop() {
            return delivery;
        }
        SystemEnv::new().sleep(Duration::from_millis(10)).await;
    }
    panic!("over {}: nothing came", books.over);
}

/// The risk that has a name: a forged failure. Who can post it, and what it costs.
#[tokio::test]
async fn a_failure_of_one_who_knows_url_and_names_is_believed_until_a_success_contradicts_it() {
    let daraja = Books::each(Gateway::Daraja, Operation::PayOut, daraja, |policy| policy).await;
    let sasapay = Books::each(Gateway::SasaPay, Operation::Collect, sasapay, |policy| policy).await;
    for books in daraja.into_iter().chain(sasapay) {
        let what = format!("{:?} over {}", books.gateway, books.over);
        let late = [Fault::CallbackLate(Duration::from_secs(600))];
        books.sim.inject(books.gateway, books.operation, late).unwrap();
        let instruction = if books.gateway == Gateway::Daraja { to_wallet } else { from_phone };
        let payment = books.submit("ORDER-1", instruction("1500")).await.unwrap();
        let forged = match books.gateway {
            Gateway::Daraja => format!(
                r#"{{"Result":{{"ResultType":0,"ResultCode":1,"ResultDesc":"The balance is insufficient.",
                "OriginatorConversationID":"{}"}}}}"#,
                payment.reference
            ),
            _ => {
                let checkout = payment.provider_refs.find("checkout").unwrap();
                format!(r#"{{"ResultCode":"1","ResultDesc":"Cancelled","CheckoutRequestID":"{checkout}"}}"#)
            }
        };
        assert!(post(&books, &result_url(&books, &payment), &forged).await);
        let failed = books.payments.newest(&payment.key).await.unwrap();
        assert_eq!((failed.state(), failed.attention()), (PaymentState::Failed, None), "{what}: believed");
        // The true result comes: what stood first stands, and nobody pays again without a person.
        books.sim.advance(Duration::from_secs(601));
        let mut flagged = failed;
        for _ in 0..400 {
            books.payments.tick().await.unwrap();
            flagged = books.payments.newest(&payment.key).await.unwrap();
            if flagged.attention().is_some() {
                break;
            }
            SystemEnv::new().sleep(Duration::from_millis(10)).await;
        }
        let attention = flagged.attention().unwrap();
        assert_eq!(
            (flagged.state(), attention.reason),
            (PaymentState::Failed, Reason::Contradicted),
            "{what}"
        );
        let settlement = books.payments.settled(&payment.key, Duration::ZERO).await.unwrap();
        assert!(matches!(settlement, Settlement::Unknown(_)), "{what}: {settlement:?}");
        let again = books.payments.again(&books.account, payment.key.clone(), instruction("1500")).await;
        assert!(matches!(again, Err(PaymentsError::Refused(Refused::Held { .. }))), "{what}: {again:?}");
        assert_eq!((books.sent(), books.moved()), (1, 1), "{what}");
    }
}

#[tokio::test]
async fn a_failure_that_is_noticed_is_asked_about_before_it_ends_a_payment() {
    for books in Books::each(Gateway::Kyanda, Operation::PayOut, kyanda, |policy| policy).await {
        books.sim.inject(Gateway::Kyanda, Operation::PayOut, [Fault::CallbackNever]).unwrap();
        let payment = books.submit("ORDER-1", to_wallet("1500")).await.unwrap();
        let name = payment.provider_refs.find("transaction").unwrap();
        let forged = format!(
            r#"{{"status":"Failed","status_code":"9001","transactionRef":"{name}","category":"MobilePayout",
            "amount":"1500","destination":"0708374149","MerchantID":"{}"}}"#,
            books.sim.kyanda().merchant_id()
        );
        let url = books.payments.notice_url(&books.account).unwrap();
        post(&books, url.as_str(), &forged).await;
        let known = books.payments.newest(&payment.key).await.unwrap();
        assert_ne!(known.state(), PaymentState::Failed, "over {}", books.over);
        let asked = books.sim.calls(Gateway::Kyanda, Operation::Status);
        assert_eq!(asked, 1, "over {}: it is asked at once", books.over);
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!(books.moved(), 1);
    }
}

/// A notice that comes before the reply with its name, where two payments can be what it is about.
#[tokio::test]
async fn a_notice_that_fits_two_waits_until_the_reply_says_whose_it_is() {
    let alike = |mut policy: Policy| {
        policy.twins = Twins::Sent;
        policy
    };
    for books in Books::each(Gateway::Kyanda, Operation::PayOut, kyanda, alike).await {
        let nameless = [Fault::LostReply, Fault::CallbackNever];
        books.sim.inject(Gateway::Kyanda, Operation::PayOut, nameless).unwrap();
        books.submit("ORDER-1", to_wallet("1500")).await.unwrap();
        let early = [Fault::CallbackEarly, Fault::SlowReply(Duration::from_millis(500))];
        books.sim.inject(Gateway::Kyanda, Operation::PayOut, early).unwrap();
        let (payments, account) = (books.payments.clone(), books.account.clone());
        let submitting = tokio::spawn(async move {
            payments.submit(&account, "ORDER-2".parse().unwrap(), to_wallet("1500")).await
        });
        let notice = arrived(&books, &Deliveries::All).await;
        assert!(!books.payments.read_delivery(notice.id).await.unwrap(), "over {}: it waits", books.over);
        let waiting = books.payments.journal().delivery(notice.id).await.unwrap().unwrap();
        assert_eq!((waiting.payment, waiting.set_aside), (None, None), "a guess is no match");
        assert!(!submitting.is_finished());
        let second = submitting.await.unwrap().unwrap();
        assert!(second.provider_refs.find("transaction").is_some());
        assert!(books.payments.read_delivery(notice.id).await.unwrap(), "over {}", books.over);
        let paid = books.payments.newest(&second.key).await.unwrap();
        assert_eq!((paid.state(), paid.attention()), (PaymentState::Paid, None), "over {}", books.over);
        let first = books.payments.newest(&"ORDER-1".parse().unwrap()).await.unwrap();
        assert_eq!(first.state(), PaymentState::Unknown, "and nothing is known of the other one");
    }
}

#[tokio::test]
async fn above_a_threshold_the_gateway_is_asked_before_a_collection_is_paid() {
    let careful = |mut policy: Policy| {
        policy.confirmation = Confirmation::Above(Money::kes("1000").unwrap());
        policy
    };
    for books in Books::each(Gateway::SasaPay, Operation::Collect, sasapay, careful).await {
        for (key, amount, asked) in [("ORDER-1", "1000", 0), ("ORDER-2", "1001", 1)] {
            let payment = books.submit(key, from_phone(amount)).await.unwrap();
            let delivery = arrived(&books, &Deliveries::Of(payment.id)).await;
            assert!(books.payments.read_delivery(delivery.id).await.unwrap(), "over {}", books.over);
            let paid = books.payments.newest(&payment.key).await.unwrap();
            assert_eq!(paid.state(), PaymentState::Paid, "over {}: {amount}", books.over);
            let calls = books.sim.calls(Gateway::SasaPay, Operation::Status);
            assert_eq!(calls, asked, "over {}: {amount}", books.over);
        }
        // Nor is a forged one believed, with everything right in it.
        books.sim.inject(Gateway::SasaPay, Operation::Collect, [Fault::CallbackNever]).unwrap();
        books.sim.inject(Gateway::SasaPay, Operation::Status, [Fault::ErrorBeforeAccept]).unwrap();
        let payment = books.submit("ORDER-3", from_phone("1002")).await.unwrap();
        let checkout = payment.provider_refs.find("checkout").unwrap();
        let forged = format!(
            r#"{{"ResultCode":"0","CheckoutRequestID":"{checkout}","TransAmount":"1002.00","TransactionCode":"X1"}}"#
        );
        assert!(!post(&books, &result_url(&books, &payment), &forged).await, "over {}: it waits", books.over);
        let open = books.payments.newest(&payment.key).await.unwrap();
        assert_eq!(open.state(), PaymentState::Accepted, "over {}", books.over);
    }
}

fn checking(sim: &Sim, transport: Arc<dyn Transport>, check: SignatureCheck) -> SasaPay {
    let account = sim.sasapay();
    let keys = crate::rig::app_keys(account.client_id(), account.client_secret());
    let config = malipo::sasapay::Config::sandbox(keys, account.merchant_code().parse().unwrap()).unwrap();
    let config = config.with_signature_check(check).with_base_url(sim.url()).unwrap();
    SasaPay::new(config, transport, crate::rig::env())
}

pub(super) fn requiring(sim: &Sim, transport: Arc<dyn Transport>) -> SasaPay {
    checking(sim, transport, SignatureCheck::Require)
}

fn reporting(sim: &Sim, transport: Arc<dyn Transport>) -> SasaPay {
    checking(sim, transport, SignatureCheck::Report)
}

fn memory(env: Arc<SystemEnv>) -> Arc<dyn Journal> {
    Arc::new(MemoryJournal::new(env))
}

fn signing() -> SetUp<SasaPay> {
    SetUp { options: signed, account: |account, _| account }
}

fn signed(options: Options, _: &CallbackUrl) -> Options {
    options.with_sasapay(SasaPayAccount::new().with_signed_callbacks())
}

#[tokio::test]
async fn what_is_not_signed_settles_nothing_where_a_signature_is_required() {
    let collect = Operation::Collect;
    for books in Books::each(Gateway::SasaPay, collect, requiring, |policy| policy).await {
        let payment = books.submit("ORDER-1", from_phone("1500")).await.unwrap();
        let delivery = arrived(&books, &Deliveries::Of(payment.id)).await;
        assert!(books.payments.read_delivery(delivery.id).await.unwrap(), "nothing waits for it");
        let aside = books.payments.journal().delivery(delivery.id).await.unwrap().unwrap();
        assert_eq!((aside.set_aside, aside.applied_at), (Some(Aside::Unsigned), None), "over {}", books.over);
        let open = books.payments.newest(&payment.key).await.unwrap();
        assert_eq!(open.state(), PaymentState::Accepted, "over {}", books.over);
        assert_eq!(open.attention().unwrap().reason, Reason::Unconfirmed, "a person is told");
        // One that has a wrong signature is told from one that has none.
        let forged = r#"{"ResultCode":"0","TransAmount":"1500.00","sasapay_signature":"00"}"#;
        assert!(post(&books, &result_url(&books, &payment), forged).await);
        let all = books.payments.journal().deliveries(&Deliveries::SetAside, DeliveryId(0), 9).await.unwrap();
        assert_eq!(all.last().unwrap().set_aside, Some(Aside::WrongSignature), "over {}", books.over);
        // The gateway's own answer, over our own connection, needs no signature.
        books.until("ORDER-1", &[PaymentState::Paid]).await;
    }
    for books in
        Books::each_of(memory, Gateway::SasaPay, collect, requiring, |policy| policy, signing()).await
    {
        let payment = books.submit("ORDER-1", from_phone("1500")).await.unwrap();
        let delivery = arrived(&books, &Deliveries::Of(payment.id)).await;
        assert!(books.payments.read_delivery(delivery.id).await.unwrap());
        let paid = books.payments.newest(&payment.key).await.unwrap();
        assert_eq!((paid.state(), paid.attention()), (PaymentState::Paid, None), "over {}", books.over);
    }
}

#[test]
fn what_became_of_signatures_is_counted() {
    let counted = Counted::default();
    metrics::with_local_recorder(&counted, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (gateway, collect) = (Gateway::SasaPay, Operation::Collect);
            let unsigned = Books::each(gateway, collect, reporting, |policy| policy).await;
            let good = Books::each_of(memory, gateway, collect, reporting, |policy| policy, signing()).await;
            let required = Books::each(gateway, collect, requiring, |policy| policy).await;
            for books in unsigned.into_iter().chain(good).chain(required) {
                let payment = books.submit("ORDER-1", from_phone("1500")).await.unwrap();
                let delivery = arrived(&books, &Deliveries::Of(payment.id)).await;
                for _ in 0..2 {
                    assert!(
                        books.payments.read_delivery(delivery.id).await.unwrap(),
                        "in a report it is noted"
                    );
                }
                let forged = r#"{"ResultCode":"0","CheckoutRequestID":"another","sasapay_signature":"00"}"#;
                post(&books, &result_url(&books, &payment), forged).await;
            }
        });
    });
    // Over two transports; where it is required, none of the three was good.
    for (signature, times) in [(Signature::Missing, 4), (Signature::Good, 2), (Signature::Wrong, 6)] {
        let line = format!("malipo_signatures_total account=sasapay signature={}", signature.as_str());
        assert_eq!(counted.count(&line), times, "{line}: {:#?}", counted.all());
    }
    assert!(counted.all().iter().all(|line| !line.contains("not_expected")));
}
