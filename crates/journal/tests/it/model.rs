//! Any steps in any order: what has to be so is so after each of them, and every store does the same.

use std::collections::BTreeSet;
use std::time::Duration;

use malipo_core::{
    Credit, DeliveryPurpose, Money, Operation, ProviderRefs, Raw, Report, State, ToldParty, Trust,
};
use malipo_journal::{
    Advance, Apply, Aside, Attention, ClaimDue, CreditId, CreditSequence, CreditState, DecideCredit,
    Decision, Deliveries, DeliveryId, Done, DueCredits, Entry, Erase, EventId, EventKind, Fence, Find,
    Finish, Follower, MatchUnaddressed, NoteAbsent, Notes, Open, Outcome, Overdue, PaymentId, Raise, Reason,
    Refused, ResendRule, Resolve, Schedule, SetAside, Source, Start, StoreCredit, StoreDelivery, Stream,
    Sweep, TRANSITIONS, Twins,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::bench::{
    Bench, PROVIDER, begin, begin_again, begin_confirm, lease, open_collection, open_under, report,
};

/// Four bytes that say what is done, to which payment, how, and how long after the step before.
#[derive(Debug, Clone, Copy)]
struct Step {
    kind: u8,
    on: u8,
    how: u8,
    after: u8,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..28_u8, any::<u8>(), any::<u8>(), prop_oneof![3 => Just(0_u8), 1 => any::<u8>()]);
    proptest::collection::vec(step.prop_map(|(kind, on, how, after)| Step { kind, on, how, after }), 1..60)
}

fn ledger() -> Follower {
    "ledger".parse().unwrap()
}

fn seconds(how: u8) -> Duration {
    Duration::from_secs(u64::from(how % 50))
}

fn rule(how: u8) -> ResendRule {
    let within = Duration::from_secs(300);
    match how % 3 {
        0 => ResendRule::Never,
        1 => ResendRule::SameReference { within },
        _ => ResendRule::AfterAbsence { times: 1, quiet: Duration::from_secs(10), within },
    }
}

fn told(reference: &str, operation: Operation, how: u8) -> Report {
    let states = [State::Pending, State::Settled, State::Failed, State::Reversed];
    let mut told = report(reference, states[usize::from(how % 4)]);
    told.operation = Some(operation);
    if how & 16 != 0 {
        told.amount = Money::kes("2").ok();
    }
    if how & 64 != 0 {
        let value = "T".repeat(usize::from(how / 16 % 3) + 1);
        told.provider_refs = told.provider_refs.with("transaction", Some(&value));
    }
    if how & 32 != 0 {
        told.code = Some(format!("{how}"));
    }
    told
}

/// Money of one of three transactions, which may say that it is for a payment.
fn came_in(how: u8, trust: Trust, reference: &str) -> Credit {
    let value = "T".repeat(usize::from(how / 16 % 3) + 1);
    let names = ProviderRefs::new().with("transaction", Some(&value));
    let amount = Money::kes(if how & 8 == 0 { "1500" } else { "15" }).unwrap();
    let mut credit = Credit::new(PROVIDER, amount, names, trust, Raw::default());
    credit.reference = (how & 4 == 0).then(|| reference.parse().unwrap());
    credit
}

