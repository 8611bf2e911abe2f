use malipo_core::{
    Airtime, Balance, Bank, Bill, Biller, Callback, Collect, Confirm, Credit, Good, GoodKind, Instruction,
    Network, NextStep, Operation, PayOut, Payee, Payer, ProviderId, ProviderRefs, Purpose, Raw, Report,
    Secret, Signature, State, Terms, Ticket, Told, ToldParty, Trust, Voucher,
};
use proptest::prelude::*;

use super::*;

/// Forms as version 1 wrote them. They are never changed: a later version has to read them as they are.
macro_rules! golden {
    ($name:literal) => {
        Sealed::new(include_str!(concat!("../../tests/it/golden/", $name, ".json")).trim_end().to_owned())
    };
}

fn terms() -> Terms {
    Terms::new("LOAN-1".parse().unwrap(), Money::kes("1500.50").unwrap())
}

fn phone() -> malipo_core::Msisdn {
    "0708374149".parse().unwrap()
}

fn full_terms() -> Terms {
    let callback = Callback::new("https://pay.example.com/r/1".parse().unwrap())
        .with_timeout("https://pay.example.com/t/1".parse().unwrap());
    terms()
        .with_purpose(Purpose::Salary)
        .with_description("June \"2026\"")
        .with_callback(callback)
        .with_detail("occasion", "x")
        .with_detail("account", "")
}

/// One of each kind, and the form it has.
fn instructions() -> Vec<(Instruction, Sealed)> {
    let pay = |to, terms| Instruction::PayOut(PayOut::new(to, terms));
    let collect = |from| Instruction::Collect(Collect::new(from, terms()));
    let wallet = Payee::wallet(Network::Safaricom, phone())
        .with_name("Wanjikũ O'Brien".parse().unwrap())
        .with_phone("0112345678".parse().unwrap());
    let paybill = Payee::paybill("600996".parse().unwrap(), "Loan 7".parse().unwrap());
    let bank = Payee::bank(Some(Bank::Equity), "0110837414900".parse().unwrap());
    let fixed_bank = Payee::bank(None, "0110837414900".parse().unwrap());
    let payer = Payer::mobile_money(Network::Airtel, phone()).with_name("Jane".parse().unwrap());
    vec![
        (pay(wallet, full_terms()), golden!("pay_out_wallet")),
        (pay(paybill, terms()), golden!("pay_out_paybill")),
        (pay(Payee::till("600996".parse().unwrap()), terms()), golden!("pay_out_till")),
        (pay(bank, terms()), golden!("pay_out_bank")),
        (pay(fixed_bank, terms()), golden!("pay_out_fixed_bank")),
        (collect(Payer::gateway_wallet(phone())), golden!("collect_gateway_wallet")),
        (collect(payer), golden!("collect_mobile_money")),
        (collect(Payer::bank(Bank::code("068").unwrap(), phone())), golden!("collect_bank")),
        (Instruction::Airtime(Airtime::new(phone(), Network::Telkom, terms())), golden!("airtime")),
        (
            Instruction::Bill(Bill::new(Biller::KenyaPowerPrepaid, "14123".parse().unwrap(), terms())),
            golden!("bill"),
        ),
        (Instruction::Voucher(Voucher::new(phone(), Network::Faiba, terms())), golden!("voucher")),
    ]
}

/// A report that tells everything there is to tell.
fn full_report() -> Report {
    let mut report = Report::new(ProviderId::of("somepay"), State::Settled, Trust::Addressed);
    report.signature = Signature::Missing;
    report.operation = Some(Operation::PayOut);
    report.reference = Some("LOAN-1".parse().unwrap());
    report.provider_refs =
        ProviderRefs::new().with("conversation", Some("AG_1")).with("originator", Some("1-2-3"));
    report.amount = Some(Money::kes("1500.50").unwrap());
    report.party = ToldParty::new(Some("254708***149"), Some("JANE W"));
    report.receipt = Some("SFF6XYZ".to_owned());
    report.code = Some("0".to_owned());
    report.text = Some(Told::new("done \u{1b}[31m"));
    report.remedy = Some("ask for its status".into());
    report.at = Timestamp::parse_rfc3339("2026-11-22T09:00:00.123456Z");
    report.balances.push(Balance::new("Utility", Money::kes("-10.05").unwrap()));
    report.next_step = Some(NextStep::TransferWithNarration("PAY 77".to_owned()));
    report.details.insert("initiator", "x");
    report.goods.push(Good::new(GoodKind::VoucherPin, Secret::new("1234-5678")));
    report.goods.push(Good::new(GoodKind::Units, Secret::new("12.5")));
    report.raw = Raw::from("{\"raw\":true}");
    report
}

#[test]
fn every_instruction_reads_back_from_the_form_of_version_1() {
    for (value, golden) in instructions() {
        assert_eq!(instruction(&value).unwrap().as_str(), golden.as_str());
        let read = read_instruction(&golden).unwrap();
        assert_eq!(instruction(&read).unwrap(), golden);
        assert_eq!(read.reference(), value.reference());
        assert_eq!(read.terms(), value.terms());
        assert_eq!(read.party(), value.party());
    }
}

