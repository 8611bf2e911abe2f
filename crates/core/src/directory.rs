use std::fmt;
use std::str::FromStr;

use crate::{Effect, Error, ErrorKind, InvalidParty, Operation, Result};

/// Declares an open enum of well-known names with one verbatim variant at its end.
macro_rules! well_known {
    ($(#[$meta:meta])* $name:ident, $invalid:ident, $code:ident($longest:literal, $allowed:expr),
     $($(#[$variant_meta:meta])* $variant:ident = $name_text:literal,)*) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A code in the gateway's own numbering, passed on verbatim; made by `code`.
            Code(Box<str>),
        }

        impl $name {
            /// Every one that has a name of its own.
            pub const NAMED: &[Self] = &[$(Self::$variant,)*];

            /// One that has no name here yet, by the gateway's own code.
            ///
            /// # Errors
            ///
            /// [`InvalidParty`] when the text cannot be a code.
            pub fn code(text: &str) -> std::result::Result<Self, InvalidParty> {
                let allowed: fn(u8) -> bool = $allowed;
                (!text.is_empty() && text.len() <= $longest && text.bytes().all(allowed))
                    .then(|| Self::Code(text.into()))
                    .ok_or(InvalidParty::$code)
            }
        }

        /// A short name that stays the same for ever, for storing and configuration; `code:` and the code where it has
        /// none of its own.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($name_text),)*
                    Self::Code(code) => write!(f, "code:{code}"),
                }
            }
        }

        impl FromStr for $name {
            type Err = $crate::UnknownName;

            /// Reads what it prints.
            fn from_str(name: &str) -> std::result::Result<Self, $crate::UnknownName> {
                let unknown = $crate::UnknownName(stringify!($name));
                match name {
                    $($name_text => Ok(Self::$variant),)*
                    other => {
                        let code = other.strip_prefix("code:").ok_or(unknown)?;
                        Self::code(code).map_err(|_| unknown)
                    }
                }
            }
        }
    };
}

well_known! {
    /// A Kenyan bank. Each provider maps the ones its gateway serves to that gateway's own code.
    Bank, InvalidParty, BankCode(16, |byte| byte.is_ascii_alphanumeric()),
    /// Absa Bank Kenya.
    Absa = "absa",
    /// African Banking Corporation (ABC).
    Abc = "abc",
    /// Access Bank.
    Access = "access",
    /// Bank of Africa.
    BankOfAfrica = "bank_of_africa",
    /// Bank of Baroda.
    Baroda = "baroda",
    /// Bank of India.
    BankOfIndia = "bank_of_india",
    /// Caritas Microfinance Bank.
    Caritas = "caritas",
    /// Choice Microfinance Bank.
    Choice = "choice",
    /// Citibank.
    Citi = "citi",
    /// Consolidated Bank.
    Consolidated = "consolidated",
    /// Co-operative Bank.
    Coop = "coop",
    /// Credit Bank.
    Credit = "credit",
    /// Development Bank.
    Development = "development",
    /// Dubai Islamic Bank.
    Dib = "dib",
    /// Diamond Trust Bank.
    Dtb = "dtb",
    /// Ecobank.
    Ecobank = "ecobank",
    /// Equity Bank.
    Equity = "equity",
    /// Family Bank.
    Family = "family",
    /// Faulu Microfinance Bank.
    Faulu = "faulu",
    /// First Community Bank.
    FirstCommunity = "first_community",
    /// Guaranty Trust Bank.
    GuarantyTrust = "guaranty_trust",
    /// Guardian Bank.
    Guardian = "guardian",
    /// Gulf African Bank.
    GulfAfrican = "gulf_african",
    /// Habib Bank AG Zurich.
    Habib = "habib",
    /// HFC (Housing Finance).
    Hfc = "hfc",
    /// I&M Bank.
    Im = "im",
    /// KCB Bank.
    Kcb = "kcb",
    /// Kenya Women Microfinance Bank.
    Kwft = "kwft",
    /// Kingdom Bank.
    Kingdom = "kingdom",
    /// Mayfair Bank.
    Mayfair = "mayfair",
    /// Middle East Bank.
    MiddleEast = "middle_east",
    /// M-Oriental Bank.
    MOriental = "m_oriental",
    /// National Bank of Kenya.
    National = "national",
    /// NCBA Bank.
    Ncba = "ncba",
    /// Paramount Bank.
    Paramount = "paramount",
    /// Postbank.
    Postbank = "postbank",
    /// Prime Bank.
    Prime = "prime",
    /// Rafiki Microfinance Bank.
    Rafiki = "rafiki",
    /// Salaam Microfinance Bank.
    Salaam = "salaam",
    /// SBM Bank.
    Sbm = "sbm",
    /// Sidian Bank.
    Sidian = "sidian",
    /// Spire Bank.
    Spire = "spire",
    /// Stanbic Bank.
    Stanbic = "stanbic",
    /// Standard Chartered Bank.
    StandardChartered = "standard_chartered",
    /// Stima Sacco.
    StimaSacco = "stima_sacco",
    /// United Bank for Africa.
    Uba = "uba",
    /// Victoria Commercial Bank.
    Victoria = "victoria",
}

well_known! {
    /// A company whose bills can be paid.
    Biller, InvalidParty, BillerCode(32, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'),
    /// Kenya Power, tokens bought in advance.
    KenyaPowerPrepaid = "kenya_power_prepaid",
    /// Kenya Power, bills paid afterwards.
    KenyaPowerPostpaid = "kenya_power_postpaid",
    /// DStv.
    Dstv = "dstv",
    /// GOtv.
    Gotv = "gotv",
    /// Zuku.
    Zuku = "zuku",
    /// StarTimes.
    Startimes = "startimes",
    /// Nairobi City Water and Sewerage Company.
    NairobiWater = "nairobi_water",
}

impl Bank {
    /// The code of this bank in a table of a gateway, or the code given verbatim.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] with [`Effect::None`] when the table does not have it.
    pub fn code_in<'a>(&'a self, table: &[(Self, &'a str)], operation: Operation) -> Result<&'a str> {
        if let Self::Code(code) = self {
            return Ok(code);
        }
        table.iter().find(|(bank, _)| bank == self).map(|(_, code)| *code).ok_or_else(|| {
            let message =
                format!("this gateway has no code for {self:?}: give the gateway's own with Bank::code");
            Error::new(ErrorKind::Unsupported, Effect::None, operation, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_verbatim_or_refused() {
        assert_eq!(Bank::code("068"), Ok(Bank::Code("068".into())));
        assert_eq!(Bank::code("0 68"), Err(InvalidParty::BankCode));
        assert_eq!(Bank::code(""), Err(InvalidParty::BankCode));
        assert_eq!(Biller::code("dstv"), Err(InvalidParty::BillerCode));
        assert!(Bank::NAMED.contains(&Bank::Equity) && Biller::NAMED.len() == 7);
    }

    #[test]
    fn a_bank_has_the_code_of_the_table_or_its_own() {
        let table = [(Bank::Equity, "68")];
        assert_eq!(Bank::Equity.code_in(&table, Operation::Collect).unwrap(), "68");
        assert_eq!(Bank::code("099").unwrap().code_in(&table, Operation::Collect).unwrap(), "099");
        assert!(Bank::Kcb.code_in(&table, Operation::Collect).unwrap_err().message().contains("Kcb"));
    }
}
