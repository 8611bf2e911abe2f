use malipo_core::{Money, State};
use malipo_journal::{
    Attempt, ClaimDue, Decision, Done, Entry, EventKind, Overdue, PaymentId, PaymentState, Reason, Refused,
    Resolve, Sweep, Twins,
};

use crate::bench::{Bench, PROVIDER, begin, lease, open, open_under, report};

fn resolve(id: PaymentId, decision: Decision) -> Entry {
    Entry::Resolve(Box::new(Resolve::new(id, "amina", "the statement of 22 November", decision)))
}

fn paid() -> Decision {
    Decision::Paid { receipt: Some("RC-9".to_owned()) }
}

pub(crate) async fn a_person_decides_what_is_in_review(bench: &Bench) {
    for (name, decision, state) in
        [("A", paid(), PaymentState::Paid), ("B", Decision::Failed, PaymentState::Failed)]
    {
        let id = bench.standing(name, PaymentState::Review).await;
        let resolved = Done::Resolved { state, begun: None };
        assert_eq!(bench.done(resolve(id, decision)).await, resolved);
        let payment = bench.payment(id).await;
        assert_eq!((payment.state(), payment.attention()), (state, None));
        assert_eq!(payment.receipt.as_deref(), (state == PaymentState::Paid).then_some("RC-9"));
        let event = bench.journal.history(id).await.unwrap().pop().unwrap();
        assert_eq!((event.kind, event.operator.as_deref()), (EventKind::Resolved, Some("amina")));
        assert_eq!(
            (event.note.as_deref(), event.outcome()),
            (Some("the statement of 22 November"), Some(state))
        );
    }
    // A late result that contradicts a person is flagged, and one that agrees is not.
    let id = bench.standing("late", PaymentState::Review).await;
    bench.done(resolve(id, Decision::Failed)).await;
    bench.tell(id, report("late", State::Settled)).await;
    let payment = bench.payment(id).await;
    assert_eq!(payment.state(), PaymentState::Failed);
    assert!(payment.attention().is_some());

    for state in PaymentState::ALL.iter().filter(|state| **state != PaymentState::Review) {
        let id = bench.standing(state.as_str(), *state).await;
        for decision in [paid(), Decision::Failed, Decision::SendAgain(lease("a")), Decision::Keep] {
            let refused = bench.refused(resolve(id, decision)).await;
            assert_eq!(refused, Refused::WrongState { state: *state });
        }
    }
    assert_eq!(bench.refused(resolve(PaymentId(99), paid())).await, Refused::NoSuchPayment);
}

pub(crate) async fn a_person_sends_again(bench: &Bench) {
    let id = bench.standing("A", PaymentState::Review).await;
    let before = bench.payment(id).await;
    let done = bench.done(resolve(id, Decision::SendAgain(lease("b")))).await;
    let Done::Resolved { state: PaymentState::Sending, begun: Some(begun) } = done else {
        panic!("{done:?}")
    };
    assert_eq!(begun.attempt, Attempt(2));
    assert!(begun.fence > before.fence);
    let payment = bench.payment(id).await;
    assert_eq!((payment.attention(), payment.worker.as_ref().unwrap().as_str()), (None, "b"));
    assert_eq!(payment.reference.as_str(), "A");
    assert_eq!(bench.journal.attempts(id).await.unwrap().len(), 2);
    let refused = bench.refused(resolve(id, Decision::SendAgain(lease("b")))).await;
    assert_eq!(refused, Refused::WrongState { state: PaymentState::Sending });
}

