use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::{Env, Told};

/// Our name for one generation of one payment. It goes on the wire and must never be used for another payment.
///
/// One letter or digit, then up to 63 letters, digits, dots, underscores and hyphens: safe as a segment of a
/// URL path, and never `.` or `..`.
///
/// ```
/// use malipo_core::{Reference, SystemEnv};
///
/// let reference = Reference::mint(&SystemEnv::new());
/// assert_eq!(reference.as_str().len(), 26);
/// assert!("../status".parse::<Reference>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(String);

/// The text is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reference is one letter or digit, then at most 63 letters, digits, dots, underscores and hyphens")]
pub struct InvalidReference;

impl Reference {
    /// A new reference: 26 characters, the time in milliseconds first, then 80 random bits, so that later
    /// ones sort later and no two are alike.
    pub fn mint(env: &dyn Env) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let millis = u64::try_from(env.now().unix_millis()).unwrap_or_default();
        let mut random = [0; 10];
        env.fill_bytes(&mut random);
        let random = random.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let bits = u128::from(millis) << 80 | random;
        let text = (0..26).rev().map(|place| {
            let index = usize::try_from(bits >> (5 * place) & 31).unwrap_or_default();
            char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
        });
        Self(text.collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name was told that can be no reference. What is called so is another payment, and never one of ours,
    /// wherever it was told.
    ///
    /// ```
    /// use malipo_core::Reference;
    ///
    /// assert!(Reference::is_foreign(Some("INV 7/2026")));
    /// assert!(!Reference::is_foreign(Some("INV-7")) && !Reference::is_foreign(None));
    /// ```
    pub fn is_foreign(told: Option<&str>) -> bool {
        told.is_some_and(|told| told.parse::<Self>().is_err())
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let starts_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        let goes_on_well =
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if starts_well && goes_on_well && text.len() <= 64 {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidReference)
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of one configured account of one gateway. By default the gateway's name; two accounts of the same
/// gateway need two names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(Cow<'static, str>);

impl ProviderId {
    /// A name known when the program is written. It is the provider's task to choose a good one.
    pub const fn of(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderId {
    type Err = InvalidReference;

    /// Reads a name under the same rules as a [`Reference`].
    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        text.parse::<Reference>().map(|reference| Self(Cow::Owned(reference.0)))
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name the gateway gave a payment: which kind of name, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderRef {
    /// The kind, in the provider's own words, such as `conversation`.
    pub kind: Cow<'static, str>,
    /// The value as told, made safe to show.
    pub value: String,
}

/// The names a gateway gave a payment, in the order they were told; one for each kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderRefs(Vec<ProviderRef>);

impl ProviderRefs {
    /// No names yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds or replaces the name of this kind. An absent or empty value changes nothing.
    #[must_use]
    pub fn with(mut self, kind: impl Into<Cow<'static, str>>, value: Option<&str>) -> Self {
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return self };
        let (kind, value) = (kind.into(), Told::code(value));
        match self.0.iter_mut().find(|known| known.kind == kind) {
            Some(known) => known.value = value,
            None => self.0.push(ProviderRef { kind, value }),
        }
        self
    }

    /// The name of this kind.
    pub fn find(&self, kind: &str) -> Option<&str> {
        self.0.iter().find(|known| known.kind == kind).map(|known| known.value.as_str())
    }

    /// All names.
    pub fn iter(&self) -> impl Iterator<Item = &ProviderRef> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::Timestamp;

    #[derive(Debug)]
    struct Fixed(i64, u8);

    impl Env for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_millis(self.0).unwrap()
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }

        fn fill_bytes(&self, bytes: &mut [u8]) {
            bytes.fill(self.1);
        }
    }

    #[test]
    fn a_minted_reference_is_time_then_randomness() {
        let mint = |millis, random| Reference::mint(&Fixed(millis, random)).0;
        assert_eq!(mint(0, 0), "00000000000000000000000000");
        assert_eq!(mint(1_469_918_176_385, 0xff), "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
        assert!(mint(1, 0xff) < mint(2, 0));
    }

    #[test]
    fn what_could_leave_its_path_segment_is_refused() {
        for good in [
            "a",
            "0",
            "ms83-367839",
            "feb5e3f2-fbbc-4745-844c-ee37b546f627",
            "600997_Test",
            "a..b",
            &"x".repeat(64),
        ] {
            assert!(good.parse::<Reference>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "-a",
            "_a",
            "a/b",
            "a/../b",
            "a?b",
            "a#b",
            "%2e%2e",
            "a b",
            "a\n",
            "é",
            "a\\b",
            "a:b",
            &"x".repeat(65),
        ] {
            assert_eq!(bad.parse::<Reference>(), Err(InvalidReference), "{bad:?}");
        }
    }

    #[test]
    fn the_last_name_of_a_kind_counts() {
        let refs = ProviderRefs::new()
            .with("a", Some("1"))
            .with("b", None)
            .with("c", Some(" "))
            .with("a", Some("2"));
        assert_eq!((refs.find("a"), refs.find("b"), refs.iter().count()), (Some("2"), None, 1));
    }

    proptest! {
        #[test]
        fn every_minted_reference_reads_back(millis in 0..(1_i64 << 47), random: u8) {
            let minted = Reference::mint(&Fixed(millis, random));
            prop_assert_eq!(minted.as_str().parse(), Ok(minted.clone()));
        }
    }
}
