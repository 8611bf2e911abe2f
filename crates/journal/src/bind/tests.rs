use malipo_core::{Collect, Currency, Network, PayOut, Payee, Payer, Terms, ToldParty};

use super::*;

const PROVIDER: ProviderId = ProviderId::of("somepay");

fn terms() -> Terms {
    Terms::new("LOAN-1".parse().unwrap(), Money::kes("1500").unwrap())
}

fn to(payee: Payee) -> Asked {
    let mut asked = Asked::new(PROVIDER, &Instruction::PayOut(PayOut::new(payee, terms()))).unwrap();
    asked.provider_refs = ProviderRefs::new().with("conversation", Some("AG_1"));
    asked
}

fn asked() -> Asked {
    to(Payee::wallet(Network::Safaricom, "0708374149".parse().unwrap()))
}

/// A report that carries everything, and agrees.
fn report(state: State) -> Report {
    let mut report = Report::new(PROVIDER, state, Trust::Claimed);
    report.operation = Some(Operation::PayOut);
    report.reference = Some("LOAN-1".parse().unwrap());
    report.provider_refs = ProviderRefs::new().with("conversation", Some("AG_1"));
    report.amount = Some(Money::kes("1500.00").unwrap());
    report.party = ToldParty::new(Some("254708***149"), Some("Jane"));
    report.receipt = (state == State::Settled).then(|| "RCT1".to_owned());
    report
}

fn parts_at(asked: &Asked, report: &Report) -> String {
    bind(asked, report).unwrap_err().field.into_owned()
}

#[test]
fn what_agrees_binds_in_every_state() {
    for state in [State::Pending, State::Settled, State::Failed, State::Reversed] {
        assert_eq!(bind(&asked(), &report(state)), Ok(()), "{state:?}");
    }
    let bare = Report::new(PROVIDER, State::Pending, Trust::Claimed);
    assert_eq!(bind(&asked(), &bare), Ok(()), "what says nothing contradicts nothing");
}

#[test]
fn one_field_that_differs_is_a_mismatch() {
    for Change(field, change) in CHANGES {
        for state in [State::Pending, State::Settled, State::Failed, State::Reversed] {
            let mut report = report(state);
            change(&mut report);
            assert_eq!(parts_at(&asked(), &report), *field, "{state:?}");
        }
    }
}

