//! The rules of credits, by hand, against the tables of a server.

use malipo_journal::{CreditId, CreditState};

use crate::server::Schema;
use crate::suite::crediting::standing;

/// One credit in each state, the first with the first number.
const STATES: [CreditState; 4] =
    [CreditState::Confirmed, CreditState::Claimed, CreditState::Review, CreditState::Collected];

#[test]
fn no_other_step_of_a_credit_can_be_written_even_by_hand() {
    let Some(schema) = Schema::new() else { return };
    let bench = schema.bench();
    let by_hand = schema.by_hand();
    for from in STATES {
        for to in STATES.iter().filter(|to| **to != from) {
            let id = pollster::block_on(standing(&bench, &format!("{from}-{to}"), from));
            // With whatever the other rules ask for.
            let (sequence, next_at) = match to {
                CreditState::Claimed => ("NULL", "1"),
                _ => ("(SELECT coalesce(max(sequence), 0) + 1 FROM credits)", "NULL"),
            };
            let sql = format!(
                "UPDATE credits SET state = '{to}', attention = 'ambiguous', sequence = {sequence}, next_at = {next_at}, \
                 answered_at = coalesce(answered_at, 1), payment = (SELECT max(id) FROM payments) WHERE id = {id}"
            );
            // A payment that is collected needs one to be of.
            let _ = pollster::block_on(crate::suite::crediting::collection(&bench, &format!("P-{id}")));
            let taken = by_hand.change(&sql);
            assert_eq!(taken.is_ok(), from.may_become(*to), "{from} to {to}: {taken:?}");
        }
    }
}

#[test]
fn no_rule_of_credits_is_broken_even_by_hand() {
    // tidy: over 60 lines: one table of statements
    let Some(schema) = Schema::new() else { return };
    let bench = schema.bench();
    pollster::block_on(async {
        for (number, state) in (1..).zip(STATES) {
            assert_eq!(standing(&bench, &format!("T{number}"), state).await, CreditId(number));
        }
    });
    let by_hand = schema.by_hand();
    let insert = |id: &str, value: &str, amount: &str, state: &str| {
        format!(
            "INSERT INTO credits (id, provider, kind, value, amount_minor, currency, state, delivery, received_at, \
             changed_at, asks, next_at) SELECT {id}, provider, kind, '{value}', {amount}, currency, '{state}', delivery, \
             received_at, changed_at, 0, 1 FROM credits WHERE id = 2"
        )
    };
    let owned = |sql: &str| sql.to_owned();
    #[rustfmt::skip]
    let statements = [
        (insert("9", "T1", "1", "claimed"), "credits_provider_value_kind_key"),
        (insert("1", "T9", "1", "claimed"), "credits_pkey"),
        (insert("9", "T9", "0", "claimed"), "money_came_in"),
        (insert("9", "T9", "-1", "claimed"), "money_came_in"),
        (insert("9", "", "1", "claimed"), "check"),
        (insert("9", "T9", "1", "confirmed"), "in the middle"),
        (owned("UPDATE credits SET state = 'lost' WHERE id = 2"), "a step that there is not"),
        (owned("UPDATE credits SET value = 'T9' WHERE id = 2"), "what a credit is"),
        (owned("UPDATE credits SET provider = 'otherpay' WHERE id = 2"), "what a credit is"),
        (owned("UPDATE credits SET kind = 'other' WHERE id = 2"), "what a credit is"),
        (owned("UPDATE credits SET delivery = 3 WHERE id = 2"), "what a credit is"),
        (owned("UPDATE credits SET received_at = 0 WHERE id = 2"), "what a credit is"),
        (owned("UPDATE credits SET amount_minor = 1 WHERE id = 1"), "what a credit is"),
        (owned("UPDATE credits SET currency = 'USD' WHERE id = 1"), "what a credit is"),
        (owned("UPDATE credits SET answered_at = NULL WHERE id = 1"), "what a credit is"),
        (owned("UPDATE credits SET amount_minor = 0 WHERE id = 2"), "money_came_in"),
        (owned("UPDATE credits SET next_at = NULL WHERE id = 2"), "no_credit_is_forgotten"),
        (owned("UPDATE credits SET attention = NULL WHERE id = 3"), "no_credit_is_forgotten"),
        (owned("UPDATE credits SET payment = NULL WHERE id = 4"), "no_credit_is_forgotten"),
        (owned("UPDATE credits SET state = 'confirmed', sequence = 9, next_at = NULL WHERE id = 2"), "no_credit_is_forgotten"),
        (owned("UPDATE credits SET state = 'confirmed', answered_at = 1, next_at = NULL WHERE id = 2"), "no_credit_is_forgotten"),
        (owned("UPDATE credits SET sequence = NULL WHERE id = 1"), "would not be told"),
        (owned("UPDATE credits SET sequence = 2 WHERE id = 1"), "would not be told"),
        (owned("UPDATE credits SET sequence = 1 WHERE id = 3"), "would not be told"),
        (owned("UPDATE credits SET state = 'collected', payment = 1 WHERE id = 1"), "would not be told"),
        (owned("UPDATE credits SET payment = 99 WHERE id = 1"), "fkey"),
        (owned("DELETE FROM credits WHERE id = 2"), "never removed"),
        (owned("TRUNCATE credits"), "never removed"),
    ];
    for (sql, rule) in statements {
        let refused = by_hand.change(&sql).unwrap_err();
        assert!(refused.contains(rule), "{sql}: {refused}");
    }
    // The rules look in their own tables, whatever somebody has set.
    by_hand.run("SET search_path TO public").unwrap();
    let told = format!("UPDATE {}.credits SET sequence = 2 WHERE id = 1", schema.name());
    assert!(by_hand.change(&told).unwrap_err().contains("would not be told"));
    by_hand.run(&format!("SET search_path TO {}", schema.name())).unwrap();
    // And one that breaks none, so that it is not the statement that is wrong.
    assert_eq!(by_hand.change(&insert("9", "T9", "1", "claimed")), Ok(1));
    pollster::block_on(bench.check());
}
