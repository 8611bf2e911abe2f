use malipo_core::{DeliveryPurpose, Good, GoodKind, Raw, Secret, State};
use malipo_journal::{
    Apply, Aside, DeliveryId, Done, Entry, Erase, EventKind, News, PaymentState, Refused, SetAside, Source,
    StoreDelivery,
};

use crate::bench::{Bench, PROVIDER, open, open_under, printed, report};

async fn erase(bench: &Bench) -> Done {
    bench.clock.forward(1);
    bench.done(Entry::Erase(Erase::new(bench.now(), 99))).await
}

async fn store(bench: &Bench, body: &str) -> DeliveryId {
    let delivery = StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, Raw::from(body))
        .with_header("X-Name", "Wanjiku");
    match bench.done(Entry::StoreDelivery(Box::new(delivery))).await {
        Done::Stored(id) => id,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn people_are_erased_and_money_is_not(bench: &Bench) {
    let id = bench.accepted("A").await;
    let delivery = store(bench, "{254708374149}").await;
    let mut told = report("A", State::Settled);
    told.goods = vec![Good::new(GoodKind::VoucherPin, Secret::new("7777"))];
    bench.done(Entry::Apply(Box::new(Apply::new(id, Source::Delivery(delivery), told)))).await;
    let before = bench.payment(id).await;
    assert!(before.instruction().unwrap().is_some());

    assert_eq!(erase(bench).await, Done::Erased { payments: 1, deliveries: 0, credits: 0 });
    let after = bench.payment(id).await;
    assert!(after.instruction().unwrap().is_none());
    assert!(bench.journal.reports(id).await.unwrap().is_empty());
    assert_eq!(bench.journal.attempts(id).await.unwrap()[0].notes.text, None);
    let kept = bench.journal.delivery(delivery).await.unwrap().unwrap();
    assert!(kept.delivery().unwrap().is_none());
    assert_eq!(kept.payment, Some(id));

    assert_eq!((after.key, after.reference, after.amount), (before.key, before.reference, before.amount));
    assert_eq!((after.standing, after.receipt.as_deref()), (before.standing, Some("RC-A")));
    assert_eq!((after.provider_refs, after.goods), (before.provider_refs, 1));
    assert_eq!((after.opened_at, after.over_at), (before.opened_at, before.over_at));
    assert_eq!(bench.journal.history(id).await.unwrap().last().unwrap().kind, EventKind::Erased);
    let printed = printed(&*bench.journal, id).await.to_lowercase();
    for hidden in ["wanjiku", "254708", "7777"] {
        assert!(!printed.contains(hidden), "{printed}");
    }
    assert_eq!(erase(bench).await, Done::Erased { payments: 0, deliveries: 0, credits: 0 }, "once");
    // What is told later is still held against what is left.
    bench.tell(id, report("A", State::Reversed)).await;
    assert_eq!(bench.state(id).await, PaymentState::Reversed);
    let mut repeated = report("A", State::Settled);
    repeated.amount = malipo_core::Money::kes("1").ok();
    bench.tell(id, repeated).await;
    assert!(bench.payment(id).await.attention().is_some());
    let again = Apply::new(id, Source::Delivery(delivery), report("A", State::Settled));
    let repeat =
        Done::Applied { from: PaymentState::Reversed, state: PaymentState::Reversed, news: News::Repeat };
    assert_eq!(bench.done(Entry::Apply(Box::new(again))).await, repeat);
}

pub(crate) async fn what_is_open_or_flagged_is_not_erased(bench: &Bench) {
    let mut over = 0;
    for state in PaymentState::ALL {
        bench.standing(state.as_str(), *state).await;
        over += u32::from(state.is_final());
    }
    let flagged = bench.standing("flagged", PaymentState::Paid).await;
    bench.tell(flagged, report("flagged", State::Failed)).await;
    let early = Erase::new(bench.now(), 99);
    assert_eq!(
        bench.done(Entry::Erase(early)).await,
        Done::Erased { payments: 0, deliveries: 0, credits: 0 },
        "not yet"
    );
    assert_eq!(erase(bench).await, Done::Erased { payments: over, deliveries: 0, credits: 0 });
    assert!(bench.payment(flagged).await.instruction().unwrap().is_some());
}

pub(crate) async fn an_erased_key_is_not_used_again(bench: &Bench) {
    bench.standing("A", PaymentState::Failed).await;
    erase(bench).await;
    for entry in [Entry::Open(Box::new(open_under("A", "B"))), Entry::Again(Box::new(open_under("A", "B")))] {
        assert_eq!(bench.refused(entry).await, Refused::Erased);
    }
    assert_eq!(
        bench.refused(Entry::Open(Box::new(crate::bench::open_of("B", crate::bench::pay("A"))))).await,
        Refused::ReferenceUsed
    );
    bench.opened(open("C")).await;
}

pub(crate) async fn a_delivery_of_nobody_is_erased_too(bench: &Bench) {
    let id = store(bench, "{1}").await;
    let open_one = bench.accepted("A").await;
    let bound = store(bench, "{2}").await;
    let told = Apply::new(open_one, Source::Delivery(bound), report("A", State::Pending));
    bench.done(Entry::Apply(Box::new(told))).await;
    bench.done(Entry::SetAside(SetAside::new(id, Aside::NotModelled))).await;
    assert_eq!(erase(bench).await, Done::Erased { payments: 0, deliveries: 1, credits: 0 });
    assert!(bench.journal.delivery(id).await.unwrap().unwrap().delivery().unwrap().is_none());
    let kept = bench.journal.delivery(bound).await.unwrap().unwrap();
    assert!(kept.delivery().unwrap().is_some(), "its payment is open");
    let again = StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, Raw::from("{1}"));
    let known = Done::AlreadyStored { delivery: id, payment: None, applied_at: None };
    assert_eq!(bench.done(Entry::StoreDelivery(Box::new(again))).await, known, "it is known by its digest");
}

