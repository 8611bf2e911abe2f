use std::sync::Arc;
use std::time::Duration;

use malipo_core::{Env, Instruction, Money, PayOut, Payee, ProviderId, Terms, Timestamp};

use super::*;
use crate::execute;
use crate::ready::ready;
use crate::tx::Tx;
use crate::{Entry, Find, Intent, Journal, MemoryJournal, Open, Standing};

const PROVIDER: ProviderId = ProviderId::of("somepay");

fn entry(name: &str) -> Entry {
    let terms = Terms::new(name.parse().unwrap(), Money::kes("10").unwrap());
    let instruction = Instruction::PayOut(PayOut::new(Payee::till("600996".parse().unwrap()), terms));
    let fingerprint = Intent::new(&PROVIDER, &instruction).fingerprint().unwrap();
    Entry::Open(Box::new(Open::new(PROVIDER, name.parse().unwrap(), instruction, fingerprint)))
}

fn open(books: &mut Books, name: &str) {
    ready(execute::batch(books, vec![entry(name)], Timestamp::UNIX_EPOCH)).unwrap().remove(0).unwrap();
}

fn written(books: &Books) -> String {
    format!("{:?} {:?} {:?} {:?}", books.payments, books.by_key, books.by_reference, books.events)
}

#[test]
fn a_mark_is_gone_back_to() {
    let mut books = Books::default();
    open(&mut books, "A");
    let before = written(&books);
    ready(books.mark()).unwrap();
    open(&mut books, "B");
    ready(books.mark()).unwrap();
    open(&mut books, "C");
    ready(books.undo()).unwrap();
    assert!(written(&books).contains("Key(\"B\")") && !written(&books).contains("Key(\"C\")"));
    ready(books.undo()).unwrap();
    assert_eq!(written(&books), before);

    // Rows that are changed and not only added.
    let mut payment = ready(books.payment(&Find::Id(PaymentId(1)))).unwrap().unwrap();
    ready(books.mark()).unwrap();
    books.put_payment(&mut payment).unwrap();
    assert_ne!(written(&books), before);
    ready(books.undo()).unwrap();
    assert_eq!(written(&books), before);
    open(&mut books, "B");
    assert_eq!(books.events.len(), 2);
}

struct Bend(&'static str, fn(&mut Payment));

#[test]
fn a_row_that_breaks_a_rule_is_refused() {
    let mut books = Books::default();
    open(&mut books, "A");
    let payment = ready(books.payment(&Find::Id(PaymentId(1)))).unwrap().unwrap();
    let broken: [Bend; 6] = [
        Bend("meanwhile", |payment| payment.version += 1),
        Bend("step", |payment| payment.standing = Standing::new(PaymentState::Unknown)),
        Bend("what a payment is", |payment| payment.amount = Money::kes("11").unwrap()),
        Bend("forgotten", |payment| payment.next_at = None),
        Bend("forgotten", |payment| payment.standing = Standing::new(PaymentState::Sending)),
        Bend("forgotten", |payment| payment.standing = Standing::new(PaymentState::Review)),
    ];
    for Bend(told, bend) in broken {
        let mut bent = payment.clone();
        bend(&mut bent);
        let error = books.put_payment(&mut bent).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
    let second = Payment { id: PaymentId(2), generation: Generation(2), ..payment.clone() };
    assert!(books.add_payment(second).unwrap_err().to_string().contains("not over"));
    let event = Event { sequence: 3, ..books.events[0].clone() };
    assert!(books.add_event(event).unwrap_err().to_string().contains("gap"));
}

#[derive(Debug)]
struct Fixed;

impl Env for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn fill_bytes(&self, _: &mut [u8]) {}
}

/// A batch is one transaction: when the store fails in the middle of it, nothing of it was done.
#[test]
fn a_batch_that_fails_leaves_nothing() {
    let journal = MemoryJournal::new(Arc::new(Fixed));
    pollster::block_on(async {
        journal.commit(vec![entry("A")]).await.unwrap();
        // A row that no entry can write any more.
        journal
            .with(|books| {
                let event = books.events[0].clone();
                books.add_event(Event { sequence: 2, ..event })
            })
            .unwrap();
        let error =
            journal.commit(vec![entry("B"), Entry::Cancel(PaymentId(1)), entry("C")]).await.unwrap_err();
        assert!(error.to_string().contains("gap"), "{error}");
        for name in ["B", "C"] {
            assert_eq!(journal.find(&Find::Key(name.parse().unwrap())).await.unwrap(), None);
        }
        journal.commit(vec![entry("B")]).await.unwrap().remove(0).unwrap();
    });
}
