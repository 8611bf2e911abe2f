//! The rules of credits, by hand.

use malipo_journal::{CreditId, CreditState};

use super::Folder;
use crate::suite::crediting::standing;

/// One credit in each state, the first with the first number.
const STATES: [CreditState; 4] =
    [CreditState::Confirmed, CreditState::Claimed, CreditState::Review, CreditState::Collected];

#[test]
fn no_other_step_of_a_credit_can_be_written_even_by_hand() {
    let folder = Folder::new();
    let bench = folder.bench();
    let by_hand = folder.by_hand();
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
            let taken = by_hand.execute(&sql, []);
            assert_eq!(taken.is_ok(), from.may_become(*to), "{from} to {to}: {taken:?}");
        }
    }
}

#[test]
fn no_rule_of_credits_is_broken_even_by_hand() {
    // tidy: over 60 lines: one table of statements
    let folder = Folder::new();
    let bench = folder.bench();
    pollster::block_on(async {
        for (number, state) in (1..).zip(STATES) {
            assert_eq!(standing(&bench, &format!("T{number}"), state).await, CreditId(number));
        }
    });
    let by_hand = folder.by_hand();
    let insert = |verb: &str, id: &str, value: &str, amount: &str, state: &str| {
        format!(
            "{verb} INTO credits (id, provider, kind, value, amount_minor, currency, state, delivery, received_at, \
             changed_at, asks, next_at) SELECT {id}, provider, kind, '{value}', {amount}, currency, '{state}', delivery, \
             received_at, changed_at, 0, 1 FROM credits WHERE id = 2"
        )
    };
    let owned = |sql: &str| sql.to_owned();
    #[rustfmt::skip]
    let statements = [
        (insert("INSERT", "NULL", "T1", "1", "claimed"), "of two credits"),
        (insert("INSERT OR REPLACE", "NULL", "T1", "1", "claimed"), "of two credits"),
        (insert("INSERT OR REPLACE", "1", "T9", "1", "claimed"), "of two credits"),
        (insert("INSERT", "NULL", "T9", "0", "claimed"), "money_came_in"),
        (insert("INSERT", "NULL", "T9", "-1", "claimed"), "money_came_in"),
        (insert("INSERT", "NULL", "T9", "1.5", "claimed"), "REAL"),
        (insert("INSERT", "NULL", "", "1", "claimed"), "CHECK"),
        (insert("INSERT", "NULL", "T9", "1", "confirmed"), "in the middle"),
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
        (owned("UPDATE OR REPLACE credits SET sequence = 2 WHERE id = 1"), "would not be told"),
        (owned("UPDATE credits SET sequence = 1 WHERE id = 3"), "would not be told"),
        (owned("UPDATE credits SET state = 'collected', payment = 1 WHERE id = 1"), "would not be told"),
        (owned("UPDATE credits SET payment = 99 WHERE id = 1"), "FOREIGN KEY"),
        (owned("DELETE FROM credits WHERE id = 2"), "never removed"),
    ];
    for (sql, rule) in statements {
        let refused = by_hand.execute(&sql, []).unwrap_err().to_string();
        assert!(refused.contains(rule), "{sql}: {refused}");
    }
    // And one that breaks none, so that it is not the statement that is wrong.
    assert_eq!(by_hand.execute(&insert("INSERT", "NULL", "T9", "1", "claimed"), []), Ok(1));
    pollster::block_on(bench.check());
}
