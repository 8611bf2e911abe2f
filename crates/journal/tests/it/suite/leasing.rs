use std::time::Duration;

use malipo_core::State;
use malipo_journal::{
    AttemptEnd, Begun, Claim, ClaimDue, Done, Entry, EventKind, Fence, NoteAbsent, Notes, Outcome, Overdue,
    PaymentId, PaymentState, Reason, Refused, ResendRule, Schedule, Start, Sweep,
};

use crate::bench::{Bench, PROVIDER, begin, begin_again, finish, lease, open, report, with_rule};

async fn claim(bench: &Bench, worker: &str, limit: u32) -> Vec<Claim> {
    match bench.done(Entry::ClaimDue(ClaimDue::new(PROVIDER, lease(worker), limit))).await {
        Done::Claimed(claims) => claims,
        other => panic!("{other:?}"),
    }
}

fn ids(claims: &[Claim]) -> Vec<PaymentId> {
    claims.iter().map(|claim| claim.payment.id).collect()
}

fn schedule(id: PaymentId, fence: Fence) -> Entry {
    Entry::Schedule(Schedule::new(id, fence, Duration::from_secs(30)))
}

async fn sweep(bench: &Bench) -> Vec<PaymentId> {
    match bench.done(Entry::Sweep(Sweep::new(99))).await {
        Done::Swept(swept) => swept,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn what_is_due_is_claimed_once(bench: &Bench) {
    for number in 0..20 {
        bench.recorded(&format!("P{number}")).await;
    }
    let threads = (0..8).map(|number| {
        let journal = if number % 2 == 0 { bench.journal.clone() } else { bench.other.clone() };
        std::thread::spawn(move || {
            let mut mine = Vec::new();
            for _ in 0..100 {
                let claim = Entry::ClaimDue(ClaimDue::new(PROVIDER, lease("a"), 3));
                match pollster::block_on(journal.commit(vec![claim])).unwrap().remove(0).unwrap() {
                    Done::Claimed(claims) if claims.is_empty() => return mine,
                    Done::Claimed(claims) => mine.extend(ids(&claims)),
                    other => panic!("{other:?}"),
                }
            }
            panic!("there is always something left to claim: {mine:?}")
        })
    });
    let threads: Vec<_> = threads.collect();
    let mut all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    all.sort();
    assert_eq!(all, (1..=20).map(PaymentId).collect::<Vec<_>>(), "each by one worker");
}

pub(crate) async fn due_is_due_in_order(bench: &Bench) {
    let later = Start::Later { after: Duration::from_secs(20) };
    let last = bench.opened(open("last").with_start(later)).await;
    let first = bench.recorded("first").await;
    bench.clock.forward(1);
    let second = bench.unknown(open("second")).await; // Due in ten seconds.
    let third = bench.accepted("third").await;
    for state in [PaymentState::Sending, PaymentState::Review, PaymentState::Paid, PaymentState::Failed] {
        bench.standing(state.as_str(), state).await;
    }
    assert_eq!(ids(&claim(bench, "a", 9).await), [first]);
    assert_eq!(ids(&claim(bench, "a", 9).await), [], "it is taken");
    bench.clock.forward(30);
    assert_eq!(ids(&claim(bench, "a", 1).await), [second]);
    let claims = claim(bench, "a", 9).await;
    assert_eq!(ids(&claims), [third, last]);
    assert_eq!(claims[0].payment.worker.as_ref().unwrap().as_str(), "a");
    bench.clock.forward(60);
    assert_eq!(ids(&claim(bench, "b", 9).await), [first, second, third, last], "leases end");
}

/// Two workers: the lease of the first runs out, the second has the payment now.
pub(crate) async fn a_worker_that_was_away_too_long_changes_nothing(bench: &Bench) {
    let quiet = Duration::ZERO;
    let rule = ResendRule::AfterAbsence { times: 1, quiet, within: Duration::from_secs(9999) };
    let id = bench.unknown(with_rule("A", rule)).await;
    bench.clock.forward(10);
    let old = claim(bench, "a", 9).await.remove(0).fence;
    bench.clock.forward(60);
    let new = claim(bench, "b", 9).await.remove(0).fence;
    assert!(new > old);
    let before = bench.payment(id).await;
    let history = bench.journal.history(id).await.unwrap();
    let stale = [
        Entry::NoteAbsent(NoteAbsent::new(id, old, Duration::ZERO)),
        schedule(id, old),
        Entry::Overdue(Overdue::new(id, old, Reason::Silent)),
        begin_again(id, "a", Some(old)),
        begin(id, "a", Some(old)),
    ];
    for entry in stale {
        assert_eq!(bench.refused(entry).await, Refused::Fenced);
    }
    assert_eq!(bench.payment(id).await, before);
    assert_eq!(bench.journal.history(id).await.unwrap(), history);

    let absent = Entry::NoteAbsent(NoteAbsent::new(id, new, Duration::ZERO));
    assert_eq!(bench.done(absent).await, Done::Absent { counted: 1 });
    let begun = bench.begun(begin_again(id, "b", Some(new))).await;
    assert!(begun.fence > new, "what is begun is a lease of its own");
    assert_eq!(bench.refused(begin_again(id, "b", Some(new))).await, Refused::Fenced);
    assert_eq!(bench.refused(schedule(id, new)).await, Refused::Fenced);

    // The attempt of a worker that sleeps through its lease.
    bench.clock.forward(60);
    assert_eq!(sweep(bench).await, [id]);
    let before = bench.payment(id).await;
    for outcome in [
        Outcome::Refused(Notes::default()),
        Outcome::NotSent(Notes::default()),
        Outcome::Accepted(report("A", State::Failed)),
    ] {
        assert_eq!(bench.refused(finish(id, begun, outcome)).await, Refused::Fenced);
    }
    assert_eq!(bench.payment(id).await, before);
    // What its reply said is still evidence.
    bench.tell(id, report("A", State::Settled)).await;
    assert_eq!(bench.state(id).await, PaymentState::Paid);
}

pub(crate) async fn whoever_did_not_claim_waits(bench: &Bench) {
    let id = bench.recorded("A").await;
    let fence = claim(bench, "a", 9).await.remove(0).fence;
    let until = bench.now().saturating_add(Duration::from_secs(60));
    assert_eq!(bench.refused(begin(id, "b", None)).await, Refused::Leased { until });
    bench.clock.forward(59);
    assert!(bench.one(begin(id, "b", None)).await.is_err());
    bench.clock.forward(1);
    // The lease is over. Whoever comes first has it; the one who had it is fenced off by then.
    bench.begun(begin(id, "b", None)).await;
    assert_eq!(bench.refused(begin(id, "a", Some(fence))).await, Refused::Fenced);

    let id = bench.recorded("B").await;
    let fence = claim(bench, "a", 9).await.remove(0).fence;
    bench.clock.forward(60);
    bench.begun(begin(id, "a", Some(fence))).await;
}

pub(crate) async fn a_lease_that_runs_out_makes_an_attempt_unknown(bench: &Bench) {
    let (id, begun) = bench.sending(open("A")).await;
    bench.clock.forward(59);
    assert_eq!(sweep(bench).await, []);
    assert_eq!(ids(&claim(bench, "b", 9).await), [], "nobody else has it while it may be leaving");
    bench.clock.forward(1);
    assert_eq!(ids(&claim(bench, "b", 9).await), [], "nor sends it after");
    assert_eq!(sweep(bench).await, [id]);
    assert_eq!(sweep(bench).await, []);
    let payment = bench.payment(id).await;
    assert_eq!((payment.state(), payment.next_at), (PaymentState::Unknown, Some(bench.now())));
    assert!(payment.fence > begun.fence);
    assert_eq!(bench.journal.attempts(id).await.unwrap()[0].end, Some(AttemptEnd::Unknown));
    assert_eq!(bench.journal.history(id).await.unwrap().last().unwrap().kind, EventKind::Swept);
    assert!(bench.one(Entry::Cancel(id)).await.is_err());
    for state in PaymentState::ALL.iter().filter(|state| **state != PaymentState::Sending) {
        bench.standing(state.as_str(), *state).await;
    }
    bench.clock.forward(999);
    assert_eq!(sweep(bench).await, [], "only what is being sent is swept");
}

pub(crate) async fn what_is_swept_is_asked_about(bench: &Bench) {
    let (id, _) = bench.sending(open("A")).await;
    bench.clock.forward(60);
    sweep(bench).await;
    let claims = claim(bench, "b", 9).await;
    assert_eq!(ids(&claims), [id]);
    assert_eq!(claims[0].payment.state(), PaymentState::Unknown);
    let refused = bench.refused(begin(id, "b", Some(claims[0].fence))).await;
    assert_eq!(refused, Refused::WrongState { state: PaymentState::Unknown }, "it is not sent");
}

pub(crate) async fn a_payment_can_be_put_off(bench: &Bench) {
    let id = bench.accepted("A").await;
    bench.clock.forward(10);
    let fence = claim(bench, "a", 9).await.remove(0).fence;
    let at = bench.now().saturating_add(Duration::from_secs(30));
    assert_eq!(bench.done(schedule(id, fence)).await, Done::Scheduled(at));
    let payment = bench.payment(id).await;
    assert_eq!((payment.next_at, payment.worker, payment.leased_until), (Some(at), None, None));
    bench.clock.forward(29);
    assert_eq!(ids(&claim(bench, "b", 9).await), []);
    bench.clock.forward(1);
    assert_eq!(ids(&claim(bench, "b", 9).await), [id]);
    for state in [PaymentState::Sending, PaymentState::Review, PaymentState::Paid, PaymentState::Cancelled] {
        let id = bench.standing(state.as_str(), state).await;
        let fence = bench.payment(id).await.fence;
        assert_eq!(bench.refused(schedule(id, fence)).await, Refused::WrongState { state });
    }
}

pub(crate) async fn a_time_allowed_runs_out(bench: &Bench) {
    for state in PaymentState::ALL {
        let name = state.as_str();
        let id = bench.standing(name, *state).await;
        let fence = bench.payment(id).await.fence;
        let result = bench.one(Entry::Overdue(Overdue::new(id, fence, Reason::Silent))).await;
        let waits = [PaymentState::Recorded, PaymentState::Accepted, PaymentState::Unknown].contains(state);
        if !waits {
            assert_eq!(result, Err(Refused::WrongState { state: *state }));
            continue;
        }
        assert_eq!(result, Ok(Done::Overdue));
        let payment = bench.payment(id).await;
        assert_eq!(payment.state(), PaymentState::Review, "and never failed");
        assert_eq!(payment.attention().unwrap().reason, Reason::Silent);
        bench.clock.forward(99);
        assert_eq!(ids(&claim(bench, "a", 9).await), [], "it is with a person");
        if *state != PaymentState::Recorded {
            bench.tell(id, report(name, State::Settled)).await;
            let payment = bench.payment(id).await;
            assert_eq!(
                (payment.state(), payment.attention()),
                (PaymentState::Paid, None),
                "it came after all"
            );
        }
    }
}

pub(crate) async fn nothing_open_is_forgotten(bench: &Bench) {
    // A callback was faster, and then the sender died: somebody has to ask.
    let (id, begun) = bench.sending(open("A")).await;
    bench.tell(id, report("A", State::Pending)).await;
    assert_eq!(bench.payment(id).await.next_at, bench.payment(id).await.leased_until);
    bench.clock.forward(60);
    let claims = claim(bench, "b", 9).await;
    assert_eq!(ids(&claims), [id]);
    let late: Begun = begun;
    assert_eq!(bench.refused(finish(id, late, Outcome::Unknown(Notes::default()))).await, Refused::Fenced);
}

pub(crate) async fn a_claim_is_of_one_account(bench: &Bench) {
    let id = bench.recorded("A").await;
    let elsewhere = ClaimDue::new(malipo_core::ProviderId::of("otherpay"), lease("a"), 9);
    assert_eq!(bench.done(Entry::ClaimDue(elsewhere)).await, Done::Claimed(Vec::new()));
    assert_eq!(ids(&claim(bench, "a", 9).await), [id]);
}

pub(crate) async fn questions_are_counted_from_the_newest_attempt(bench: &Bench) {
    let rule = ResendRule::SameReference { within: Duration::from_secs(3600) };
    let id = bench.unknown(with_rule("A", rule)).await;
    for asks in 0..3 {
        bench.clock.forward(60);
        let claims = claim(bench, "a", 9).await;
        assert_eq!((claims[0].payment.asks, claims[0].at), (asks, bench.now()));
        let again = Schedule::new(id, claims[0].fence, Duration::from_secs(30));
        bench.done(Entry::Schedule(again.asked())).await;
    }
    bench.clock.forward(60);
    let fence = claim(bench, "a", 9).await[0].fence;
    bench.done(schedule(id, fence)).await;
    assert_eq!(bench.payment(id).await.asks, 3, "giving back is no question");
    bench.clock.forward(60);
    let fence = claim(bench, "a", 9).await[0].fence;
    bench.done(Entry::NoteAbsent(NoteAbsent::new(id, fence, Duration::from_secs(30)))).await;
    assert_eq!(bench.payment(id).await.asks, 4);
    bench.begun(begin_again(id, "a", None)).await;
    assert_eq!(bench.payment(id).await.asks, 0);
    let sent = bench.recorded("B").await;
    bench.clock.forward(1);
    assert_eq!(ids(&claim(bench, "a", 9).await), [sent]);
    assert_eq!(bench.payment(sent).await.asks, 0, "what is to be sent is not asked about");
}
