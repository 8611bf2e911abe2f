//! What there is to call, and what each call asks for. Parameters that lie in an object of the body are named
//! with that object and a dot.

use crate::gateways::Operation;

/// One thing to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Balance,
    Check,
    MobilePayout,
    BankPayout,
    Checkout,
    Airtime,
    Bill,
    Voucher,
    Register,
}

pub(super) const MERCHANT: &str = "MerchantID";
pub(super) const SIGNATURE: &str = "signature";
pub(super) const METADATA: &str = "metadata";
pub(super) const PRODUCT: &str = "productCode";

impl Endpoint {
    pub(crate) fn operation(self) -> Operation {
        match self {
            Self::Balance => Operation::Balance,
            Self::Check => Operation::Status,
            Self::MobilePayout | Self::BankPayout => Operation::PayOut,
            Self::Checkout => Operation::Collect,
            Self::Airtime => Operation::Airtime,
            Self::Bill => Operation::Bill,
            Self::Voucher => Operation::Voucher,
            Self::Register => Operation::RegisterCallback,
        }
    }

    /// What the signature is made of, in this order.
    pub(super) fn signed(self) -> &'static [&'static str] {
        match self {
            Self::Balance | Self::Register => &[MERCHANT],
            Self::Check => &[MERCHANT, "transactionRef"],
            Self::MobilePayout => &[
                "destination.amount",
                "destination.destinationPhone",
                "source.initiatorName",
                "source.initiatorCountry",
                "destination.channel",
                MERCHANT,
            ],
            Self::BankPayout => &[
                "destination.amount",
                "destination.accountNumber",
                "destination.phoneNumber",
                "destination.bankCode",
                "source.initiatorName",
                "source.initiatorCountry",
                MERCHANT,
            ],
            Self::Checkout => &["amount", "phoneNumber", "channel", MERCHANT],
            Self::Airtime | Self::Voucher => &["amount", "phone", "telco", "initiatorPhone", MERCHANT],
            Self::Bill => &["amount", "account", "telco", "initiatorPhone", MERCHANT],
        }
    }

    /// What it asks for besides: that, too, must be there.
    pub(super) fn unsigned(self) -> &'static [&'static str] {
        match self {
            Self::BankPayout => &["destination.name", SIGNATURE],
            Self::Register => &["callbackURL", SIGNATURE],
            _ => &[SIGNATURE],
        }
    }

    /// Everything that must be there.
    pub(super) fn asked(self) -> impl Iterator<Item = &'static str> {
        self.signed().iter().chain(self.unsigned()).copied()
    }

    /// The objects in the body that hold parameters.
    pub(super) fn objects(self) -> &'static [&'static str] {
        match self {
            Self::MobilePayout | Self::BankPayout => &["source", "destination"],
            _ => &[],
        }
    }

    /// The phone of who is to be paid, or to pay. A bill has none.
    pub(super) fn phone(self) -> Option<&'static str> {
        match self {
            Self::MobilePayout => Some("destination.destinationPhone"),
            Self::BankPayout => Some("destination.phoneNumber"),
            Self::Checkout => Some("phoneNumber"),
            Self::Airtime | Self::Voucher => Some("phone"),
            Self::Balance | Self::Check | Self::Bill | Self::Register => None,
        }
    }

    /// Who is to have the money, or to give it, by the name that the notification uses.
    pub(super) fn party(self) -> Option<&'static str> {
        match self {
            Self::BankPayout => Some("destination.accountNumber"),
            Self::Bill => Some("account"),
            _ => self.phone(),
        }
    }

    pub(super) fn amount(self) -> &'static str {
        match self {
            Self::MobilePayout | Self::BankPayout => "destination.amount",
            _ => "amount",
        }
    }
}
