//! Deliveries that are read once more.

use malipo_core::{DeliveryPurpose, Money, Operation, Raw, State, ToldParty};
use malipo_journal::{
    Apply, Aside, Attention, Deliveries, DeliveryId, Done, Entry, Event, EventKind, MatchUnaddressed, News,
    PaymentId, PaymentState, Raise, Reason, Refused, SetAside, Source, StoreDelivery,
};

use crate::bench::{Bench, PROVIDER, open, report};

async fn stored(bench: &Bench, body: &str, reference: Option<&str>) -> DeliveryId {
    let mut store = StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, Raw::from(body));
    if let Some(reference) = reference {
        store = store.addressed_to(reference.parse().unwrap());
    }
    match bench.done(Entry::StoreDelivery(Box::new(store))).await {
        Done::Stored(id) => id,
        other => panic!("{other:?}"),
    }
}

fn apply(payment: PaymentId, source: Source, state: State, reference: &str) -> Entry {
    Entry::Apply(Box::new(Apply::new(payment, source, report(reference, state))))
}

async fn newest(bench: &Bench, payment: PaymentId) -> Event {
    bench.journal.history(payment).await.unwrap().pop().unwrap()
}

pub(crate) async fn a_replay_that_tells_nothing_new_is_one_event(bench: &Bench) {
    let id = bench.accepted("A").await;
    let delivery = stored(bench, "{1}", Some("A")).await;
    bench.done(apply(id, Source::Delivery(delivery), State::Settled, "A")).await;
    let (first, before) = (newest(bench, id).await, bench.payment(id).await);
    assert!(!first.replayed);
    let applied_at = bench.journal.delivery(delivery).await.unwrap().unwrap().applied_at;
    bench.clock.forward(60);
    for _ in 0..2 {
        let again = bench.done(apply(id, Source::Replay(delivery), State::Settled, "A")).await;
        let repeat =
            Done::Applied { from: PaymentState::Paid, state: PaymentState::Paid, news: News::Repeat };
        assert_eq!(again, repeat);
        let event = newest(bench, id).await;
        assert_eq!((event.kind, event.delivery, event.replayed), (EventKind::Replayed, Some(delivery), true));
        assert_eq!((event.outcome(), event.at), (None, bench.now()));
    }
    let after = bench.payment(id).await;
    assert_eq!((after.standing, after.over_at), (before.standing, before.over_at));
    assert_eq!(newest(bench, id).await.sequence, first.sequence + 2);
    let kept = bench.journal.delivery(delivery).await.unwrap().unwrap();
    assert_eq!(kept.applied_at, applied_at, "it was applied when it was");
    assert_eq!(bench.journal.reports(id).await.unwrap().len(), 2, "no report is kept twice");
}

pub(crate) async fn a_replay_takes_nothing_back_that_was_said_since(bench: &Bench) {
    let id = bench.accepted("A").await;
    let delivery = stored(bench, "{1}", Some("A")).await;
    let told = |source, code: &str| {
        let mut told = report("A", State::Pending);
        told.code = Some(code.to_owned());
        Entry::Apply(Box::new(Apply::new(id, source, told)))
    };
    bench.done(told(Source::Delivery(delivery), "queued")).await;
    bench.done(told(Source::Answer, "on its way")).await;
    bench.done(told(Source::Replay(delivery), "queued")).await;
    assert_eq!(newest(bench, id).await.kind, EventKind::Replayed);
    assert_eq!(bench.payment(id).await.code.as_deref(), Some("on its way"));
    // What was never applied tells it for the first time.
    let aside = stored(bench, "{2}", Some("A")).await;
    bench.done(Entry::SetAside(SetAside::new(aside, Aside::NotModelled))).await;
    bench.done(told(Source::Replay(aside), "held")).await;
    assert_eq!(bench.payment(id).await.code.as_deref(), Some("held"));
}

pub(crate) async fn what_was_set_aside_is_folded_in_by_a_replay(bench: &Bench) {
    let id = bench.accepted("A").await;
    let delivery = stored(bench, "{1}", Some("A")).await;
    bench.done(Entry::SetAside(SetAside::new(delivery, Aside::Unreadable))).await;
    let told = bench.done(apply(id, Source::Replay(delivery), State::Settled, "A")).await;
    let new = Done::Applied { from: PaymentState::Accepted, state: PaymentState::Paid, news: News::New };
    assert_eq!(told, new);
    let event = newest(bench, id).await;
    assert_eq!(
        (event.kind, event.outcome(), event.replayed),
        (EventKind::Reported, Some(PaymentState::Paid), true)
    );
    let kept = bench.journal.delivery(delivery).await.unwrap().unwrap();
    assert_eq!((kept.set_aside, kept.applied_at), (None, Some(bench.now())));
    // What contradicts is flagged as at first.
    let other = stored(bench, "{2}", Some("A")).await;
    bench.done(Entry::SetAside(SetAside::new(other, Aside::NotModelled))).await;
    bench.done(apply(id, Source::Replay(other), State::Failed, "A")).await;
    let flagged = bench.payment(id).await;
    assert_eq!(flagged.state(), PaymentState::Paid);
    assert_eq!(flagged.attention().unwrap().reason, Reason::Contradicted);
}

