use crate::{Bill, Biller, Instruction, Network, Payee, PayeeAccount, Payer, PayerSource};

/// A kind of party that an operation can be done with. Open: more will come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartyKind {
    /// A mobile wallet of this network.
    Wallet(Network),
    /// A wallet kept by the gateway itself.
    GatewayWallet,
    /// A paybill number.
    Paybill,
    /// A till number.
    Till,
    /// An account at any bank the gateway serves.
    Bank,
    /// A line of this network.
    Line(Network),
    /// This biller, one of those with a name.
    Biller(Biller),
    /// Any biller that is given by its code.
    BillerByCode,
}

impl Instruction {
    /// The kind of party it is done with; `None` for a step of a payment.
    pub fn party(&self) -> Option<PartyKind> {
        match self {
            Self::PayOut(pay_out) => Some(payee_kind(&pay_out.to)),
            Self::Collect(collect) => Some(payer_kind(&collect.from)),
            Self::Confirm(_) => None,
            Self::Airtime(airtime) => Some(PartyKind::Line(airtime.network)),
            Self::Voucher(voucher) => Some(PartyKind::Line(voucher.network)),
            Self::Bill(Bill { biller: Biller::Code(_), .. }) => Some(PartyKind::BillerByCode),
            Self::Bill(bill) => Some(PartyKind::Biller(bill.biller.clone())),
        }
    }
}

fn payee_kind(payee: &Payee) -> PartyKind {
    match &payee.account {
        PayeeAccount::Wallet { network, .. } => PartyKind::Wallet(*network),
        PayeeAccount::Paybill { .. } => PartyKind::Paybill,
        PayeeAccount::Till { .. } => PartyKind::Till,
        PayeeAccount::Bank { .. } => PartyKind::Bank,
    }
}

fn payer_kind(payer: &Payer) -> PartyKind {
    match &payer.source {
        PayerSource::GatewayWallet { .. } => PartyKind::GatewayWallet,
        PayerSource::MobileMoney { network, .. } => PartyKind::Wallet(*network),
        PayerSource::Bank { .. } => PartyKind::Bank,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Money, Terms};

    #[test]
    fn a_biller_is_a_party_by_its_name_and_all_codes_are_one() {
        let party = |biller: Biller| {
            let terms = Terms::new("A".parse().unwrap(), Money::shillings(10));
            Instruction::Bill(Bill::new(biller, "123".parse().unwrap(), terms)).party()
        };
        assert_eq!(party(Biller::Dstv), Some(PartyKind::Biller(Biller::Dstv)));
        for code in ["SOME_BILLER", "DSTV"] {
            assert_eq!(party(Biller::code(code).unwrap()), Some(PartyKind::BillerByCode), "{code}");
        }
    }
}
