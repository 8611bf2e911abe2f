use malipo_core::{Instruction, Money, Payee, State};
use malipo_journal::{
    Done, Entry, Notes, Open, Outcome, PaymentId, PaymentState, Refused, ResendRule, Start, Twins,
};

use crate::bench::{Bench, begin, begin_again, lease, open, open_of, pay, report};

fn twin(name: &str) -> Open {
    open(name).with_twins(Twins::Held)
}

fn now(open: Open) -> Entry {
    Entry::Open(Box::new(open.with_start(Start::Now(lease("a")))))
}

async fn begun(bench: &Bench, open: Open) -> (PaymentId, bool) {
    match bench.done(now(open)).await {
        Done::Opened { payment, begun } => (payment, begun.is_some()),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_twin_waits_until_the_other_has_a_name(bench: &Bench) {
    let (first, sending) = bench.sending(twin("A")).await;
    let (second, leaves) = begun(bench, twin("B")).await;
    assert!(!leaves, "the first is leaving");
    assert_eq!(bench.state(second).await, PaymentState::Recorded);
    assert_eq!(bench.refused(begin(second, "a", None)).await, Refused::Twin { payment: first });
    bench.finish(first, sending, Outcome::Unknown(Notes::default())).await;
    assert_eq!(bench.refused(begin(second, "a", None)).await, Refused::Twin { payment: first });
    bench.tell(first, report("A", State::Pending)).await;
    bench.begun(begin(second, "a", None)).await;
}

pub(crate) async fn a_twin_waits_for_a_person_too(bench: &Bench) {
    let first = bench.standing("A", PaymentState::Review).await;
    let (second, leaves) = begun(bench, twin("B")).await;
    assert!(!leaves);
    assert_eq!(bench.refused(begin(second, "a", None)).await, Refused::Twin { payment: first });
}

pub(crate) async fn only_a_twin_is_held(bench: &Bench) {
    bench.unknown(twin("A")).await;
    let mut more = pay("more");
    more.terms.amount = Money::kes("1501").unwrap();
    assert!(begun(bench, open_of("more", more).with_twins(Twins::Held)).await.1, "another amount");
    let mut other = pay("other");
    other.to = Payee::till("565656".parse().unwrap());
    assert!(begun(bench, open_of("other", other).with_twins(Twins::Held)).await.1, "another party");
    let elsewhere = malipo_core::ProviderId::of("otherpay");
    let fingerprint =
        malipo_journal::Intent::new(&elsewhere, &Instruction::PayOut(pay("there"))).fingerprint().unwrap();
    let there =
        Open::new(elsewhere, "there".parse().unwrap(), Instruction::PayOut(pay("there")), fingerprint);
    assert!(begun(bench, there.with_twins(Twins::Held)).await.1, "another account");
    assert!(begun(bench, open("sent")).await.1, "where the reference tells them apart");
    for state in [PaymentState::Paid, PaymentState::Failed, PaymentState::Recorded, PaymentState::Accepted] {
        let bench = Bench::memory();
        bench.standing("A", state).await;
        assert!(begun(&bench, twin("B")).await.1, "{state}");
    }
}

pub(crate) async fn of_many_twins_at_once_one_leaves(bench: &Bench) {
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let journal = if number % 2 == 0 { bench.journal.clone() } else { bench.other.clone() };
            std::thread::spawn(move || {
                let entry = now(twin(&format!("T{number}")));
                match pollster::block_on(journal.commit(vec![entry])).unwrap().remove(0).unwrap() {
                    Done::Opened { begun, .. } => usize::from(begun.is_some()),
                    other => panic!("{other:?}"),
                }
            })
        })
        .collect();
    let left: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(left, 1);
}

pub(crate) async fn a_twin_is_not_sent_again_either(bench: &Bench) {
    let rule = ResendRule::SameReference { within: std::time::Duration::from_secs(300) };
    let first = bench.unknown(twin("A").with_resend(rule)).await;
    let second = bench.unknown(open("B")).await;
    let refused = bench.refused(begin_again(first, "a", None)).await;
    assert_eq!(refused, Refused::Twin { payment: second });
    bench.tell(second, report("B", State::Settled)).await;
    bench.begun(begin_again(first, "a", None)).await;
}