pub(crate) async fn a_flag_is_taken_down_by_a_person(bench: &Bench) {
    let id = bench.standing("A", PaymentState::Paid).await;
    bench.tell(id, report("A", State::Failed)).await;
    let kept = Done::Resolved { state: PaymentState::Paid, begun: None };
    assert_eq!(bench.done(resolve(id, Decision::Keep)).await, kept);
    let payment = bench.payment(id).await;
    assert_eq!((payment.state(), payment.attention()), (PaymentState::Paid, None));
    assert_eq!(
        bench.refused(resolve(id, Decision::Keep)).await,
        Refused::WrongState { state: PaymentState::Paid }
    );
    let review = bench.standing("B", PaymentState::Review).await;
    let refused = bench.refused(resolve(review, Decision::Keep)).await;
    assert_eq!(refused, Refused::WrongState { state: PaymentState::Review }, "a review ends with a decision");
    // The same contradiction told once more is flagged once more.
    bench.tell(id, report("A", State::Failed)).await;
    assert!(bench.payment(id).await.attention().is_some());
}

pub(crate) async fn a_decision_has_a_name_and_a_reason(bench: &Bench) {
    let id = bench.standing("A", PaymentState::Review).await;
    let long = "x".repeat(201);
    for (operator, reason) in
        [("", "because"), ("amina", " "), ("amina\n", "because"), ("amina", long.as_str())]
    {
        let resolve = Resolve::new(id, operator, reason, Decision::Failed);
        assert_eq!(bench.refused(Entry::Resolve(Box::new(resolve))).await, Refused::Unexplained);
    }
    assert_eq!(bench.state(id).await, PaymentState::Review);
}

pub(crate) async fn a_person_does_not_send_what_may_be_paid_elsewhere(bench: &Bench) {
    let again = |id| {
        let decision = Decision::SendAgain(lease("desk"));
        Entry::Resolve(Box::new(Resolve::new(id, "amina", "not on the list", decision)))
    };
    // The first payment of the key was called failed, and something says that it was made.
    let first = bench.standing("A", PaymentState::Failed).await;
    let next = open_under("A", "A2");
    let Done::Opened { payment: second, .. } = bench.done(Entry::Again(Box::new(next))).await else {
        panic!()
    };
    bench.begun(begin(second, "a", None)).await;
    bench.clock.forward(61);
    bench.done(Entry::Sweep(Sweep::new(9))).await;
    let Done::Claimed(claims) = bench.done(Entry::ClaimDue(ClaimDue::new(PROVIDER, lease("a"), 9))).await
    else {
        panic!()
    };
    bench.done(Entry::Overdue(Overdue::new(second, claims[0].fence, Reason::Silent))).await;
    bench.tell(first, report("A", State::Settled)).await;
    assert_eq!(bench.refused(again(second)).await, Refused::Held { payment: first });
    // Nothing could tell it from one that may be out.
    let held = bench.standing("B", PaymentState::Review).await;
    assert!(
        matches!(bench.one(again(held)).await, Ok(Done::Resolved { .. })),
        "where references are told apart"
    );
    let entry = Entry::Open(Box::new(open("T").with_twins(Twins::Held)));
    let Done::Opened { payment: twin, .. } = bench.done(entry).await else { panic!() };
    bench.clock.forward(1);
    let Done::Claimed(claims) = bench.done(Entry::ClaimDue(ClaimDue::new(PROVIDER, lease("a"), 9))).await
    else {
        panic!()
    };
    let claim = claims.iter().find(|claim| claim.payment.id == twin).unwrap();
    bench.done(Entry::Overdue(Overdue::new(twin, claim.fence, Reason::Silent))).await;
    assert!(matches!(bench.refused(again(twin)).await, Refused::Twin { .. }));
}

pub(crate) async fn nobody_decides_while_an_attempt_is_on_its_way(bench: &Bench) {
    let (id, _) = bench.sending(open("A")).await;
    let mut other = report("A", State::Settled);
    other.amount = Money::kes("1").ok();
    bench.tell(id, other).await;
    assert_eq!(bench.state(id).await, PaymentState::Review);
    let failed = Entry::Resolve(Box::new(Resolve::new(id, "amina", "seen", Decision::Failed)));
    assert!(matches!(bench.refused(failed.clone()).await, Refused::Leased { .. }));
    bench.clock.forward(61);
    assert!(matches!(bench.done(failed).await, Done::Resolved { .. }));
}
