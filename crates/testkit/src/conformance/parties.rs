//! One instruction for every kind of party that an operation can be done with.

use malipo_core::{
    Airtime, Bank, Bill, Biller, Collect, Confirm, Instruction, Msisdn, Network, Operation, PayOut, Payee,
    Payer, Secret, Terms, Ticket, Voucher,
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

const PHONE: &str = "0708374149";

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T> {
    text.parse().map_err(|error: T::Err| format!("{text}: {error}"))
}
