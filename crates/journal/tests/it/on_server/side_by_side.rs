//! Several processes, or what looks like it to the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use malipo_core::{DeliveryPurpose, Raw, State};
use malipo_journal::{
    Apply, Claim, ClaimDue, Done, Entry, EventId, Find, Journal, JournalErrorKind, PaymentId,
    PostgresJournal, Source, Start, StoreDelivery,
};

use super::schema;
use crate::bench::{Bench, Clock, PROVIDER, key, lease, open, open_under, report};
use crate::server::Schema;

fn entry(name: &str) -> Vec<Entry> {
    vec![Entry::Open(Box::new(open(name)))]
}

fn journals(schema: &Schema, count: usize) -> Vec<Arc<dyn Journal>> {
    let clock = Clock::new();
    (0..count).map(|_| schema.open(schema.config().with_connections(2), &clock)).collect()
}

async fn claimed(journal: &dyn Journal, limit: u32) -> Vec<Claim> {
    let claim = Entry::ClaimDue(ClaimDue::new(PROVIDER, lease("a"), limit));
    match journal.commit(vec![claim]).await.unwrap().remove(0).unwrap() {
        Done::Claimed(claims) => claims,
        other => panic!("{other:?}"),
    }
}

fn ids(claims: &[Claim]) -> Vec<u64> {
    claims.iter().map(|claim| claim.payment.id.0).collect()
}

/// Waits until somebody on the server waits for somebody else's lock.
fn until_somebody_waits(schema: &Schema, count: i64) {
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND wait_event_type = 'Lock'",
        schema.name()
    );
    schema.by_hand().until(&waiting, count);
}

#[test]
fn whoever_opens_a_new_schema_waits_for_whoever_makes_it() {
    let schema = schema!();
    let all = (0..8).map(|_| PostgresJournal::open(schema.config()));
    for opened in schema.wait(futures_util::future::join_all(all)) {
        opened.unwrap();
    }
    let by_hand = schema.by_hand();
    let twice = "SELECT count(*) - count(DISTINCT number) FROM migrations";
    assert_eq!(by_hand.number(twice), 0, "each migration once");
}

/// In whole milliseconds, and whatever the clock of this process says.
#[test]
fn the_servers_clock_is_the_journals() {
    let schema = schema!();
    let by_hand = schema.by_hand();
    let now = || by_hand.number("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint");
    let journal = schema.wait(PostgresJournal::open(schema.config())).unwrap();
    let before = now();
    pollster::block_on(journal.commit(entry("A"))).unwrap().remove(0).unwrap();
    let after = now();
    let opened = pollster::block_on(journal.find(&Find::Key(key("A")))).unwrap().unwrap().opened_at;
    assert!((before..=after).contains(&opened.unix_millis()), "{before} {opened} {after}");
}

#[test]
fn many_callers_with_one_key_over_four_journals_send_once() {
    let schema = schema!();
    let journals = journals(&schema, 4);
    let callers = (0..64_usize).map(|caller| {
        let journal = journals[caller % 4].clone();
        std::thread::spawn(move || {
            let open = open_under("A", &format!("A-{caller}")).with_start(Start::Now(lease("a")));
            pollster::block_on(journal.commit(vec![Entry::Open(Box::new(open))])).unwrap().remove(0).unwrap()
        })
    });
    let callers: Vec<_> = callers.collect();
    let done: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    assert_eq!(done.iter().filter(|done| matches!(done, Done::Opened { begun: Some(_), .. })).count(), 1);
    assert_eq!(done.iter().filter(|done| matches!(done, Done::Existing(_))).count(), 63);
}

