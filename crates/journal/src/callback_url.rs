//! The URLs that gateways post to. Nobody can guess one, and each says which payment it was given out for.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use malipo_core::{CallbackUrl, DeliveryPurpose, InvalidCallbackUrl, Secret, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::PaymentId;

/// How what is appended is laid out and signed. Another layout is another version.
const VERSION: u8 = 1;
/// The fewest bytes of a key.
const SHORTEST_KEY: usize = 32;
/// The digits of a tag of 128 bits.
const TAG_DIGITS: usize = 39;
/// What the purposes are called in a URL. They will not change.
const PURPOSES: &[(DeliveryPurpose, u8)] = &[
    (DeliveryPurpose::Result, 1),
    (DeliveryPurpose::Timeout, 2),
    (DeliveryPurpose::Answer, 3),
    (DeliveryPurpose::AnswerTimeout, 4),
    (DeliveryPurpose::Balance, 5),
    (DeliveryPurpose::Notice, 6),
];

/// A key that callback URLs are signed with, and its number, which stands in them.
#[derive(Debug, Clone)]
pub struct CallbackKey {
    id: u8,
    key: Secret,
}

/// Why callback URLs cannot be made so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCallbacks {
    /// The key is too short to be one.
    #[error(
        "a key for callback URLs has at least {SHORTEST_KEY} bytes: make one with `openssl rand -hex 32`"
    )]
    ShortKey,
    /// Two keys have the same number.
    #[error("two keys for callback URLs have the number {0}: give each a number of its own")]
    RepeatedKey(u8),
    /// The base is no URL that a gateway can post to.
    #[error("the base of the callback URLs cannot be used")]
    Base(#[from] InvalidCallbackUrl),
    /// The base has a query, behind which nothing can be appended.
    #[error("the base of the callback URLs has a query: leave it out")]
    Query,
}

impl CallbackKey {
    /// The key of this number. At least 32 random bytes, in whatever text you keep them.
    ///
    /// # Errors
    ///
    /// [`InvalidCallbacks::ShortKey`].
    pub fn new(id: u8, key: Secret) -> Result<Self, InvalidCallbacks> {
        if key.expose().len() < SHORTEST_KEY { Err(InvalidCallbacks::ShortKey) } else { Ok(Self { id, key }) }
    }
}

/// What a callback URL was given out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// The number of the configured account.
    pub account: u32,
    /// The payment; `None` for what concerns the whole account, such as its balances and notices.
    pub payment: Option<PaymentId>,
    /// What for.
    pub purpose: DeliveryPurpose,
}

impl Address {
    /// The address of something about one payment.
    pub const fn of(account: u32, payment: PaymentId, purpose: DeliveryPurpose) -> Self {
        Self { account, payment: Some(payment), purpose }
    }

    /// The address of something about the whole account.
    pub const fn of_account(account: u32, purpose: DeliveryPurpose) -> Self {
        Self { account, payment: None, purpose }
    }
}

/// Makes callback URLs, and tells what one that came back was given out for.
///
/// Behind the base stand digits only, since gateways are known to refuse some words: version, key, account, payment,
/// purpose, and a tag of 128 bits that only the key's owner can make.
#[derive(Clone)]
pub struct CallbackUrls {
    base: String,
    current: CallbackKey,
    /// Keys that made URLs before, and until when those are still good.
    retired: Vec<(CallbackKey, Timestamp)>,
}

impl CallbackUrls {
    /// URLs below `base`, such as `https://pay.example.com/callbacks`, signed with `key`.
    ///
    /// # Errors
    ///
    /// [`InvalidCallbacks`] when nothing can be posted below `base`.
    pub fn new(base: &str, key: CallbackKey) -> Result<Self, InvalidCallbacks> {
        let base = base.trim_end_matches('/');
        base.parse::<CallbackUrl>()?;
        if base.contains('?') {
            return Err(InvalidCallbacks::Query);
        }
        Ok(Self { base: base.to_owned(), current: key, retired: Vec::new() })
    }

    /// Also takes URLs that were made with an older key, until then.
    ///
    /// # Errors
    ///
    /// [`InvalidCallbacks::RepeatedKey`] when a key of this number is there already.
    pub fn with_retired(mut self, key: CallbackKey, until: Timestamp) -> Result<Self, InvalidCallbacks> {
        if self.keys().any(|known| known.id == key.id) {
            return Err(InvalidCallbacks::RepeatedKey(key.id));
        }
        self.retired.push((key, until));
        Ok(self)
    }

