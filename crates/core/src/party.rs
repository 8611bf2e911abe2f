use std::fmt;
use std::str::FromStr;

use crate::naming::named;
use crate::{Bank, Msisdn};

/// A mobile network: of a wallet, or of the line that airtime goes to. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Network {
    /// Safaricom; its wallet is M-PESA.
    Safaricom,
    /// Airtel; its wallet is Airtel Money.
    Airtel,
    /// Telkom; its wallet is T-Kash.
    Telkom,
    /// Equitel; its wallet is Equitel Money.
    Equitel,
    /// Faiba.
    Faiba,
}

impl Network {
    /// All that there are so far.
    pub const ALL: &[Self] = &[Self::Safaricom, Self::Airtel, Self::Telkom, Self::Equitel, Self::Faiba];
}

named! {
    Network {
        Safaricom = "safaricom",
        Airtel = "airtel",
        Telkom = "telkom",
        Equitel = "equitel",
        Faiba = "faiba",
    }
}

/// Who is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payee {
    /// Where the money goes.
    pub account: PayeeAccount,
    /// The payee's name, for gateways that want it.
    pub name: Option<Name>,
    /// The payee's phone, for gateways that want one beside the account.
    pub phone: Option<Msisdn>,
}

/// Where a payee's money goes. Open: more kinds will come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayeeAccount {
    /// A mobile wallet.
    Wallet {
        /// The wallet's network.
        network: Network,
        /// The wallet's number.
        msisdn: Msisdn,
    },
    /// A paybill number and the account at it.
    Paybill {
        /// The paybill number.
        number: Shortcode,
        /// The account at the paybill.
        account: AccountNumber,
    },
    /// A till (buy goods) number.
    Till {
        /// The till number.
        number: Shortcode,
    },
    /// A bank account.
    Bank {
        /// The bank, or `None` where the merchant's contract with the gateway fixes it.
        bank: Option<Bank>,
        /// The account at the bank.
        number: AccountNumber,
    },
}

impl Payee {
    /// A mobile wallet.
    pub fn wallet(network: Network, msisdn: Msisdn) -> Self {
        Self::at(PayeeAccount::Wallet { network, msisdn })
    }

    /// An account at a paybill number.
    pub fn paybill(number: Shortcode, account: AccountNumber) -> Self {
        Self::at(PayeeAccount::Paybill { number, account })
    }

    /// A till (buy goods) number.
    pub fn till(number: Shortcode) -> Self {
        Self::at(PayeeAccount::Till { number })
    }

    /// A bank account.
    pub fn bank(bank: Option<Bank>, number: AccountNumber) -> Self {
        Self::at(PayeeAccount::Bank { bank, number })
    }

    /// Adds the payee's name.
    #[must_use]
    pub fn with_name(mut self, name: Name) -> Self {
        self.name = Some(name);
        self
    }

    /// Adds the payee's phone.
    #[must_use]
    pub fn with_phone(mut self, phone: Msisdn) -> Self {
        self.phone = Some(phone);
        self
    }

    fn at(account: PayeeAccount) -> Self {
        Self { account, name: None, phone: None }
    }
}

/// Who pays us.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payer {
    /// Where the money comes from.
    pub source: PayerSource,
    /// The payer's name, for gateways that want it.
    pub name: Option<Name>,
}

/// Where a payer's money comes from. Open: more kinds will come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayerSource {
    /// A wallet kept by the gateway itself; its owner confirms with a one-time code.
    GatewayWallet {
        /// The wallet's number.
        msisdn: Msisdn,
    },
    /// A mobile wallet; its owner answers a prompt on the phone.
    MobileMoney {
        /// The wallet's network.
        network: Network,
        /// The wallet's number.
        msisdn: Msisdn,
    },
    /// A bank account; its owner makes a transfer with the narration the gateway tells.
    Bank {
        /// The bank.
        bank: Bank,
        /// The payer's phone.
        msisdn: Msisdn,
    },
}

impl Payer {
    /// The owner of a wallet kept by the gateway itself.
    pub fn gateway_wallet(msisdn: Msisdn) -> Self {
        Self::from_source(PayerSource::GatewayWallet { msisdn })
    }

