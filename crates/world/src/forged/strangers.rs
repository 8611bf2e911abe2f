//! URLs that we never gave out, made from those that we did.

use malipo::DeliveryPurpose;
use malipo::journal::{Address, CallbackUrls, PaymentId};

use crate::dice::Dice;

/// What the purposes are called in a URL, written down once more.
const PURPOSES: [(DeliveryPurpose, u8); 6] = [
    (DeliveryPurpose::Result, 1),
    (DeliveryPurpose::Timeout, 2),
    (DeliveryPurpose::Answer, 3),
    (DeliveryPurpose::AnswerTimeout, 4),
    (DeliveryPurpose::Balance, 5),
    (DeliveryPurpose::Notice, 6),
];

/// A way in which a URL is wrong.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The path of such a URL; `None` where this one cannot be made wrong so.
    pub(super) forge: fn(&Given<'_>, &mut Dice) -> Option<String>,
}

impl Kind {
    const fn new(name: &'static str, forge: fn(&Given<'_>, &mut Dice) -> Option<String>) -> Self {
        Self { name, forge }
    }
}

/// Each way there is. None leads anywhere.
pub(super) const KINDS: &[Kind] = &[
    Kind::new("any tag", |given, dice| {
        let tag = u128::from(dice.roll()) << 64 | u128::from(dice.roll());
        Some(given.path().tag(format!("{tag:039}")).told())
    }),
    Kind::new("a digit of the tag", |given, dice| {
        Some(given.path().tag(other_digit(given.tag, dice)?).told())
    }),
    Kind::new("a digit of anything", |given, dice| {
        let (before, ours) = given.parts.split_at_checked(given.base)?;
        Some(format!("{before}{}", other_digit(ours, dice)?))
    }),
    Kind::new("tag of another payment", |given, dice| {
        let payment = given.payment.wrapping_add(1 + dice.below(1000)).max(1);
        given.with_tag_of(given.account, Some(payment), given.purpose)
    }),
    Kind::new("tag of another purpose", |given, dice| {
        let others: Vec<_> = PURPOSES.iter().filter(|(_, code)| *code != given.purpose).collect();
        given.with_tag_of(given.account, None, dice.one_of(&others)?.1)
    }),
    Kind::new("tag of another account", |given, dice| {
        let account = given.account.wrapping_add(1 + u32::try_from(dice.below(9)).ok()?);
        given.with_tag_of(account, None, given.purpose)
    }),
    Kind::new("a retired key", |given, _| {
        let address = given.address(given.account, given.payment, given.purpose)?;
        Some(path_of(given.retired.mint(address).ok()?.as_str()).to_owned())
    }),
    Kind::new("number of another key", |given, dice| {
        let key = (2 + dice.below(250)).to_string();
        Some(given.path().key(if key == given.key { "252".to_owned() } else { key }).told())
    }),
    Kind::new("another version", |given, dice| {
        Some(given.path().version((2 + dice.below(250)).to_string()).told())
    }),
    Kind::new("a shorter tag", |given, dice| {
        let cut = 1 + usize::try_from(dice.below(38)).ok()?;
        Some(given.path().tag(given.tag.get(cut..)?.to_owned()).told())
    }),
    Kind::new("a longer tag", |given, dice| {
        let more = "0".repeat(1 + usize::try_from(dice.below(40)).ok()?);
        let longer = [format!("{more}{}", given.tag), format!("{}{more}", given.tag)];
        Some(given.path().tag(dice.one_of(&longer)?.clone()).told())
    }),
    // The tag as a number is the same, and 2 to the power of 128 more of it.
    Kind::new("a tag that overflows", |given, _| {
        let (high, low) = given.tag.split_at_checked(19)?;
        let (high, low): (u128, u128) = (high.parse().ok()?, low.parse().ok()?);
        let unit = 10_u128.pow(20);
        let low = low + u128::MAX % unit + 1;
        let high = high + u128::MAX / unit + low / unit;
        Some(given.path().tag(format!("{high:019}{:020}", low % unit)).told())
    }),
    Kind::new("a zero before a number", |given, dice| {
        let path = given.path();
        let changed = match dice.below(4) {
            0 => path.version(format!("0{}", given.version)),
            1 => path.key(format!("0{}", given.key)),
            2 => path.account(format!("0{}", given.account)),
            _ => path.payment(format!("0{}", given.payment)),
        };
        Some(changed.told())
    }),
    Kind::new("a sign before a number", |given, dice| {
        let path = given.path();
        let changed = match dice.below(3) {
            0 => path.account(format!("+{}", given.account)),
            1 => path.payment(format!("+{}", given.payment)),
            _ => path.tag(format!("+{}", given.tag.get(1..)?)),
        };
        Some(changed.told())
    }),
    Kind::new("an encoded digit", |given, dice| {
        let at = usize::try_from(dice.below(39)).ok()?;
        let digit = given.tag.get(at..=at)?;
        let encoded = [format!("%3{digit}"), format!("%EF%BC%9{digit}")];
        let tag = format!("{}{}{}", given.tag.get(..at)?, dice.one_of(&encoded)?, given.tag.get(at + 1..)?);
        Some(given.path().tag(tag).told())
    }),
    Kind::new("something behind it", |given, dice| {
        let behind = ["/", "/1", ".", "%20", ";a=1", "//", "/../1"];
        Some(format!("{}{}", given.parts, dice.one_of(&behind)?))
    }),
    Kind::new("a part less", |given, dice| {
        let mut parts: Vec<_> = given.parts.split('/').collect();
        let at = parts.len() - 1 - usize::try_from(dice.below(6)).ok()?;
        parts.remove(at);
        Some(parts.join("/"))
    }),
];

