use std::time::Duration;

use malipo_core::{Money, State};
use malipo_journal::{
    Attempt, AttemptEnd, Bar, ClaimDue, Decision, Done, Entry, EventKind, Finish, NoteAbsent, Notes, Outcome,
    PaymentState, Reason, Refused, ResendRule, Resolve,
};

use crate::bench::{Bench, PROVIDER, begin, begin_again, finish, lease, open, report, with_rule};

const HOUR: Duration = Duration::from_secs(3600);

fn nothing() -> Notes {
    Notes::default()
}

fn coded(code: &str) -> Notes {
    let mut notes = nothing();
    notes.code = Some(code.to_owned());
    notes
}

pub(crate) async fn an_attempt_begins_once(bench: &Bench) {
    let id = bench.recorded("A").await;
    let begun = bench.begun(begin(id, "a", None)).await;
    assert_eq!(begun.attempt, Attempt(1));
    for worker in ["a", "b"] {
        assert!(matches!(bench.refused(begin(id, worker, None)).await, Refused::Leased { .. }));
    }
    let refused = bench.refused(begin(id, "a", Some(begun.fence))).await;
    assert_eq!(refused, Refused::WrongState { state: PaymentState::Sending });
    // Also when the lease has run out: what may be leaving is not begun, whoever asks.
    bench.clock.forward(61);
    let refused = bench.refused(begin(id, "b", None)).await;
    assert_eq!(refused, Refused::WrongState { state: PaymentState::Sending });
    for state in PaymentState::ALL {
        let id = bench.standing(state.as_str(), *state).await;
        bench.clock.forward(61);
        match bench.one(begin(id, "a", None)).await {
            Ok(Done::Begun(_)) => assert_eq!(*state, PaymentState::Recorded),
            Err(refused) => assert_eq!(refused, Refused::WrongState { state: *state }),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) async fn an_attempt_ends_as_it_ends(bench: &Bench) {
    let rows = [
        (Outcome::NotSent(coded("1")), AttemptEnd::NotSent, PaymentState::Recorded),
        (Outcome::Throttled(coded("2")), AttemptEnd::Throttled, PaymentState::Recorded),
        (Outcome::Refused(coded("3")), AttemptEnd::Refused, PaymentState::Failed),
        (Outcome::Unknown(coded("4")), AttemptEnd::Unknown, PaymentState::Unknown),
        (Outcome::Accepted(report("accepted", State::Pending)), AttemptEnd::Accepted, PaymentState::Accepted),
    ];
    for (outcome, end, state) in rows {
        let (id, begun) = bench.sending(open(end.as_str())).await;
        assert_eq!(bench.finish(id, begun, outcome).await, state);
        let payment = bench.payment(id).await;
        assert_eq!((payment.worker.as_ref(), payment.leased_until), (None, None), "given back");
        let due = (!state.is_final()).then(|| bench.now().saturating_add(Duration::from_secs(10)));
        assert_eq!(payment.next_at, due);
        let attempt = bench.journal.attempts(id).await.unwrap().remove(0);
        assert_eq!((attempt.end, attempt.ended_at), (Some(end), Some(bench.now())));
        assert_eq!(payment.code, attempt.notes.code);
    }
    // What was not sent is sent again, as the next attempt.
    let id = bench.standing("again", PaymentState::Sending).await;
    let fence = bench.payment(id).await.fence;
    let done = Outcome::NotSent(nothing());
    let first = Finish::new(id, Attempt(1), fence, done, Duration::ZERO);
    bench.done(Entry::Finish(Box::new(first))).await;
    assert_eq!(bench.begun(begin(id, "b", None)).await.attempt, Attempt(2));
}

pub(crate) async fn a_reply_can_say_more_than_taken(bench: &Bench) {
    let rows = [
        (State::Settled, PaymentState::Paid),
        (State::Failed, PaymentState::Failed),
        (State::Reversed, PaymentState::Reversed),
    ];
    for (told, state) in rows {
        let name = told.as_str();
        let (id, begun) = bench.sending(open(name)).await;
        let steps = bench.journal.history(id).await.unwrap().len();
        assert_eq!(bench.finish(id, begun, Outcome::Accepted(report(name, told))).await, state);
        let payment = bench.payment(id).await;
        assert_eq!(payment.provider_refs.find("conversation"), Some(format!("AG-{name}").as_str()));
        assert_eq!(payment.receipt.is_some(), told == State::Settled);
        assert_eq!(payment.attention(), None);
        assert_eq!(bench.journal.history(id).await.unwrap().len(), steps + 1, "one step");
        assert_eq!(bench.journal.reports(id).await.unwrap().len(), 1);
    }
}

pub(crate) async fn a_reply_that_does_not_agree_is_reviewed(bench: &Bench) {
    let (id, begun) = bench.sending(open("A")).await;
    let mut other = report("A", State::Pending);
    other.amount = Some(Money::kes("15").unwrap());
    assert_eq!(bench.finish(id, begun, Outcome::Accepted(other)).await, PaymentState::Review);
    let payment = bench.payment(id).await;
    let attention = payment.attention().unwrap();
    assert_eq!(attention.reason, Reason::Mismatched);
    assert_eq!(attention.expected.as_deref(), Some("amount KES 1,500.00"));
    assert_eq!(attention.claimed.as_deref(), Some("amount KES 15.00"));
    assert!(payment.provider_refs.is_empty(), "nothing of it is believed");
    assert_eq!(bench.journal.reports(id).await.unwrap().len(), 1, "and it is kept");
}

pub(crate) async fn an_end_that_comes_twice_is_an_event_only(bench: &Bench) {
    let (id, begun) = bench.sending(open("A")).await;
    bench.finish(id, begun, Outcome::Unknown(nothing())).await;
    let before = bench.payment(id).await;
    for late in [Outcome::Refused(coded("9")), Outcome::Accepted(report("A", State::Settled))] {
        assert_eq!(bench.done(finish(id, begun, late)).await, Done::Late(PaymentState::Unknown));
    }
    let after = bench.payment(id).await;
    assert_eq!((after.standing, after.next_at, after.code), (before.standing, before.next_at, before.code));
    assert_eq!(bench.journal.attempts(id).await.unwrap()[0].end, Some(AttemptEnd::Unknown));
    let history = bench.journal.history(id).await.unwrap();
    assert_eq!(history.iter().filter(|event| event.kind == EventKind::Late).count(), 2);
    let never = Finish::new(id, Attempt(2), begun.fence, Outcome::Refused(nothing()), Duration::ZERO);
    assert_eq!(bench.refused(Entry::Finish(Box::new(never))).await, Refused::NoSuchAttempt);
}

pub(crate) async fn what_may_be_out_is_not_failed_by_a_later_refusal(bench: &Bench) {
    let rule = ResendRule::SameReference { within: HOUR };
    for (name, outcome) in
        [("refused", Outcome::Refused(nothing())), ("not-sent", Outcome::NotSent(nothing()))]
    {
        let id = bench.unknown(with_rule(name, rule)).await;
        let second = bench.begun(begin_again(id, "a", None)).await;
        assert_eq!(second.attempt, Attempt(2));
        assert_eq!(bench.finish(id, second, outcome).await, PaymentState::Unknown);
        assert!(bench.one(Entry::Cancel(id)).await.is_err(), "nor can it be given up");
        bench.tell(id, report(name, State::Settled)).await;
        let payment = bench.payment(id).await;
        assert_eq!((payment.state(), payment.attention()), (PaymentState::Paid, None));
    }
    // Nor what a person sent again.
    let id = bench.standing("person", PaymentState::Review).await;
    let decision = Decision::SendAgain(lease("a"));
    let resolve = Resolve::new(id, "amina", "the gateway says it has nothing", decision);
    let Done::Resolved { begun: Some(begun), .. } = bench.done(Entry::Resolve(Box::new(resolve))).await
    else {
        panic!()
    };
    assert_eq!(bench.finish(id, begun, Outcome::Refused(nothing())).await, PaymentState::Unknown);
}

pub(crate) async fn without_a_rule_nothing_is_sent_again(bench: &Bench) {
    let id = bench.unknown(open("A")).await;
    assert_eq!(bench.refused(begin_again(id, "a", None)).await, Refused::NotAgain(Bar::Never));
    let rule = ResendRule::SameReference { within: HOUR };
    for state in PaymentState::ALL.iter().filter(|state| **state != PaymentState::Unknown) {
        let name = state.as_str();
        let id = match state {
            PaymentState::Recorded => bench.opened(with_rule(name, rule)).await,
            _ => bench.standing(name, *state).await,
        };
        bench.clock.forward(61);
        let refused = bench.refused(begin_again(id, "a", None)).await;
        assert_eq!(refused, Refused::WrongState { state: *state });
    }
}

pub(crate) async fn the_same_reference_goes_again_while_it_is_remembered(bench: &Bench) {
    let rule = ResendRule::SameReference { within: HOUR };
    let id = bench.unknown(with_rule("A", rule)).await;
    bench.clock.forward(3600);
    let begun = bench.begun(begin_again(id, "a", None)).await;
    assert_eq!(begun.attempt, Attempt(2));
    assert_eq!(bench.payment(id).await.reference.as_str(), "A");
    bench.finish(id, begun, Outcome::Unknown(nothing())).await;
    bench.clock.forward(1);
    // The age is that of the first attempt: the newest one does not make the gateway remember longer.
    let bar = Bar::TooLate { age: HOUR + Duration::from_secs(1), within: HOUR };
    assert_eq!(bench.refused(begin_again(id, "a", None)).await, Refused::NotAgain(bar));
    assert_eq!(bench.state(id).await, PaymentState::Unknown);
}

pub(crate) async fn a_clock_that_is_set_back_makes_nothing_younger(bench: &Bench) {
    let rule = ResendRule::SameReference { within: HOUR };
    let (id, begun) = bench.sending(with_rule("A", rule)).await;
    bench.clock.forward(3601);
    bench.finish(id, begun, Outcome::Unknown(nothing())).await;
    bench.clock.back(3601);
    let refused = bench.refused(begin_again(id, "a", None)).await;
    assert!(matches!(refused, Refused::NotAgain(Bar::TooLate { .. })), "{refused}");
}

pub(crate) async fn an_absence_counts_when_it_was_quiet(bench: &Bench) {
    let quiet = Duration::from_secs(30);
    let id = bench.unknown(with_rule("A", ResendRule::AfterAbsence { times: 2, quiet, within: HOUR })).await;
    let fence = bench.payment(id).await.fence;
    let absent = || Entry::NoteAbsent(NoteAbsent::new(id, fence, Duration::from_secs(5)));
    let too_few = |counted| Refused::NotAgain(Bar::NotAbsent { counted, needed: 2 });

    bench.clock.forward(29);
    assert_eq!(bench.done(absent()).await, Done::Absent { counted: 0 }, "too soon after the attempt");
    bench.clock.forward(1);
    assert_eq!(bench.done(absent()).await, Done::Absent { counted: 1 });
    assert_eq!(bench.refused(begin_again(id, "a", None)).await, too_few(1));
    bench.clock.forward(29);
    assert_eq!(bench.done(absent()).await, Done::Absent { counted: 1 }, "too soon after the first");
    bench.clock.forward(1);
    assert_eq!(bench.done(absent()).await, Done::Absent { counted: 2 });
    assert_eq!(bench.payment(id).await.next_at, Some(bench.now().saturating_add(Duration::from_secs(5))));

    let second = bench.begun(begin_again(id, "a", None)).await;
    bench.finish(id, second, Outcome::Unknown(nothing())).await;
    assert_eq!(bench.refused(begin_again(id, "a", None)).await, too_few(0), "each attempt is counted anew");

    bench.clock.forward(3600);
    for _ in 0..2 {
        let fence = bench.payment(id).await.fence;
        bench.done(Entry::NoteAbsent(NoteAbsent::new(id, fence, Duration::ZERO))).await;
        bench.clock.forward(30);
    }
    let refused = bench.refused(begin_again(id, "a", None)).await;
    assert!(matches!(refused, Refused::NotAgain(Bar::TooLate { .. })), "{refused}");

    let taken = bench.accepted("taken").await;
    let fence = bench.payment(taken).await.fence;
    bench.clock.forward(100);
    let absent = Entry::NoteAbsent(NoteAbsent::new(taken, fence, Duration::ZERO));
    assert_eq!(bench.done(absent).await, Done::Absent { counted: 0 }, "what was taken is not absent");
}

pub(crate) async fn only_what_has_not_left_is_cancelled(bench: &Bench) {
    for state in PaymentState::ALL {
        let id = bench.standing(state.as_str(), *state).await;
        match bench.one(Entry::Cancel(id)).await {
            Ok(Done::Cancelled) => assert_eq!(*state, PaymentState::Recorded),
            Err(refused) => assert_eq!(refused, Refused::WrongState { state: *state }),
            other => panic!("{other:?}"),
        }
    }
    // Whoever was about to send it does not.
    let id = bench.recorded("claimed").await;
    let claim = ClaimDue::new(PROVIDER, lease("a"), 9);
    let Done::Claimed(claims) = bench.done(Entry::ClaimDue(claim)).await else { panic!() };
    let fence = claims.iter().find(|claim| claim.payment.id == id).unwrap().fence;
    bench.done(Entry::Cancel(id)).await;
    let refused = bench.refused(begin(id, "a", Some(fence))).await;
    assert_eq!(refused, Refused::WrongState { state: PaymentState::Cancelled });
}
