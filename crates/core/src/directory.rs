use crate::{Effect, Error, ErrorKind, InvalidParty, Operation, Result};

/// Declares an open enum of well-known names with one verbatim variant at its end.
macro_rules! well_known {
    ($(#[$meta:meta])* $name:ident, $invalid:ident, $code:ident($longest:literal, $allowed:expr),
     $($(#[$variant_meta:meta])* $variant:ident,)*) => {
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
    };
}

well_known! {
    /// A Kenyan bank. Each provider maps the ones its gateway serves to that gateway's own code.
    Bank, InvalidParty, BankCode(16, |byte| byte.is_ascii_alphanumeric()),
    /// Absa Bank Kenya.
    Absa,
    /// African Banking Corporation (ABC).
    Abc,
    /// Access Bank.
    Access,
    /// Bank of Africa.
    BankOfAfrica,
    /// Bank of Baroda.
    Baroda,
    /// Bank of India.
    BankOfIndia,
    /// Caritas Microfinance Bank.
    Caritas,
    /// Choice Microfinance Bank.
    Choice,
    /// Citibank.
    Citi,
    /// Consolidated Bank.
    Consolidated,
    /// Co-operative Bank.
    Coop,
    /// Credit Bank.
    Credit,
    /// Development Bank.
    Development,
    /// Dubai Islamic Bank.
    Dib,
    /// Diamond Trust Bank.
    Dtb,
    /// Ecobank.
    Ecobank,
    /// Equity Bank.
    Equity,
    /// Family Bank.
    Family,
    /// Faulu Microfinance Bank.
    Faulu,
    /// First Community Bank.
    FirstCommunity,
    /// Guaranty Trust Bank.
    GuarantyTrust,
    /// Guardian Bank.
    Guardian,
    /// Gulf African Bank.
    GulfAfrican,
    /// Habib Bank AG Zurich.
    Habib,
    /// HFC (Housing Finance).
    Hfc,
    /// I&M Bank.
    Im,
    /// KCB Bank.
    Kcb,
    /// Kenya Women Microfinance Bank.
    Kwft,
    /// Kingdom Bank.
    Kingdom,
    /// Mayfair Bank.
    Mayfair,
    /// Middle East Bank.
    MiddleEast,
    /// M-Oriental Bank.
    MOriental,
    /// National Bank of Kenya.
    National,
    /// NCBA Bank.
    Ncba,
    /// Paramount Bank.
    Paramount,
    /// Postbank.
    Postbank,
    /// Prime Bank.
    Prime,
    /// Rafiki Microfinance Bank.
    Rafiki,
    /// Salaam Microfinance Bank.
    Salaam,
    /// SBM Bank.
    Sbm,
    /// Sidian Bank.
    Sidian,
    /// Spire Bank.
    Spire,
    /// Stanbic Bank.
    Stanbic,
    /// Standard Chartered Bank.
    StandardChartered,
    /// Stima Sacco.
    StimaSacco,
    /// United Bank for Africa.
    Uba,
    /// Victoria Commercial Bank.
    Victoria,
}

well_known! {
    /// A company whose bills can be paid.
    Biller, InvalidParty, BillerCode(32, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'),
    /// Kenya Power, tokens bought in advance.
    KenyaPowerPrepaid,
    /// Kenya Power, bills paid afterwards.
    KenyaPowerPostpaid,
    /// DStv.
    Dstv,
    /// GOtv.
    Gotv,
    /// Zuku.
    Zuku,
    /// StarTimes.
    Startimes,
    /// Nairobi City Water and Sewerage Company.
    NairobiWater,
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