/// What a step means to this store, which depends on what is there.
async fn entry(bench: &Bench, step: Step, number: usize) -> Entry {
    // tidy: over 60 lines: one arm for each entry
    let id = PaymentId(u64::from(step.on % 4) + 1);
    let Step { kind, how, .. } = step;
    let known = bench.journal.find(&Find::Id(id)).await.unwrap();
    let fence =
        known.as_ref().map_or(Fence(0), |known| Fence(known.fence.0.saturating_sub(u64::from(how == 7))));
    let reference = known.as_ref().map_or_else(|| "none".to_owned(), |known| known.reference.to_string());
    let operation = known.as_ref().map_or(Operation::PayOut, |known| known.operation);
    let opened = |start: bool| -> Box<Open> {
        let (key, reference) = (format!("K{}", step.on % 4), format!("R{number}"));
        let open =
            if step.on % 4 == 3 { open_collection(&key, &reference) } else { open_under(&key, &reference) };
        let twins = if how & 24 == 24 { Twins::Held } else { Twins::Sent };
        let open = open.with_resend(rule(how)).with_twins(twins);
        let later = Start::Later { after: seconds(how) };
        Box::new(open.with_start(if start { Start::Now(lease("a")) } else { later }))
    };
    let notes = Notes::default();
    match kind {
        0 => Entry::Open(opened(true)),
        1 => Entry::Open(opened(false)),
        2 => Entry::Again(opened(how % 2 == 0)),
        3 => begin(id, "a", (how % 2 == 0).then_some(fence)),
        4 => begin_again(id, "b", (how % 2 == 0).then_some(fence)),
        5 | 6 => {
            let outcome = match how % 5 {
                0 => Outcome::NotSent(notes),
                1 => Outcome::Throttled(notes),
                2 => Outcome::Refused(notes),
                3 => Outcome::Unknown(notes),
                _ => Outcome::Accepted(told(&reference, operation, how)),
            };
            let attempt = known.map_or(malipo_journal::Attempt(1), |known| known.attempt);
            Entry::Finish(Box::new(Finish::new(id, attempt, fence, outcome, seconds(how))))
        }
        7 => Entry::NoteAbsent(NoteAbsent::new(id, fence, seconds(how))),
        8 | 9 => Entry::Apply(Box::new(Apply::new(id, Source::Answer, told(&reference, operation, how)))),
        10 => {
            let body = Raw::from(format!("{{{}}}", how % 3).as_str());
            Entry::StoreDelivery(Box::new(StoreDelivery::new(PROVIDER, DeliveryPurpose::Notice, body)))
        }
        11 => {
            let delivery = DeliveryId(u64::from(how % 3) + 1);
            Entry::Apply(Box::new(Apply::new(
                id,
                Source::Delivery(delivery),
                told(&reference, operation, how),
            )))
        }
        12 => {
            let delivery = DeliveryId(u64::from(how % 3) + 1);
            let amount = Money::kes("1500").unwrap();
            let unaddressed = MatchUnaddressed::new(delivery, PROVIDER, Operation::PayOut, amount)
                .with_party(ToldParty::new(Some("0708374149"), None));
            Entry::MatchUnaddressed(Box::new(unaddressed))
        }
        13 => Entry::ClaimDue(ClaimDue::new(PROVIDER, lease("c"), u32::from(how % 4))),
        14 => match how % 3 {
            0 => Entry::Schedule(Schedule::new(id, fence, seconds(how)).asked()),
            1 => Entry::Overdue(Overdue::new(id, fence, Reason::Silent)),
            _ => Entry::Sweep(Sweep::new(u32::from(how % 4))),
        },
        15 => {
            let decision = match how % 4 {
                0 => Decision::Paid { receipt: Some(format!("H{number}")) },
                1 => Decision::Failed,
                2 => Decision::SendAgain(lease("d")),
                _ => Decision::Keep,
            };
            Entry::Resolve(Box::new(Resolve::new(id, "amina", "seen", decision)))
        }
        16 => Entry::Cancel(id),
        17 => begin_confirm(id, "e"),
        19 => {
            let attention = Attention::new(if how % 2 == 0 { Reason::Stuck } else { Reason::Unconfirmed });
            Entry::Raise(Box::new(Raise::new(id, None, attention)))
        }
        20 => {
            let delivery = DeliveryId(u64::from(how % 3) + 1);
            let told = told(&reference, operation, how);
            match how & 64 {
                0 => Entry::NoteReplay(delivery),
                _ => Entry::Apply(Box::new(Apply::new(id, Source::Replay(delivery), told))),
            }
        }
        21 => Entry::Advance(Box::new(Advance::new(ledger(), Stream::Events, u64::from(how)))),
        22 | 23 => {
            let delivery = DeliveryId(u64::from(how % 3) + 1);
            Entry::StoreCredit(Box::new(StoreCredit::new(delivery, came_in(how, Trust::Claimed, &reference))))
        }
        24 | 25 => {
            let credit = CreditId(u64::from(how % 3) + 1);
            let name = bench.journal.credit(credit).await.unwrap().map_or(0, |known| known.value.len());
            let mut answered = came_in(how, Trust::Answered, &reference);
            let value = "T".repeat(name);
            answered.provider_refs = ProviderRefs::new().with("transaction", Some(&value));
            Entry::DecideCredit(Box::new(match how % 5 {
                0 => DecideCredit::unaskable(credit),
                _ => DecideCredit::answered(credit, answered),
            }))
        }
        26 => Entry::DueCredits(DueCredits::new(vec![PROVIDER], u32::from(how % 4))),
        18 => Entry::SetAside(SetAside::new(DeliveryId(u64::from(how % 3) + 1), Aside::NotModelled)),
        _ => Entry::Erase(Erase::new(bench.now(), 2)),
    }
}

