use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

fn standing(state: PaymentState, exposure: Exposure) -> Standing {
    let attention = (state == PaymentState::Review).then(|| Attention::new(Reason::Silent));
    Standing { state, exposure, attention }
}

fn after(start: &Standing, evidence: &[Evidence]) -> Standing {
    evidence.iter().fold(start.clone(), |standing, evidence| fold(&standing, evidence))
}

fn told(states: &[State]) -> Vec<Evidence> {
    states.iter().copied().map(Evidence::Told).collect()
}

fn mismatch() -> Evidence {
    Evidence::Mismatch(Mismatch {
        field: "amount".into(),
        expected: "KES 100.00".to_owned(),
        claimed: Some("KES 1.00".to_owned()),
    })
}

fn send_again() -> Decision {
    Decision::SendAgain(Lease::new("a".parse().unwrap(), Duration::from_secs(1)))
}

#[test]
fn one_step_each() {
    // tidy: over 60 lines: one table of steps
    use Evidence::{Begun, Cancelled, Lost, NotSent, Overdue, Refused, Resolved, Taken, Told};
    use PaymentState as S;
    let (none, latest, earlier) = (Exposure::None, Exposure::Latest, Exposure::Earlier);
    #[rustfmt::skip]
    let rows = [
        // An attempt.
        (S::Recorded, none,    Begun,                S::Sending,   none,    None),
        (S::Sending,  none,    Taken,                S::Accepted,  latest,  None),
        (S::Sending,  none,    Lost,                 S::Unknown,   latest,  None),
        (S::Sending,  none,    NotSent,              S::Recorded,  none,    None),
        (S::Sending,  none,    Refused,              S::Failed,    none,    None),
        // The attempt before it may be out: its own end says nothing of that one.
        (S::Unknown,  latest,  Begun,                S::Sending,   earlier, None),
        (S::Sending,  earlier, NotSent,              S::Unknown,   earlier, None),
        (S::Sending,  earlier, Refused,              S::Unknown,   earlier, None),
        (S::Sending,  earlier, Lost,                 S::Unknown,   earlier, None),
        (S::Accepted, earlier, Refused,              S::Accepted,  earlier, None),
        // A report was faster than the answer.
        (S::Accepted, latest,  Taken,                S::Accepted,  latest,  None),
        (S::Paid,     latest,  Lost,                 S::Paid,      latest,  None),
        (S::Failed,   latest,  Refused,              S::Failed,    latest,  None),
        (S::Accepted, latest,  NotSent,              S::Accepted,  latest,  Some(Reason::Contradicted)),
        (S::Paid,     latest,  Refused,              S::Paid,      latest,  Some(Reason::Contradicted)),
        (S::Failed,   latest,  NotSent,              S::Failed,    latest,  Some(Reason::Contradicted)),
        (S::Unknown,  latest,  Refused,              S::Unknown,   latest,  None),
        (S::Unknown,  latest,  NotSent,              S::Unknown,   latest,  None),
        // Reports.
        (S::Sending,  none,    Told(State::Pending), S::Accepted,  latest,  None),
        (S::Unknown,  latest,  Told(State::Pending), S::Accepted,  latest,  None),
        (S::Accepted, latest,  Told(State::Pending), S::Accepted,  latest,  None),
        (S::Review,   latest,  Told(State::Pending), S::Review,    latest,  Some(Reason::Silent)),
        (S::Paid,     latest,  Told(State::Pending), S::Paid,      latest,  None),
        (S::Accepted, latest,  Told(State::Settled), S::Paid,      latest,  None),
        (S::Review,   latest,  Told(State::Settled), S::Paid,      latest,  None),
        (S::Review,   latest,  Told(State::Failed),  S::Failed,    latest,  None),
        (S::Paid,     latest,  Told(State::Reversed), S::Reversed, latest,  None),
        (S::Reversed, latest,  Told(State::Settled), S::Reversed,  latest,  None),
        (S::Recorded, none,    Told(State::Pending), S::Accepted,  latest,  Some(Reason::ReportedUnsent)),
        (S::Recorded, none,    Told(State::Settled), S::Paid,      latest,  Some(Reason::ReportedUnsent)),
        (S::Paid,     latest,  Told(State::Failed),  S::Paid,      latest,  Some(Reason::Contradicted)),
        (S::Failed,   latest,  Told(State::Settled), S::Failed,    latest,  Some(Reason::Contradicted)),
        (S::Failed,   latest,  Told(State::Reversed), S::Failed,   latest,  Some(Reason::Contradicted)),
        (S::Reversed, latest,  Told(State::Failed),  S::Reversed,  latest,  Some(Reason::Contradicted)),
        (S::Cancelled, none,   Told(State::Pending), S::Cancelled, none,    Some(Reason::Contradicted)),
        (S::Cancelled, none,   Told(State::Settled), S::Cancelled, none,    Some(Reason::Contradicted)),
        (S::Cancelled, none,   Told(State::Failed),  S::Cancelled, none,    Some(Reason::Contradicted)),
        // What does not agree.
        (S::Sending,  none,    mismatch(),           S::Review,    latest,  Some(Reason::Mismatched)),
        (S::Accepted, latest,  mismatch(),           S::Review,    latest,  Some(Reason::Mismatched)),
        (S::Recorded, none,    mismatch(),           S::Recorded,  none,    Some(Reason::Mismatched)),
        (S::Paid,     latest,  mismatch(),           S::Paid,      latest,  Some(Reason::Mismatched)),
        (S::Review,   latest,  mismatch(),           S::Review,    latest,  Some(Reason::Mismatched)),
        // The clock.
        (S::Recorded, none,    Overdue(Reason::Exhausted), S::Review, none, Some(Reason::Exhausted)),
        (S::Unknown,  latest,  Overdue(Reason::Silent), S::Review, latest,  Some(Reason::Silent)),
        (S::Sending,  none,    Overdue(Reason::Silent), S::Sending, none,   None),
        (S::Paid,     latest,  Overdue(Reason::Silent), S::Paid,   latest,  None),
        // People.
        (S::Recorded, none,    Cancelled,            S::Cancelled, none,    None),
        (S::Sending,  none,    Cancelled,            S::Sending,   none,    None),
        (S::Unknown,  latest,  Cancelled,            S::Unknown,   latest,  None),
        (S::Review,   latest,  Resolved(Decision::Paid { receipt: None }), S::Paid, latest, None),
        (S::Review,   latest,  Resolved(Decision::Failed), S::Failed, latest, None),
        (S::Review,   latest,  Resolved(send_again()), S::Sending, earlier, None),
        (S::Review,   none,    Resolved(send_again()), S::Sending, none,    None),
        (S::Review,   latest,  Resolved(Decision::Keep), S::Review, latest, Some(Reason::Silent)),
        (S::Failed,   latest,  Resolved(Decision::Paid { receipt: None }), S::Failed, latest, None),
        (S::Accepted, latest,  Resolved(send_again()), S::Accepted, latest, None),
    ];
    for (from, exposure, evidence, to, exposed, reason) in rows {
        let made = fold(&standing(from, exposure), &evidence);
        let expected = (to, exposed, reason);
        let got = (made.state, made.exposure, made.attention.map(|attention| attention.reason));
        assert_eq!(got, expected, "{from} {evidence:?}");
    }
}

