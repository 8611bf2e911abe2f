use malipo_core::{
    DeliveryPurpose, Money, Operation, ProviderId, ProviderRefs, Raw, State, ToldParty, Trust,
};
use malipo_journal::{
    Apply, Aside, Attention, Deliveries, DeliveryId, Done, Entry, EventKind, MatchUnaddressed, News,
    PaymentId, PaymentState, Raise, Reason, Refused, SetAside, Source, StoreDelivery,
};

use crate::bench::{Bench, PROVIDER, open, pay, report};

fn delivery(body: &str) -> StoreDelivery {
    StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, Raw::from(body))
}

fn store(delivery: StoreDelivery) -> Entry {
    Entry::StoreDelivery(Box::new(delivery))
}

async fn stored(bench: &Bench, delivery: StoreDelivery) -> DeliveryId {
    match bench.done(store(delivery)).await {
        Done::Stored(id) => id,
        other => panic!("{other:?}"),
    }
}

fn apply(payment: PaymentId, delivery: DeliveryId, report: malipo_core::Report) -> Entry {
    Entry::Apply(Box::new(Apply::new(payment, Source::Delivery(delivery), report)))
}

pub(crate) async fn a_delivery_is_stored_once(bench: &Bench) {
    let id = stored(bench, delivery("{1}")).await;
    let again = Done::AlreadyStored { delivery: id, payment: None, applied_at: None };
    bench.clock.forward(60);
    assert_eq!(bench.done(store(delivery("{1}").with_header("X-Other", "1"))).await, again);
    // The same words elsewhere are another delivery.
    let mut others = vec![
        delivery("{2}"),
        delivery("{1}").addressed_to("A".parse().unwrap()),
        delivery("{1}").addressed_to("B".parse().unwrap()),
        StoreDelivery::new(PROVIDER, DeliveryPurpose::Timeout, Raw::from("{1}")),
        StoreDelivery::new(ProviderId::of("somepay-2"), DeliveryPurpose::Result, Raw::from("{1}")),
    ];
    for other in others.drain(..) {
        let new = stored(bench, other.clone()).await;
        let again = Done::AlreadyStored { delivery: new, payment: None, applied_at: None };
        assert_eq!(bench.done(store(other)).await, again);
    }
    let waiting = bench.journal.deliveries(&Deliveries::Waiting(PROVIDER), DeliveryId(0), 9).await.unwrap();
    assert_eq!(waiting.len(), 5, "and one of another account");
    let page = bench.journal.deliveries(&Deliveries::Waiting(PROVIDER), waiting[1].id, 2).await.unwrap();
    assert_eq!(page.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [waiting[2].id, waiting[3].id]);
}

pub(crate) async fn a_delivery_comes_back_as_it_came(bench: &Bench) {
    let came = StoreDelivery::new(PROVIDER, DeliveryPurpose::AnswerTimeout, Raw::from(b"\x00{\xff".to_vec()))
        .addressed_to("A".parse().unwrap())
        .with_header("X-Signature", b"\xfe\"a".to_vec());
    let id = stored(bench, came).await;
    let kept = bench.journal.delivery(id).await.unwrap().unwrap();
    assert_eq!((kept.received_at, kept.purpose), (bench.now(), DeliveryPurpose::AnswerTimeout));
    let delivery = kept.delivery().unwrap().unwrap();
    assert_eq!(delivery.body.bytes(), b"\x00{\xff");
    assert_eq!(delivery.headers.single("x-signature"), Ok(Some(&b"\xfe\"a"[..])));
    assert_eq!((delivery.purpose, delivery.trust()), (DeliveryPurpose::AnswerTimeout, Trust::Addressed));
    assert_eq!(delivery.addressed, Some("A".parse().unwrap()));
    assert!(bench.journal.delivery(DeliveryId(99)).await.unwrap().is_none());
}

