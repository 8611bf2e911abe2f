//! The codes a payer's network or bank goes by (the channel list, read 2026-11-22). They are text: `01` is not `1`.

/// Where a payer's money is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Channel {
    pub(super) way: Way,
    /// As the gateway spells it in callbacks.
    pub(super) name: &'static str,
}

/// How a payer is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By a code sent to the phone, which comes back through the merchant.
    Code,
    /// By a prompt on the phone.
    Prompt,
    /// Not at all: the payer makes a transfer with a narration.
    Transfer,
}

impl Channel {
    /// What customers use who pay the paybill of their own accord.
    pub(super) const MPESA: Self = Self { way: Way::Prompt, name: "M-PESA" };

    pub(super) fn find(code: &str) -> Option<Self> {
        CHANNELS.iter().find(|(known, _)| *known == code).map(|(_, channel)| *channel)
    }
}

const WALLET: Channel = Channel { way: Way::Code, name: "SasaPay" };

const fn mobile(name: &'static str) -> Channel {
    Channel { way: Way::Prompt, name }
}

const fn bank(name: &'static str) -> Channel {
    Channel { way: Way::Transfer, name }
}

const CHANNELS: &[(&str, Channel)] = &[
    ("0", WALLET),
    ("00", WALLET),
    ("63902", Channel::MPESA),
    ("63903", mobile("Airtel Money")),
    ("63907", mobile("T-Kash")),
    ("97", mobile("Telkom")),
    ("01", bank("KCB")),
    ("02", bank("Standard Chartered")),
    ("03", bank("Absa")),
    ("07", bank("NCBA")),
    ("10", bank("Prime Bank")),
    ("11", bank("Co-operative Bank")),
    ("12", bank("National Bank")),
    ("14", bank("M-Oriental")),
    ("16", bank("Citibank")),
    ("17", bank("Habib Bank AG Zurich")),
    ("18", bank("Middle East Bank")),
    ("19", bank("Bank of Africa")),
    ("23", bank("Consolidated Bank")),
    ("25", bank("Credit Bank")),
    ("31", bank("Stanbic")),
    ("35", bank("ABC Bank")),
    ("36", bank("Choice Microfinance")),
    ("41", bank("NIC Bank")),
    ("43", bank("Ecobank")),
    ("49", bank("Spire Bank")),
    ("50", bank("Paramount Bank")),
    ("51", bank("Kingdom Bank")),
    ("53", bank("Guaranty Trust Bank")),
    ("54", bank("Victoria Commercial Bank")),
    ("55", bank("Guardian Bank")),
    ("57", bank("I&M Bank")),
    ("61", bank("HFC")),
    ("63", bank("DTB")),
    ("65", bank("Mayfair Bank")),
    ("66", bank("Sidian Bank")),
    ("68", bank("Equity Bank")),
    ("70", bank("Family Bank")),
    ("72", bank("Gulf African Bank")),
    ("74", bank("First Community Bank")),
    ("75", bank("DIB Bank")),
    ("76", bank("UBA")),
    ("78", bank("KWFT")),
    ("89", bank("Stima Sacco")),
];
