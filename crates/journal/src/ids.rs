use std::fmt;
use std::str::FromStr;

/// Declares a number that is told from other numbers by its type.
macro_rules! numbered {
    ($($(#[$meta:meta])* $name:ident($inner:ty);)*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
            pub struct $name(pub $inner);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

numbered! {
    /// The journal's number for a payment, from 1.
    PaymentId(u64);
    /// The journal's number for an event, from 1; later events have higher ones.
    EventId(u64);
    /// The journal's number for a delivery, from 1.
    DeliveryId(u64);
    /// The journal's number for money that came in, from 1.
    CreditId(u64);
    /// The place of a credit among what is told of credits, from 1; what is told later has a higher one.
    CreditSequence(u64);
    /// Which attempt to send a payment, from 1; 0 before the first.
    Attempt(u32);
    /// Which payment of one key, from 1. The next one is only opened after this one came to nothing.
    Generation(u32);
    /// Which lease of a payment, from 1; 0 before the first. Whoever writes under an older one than the newest is
    /// refused, so that a worker that was away too long changes nothing.
    Fence(u64);
}

impl Attempt {
    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Generation {
    /// The first payment of a key.
    pub const FIRST: Self = Self(1);

    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Fence {
    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The caller's name for one intent to pay: 1 to 100 printable ASCII characters without a space at either end. The
/// same key is the same payment, however often it is asked for.
///
/// It prints as it is, and it outlives every erasure: choose one that names no person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// The name of one process or task that sends and asks. Same rules as a [`Key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Worker(String);

/// The name of somebody who follows what happens, under which the journal keeps how far they are. Same rules as a
/// [`Key`]; it is also a label of a metric, so have few and keep them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Follower(String);

/// Why a text is not a [`Key`], a [`Worker`] or a [`Follower`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write 1 to 100 printable ASCII characters without a space at either end")]
pub struct InvalidKey;

/// What every name has that somebody chose.
macro_rules! chosen {
    ($($name:ident),*) => {
        $(
            impl $name {
                /// The text.
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl FromStr for $name {
                type Err = InvalidKey;

                fn from_str(text: &str) -> Result<Self, InvalidKey> {
                    name(text).map(Self)
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }
        )*
    };
}

chosen!(Key, Worker, Follower);

fn name(text: &str) -> Result<String, InvalidKey> {
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let fits = (1..=100).contains(&text.len()) && text.trim() == text;
    (printable && fits).then(|| text.to_owned()).ok_or(InvalidKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_people_write_on_one_line() {
        for good in ["a", "invoice 12/2026 #4", "~", &"x".repeat(100)] {
            assert_eq!(good.parse::<Key>().map(|key| key.to_string()).as_deref(), Ok(good));
        }
        for bad in ["", " ", " a", "a ", "a\n", "a\tb", "é", "\u{7f}", &"x".repeat(101)] {
            assert_eq!(bad.parse::<Key>(), Err(InvalidKey), "{bad:?}");
            assert_eq!(bad.parse::<Worker>(), Err(InvalidKey), "{bad:?}");
            assert_eq!(bad.parse::<Follower>(), Err(InvalidKey), "{bad:?}");
        }
    }
}
