//! Every request, byte for byte, as text. Read against SasaPay's pages before a snapshot is changed.

use malipo_core::{
    Balances, Bank, Credits, Effect, ErrorKind, Instruction, Money, Network, Operation, Provider,
    ProviderRefs, Terms, Ticket,
};
use malipo_sasapay::SasaPay;
use malipo_testkit::render;
use proptest::prelude::*;

use crate::subject::{
    ACK, BALANCES, MOBILE, PROCESSED, bank, bare_ticket, callback, collect, confirm, mobile, reference,
    sasapay, terms, ticket, transaction, wallet,
};

/// What is sent for an instruction, the token's request first.
fn sent(instruction: &Instruction) -> Vec<String> {
    let (sasapay, transport) = sasapay(200, MOBILE);
    pollster::block_on(sasapay.submit(instruction)).unwrap();
    transport.requests().iter().map(|request| render(request, &[])).collect()
}

/// What is sent besides the token's request.
fn asked<T>(answer: &'static str, ask: impl FnOnce(&SasaPay) -> T) -> String {
    let (sasapay, transport) = sasapay(200, answer);
    let _ = ask(&sasapay);
    render(&transport.requests()[1], &[])
}

fn body(instruction: &Instruction) -> serde_json::Value {
    let (sasapay, transport) = sasapay(200, MOBILE);
    pollster::block_on(sasapay.submit(instruction)).unwrap();
    serde_json::from_slice(transport.requests()[1].body()).unwrap()
}

#[test]
fn token() {
    insta::assert_snapshot!(sent(&collect(wallet(), terms("PAY-1", "10")))[0]);
}

#[test]
fn collection_from_a_wallet() {
    let terms =
        terms("12345678", "1").with_description("Request Payment").with_detail("transaction_fee", "0");
    insta::assert_snapshot!(sent(&collect(wallet(), terms))[1]);
}

#[test]
fn collection_from_mpesa() {
    let terms =
        terms("12345678", "1").with_description("Request Payment").with_detail("transaction_fee", "0");
    insta::assert_snapshot!(sent(&collect(mobile(Network::Safaricom), terms))[1]);
}

#[test]
fn collection_from_airtel() {
    insta::assert_snapshot!(sent(&collect(mobile(Network::Airtel), terms("PAY-1", "99.50")))[1]);
}

#[test]
fn collection_from_telkom() {
    insta::assert_snapshot!(sent(&collect(mobile(Network::Telkom), terms("PAY-1", "50")))[1]);
}

#[test]
fn collection_from_a_bank() {
    let terms = terms("PAY-1", "50").with_detail("transaction_fee", "12.50");
    insta::assert_snapshot!(sent(&collect(bank(Bank::Kcb), terms))[1]);
}

#[test]
fn confirmation() {
    let (sasapay, transport) = sasapay(200, PROCESSED);
    pollster::block_on(sasapay.submit(&confirm("012345"))).unwrap();
    insta::assert_snapshot!(render(&transport.requests()[1], &[]));
}

#[test]
fn status_by_checkout() {
    insta::assert_snapshot!(asked(ACK, |sasapay| pollster::block_on(sasapay.status(&ticket("PAY-1")))));
}

#[test]
fn status_by_our_reference() {
    insta::assert_snapshot!(asked(ACK, |sasapay| pollster::block_on(sasapay.status(&bare_ticket("PAY-1")))));
}

#[test]
fn verification() {
    insta::assert_snapshot!(asked(ACK, |sasapay| pollster::block_on(
        sasapay.credit(&transaction("SPEJ0O78GY2T"))
    )));
}

#[test]
fn what_has_no_code_cannot_be_looked_up() {
    let (sasapay, sent) = sasapay(200, ACK);
    let other = ProviderRefs::new().with("checkout", Some("C1"));
    let error = pollster::block_on(sasapay.credit(&other)).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::Unchanged));
    assert!(sent.requests().is_empty(), "and nothing is sent");
}

#[test]
fn balances() {
    insta::assert_snapshot!(asked(BALANCES, |sasapay| pollster::block_on(sasapay.balances())));
}

#[test]
fn registration_of_the_ipn_url() {
    let url = callback().result;
    insta::assert_snapshot!(asked(ACK, |sasapay| pollster::block_on(sasapay.register_ipn_url(&url))));
}