#[test]
fn four_workers_claim_each_payment_once() {
    let schema = schema!();
    let journals = journals(&schema, 4);
    let all = (1..=60).map(|number| entry(&format!("P{number}")));
    pollster::block_on(journals[0].commit(all.flatten().collect())).unwrap();
    let workers = journals.into_iter().map(|journal| {
        std::thread::spawn(move || {
            let mut mine = Vec::new();
            loop {
                match pollster::block_on(claimed(&*journal, 3)) {
                    claims if claims.is_empty() => return mine,
                    claims => mine.extend(ids(&claims)),
                }
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut all: Vec<_> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (1..=60).collect::<Vec<_>>());
}

#[test]
fn what_somebody_has_in_hand_is_passed_by() {
    let schema = schema!();
    let (bench, by_hand) = (schema.bench(), schema.by_hand());
    pollster::block_on(async {
        for name in ["A", "B", "C"] {
            bench.recorded(name).await;
        }
        by_hand.run("BEGIN; SELECT 1 FROM payments WHERE id = 1 FOR UPDATE").unwrap();
        assert_eq!(ids(&claimed(&*bench.journal, 2).await), [2, 3], "the next two, at once");
        by_hand.run("ROLLBACK").unwrap();
        assert_eq!(ids(&claimed(&*bench.other, 2).await), [1]);
    });
}

/// Claims do not take turns, so what is read to be changed is locked: it is what it is when it is changed.
#[test]
fn what_a_claim_changes_meanwhile_is_seen() {
    let schema = schema!();
    let (bench, by_hand) = (schema.bench(), schema.by_hand());
    let id = pollster::block_on(bench.recorded("A"));
    by_hand.run("BEGIN; UPDATE payments SET fence = 7, version = version + 1 WHERE id = 1").unwrap();
    let journal = bench.journal.clone();
    let cancelling = std::thread::spawn(move || pollster::block_on(journal.commit(vec![Entry::Cancel(id)])));
    until_somebody_waits(&schema, 1);
    by_hand.run("COMMIT").unwrap();
    assert_eq!(cancelling.join().unwrap().unwrap(), [Ok(Done::Cancelled)]);
    assert_eq!(pollster::block_on(bench.payment(id)).fence.0, 7);
}

/// A writer that waits holds up the other writers, since events are to become visible in order; it does not hold up
/// claims.
#[test]
fn writers_take_turns_and_claims_need_none() {
    let schema = schema!();
    let (bench, by_hand) = (schema.bench(), schema.by_hand());
    pollster::block_on(async {
        bench.recorded("A").await;
        bench.recorded("B").await;
    });
    by_hand.run("BEGIN; SELECT 1 FROM payments WHERE id = 1 FOR UPDATE").unwrap();
    let (first, second) = (bench.journal.clone(), bench.other.clone());
    // The first numbers an event before it has to wait.
    let batch = entry("C").into_iter().chain([Entry::Cancel(PaymentId(1))]).collect();
    let first = std::thread::spawn(move || pollster::block_on(first.commit(batch)));
    until_somebody_waits(&schema, 1);
    let second = std::thread::spawn(move || pollster::block_on(second.commit(entry("D"))));
    until_somebody_waits(&schema, 2);
    pollster::block_on(async {
        assert_eq!(ids(&claimed(&*bench.other, 9).await), [2]);
        assert_eq!(bench.journal.events(EventId(0), 9).await.unwrap().len(), 2, "nothing more is visible");
    });
    // Later by the clock, too, since each reads it when its turn has come.
    bench.clock.forward(5);
    by_hand.run("ROLLBACK").unwrap();
    assert_eq!(first.join().unwrap().unwrap().len(), 2);
    second.join().unwrap().unwrap().remove(0).unwrap();
    pollster::block_on(async {
        let events = bench.journal.events(EventId(2), 9).await.unwrap();
        let order: Vec<_> = events.iter().map(|event| (event.id.0, event.payment.0)).collect();
        assert_eq!(order, [(3, 3), (4, 1), (5, 4)]);
        assert_eq!(events[2].at, bench.now());
        bench.check().await;
    });
}

#[test]
fn whoever_follows_the_events_misses_none() {
    let schema = schema!();
    let journals = journals(&schema, 4);
    let reader = schema.open(schema.config(), &Clock::new());
    let is_over = Arc::new(AtomicBool::new(false));
    let follower = std::thread::spawn({
        let is_over = is_over.clone();
        move || {
            let (mut seen, mut cursor) = (Vec::new(), EventId(0));
            loop {
                let last_look = is_over.load(Ordering::SeqCst);
                let events = pollster::block_on(reader.events(cursor, 1000)).unwrap();
                cursor = events.last().map_or(cursor, |event| event.id);
                seen.extend(events.iter().map(|event| event.id.0));
                if last_look {
                    return seen;
                }
            }
        }
    });
    let writers = journals.into_iter().enumerate().map(|(writer, journal)| {
        std::thread::spawn(move || {
            for number in 0..40 {
                let batch = entry(&format!("W{writer}-{number}"));
                pollster::block_on(journal.commit(batch)).unwrap().remove(0).unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    is_over.store(true, Ordering::SeqCst);
    assert_eq!(follower.join().unwrap(), (1..=160).collect::<Vec<_>>());
}

/// Somebody else wrote what was not there a moment ago: it is looked at once more.
#[test]
fn a_name_that_somebody_took_meanwhile_is_seen() {
    let schema = schema!();
    let (bench, by_hand) = (schema.bench(), schema.by_hand());
    pollster::block_on(bench.recorded("A"));
    let copy = |id: u8, key: &str| {
        format!(
            "BEGIN; INSERT INTO payments (id, key, generation, provider, operation, reference, amount_minor, \
             currency, opened_at, state, exposure, attempt, goods, resend, twins, asks, absences, fence, next_at, \
             changed_at, fingerprint, instruction, events, version) SELECT {id}, '{key}', generation, provider, operation, \
             'by-hand-{key}', amount_minor, currency, opened_at, state, exposure, attempt, goods, resend, twins, \
             asks, absences, fence, next_at, changed_at, fingerprint, instruction, events, version FROM payments WHERE id = 1; \
             INSERT INTO events (id, payment, sequence, at, kind, from_state, to_state) \
             VALUES ({id}, {id}, 1, 0, 'opened', 'recorded', 'recorded')"
        )
    };
    by_hand.run(&copy(2, "B")).unwrap();
    let journal = bench.journal.clone();
    let opening =
        std::thread::spawn(move || pollster::block_on(journal.commit(entry("B"))).unwrap().remove(0));
    until_somebody_waits(&schema, 1);
    by_hand.run("COMMIT").unwrap();
    assert!(matches!(opening.join().unwrap(), Ok(Done::Existing(_))));
    pollster::block_on(async {
        assert_eq!(bench.recorded("C").await, PaymentId(3));
        bench.check().await;
    });
}

#[test]
fn of_two_that_wait_for_each_other_the_journal_tries_again() {
    let schema = schema!();
    let text = format!("{} options='-c deadlock_timeout=2s'", schema.address());
    let config = malipo_journal::PostgresConfig::new(text).with_schema(schema.name());
    let bench = super::alone(&schema, config);
    let by_hand = schema.by_hand();
    pollster::block_on(async {
        bench.recorded("A").await;
        bench.recorded("B").await;
    });
    // The server looks for who waits for whom when somebody has waited for so long, and gives that one up: here it is to
    // be the journal, which waits first and looks later.
    by_hand.run("SET deadlock_timeout = '1h'").unwrap();
    by_hand.run("BEGIN; SELECT 1 FROM payments WHERE id = 2 FOR UPDATE").unwrap();
    let journal = bench.journal.clone();
    let both = vec![Entry::Cancel(PaymentId(1)), Entry::Cancel(PaymentId(2))];
    let cancelling = std::thread::spawn(move || pollster::block_on(journal.commit(both)));
    until_somebody_waits(&schema, 1);
    // Gets it, since the journal gives up what it has.
    by_hand.run("SELECT 1 FROM payments WHERE id = 1 FOR UPDATE; COMMIT").unwrap();
    assert_eq!(cancelling.join().unwrap().unwrap(), [Ok(Done::Cancelled), Ok(Done::Cancelled)]);
    pollster::block_on(bench.check());
}

/// Another process, that is: whoever rests hears of what somebody else leaves to do. And of nothing else, or it would
/// not rest.
#[test]
fn whoever_rests_is_stirred_by_what_another_leaves_to_do() {
    let schema = schema!();
    let bench = schema.bench();
    let heard = |journal: &Arc<dyn Journal>| {
        let journal = journal.clone();
        let (sender, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            pollster::block_on(journal.stirred());
            // The test may be over.
            let _ = sender.send(());
        });
        heard
    };
    let long = Duration::from_secs(20);
    heard(&bench.other)
        .recv_timeout(long)
        .expect("once when it begins to listen, since it may have missed some");
    let ear = heard(&bench.other);
    pollster::block_on(async {
        let later = Start::Later { after: Duration::from_secs(60) };
        bench.opened(open("later").with_start(later)).await;
        bench.sending(open("sending")).await;
        bench.accepted("accepted").await;
        bench.done(Entry::ClaimDue(ClaimDue::new(PROVIDER, lease("b"), 9))).await;
        ear.recv_timeout(Duration::from_millis(200)).expect_err("nothing of that is due");
        bench.recorded("due").await;
    });
    ear.recv_timeout(long).expect("what is due");
    let ear = heard(&bench.other);
    let delivery = StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, Raw::from("{}"));
    pollster::block_on(bench.done(Entry::StoreDelivery(Box::new(delivery))));
    ear.recv_timeout(long).expect("a delivery");
    // A connection that was lost is made again.
    let ear = heard(&bench.other);
    let by_hand = schema.by_hand();
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND query LIKE";
    assert_eq!(by_hand.number(&format!("{end} '%{}\"'", schema.name())), 1);
    ear.recv_timeout(long).expect("it may have missed some meanwhile");
}

/// What waits together is one commit, and one that fails is undone alone.
#[test]
fn batches_that_wait_together_are_one_commit() {
    let schema = schema!();
    let (proxy, config) = super::failing::proxied(&schema);
    let bench = super::alone(&schema, config);
    let by_hand = schema.by_hand();
    pollster::block_on(async {
        bench.recorded("A").await;
        bench.accepted("B").await;
    });
    let newer = "UPDATE payments SET instruction = replace(instruction, '\"v\":1', '\"v\":2') WHERE id = 2";
    assert_eq!(by_hand.change(newer), Ok(1));
    by_hand.run("BEGIN; SELECT 1 FROM payments WHERE id = 1 FOR UPDATE").unwrap();
    let before = proxy.commits();
    let apply = Entry::Apply(Box::new(Apply::new(PaymentId(2), Source::Answer, report("B", State::Settled))));
    let bad = entry("D").into_iter().chain([apply]).collect();
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting = Vec::new();
    for batch in [vec![Entry::Cancel(PaymentId(1))], entry("C"), bad, entry("E")] {
        let mut commit = bench.journal.commit(batch);
        assert!(commit.as_mut().poll(&mut context).is_pending());
        waiting.push(commit);
        // The first is on its way alone.
        until_somebody_waits(&schema, 1);
    }
    // One that nobody waits for any more is done all the same.
    let mut given_up = bench.journal.commit(entry("F"));
    assert!(given_up.as_mut().poll(&mut context).is_pending());
    drop(given_up);
    by_hand.run("ROLLBACK").unwrap();
    let results = pollster::block_on(futures_util::future::join_all(waiting));
    assert_eq!(proxy.commits() - before, 2, "the first one, and the others together");
    assert!(matches!(results[0].as_deref(), Ok([Ok(Done::Cancelled)])));
    assert!(matches!(results[1].as_deref(), Ok([Ok(Done::Opened { .. })])));
    assert_eq!(results[2].as_ref().unwrap_err().kind(), JournalErrorKind::Newer);
    assert!(matches!(results[3].as_deref(), Ok([Ok(Done::Opened { .. })])));
    pollster::block_on(async {
        for (name, is_there) in [("C", true), ("D", false), ("E", true), ("F", true)] {
            let found = bench.journal.find(&Find::Key(key(name))).await.unwrap();
            assert_eq!(found.is_some(), is_there, "{name}");
        }
        assert_eq!(bench.payment(PaymentId(3)).await.key, key("C"), "what was undone left no number out");
        assert_eq!(bench.payment(PaymentId(4)).await.key, key("E"));
        Bench::check(&bench).await;
    });
}
