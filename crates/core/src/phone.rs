use std::fmt;
use std::str::FromStr;

/// A Kenyan mobile number.
///
/// Read from `07…` or `01…` (10 digits), `7…` or `1…` (9), `254…` (12) or `+254…`, with spaces and hyphens
/// between the digits ignored. Says nothing of the network: numbers move between networks.
///
/// Prints masked, as `254708***149`; [`international`](Self::international) and [`local`](Self::local) give the digits.
///
/// ```
/// use malipo_core::Msisdn;
///
/// let phone: Msisdn = "0708 374-149".parse()?;
/// assert_eq!(phone.international(), "254708374149");
/// assert_eq!(phone.local(), "0708374149");
/// assert_eq!(phone.to_string(), "254708***149");
/// # Ok::<(), malipo_core::InvalidMsisdn>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn {
    /// The nine digits after the country code.
    subscriber: String,
}

/// The text is not a Kenyan mobile number. Does not repeat it: it may be somebody's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a Kenyan mobile number: write it like 0708374149, 0112345678 or +254708374149")]
pub struct InvalidMsisdn;

impl Msisdn {
    /// Twelve digits with the country code, as in `254708374149`.
    pub fn international(&self) -> String {
        format!("254{}", self.subscriber)
    }

    /// Ten digits with the leading zero, as in `0708374149`.
    pub fn local(&self) -> String {
        format!("0{}", self.subscriber)
    }
}

impl FromStr for Msisdn {
    type Err = InvalidMsisdn;

    fn from_str(text: &str) -> Result<Self, InvalidMsisdn> {
        if text.trim_matches(' ').starts_with('-') || text.trim_matches(' ').ends_with('-') {
            return Err(InvalidMsisdn);
        }
        let written: String = text.chars().filter(|character| !matches!(character, ' ' | '-')).collect();
        let subscriber = match (written.len(), written.as_str()) {
            (13, plus) => plus.strip_prefix("+254"),
            (12, bare) => bare.strip_prefix("254"),
            (10, local) => local.strip_prefix('0'),
            (9, short) => Some(short),
            _ => None,
        };
        subscriber
            .filter(|digits| {
                digits.starts_with(['7', '1']) && digits.bytes().all(|byte| byte.is_ascii_digit())
            })
            .map(|digits| Self { subscriber: digits.to_owned() })
            .ok_or(InvalidMsisdn)
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.subscriber.get(..3), self.subscriber.get(6..));
        write!(f, "254{}***{}", start.unwrap_or_default(), end.unwrap_or_default())
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Msisdn({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ACCEPTED: &[(&str, &str)] = &[
        ("0708374149", "254708374149"),
        ("0712345678", "254712345678"),
        ("0722000000", "254722000000"),
        ("0733123456", "254733123456"),
        ("0740000001", "254740000001"),
        ("0757999999", "254757999999"),
        ("0768123123", "254768123123"),
        ("0779123123", "254779123123"),
        ("0799999999", "254799999999"),
        ("0700000000", "254700000000"),
        ("0100000000", "254100000000"),
        ("0110123456", "254110123456"),
        ("0111222333", "254111222333"),
        ("0115999000", "254115999000"),
        ("0130000000", "254130000000"),
        ("708374149", "254708374149"),
        ("110123456", "254110123456"),
        ("799999999", "254799999999"),
        ("254708374149", "254708374149"),
        ("254110123456", "254110123456"),
        ("+254708374149", "254708374149"),
        ("+254110123456", "254110123456"),
        ("0708 374 149", "254708374149"),
        ("0708-374-149", "254708374149"),
        (" 0708374149 ", "254708374149"),
        ("+254 708 374 149", "254708374149"),
        ("+254-708-374149", "254708374149"),
        ("254 708374149", "254708374149"),
        ("708 374 149", "254708374149"),
        ("0 7 0 8 3 7 4 1 4 9", "254708374149"),
    ];

    const REFUSED: &[&str] = &[
        "",
        " ",
        "-",
        "+",
        "0",
        "254",
        "+254",
        "070837414",
        "07083741499",
        "25470837414",
        "2547083741499",
        "+25470837414",
        "+2547083741499",
        "70837414",
        "7083741499",
        "0208374149",
        "0201234567",
        "0412345678",
        "0571234567",
        "0800123456",
        "0900123456",
        "0612345678",
        "254208374149",
        "+254208374149",
        "254008374149",
        "2540708374149",
        "+2540708374149",
        "00254708374149",
        "000254708374149",
        "+255708374149",
        "255708374149",
        "+256772123456",
        "+447911123456",
        "+12025550123",
        "+251911123456",
        "254708374l49",
        "o708374149",
        "0708374149x",
        "tel:0708374149",
        "(0708) 374149",
        "0708.374.149",
        "0708/374149",
        "0708_374_149",
        "7.08E+08",
        "-0708374149",
        "0708374149-",
        " -708374149",
        "708374149.0",
        "++254708374149",
        "254+708374149",
        "+0708374149",
        "٠٧٠٨٣٧٤١٤٩",
        "０７０８３７４１４９",
        "0708\u{a0}374149",
        "0708\t374149",
        "0708374149\n",
        "07083741é",
        "*****4149",
        "254708***149",
        "0708374149,0712345678",
    ];

    #[test]
    fn the_corpus_is_read_or_refused() {
        assert!(ACCEPTED.len() + REFUSED.len() >= 60);
        for (text, international) in ACCEPTED {
            let phone: Msisdn = text.parse().unwrap_or_else(|_| panic!("{text:?} is a number"));
            assert_eq!(phone.international(), *international, "{text:?}");
            assert_eq!(phone.international().parse(), Ok(phone.clone()), "{text:?}");
            assert_eq!(phone.local().parse(), Ok(phone), "{text:?}");
        }
        for text in REFUSED {
            assert_eq!(text.parse::<Msisdn>(), Err(InvalidMsisdn), "{text:?}");
        }
    }

    #[test]
    fn printing_hides_the_middle() {
        let phone: Msisdn = "0708374149".parse().unwrap();
        assert_eq!(format!("{phone} {phone:?}"), "254708***149 Msisdn(254708***149)");
    }

    proptest! {
        #[test]
        fn every_way_of_writing_is_the_same_number(digits in "[71][0-9]{8}") {
            let expected = Msisdn { subscriber: digits.clone() };
            for text in [digits.clone(), format!("0{digits}"), format!("254{digits}"), format!("+254{digits}")] {
                prop_assert_eq!(text.parse(), Ok(expected.clone()));
            }
        }

        #[test]
        fn whatever_is_accepted_is_canonical(text in "[+0-9 -]{0,18}") {
            if let Ok(phone) = text.parse::<Msisdn>() {
                prop_assert_eq!(phone.international().len(), 12);
                prop_assert_eq!(phone.local().len(), 10);
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                prop_assert!(digits.ends_with(&phone.subscriber));
            }
        }
    }
}
