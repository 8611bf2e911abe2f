//! Every sample on Kyanda's page (read 2026-11-22) is ours or decodes to what the page says of it, or is listed as
//! faulty with the reason. The page has no sample of a notice.

use malipo_core::{
    Answer, Balances, Bank, Biller, Callbacks, Instruction, Money, Network, Operation, Provider,
    ProviderRefs, Report, State, Storage,
};
use serde_json::{Value, json};

use crate::subject::{
    AIRTIME, BANK_PAYOUT, BILL, CHECKOUT, MOBILE_PAYOUT, THEIRS, VOUCHER, airtime, bill, collect, kyanda,
    terms, ticket, to_bank, to_wallet, voucher,
};

const BALANCE_REQUEST: &str = include_str!("fixtures/balance_request.json");
const BALANCE: &str = include_str!("fixtures/balance.json");
const CHECK_REQUEST: &str = include_str!("fixtures/check_request.json");
const CHECK: &str = include_str!("fixtures/check.json");
const MOBILE_PAYOUT_REQUEST: &str = include_str!("fixtures/mobile_payout_request.json");
const BANK_PAYOUT_REQUEST: &str = include_str!("fixtures/bank_payout_request.json");
const CHECKOUT_REQUEST: &str = include_str!("fixtures/checkout_request.json");
const AIRTIME_REQUEST: &str = include_str!("fixtures/airtime_request.json");
const BILL_REQUEST: &str = include_str!("fixtures/bill_request.json");
const VOUCHER_REQUEST: &str = include_str!("fixtures/voucher_request.json");
const REGISTRATION_REQUEST: &str = include_str!("fixtures/registration_request.json");
const REGISTRATION: &str = include_str!("fixtures/registration.json");
const REPLY: &str = include_str!("fixtures/reply.json");

/// What the page prints that cannot be used as it stands: the sample, what is in it, and why not.
const FAULTY: &[(&str, &str, &str)] = &[
    (
        BALANCE_REQUEST,
        "b916c162f49856f2bc897c43bcf62d48705bbe3f3397c075403f9f\"",
        "a signature of 54 digits, where there are 64",
    ),
    (
        MOBILE_PAYOUT_REQUEST,
        "9447d0ea436cdddd75614c212b9db6f57d79b6\"",
        "a signature of 38 digits, where there are 64",
    ),
    (BALANCE, ":\"Account_Bal\"", "a colon before each name, which is no JSON"),
    (CHECK, "“status”: “Success”", "quotation marks of print, which are no JSON"),
    (CHECK, "},\n\n    }", "a comma after the last field, which is no JSON"),
    (CHECKOUT_REQUEST, "\"metadata\":\n\"abc\"", "no brace before the metadata, which is no JSON"),
    (AIRTIME_REQUEST, "\"phoneNumber\"", "practice has `phone`, and refuses fields it does not know"),
    (BILL_REQUEST, "\"phoneNumber\"", "the page's own table has `account`, and practice refuses a phone"),
    (VOUCHER_REQUEST, "\"DSTV\"", "a biller, where the page's own table has networks"),
    (REGISTRATION_REQUEST, "“callbackURL”", "quotation marks of print, which are no JSON"),
    (REPLY, "success”", "quotation marks of print, and one is missing"),
];

/// The sample without what makes it no JSON.
fn mended(sample: &str) -> String {
    let plain = sample.replace(['“', '”'], "\"").replace(":\"Account_Bal\"", "\"Account_Bal\"");
    let plain = plain.replace(":\"Earnings_Bal\"", "\"Earnings_Bal\"").replace(":success\"", ":\"success\"");
    let plain = plain
        .replace("\"metadata\":\n\"abc\"", "\"metadata\":{\n\"abc\"")
        .replace("\"balloon\",", "\"balloon\"");
    let mut mended = String::new();
    for part in plain.split_inclusive(',') {
        let rest = &plain[mended.len() + part.len()..];
        mended.push_str(part);
        if part.ends_with(',') && rest.trim_start().starts_with('}') {
            mended.pop();
            mended.push(' ');
        }
    }
    mended
}

