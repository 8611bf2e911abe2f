//! What only a server can break.

mod credits;
mod failing;
mod proxy;
mod side_by_side;

use std::sync::Arc;

use malipo_core::{DeliveryPurpose, Good, GoodKind, Money, Operation, Raw, Secret, State, ToldParty};
use malipo_journal::{
    Apply, ClaimDue, CreditSequence, CreditState, Deliveries, DeliveryId, Done, DueCredits, Entry, Erase,
    EventId, Filter, Find, Journal, JournalError, JournalErrorKind, MatchUnaddressed, PaymentId,
    PaymentState, PostgresConfig, PostgresJournal, Source, StoreDelivery, Stream, Sweep,
};

use crate::bench::{Bench, Clock, PROVIDER, key, open, report};
use crate::server::Schema;

/// A schema, or nothing to test on.
macro_rules! schema {
    () => {
        match $crate::server::Schema::new() {
            Some(schema) => schema,
            None => return,
        }
    };
}
use schema;

fn refusal(schema: &Schema, config: PostgresConfig) -> JournalError {
    schema.wait(PostgresJournal::with_clock(config, Clock::new())).unwrap_err()
}

fn alone(schema: &Schema, config: PostgresConfig) -> Bench {
    let clock = Clock::new();
    let journal: Arc<dyn Journal> = schema.open(config, &clock);
    Bench { clock, other: journal.clone(), journal, _keep: None }
}

async fn everything(journal: &dyn Journal) -> String {
    let mut all = format!("{:?}", journal.events(EventId(0), u32::MAX).await.unwrap());
    for id in (1..=20).map(PaymentId) {
        all += &crate::bench::printed(journal, id).await;
    }
    all
}

#[test]
fn a_journal_that_is_opened_again_is_as_it_was() {
    let schema = schema!();
    let bench = schema.bench();
    // Where the server asks for none, any will do.
    let address = schema.address();
    let own = address.split(' ').find_map(|word| word.strip_prefix("password="));
    let (address, password) = match own {
        Some(password) => (address.clone(), password),
        None => (format!("{address} password=hush-hush"), "hush-hush"),
    };
    let hushed = PostgresConfig::new(address.clone()).with_schema(schema.name());
    let printed = schema.wait(PostgresJournal::open(hushed)).unwrap();
    assert!(!format!("{printed:#?}").contains(password), "{printed:#?}");
    pollster::block_on(async {
        for state in PaymentState::ALL {
            bench.standing(state.as_str(), *state).await;
        }
        let before = everything(&*bench.journal).await;
        drop(bench);
        let bench = schema.bench();
        assert_eq!(everything(&*bench.journal).await, before);
        bench.check().await;
        assert!(matches!(bench.done(Entry::Open(Box::new(open("paid")))).await, Done::Existing(_)));
        assert_eq!(bench.recorded("next").await, PaymentId(10));
    });
}

/// Every pair of states, by hand: SQL takes the steps that there are and no other.
#[test]
fn no_other_step_can_be_written_even_by_hand() {
    let schema = schema!();
    let (bench, by_hand) = (schema.bench(), schema.by_hand());
    for from in PaymentState::ALL {
        for to in PaymentState::ALL.iter().filter(|to| *to != from) {
            let name = format!("{from}-{to}");
            let id = pollster::block_on(bench.standing(&name, *from));
            // With whatever the other rules ask for.
            let next_at = if to.is_final() { "NULL" } else { "1" };
            let taken = by_hand.change(&format!(
                "UPDATE payments SET state = '{to}', attention = 'silent', worker = 'a', leased_until = 1, \
                 over_at = 1, next_at = {next_at} WHERE id = {id}"
            ));
            // A key may have one open payment; these have one each.
            assert_eq!(taken.is_ok(), from.may_become(*to), "{name}: {taken:?}");
        }
    }
}