#[test]
fn the_first_attention_stands_unless_only_waiting_brought_it_up() {
    let start = standing(PaymentState::Unknown, Exposure::Latest);
    let silent_then_wrong = after(&start, &[Evidence::Overdue(Reason::Silent), mismatch()]);
    assert_eq!(silent_then_wrong.attention.unwrap().reason, Reason::Mismatched);
    let wrong = after(&start, &[mismatch()]);
    let wrong_then_paid = after(&wrong, &told(&[State::Settled]));
    assert_eq!(wrong_then_paid.state, PaymentState::Paid);
    assert_eq!(wrong_then_paid.attention, wrong.attention, "a person still looks");
    let contradicted = judge(&wrong_then_paid, &Evidence::Told(State::Failed));
    assert_eq!(contradicted.standing, wrong_then_paid);
    assert_eq!(contradicted.raised.unwrap().reason, Reason::Contradicted, "and it is not lost");
}

#[test]
fn who_looked_has_looked() {
    let flagged = after(&standing(PaymentState::Failed, Exposure::Latest), &[Evidence::Told(State::Settled)]);
    let attention = flagged.attention.clone().unwrap();
    assert_eq!(
        (attention.expected.as_deref(), attention.claimed.as_deref()),
        (Some("failed"), Some("settled"))
    );
    let seen = fold(&flagged, &Evidence::Resolved(Decision::Keep));
    assert_eq!((seen.state, seen.attention), (PaymentState::Failed, None));
}

/// Sets of reports that can all be true of one payment.
const AGREEING: &[&[State]] =
    &[&[State::Pending, State::Settled, State::Reversed], &[State::Pending, State::Failed]];

/// Where a report can find a payment that is not over.
fn open() -> impl Strategy<Value = Standing> {
    select(vec![
        standing(PaymentState::Recorded, Exposure::None),
        standing(PaymentState::Sending, Exposure::None),
        standing(PaymentState::Sending, Exposure::Earlier),
        standing(PaymentState::Accepted, Exposure::Latest),
        standing(PaymentState::Unknown, Exposure::Latest),
        standing(PaymentState::Unknown, Exposure::Earlier),
        standing(PaymentState::Review, Exposure::Latest),
    ])
}