#[test]
fn every_report_reads_back_from_the_form_of_version_1() {
    let bare = Report::new(ProviderId::of("somepay"), State::Pending, Trust::Claimed);
    for (value, golden) in [(full_report(), golden!("report_full")), (bare, golden!("report_bare"))] {
        assert_eq!(report(&value).unwrap().as_str(), golden.as_str());
        let read = read_report(&golden).unwrap();
        assert_eq!(report(&read).unwrap(), golden);
        assert!(read.goods.is_empty() && read.raw.is_empty());
        assert_eq!(read.provider_refs, value.provider_refs);
        assert_eq!((&read.party, &read.text, read.at), (&value.party, &value.text, value.at));
        assert_eq!((read.amount, read.balances), (value.amount, value.balances));
    }
}

#[test]
fn every_credit_reads_back_from_the_form_of_version_1() {
    let names = ProviderRefs::new().with("transaction", Some("SPEJ1")).with("third_party", Some("SFF6XYZ"));
    let amount = Money::kes("350").unwrap();
    let bare =
        Credit::new(ProviderId::of("somepay"), amount, names, Trust::Claimed, Raw::from("{\"raw\":1}"));
    let mut full = bare.clone();
    (full.trust, full.signature) = (Trust::Answered, Signature::Good);
    full.payer = ToldParty::new(Some("254708374149"), Some("JANE W"));
    full.account = Some("Table \"7\" \u{1f35b}".to_owned());
    full.reference = Some("LOAN-1".parse().unwrap());
    full.at = Timestamp::parse_rfc3339("2026-11-22T09:00:00.123456Z");
    for (value, golden) in [(full, golden!("credit_full")), (bare, golden!("credit_bare"))] {
        let sealed = credit(&value).unwrap();
        assert_eq!(sealed.as_str(), golden.as_str());
        assert!(!format!("{sealed:?}").contains("254708"), "people print nowhere");
        let read = read_credit(&golden).unwrap();
        assert_eq!(credit(&read).unwrap(), golden);
        assert!(read.raw.is_empty());
        assert_eq!((read.amount, read.provider_refs), (value.amount, value.provider_refs));
        assert_eq!((read.payer, read.account), (value.payer, value.account));
        assert_eq!((read.reference, read.at), (value.reference, value.at));
        assert_eq!((read.trust, read.signature), (value.trust, value.signature));
    }
    let bent = |from: &str, to: &str| {
        let golden = golden!("credit_full");
        assert!(golden.as_str().contains(from), "{from}");
        read_credit(&Sealed::new(golden.as_str().replacen(from, to, 1))).unwrap_err()
    };
    assert_eq!(bent("\"v\":1", "\"v\":2"), StoredError::Newer { found: 2 });
    assert_eq!(bent("answered", "sworn"), StoredError::Unknown("trust"));
    assert_eq!(bent("\"payer\"", "\"peyar\""), StoredError::Malformed("credit"));
    assert_eq!(bent("35000", "350.00"), StoredError::Malformed("credit"));
}

#[test]
fn goods_and_headers_read_back_from_the_form_of_version_1() {
    let stored = goods(&full_report().goods).unwrap().unwrap();
    assert_eq!(stored, golden!("goods"));
    let read = read_goods(&golden!("goods")).unwrap();
    assert_eq!(goods(&read).unwrap(), Some(golden!("goods")));
    assert_eq!(goods(&[]), Ok(None));
    let kept = [("X-Signature".to_owned(), b"a\xff\"".to_vec())];
    assert_eq!(headers(&kept).unwrap(), golden!("headers"));
    assert_eq!(read_headers(&golden!("headers")).unwrap().single("x-signature"), Ok(Some(&b"a\xff\""[..])));
}

#[test]
fn secrets_and_people_are_where_they_can_be_erased_and_print_nowhere() {
    let stored = report(&full_report()).unwrap();
    for secret in ["1234-5678", "12.5", "raw"] {
        assert!(!stored.as_str().contains(secret), "{secret}");
    }
    let (value, _) = instructions().remove(0);
    let printed =
        format!("{:?} {:?} {:?}", instruction(&value), stored, goods(&full_report().goods).unwrap());
    for hidden in ["254708", "Wanjik", "JANE", "1234-5678"] {
        assert!(!printed.contains(hidden), "{printed}");
    }
}

#[test]
fn a_confirmation_is_never_stored() {
    let ticket = Ticket::new("LOAN-1".parse().unwrap(), Operation::Collect);
    let confirm = Instruction::Confirm(Confirm::new(ticket, Secret::new("654321")));
    assert_eq!(instruction(&confirm), Err(StoredError::Step));
}

