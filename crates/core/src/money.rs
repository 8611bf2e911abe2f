use std::fmt;

use rust_decimal::Decimal;

/// An exact amount of money in one currency, with no more digits than the currency has (cents).
///
/// It is never a binary floating-point number: text and JSON numbers are read digit by digit, and arithmetic
/// is checked. Negative amounts exist because gateways report overdrawn balances; an instruction refuses them.
///
/// ```
/// use malipo_core::{Currency, Money};
///
/// let price = Money::kes("1500.50")?;
/// assert_eq!(price.minor(), 150_050);
/// assert_eq!(price.to_string(), "KES 1,500.50");
/// assert_eq!(Money::shillings(1500), Money::kes("1500")?);
/// assert!(Money::kes("10.005").is_err(), "nothing is rounded");
/// assert_eq!(price.checked_add(Money::from_minor(50, Currency::Kes)?)?, Money::kes("1501")?);
/// # Ok::<(), malipo_core::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

/// A currency of the gateways. Closed on purpose: each one has to be thought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Currency {
    /// Kenya shilling, 100 cents.
    Kes,
    /// United States dollar, 100 cents.
    Usd,
}

/// Why an amount is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// The text is not digits with at most one point, as in `1500` or `1500.50`.
    #[error(
        "{0:?} is not an amount: write digits, at most one point, no sign but a leading minus, no separators"
    )]
    Malformed(String),
    /// There are more decimals than the currency has.
    #[error("{text:?} has more than the {} decimals of {currency}", currency.minor_digits())]
    TooPrecise {
        /// The amount as written.
        text: String,
        /// The currency it was to be in.
        currency: Currency,
    },
    /// The amount does not fit; the limit is [`Money::MAX_MINOR`] minor units.
    #[error("the amount is larger than any payment can be")]
    TooLarge,
    /// Two amounts of different currencies cannot be combined.
    #[error("{0} and {1} cannot be combined")]
    CurrencyMismatch(Currency, Currency),
    /// The currency code is not one of ours.
    #[error("{0:?} is not a currency Malipo knows (KES, USD)")]
    UnknownCurrency(String),
}

impl Money {
    /// The largest amount, in minor units (cents): ten thousand billion shillings.
    pub const MAX_MINOR: i64 = 1_000_000_000_000_000;

    /// Reads an amount such as `1500`, `1500.5` or `-4510.00`.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] for a plus sign, leading zeros, a bare point, separators, exponents, spaces, more
    /// decimals than the currency has, or an amount beyond [`Money::MAX_MINOR`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let malformed = || MoneyError::Malformed(text.chars().take(40).collect());
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(malformed()),
            Some((whole, decimals)) => (whole, decimals),
            None => (unsigned, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !digits(whole) || !digits(decimals) {
            return Err(malformed());
        }
        if decimals.len() > currency.minor_digits() as usize {
            return Err(MoneyError::TooPrecise { text: text.chars().take(40).collect(), currency });
        }
        let amount = Decimal::from_str_exact(text).map_err(|_| MoneyError::TooLarge)?;
        Self::within_limits(amount, currency)
    }

    /// Reads an amount of shillings: [`Money::parse`] in KES.
    ///
    /// # Errors
    ///
    /// As [`Money::parse`].
    pub fn kes(text: &str) -> Result<Self, MoneyError> {
        Self::parse(text, Currency::Kes)
    }

