//! Kyanda's shapes, spelled as Kyanda spells them (its API page and newer public references, read 2026-11-22).

use std::collections::BTreeMap;

use malipo_core::{Bank, Biller, Money, Network};

pub(crate) const KEY_HEADER: &str = "apikey";

/// What Kyanda has a path for. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Endpoint {
    /// Our balances.
    AccountBalance,
    /// What became of a transaction.
    TransactionCheck,
    /// Paying a mobile wallet.
    MobilePayout,
    /// Paying a bank account.
    BankPayout,
    /// Asking a mobile subscriber to pay.
    Checkout,
    /// Airtime and Faiba's bundles.
    Airtime,
    /// Bills.
    Bill,
    /// Airtime vouchers.
    Voucher,
    /// The URL that notices are posted to.
    CallbackRegistration,
}

impl Endpoint {
    pub(crate) const fn default_path(self) -> &'static str {
        match self {
            Self::AccountBalance => "/billing/v1/account-balance",
            Self::TransactionCheck => "/billing/v1/transaction-check",
            Self::MobilePayout => "/billing/v3/mobile-payout/create",
            Self::BankPayout => "/billing/v3/bank-payout/create",
            Self::Checkout => "/billing/v1/checkout/create",
            Self::Airtime => "/billing/v1/airtime/create",
            Self::Bill => "/billing/v1/bill/create",
            Self::Voucher => "/billing/v1/pin-airtime/create",
            Self::CallbackRegistration => "/billing/v1/callback-url/create",
        }
    }
}

/// A request between whose it is and its signature.
#[derive(serde::Serialize)]
pub(crate) struct Signed<'a, R> {
    #[serde(rename = "MerchantID")]
    pub(crate) merchant: &'a str,
    #[serde(flatten)]
    pub(crate) request: &'a R,
    pub(crate) signature: String,
}

/// The values of a request that are signed, in Kyanda's order, as they stand in the body. `merchant` is `MerchantID`.
pub(crate) trait Order: serde::Serialize {
    fn order<'a>(&'a self, merchant: &'a str) -> Vec<&'a str>;
}

/// Balances; and with a URL, its registration.
#[derive(serde::Serialize)]
pub(crate) struct MerchantRequest<'r> {
    #[serde(rename = "callbackURL", skip_serializing_if = "Option::is_none")]
    pub(crate) callback_url: Option<&'r str>,
}

#[derive(serde::Serialize)]
pub(crate) struct CheckRequest<'r> {
    #[serde(rename = "transactionRef")]
    pub(crate) transaction: &'r str,
}

/// Who pays out.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source<'r> {
    pub(crate) initiator_name: &'r str,
    pub(crate) initiator_country: &'r str,
}

