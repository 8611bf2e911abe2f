//! The forms in which instructions, reports and credits are kept. Versioned: what one release wrote, every later one reads.
//!
//! Names are the ones that core promises to keep, money is minor units with its currency. Secret values stand in a
//! form of their own, so that they can be erased alone and no other form ever holds one.

mod credit;
mod goods;
mod headers;
mod instruction;
mod party;
mod report;

use std::fmt;
use std::str::FromStr;

use malipo_core::{Currency, Money, Timestamp, ToldParty};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use credit::{credit, read_credit};
pub use goods::{goods, read_goods};
pub use headers::{headers, read_headers};
pub use instruction::{instruction, read_instruction};
pub(crate) use party::numbers;
pub use report::{read_report, report};

/// The newest form that this version reads, and the one that it writes.
const NEWEST: u32 = 1;

/// A stored form. It may hold names and numbers of people, so it prints its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    /// What a store gave back.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for a store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// Why something cannot be stored, or read back. Repeats nothing of what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredError {
    /// A newer version wrote it.
    #[error("it is stored in form {found}, and this version reads forms up to 1: update Malipo")]
    Newer {
        /// The form it is in.
        found: u32,
    },
    /// It holds something that this version has no name for.
    #[error("it has a {0} that this version of the journal does not know: update Malipo")]
    Unknown(&'static str),
    /// It is not what any version writes.
    #[error("its {0} cannot be read: something else than Malipo changed it")]
    Malformed(&'static str),
    /// A step of a payment is not an intent to pay, and its code is never stored.
    #[error("a confirmation is a step of its collection, and is not stored")]
    Step,
}

/// What is read first of every form.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

fn write<T: Serialize>(form: &T, what: &'static str) -> Result<Sealed, StoredError> {
    let text = serde_json::to_string(form);
    text.map(Sealed).map_err(|_| StoredError::Malformed(what))
}

/// Reads the version alone before the rest, which a newer version may have arranged in another way.
fn read<T: DeserializeOwned>(stored: &Sealed, what: &'static str) -> Result<T, StoredError> {
    let malformed = StoredError::Malformed(what);
    match serde_json::from_str::<Version>(&stored.0).map_err(|_| malformed)?.v {
        NEWEST => serde_json::from_str(&stored.0).map_err(|_| malformed),
        newer if newer > NEWEST => Err(StoredError::Newer { found: newer }),
        _ => Err(malformed),
    }
}

/// A name that core keeps.
fn name<T: FromStr>(text: &str, what: &'static str) -> Result<T, StoredError> {
    text.parse().map_err(|_| StoredError::Unknown(what))
}

/// A text that core parses.
fn parsed<T: FromStr>(text: &str, what: &'static str) -> Result<T, StoredError> {
    text.parse().map_err(|_| StoredError::Malformed(what))
}

fn time(text: &str) -> Result<Timestamp, StoredError> {
    Timestamp::parse_rfc3339(text).ok_or(StoredError::Malformed("time"))
}

/// An amount: exact, as a whole number of minor units.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    minor: i64,
    currency: String,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { minor: money.minor(), currency: money.currency().code().to_owned() }
    }
}

impl Amount {
    fn read(&self) -> Result<Money, StoredError> {
        let currency: Currency = name(&self.currency, "currency")?;
        Money::from_minor(self.minor, currency).map_err(|_| StoredError::Malformed("amount"))
    }
}

/// A party as a gateway told it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Party {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl Party {
    fn of(told: &ToldParty) -> Self {
        Self { account: told.account.clone(), name: told.name.clone() }
    }

    fn read(self) -> ToldParty {
        let mut told = ToldParty::default();
        (told.account, told.name) = (self.account, self.name);
        told
    }
}

#[cfg(test)]
mod tests;