#[test]
fn no_rule_is_broken_even_by_hand() {
    // tidy: over 60 lines: one table of statements
    let schema = schema!();
    let bench = schema.bench();
    pollster::block_on(async {
        let paid = bench.standing("paid", PaymentState::Paid).await;
        bench.standing("failed", PaymentState::Failed).await;
        assert_eq!(bench.standing("accepted", PaymentState::Accepted).await, PaymentId(3));
        assert_eq!(paid, PaymentId(1));
    });
    let by_hand = schema.by_hand();
    let payment = |id: u8, key: &str, generation: u8, reference: &str, state: &str| {
        format!(
            "INSERT INTO payments (id, key, generation, provider, operation, reference, amount_minor, currency, \
             opened_at, state, exposure, attempt, goods, resend, twins, asks, absences, fence, next_at, \
             changed_at, events, version) SELECT {id}, '{key}', {generation}, provider, operation, '{reference}', \
             amount_minor, currency, opened_at, '{state}', exposure, 0, 0, resend, twins, 0, 0, 0, 1, changed_at, 1, \
             0 FROM payments WHERE id = 3"
        )
    };
    let event = |id: u8, sequence: &str, from: &str| {
        format!(
            "INSERT INTO events (id, payment, sequence, at, kind, from_state, to_state) \
             SELECT {id}, 1, {sequence}, 0, 'ended', '{from}', 'paid' FROM events WHERE payment = 1"
        )
    };
    let owned = |sql: &str| sql.to_owned();
    #[rustfmt::skip]
    let statements = [
        (owned("UPDATE payments SET amount_minor = amount_minor + 1 WHERE id = 1"), "what a payment is"),
        (owned("UPDATE payments SET currency = 'USD' WHERE id = 1"), "what a payment is"),
        (owned("UPDATE payments SET reference = 'other' WHERE id = 1"), "what a payment is"),
        (owned("UPDATE payments SET key = 'other' WHERE id = 1"), "what a payment is"),
        (owned("UPDATE payments SET id = 99 WHERE id = 1"), "what a payment is"),
        (owned("UPDATE payments SET fence = 0 WHERE id = 3"), "what a payment is"),
        (owned("UPDATE payments SET attempt = 0 WHERE id = 3"), "what a payment is"),
        (owned("UPDATE payments SET next_at = NULL WHERE id = 3"), "nothing_is_forgotten"),
        (owned("UPDATE payments SET leased_until = 1 WHERE id = 3"), "payments_check"),
        (owned("UPDATE payments SET state = 'lost' WHERE id = 3"), "a step that there is not"),
        (owned("UPDATE payments SET fingerprint = '\\x00' WHERE id = 1"), "fingerprint"),
        (owned("DELETE FROM payments WHERE id = 1"), "never removed"),
        (owned("TRUNCATE payments CASCADE"), "never removed"),
        (payment(9, "accepted", 2, "other", "recorded"), "one_open_payment_of_a_key"),
        (payment(9, "paid", 1, "other", "recorded"), "payments_key_generation_key"),
        (payment(9, "new", 1, "paid", "recorded"), "payments_provider_reference_key"),
        (payment(1, "new", 1, "other", "recorded"), "payments_pkey"),
        (payment(9, "new", 1, "other", "accepted"), "in the middle"),
        (owned("UPDATE events SET kind = 'opened'"), "never changed"),
        (owned("UPDATE events SET payment = 2 WHERE id = 1"), "never changed"),
        (owned("DELETE FROM events WHERE id = (SELECT max(id) FROM events)"), "never removed"),
        (owned("TRUNCATE events CASCADE"), "never removed"),
        (event(99, "max(sequence) + 2", "paid"), "gap"),
        (event(99, "1", "paid"), "gap"),
        (event(1, "max(sequence) + 1", "paid"), "events_pkey"),
        (event(99, "max(sequence) + 1", "accepted"), "one_event_for_each_end"),
        (owned("UPDATE attempts SET ended_as = 'refused'"), "ended twice"),
        (owned("UPDATE attempts SET ended_as = NULL, ended_at = NULL"), "ended twice"),
        (owned("UPDATE attempts SET number = 2"), "ended twice"),
        (owned("DELETE FROM attempts"), "never removed"),
        (owned("TRUNCATE attempts"), "never removed"),
        (owned("INSERT INTO attempts (payment, number, operation, worker, began_at) VALUES (1, 1, 'pay_out', 'a', 0)"), "attempts_pkey"),
        (owned("INSERT INTO attempts (payment, number, operation, worker, began_at) VALUES (77, 1, 'pay_out', 'a', 0)"), "fkey"),
    ];
    for (sql, why) in statements {
        let said = by_hand.change(&sql).unwrap_err();
        assert!(said.contains(why), "{sql}: {said}");
    }
    // The rules look in their own tables, whatever somebody has set.
    by_hand.run("SET search_path TO public").unwrap();
    let gap = format!(
        "INSERT INTO {}.events (id, payment, sequence, at, kind, from_state, to_state) \
         VALUES (99, 1, 9, 0, 'ended', 'paid', 'paid')",
        schema.name()
    );
    assert!(by_hand.change(&gap).unwrap_err().contains("gap"));
    pollster::block_on(bench.check());
}