/// A URL that was given out, and what it says.
pub(super) struct Given<'a> {
    /// The whole path.
    parts: &'a str,
    /// How much of it is not ours.
    base: usize,
    version: &'a str,
    key: &'a str,
    account: u32,
    payment: u64,
    purpose: u8,
    tag: &'a str,
    urls: &'a CallbackUrls,
    retired: &'a CallbackUrls,
}

impl<'a> Given<'a> {
    /// `urls` made `path`, and `retired` would have once.
    pub(super) fn of(path: &'a str, urls: &'a CallbackUrls, retired: &'a CallbackUrls) -> Option<Self> {
        let mut parts = path.rsplit('/');
        let (tag, purpose, payment) = (parts.next()?, parts.next()?, parts.next()?);
        let (account, key, version) = (parts.next()?, parts.next()?, parts.next()?);
        let ours = [version, key, account, payment, purpose, tag].map(|part| part.len() + 1);
        let base = path.len() - ours.iter().sum::<usize>() + 1;
        let (account, payment) = (account.parse().ok()?, payment.parse().ok()?);
        let purpose = purpose.parse().ok()?;
        Some(Self { parts: path, base, version, key, account, payment, purpose, tag, urls, retired })
    }

    fn path(&self) -> Path {
        let before = self.parts.get(..self.base).unwrap_or_default().to_owned();
        let ours = [
            self.version.to_owned(),
            self.key.to_owned(),
            self.account.to_string(),
            self.payment.to_string(),
            self.purpose.to_string(),
            self.tag.to_owned(),
        ];
        Path { before, ours }
    }

    fn address(&self, account: u32, payment: u64, purpose: u8) -> Option<Address> {
        let (purpose, _) = PURPOSES.iter().find(|(_, code)| *code == purpose)?;
        Some(match payment {
            0 => Address::of_account(account, *purpose),
            number => Address::of(account, PaymentId(number), *purpose),
        })
    }

    /// This URL with the good tag of another one.
    fn with_tag_of(&self, account: u32, payment: Option<u64>, purpose: u8) -> Option<String> {
        let address = self.address(account, payment.unwrap_or(self.payment), purpose)?;
        let other = self.urls.mint(address).ok()?;
        let (_, tag) = other.as_str().rsplit_once('/')?;
        Some(self.path().tag(tag.to_owned()).told())
    }
}

/// A path in its parts.
struct Path {
    before: String,
    ours: [String; 6],
}

impl Path {
    fn with(mut self, at: usize, part: String) -> Self {
        if let Some(place) = self.ours.get_mut(at) {
            *place = part;
        }
        self
    }

    fn version(self, part: String) -> Self {
        self.with(0, part)
    }

    fn key(self, part: String) -> Self {
        self.with(1, part)
    }

    fn account(self, part: String) -> Self {
        self.with(2, part)
    }

    fn payment(self, part: String) -> Self {
        self.with(3, part)
    }

    fn tag(self, part: String) -> Self {
        self.with(5, part)
    }

    fn told(self) -> String {
        format!("{}{}", self.before, self.ours.join("/"))
    }
}

/// The path of a URL without a query.
pub(super) fn path_of(url: &str) -> &str {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    behind.find('/').and_then(|at| behind.get(at..)).unwrap_or("/")
}

/// Another digit in the place of one.
pub(super) fn other_digit(text: &str, dice: &mut Dice) -> Option<String> {
    let digits: Vec<_> = text.char_indices().filter(|(_, letter)| letter.is_ascii_digit()).collect();
    let (at, digit) = *dice.one_of(&digits)?;
    let other = (digit.to_digit(10)? + 1 + u32::try_from(dice.below(9)).ok()?) % 10;
    Some(format!("{}{other}{}", text.get(..at)?, text.get(at + 1..)?))
}