/// A payout to a wallet or to a bank account.
#[derive(serde::Serialize)]
pub(crate) struct PayoutRequest<'r, D> {
    pub(crate) source: Source<'r>,
    pub(crate) destination: D,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wallet {
    pub(crate) destination_phone: String,
    pub(crate) amount: String,
    pub(crate) channel: &'static str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BankAccount<'r> {
    pub(crate) name: &'r str,
    pub(crate) account_number: &'r str,
    pub(crate) phone_number: String,
    pub(crate) amount: String,
    pub(crate) bank_code: &'r str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckoutRequest<'r> {
    pub(crate) phone_number: String,
    pub(crate) amount: String,
    pub(crate) channel: &'static str,
    pub(crate) metadata: BTreeMap<&'r str, &'r str>,
}

/// The key of the metadata that our reference goes out under, and comes back.
pub(crate) const METADATA_REFERENCE: &str = "reference";

/// Airtime, and a voucher: both have these fields, signed in one order.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AirtimeRequest<'r> {
    pub(crate) phone: String,
    pub(crate) amount: String,
    pub(crate) telco: &'static str,
    pub(crate) initiator_phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) product_code: Option<&'r str>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BillRequest<'r> {
    pub(crate) account: &'r str,
    pub(crate) amount: String,
    pub(crate) telco: &'r str,
    pub(crate) initiator_phone: String,
}

/// The nine orders: vouchers have that of airtime, and the registration that of the balances.
#[rustfmt::skip]
mod orders {
    use super::*;

    impl Order for MerchantRequest<'_> {
        fn order<'a>(&'a self, merchant: &'a str) -> Vec<&'a str> { vec![merchant] }
    }
    impl Order for CheckRequest<'_> {
        fn order<'a>(&'a self, merchant: &'a str) -> Vec<&'a str> { vec![merchant, self.transaction] }
    }
    impl Order for PayoutRequest<'_, Wallet> {
        fn order<'a>(&'a self, merchant: &'a str) -> Vec<&'a str> {
            let (by, to) = (&self.source, &self.destination);
            vec![&to.amount, &to.destination_phone, by.initiator_name, by.initiator_country, to.channel, merchant]
        }
    }
    impl Order for PayoutRequest<'_, BankAccount<'_>> {
        fn order<'a>(&'a self, merchant: &'a str) -> Vec<&'a str> {
            let (by, to) = (&self.source, &self.destination);
            vec![&to.amount, to.account_number, &to.phone_number, to.bank_code, by.initiator_name, by.initiator_country, merchant]
        }
    }
    impl Order for CheckoutRequest<'_> {
        fn order<'a>(&'a self, merchant: &'a str) -> Vec<&'a str> {
            vec![&self.amount, &self.phone_number, self.channel, merchant]
        }
    }
    impl Order for AirtimeRequest<'_> {
        fn order<'a>(&'a self, merchant: &'a str) -> Vec<&'a str> {
            vec![&self.amount, &self.phone, self.telco, &self.initiator_phone, merchant]
        }
    }
    impl Order for BillRequest<'_> {
        fn order<'a>(&'a self, merchant: &'a str) -> Vec<&'a str> {
            vec![&self.amount, self.account, self.telco, &self.initiator_phone, merchant]
        }
    }
}

/// The wallets of payouts and checkouts.
pub(crate) const CHANNELS: &[(Network, &str)] =
    &[(Network::Safaricom, "MPESA"), (Network::Airtel, "AIRTEL"), (Network::Equitel, "EQUITEL")];

/// The lines of airtime and vouchers.
pub(crate) const TELCOS: &[(Network, &str)] = &[
    (Network::Safaricom, "SAFARICOM"),
    (Network::Airtel, "AIRTEL"),
    (Network::Telkom, "TELKOM"),
    (Network::Equitel, "EQUITEL"),
    (Network::Faiba, "FAIBA"),
];

pub(crate) const FAIBA_BUNDLES: &str = "FAIBA_B";

/// A bundle of Faiba's at its price. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaibaBundle {
    /// 1 GB for a day.
    Daily1Gb,
    /// 8 GB for a week.
    Weekly8Gb,
    /// 15 GB for a week.
    Weekly15Gb,
    /// 25 GB for a month.
    Monthly25Gb,
    /// 40 GB for a month.
    Monthly40Gb,
    /// 70 GB for a month.
    Monthly70Gb,
}

impl FaibaBundle {
    /// All that Kyanda's page has.
    #[rustfmt::skip]
    pub const NAMED: &[Self] = &[
        Self::Daily1Gb, Self::Weekly8Gb, Self::Weekly15Gb, Self::Monthly25Gb, Self::Monthly40Gb, Self::Monthly70Gb,
    ];

    /// The name on Kyanda's page, which is what the detail `bundle` takes.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// What it costs, in shillings.
    pub const fn price(self) -> Money {
        Money::shillings(self.row().1)
    }

    const fn row(self) -> (&'static str, u32) {
        match self {
            Self::Daily1Gb => ("Daily DataBundle 1GB", 50),
            Self::Weekly8Gb => ("Weekly DataBundle 8GB", 300),
            Self::Weekly15Gb => ("Weekly DataBundle 15GB", 500),
            Self::Monthly25Gb => ("Monthly DataBundle 25GB", 1000),
            Self::Monthly40Gb => ("Monthly DataBundle 40GB", 2000),
            Self::Monthly70Gb => ("Monthly DataBundle 70GB", 3000),
        }
    }
}