#[test]
fn the_fee_is_a_number_for_wallets_and_a_text_for_others_digit_by_digit() {
    for fee in ["0", "5", "12.50", "0.05", "9999999999999.99", "1.0"] {
        let with_fee = |payer| collect(payer, terms("PAY-1", "10").with_detail("transaction_fee", fee));
        let (sasapay, transport) = sasapay(200, MOBILE);
        pollster::block_on(sasapay.submit(&with_fee(wallet()))).unwrap();
        let sent = String::from_utf8(transport.requests()[1].body().to_vec()).unwrap();
        assert!(sent.contains(&format!(r#""Transaction Fee":{fee},"#)), "{sent}");
        for payer in [mobile(Network::Safaricom), bank(Bank::Absa)] {
            assert_eq!(body(&with_fee(payer))["Transaction Fee"], fee);
        }
    }
    let bare = body(&collect(wallet(), terms("PAY-1", "10")));
    assert!(!bare.as_object().unwrap().keys().any(|key| key.contains("Fee")), "omitted unless it is set");
}

#[test]
fn every_bank_has_its_code_and_others_are_given_verbatim() {
    for (bank_name, code) in
        [(Bank::Kcb, "01"), (Bank::Equity, "68"), (Bank::Coop, "11"), (Bank::StimaSacco, "89")]
    {
        assert_eq!(body(&collect(bank(bank_name), terms("PAY-1", "10")))["NetworkCode"], code);
    }
    let served = Bank::NAMED.iter().filter(|one| {
        let (sasapay, _) = sasapay(200, MOBILE);
        pollster::block_on(sasapay.submit(&collect(bank((*one).clone()), terms("PAY-1", "10")))).is_ok()
    });
    assert_eq!(served.count(), 37);
    assert_eq!(body(&collect(bank(Bank::code("099").unwrap()), terms("PAY-1", "10")))["NetworkCode"], "099");
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_leaves() {
    let fee = |fee: &str| collect(wallet(), terms("PAY-1", "10").with_detail("transaction_fee", fee));
    let at = |code: &str| collect(bank(Bank::code(code).unwrap()), terms("PAY-1", "10"));
    let described = |text: &str| collect(wallet(), terms("PAY-1", "10").with_description(text));
    let unticketed = {
        let Instruction::Confirm(mut confirm) = confirm("123456") else { panic!() };
        confirm.ticket.provider_refs = ProviderRefs::new();
        Instruction::Confirm(confirm)
    };
    for (what, instruction) in [
        ("no description", described("")),
        ("a long one", described(&"x".repeat(101))),
        ("a line break", described("two\nlines")),
        ("an empty fee", fee("")),
        ("a fee of too many decimals", fee("0.005")),
        ("a negative fee", fee("-1")),
        ("a fee of minus nothing", fee("-0")),
        ("a fee that is no number", fee("1e3")),
        ("a fee with more JSON", fee("0,\"Amount\":\"1\"")),
        ("a bank that is not served", collect(bank(Bank::Baroda), terms("PAY-1", "10"))),
        ("a bank's code of letters", at("KCB")),
        ("a bank's code that is too short", at("1")),
        ("a bank's code that is too long", at("123456")),
        ("M-PESA as a bank", at("63902")),
        ("a wallet as a bank", at("00")),
        ("a network that is not served", collect(mobile(Network::Equitel), terms("PAY-1", "10"))),
        ("no checkout", unticketed),
        ("a short code", confirm("12345")),
        ("a long code", confirm("1234567")),
        ("a code of letters", confirm("12345a")),
        ("an empty code", confirm("")),
    ] {
        let (sasapay, transport) = sasapay(200, MOBILE);
        let error = pollster::block_on(sasapay.submit(&instruction)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported), "{what}: {error}");
        assert_eq!(error.effect(), Effect::None, "{what}");
        assert!(!error.to_string().contains("12345"), "{what}: {error}");
        assert!(transport.requests().is_empty(), "{what}");
    }
}

#[test]
fn a_question_needs_a_collection_and_a_callback_of_its_own() {
    let (sasapay, transport) = sasapay(200, ACK);
    let bare = Ticket::new(reference("PAY-1"), Operation::Collect);
    let error = pollster::block_on(sasapay.status(&bare)).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::Unchanged));
    let payout = Ticket::new(reference("PAY-1"), Operation::PayOut).with_callback(callback());
    let error = pollster::block_on(sasapay.status(&payout)).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unsupported, Effect::Unchanged));
    assert!(transport.requests().is_empty());
}

proptest! {
    #[test]
    fn amounts_phones_and_references_arrive_as_they_are(
        minor in 1..=Money::MAX_MINOR,
        subscriber in "[71][0-9]{8}",
        form in 0..5_usize,
        text in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    ) {
        let written = [
            format!("0{subscriber}"), subscriber.clone(), format!("254{subscriber}"),
            format!("+254{subscriber}"), format!("0{} {}", &subscriber[..3], &subscriber[3..]),
        ];
        let payer = malipo_core::Payer::gateway_wallet(written[form].parse().unwrap());
        let amount = Money::from_minor(minor, malipo_core::Currency::Kes).unwrap();
        let sent = body(&collect(payer, Terms::new(text.parse().unwrap(), amount).with_callback(callback())));
        prop_assert_eq!(&sent["Amount"], &format!("{}.{:02}", minor / 100, minor % 100));
        prop_assert_eq!(&sent["PhoneNumber"], &format!("254{subscriber}"));
        prop_assert_eq!(&sent["AccountReference"], &text);
    }
}
