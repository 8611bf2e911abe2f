use std::time::Duration;

use malipo_core::State;
use malipo_journal::{
    Apply, Begin, ClaimDue, Done, Entry, EventId, Find, Lease, News, PaymentId, PaymentState, Refused,
    Source, Start,
};

use crate::bench::{Bench, PROVIDER, begin, key, open, open_under, report};

pub(crate) async fn one_refused_entry_undoes_no_other(bench: &Bench) {
    let mut conflict = open_under("A", "B");
    conflict.fingerprint = open_of_other_body().fingerprint;
    let batch = vec![
        Entry::Open(Box::new(open("A"))),
        Entry::Open(Box::new(conflict)),
        Entry::Cancel(PaymentId(99)),
        Entry::Open(Box::new(open("C"))),
        Entry::Open(Box::new(open_under("D", "A"))),
    ];
    let results = bench.journal.commit(batch).await.unwrap();
    assert!(matches!(results[0], Ok(Done::Opened { payment: PaymentId(1), .. })));
    assert!(matches!(results[1], Err(Refused::Conflict { .. })));
    assert_eq!(results[2], Err(Refused::NoSuchPayment));
    assert!(matches!(results[3], Ok(Done::Opened { payment: PaymentId(2), .. })));
    assert_eq!(results[4], Err(Refused::ReferenceUsed));
    assert_eq!(bench.journal.find(&Find::Key(key("D"))).await.unwrap(), None);
    assert_eq!(bench.state(PaymentId(2)).await, PaymentState::Recorded);
}

fn open_of_other_body() -> malipo_journal::Open {
    let mut pay_out = crate::bench::pay("B");
    pay_out.terms.description = None;
    crate::bench::open_of("A", pay_out)
}

pub(crate) async fn a_refused_entry_leaves_no_trace(bench: &Bench) {
    let no_time = Lease::new("a".parse().unwrap(), Duration::ZERO);
    let batch = vec![
        Entry::Open(Box::new(open("A"))),
        // It is written down before it turns out that it cannot begin.
        Entry::Open(Box::new(open("B").with_start(Start::Now(no_time.clone())))),
        Entry::Begin(Begin::new(PaymentId(1), no_time.clone(), None)),
        Entry::ClaimDue(ClaimDue::new(PROVIDER, no_time, 9)),
        Entry::Open(Box::new(open("C"))),
    ];
    let results = bench.journal.commit(batch).await.unwrap();
    for refused in &results[1..4] {
        assert_eq!(*refused, Err(Refused::NoLease));
    }
    assert_eq!(bench.journal.find(&Find::Key(key("B"))).await.unwrap(), None);
    let events = bench.journal.events(EventId(0), 9).await.unwrap();
    assert_eq!(
        events.iter().map(|event| (event.id.0, event.payment.0)).collect::<Vec<_>>(),
        [(1, 1), (2, 2)]
    );
    assert!(bench.journal.attempts(PaymentId(1)).await.unwrap().is_empty());
    bench.opened(open("B")).await;
}

pub(crate) async fn an_entry_sees_what_came_before_it(bench: &Bench) {
    let id = PaymentId(1);
    let settled = Apply::new(id, Source::Answer, report("A", State::Settled));
    let batch = vec![
        Entry::Open(Box::new(open("A"))),
        begin(id, "a", None),
        Entry::Apply(Box::new(settled.clone())),
        Entry::Apply(Box::new(settled)),
        Entry::Cancel(id),
    ];
    let results = bench.journal.commit(batch).await.unwrap();
    assert!(matches!(results[1], Ok(Done::Begun(_))));
    assert_eq!(
        results[2],
        Ok(Done::Applied { from: PaymentState::Sending, state: PaymentState::Paid, news: News::New })
    );
    assert_eq!(
        results[3],
        Ok(Done::Applied { from: PaymentState::Paid, state: PaymentState::Paid, news: News::Repeat })
    );
    assert_eq!(results[4], Err(Refused::WrongState { state: PaymentState::Paid }));
}

pub(crate) async fn an_empty_batch_is_nothing(bench: &Bench) {
    assert_eq!(bench.journal.commit(Vec::new()).await.unwrap(), []);
}