fn value(text: &str) -> Value {
    serde_json::from_str(&mended(text)).unwrap()
}

/// The body of the request that a call sends, without its signature, which is for other tests.
fn unsigned(body: &[u8]) -> Value {
    let mut sent: Value = serde_json::from_slice(body).unwrap();
    let signature = sent.as_object_mut().unwrap().remove("signature").unwrap();
    let digits = signature.as_str().unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    sent
}

fn sent(instruction: &Instruction) -> Value {
    let (kyanda, transport) = kyanda(200, CHECKOUT);
    pollster::block_on(kyanda.submit(instruction)).unwrap();
    unsigned(transport.requests()[0].body())
}

fn expected(sample: &str) -> Value {
    let mut expected = value(sample);
    expected.as_object_mut().unwrap().remove("signature").unwrap();
    expected
}

#[test]
fn what_is_listed_as_faulty_is() {
    for (sample, fault, reason) in FAULTY {
        assert!(sample.contains(fault), "{reason}: {sample}");
    }
    let unreadable = [BALANCE, CHECK, CHECKOUT_REQUEST, REGISTRATION_REQUEST, REPLY];
    for sample in unreadable {
        assert!(serde_json::from_str::<Value>(sample).is_err(), "{sample}");
    }
    for sample in [
        BALANCE_REQUEST,
        CHECK_REQUEST,
        MOBILE_PAYOUT_REQUEST,
        BANK_PAYOUT_REQUEST,
        AIRTIME_REQUEST,
        BILL_REQUEST,
        VOUCHER_REQUEST,
    ] {
        assert_eq!(mended(sample), sample, "nothing to mend");
    }
}

#[test]
fn the_requests_are_ours_but_for_what_is_faulty() {
    let terms = || terms("PAY-1", "1500");
    assert_eq!(sent(&to_wallet(Network::Safaricom, terms())), expected(MOBILE_PAYOUT_REQUEST));

    let mut bank = sent(&to_bank(Bank::Absa, "2042581154", terms()));
    assert_eq!(bank["destination"]["amount"], "1500.00", "with cents, so that the account is told apart");
    bank["destination"]["amount"] = json!("1500");
    assert_eq!(bank, expected(BANK_PAYOUT_REQUEST));

    let mut checkout = sent(&collect(Network::Safaricom, terms().with_detail("metadata.abc", "balloon")));
    assert_eq!(checkout["metadata"].as_object_mut().unwrap().remove("reference"), Some(json!("PAY-1")));
    assert_eq!(checkout, expected(CHECKOUT_REQUEST));

    let renamed = |sample: &str, to: &str| {
        let mut renamed = expected(sample);
        let phone = renamed.as_object_mut().unwrap().remove("phoneNumber").unwrap();
        renamed[to] = phone;
        renamed
    };
    assert_eq!(sent(&airtime(Network::Safaricom, terms())), renamed(AIRTIME_REQUEST, "phone"));
    let mut bill = sent(&bill(Biller::Dstv, "0715330000", terms()));
    assert_eq!(bill["amount"].take(), "1500.00");
    bill["amount"] = json!("1500");
    assert_eq!(bill, renamed(BILL_REQUEST, "account"));
    let mut sample = expected(VOUCHER_REQUEST);
    sample["telco"] = json!("SAFARICOM");
    assert_eq!(sent(&voucher(Network::Safaricom, terms())), sample);
}

#[test]
fn the_other_requests_are_ours_too() {
    let (own, transport) = kyanda(500, "");
    pollster::block_on(own.balances()).unwrap_err();
    let mut asked = ticket(Operation::PayOut);
    asked.provider_refs = ProviderRefs::new().with("transaction", Some("kyanda-API1089772"));
    pollster::block_on(own.status(&asked)).unwrap_err();
    let url = "https://website.com/callback".parse().unwrap();
    pollster::block_on(own.register_callback(&url)).unwrap_err();
    let requests = transport.requests();
    for (request, sample) in requests.iter().zip([BALANCE_REQUEST, CHECK_REQUEST, REGISTRATION_REQUEST]) {
        assert_eq!(unsigned(request.body()), expected(sample));
    }
}

