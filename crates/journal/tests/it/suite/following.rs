//! Who follows what happens is given all of it, whatever becomes of them.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use malipo_core::{Env, Secret, Timer, Timestamp};
use malipo_journal::{
    Advance, Attention, CallbackKey, CallbackUrls, CreditState, Done, Entry, Event, EventId, Follower,
    Handler, Happening, Journal, PaymentId, PaymentState, Payments, Raise, Reason, Stream,
};

use super::crediting::{answer, claimed, decide, notice};
use crate::bench::{Bench, open};

/// A clock that runs on when somebody waits for it.
#[derive(Debug, Default)]
struct Hasty(AtomicU64);

impl Env for Hasty {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn fill_bytes(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

impl Timer for Hasty {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        let mut waited = false;
        Box::pin(poll_fn(move |context| {
            if std::mem::replace(&mut waited, true) {
                self.0.fetch_add(u64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }))
    }
}

/// A process that follows.
struct Process {
    payments: Payments,
    clock: Arc<Hasty>,
}

impl Process {
    fn new(journal: &Arc<dyn Journal>) -> Self {
        let key = CallbackKey::new(1, Secret::new("a key of at least thirty-two bytes")).unwrap();
        let urls = CallbackUrls::new("https://pay.example.com", key).unwrap();
        let clock = Arc::new(Hasty::default());
        let payments = Payments::new(journal.clone(), urls, clock.clone(), "worker".parse().unwrap());
        Self { payments, clock }
    }

    /// Follows until `stop` says so, which is looked at often.
    async fn follow(&self, name: &str, handler: &dyn Handler, stop: impl Fn() -> bool + Send) {
        let stop = poll_fn(|_| if stop() { Poll::Ready(()) } else { Poll::Pending });
        self.payments.follow(&follower(name), handler, stop).await;
    }

    /// Follows for so many seconds of its own clock.
    async fn follow_for(&self, name: &str, handler: &dyn Handler, seconds: u64) {
        let until = self.clock.monotonic() + Duration::from_secs(seconds);
        self.follow(name, handler, || self.clock.monotonic() >= until).await;
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What was given, and when; and what is not done about it, and how that shows.
#[derive(Default)]
struct Memo {
    given: Mutex<Vec<(Event, Duration)>>,
    done: Mutex<Vec<Event>>,
}

impl Memo {
    fn done(&self) -> Vec<EventId> {
        self.done.lock().unwrap().iter().map(|event| event.id).collect()
    }

    /// When this one was given.
    fn times(&self, id: EventId) -> Vec<Duration> {
        let given = self.given.lock().unwrap();
        given.iter().filter(|(event, _)| event.id == id).map(|(_, at)| *at).collect()
    }
}

/// A handler that does its part unless `fails` says how often it has been given this one.
fn noting<'m>(
    memo: &'m Memo,
    clock: &'m Hasty,
    fails: impl Fn(&Event, usize) -> Option<Failing> + Send + Sync + 'm,
) -> impl Handler + 'm {
    let fails = Arc::new(fails);
    move |happening: Happening| {
        let fails = fails.clone();
        async move {
            let Happening::Payment(event) = happening else { return Err(Failure::from("of another stream")) };
            memo.given.lock().unwrap().push((event.clone(), clock.monotonic()));
            match fails(&event, memo.times(event.id).len()) {
                Some(Failing::Error) => return Err(Failure::from("it cannot be done now")),
                Some(Failing::Panic) => panic!("this handler panics, which is part of its test"),
                None => memo.done.lock().unwrap().push(event),
            }
            Ok(())
        }
    }
}

/// Does its part once another one was given something: whoever begins later begins where this one is.
fn after<'m>(other: &'m Memo, memo: &'m Memo, clock: &'m Hasty) -> impl Handler + 'm {
    let inner = Arc::new(noting(memo, clock, |_, _| None));
    move |happening: Happening| {
        let inner = inner.clone();
        async move {
            // Not by the clock, which would run away meanwhile.
            poll_fn(|context| {
                context.waker().wake_by_ref();
                if other.given.lock().unwrap().is_empty() { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
            inner.handle(happening).await
        }
    }
}

#[derive(Clone, Copy)]
enum Failing {
    Error,
    Panic,
}

fn follower(name: &str) -> Follower {
    name.parse().unwrap()
}

async fn position(journal: &Arc<dyn Journal>, name: &str) -> u64 {
    journal.position(&follower(name), Stream::Events).await.unwrap()
}

async fn events(bench: &Bench) -> Vec<EventId> {
    let all = bench.journal.events(EventId(0), u32::MAX).await.unwrap();
    all.iter().map(|event| event.id).collect()
}

fn advance(name: &str, position: u64) -> Entry {
    Entry::Advance(Box::new(Advance::new(follower(name), Stream::Events, position)))
}

pub(crate) async fn a_position_never_goes_back(bench: &Bench) {
    assert_eq!(position(&bench.journal, "ledger").await, 0);
    assert_eq!(bench.done(advance("ledger", 5)).await, Done::Advanced(5));
    assert_eq!(bench.done(advance("ledger", 3)).await, Done::Advanced(5), "the further one stays");
    assert_eq!(bench.done(advance("mailer", 4)).await, Done::Advanced(4));
    assert_eq!((position(&bench.other, "ledger").await, position(&bench.other, "mailer").await), (5, 4));
    // Also of two that do not wait for each other.
    for round in 0..20 {
        let one = bench.journal.commit(vec![advance("ledger", 100 + round)]);
        let two = bench.other.commit(vec![advance("ledger", 200 - round)]);
        let (one, two) = futures_util::future::join(one, two).await;
        assert!(one.is_ok() && two.is_ok());
    }
    assert_eq!(position(&bench.journal, "ledger").await, 200);
}

pub(crate) async fn what_happens_is_given_in_order_and_once(bench: &Bench) {
    for name in ["A", "B"] {
        bench.standing(name, PaymentState::Paid).await;
    }
    let process = Process::new(&bench.journal);
    let (memo, late) = (Memo::default(), AtomicBool::new(false));
    let inner = noting(&memo, &process.clock, |_, _| None);
    let handler = |happening: Happening| {
        let (inner, late) = (&inner, &late);
        async move {
            // What happens meanwhile is given as well.
            if !late.swap(true, Ordering::SeqCst) {
                bench.recorded("C").await;
            }
            inner.handle(happening).await
        }
    };
    process.follow_for("ledger", &handler, 5).await;
    let all = events(bench).await;
    assert_eq!(memo.done(), all);
    assert_eq!(position(&bench.other, "ledger").await, all.last().unwrap().0);
    // As after a restart: what is done is not given again, and another name begins at the beginning.
    let again = Process::new(&bench.other);
    again.follow_for("ledger", &noting(&memo, &again.clock, |_, _| None), 5).await;
    assert_eq!(memo.done(), all, "nothing is given twice");
    let memo = Memo::default();
    again.follow_for("mailer", &noting(&memo, &again.clock, |_, _| None), 5).await;
    assert_eq!(memo.done(), all);
}

pub(crate) async fn money_that_came_in_unasked_is_given_as_well(bench: &Bench) {
    bench.recorded("A").await;
    let credit = claimed(bench, "words", notice("T-1", "350")).await;
    let process = Process::new(&bench.journal);
    let (told, payments) = (Mutex::new(Vec::new()), AtomicU64::new(0));
    let handler = |happening: Happening| {
        let (told, payments) = (&told, &payments);
        async move {
            let Happening::Credit(record) = &happening else {
                payments.fetch_add(1, Ordering::SeqCst);
                return Ok(());
            };
            assert_eq!((happening.stream(), happening.number()), (Stream::Credits, record.sequence.0));
            let mut told = told.lock().unwrap();
            told.push((record.id, record.state));
            if told.len() == 1 { Err(Failure::from("not now")) } else { Ok(()) }
        }
    };
    process.follow_for("ledger", &handler, 3).await;
    assert!(told.lock().unwrap().is_empty(), "nobody is told of a claim");
    bench.done(decide(credit, answer("T-1", "350"))).await;
    process.follow_for("ledger", &handler, 3).await;
    assert_eq!(
        *told.lock().unwrap(),
        [(credit, CreditState::Confirmed); 2],
        "once it failed, once it did not"
    );
    assert_eq!(bench.other.position(&follower("ledger"), Stream::Credits).await.unwrap(), 1);
    process.follow_for("ledger", &handler, 3).await;
    assert_eq!(told.lock().unwrap().len(), 2);
    assert_eq!(payments.load(Ordering::SeqCst), u64::try_from(events(bench).await.len()).unwrap());
}

pub(crate) async fn what_a_handler_fails_at_is_given_again_and_holds_up_its_payment_only(bench: &Bench) {
    let held = bench.standing("A", PaymentState::Paid).await;
    bench.standing("B", PaymentState::Paid).await;
    bench.standing("C", PaymentState::Failed).await;
    let process = Process::new(&bench.journal);
    let memo = Memo::default();
    let handler = noting(&memo, &process.clock, |event, times| match times {
        _ if event.payment != held || event.sequence != 2 => None,
        2 => Some(Failing::Panic),
        1..=8 => Some(Failing::Error),
        _ => None,
    });
    process.follow_for("ledger", &handler, 300).await;
    let all = events(bench).await;
    let done = memo.done.lock().unwrap().clone();
    assert_eq!(done.len(), all.len(), "each is done once");
    let mut sequences = BTreeMap::<PaymentId, Vec<u64>>::new();
    for event in &done {
        sequences.entry(event.payment).or_default().push(event.sequence);
    }
    for sequences in sequences.values() {
        assert!(sequences.is_sorted(), "what happens to one payment is given in order: {sequences:?}");
    }
    let place = |is: &dyn Fn(&Event) -> bool| done.iter().position(is).unwrap();
    let failed_at = place(&|event| event.payment == held && event.sequence == 2);
    let others = done.iter().filter(|event| event.payment != held).count();
    assert_eq!(failed_at, 1 + others, "the others went on");
    let times = memo.times(done[failed_at].id);
    let rests: Vec<_> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert_eq!(rests, [1, 2, 4, 8, 16, 32, 60, 60], "each rest is twice as long, up to a minute");
    assert_eq!(position(&bench.journal, "ledger").await, all.last().unwrap().0);
}

pub(crate) async fn a_position_stays_before_what_is_not_done(bench: &Bench) {
    bench.standing("A", PaymentState::Paid).await;
    bench.standing("B", PaymentState::Paid).await;
    let all = events(bench).await;
    let process = Process::new(&bench.journal);
    let memo = Memo::default();
    let handler = noting(&memo, &process.clock, |event, _| (event.id == all[2]).then_some(Failing::Error));
    process.follow_for("ledger", &handler, 30).await;
    assert_eq!(position(&bench.journal, "ledger").await, all[1].0);
    assert!(memo.done().contains(all.last().unwrap()), "beyond it, the other payment went on");
    // After a restart: the one that failed, and with it some that were done.
    let again = Process::new(&bench.other);
    let memo = Memo::default();
    again.follow_for("ledger", &noting(&memo, &again.clock, |_, _| None), 5).await;
    assert_eq!(memo.done(), all[2..]);
    assert_eq!(position(&bench.journal, "ledger").await, all.last().unwrap().0);
}

pub(crate) async fn one_that_fails_for_ever_is_left_behind_by_no_more_than_a_thousand(bench: &Bench) {
    bench.recorded("A").await;
    let others = [bench.recorded("B").await, bench.recorded("C").await];
    for payment in others {
        // Many things happen to few payments.
        let raise = |number: u32| {
            let attention = Attention::new(Reason::Stuck).with("nothing", format!("{number}"));
            Entry::Raise(Box::new(Raise::new(payment, None, attention)))
        };
        bench.journal.commit((0..600).map(raise).collect()).await.unwrap();
    }
    let all = events(bench).await;
    assert!(all.len() > 1200);
    let process = Process::new(&bench.journal);
    let (memo, fails) = (Memo::default(), AtomicBool::new(true));
    let handler = noting(&memo, &process.clock, |event, _| {
        (event.id == all[0] && fails.load(Ordering::SeqCst)).then_some(Failing::Error)
    });
    process.follow_for("ledger", &handler, 200).await;
    assert_eq!(memo.done(), all[1..1000], "a thousand are read, and the first is not done");
    assert_eq!(position(&bench.journal, "ledger").await, 0);
    // The same process goes on where it is once the first is done.
    fails.store(false, Ordering::SeqCst);
    let memo = Memo::default();
    let handler = noting(&memo, &process.clock, |_, _| None);
    process.follow_for("ledger", &handler, 5).await;
    assert_eq!(memo.done(), all);
    assert_eq!(position(&bench.journal, "ledger").await, all.last().unwrap().0);
}

pub(crate) async fn two_that_follow_under_one_name_are_both_given_everything(bench: &Bench) {
    for name in ["A", "B", "C"] {
        bench.standing(name, PaymentState::Paid).await;
    }
    let all = events(bench).await;
    let (one, two) = (Process::new(&bench.journal), Process::new(&bench.other));
    let (of_one, of_two) = (Memo::default(), Memo::default());
    // One of them is done with everything; the other one fails at the first for long, and writes its position later.
    let good = after(&of_two, &of_one, &one.clock);
    let slow = noting(&of_two, &two.clock, |event, times| {
        (event.id == all[0] && times < 4).then_some(Failing::Error)
    });
    futures_util::future::join(one.follow_for("ledger", &good, 60), two.follow_for("ledger", &slow, 60))
        .await;
    for memo in [&of_one, &of_two] {
        let mut done = memo.done();
        done.sort();
        assert_eq!(done, all);
    }
    assert_eq!(position(&bench.journal, "ledger").await, all.last().unwrap().0);
    // Whoever is behind does not take it back.
    let third = Process::new(&bench.other);
    bench.recorded("D").await;
    let newest = *events(bench).await.last().unwrap();
    let memo = Memo::default();
    let stuck = noting(&memo, &third.clock, |_, _| Some(Failing::Error));
    let good = after(&memo, &of_one, &one.clock);
    futures_util::future::join(third.follow_for("ledger", &stuck, 30), one.follow_for("ledger", &good, 20))
        .await;
    assert_eq!(memo.times(newest).first().map(|_| memo.done().len()), Some(0));
    assert_eq!(position(&bench.journal, "ledger").await, newest.0);
}

pub(crate) async fn who_is_told_to_stop_finishes_what_is_in_hand(bench: &Bench) {
    for name in ["A", "B"] {
        bench.opened(open(name)).await;
    }
    let process = Process::new(&bench.journal);
    let (memo, stop) = (Memo::default(), AtomicBool::new(false));
    let handler = noting(&memo, &process.clock, |_, _| {
        stop.store(true, Ordering::SeqCst);
        None
    });
    process.follow("ledger", &handler, || stop.load(Ordering::SeqCst)).await;
    let all = events(bench).await;
    assert_eq!(memo.done(), all[..1], "what was in hand is done, and no other is begun");
    assert_eq!(position(&bench.journal, "ledger").await, all[0].0, "and that is written down");
}