    /// What every URL begins with.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The URL for this.
    ///
    /// # Errors
    ///
    /// [`InvalidCallbacks::Base`] when it gets too long for one.
    pub fn mint(&self, address: Address) -> Result<CallbackUrl, InvalidCallbacks> {
        let tag = u128::from_be_bytes(tag(&self.current, address));
        let Address { account, payment, purpose } = address;
        let (key, payment, purpose) =
            (self.current.id, payment.map_or(0, |payment| payment.0), code(purpose));
        let url = format!("{}/{VERSION}/{key}/{account}/{payment}/{purpose}/{tag:0TAG_DIGITS$}", self.base);
        Ok(url.parse()?)
    }

    /// What the URL with this path was given out for; `None` when we gave out none such, or its key is no longer good.
    /// However wrong it is, the tag is compared in constant time.
    ///
    /// Only what we appended counts. What stands before it may have been taken away or put there on the way, by a proxy
    /// or a router, and is not what makes a URL ours.
    pub fn verify(&self, path: &str, now: Timestamp) -> Option<Address> {
        let mut parts = path.rsplitn(7, '/');
        let told = parts.next().filter(|digits| digits.len() == TAG_DIGITS)?;
        let purpose = number::<u8>(parts.next()?)?;
        let (payment, account) = (number::<u64>(parts.next()?)?, number::<u32>(parts.next()?)?);
        let (key, version) = (number::<u8>(parts.next()?)?, number::<u8>(parts.next()?)?);
        parts.next()?;
        let (purpose, _) = PURPOSES.iter().find(|(_, code)| *code == purpose)?;
        let told: u128 = told.bytes().all(|byte| byte.is_ascii_digit()).then(|| told.parse().ok())??;
        let key = self.good_key(key, now).filter(|_| version == VERSION)?;
        let address =
            Address { account, payment: (payment != 0).then_some(PaymentId(payment)), purpose: *purpose };
        is_tag(key, address, told.to_be_bytes()).then_some(address)
    }

    fn good_key(&self, id: u8, now: Timestamp) -> Option<&CallbackKey> {
        let retired = self.retired.iter().filter(|(_, until)| now < *until).map(|(key, _)| key);
        std::iter::once(&self.current).chain(retired).find(|key| key.id == id)
    }

    fn keys(&self) -> impl Iterator<Item = &CallbackKey> {
        std::iter::once(&self.current).chain(self.retired.iter().map(|(key, _)| key))
    }
}

impl fmt::Debug for CallbackUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.keys().map(|key| key.id).collect();
        f.debug_struct("CallbackUrls").field("base", &self.base).field("keys", &keys).finish_non_exhaustive()
    }
}