/// The channel codes of bills. The page supports Kenya Power and prints no code for it; these two are from practice.
pub(crate) const BILLERS: &[(Biller, &str)] = &[
    (Biller::KenyaPowerPrepaid, "KPLC_PREPAID"),
    (Biller::KenyaPowerPostpaid, "KPLC_POSTPAID"),
    (Biller::Dstv, "DSTV"),
    (Biller::Gotv, "GOTV"),
    (Biller::Zuku, "ZUKU"),
    (Biller::Startimes, "STARTIMES"),
    (Biller::NairobiWater, "NAIROBI_WTR"),
];

/// Kyanda's own bank codes. The page refers to a list that it does not have; this is a newer public one.
#[rustfmt::skip]
pub(crate) const BANKS: &[(Bank, &str)] = &[
    (Bank::Absa, "101"), (Bank::Coop, "102"), (Bank::Equity, "103"), (Bank::Family, "104"),
    (Bank::Kcb, "105"), (Bank::StandardChartered, "106"), (Bank::Abc, "107"), (Bank::Im, "108"),
    (Bank::Hfc, "109"), (Bank::Ecobank, "110"), (Bank::Habib, "111"), (Bank::Ncba, "112"),
    (Bank::Stanbic, "113"), (Bank::Sidian, "114"), (Bank::Rafiki, "115"), (Bank::Spire, "116"),
    (Bank::FirstCommunity, "117"), (Bank::Access, "118"), (Bank::Dtb, "119"), (Bank::Dib, "120"),
    (Bank::Development, "121"), (Bank::Citi, "122"), (Bank::Baroda, "123"), (Bank::BankOfAfrica, "124"),
    (Bank::Faulu, "125"), (Bank::Credit, "126"), (Bank::Choice, "127"), (Bank::Consolidated, "128"),
    (Bank::Caritas, "129"), (Bank::Kwft, "130"), (Bank::Mayfair, "131"), (Bank::Kingdom, "132"),
    (Bank::National, "133"), (Bank::MiddleEast, "134"), (Bank::Paramount, "135"), (Bank::Prime, "136"),
    (Bank::Postbank, "137"), (Bank::Sbm, "138"), (Bank::Victoria, "139"), (Bank::Uba, "140"),
    (Bank::Salaam, "141"), (Bank::MOriental, "142"), (Bank::GulfAfrican, "143"), (Bank::GuarantyTrust, "144"),
    (Bank::Guardian, "145"), (Bank::BankOfIndia, "146"),
];

/// The names of one field, in all of Kyanda's spellings.
pub(crate) mod field {
    pub(crate) const STATUS: &[&str] = &["status", "Status"];
    pub(crate) const CODE: &[&str] = &["status_code"];
    pub(crate) const TEXT: &[&str] = &["transactiontxt", "message"];
    /// An acceptance has one of these two.
    pub(crate) const ID: &[&str] = &["merchant_reference", "transactionId"];
    pub(crate) const TRANSACTION: &[&str] = &["transactionRef"];
    pub(crate) const MERCHANT: &[&str] = &["MerchantID"];
    pub(crate) const CATEGORY: &[&str] = &["category", "Category"];
    pub(crate) const AMOUNT: &[&str] = &["amount", "Amount"];
    pub(crate) const DESTINATION: &[&str] = &["destination"];
    pub(crate) const PHONE: &[&str] = &["Phone"];
    pub(crate) const DATE: &[&str] = &["transactionDate", "Posted_Time"];
    pub(crate) const DETAILS: &str = "details";
    pub(crate) const METADATA: &str = "requestMetadata";
    pub(crate) const BALANCES: &[&str] = &["Account_Bal", "Earnings_Bal"];
    /// Kept as report details of the same names.
    pub(crate) const KEPT: &[&str] = &["source", "direction", "transactionFee"];
    /// Within the details.
    pub(crate) const CUSTOMER: &str = "CustomerName";
    pub(crate) const TELCO_RECEIPT: &str = "Telco Reference";
}
