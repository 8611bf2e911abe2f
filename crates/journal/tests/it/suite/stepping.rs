use malipo_core::{Money, Operation, State};
use malipo_journal::{
    Attempt, AttemptEnd, Done, Entry, EventKind, Notes, Outcome, PaymentId, PaymentState, Refused,
};

use crate::bench::{Bench, begin_confirm, open_collection, report};

/// A collection that the gateway took.
async fn collection(bench: &Bench, name: &str) -> PaymentId {
    let (id, begun) = bench.sending(open_collection(name, name)).await;
    let mut told = report(name, State::Pending);
    told.operation = Some(Operation::Collect);
    assert_eq!(bench.finish(id, begun, Outcome::Accepted(told)).await, PaymentState::Accepted);
    id
}

pub(crate) async fn a_step_is_an_attempt_and_no_state(bench: &Bench) {
    let id = collection(bench, "A").await;
    let begun = bench.begun(begin_confirm(id, "a")).await;
    assert_eq!((begun.attempt, bench.state(id).await), (Attempt(2), PaymentState::Accepted));
    let attempts = bench.journal.attempts(id).await.unwrap();
    assert_eq!((attempts[0].operation, attempts[1].operation), (Operation::Collect, Operation::Confirm));
    let other = bench.refused(begin_confirm(id, "b")).await;
    assert!(matches!(other, Refused::Leased { .. }), "one code at a time: {other}");
    assert_eq!(bench.finish(id, begun, Outcome::Refused(Notes::default())).await, PaymentState::Accepted);
    let attempt = &bench.journal.attempts(id).await.unwrap()[1];
    assert_eq!(attempt.end, Some(AttemptEnd::Refused), "a wrong code");
    assert_eq!(bench.payment(id).await.attention(), None, "which contradicts nothing");
    let next = bench.begun(begin_confirm(id, "b")).await;
    assert_eq!(next.attempt, Attempt(3), "and the right one after it");
    let kinds: Vec<_> =
        bench.journal.history(id).await.unwrap().iter().map(|event| (event.kind, event.attempt)).collect();
    assert_eq!(
        kinds[3..],
        [
            (EventKind::Began, Some(Attempt(2))),
            (EventKind::Ended, Some(Attempt(2))),
            (EventKind::Began, Some(Attempt(3)))
        ]
    );
}

pub(crate) async fn a_code_of_unknown_fate_is_not_followed_by_another(bench: &Bench) {
    let lost = collection(bench, "lost").await;
    let begun = bench.begun(begin_confirm(lost, "a")).await;
    assert_eq!(bench.finish(lost, begun, Outcome::Unknown(Notes::default())).await, PaymentState::Accepted);
    assert_eq!(bench.refused(begin_confirm(lost, "a")).await, Refused::CodeOpen);
    // Also where its worker died, so that nobody said how it ended.
    let died = collection(bench, "died").await;
    bench.begun(begin_confirm(died, "a")).await;
    bench.clock.forward(61);
    assert_eq!(bench.refused(begin_confirm(died, "b")).await, Refused::CodeOpen);
}

pub(crate) async fn what_the_reply_to_a_code_tells_is_evidence(bench: &Bench) {
    let told = |name: &str, amount: &str| {
        let mut told = report(name, State::Settled);
        (told.operation, told.amount) = (Some(Operation::Collect), Money::kes(amount).ok());
        Outcome::Accepted(told)
    };
    let paid = collection(bench, "paid").await;
    let begun = bench.begun(begin_confirm(paid, "a")).await;
    assert_eq!(bench.finish(paid, begun, told("paid", "1500")).await, PaymentState::Paid);
    let other = collection(bench, "other").await;
    let begun = bench.begun(begin_confirm(other, "a")).await;
    assert_eq!(bench.finish(other, begun, told("other", "1")).await, PaymentState::Review);
    // The result can be faster than the reply.
    let fast = collection(bench, "fast").await;
    let begun = bench.begun(begin_confirm(fast, "a")).await;
    let mut result = report("fast", State::Settled);
    result.operation = Some(Operation::Collect);
    bench.tell(fast, result).await;
    assert_eq!(bench.finish(fast, begun, Outcome::Unknown(Notes::default())).await, PaymentState::Paid);
}

pub(crate) async fn a_code_is_for_a_collection_that_waits(bench: &Bench) {
    let pay_out = bench.accepted("A").await;
    let refused = bench.refused(begin_confirm(pay_out, "a")).await;
    assert_eq!(refused, Refused::WrongState { state: PaymentState::Accepted });
    let entry = Entry::Open(Box::new(open_collection("B", "B")));
    let Done::Opened { payment, .. } = bench.done(entry).await else { panic!("it is opened") };
    let refused = bench.refused(begin_confirm(payment, "a")).await;
    assert_eq!(refused, Refused::WrongState { state: PaymentState::Recorded });
    let over = collection(bench, "C").await;
    let mut failed = report("C", State::Failed);
    failed.operation = Some(Operation::Collect);
    bench.tell(over, failed).await;
    let refused = bench.refused(finish_nothing(over)).await;
    assert_eq!(refused, Refused::NoSuchAttempt);
    let refused = bench.refused(begin_confirm(over, "a")).await;
    assert_eq!(refused, Refused::WrongState { state: PaymentState::Failed });
}

/// The end of an attempt that nobody began.
fn finish_nothing(id: PaymentId) -> Entry {
    let fence = malipo_journal::Fence(1);
    let next = std::time::Duration::ZERO;
    let outcome = Outcome::Unknown(Notes::default());
    Entry::Finish(Box::new(malipo_journal::Finish::new(id, Attempt(2), fence, outcome, next)))
}
