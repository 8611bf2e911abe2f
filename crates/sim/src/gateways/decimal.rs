use rust_decimal::Decimal;

/// Money as text, in plain decimal digits, at most two of them after the point. It may be nothing.
pub(crate) fn plain_decimal(text: &str) -> Option<Decimal> {
    let (whole, cents) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = whole == "0" || !whole.starts_with('0');
    let plain = digits(whole) && digits(cents) && canonical && cents.len() <= 2;
    Decimal::from_str_exact(text).ok().filter(|_| plain)
}

/// As [`plain_decimal`], and more than nothing.
pub(crate) fn positive_decimal(text: &str) -> Option<Decimal> {
    plain_decimal(text).filter(|amount| *amount > Decimal::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_decimal_text_and_exact() {
        for (text, cents) in [("10", 1000), ("100.50", 10_050), ("0.5", 50), ("0.01", 1)] {
            assert_eq!(positive_decimal(text), Some(Decimal::new(cents, 2)), "{text}");
        }
        assert_eq!(plain_decimal("9007199254740993"), Some(9_007_199_254_740_993_i64.into()));
        for text in ["0", "0.00"] {
            assert_eq!((plain_decimal(text), positive_decimal(text)), (Some(Decimal::ZERO), None), "{text}");
        }
        let long = "1.00000000000000000000000000000001";
        for text in ["", "-1", "+1", "1.", ".5", "1.234", "1e3", "1_000", "1,000", " 1", "010", long] {
            assert_eq!(plain_decimal(text), None, "{text}");
        }
    }
}