#[test]
fn what_a_newer_version_wrote_stops_only_what_needs_it() {
    let schema = schema!();
    let (bench, by_hand) = (schema.bench(), schema.by_hand());
    pollster::block_on(async {
        let id = bench.accepted("A").await;
        let newer =
            "UPDATE payments SET instruction = replace(instruction, '\"v\":1', '\"v\":2') WHERE id = 1";
        assert_eq!(by_hand.change(newer), Ok(1));
        let apply = Entry::Apply(Box::new(Apply::new(id, Source::Answer, report("A", State::Settled))));
        // Nothing of that batch is done, and other batches are.
        let batch = vec![Entry::Open(Box::new(open("B"))), apply];
        let error = bench.journal.commit(batch).await.unwrap_err();
        assert_eq!(error.kind(), JournalErrorKind::Newer);
        assert_eq!(bench.state(id).await, PaymentState::Accepted);
        assert_eq!(bench.journal.find(&Find::Key(key("B"))).await.unwrap(), None);
        bench.recorded("C").await;
        bench.check().await;
    });
    let later = "INSERT INTO migrations VALUES (1000, 'more', decode(repeat('00', 32), 'hex'), 0)";
    assert_eq!(by_hand.change(later), Ok(1));
    let newer = refusal(&schema, schema.config());
    assert_eq!(newer.kind(), JournalErrorKind::Newer);
    assert!(newer.to_string().contains("newer version of Malipo"), "{newer}");
}

#[test]
fn tables_that_others_made_are_refused() {
    let schema = schema!();
    drop(schema.bench());
    let by_hand = schema.by_hand();
    let change = "UPDATE migrations SET digest = decode(repeat('00', 32), 'hex') WHERE number = 1";
    assert_eq!(by_hand.change(change), Ok(1));
    let changed = refusal(&schema, schema.config());
    assert_eq!(changed.kind(), JournalErrorKind::Corrupt);
    assert!(changed.to_string().contains("migration 1"), "{changed}");

    let schema = schema!();
    let by_hand = schema.by_hand();
    by_hand
        .run(&format!("CREATE SCHEMA {name}; CREATE TABLE {name}.letters ()", name = schema.name()))
        .unwrap();
    let foreign = refusal(&schema, schema.config());
    assert_eq!(foreign.kind(), JournalErrorKind::Corrupt);
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text = current_schema()";
    assert_eq!(by_hand.number(tables), 1, "and left alone");

    // One that somebody made for us is empty.
    let schema = schema!();
    schema.by_hand().run(&format!("CREATE SCHEMA {}", schema.name())).unwrap();
    pollster::block_on(schema.bench().recorded("A"));
}

#[test]
fn a_rule_that_was_taken_down_is_put_up_again() {
    let schema = schema!();
    let bench = schema.bench();
    let by_hand = schema.by_hand();
    let id = pollster::block_on(bench.standing("A", PaymentState::Paid));
    let back = format!("UPDATE payments SET state = 'failed' WHERE id = {id}");
    let name = "a_payment_takes_steps_there_are";
    for down in [
        format!("DROP TRIGGER {name} ON payments"),
        format!("ALTER TABLE payments DISABLE TRIGGER {name}"),
        format!("COMMENT ON TRIGGER {name} ON payments IS 'of an older version'"),
    ] {
        by_hand.run(&down).unwrap();
        drop(schema.bench());
        assert!(by_hand.change(&back).unwrap_err().contains("a step that there is not"), "{down}");
    }
    let newest = "SELECT max(oid::bigint) FROM pg_trigger WHERE tgrelid = 'payments'::regclass";
    let kept = by_hand.number(newest);
    drop(schema.bench());
    assert_eq!(by_hand.number(newest), kept, "and left as it is");
}

#[test]
fn what_is_erased_is_in_no_row_any_more() {
    let schema = schema!();
    let (bench, by_hand) = (schema.bench(), schema.by_hand());
    let holds = |text: &str| {
        let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        ["payments", "provider_refs", "attempts", "deliveries", "events", "reports", "credits"].iter().any(
            |table| {
                let all = format!("SELECT coalesce(string_agg({table}::text, ' '), '') FROM {table}");
                let all = by_hand.text(&all);
                all.contains(text) || all.contains(&bytes)
            },
        )
    };
    pollster::block_on(async {
        let id = bench.accepted("A").await;
        let delivery =
            StoreDelivery::new(PROVIDER, DeliveryPurpose::Result, Raw::from("{\"to\":\"254708374149\"}"));
        let Done::Stored(delivery) = bench.done(Entry::StoreDelivery(Box::new(delivery))).await else {
            panic!()
        };
        let mut told = report("A", State::Settled);
        told.goods = vec![Good::new(GoodKind::VoucherPin, Secret::new("7777-PIN"))];
        bench.done(Entry::Apply(Box::new(Apply::new(id, Source::Delivery(delivery), told)))).await;
        let hidden = ["254708374149", "Wanjiku", "WANJIKU", "Loan seven", "7777-PIN"];
        for text in hidden {
            assert!(holds(text), "{text} is there before");
        }
        bench.clock.forward(1);
        let erased = bench.done(Entry::Erase(Erase::new(bench.now(), 9))).await;
        assert_eq!(erased, Done::Erased { payments: 1, deliveries: 0, credits: 0 });
        for text in hidden {
            assert!(!holds(text), "{text}");
        }
        for text in ["RC-A", "AG-A"] {
            assert!(holds(text), "{text} stays");
        }
    });
}