pub(crate) async fn a_replay_is_noted_with_its_payment(bench: &Bench) {
    let id = bench.accepted("A").await;
    let (its, nobodys) = (stored(bench, "{1}", Some("A")).await, stored(bench, "{2}", None).await);
    assert_eq!(bench.done(Entry::NoteReplay(its)).await, Done::Replayed(Some(id)));
    let event = newest(bench, id).await;
    assert_eq!((event.kind, event.delivery, event.replayed), (EventKind::Replayed, Some(its), true));
    assert_eq!(bench.state(id).await, PaymentState::Accepted);
    assert_eq!(bench.done(Entry::NoteReplay(nobodys)).await, Done::Replayed(None));
    assert_eq!(newest(bench, id).await, event, "there is nobody to note it with");
    assert_eq!(bench.refused(Entry::NoteReplay(DeliveryId(99))).await, Refused::NoSuchDelivery);
    let gone = apply(id, Source::Replay(DeliveryId(99)), State::Settled, "A");
    assert_eq!(bench.refused(gone).await, Refused::NoSuchDelivery);
    let other = bench.accepted("B").await;
    let refused = bench.refused(apply(other, Source::Replay(its), State::Settled, "B")).await;
    assert_eq!(refused, Refused::OtherPayment(id));
}

pub(crate) async fn what_comes_of_a_replay_says_so(bench: &Bench) {
    let id = bench.unknown(open("A")).await;
    let delivery = stored(bench, "{1}", None).await;
    let amount = Money::kes("1500").unwrap();
    let matching = MatchUnaddressed::new(delivery, PROVIDER, Operation::PayOut, amount)
        .with_party(ToldParty::new(Some("0708374149"), None))
        .replayed();
    assert_eq!(bench.done(Entry::MatchUnaddressed(Box::new(matching))).await, Done::Matched(id));
    let event = newest(bench, id).await;
    assert_eq!((event.kind, event.replayed), (EventKind::Matched, true));
    let attention = Attention::new(Reason::Unconfirmed);
    bench.done(Entry::Raise(Box::new(Raise::new(id, Some(delivery), attention).replayed()))).await;
    let event = newest(bench, id).await;
    assert_eq!((event.kind, event.replayed), (EventKind::Noticed, true));
    bench.tell(id, report("A", State::Settled)).await;
    assert!(!newest(bench, id).await.replayed, "an answer of today is no replay");
}

pub(crate) async fn it_is_set_aside_for_what_is_read_today(bench: &Bench) {
    let delivery = stored(bench, "{1}", None).await;
    let aside = |why| SetAside::new(delivery, why);
    assert_eq!(bench.done(Entry::SetAside(aside(Aside::Unreadable))).await, Done::SetAside(News::New));
    let again = aside(Aside::Balances).replayed();
    assert_eq!(bench.done(Entry::SetAside(again)).await, Done::SetAside(News::Repeat));
    let kept = bench.journal.delivery(delivery).await.unwrap().unwrap();
    assert_eq!(kept.set_aside, Some(Aside::Balances));
}

pub(crate) async fn every_delivery_is_listed(bench: &Bench) {
    let id = bench.accepted("A").await;
    let applied = stored(bench, "{1}", Some("A")).await;
    bench.done(apply(id, Source::Delivery(applied), State::Settled, "A")).await;
    let aside = stored(bench, "{2}", None).await;
    bench.done(Entry::SetAside(SetAside::new(aside, Aside::Credit))).await;
    let waiting = stored(bench, "{3}", None).await;
    let list = async |after: DeliveryId, limit: u32| -> Vec<DeliveryId> {
        let page = bench.journal.deliveries(&Deliveries::All, after, limit).await.unwrap();
        page.iter().map(|delivery| delivery.id).collect()
    };
    assert_eq!(list(DeliveryId(0), 9).await, [applied, aside, waiting]);
    assert_eq!(list(applied, 1).await, [aside]);
    assert!(list(waiting, 9).await.is_empty());
}