pub(crate) async fn what_comes_after_an_erasure_is_erased_too(bench: &Bench) {
    let id = bench.standing("A", PaymentState::Paid).await;
    bench.clock.forward(10);
    bench.done(Entry::Erase(Erase::new(bench.now(), 9))).await;
    let body = Raw::from("{\"phone\":\"254708374149\"}");
    let late = StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, body).addressed_to("A".parse().unwrap());
    let Done::Stored(delivery) = bench.done(Entry::StoreDelivery(Box::new(late))).await else { panic!() };
    let apply = Apply::new(id, Source::Delivery(delivery), report("A", State::Reversed));
    bench.done(Entry::Apply(Box::new(apply))).await;
    assert_eq!(bench.state(id).await, PaymentState::Reversed, "it counts");
    let kept = bench.journal.delivery(delivery).await.unwrap().unwrap();
    assert!(kept.delivery().unwrap().is_none(), "and is forgotten");
    assert!(bench.journal.reports(id).await.unwrap().is_empty());
}

pub(crate) async fn what_nobody_has_read_yet_is_not_erased(bench: &Bench) {
    let id = bench.standing("A", PaymentState::Failed).await;
    let late = StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, Raw::from("{1}"))
        .addressed_to("A".parse().unwrap());
    let Done::Stored(unread) = bench.done(Entry::StoreDelivery(Box::new(late))).await else { panic!() };
    let notice = store(bench, "{2}").await;
    assert_eq!(erase(bench).await, Done::Erased { payments: 0, deliveries: 0, credits: 0 });
    for delivery in [unread, notice] {
        let kept = bench.journal.delivery(delivery).await.unwrap().unwrap();
        assert!(kept.delivery().unwrap().is_some(), "it was taken, and is still to be read");
    }
    // It says that the payment that was called failed was made.
    let apply = Apply::new(id, Source::Delivery(unread), report("A", State::Settled));
    bench.done(Entry::Apply(Box::new(apply))).await;
    assert!(bench.payment(id).await.attention().is_some(), "which a person has to look at");
    bench.done(Entry::SetAside(SetAside::new(notice, Aside::NotModelled))).await;
    assert_eq!(erase(bench).await, Done::Erased { payments: 0, deliveries: 1, credits: 0 });
}

pub(crate) async fn what_is_set_aside_after_an_erasure_is_erased_too(bench: &Bench) {
    bench.standing("A", PaymentState::Paid).await;
    erase(bench).await;
    let late = StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, Raw::from("<xml>"))
        .addressed_to("A".parse().unwrap());
    let Done::Stored(late) = bench.done(Entry::StoreDelivery(Box::new(late))).await else { panic!() };
    bench.done(Entry::SetAside(SetAside::new(late, Aside::Unreadable))).await;
    assert!(bench.journal.delivery(late).await.unwrap().unwrap().delivery().unwrap().is_none());
}