/// What is asked all day long is answered from an index, however many payments there are.
#[test]
fn nothing_is_found_by_looking_at_everything() {
    let schema = schema!();
    drop(schema.bench());
    let made = looked_through(&schema);
    assert!(made.contains("payments"), "{made}");
    let config = PostgresConfig::new(format!("{} options='-c enable_seqscan=off'", schema.address()));
    let bench = alone(&schema, config.with_schema(schema.name()));
    pollster::block_on(async {
        for state in PaymentState::ALL {
            bench.standing(state.as_str(), *state).await;
        }
        bench.check().await;
        let delivery = StoreDelivery::new(PROVIDER, DeliveryPurpose::Notice, Raw::from("{}"));
        let Done::Stored(id) = bench.done(Entry::StoreDelivery(Box::new(delivery))).await else { panic!() };
        for (which, many) in [
            (Deliveries::Waiting(PROVIDER), 1),
            (Deliveries::SetAside, 0),
            (Deliveries::Of(PaymentId(1)), 0),
            (Deliveries::All, 1),
        ] {
            let listed = bench.journal.deliveries(&which, DeliveryId(0), 9).await.unwrap();
            assert_eq!(listed.len(), many, "{which:?}");
        }
        assert!(bench.journal.delivery(id).await.unwrap().is_some());
        let told = MatchUnaddressed::new(id, PROVIDER, Operation::PayOut, Money::kes("1500").unwrap())
            .with_party(ToldParty::new(Some("0708374149"), None));
        bench.done(Entry::MatchUnaddressed(Box::new(told))).await;
        for find in [
            Find::Reference(PROVIDER, "paid".parse().unwrap()),
            Find::ProviderRef {
                provider: PROVIDER,
                kind: "conversation".to_owned(),
                value: "AG-paid".to_owned(),
            },
        ] {
            assert!(bench.journal.find(&find).await.unwrap().is_some());
        }
        let ledger = "ledger".parse().unwrap();
        assert_eq!(bench.journal.position(&ledger, Stream::Events).await.unwrap(), 0);
        look_for_credits(&bench).await;
        bench.done(Entry::ClaimDue(ClaimDue::new(PROVIDER, crate::bench::lease("a"), 9))).await;
        bench.done(Entry::Sweep(Sweep::new(9))).await;
        bench.done(Entry::Erase(Erase::new(bench.now(), 9))).await;
        for filter in [Filter::NeedsPerson, Filter::In(PaymentState::Paid)] {
            bench.journal.list(filter, PaymentId(0), 9).await.unwrap();
        }
    });
    drop(bench);
    assert_eq!(looked_through(&schema), made);
    let idle = format!(
        "SELECT coalesce(string_agg(indexrelname, ', ' ORDER BY indexrelname), '') FROM pg_stat_user_indexes \
         WHERE schemaname = '{}' AND idx_scan = 0 AND indexrelname NOT LIKE 'one!_%' ESCAPE '!'",
        schema.name()
    );
    // Those called `one_` are rules.
    assert_eq!(schema.by_hand().text(&idle), "", "an index that nothing is found by");
}

async fn look_for_credits(bench: &Bench) {
    for state in CreditState::ALL {
        crate::suite::crediting::standing(bench, &format!("C-{state}"), *state).await;
    }
    bench.clock.forward(3600);
    bench.done(Entry::DueCredits(DueCredits::new(vec![PROVIDER], 9))).await;
    bench.journal.credits(CreditSequence(0), 9).await.unwrap();
}

/// How often whole tables were looked through, as the server counts once a connection has closed.
fn looked_through(schema: &Schema) -> String {
    let by_hand = schema.by_hand();
    let closed = format!(
        "SELECT (count(*) = 0)::int::bigint FROM pg_stat_activity WHERE application_name = '{}'",
        schema.name()
    );
    by_hand.until(&closed, 1);
    by_hand.text(&format!(
        "SELECT string_agg(relname || ' ' || seq_scan, ', ' ORDER BY relname) FROM pg_stat_user_tables \
         WHERE schemaname = '{}' AND relname <> 'migrations'",
        schema.name()
    ))
}