/// A set of reports that agree, and the same with repetitions in another order.
fn agreeing() -> impl Strategy<Value = (Vec<State>, Vec<State>)> {
    select(AGREEING)
        .prop_flat_map(|set| subsequence(set.to_vec(), 1..=set.len()))
        .prop_flat_map(|set| {
            let more = proptest::collection::vec(select(set.clone()), 0..5);
            (Just(set), more)
        })
        .prop_flat_map(|(set, more)| {
            let all = [set.clone(), more].concat();
            (Just(set), Just(all).prop_shuffle())
        })
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    let states = vec![State::Pending, State::Settled, State::Failed, State::Reversed];
    prop_oneof![
        4 => Just(Evidence::Begun),
        2 => Just(Evidence::NotSent),
        2 => Just(Evidence::Refused),
        2 => Just(Evidence::Taken),
        4 => Just(Evidence::Lost),
        4 => select(states).prop_map(Evidence::Told),
        1 => Just(mismatch()),
        1 => select(Reason::ALL).prop_map(Evidence::Overdue),
        1 => Just(Evidence::Cancelled),
        1 => select(vec![Decision::Paid { receipt: None }, Decision::Failed, send_again(), Decision::Keep])
            .prop_map(Evidence::Resolved),
    ]
}

proptest! {
    #[test]
    fn reports_that_agree_lead_to_one_standing((set, shuffled) in agreeing(), start in open()) {
        prop_assert_eq!(after(&start, &told(&set)), after(&start, &told(&shuffled)));
    }

    #[test]
    fn reports_that_contradict_are_flagged_in_every_order(
        pair in select(vec![[State::Settled, State::Failed], [State::Failed, State::Reversed]]),
        more in proptest::collection::vec(
            select(vec![State::Pending, State::Settled, State::Failed, State::Reversed]), 0..5),
        start in open(),
        keys in proptest::collection::vec(any::<u32>(), 8),
    ) {
        let mut all: Vec<_> = pair.into_iter().chain(more).zip(keys).collect();
        all.sort_by_key(|(_, key)| *key);
        let all: Vec<_> = all.into_iter().map(|(state, _)| state).collect();
        let end = after(&start, &told(&all));
        prop_assert!(end.attention.is_some(), "{:?}", all);
        let first = all.iter().find(|state| state.is_final());
        let stands = match first {
            Some(State::Failed) => vec![PaymentState::Failed],
            Some(State::Settled) => vec![PaymentState::Paid, PaymentState::Reversed],
            _ => vec![PaymentState::Reversed],
        };
        prop_assert!(stands.contains(&end.state), "{:?} ended {}", all, end.state);
    }

    #[test]
    fn every_step_is_in_the_table_and_no_end_is_left(
        evidence in proptest::collection::vec(any_evidence(), 1..25),
    ) {
        let mut standing = Standing::default();
        for evidence in &evidence {
            let next = fold(&standing, evidence);
            let (from, to) = (standing.state, next.state);
            prop_assert!(from == to || from.may_become(to), "{} to {} by {:?}", from, to, evidence);
            prop_assert!(!from.is_final() || from == to || to == PaymentState::Reversed);
            prop_assert!(to != PaymentState::Review || next.attention.is_some());
            if matches!(evidence, Evidence::Overdue(_)) {
                prop_assert_ne!((from == to, to), (false, PaymentState::Failed), "a clock fails nothing");
            }
            standing = next;
        }
    }

    /// What may have reached the gateway is never called unsent, and no refusal of a later attempt makes it failed.
    #[test]
    fn what_may_be_out_is_not_forgotten(evidence in proptest::collection::vec(any_evidence(), 1..25)) {
        let (mut standing, mut out) = (Standing::default(), false);
        for evidence in &evidence {
            let next = fold(&standing, evidence);
            let moved = next.state != standing.state;
            if moved && *evidence == Evidence::Refused && next.state == PaymentState::Failed {
                prop_assert!(!out, "the refusal of one attempt made another one failed");
            }
            let sending = standing.state == PaymentState::Sending;
            out |= sending && matches!(evidence, Evidence::Taken | Evidence::Lost);
            out |= moved && matches!(evidence, Evidence::Told(_) | Evidence::Mismatch(_));
            if matches!(next.state, PaymentState::Recorded | PaymentState::Cancelled) {
                prop_assert!(!out, "{} though it may be out", next.state);
            }
            standing = next;
        }
    }

    #[test]
    fn nothing_changes_twice(evidence in any_evidence(), start in open()) {
        let once = fold(&start, &evidence);
        if matches!(evidence, Evidence::Told(_) | Evidence::Mismatch(_) | Evidence::Overdue(_)) {
            prop_assert_eq!(fold(&once, &evidence), once);
        }
    }
}