struct Change(&'static str, fn(&mut Report));

const CHANGES: &[Change] = &[
    Change("provider", |report| report.provider = ProviderId::of("somepay-2")),
    Change("reference", |report| report.reference = Some("LOAN-2".parse().unwrap())),
    Change("operation", |report| report.operation = Some(Operation::Airtime)),
    Change("provider reference conversation", |report| {
        report.provider_refs = ProviderRefs::new().with("conversation", Some("AG_2"));
    }),
    Change("amount", |report| report.amount = Some(Money::kes("1500.01").unwrap())),
    Change("amount", |report| report.amount = Some(Money::parse("1500", Currency::Usd).unwrap())),
    Change("party", |report| report.party = ToldParty::new(Some("254708***148"), None)),
];

#[test]
fn money_that_moved_has_an_amount() {
    for state in [State::Settled, State::Reversed] {
        let mut report = report(state);
        report.amount = None;
        let mismatch = bind(&asked(), &report).unwrap_err();
        assert_eq!((mismatch.field.as_ref(), mismatch.claimed.as_deref()), ("amount", None));
        assert_eq!(mismatch.to_string(), "the amount is not told, and KES 1,500.00 was expected");
        report.state = State::Pending;
        assert_eq!(bind(&asked(), &report), Ok(()));
    }
}

#[test]
fn an_end_says_which_payment_it_ends() {
    for state in [State::Settled, State::Failed, State::Reversed] {
        let mut report = report(state);
        report.reference = None;
        assert_eq!(bind(&asked(), &report), Ok(()), "by the gateway's own name");
        report.provider_refs = ProviderRefs::new().with("transaction", Some("T1"));
        assert_eq!(parts_at(&asked(), &report), "reference", "a name that nobody knows is no name");
        report.trust = Trust::Signed;
        assert_eq!(parts_at(&asked(), &report), "reference", "a signature names no payment");
        for trust in [Trust::Addressed, Trust::Answered] {
            report.trust = trust;
            assert_eq!(bind(&asked(), &report), Ok(()));
        }
    }
}

#[test]
fn a_gateway_may_answer_under_the_name_it_gave() {
    let mut report = report(State::Settled);
    report.reference = Some("ag-71-1".parse().unwrap());
    assert_eq!(parts_at(&asked(), &report), "reference");
    let mut asked = asked();
    asked.provider_refs = asked.provider_refs.with("originator", Some("ag-71-1"));
    assert_eq!(bind(&asked, &report), Ok(()));
}

#[test]
fn two_receipts_are_two_payments() {
    let mut asked = asked();
    asked.receipt = Some("RCT0".to_owned());
    assert_eq!(parts_at(&asked, &report(State::Settled)), "receipt");
    let mut reversed = report(State::Reversed);
    reversed.receipt = Some("RCT9".to_owned());
    assert_eq!(bind(&asked, &reversed), Ok(()), "what came back has a receipt of its own");
}

#[test]
fn a_confirmation_is_a_step_of_its_collection() {
    let payer = Payer::gateway_wallet("0708374149".parse().unwrap());
    let asked = Asked::new(PROVIDER, &Instruction::Collect(Collect::new(payer, terms()))).unwrap();
    let mut report = Report::new(PROVIDER, State::Pending, Trust::Answered);
    for (operation, agrees) in
        [(Operation::Collect, true), (Operation::Confirm, true), (Operation::PayOut, false)]
    {
        report.operation = Some(operation);
        assert_eq!(bind(&asked, &report).is_ok(), agrees, "{operation}");
    }
}

#[test]
fn numbers_agree_however_they_are_written_or_masked() {
    let phone = to(Payee::wallet(Network::Airtel, "0708374149".parse().unwrap()));
    let paybill = to(Payee::paybill("600996".parse().unwrap(), "Loan 7".parse().unwrap()));
    let bank = to(Payee::bank(None, "01108374149000".parse().unwrap()));
    let own_phone = to(Payee::paybill("600996".parse().unwrap(), "0708374149".parse().unwrap()));
    #[rustfmt::skip]
    let rows = [
        (&phone, "254708374149", true), (&phone, "0708374149", true), (&phone, "+254 708-374-149", true),
        (&phone, "708374149", true), (&phone, "0708374148", false), (&phone, "254708374148", false),
        (&phone, "254708***149", true), (&phone, "2547XXXXX149", true), (&phone, "0708###149", true),
        (&phone, "***149", true), (&phone, "*********4149", true), (&phone, "07** *** 149", true),
        (&phone, "254708***148", false), (&phone, "254709***149", false), (&phone, "0709***149", false),
        (&phone, "************", true), (&phone, "149", false), (&phone, "4149", false), (&phone, "600996", false),
        (&phone, "9254708***149", false), (&phone, "*254708374149", true),
        (&paybill, "600996", true), (&paybill, "Loan 7", true), (&paybill, "LOAN 7", true),
        (&paybill, "600997", false), (&paybill, "***996", true), (&paybill, "Loan 8", false),
        (&bank, "01108374149000", true), (&bank, "0110*******000", true), (&bank, "0110*******001", false),
        (&bank, "1108374149000", false),
        (&own_phone, "254708374149", true), (&own_phone, "254708374140", false),
    ];
    for (asked, account, agrees) in rows {
        let mut report = report(State::Settled);
        report.party = ToldParty::new(Some(account), None);
        assert_eq!(bind(asked, &report).is_ok(), agrees, "{asked:?} {account}");
    }
}

#[test]
fn nobody_is_named_where_two_sides_part() {
    let mut report = report(State::Settled);
    report.party = ToldParty::new(Some("254722000111"), Some("Otieno"));
    let mismatch = bind(&asked(), &report).unwrap_err();
    assert_eq!(mismatch.to_string(), "the party is ***111, and ***149 was expected");
    for printed in [format!("{mismatch:?}"), format!("{:?}", mismatch.attention()), format!("{:?}", asked())]
    {
        for hidden in ["25472200", "25470837", "Otieno"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
    }
    report.party = ToldParty::new(Some("12345"), None);
    assert_eq!(
        bind(&asked(), &report).unwrap_err().claimed.as_deref(),
        Some("***"),
        "short, so all of it hides"
    );
}

#[test]
fn an_erased_party_cannot_be_compared() {
    let mut asked = asked();
    asked.accounts.clear();
    assert_eq!(bind(&asked, &report(State::Settled)), Ok(()));
}
