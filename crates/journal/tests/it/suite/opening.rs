use std::sync::Arc;

use malipo_core::{Confirm, Instruction, Money, Operation, ProviderId, Secret, State, Ticket};
use malipo_journal::{
    Attempt, Decision, Done, Entry, EventKind, Find, Generation, Intent, Open, PaymentState, Refused,
    Resolve, Start,
};

use crate::bench::{Bench, begin, key, lease, open, open_of, open_under, pay, report};

fn entry(open: Open) -> Entry {
    Entry::Open(Box::new(open))
}

fn again(open: Open) -> Entry {
    Entry::Again(Box::new(open))
}

pub(crate) async fn a_key_is_one_payment(bench: &Bench) {
    let id = bench.recorded("A").await;
    for reference in ["A", "B", "C"] {
        match bench.done(entry(open_under("A", reference))).await {
            Done::Existing(known) => assert_eq!((known.id, known.reference.as_str()), (id, "A")),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.journal.history(id).await.unwrap().len(), 1, "asking for it again is no event");
    assert_ne!(bench.recorded("B").await, id, "another key is another payment, also with the same body");
}

pub(crate) async fn a_known_key_answers_with_what_it_is(bench: &Bench) {
    for state in PaymentState::ALL {
        let name = state.as_str();
        bench.standing(name, *state).await;
        match bench.done(entry(open_under(name, "again").with_start(Start::Now(lease("b"))))).await {
            Done::Existing(known) => assert_eq!(known.state(), *state),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) async fn another_body_is_a_conflict_that_names_fields(bench: &Bench) {
    let id = bench.recorded("A").await;
    let changed = |change: fn(&mut malipo_core::PayOut)| {
        let mut pay_out = pay("B");
        change(&mut pay_out);
        open_of("A", pay_out)
    };
    #[rustfmt::skip]
    let rows = [
        (changed(|pay| pay.terms.amount = Money::kes("1500.01").unwrap()), vec!["amount"]),
        (changed(|pay| pay.to.name = None), vec!["name"]),
        (changed(|pay| pay.terms.description = Some("Loan 8".to_owned())), vec!["description"]),
        (changed(|pay| { pay.terms.details.insert("a", "b"); pay.to.phone = "0112345678".parse().ok(); }), vec!["phone", "details"]),
    ];
    for (open, fields) in rows {
        for entry in [entry(open.clone()), again(open.clone())] {
            assert_eq!(bench.refused(entry).await, Refused::Conflict { fields: fields.clone() });
        }
    }
    let mut elsewhere = open("A");
    elsewhere.provider = ProviderId::of("somepay-2");
    elsewhere.fingerprint = Intent::new(&elsewhere.provider, &elsewhere.instruction).fingerprint().unwrap();
    let refused = bench.refused(entry(elsewhere)).await;
    assert_eq!(refused, Refused::Conflict { fields: vec!["provider"] });

    // A callback of the caller's own counts; one that was minted for us always differs, and is not what is named.
    let mut given = open_under("A", "B");
    given.fingerprint = Intent::new(&given.provider, &given.instruction).fingerprint().unwrap();
    let refused = bench.refused(entry(given)).await;
    assert_eq!(refused, Refused::Conflict { fields: vec!["callback"] });
    assert!(!refused.to_string().contains("https"), "{refused}");
    assert_eq!(bench.journal.history(id).await.unwrap().len(), 1);
}

pub(crate) async fn a_step_is_no_payment(bench: &Bench) {
    let ticket = Ticket::new("A".parse().unwrap(), Operation::Collect);
    let confirm = Instruction::Confirm(Confirm::new(ticket, Secret::new("654321")));
    let mut step = open("A");
    step.instruction = confirm;
    let refused = bench.refused(entry(step)).await;
    assert!(matches!(refused, Refused::Unstorable(_)), "{refused}");
    assert_eq!(bench.journal.find(&Find::Key(key("A"))).await.unwrap(), None);
}

pub(crate) async fn a_reference_names_one_payment(bench: &Bench) {
    bench.recorded("A").await;
    assert_eq!(bench.refused(entry(open_under("B", "A"))).await, Refused::ReferenceUsed);
    let mut elsewhere = open_under("B", "A");
    elsewhere.provider = ProviderId::of("somepay-2");
    bench.opened(elsewhere).await;
}

pub(crate) async fn starting_now_is_one_commit(bench: &Bench) {
    let (id, begun) = bench.sending(open("A")).await;
    let payment = bench.payment(id).await;
    assert_eq!(
        (payment.state(), payment.attempt, begun.attempt),
        (PaymentState::Sending, Attempt(1), Attempt(1))
    );
    assert_eq!((payment.fence, payment.worker.unwrap().as_str()), (begun.fence, "a"));
    let attempts = bench.journal.attempts(id).await.unwrap();
    assert_eq!((attempts.len(), attempts[0].end, attempts[0].began_at), (1, None, bench.now()));
    let kinds: Vec<_> = bench.journal.history(id).await.unwrap().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Opened, EventKind::Began]);
}

pub(crate) async fn again_needs_a_definite_end(bench: &Bench) {
    assert_eq!(bench.refused(again(open("nobody"))).await, Refused::NoSuchPayment);
    for state in PaymentState::ALL {
        let name = state.as_str();
        let first = bench.standing(name, *state).await;
        let next = format!("{name}-2");
        let result = bench.one(again(open_under(name, &next).with_start(Start::Now(lease("a"))))).await;
        if !matches!(state, PaymentState::Failed | PaymentState::Cancelled) {
            assert_eq!(result, Err(Refused::NotOver { state: *state }));
            continue;
        }
        let Ok(Done::Opened { payment, begun: Some(begun) }) = result else { panic!("{result:?}") };
        let second = bench.payment(payment).await;
        assert_eq!((second.generation, second.reference.as_str()), (Generation(2), next.as_str()));
        assert_eq!(begun.attempt, Attempt(1));
        assert_ne!(second.id, first);
        assert_eq!(bench.state(first).await, *state);
        let newest = bench.journal.find(&Find::Key(key(name))).await.unwrap().unwrap();
        assert_eq!(newest.id, second.id);
        // One open payment for a key.
        let third = bench.refused(again(open_under(name, &format!("{name}-3")))).await;
        assert_eq!(third, Refused::NotOver { state: PaymentState::Sending });
    }
    bench.standing("reused", PaymentState::Failed).await;
    assert_eq!(bench.refused(again(open("reused"))).await, Refused::ReferenceUsed);
}

pub(crate) async fn again_is_refused_while_a_failure_is_contradicted(bench: &Bench) {
    let id = bench.standing("A", PaymentState::Failed).await;
    bench.tell(id, report("A", State::Settled)).await;
    assert_eq!(bench.refused(again(open_under("A", "B"))).await, Refused::Held { payment: id });
    let keep = Resolve::new(id, "amina", "the bank confirms that nothing moved", Decision::Keep);
    bench.done(Entry::Resolve(Box::new(keep))).await;
    assert!(matches!(bench.done(again(open_under("A", "B"))).await, Done::Opened { .. }));
}

pub(crate) async fn an_older_failure_that_is_contradicted_holds_what_came_after(bench: &Bench) {
    let first = bench.standing("A", PaymentState::Failed).await;
    let Done::Opened { payment: second, .. } = bench.done(again(open_under("A", "B"))).await else {
        panic!()
    };
    bench.tell(first, report("A", State::Settled)).await;
    assert_eq!(bench.refused(begin(second, "a", None)).await, Refused::Held { payment: first });
    bench.done(Entry::Cancel(second)).await;
    assert_eq!(bench.refused(again(open_under("A", "C"))).await, Refused::Held { payment: first });
}

pub(crate) async fn many_at_once_open_one_payment(bench: &Bench) {
    let barrier = Arc::new(std::sync::Barrier::new(32));
    let threads = (0..32).map(|number| {
        let journal = if number % 2 == 0 { bench.journal.clone() } else { bench.other.clone() };
        let barrier = barrier.clone();
        std::thread::spawn(move || {
            let open = open_under("A", &format!("A-{number}")).with_start(Start::Now(lease("a")));
            barrier.wait();
            pollster::block_on(journal.commit(vec![entry(open)])).unwrap().remove(0).unwrap()
        })
    });
    let threads: Vec<_> = threads.collect();
    let mut opened = 0;
    for thread in threads {
        match thread.join().unwrap() {
            Done::Opened { begun: Some(_), .. } => opened += 1,
            Done::Existing(known) => assert_eq!(known.key, key("A")),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(opened, 1, "one of them may send");
}