/// A number as it is minted: without a sign or a zero before it, so that one address has one spelling.
fn number<N: std::str::FromStr>(digits: &str) -> Option<N> {
    let canonical = digits == "0" || !digits.starts_with('0');
    (canonical && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn code(purpose: DeliveryPurpose) -> u8 {
    // A purpose that is not in the table gets a number that nobody reads, so that what is posted there is nobody's.
    PURPOSES.iter().find(|(known, _)| *known == purpose).map_or(0, |(_, code)| *code)
}

fn mac(key: &CallbackKey, address: Address) -> Hmac<Sha256> {
    let CallbackKey { id, key } = key;
    // A block of exactly the length that HMAC wants, whatever the length of the key.
    let mut block = [0; 64];
    block.iter_mut().zip(Sha256::digest(key.expose())).for_each(|(byte, digested)| *byte = digested);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(b"malipo callback url");
    mac.update(&[VERSION, *id]);
    mac.update(&address.account.to_be_bytes());
    mac.update(&address.payment.map_or(0, |payment| payment.0).to_be_bytes());
    mac.update(&[code(address.purpose)]);
    mac
}

fn tag(key: &CallbackKey, address: Address) -> [u8; 16] {
    let whole: [u8; 32] = mac(key, address).finalize().into_bytes().into();
    let mut tag = [0; 16];
    tag.iter_mut().zip(whole).for_each(|(byte, whole)| *byte = whole);
    tag
}

fn is_tag(key: &CallbackKey, address: Address, told: [u8; 16]) -> bool {
    mac(key, address).verify_truncated_left(&told).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(id: u8) -> CallbackKey {
        CallbackKey::new(id, Secret::new(format!("{id}: a key of more than thirty-two bytes"))).unwrap()
    }

    fn urls() -> CallbackUrls {
        CallbackUrls::new("https://pay.example.com/in/", key(7)).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1000).unwrap()
    }

    fn path(url: &CallbackUrl) -> &str {
        url.as_str().strip_prefix("https://pay.example.com").unwrap()
    }

    const ONE: Address = Address::of(3, PaymentId(82_031), DeliveryPurpose::Result);

    #[test]
    fn what_is_appended_is_digits_and_comes_back_as_what_it_was_given_out_for() {
        for (purpose, _) in PURPOSES {
            for address in [Address::of(0, PaymentId(1), *purpose), Address::of_account(u32::MAX, *purpose)] {
                let url = urls().mint(address).unwrap();
                let appended = url.as_str().strip_prefix("https://pay.example.com/in/").unwrap();
                assert!(appended.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/'), "{appended}");
                assert_eq!(urls().verify(path(&url), at(0)), Some(address));
            }
        }
    }

    #[test]
    fn one_address_has_one_spelling() {
        let url = urls().mint(ONE).unwrap();
        let good = path(&url);
        for bad in [
            good.replacen("/3/", "/03/", 1),
            good.replacen("/3/", "/+3/", 1),
            good.replacen("/in/1/", "/in/2/", 1),
            good.strip_prefix("/in/").unwrap().to_owned(),
            format!("{good}/"),
            format!("{good}/1"),
            format!("{good}?a=1"),
            good.trim_end_matches(|digit: char| digit.is_ascii_digit()).to_owned(),
            String::new(),
        ] {
            assert_eq!(urls().verify(&bad, at(0)), None, "{bad}");
        }
    }

    #[test]
    fn what_stands_before_is_the_routers() {
        let url = urls().mint(ONE).unwrap();
        let appended = path(&url).strip_prefix("/in").unwrap();
        for before in ["", "/in", "/behind/a/proxy/", "/1/7"] {
            assert_eq!(urls().verify(&format!("{before}{appended}"), at(0)), Some(ONE), "{before}");
        }
    }

    #[test]
    fn an_older_key_is_good_until_it_is_not() {
        let old = urls().mint(ONE).unwrap();
        let rotated = CallbackUrls::new("https://pay.example.com/in", key(8)).unwrap();
        assert_eq!(rotated.verify(path(&old), at(0)), None, "a key that nobody has any more");
        let rotated = rotated.with_retired(key(7), at(100)).unwrap();
        assert_eq!(rotated.verify(path(&old), at(99)), Some(ONE));
        assert_eq!(rotated.verify(path(&old), at(100)), None);
        assert_ne!(rotated.mint(ONE).unwrap().as_str(), old.as_str());
        let repeated = rotated.with_retired(key(8), at(100));
        assert_eq!(repeated.unwrap_err(), InvalidCallbacks::RepeatedKey(8));
    }

    #[test]
    fn a_weak_key_and_a_base_that_takes_no_path_are_refused() {
        assert_eq!(CallbackKey::new(1, Secret::new("short")).unwrap_err(), InvalidCallbacks::ShortKey);
        let new = |base| CallbackUrls::new(base, key(1)).unwrap_err();
        assert_eq!(new("https://pay.example.com/?a=b"), InvalidCallbacks::Query);
        assert!(matches!(new("http://pay.example.com"), InvalidCallbacks::Base(_)));
        assert!(!format!("{:?}", urls()).contains("thirty-two"), "no key is printed");
    }

    proptest! {
        #[test]
        fn nothing_but_what_was_minted_is_taken(at_byte in 0_usize..200, digit in 0_u8..10, account: u32, payment: u64) {
            let address = Address::of(account, PaymentId(payment.max(1)), DeliveryPurpose::Answer);
            let url = urls().mint(address).unwrap();
            let mut changed = path(&url).to_owned().into_bytes();
            let before = "/in/".len();
            let place = before + at_byte % (changed.len() - before);
            changed[place] = b'0' + digit;
            let changed = String::from_utf8(changed).unwrap();
            let expected = (changed == path(&url)).then_some(address);
            prop_assert_eq!(urls().verify(&changed, at(0)), expected);
        }

        #[test]
        fn a_tag_is_not_guessed(tag: u128) {
            let url = urls().mint(ONE).unwrap();
            let (address, own) = path(&url).rsplit_once('/').unwrap();
            let guess = format!("{address}/{tag:039}");
            prop_assert_eq!(urls().verify(&guess, at(0)).is_some(), own == format!("{tag:039}"));
        }
    }
}