pub(crate) async fn a_delivery_is_applied_once(bench: &Bench) {
    let id = bench.accepted("A").await;
    let other = bench.accepted("B").await;
    let delivery_id = stored(bench, delivery("{1}").addressed_to("A".parse().unwrap())).await;
    let settled = apply(id, delivery_id, report("A", State::Settled));
    let new = Done::Applied { from: PaymentState::Accepted, state: PaymentState::Paid, news: News::New };
    assert_eq!(bench.done(settled.clone()).await, new);
    let kept = bench.journal.delivery(delivery_id).await.unwrap().unwrap();
    assert_eq!((kept.payment, kept.applied_at), (Some(id), Some(bench.now())));
    let event = bench.journal.history(id).await.unwrap().pop().unwrap();
    assert_eq!((event.kind, event.delivery), (EventKind::Reported, Some(delivery_id)));
    // Whatever is read into it the next time.
    for told in [State::Settled, State::Failed] {
        let repeat =
            Done::Applied { from: PaymentState::Paid, state: PaymentState::Paid, news: News::Repeat };
        assert_eq!(bench.done(apply(id, delivery_id, report("A", told))).await, repeat);
    }
    assert_eq!(bench.payment(id).await.attention(), None);
    let refused = bench.refused(apply(other, delivery_id, report("B", State::Settled))).await;
    assert_eq!(refused, Refused::OtherPayment(id));
    let refused = bench.refused(apply(id, DeliveryId(99), report("A", State::Settled))).await;
    assert_eq!(refused, Refused::NoSuchDelivery);
    let again =
        Done::AlreadyStored { delivery: delivery_id, payment: Some(id), applied_at: Some(bench.now()) };
    assert_eq!(bench.done(store(delivery("{1}").addressed_to("A".parse().unwrap()))).await, again);
    assert!(
        bench.journal.deliveries(&Deliveries::Waiting(PROVIDER), DeliveryId(0), 9).await.unwrap().is_empty()
    );
    // The bytes are kept once.
    let reports = bench.journal.reports(id).await.unwrap();
    assert!(reports.last().unwrap().raw.is_empty());
}

fn unaddressed(delivery: DeliveryId) -> MatchUnaddressed {
    MatchUnaddressed::new(delivery, PROVIDER, Operation::PayOut, Money::kes("1500").unwrap())
        .with_party(ToldParty::new(Some("0708374149"), None))
}

fn find(unaddressed: MatchUnaddressed) -> Entry {
    Entry::MatchUnaddressed(Box::new(unaddressed))
}

pub(crate) async fn a_delivery_without_an_address_needs_one_payment_that_fits(bench: &Bench) {
    let first = stored(bench, delivery("{1}")).await;
    let nobody = Done::NotMatched { candidates: Vec::new() };
    assert_eq!(bench.done(find(unaddressed(first))).await, nobody, "there is none");
    for state in [PaymentState::Recorded, PaymentState::Paid, PaymentState::Failed, PaymentState::Cancelled] {
        bench.standing(state.as_str(), state).await;
    }
    assert_eq!(bench.done(find(unaddressed(first))).await, nobody, "none of them can have just moved");

    let mut elsewhere = pay("elsewhere");
    elsewhere.to = malipo_core::Payee::wallet(malipo_core::Network::Safaricom, "0722000111".parse().unwrap());
    bench.unknown(crate::bench::open_of("elsewhere", elsewhere)).await;
    let mut more = pay("more");
    more.terms.amount = Money::kes("1501").unwrap();
    bench.unknown(crate::bench::open_of("more", more)).await;
    assert_eq!(bench.done(find(unaddressed(first))).await, nobody, "neither party nor amount may differ");

    let fits = bench.unknown(open("fits")).await;
    assert_eq!(bench.done(find(unaddressed(first))).await, Done::Matched(fits));
    assert_eq!(bench.done(find(unaddressed(first))).await, Done::Matched(fits), "and stays so");
    let kept = bench.journal.delivery(first).await.unwrap().unwrap();
    assert_eq!((kept.payment, kept.applied_at), (Some(fits), None), "found, and not yet applied");
    let other = bench.accepted("other").await;
    let refused = bench.refused(apply(other, first, report("other", State::Settled))).await;
    assert_eq!(refused, Refused::OtherPayment(fits));

    let second = stored(bench, delivery("{2}")).await;
    let twins = Done::NotMatched { candidates: vec![fits, other] };
    assert_eq!(bench.done(find(unaddressed(second))).await, twins, "a guess is no match");
    assert_eq!(bench.journal.delivery(second).await.unwrap().unwrap().payment, None);
    let refused = bench.refused(find(unaddressed(DeliveryId(99)))).await;
    assert_eq!(refused, Refused::NoSuchDelivery);
}

pub(crate) async fn a_known_name_decides(bench: &Bench) {
    let paid = bench.standing("A", PaymentState::Paid).await;
    bench.unknown(open("B")).await;
    bench.unknown(open("C")).await;
    let named = |value: &str| ProviderRefs::new().with("conversation", Some(value));
    let first = stored(bench, delivery("{1}")).await;
    let matched = bench.done(find(unaddressed(first).with_provider_refs(named("AG-A")))).await;
    assert_eq!(matched, Done::Matched(paid), "also when it is over");
    // A known name with another amount is not that payment, and not another one either.
    let second = stored(bench, delivery("{2}")).await;
    let mut other = unaddressed(second).with_provider_refs(named("AG-A"));
    other.amount = Money::kes("2").unwrap();
    assert_eq!(bench.done(find(other)).await, Done::NotMatched { candidates: Vec::new() });
}

pub(crate) async fn how_much_alone_fits_nobody(bench: &Bench) {
    bench.unknown(open("A")).await;
    let id = stored(bench, delivery("{1}")).await;
    for party in [None, ToldParty::new(None, Some("Wanjiku Otieno"))] {
        let anybody = unaddressed(id).with_party(party);
        assert_eq!(bench.done(find(anybody)).await, Done::NotMatched { candidates: Vec::new() });
    }
}

