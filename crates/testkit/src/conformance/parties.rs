//! One instruction for every kind of party that an operation can be done with.

use malipo_core::{
    Airtime, Bank, Bill, Biller, Collect, Confirm, Instruction, Network, Operation, PartyKind, PayOut, Payee,
    Payer, Secret, Terms, Ticket, Voucher,
};

use super::bench::Result;

/// Every operation that an instruction can be.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::PayOut,
    Operation::Collect,
    Operation::Confirm,
    Operation::Airtime,
    Operation::Bill,
    Operation::Voucher,
];

const NETWORKS: &[Network] =
    &[Network::Safaricom, Network::Airtel, Network::Telkom, Network::Equitel, Network::Faiba];

/// Instructions under these terms, each with the kind of its party. A confirmation has none.
pub(super) fn every_party(
    operation: Operation,
    terms: &Terms,
) -> Result<Vec<(Option<PartyKind>, Instruction)>> {
    let all = match operation {
        Operation::PayOut => pay_outs(terms)?,
        Operation::Collect => collections(terms)?,
        Operation::Airtime => {
            lines(|to, network| Instruction::Airtime(Airtime::new(to, network, terms.clone())))?
        }
        Operation::Voucher => {
            lines(|to, network| Instruction::Voucher(Voucher::new(to, network, terms.clone())))?
        }
        Operation::Bill => bills(terms)?,
        Operation::Confirm => {
            let ticket = Ticket::new(terms.reference.clone(), Operation::Collect);
            let confirm = Instruction::Confirm(Confirm::new(ticket, Secret::new("493817")));
            return Ok(vec![(None, confirm)]);
        }
        _ => Vec::new(),
    };
    Ok(all.into_iter().map(|(kind, instruction)| (Some(kind), instruction)).collect())
}

fn pay_outs(terms: &Terms) -> Result<Vec<(PartyKind, Instruction)>> {
    let mut payees = vec![
        (PartyKind::Paybill, Payee::paybill(parsed("888880")?, parsed("A-100")?)),
        (PartyKind::Till, Payee::till(parsed("5204477")?)),
        (PartyKind::Bank, Payee::bank(Some(Bank::Absa), parsed("1234567890")?)),
    ];
    for network in NETWORKS {
        payees.push((PartyKind::Wallet(*network), Payee::wallet(*network, parsed(PHONE)?)));
    }
    let instruct = |to: Payee| Instruction::PayOut(PayOut::new(to, terms.clone()));
    Ok(payees.into_iter().map(|(kind, to)| (kind, instruct(to))).collect())
}

fn collections(terms: &Terms) -> Result<Vec<(PartyKind, Instruction)>> {
    let mut payers = vec![
        (PartyKind::GatewayWallet, Payer::gateway_wallet(parsed(PHONE)?)),
        (PartyKind::Bank, Payer::bank(Bank::Absa, parsed(PHONE)?)),
    ];
    for network in NETWORKS {
        payers.push((PartyKind::Wallet(*network), Payer::mobile_money(*network, parsed(PHONE)?)));
    }
    let instruct = |from: Payer| Instruction::Collect(Collect::new(from, terms.clone()));
    Ok(payers.into_iter().map(|(kind, from)| (kind, instruct(from))).collect())
}

fn lines(
    instruct: impl Fn(malipo_core::Msisdn, Network) -> Instruction,
) -> Result<Vec<(PartyKind, Instruction)>> {
    let line = |network: &Network| Ok((PartyKind::Line(*network), instruct(parsed(PHONE)?, *network)));
    NETWORKS.iter().map(line).collect()
}

fn bills(terms: &Terms) -> Result<Vec<(PartyKind, Instruction)>> {
    let code = Biller::code("NO_SUCH_BILLER").map_err(|error| error.to_string())?;
    let billers = Biller::NAMED.iter().cloned().chain([code]);
    billers
        .map(|biller| {
            let bill = Bill::new(biller.clone(), parsed("14253699")?, terms.clone());
            Ok((PartyKind::Biller(biller), Instruction::Bill(bill)))
        })
        .collect()
}

const PHONE: &str = "0708374149";

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T> {
    text.parse().map_err(|error: T::Err| format!("{text}: {error}"))
}
