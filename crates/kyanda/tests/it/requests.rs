//! Every request, byte for byte, as text. Read against Kyanda's page before a snapshot is changed.

use malipo_core::{
    Bank, Biller, Effect, ErrorKind, Instruction, Network, Operation, PayOut, Payee, PayeeAccount, Provider,
    Ticket,
};
use malipo_kyanda::FaibaBundle;
use malipo_testkit::render;

use crate::subject::{
    AIRTIME, airtime, bill, collect, kyanda, reference, terms, ticket, to_bank, to_wallet, voucher,
};

fn sent(instruction: &Instruction) -> String {
    let (kyanda, transport) = kyanda(200, AIRTIME);
    pollster::block_on(kyanda.submit(instruction)).unwrap();
    let requests = transport.requests();
    assert_eq!(requests.len(), 1);
    render(&requests[0], &[])
}

#[test]
fn payout_to_mpesa() {
    insta::assert_snapshot!(sent(&to_wallet(Network::Safaricom, terms("PAY-1", "1500"))));
}

#[test]
fn payout_to_airtel_money_with_cents() {
    insta::assert_snapshot!(sent(&to_wallet(Network::Airtel, terms("PAY-1", "99.50"))));
}

#[test]
fn payout_to_equitel() {
    insta::assert_snapshot!(sent(&to_wallet(Network::Equitel, terms("PAY-1", "1500"))));
}

#[test]
fn payout_to_a_bank() {
    insta::assert_snapshot!(sent(&to_bank(Bank::Absa, "2042581154", terms("PAY-1", "1500"))));
}

#[test]
fn payout_to_a_bank_by_code() {
    let bank = Bank::code("147").unwrap();
    insta::assert_snapshot!(sent(&to_bank(bank, "2042581154", terms("PAY-1", "99.50"))));
}

#[test]
fn checkout() {
    insta::assert_snapshot!(sent(&collect(Network::Safaricom, terms("PAY-1", "1500"))));
}

#[test]
fn checkout_with_metadata() {
    let terms = terms("PAY-1", "1500").with_detail("metadata.abc", "balloon");
    insta::assert_snapshot!(sent(&collect(Network::Equitel, terms.with_detail("metadata.zeta", "a \"b\""))));
}

#[test]
fn airtime_for_safaricom() {
    insta::assert_snapshot!(sent(&airtime(Network::Safaricom, terms("PAY-1", "1500"))));
}

#[test]
fn airtime_for_faiba() {
    insta::assert_snapshot!(sent(&airtime(Network::Faiba, terms("PAY-1", "20"))));
}

#[test]
fn a_named_bundle_of_faiba() {
    let terms = terms("PAY-1", "300").with_detail("bundle", FaibaBundle::Weekly8Gb.name());
    insta::assert_snapshot!(sent(&airtime(Network::Faiba, terms)));
}

#[test]
fn a_bundle_of_faiba_by_its_product_code() {
    let terms = terms("PAY-1", "500").with_detail("bundle", "Monthly_15GB");
    insta::assert_snapshot!(sent(&airtime(Network::Faiba, terms)));
}

#[test]
fn bill_for_television() {
    insta::assert_snapshot!(sent(&bill(Biller::Dstv, "0123456789", terms("PAY-1", "1500"))));
}

#[test]
fn bill_for_power() {
    let account = bill(Biller::KenyaPowerPrepaid, "14253699", terms("PAY-1", "100.50"));
    insta::assert_snapshot!(sent(&account));
}

#[test]
fn bill_by_code() {
    let biller = Biller::code("SOME_BILLER").unwrap();
    insta::assert_snapshot!(sent(&bill(biller, "A-17", terms("PAY-1", "1500"))));
}

#[test]
fn voucher_for_telkom() {
    insta::assert_snapshot!(sent(&voucher(Network::Telkom, terms("PAY-1", "100"))));
}

#[test]
fn transaction_check() {
    let (kyanda, transport) = kyanda(500, "");
    pollster::block_on(kyanda.status(&ticket(Operation::PayOut))).unwrap_err();
    insta::assert_snapshot!(render(&transport.requests()[0], &[]));
}

#[test]
fn account_balance() {
    use malipo_core::Balances as _;

    let (kyanda, transport) = kyanda(500, "");
    pollster::block_on(kyanda.balances()).unwrap_err();
    insta::assert_snapshot!(render(&transport.requests()[0], &[]));
}

#[test]
fn callback_registration() {
    let (kyanda, transport) = kyanda(500, "");
    let url = "https://website.com/callback".parse().unwrap();
    pollster::block_on(kyanda.register_callback(&url)).unwrap_err();
    insta::assert_snapshot!(render(&transport.requests()[0], &[]));
}