pub(crate) async fn what_is_set_aside_waits_for_nobody(bench: &Bench) {
    let unapplied = async || -> Vec<_> {
        let waiting =
            bench.journal.deliveries(&Deliveries::Waiting(PROVIDER), DeliveryId(0), 9).await.unwrap();
        waiting.iter().map(|delivery| delivery.id).collect()
    };
    let (first, second) = (stored(bench, delivery("{1}")).await, stored(bench, delivery("{2}")).await);
    assert_eq!(unapplied().await, [first, second]);
    let aside = |delivery, why| Entry::SetAside(SetAside::new(delivery, why));
    assert_eq!(bench.done(aside(first, Aside::Balances)).await, Done::SetAside(News::New));
    assert_eq!(bench.done(aside(first, Aside::Credit)).await, Done::SetAside(News::Repeat));
    assert_eq!(unapplied().await, [second]);
    let kept = bench.journal.delivery(first).await.unwrap().unwrap();
    assert_eq!((kept.set_aside, kept.applied_at), (Some(Aside::Balances), None));
    let aside_now = bench.journal.deliveries(&Deliveries::SetAside, DeliveryId(0), 9).await.unwrap();
    assert_eq!(aside_now, std::slice::from_ref(&kept));
    let elsewhere = Deliveries::Waiting(ProviderId::of("otherpay"));
    assert!(bench.journal.deliveries(&elsewhere, DeliveryId(0), 9).await.unwrap().is_empty());
    assert!(kept.delivery().unwrap().is_some(), "it is kept");
    // A later version may read it after all.
    let id = bench.accepted("A").await;
    bench.done(apply(id, first, report("A", State::Settled))).await;
    let kept = bench.journal.delivery(first).await.unwrap().unwrap();
    assert_eq!((kept.set_aside, kept.payment), (None, Some(id)));
    assert_eq!(bench.refused(aside(DeliveryId(99), Aside::Credit)).await, Refused::NoSuchDelivery);
}

pub(crate) async fn what_comes_to_a_url_of_a_payment_is_of_that_payment(bench: &Bench) {
    let id = bench.accepted("A").await;
    let came = stored(bench, delivery("not even JSON").addressed_to("A".parse().unwrap())).await;
    let nobodys = stored(bench, delivery("{2}").addressed_to("B".parse().unwrap())).await;
    let kept = bench.journal.delivery(came).await.unwrap().unwrap();
    assert_eq!((kept.payment, kept.applied_at), (Some(id), None));
    let of = bench.journal.deliveries(&Deliveries::Of(id), DeliveryId(0), 9).await.unwrap();
    assert_eq!(of, [kept]);
    assert_eq!(bench.journal.delivery(nobodys).await.unwrap().unwrap().payment, None);
}

pub(crate) async fn a_person_is_told_once_of_what_settles_nothing(bench: &Bench) {
    let id = bench.accepted("A").await;
    let came = stored(bench, delivery("{1}").addressed_to("A".parse().unwrap())).await;
    let attention = Attention::new(Reason::Unconfirmed).with("an answer", "settled");
    let raise = |id| Entry::Raise(Box::new(Raise::new(id, Some(came), attention.clone())));
    assert_eq!(bench.done(raise(id)).await, Done::Raised(News::New));
    assert_eq!(bench.done(raise(id)).await, Done::Raised(News::Repeat));
    assert_eq!(
        (bench.state(id).await, bench.payment(id).await.attention()),
        (PaymentState::Accepted, Some(&attention))
    );
    bench.tell(id, report("A", State::Settled)).await;
    assert_eq!(bench.payment(id).await.attention(), None, "the gateway said so itself");
    // Of what is paid only that the money may have come back.
    let stuck = Entry::Raise(Box::new(Raise::new(id, None, Attention::new(Reason::Stuck))));
    assert_eq!(bench.done(stuck).await, Done::Raised(News::Repeat));
    let back = Attention::new(Reason::Unconfirmed).with("an answer", "reversed");
    let entry = Entry::Raise(Box::new(Raise::new(id, None, back.clone())));
    assert_eq!(bench.done(entry).await, Done::Raised(News::New));
    assert_eq!(
        (bench.state(id).await, bench.payment(id).await.attention()),
        (PaymentState::Paid, Some(&back))
    );
    // What was told takes the place of what only waiting brought up.
    let silent = bench.accepted("B").await;
    let stuck = Attention::new(Reason::Stuck);
    bench.done(Entry::Raise(Box::new(Raise::new(silent, None, stuck)))).await;
    bench.done(raise(silent)).await;
    assert_eq!(bench.payment(silent).await.attention().unwrap().reason, Reason::Unconfirmed);
}
