//! What Kyanda sells and through whom.

/// Wallets that are paid out to and collected from.
pub(super) const CHANNELS: [&str; 3] = ["MPESA", "AIRTEL", "EQUITEL"];

/// Whose airtime there is. The last sells data.
pub(super) const AIRTIME_TELCOS: [&str; 6] =
    ["SAFARICOM", "AIRTEL", "TELKOM", "EQUITEL", "FAIBA", BUNDLES_TELCO];
pub(super) const BUNDLES_TELCO: &str = "FAIBA_B";

pub(super) const VOUCHER_TELCOS: [&str; 3] = ["SAFARICOM", "AIRTEL", "TELKOM"];

/// Whose bills are paid. The page says that Kenya Power's are and prints no code: the two are those of
/// working integrations.
pub(super) const BILL_TELCOS: [&str; 7] =
    ["GOTV", "DSTV", "ZUKU", "STARTIMES", "NAIROBI_WTR", POWER_TELCO, "KPLC_POSTPAID"];
/// The one that answers with tokens for a meter.
pub(super) const POWER_TELCO: &str = "KPLC_PREPAID";

/// The banks' codes are all the numbers from the first to the last.
pub(super) const BANKS: std::ops::RangeInclusive<u16> = 101..=146;

/// What data costs, in shillings, when it is bought by amount: the page's list.
pub(super) const BUNDLES: [i64; 6] = [50, 300, 500, 1000, 2000, 3000];

/// What data and minutes cost, in shillings, when they are bought by `productCode`: as refusals of the live
/// service have it in 2026.
pub(super) const PRODUCTS: [(&str, i64); 19] = [
    ("DAILY_500MB", 20),
    ("fisihour3", 50),
    ("Daily_1.5GB", 50),
    ("Gumzo_Weekly_50", 75),
    ("fisihour5", 80),
    ("3GB3DAY", 100),
    ("fisihour6", 120),
    ("WEEKLY_DATA_10GB", 300),
    ("Gumzo_Monthly_250", 300),
    ("Monthly_15GB", 500),
    ("Gumzo_Monthly_500", 500),
    ("All_inOne_5", 500),
    ("MONTHLY_DATA_40GB", 1000),
    ("All_inOne_10", 1000),
    ("Monthly_120GB", 2000),
    ("All_inOne_20", 2000),
    ("Family_Basic_Plus_150Mins", 2000),
    ("Family_Plus_Plus_300Mins", 3500),
    ("Family_Max_Plus_600Mins", 6000),
];