#[test]
fn what_a_newer_version_wrote_is_refused_as_such() {
    let newer = |text: &Sealed| Sealed::new(text.as_str().replacen("\"v\":1", "\"v\":2", 1));
    let newest = StoredError::Newer { found: 2 };
    assert_eq!(read_instruction(&newer(&golden!("airtime"))).unwrap_err(), newest);
    assert_eq!(read_report(&newer(&golden!("report_full"))).unwrap_err(), newest);
    assert_eq!(read_goods(&newer(&golden!("goods"))).unwrap_err(), newest);
    let arranged = Sealed::new(r#"{"v":7,"anything":[1,2]}"#.to_owned());
    assert_eq!(
        read_report(&arranged).unwrap_err(),
        StoredError::Newer { found: 7 },
        "also when nothing fits"
    );
    assert!(newest.to_string().contains("update"));
}

#[test]
fn what_this_version_does_not_know_is_an_error_and_no_default() {
    let bent = |golden: Sealed, from: &str, to: &str| {
        assert!(golden.as_str().contains(from), "{from}");
        Sealed::new(golden.as_str().replacen(from, to, 1))
    };
    #[rustfmt::skip]
    let instructions = [
        ("pay_out", "teleport", StoredError::Unknown("operation")),
        ("salary", "bonus", StoredError::Unknown("purpose")),
        ("KES", "UGX", StoredError::Unknown("currency")),
        ("\"wallet\"", "\"purse\"", StoredError::Unknown("kind of payee")),
        ("safaricom", "orange", StoredError::Unknown("network")),
        ("\"pay_out\"", "\"status\"", StoredError::Malformed("instruction")),
        ("\"details\"", "\"detials\"", StoredError::Malformed("instruction")),
        ("150050", "1500.50", StoredError::Malformed("instruction")),
        ("150050", "9223372036854775807", StoredError::Malformed("amount")),
        ("254708374149", "2547", StoredError::Malformed("party")),
        ("LOAN-1", "../LOAN", StoredError::Malformed("reference")),
        ("https://pay.example.com/r/1", "ftp://x", StoredError::Malformed("callback URL")),
        ("\"v\":1,", "", StoredError::Malformed("instruction")),
        ("\"v\":1", "\"v\":0", StoredError::Malformed("instruction")),
        ("{", "", StoredError::Malformed("instruction")),
    ];
    for (from, to, error) in instructions {
        let read = read_instruction(&bent(golden!("pay_out_wallet"), from, to));
        assert_eq!(read.unwrap_err(), error, "{to}");
    }
    #[rustfmt::skip]
    let reports = [
        ("settled", "disputed", StoredError::Unknown("state")),
        ("addressed", "sworn", StoredError::Unknown("trust")),
        ("\"missing\"", "\"odd\"", StoredError::Unknown("signature")),
        ("pay_out", "teleport", StoredError::Unknown("operation")),
        ("transfer_with_narration", "sing", StoredError::Unknown("next step")),
        ("transfer_with_narration", "enter_code", StoredError::Malformed("next step")),
        ("2026-11-22", "2026-13-22", StoredError::Malformed("time")),
        ("\"receipt\"", "\"reciept\"", StoredError::Malformed("report")),
    ];
    for (from, to, error) in reports {
        assert_eq!(read_report(&bent(golden!("report_full"), from, to)).unwrap_err(), error, "{to}");
    }
    let goods = read_goods(&bent(golden!("goods"), "voucher_pin", "house"));
    assert_eq!(goods.unwrap_err(), StoredError::Unknown("kind of goods"));
}

proptest! {
    #[test]
    fn whatever_was_told_reads_back(
        words in proptest::collection::vec("[a-zA-Z0-9 \"\\\\\u{0}\u{202e}é*-]{0,120}", 8),
        minor in -Money::MAX_MINOR..=Money::MAX_MINOR,
        millis in -62_000_000_000_000_i64..253_000_000_000_000,
    ) {
        let mut told = Report::new(ProviderId::of("somepay"), State::Pending, Trust::Claimed);
        told.provider_refs = ProviderRefs::new().with(words[0].clone(), Some(&words[1].replace(' ', "_")));
        told.party = ToldParty::new(Some(&words[2]), Some(&words[3]));
        told.code = Some(Told::code(&words[4]));
        told.text = Some(Told::new(&words[5]));
        told.balances.push(Balance::new(&words[6], Money::from_minor(minor, Currency::Kes).unwrap()));
        told.amount = Money::from_minor(minor, Currency::Usd).ok();
        told.details.insert(words[6].clone(), words[7].clone());
        told.at = Timestamp::from_unix_millis(millis);
        let stored = report(&told).unwrap();
        let read = read_report(&stored).unwrap();
        prop_assert_eq!(format!("{read:?}"), format!("{told:?}"));
        prop_assert_eq!((read.party, read.details), (told.party, told.details));
        prop_assert_eq!(report(&read_report(&stored).unwrap()).unwrap(), stored);
    }

    #[test]
    fn nothing_that_is_cut_or_bent_panics(at in 0usize..2000, byte: u8) {
        for (_, golden) in instructions() {
            let mut bytes = golden.as_str().as_bytes().to_vec();
            let at = at % bytes.len();
            let cut = String::from_utf8_lossy(&bytes[..at]).into_owned();
            prop_assert!(read_instruction(&Sealed::new(cut)).is_err());
            bytes[at] = byte;
            let _ = read_instruction(&Sealed::new(String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}
