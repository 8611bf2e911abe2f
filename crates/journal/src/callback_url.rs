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
    /// Two keys are to sign the notice URL of one account.
    #[error("account {0} has two keys for its notice URL: retire the older one")]
    RepeatedNoticeKey(u32),
    /// No key was given for the notice URL of this account.
    #[error(
        "account {0} has no key for its notice URL: give it one of its own with `CallbackUrls::with_notice_key`, since \
         a gateway is told that URL once and the payments' key is changed more often"
    )]
    NoNoticeKey(u32),
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
///
/// The URL for all notices of an account has a key of its own: some gateways are told it once, and only their support
/// changes it, so it must outlive the keys of the payments. Neither key is good for what the other signs.
#[derive(Clone)]
pub struct CallbackUrls {
    base: String,
    keys: Vec<Held>,
}

/// A key, and what it is good for.
#[derive(Clone)]
struct Held {
    key: CallbackKey,
    signs: Signs,
    /// It makes no more URLs, and those that it made are good until then.
    retired: Option<Timestamp>,
}

/// What a key signs. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signs {
    /// The URLs of payments, and what else is made anew all the time.
    Payments,
    /// The notice URL of this account.
    Notices(u32),
}

impl Signs {
    const fn of(address: Address) -> Self {
        match address.purpose {
            DeliveryPurpose::Notice => Self::Notices(address.account),
            _ => Self::Payments,
        }
    }
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
        let held = Held { key, signs: Signs::Payments, retired: None };
        Ok(Self { base: base.to_owned(), keys: vec![held] })
    }

    /// Also takes URLs that were made with an older key, until then.
    ///
    /// # Errors
    ///
    /// [`InvalidCallbacks::RepeatedKey`] when a key of this number is there already.
    pub fn with_retired(self, key: CallbackKey, until: Timestamp) -> Result<Self, InvalidCallbacks> {
        self.with(Held { key, signs: Signs::Payments, retired: Some(until) })
    }

    /// Signs the notice URL of this account with a key of its own. Leave it as it is when the payments' key is changed.
    ///
    /// # Errors
    ///
    /// [`InvalidCallbacks::RepeatedKey`] when a key of this number is there already, for whatever;
    /// [`InvalidCallbacks::RepeatedNoticeKey`] when the account has one that is not retired.
    pub fn with_notice_key(self, account: u32, key: CallbackKey) -> Result<Self, InvalidCallbacks> {
        let held = Held { key, signs: Signs::Notices(account), retired: None };
        if self.current(held.signs).is_some() {
            return Err(InvalidCallbacks::RepeatedNoticeKey(account));
        }
        self.with(held)
    }

    /// Also takes what comes to the notice URL that an older key of this account made, until then: until its gateway
    /// posts to the new one.
    ///
    /// # Errors
    ///
    /// [`InvalidCallbacks::RepeatedKey`] when a key of this number is there already, for whatever.
    pub fn with_retired_notice_key(
        self,
        account: u32,
        key: CallbackKey,
        until: Timestamp,
    ) -> Result<Self, InvalidCallbacks> {
        self.with(Held { key, signs: Signs::Notices(account), retired: Some(until) })
    }

    fn with(mut self, held: Held) -> Result<Self, InvalidCallbacks> {
        if self.keys.iter().any(|known| known.key.id == held.key.id) {
            return Err(InvalidCallbacks::RepeatedKey(held.key.id));
        }
        self.keys.push(held);
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
    /// [`InvalidCallbacks::Base`] when it gets too long for one, and [`InvalidCallbacks::NoNoticeKey`].
    pub fn mint(&self, address: Address) -> Result<CallbackUrl, InvalidCallbacks> {
        let signing =
            self.current(Signs::of(address)).ok_or(InvalidCallbacks::NoNoticeKey(address.account))?;
        let tag = u128::from_be_bytes(tag(signing, address));
        let Address { account, payment, purpose } = address;
        let (key, payment, purpose) = (signing.id, payment.map_or(0, |payment| payment.0), code(purpose));
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
        let address =
            Address { account, payment: (payment != 0).then_some(PaymentId(payment)), purpose: *purpose };
        let key = self.good_key(key, Signs::of(address), now).filter(|_| version == VERSION)?;
        is_tag(key, address, told.to_be_bytes()).then_some(address)
    }

    /// The key of this number, if it is good for this at this time.
    fn good_key(&self, id: u8, signs: Signs, now: Timestamp) -> Option<&CallbackKey> {
        let held = self.keys.iter().find(|held| held.key.id == id && held.signs == signs)?;
        held.retired.is_none_or(|until| now < until).then_some(&held.key)
    }

    /// The key that makes URLs of this kind now.
    fn current(&self, signs: Signs) -> Option<&CallbackKey> {
        self.keys.iter().find(|held| held.signs == signs && held.retired.is_none()).map(|held| &held.key)
    }
}

impl fmt::Debug for CallbackUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.keys.iter().map(|held| (held.key.id, held.signs)).collect();
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
mod tests;