#[test]
fn every_acceptance_is_pending_and_named() {
    let terms = || terms("PAY-1", "1500");
    for (instruction, sample, code) in [
        (to_wallet(Network::Safaricom, terms()), MOBILE_PAYOUT, "200"),
        (to_bank(Bank::Absa, "2042581154", terms()), BANK_PAYOUT, "200"),
        (collect(Network::Safaricom, terms()), CHECKOUT, "200"),
        (airtime(Network::Safaricom, terms()), AIRTIME, "0000"),
        (bill(Biller::Dstv, "0123456789", terms()), BILL, "0000"),
        (voucher(Network::Safaricom, terms()), VOUCHER, "0000"),
    ] {
        let (kyanda, _) = kyanda(200, sample);
        let report = pollster::block_on(kyanda.submit(&instruction)).unwrap();
        assert_eq!((report.state, report.code.as_deref()), (State::Pending, Some(code)));
        assert_eq!(report.provider_refs.find("transaction"), Some(THEIRS));
        assert!(
            ["Request accepted for processing!", "Your request has been posted successfully!"]
                .contains(&report.text.unwrap().as_str())
        );
        assert_eq!(report.raw.bytes(), sample.as_bytes());
    }
}

fn checked(body: &str) -> Option<Report> {
    let (kyanda, _) = kyanda(200, body.to_owned());
    match pollster::block_on(kyanda.status(&ticket(Operation::PayOut))) {
        Ok(Answer::Known(report)) => Some(report),
        Ok(other) => panic!("{other:?}"),
        Err(_) => None,
    }
}

#[test]
fn the_transaction_check_is_settled_although_it_says_its_status_twice() {
    assert!(checked(CHECK).is_none(), "as printed it is no JSON");
    let report = checked(&mended(CHECK)).unwrap();
    assert_eq!((report.state, report.code.as_deref()), (State::Settled, Some("200")));
    assert_eq!((report.operation, report.amount), (Some(Operation::PayOut), Money::kes("1500").ok()));
    assert_eq!(report.party.unwrap().account.as_deref(), Some("2042581154"));
    assert_eq!(report.details.find("source"), Some("PaymentWallet"));
    assert_eq!(report.details.find("transactionFee"), Some("50"));
    assert!(report.goods.is_empty() && report.receipt.is_none() && report.remedy.is_none());
}

#[test]
fn a_torn_transaction_check_is_none() {
    let whole = mended(CHECK);
    for length in 0..whole.trim_end().len() {
        assert!(checked(&whole[..length]).is_none(), "{length}");
    }
}

#[test]
fn the_balances_are_told() {
    let (own, _) = kyanda(200, mended(BALANCE));
    let balances = pollster::block_on(own.balances()).unwrap().balances;
    let told: Vec<_> = balances.iter().map(|one| (one.account.as_str(), one.available.to_plain())).collect();
    assert_eq!(told, [("Account_Bal", "399930.00".to_owned()), ("Earnings_Bal", "1586.60".to_owned())]);
    let (printed, _) = kyanda(200, BALANCE);
    assert!(pollster::block_on(printed.balances()).is_err(), "as printed it is no JSON");
}

#[test]
fn the_url_is_registered() {
    let (kyanda, _) = kyanda(200, REGISTRATION);
    let url = "https://website.com/callback".parse().unwrap();
    let names = pollster::block_on(kyanda.register_callback(&url)).unwrap();
    assert_eq!(names.find("transaction"), Some(THEIRS));
}

#[test]
fn the_reply_is_the_one_shown() {
    let (kyanda, _) = kyanda(500, "");
    let reply: Value = serde_json::from_slice(&kyanda.reply(Storage::Stored).body).unwrap();
    assert_eq!(reply, value(REPLY));
}

#[test]
fn every_fixture_cut_anywhere_decides_nothing_that_the_whole_does_not() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        let kept = malipo_testkit::conformance::cut_everywhere(&crate::subject::KyandaSubject, &text);
        assert!(kept.is_ok(), "{}: {kept:?}", path.display());
    }
}