/// The code in the request of an instruction.
fn code(instruction: &Instruction, pointer: &str) -> String {
    let (kyanda, transport) = kyanda(200, AIRTIME);
    pollster::block_on(kyanda.submit(instruction)).unwrap();
    let body: serde_json::Value = serde_json::from_slice(transport.requests()[0].body()).unwrap();
    body.pointer(pointer).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn every_bank_of_the_table_and_every_biller_has_its_own_code() {
    let mut codes = Vec::new();
    for bank in Bank::NAMED.iter().filter(|bank| **bank != Bank::StimaSacco) {
        let instruction = to_bank(bank.clone(), "2042581154", terms("PAY-1", "1500"));
        codes.push(code(&instruction, "/destination/bankCode"));
    }
    codes.sort();
    let all: Vec<_> = (101..=146).map(|code: u32| code.to_string()).collect();
    assert_eq!(codes, all, "each code once");
    for (bank, expected) in [(Bank::Absa, "101"), (Bank::Equity, "103"), (Bank::BankOfIndia, "146")] {
        let instruction = to_bank(bank, "2042581154", terms("PAY-1", "1500"));
        assert_eq!(code(&instruction, "/destination/bankCode"), expected);
    }
    for (biller, expected) in [
        (Biller::KenyaPowerPrepaid, "KPLC_PREPAID"),
        (Biller::KenyaPowerPostpaid, "KPLC_POSTPAID"),
        (Biller::Dstv, "DSTV"),
        (Biller::Gotv, "GOTV"),
        (Biller::Zuku, "ZUKU"),
        (Biller::Startimes, "STARTIMES"),
        (Biller::NairobiWater, "NAIROBI_WTR"),
    ] {
        assert_eq!(code(&bill(biller, "0123456789", terms("PAY-1", "10")), "/telco"), expected);
    }
}

#[test]
fn the_six_bundles_have_the_names_and_prices_of_the_page() {
    let all: Vec<_> = FaibaBundle::NAMED.iter().map(|bundle| (bundle.name(), bundle.price())).collect();
    let expected = [
        ("Daily DataBundle 1GB", "50"),
        ("Weekly DataBundle 8GB", "300"),
        ("Weekly DataBundle 15GB", "500"),
        ("Monthly DataBundle 25GB", "1000"),
        ("Monthly DataBundle 40GB", "2000"),
        ("Monthly DataBundle 70GB", "3000"),
    ];
    assert_eq!(all, expected.map(|(name, price)| (name, malipo_core::Money::kes(price).unwrap())));
    for (name, price) in expected {
        let instruction = airtime(Network::Faiba, terms("PAY-1", price).with_detail("bundle", name));
        assert_eq!(code(&instruction, "/telco"), "FAIBA_B");
    }
}

#[test]
fn a_number_that_begins_with_01_is_one() {
    let payee = Payee::wallet(Network::Safaricom, "+254110123456".parse().unwrap());
    let instruction = Instruction::PayOut(PayOut::new(payee, terms("PAY-1", "10")));
    assert_eq!(code(&instruction, "/destination/destinationPhone"), "0110123456");
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_leaves() {
    let bank = || to_bank(Bank::Absa, "2042581154", terms("PAY-1", "10"));
    let without = |change: fn(&mut Payee)| {
        let Instruction::PayOut(mut pay_out) = bank() else { panic!() };
        change(&mut pay_out.to);
        Instruction::PayOut(pay_out)
    };
    let no_bank = without(|payee| {
        if let PayeeAccount::Bank { bank, .. } = &mut payee.account {
            *bank = None;
        }
    });
    let bundle =
        |amount, name: &str| airtime(Network::Faiba, terms("PAY-1", amount).with_detail("bundle", name));
    let coded = |code: &str| bill(Biller::Code(code.into()), "0123456789", terms("PAY-1", "10"));
    for (what, instruction) in [
        ("no name", without(|payee| payee.name = None)),
        ("no phone", without(|payee| payee.phone = None)),
        ("no bank", no_bank),
        ("a bank without a code", to_bank(Bank::StimaSacco, "1", terms("PAY-1", "10"))),
        ("a bank code of two digits", to_bank(Bank::code("10").unwrap(), "1", terms("PAY-1", "10"))),
        ("a bank code of four digits", to_bank(Bank::code("1011").unwrap(), "1", terms("PAY-1", "10"))),
        ("a bank code of letters", to_bank(Bank::code("1O1").unwrap(), "1", terms("PAY-1", "10"))),
        (
            "a second reference",
            collect(Network::Safaricom, terms("PAY-1", "10").with_detail("metadata.reference", "X")),
        ),
        ("a bundle below its price", bundle("49", "Daily DataBundle 1GB")),
        ("a bundle above its price", bundle("51", "Daily DataBundle 1GB")),
        ("an empty bundle", bundle("50", "")),
        ("a bundle that is nearly named", bundle("50", "Daily DataBundle 1 GB")),
        ("a long bundle", bundle("50", &"x".repeat(65))),
        (
            "a bundle of another network",
            airtime(Network::Safaricom, terms("PAY-1", "50").with_detail("bundle", "X")),
        ),
        ("airtime with cents", airtime(Network::Safaricom, terms("PAY-1", "10.50"))),
        ("a voucher with cents", voucher(Network::Safaricom, terms("PAY-1", "10.50"))),
        ("a voucher for Faiba", voucher(Network::Faiba, terms("PAY-1", "10"))),
        ("an account that ends in a letter", bill(Biller::Dstv, "0123456789A", terms("PAY-1", "10"))),
        ("an account that ends in a hyphen", bill(Biller::Dstv, "0123-", terms("PAY-1", "10"))),
        ("a biller with a digit", coded("TV2")),
        ("a biller in small letters", coded("dstv")),
        ("a biller without a name", coded("")),
    ] {
        let (kyanda, transport) = kyanda(200, AIRTIME);
        let error = pollster::block_on(kyanda.submit(&instruction)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported), "{what}: {error}");
        assert_eq!(error.effect(), Effect::None, "{what}");
        assert_eq!(error.reference(), Some(&reference("PAY-1")), "{what}");
        assert!(transport.requests().is_empty(), "{what}");
    }
}

#[test]
fn only_what_kyanda_named_can_be_asked_about() {
    let (kyanda, transport) = kyanda(200, AIRTIME);
    let bare = Ticket::new(reference("PAY-1"), Operation::PayOut);
    let error = pollster::block_on(kyanda.status(&bare)).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::Unchanged));
    for operation in [Operation::Confirm, Operation::Status] {
        let error = pollster::block_on(kyanda.status(&ticket(operation))).unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unsupported, Effect::Unchanged));
    }
    assert!(transport.requests().is_empty());
}
