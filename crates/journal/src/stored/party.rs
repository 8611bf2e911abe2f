use malipo_core::{
    AccountNumber, Airtime, Bill, Biller, Instruction, Msisdn, Network, Payee, PayeeAccount, Payer,
    PayerSource, Voucher,
};
use serde::{Deserialize, Serialize};

use super::{StoredError, name, parsed};

/// The other end of a payment: one kind, and the numbers that this kind has.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Party {
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    msisdn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bank: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    biller: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

/// A party in parts, for comparing two part by part.
pub(crate) struct Parts {
    /// The kind and the numbers.
    pub(crate) numbers: String,
    /// The name.
    pub(crate) name: Option<String>,
    /// The phone beside the numbers.
    pub(crate) phone: Option<String>,
}

/// The party of `instruction` in parts.
pub(crate) fn numbers(instruction: &Instruction) -> Result<Parts, StoredError> {
    let mut party = Party::of(instruction)?;
    let (name, phone) = (party.name.take(), party.phone.take());
    let numbers = serde_json::to_string(&party).map_err(|_| StoredError::Malformed("party"))?;
    Ok(Parts { numbers, name, phone })
}

impl Party {
    pub(super) fn of(instruction: &Instruction) -> Result<Self, StoredError> {
        match instruction {
            Instruction::PayOut(pay_out) => Self::of_payee(&pay_out.to),
            Instruction::Collect(collect) => Self::of_payer(&collect.from),
            Instruction::Airtime(Airtime { to, network, .. })
            | Instruction::Voucher(Voucher { to, network, .. }) => Ok(Self {
                network: Some(network.as_str().to_owned()),
                msisdn: Some(to.international()),
                ..Self::kind("line")
            }),
            Instruction::Bill(Bill { biller, account, .. }) => Ok(Self {
                biller: Some(biller.to_string()),
                account: Some(account.as_str().to_owned()),
                ..Self::kind("biller")
            }),
            Instruction::Confirm(_) => Err(StoredError::Step),
            _ => Err(StoredError::Unknown("operation")),
        }
    }

    fn of_payee(payee: &Payee) -> Result<Self, StoredError> {
        let party = match &payee.account {
            PayeeAccount::Wallet { network, msisdn } => Self {
                network: Some(network.as_str().to_owned()),
                msisdn: Some(msisdn.international()),
                ..Self::kind("wallet")
            },
            PayeeAccount::Paybill { number, account } => Self {
                number: Some(number.as_str().to_owned()),
                account: Some(account.as_str().to_owned()),
                ..Self::kind("paybill")
            },
            PayeeAccount::Till { number } => {
                Self { number: Some(number.as_str().to_owned()), ..Self::kind("till") }
            }
            PayeeAccount::Bank { bank, number } => Self {
                bank: bank.as_ref().map(ToString::to_string),
                account: Some(number.as_str().to_owned()),
                ..Self::kind("bank")
            },
            _ => return Err(StoredError::Unknown("kind of payee")),
        };
        let name = payee.name.as_ref().map(|name| name.as_str().to_owned());
        Ok(Self { name, phone: payee.phone.as_ref().map(Msisdn::international), ..party })
    }

    fn of_payer(payer: &Payer) -> Result<Self, StoredError> {
        let party = match &payer.source {
            PayerSource::GatewayWallet { msisdn } => {
                Self { msisdn: Some(msisdn.international()), ..Self::kind("gateway_wallet") }
            }
            PayerSource::MobileMoney { network, msisdn } => Self {
                network: Some(network.as_str().to_owned()),
                msisdn: Some(msisdn.international()),
                ..Self::kind("mobile_money")
            },
            PayerSource::Bank { bank, msisdn } => Self {
                bank: Some(bank.to_string()),
                msisdn: Some(msisdn.international()),
                ..Self::kind("bank")
            },
            _ => return Err(StoredError::Unknown("kind of payer")),
        };
        Ok(Self { name: payer.name.as_ref().map(|name| name.as_str().to_owned()), ..party })
    }

    fn kind(kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..Self::default() }
    }

    pub(super) fn payee(&self) -> Result<Payee, StoredError> {
        let mut payee = match self.kind.as_str() {
            "wallet" => Payee::wallet(self.network()?, self.msisdn()?),
            "paybill" => Payee::paybill(part(self.number.as_ref())?, part(self.account.as_ref())?),
            "till" => Payee::till(part(self.number.as_ref())?),
            "bank" => {
                let bank = self.bank.as_deref().map(|bank| name(bank, "bank")).transpose()?;
                Payee::bank(bank, part(self.account.as_ref())?)
            }
            _ => return Err(StoredError::Unknown("kind of payee")),
        };
        payee.name = self.name.as_deref().map(|name| parsed(name, "party")).transpose()?;
        payee.phone = self.phone.as_deref().map(|phone| parsed(phone, "party")).transpose()?;
        Ok(payee)
    }

    pub(super) fn payer(&self) -> Result<Payer, StoredError> {
        let mut payer = match self.kind.as_str() {
            "gateway_wallet" => Payer::gateway_wallet(self.msisdn()?),
            "mobile_money" => Payer::mobile_money(self.network()?, self.msisdn()?),
            "bank" => {
                let bank = self.bank.as_deref().ok_or(StoredError::Malformed("party"))?;
                Payer::bank(name(bank, "bank")?, self.msisdn()?)
            }
            _ => return Err(StoredError::Unknown("kind of payer")),
        };
        payer.name = self.name.as_deref().map(|name| parsed(name, "party")).transpose()?;
        Ok(payer)
    }

    pub(super) fn line(&self) -> Result<(Msisdn, Network), StoredError> {
        match self.kind.as_str() {
            "line" => Ok((self.msisdn()?, self.network()?)),
            _ => Err(StoredError::Malformed("party")),
        }
    }

    pub(super) fn bill(&self) -> Result<(Biller, AccountNumber), StoredError> {
        let biller = self.biller.as_deref().ok_or(StoredError::Malformed("party"))?;
        Ok((name(biller, "biller")?, part(self.account.as_ref())?))
    }

    fn network(&self) -> Result<Network, StoredError> {
        let network = self.network.as_deref().ok_or(StoredError::Malformed("party"))?;
        name(network, "network")
    }

    fn msisdn(&self) -> Result<Msisdn, StoredError> {
        part(self.msisdn.as_ref())
    }
}

fn part<T: std::str::FromStr>(text: Option<&String>) -> Result<T, StoredError> {
    parsed(text.ok_or(StoredError::Malformed("party"))?, "party")
}
