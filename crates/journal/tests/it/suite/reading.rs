use malipo_core::{ProviderId, State};
use malipo_journal::{EventId, Filter, Find, PaymentId, PaymentState};

use crate::bench::{Bench, PROVIDER, key, report};

pub(crate) async fn a_payment_is_found_by_each_of_its_names(bench: &Bench) {
    let id = bench.accepted("A").await;
    let other = bench.accepted("B").await;
    let by_ref = |provider: &ProviderId, kind: &str, value: &str| Find::ProviderRef {
        provider: provider.clone(),
        kind: kind.to_owned(),
        value: value.to_owned(),
    };
    let elsewhere = ProviderId::of("somepay-2");
    let rows = [
        (Find::Id(id), Some(id)),
        (Find::Id(PaymentId(99)), None),
        (Find::Key(key("A")), Some(id)),
        (Find::Key(key("a")), None),
        (Find::Reference(PROVIDER, "A".parse().unwrap()), Some(id)),
        (Find::Reference(elsewhere.clone(), "A".parse().unwrap()), None),
        (by_ref(&PROVIDER, "conversation", "AG-A"), Some(id)),
        (by_ref(&PROVIDER, "conversation", "AG-X"), None),
        (by_ref(&PROVIDER, "transaction", "AG-A"), None),
        (by_ref(&elsewhere, "conversation", "AG-A"), None),
    ];
    for (by, expected) in rows {
        let found = bench.journal.find(&by).await.unwrap();
        assert_eq!(found.map(|payment| payment.id), expected, "{by:?}");
    }
    // A name that two payments have names neither.
    let mut shared = report("B", State::Pending);
    shared.provider_refs = malipo_core::ProviderRefs::new().with("batch", Some("7"));
    bench.tell(other, shared.clone()).await;
    assert!(bench.journal.find(&by_ref(&PROVIDER, "batch", "7")).await.unwrap().is_some());
    shared.reference = Some("A".parse().unwrap());
    bench.tell(id, shared).await;
    assert_eq!(bench.journal.find(&by_ref(&PROVIDER, "batch", "7")).await.unwrap(), None);
}

pub(crate) async fn payments_are_listed_in_pages(bench: &Bench) {
    for state in PaymentState::ALL {
        bench.standing(state.as_str(), *state).await;
    }
    let flagged = bench.standing("flagged", PaymentState::Paid).await;
    bench.tell(flagged, report("flagged", State::Failed)).await;
    let list = async |which, after, limit| {
        let found = bench.journal.list(which, PaymentId(after), limit).await.unwrap();
        found.iter().map(|payment| payment.key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list(Filter::Open, 0, 99).await, ["recorded", "sending", "accepted", "unknown", "review"]);
    assert_eq!(list(Filter::Open, 2, 2).await, ["accepted", "unknown"]);
    assert_eq!(list(Filter::In(PaymentState::Paid), 0, 99).await, ["paid", "flagged"]);
    assert_eq!(list(Filter::In(PaymentState::Paid), 5, 99).await, ["flagged"]);
    assert_eq!(list(Filter::NeedsPerson, 0, 99).await, ["review", "flagged"]);
    assert!(list(Filter::Open, 0, 0).await.is_empty());
}

pub(crate) async fn events_follow_one_another(bench: &Bench) {
    for name in ["A", "B", "C"] {
        bench.accepted(name).await;
    }
    let all = bench.journal.events(EventId(0), u32::MAX).await.unwrap();
    let mut read = Vec::new();
    loop {
        let after = read.last().map_or(EventId(0), |last: &malipo_journal::Event| last.id);
        let page = bench.journal.events(after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read, all);
    assert_eq!(all.len(), 9);
    let numbers: Vec<_> = all.iter().map(|event| event.id.0).collect();
    assert_eq!(numbers, (1..=9).collect::<Vec<_>>(), "a refused entry leaves no hole");
    let of_second = bench.journal.history(PaymentId(2)).await.unwrap();
    assert_eq!(of_second, all.into_iter().filter(|event| event.payment == PaymentId(2)).collect::<Vec<_>>());
}
