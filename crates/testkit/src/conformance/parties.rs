//! One instruction for every kind of party that an operation can be done with, and one for another party of its kind.

use malipo_core::{
    AccountNumber, Airtime, Bank, Bill, Biller, Collect, Confirm, Instruction, Msisdn, Network, Operation,
    PayOut, Payee, PayeeAccount, Payer, PayerSource, Secret, Shortcode, Terms, Ticket, Voucher,
};

use super::bench::Result;

/// Instructions under these terms.
pub(super) fn every_party(operation: Operation, terms: &Terms) -> Result<Vec<Instruction>> {
    match operation {
        Operation::PayOut => pay_outs(terms),
        Operation::Collect => collections(terms),
        Operation::Airtime => {
            lines(|to, network| Instruction::Airtime(Airtime::new(to, network, terms.clone())))
        }
        Operation::Voucher => {
            lines(|to, network| Instruction::Voucher(Voucher::new(to, network, terms.clone())))
        }
        Operation::Bill => bills(terms),
        Operation::Confirm => {
            let ticket = Ticket::new(terms.reference.clone(), Operation::Collect);
            Ok(vec![Instruction::Confirm(Confirm::new(ticket, Secret::new("493817")))])
        }
        _ => Ok(Vec::new()),
    }
}

fn pay_outs(terms: &Terms) -> Result<Vec<Instruction>> {
    let mut payees = vec![
        Payee::paybill(parsed("888880")?, parsed("A-100")?),
        Payee::till(parsed("5204477")?),
        Payee::bank(Some(Bank::Absa), parsed("1234567890")?),
    ];
    for network in Network::ALL {
        payees.push(Payee::wallet(*network, parsed(PHONE)?));
    }
    Ok(payees.into_iter().map(|to| Instruction::PayOut(PayOut::new(to, terms.clone()))).collect())
}

fn collections(terms: &Terms) -> Result<Vec<Instruction>> {
    let mut payers = vec![Payer::gateway_wallet(parsed(PHONE)?), Payer::bank(Bank::Absa, parsed(PHONE)?)];
    for network in Network::ALL {
        payers.push(Payer::mobile_money(*network, parsed(PHONE)?));
    }
    Ok(payers.into_iter().map(|from| Instruction::Collect(Collect::new(from, terms.clone()))).collect())
}

fn lines(instruct: impl Fn(Msisdn, Network) -> Instruction) -> Result<Vec<Instruction>> {
    Network::ALL.iter().map(|network| Ok(instruct(parsed(PHONE)?, *network))).collect()
}

fn bills(terms: &Terms) -> Result<Vec<Instruction>> {
    let code = Biller::code("NO_SUCH_BILLER").map_err(|error| error.to_string())?;
    let billers = Biller::NAMED.iter().cloned().chain([code]);
    billers
        .map(|biller| Ok(Instruction::Bill(Bill::new(biller, parsed("14253699")?, terms.clone()))))
        .collect()
}

/// One number or account of a party, in every spelling that a gateway may want, always in the same order.
#[derive(Debug)]
pub(super) struct Spelled {
    pub(super) name: &'static str,
    pub(super) spellings: Vec<String>,
}

/// The numbers and accounts of an instruction's party.
pub(super) fn spelled_party(instruction: &Instruction) -> Vec<Spelled> {
    match instruction {
        Instruction::PayOut(pay_out) => match &pay_out.to.account {
            PayeeAccount::Wallet { msisdn, .. } => vec![phone(msisdn)],
            PayeeAccount::Paybill { number, account } => {
                vec![plain("the paybill", number.as_str()), plain("the account", account.as_str())]
            }
            PayeeAccount::Till { number } => vec![plain("the till", number.as_str())],
            PayeeAccount::Bank { number, .. } => vec![plain("the account", number.as_str())],
            _ => Vec::new(),
        },
        Instruction::Collect(collect) => match &collect.from.source {
            PayerSource::GatewayWallet { msisdn }
            | PayerSource::MobileMoney { msisdn, .. }
            | PayerSource::Bank { msisdn, .. } => vec![phone(msisdn)],
            _ => Vec::new(),
        },
        Instruction::Airtime(airtime) => vec![phone(&airtime.to)],
        Instruction::Voucher(voucher) => vec![phone(&voucher.to)],
        Instruction::Bill(bill) => vec![plain("the account", bill.account.as_str())],
        _ => Vec::new(),
    }
}

fn phone(msisdn: &Msisdn) -> Spelled {
    let local = msisdn.local();
    let subscriber = local.trim_start_matches('0').to_owned();
    Spelled { name: "the phone number", spellings: vec![msisdn.international(), local, subscriber] }
}

fn plain(name: &'static str, text: &str) -> Spelled {
    Spelled { name, spellings: vec![text.to_owned()] }
}

/// The same instruction with another party of the same kind; none for a step of a payment.
pub(super) fn another_party(instruction: &Instruction) -> Result<Option<Instruction>> {
    let mut other = instruction.clone();
    match &mut other {
        Instruction::PayOut(pay_out) => match &mut pay_out.to.account {
            PayeeAccount::Wallet { msisdn, .. } => *msisdn = next_phone(msisdn)?,
            PayeeAccount::Paybill { number, account } => {
                (*number, *account) = (next_shortcode(number)?, next_account(account)?);
            }
            PayeeAccount::Till { number } => *number = next_shortcode(number)?,
            PayeeAccount::Bank { number, .. } => *number = next_account(number)?,
            _ => return Ok(None),
        },
        Instruction::Collect(collect) => match &mut collect.from.source {
            PayerSource::GatewayWallet { msisdn }
            | PayerSource::MobileMoney { msisdn, .. }
            | PayerSource::Bank { msisdn, .. } => *msisdn = next_phone(msisdn)?,
            _ => return Ok(None),
        },
        Instruction::Airtime(airtime) => airtime.to = next_phone(&airtime.to)?,
        Instruction::Voucher(voucher) => voucher.to = next_phone(&voucher.to)?,
        Instruction::Bill(bill) => bill.account = next_account(&bill.account)?,
        _ => return Ok(None),
    }
    Ok(Some(other))
}

fn next_phone(msisdn: &Msisdn) -> Result<Msisdn> {
    parsed(&next(&msisdn.local()))
}

fn next_shortcode(number: &Shortcode) -> Result<Shortcode> {
    parsed(&next(number.as_str()))
}

fn next_account(number: &AccountNumber) -> Result<AccountNumber> {
    parsed(&next(number.as_str()))
}

/// The text with another character of the same sort at its end.
fn next(text: &str) -> String {
    let mut changed: Vec<char> = text.chars().collect();
    if let Some(last) = changed.last_mut() {
        *last = match *last {
            '9' => '0',
            'Z' => 'A',
            'z' => 'a',
            digit if digit.is_ascii_alphanumeric() => char::from_u32(u32::from(digit) + 1).unwrap_or('1'),
            _ => '1',
        };
    }
    changed.into_iter().collect()
}

const PHONE: &str = "0708374149";

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T> {
    text.parse().map_err(|error: T::Err| format!("{text}: {error}"))
}
