//! Every request, byte for byte, as text. Read against KasaPay's B2B page before a snapshot is changed.

use malipo_core::{Bank, Effect, ErrorKind, Instruction, Operation, Payee, Provider, Ticket};
use malipo_testkit::render;
use proptest::prelude::*;

use crate::subject::{
    ACCEPTED, bank, callback, dollars, kasapay, pay_out, paybill, reference, terms, ticket, till,
};

/// What is sent for an instruction, the token's request first.
fn sent(instruction: &Instruction) -> Vec<String> {
    let (kasapay, transport) = kasapay(200, ACCEPTED);
    pollster::block_on(kasapay.submit(instruction)).unwrap();
    transport.requests().iter().map(|request| render(request, &[])).collect()
}

#[test]
fn token() {
    insta::assert_snapshot!(sent(&pay_out(paybill(), terms("PAY-1", "10")))[0]);
}

#[test]
fn payout_to_a_paybill() {
    let terms = terms("145245624652", "10").with_description("Test");
    insta::assert_snapshot!(sent(&pay_out(paybill(), terms))[1]);
}

#[test]
fn payout_to_a_till() {
    insta::assert_snapshot!(sent(&pay_out(till(), terms("PAY-1", "99.50")))[1]);
}

#[test]
fn payout_to_a_bank_account() {
    let terms = terms("ms83-367839", "100.00").with_description("Test bank transfer");
    insta::assert_snapshot!(sent(&pay_out(bank(), terms.with_detail("account_reference", "666666")))[1]);
}

#[test]
fn payout_in_dollars() {
    insta::assert_snapshot!(sent(&pay_out(bank(), dollars("PAY-1", "10.25")))[1]);
}

#[test]
fn payout_with_extra_fields() {
    let terms =
        terms("PAY-1", "10").with_detail("extra.bank_code", "01").with_detail("extra.branch", "Moi \"A\"");
    insta::assert_snapshot!(sent(&pay_out(bank(), terms))[1]);
}

#[test]
fn status() {
    let (kasapay, transport) = kasapay(500, "");
    pollster::block_on(kasapay.status(&ticket("ms83-367839"))).unwrap_err();
    insta::assert_snapshot!(render(&transport.requests()[1], &[]));
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_leaves() {
    let long = "x".repeat(101);
    let nameless = Payee::till("123456".parse().unwrap());
    let at_a_bank = Payee::bank(Some(Bank::Code("01".into())), "0829".parse().unwrap());
    let named = at_a_bank.with_name("Test Limited".parse().unwrap());
    for (what, instruction) in [
        ("no name", pay_out(nameless, terms("PAY-1", "10"))),
        ("a bank", pay_out(named, terms("PAY-1", "10"))),
        ("no description", pay_out(till(), terms("PAY-1", "10").with_description(""))),
        ("a long one", pay_out(till(), terms("PAY-1", "10").with_description(&long))),
        ("a line break", pay_out(till(), terms("PAY-1", "10").with_description("two\nlines"))),
        ("an empty account", pay_out(till(), terms("PAY-1", "10").with_detail("account_reference", ""))),
        ("two accounts", pay_out(paybill(), terms("PAY-1", "10").with_detail("account_reference", "2"))),
        ("another amount", pay_out(till(), terms("PAY-1", "10").with_detail("extra.amount", "9999"))),
        (
            "another payee",
            pay_out(till(), terms("PAY-1", "10").with_detail("extra.recipient_type", "PAYBILL")),
        ),
    ] {
        let (kasapay, transport) = kasapay(200, ACCEPTED);
        let error = pollster::block_on(kasapay.submit(&instruction)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported), "{what}: {error}");
        assert_eq!(error.effect(), Effect::None, "{what}");
        assert!(transport.requests().is_empty(), "{what}");
    }
}

#[test]
fn only_payouts_can_be_asked_about() {
    let (kasapay, transport) = kasapay(200, ACCEPTED);
    for operation in [Operation::Collect, Operation::Airtime, Operation::Status] {
        let ticket = Ticket::new(reference("PAY-1"), operation).with_callback(callback());
        let error = pollster::block_on(kasapay.status(&ticket)).unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unsupported, Effect::Unchanged));
    }
    assert!(transport.requests().is_empty());
}

proptest! {
    #[test]
    fn no_reference_changes_which_path_is_asked(text in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}") {
        let (kasapay, transport) = kasapay(500, "");
        pollster::block_on(kasapay.status(&ticket(&text))).unwrap_err();
        let requests = transport.requests();
        let uri = requests[1].uri();
        let segments: Vec<_> = uri.path().split('/').skip(1).collect();
        prop_assert_eq!(segments, ["v1", "payouts", "b2b", &text, "status"]);
        prop_assert_eq!(uri.query(), None);
    }
}