    /// An amount from minor units (cents).
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooLarge`] beyond [`Money::MAX_MINOR`].
    pub fn from_minor(minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        Self::within_limits(Decimal::new(minor, currency.minor_digits()), currency)
    }

    /// An amount of whole shillings; no such number is too large.
    pub const fn shillings(whole: u32) -> Self {
        Self { amount: Decimal::from_parts(whole, 0, 0, false, 0), currency: Currency::Kes }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::ZERO, currency }
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in major units (shillings).
    pub const fn amount(self) -> Decimal {
        self.amount
    }

    /// The amount in minor units (cents); exact, since no `Money` has a fraction of one.
    pub fn minor(self) -> i64 {
        let mut scaled = self.amount;
        scaled.rescale(self.currency.minor_digits());
        // Construction bounds the mantissa by MAX_MINOR, so this never saturates.
        i64::try_from(scaled.mantissa()).unwrap_or(i64::MAX)
    }

    /// The amount in whole major units, or `None` when there are cents.
    pub fn whole(self) -> Option<i64> {
        let per_major = 10_i64.pow(self.currency.minor_digits());
        let minor = self.minor();
        (minor % per_major == 0).then_some(minor / per_major)
    }

    /// The amount alone with all its decimals, as in `1500.50`.
    pub fn to_plain(self) -> String {
        let mut scaled = self.amount;
        scaled.rescale(self.currency.minor_digits());
        scaled.to_string()
    }

    /// Whether this is more than nothing.
    pub fn is_positive(self) -> bool {
        self.minor() > 0
    }

    /// The sum.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when the currencies differ or the sum is too large.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference, which may be negative.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when the currencies differ or the difference is too large.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(self, other: Self, operation: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let minor = operation(self.minor(), other.minor()).ok_or(MoneyError::TooLarge)?;
        Self::from_minor(minor, self.currency)
    }

    fn within_limits(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        if amount.abs() > Decimal::new(Self::MAX_MINOR, currency.minor_digits()) {
            return Err(MoneyError::TooLarge);
        }
        Ok(Self { amount, currency })
    }
}

/// For people: `KES 1,500.50`. Use [`Money::to_plain`] where a program reads it.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.to_plain();
        let (sign, digits) = match plain.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", plain.as_str()),
        };
        let (whole, cents) = digits.split_once('.').unwrap_or((digits, "00"));
        write!(f, "{} {sign}", self.currency)?;
        for (position, digit) in whole.chars().enumerate() {
            if position > 0 && (whole.len() - position).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        write!(f, ".{cents}")
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money({} {})", self.currency, self.to_plain())
    }
}

impl Currency {
    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kes => "KES",
            Self::Usd => "USD",
        }
    }

    /// How many decimals an amount may have.
    pub const fn minor_digits(self) -> u32 {
        match self {
            Self::Kes | Self::Usd => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Reads the ISO 4217 code, in capitals.
impl std::str::FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        match code {
            "KES" => Ok(Self::Kes),
            "USD" => Ok(Self::Usd),
            other => Err(MoneyError::UnknownCurrency(other.chars().take(40).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_shillings_are_never_too_many() {
        for (whole, text) in [(0, "0"), (50, "50"), (u32::MAX, "4294967295")] {
            let money = Money::shillings(whole);
            assert_eq!(money, Money::kes(text).unwrap());
            assert_eq!(Money::from_minor(money.minor(), Currency::Kes).unwrap(), money);
        }
    }

    #[test]
    fn the_grammar_is_strict() {
        let accepted = [
            ("0", 0),
            ("0.5", 50),
            ("0.05", 5),
            ("10", 1_000),
            ("10.0", 1_000),
            ("10.00", 1_000),
            ("10116.00", 1_011_600),
            ("-4510.00", -451_000),
            ("-0.01", -1),
            ("900000.00", 90_000_000),
            ("10000000000000", Money::MAX_MINOR),
            ("9999999999999.99", Money::MAX_MINOR - 1),
        ];
        for (text, minor) in accepted {
            assert_eq!(Money::kes(text).map(Money::minor), Ok(minor), "{text}");
        }
        let malformed = [
            "", " ", "-", ".", "1.", ".5", "-.5", "+10", "--1", "01", "00", "00.5", "-01", "1,000",
            "1,000.00", "1_000", "1 000", " 10", "10 ", "1e3", "1E3", "1.5e2", "0x10", "ten", "10KES",
            "KES10", "NaN", "inf", "１０", "1.2.3", "10.-5", "10.+5", "١٠", "null", "\"10\"",
        ];
        for text in malformed {
            assert!(
                matches!(Money::kes(text), Err(MoneyError::Malformed(_))),
                "{text:?}: {:?}",
                Money::kes(text)
            );
        }
        for text in ["10.005", "10.000", "0.001", "12345678901234567.890", "0.12345678901234567890123456789"]
        {
            assert!(matches!(Money::kes(text), Err(MoneyError::TooPrecise { .. })), "{text:?}");
        }
        for text in [
            "10000000000000.01",
            "-10000000000000.01",
            "79228162514264337593543950336",
            "1".repeat(80).as_str(),
        ] {
            assert_eq!(Money::kes(text), Err(MoneyError::TooLarge), "{text:?}");
        }
    }

    #[test]
    fn scale_is_not_part_of_the_value() {
        assert_eq!(Money::kes("10"), Money::kes("10.00"));
        assert_eq!(Money::kes("10.5").unwrap().to_plain(), "10.50");
        assert_eq!(Money::kes("10").unwrap().whole(), Some(10));
        assert_eq!(Money::kes("10.50").unwrap().whole(), None);
        assert_eq!(Money::kes("-0.50").unwrap().to_string(), "KES -0.50");
        assert_eq!(Money::kes("1234567.8").unwrap().to_string(), "KES 1,234,567.80");
    }

    #[test]
    fn currencies_do_not_mix() {
        let shillings = Money::kes("1").unwrap();
        let dollars = Money::parse("1", Currency::Usd).unwrap();
        assert_eq!(
            shillings.checked_add(dollars),
            Err(MoneyError::CurrencyMismatch(Currency::Kes, Currency::Usd))
        );
        assert_ne!(shillings, dollars);
        assert!("kes".parse::<Currency>().is_err());
    }

    #[test]
    fn arithmetic_is_checked() {
        let most = Money::from_minor(Money::MAX_MINOR, Currency::Kes).unwrap();
        let cent = Money::from_minor(1, Currency::Kes).unwrap();
        assert_eq!(most.checked_add(cent), Err(MoneyError::TooLarge));
        assert_eq!(Money::from_minor(i64::MIN, Currency::Kes), Err(MoneyError::TooLarge));
        assert_eq!(cent.checked_sub(most).map(Money::minor), Ok(1 - Money::MAX_MINOR));
    }

    proptest! {
        #[test]
        fn printing_reads_back(minor in -Money::MAX_MINOR..=Money::MAX_MINOR) {
            let money = Money::from_minor(minor, Currency::Kes).unwrap();
            prop_assert_eq!(money.minor(), minor);
            prop_assert_eq!(Money::kes(&money.to_plain()), Ok(money));
        }

        #[test]
        fn whatever_is_read_is_exactly_what_was_written(text in "[-+]?[0-9_,. ]{0,12}(e[0-9])?") {
            if let Ok(money) = Money::kes(&text) {
                let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
                let expected: i64 = format!("{whole}{decimals:0<2}").parse().unwrap();
                prop_assert_eq!(money.minor(), expected);
            }
        }

        #[test]
        fn sums_agree_with_integers(a in -1_000_000_000i64..1_000_000_000, b in -1_000_000_000i64..1_000_000_000) {
            let money = |minor| Money::from_minor(minor, Currency::Kes).unwrap();
            prop_assert_eq!(money(a).checked_add(money(b)), Ok(money(a + b)));
            prop_assert_eq!(money(a).checked_sub(money(b)), Ok(money(a - b)));
        }
    }
}