/// Takes the steps, and says what came of each.
async fn walk(bench: &Bench, steps: &[Step]) -> Vec<Result<Done, Refused>> {
    let mut results = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        bench.clock.forward(u64::from(step.after));
        let entry = entry(bench, *step, number).await;
        results.push(bench.one(entry).await);
        bench.check().await;
    }
    results
}

/// Everything a store says, but for what it is called.
async fn everything(bench: &Bench) -> String {
    let mut all = format!("{:?}", bench.journal.events(EventId(0), u32::MAX).await.unwrap());
    for id in (1..=4).map(PaymentId) {
        all += &format!("{:?}", bench.journal.find(&Find::Id(id)).await.unwrap());
        all += &format!("{:?}", bench.journal.attempts(id).await.unwrap());
        all += &format!("{:?}", bench.journal.reports(id).await.unwrap());
    }
    for id in (1..=3).map(CreditId) {
        all += &format!("{:?}", bench.journal.credit(id).await.unwrap());
    }
    all += &format!("{:?}", bench.journal.credits(CreditSequence(0), u32::MAX).await.unwrap());
    for which in [Deliveries::Waiting(PROVIDER), Deliveries::All] {
        all += &format!("{:?}", bench.journal.deliveries(&which, DeliveryId(0), u32::MAX).await.unwrap());
    }
    all + &format!("{:?}", bench.journal.position(&ledger(), Stream::Events).await.unwrap())
}

/// What no walk does proves nothing, so the walks have to go everywhere.
#[test]
fn the_steps_go_everywhere() {
    let mut runner = TestRunner::deterministic();
    let mut taken = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    let mut credits = BTreeSet::new();
    for _ in 0..3000 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let bench = Bench::memory();
        pollster::block_on(async {
            walk(&bench, &steps).await;
            for id in (1..=3).map(CreditId) {
                credits.extend(bench.journal.credit(id).await.unwrap().map(|credit| credit.state));
            }
            for event in bench.journal.events(EventId(0), u32::MAX).await.unwrap() {
                kinds.insert(event.kind);
                if event.from != event.to {
                    taken.insert((event.from, event.to));
                }
            }
        });
    }
    assert_eq!(taken, TRANSITIONS.iter().copied().collect());
    assert_eq!(credits, CreditState::ALL.iter().copied().collect());
    assert_eq!(kinds, EventKind::ALL.iter().copied().collect());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_done_nothing_is_forgotten(steps in steps()) {
        pollster::block_on(async {
            let (bench, twin) = (Bench::memory(), Bench::memory());
            let results = walk(&bench, &steps).await;
            assert_eq!(walk(&twin, &steps).await, results, "the same steps lead to the same");
            assert_eq!(everything(&bench).await, everything(&twin).await);
        });
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn sql_does_what_the_model_does(steps in steps()) {
        pollster::block_on(async {
            let (sql, model) = (Bench::sqlite_inline(), Bench::memory());
            assert_eq!(walk(&sql, &steps).await, walk(&model, &steps).await);
            assert_eq!(everything(&sql).await, everything(&model).await);
        });
    }
}

#[cfg(feature = "postgres")]
proptest! {
    // Fewer, since each step asks a server.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn sql_on_a_server_does_what_the_model_does(steps in steps()) {
        let (Some(sql), model) = (Bench::postgres(), Bench::memory()) else { return Ok(()) };
        pollster::block_on(async {
            assert_eq!(walk(&sql, &steps).await, walk(&model, &steps).await);
            assert_eq!(everything(&sql).await, everything(&model).await);
        });
    }
}