    /// The owner of a mobile wallet.
    pub fn mobile_money(network: Network, msisdn: Msisdn) -> Self {
        Self::from_source(PayerSource::MobileMoney { network, msisdn })
    }

    /// The owner of a bank account.
    pub fn bank(bank: Bank, msisdn: Msisdn) -> Self {
        Self::from_source(PayerSource::Bank { bank, msisdn })
    }

    /// Adds the payer's name.
    #[must_use]
    pub fn with_name(mut self, name: Name) -> Self {
        self.name = Some(name);
        self
    }

    fn from_source(source: PayerSource) -> Self {
        Self { source, name: None }
    }
}

/// Why a name or number of a party is refused. Does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidParty {
    /// Not a [`Shortcode`].
    #[error("a shortcode (paybill or till number) is 5 to 9 digits")]
    Shortcode,
    /// Not an [`AccountNumber`].
    #[error("an account number is 1 to 64 printable ASCII characters without a space at either end")]
    AccountNumber,
    /// Not a [`Name`].
    #[error("a name is 1 to 100 characters without control characters or a space at either end")]
    Name,
    /// Not a bank code.
    #[error("a bank code is 1 to 16 letters and digits")]
    BankCode,
    /// Not a biller code.
    #[error("a biller code is 1 to 32 capital letters, digits and underscores")]
    BillerCode,
}

/// A paybill, till or organisation number: 5 to 9 digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shortcode(String);

impl Shortcode {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Shortcode {
    type Err = InvalidParty;

    fn from_str(text: &str) -> Result<Self, InvalidParty> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        (digits && (5..=9).contains(&text.len()))
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidParty::Shortcode)
    }
}

impl fmt::Display for Shortcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An account at a bank, a paybill or a biller. Prints masked, as `***3456`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AccountNumber(String);

impl AccountNumber {
    /// The account, for the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountNumber {
    type Err = InvalidParty;

    fn from_str(text: &str) -> Result<Self, InvalidParty> {
        let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        (printable && (1..=64).contains(&text.len()) && text.trim() == text)
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidParty::AccountNumber)
    }
}

impl fmt::Debug for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.len().checked_sub(4).filter(|hidden| *hidden >= 4).and_then(|at| self.0.get(at..));
        write!(f, "AccountNumber(***{})", shown.unwrap_or_default())
    }
}

/// A person's or a company's name. Prints its first letter only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

impl Name {
    /// The name, for the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = InvalidParty;

    fn from_str(text: &str) -> Result<Self, InvalidParty> {
        let fits = (1..=100).contains(&text.chars().count());
        (fits && text.trim() == text && !text.chars().any(char::is_control))
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidParty::Name)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({}***)", self.0.chars().next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_parsed_not_guessed() {
        assert!("600996".parse::<Shortcode>().is_ok());
        for bad in ["", "1234", "1234567890", "60O996", " 600996", "+600996"] {
            assert_eq!(bad.parse::<Shortcode>(), Err(InvalidParty::Shortcode), "{bad:?}");
        }
        assert!("CARD 0042-7".parse::<AccountNumber>().is_ok());
        for bad in ["", " a", "a ", "a\nb", "é", &"1".repeat(65)] {
            assert_eq!(bad.parse::<AccountNumber>(), Err(InvalidParty::AccountNumber), "{bad:?}");
        }
        assert!("Wanjikũ O'Brien-Otieno".parse::<Name>().is_ok());
        for bad in ["", " Jane", "Jane\u{7}", &"x".repeat(101)] {
            assert_eq!(bad.parse::<Name>(), Err(InvalidParty::Name), "{bad:?}");
        }
    }

    #[test]
    fn people_are_masked_when_printed() {
        let payee = Payee::bank(Some(Bank::Equity), "0123456789012".parse().unwrap())
            .with_name("Jane Wanjiku".parse().unwrap())
            .with_phone("0708374149".parse().unwrap());
        let printed = format!("{payee:?}");
        for hidden in ["012345678", "Jane", "Wanjiku", "708374149"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
        assert!(printed.contains("***9012") && printed.contains("J***"), "{printed}");
        assert_eq!(format!("{:?}", "1234567".parse::<AccountNumber>().unwrap()), "AccountNumber(***)");
    }
}
