//! What is signed has nothing between its values. So of two requests that differ in what is signed, no two may be signed
//! alike: whoever could move a digit from the amount into the account would have a valid signature for both.

use malipo_core::{
    AccountNumber, Airtime, Bank, Bill, Biller, Collect, ErrorKind, Instruction, Money, Msisdn, Network,
    PayOut, Payee, Payer, Provider, Terms, Voucher,
};
use proptest::prelude::*;

use crate::subject::{BILL, kyanda, reference};

/// The signature of this instruction, or none if it is refused.
fn signature(instruction: &Instruction) -> Option<String> {
    let (kyanda, transport) = kyanda(200, BILL);
    match pollster::block_on(kyanda.submit(instruction)) {
        Ok(_) => {
            let body: serde_json::Value = serde_json::from_slice(transport.requests()[0].body()).unwrap();
            Some(body["signature"].as_str().unwrap().to_owned())
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
            None
        }
    }
}

/// What is signed of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Signed {
    kind: Kind,
    amount: Money,
    phone: Msisdn,
    network: Network,
    account: AccountNumber,
    code: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Wallet,
    Bank,
    Collect,
    Airtime,
    Bill,
    Voucher,
}

impl Signed {
    /// Whether this is what differs, and not only what this kind does not sign.
    fn differs_from(&self, other: &Self) -> bool {
        let (one, two) = (self, other);
        one.amount != two.amount
            || match self.kind {
                Kind::Bank => (&one.account, &one.phone, &one.code) != (&two.account, &two.phone, &two.code),
                Kind::Bill => (&one.account, &one.code) != (&two.account, &two.code),
                _ => (&one.phone, one.network) != (&two.phone, two.network),
            }
    }

    fn instruction(&self) -> Instruction {
        let terms = Terms::new(reference("PAY-1"), self.amount);
        match self.kind {
            Kind::Wallet => {
                Instruction::PayOut(PayOut::new(Payee::wallet(self.network, self.phone.clone()), terms))
            }
            Kind::Bank => {
                let payee = Payee::bank(Some(Bank::Code(self.code.as_str().into())), self.account.clone());
                let payee = payee.with_name("Harry Kessy".parse().unwrap()).with_phone(self.phone.clone());
                Instruction::PayOut(PayOut::new(payee, terms))
            }
            Kind::Collect => {
                let payer = Payer::mobile_money(self.network, self.phone.clone());
                Instruction::Collect(Collect::new(payer, terms))
            }
            Kind::Airtime => Instruction::Airtime(Airtime::new(self.phone.clone(), self.network, terms)),
            Kind::Voucher => Instruction::Voucher(Voucher::new(self.phone.clone(), self.network, terms)),
            Kind::Bill => {
                let biller = Biller::Code(self.code.as_str().into());
                Instruction::Bill(Bill::new(biller, self.account.clone(), terms))
            }
        }
    }
}

/// Few letters and digits, so that what is near each other comes often.
fn signed(kind: Kind) -> impl Strategy<Value = Signed> {
    let minor = match kind {
        Kind::Airtime | Kind::Voucher => (1_i64..2_000).prop_map(|shillings| shillings * 100).boxed(),
        _ => prop_oneof![1_i64..300_000, (1_i64..3_000).prop_map(|shillings| shillings * 100)].boxed(),
    };
    let networks = vec![Network::Safaricom, Network::Airtel];
    let (account, code) = match kind {
        Kind::Bill => ("[01.A]{0,5}[01]", "[A_]{1,3}"),
        _ => ("[01.A]{1,6}", "[01]{3}"),
    };
    let parts = (minor, "0[17][07]{8}", proptest::sample::select(networks), account, code);
    parts.prop_map(move |(minor, phone, network, account, code)| Signed {
        kind,
        amount: Money::from_minor(minor, malipo_core::Currency::Kes).unwrap(),
        phone: phone.parse().unwrap(),
        network,
        account: account.parse().unwrap(),
        code,
    })
}

/// How an amount could be written.
#[derive(Debug, Clone, Copy)]
enum Form {
    Whole,
    Cents,
}

/// The same letters and digits in their order, parted elsewhere: the amount written whole or with its cents, and then
/// the values that follow it.
fn parted_elsewhere(one: &Signed, form: Form, first: usize, second: usize) -> Option<Signed> {
    let amount = match (form, one.amount.whole()) {
        (Form::Whole, Some(whole)) => whole.to_string(),
        _ => one.amount.to_plain(),
    };
    let mut other = one.clone();
    let after = match one.kind {
        Kind::Bank => one.account.as_str().to_owned(),
        Kind::Bill => format!("{}{}", one.account.as_str(), one.code),
        _ => one.phone.local(),
    };
    let text = amount + &after;
    let first = first % text.len();
    let rest = text.get(first..)?;
    other.amount = Money::kes(text.get(..first)?).ok()?;
    match one.kind {
        Kind::Bank => other.account = rest.parse().ok()?,
        Kind::Bill => {
            let (account, code) = rest.split_at_checked(second % rest.len().max(1))?;
            (other.account, other.code) = (account.parse().ok()?, code.to_owned());
        }
        _ => other.phone = rest.parse().ok()?,
    }
    Some(other)
}

fn check(one: &Signed, other: &Signed) -> Result<(), TestCaseError> {
    let (Some(first), Some(second)) = (signature(&one.instruction()), signature(&other.instruction())) else {
        return Ok(());
    };
    prop_assert_eq!(one.differs_from(other), first != second, "{:?} {:?}", one, other);
    Ok(())
}

macro_rules! injective {
    ($($name:ident: $kind:ident;)*) => {$(
        proptest! {
            #[test]
            fn $name(
                one in signed(Kind::$kind),
                other in signed(Kind::$kind),
                form in proptest::sample::select(vec![Form::Whole, Form::Cents]),
                first: usize,
                second: usize,
            ) {
                check(&one, &other)?;
                check(&one, &one)?;
                if let Some(other) = parted_elsewhere(&one, form, first, second) {
                    check(&one, &other)?;
                }
            }
        }
    )*};
}

injective! {
    no_two_payouts_to_wallets_are_signed_alike: Wallet;
    no_two_payouts_to_banks_are_signed_alike: Bank;
    no_two_checkouts_are_signed_alike: Collect;
    no_two_purchases_of_airtime_are_signed_alike: Airtime;
    no_two_bills_are_signed_alike: Bill;
    no_two_vouchers_are_signed_alike: Voucher;
}

#[test]
fn a_digit_does_not_move_from_the_amount_into_the_account() {
    let amount = |text| Money::kes(text).unwrap();
    for kind in [Kind::Bank, Kind::Bill] {
        let code = if kind == Kind::Bank { "101" } else { "DSTV" };
        let of = |amount, account: &str| Signed {
            kind,
            amount,
            phone: "0715330000".parse().unwrap(),
            network: Network::Safaricom,
            account: account.parse().unwrap(),
            code: code.to_owned(),
        };
        let (one, other) = (of(amount("1500"), "2042581154"), of(amount("15002"), "042581154"));
        let (one, other) = (signature(&one.instruction()), signature(&other.instruction()));
        assert!(one.is_some() && other.is_some() && one != other, "{kind:?}");
    }
}
