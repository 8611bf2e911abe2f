use crate::{Effect, Error, ErrorKind, Operation};

/// One row of a gateway's table of codes: what the code means, and what the merchant can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeRow<M> {
    /// The code, as the gateway writes it.
    pub code: &'static str,
    /// What it means.
    pub meaning: M,
    /// What the merchant can do about it.
    pub remedy: &'static str,
}

impl<M> CodeRow<M> {
    /// A row.
    pub const fn new(code: &'static str, meaning: M, remedy: &'static str) -> Self {
        Self { code, meaning, remedy }
    }

    /// The row of `code`, if the table has one. A code without a row is never taken for any other.
    pub fn find<'a>(table: &'a [Self], code: &str) -> Option<&'a Self> {
        table.iter().find(|row| row.code == code)
    }
}

/// What it means that a gateway answered a request with this code. Closed on purpose: each one settles whether the
/// request can have been started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Not started: the token was turned away at the door. A new one may be tried.
    TokenRejected,
    /// Not started: the credentials were turned away at the door.
    CredentialsRejected,
    /// Not started: the request was turned away at the door.
    Refused,
    /// Not started: one request too many.
    Throttled,
    /// Not started: the gateway is closed for now.
    Closed,
    /// An earlier request had this reference; nobody knows from this what became of it.
    Duplicate,
    /// Something went wrong, perhaps after the request was taken on.
    Failed,
}

impl Meaning {
    /// The error of `operation` that was answered so.
    pub fn error(self, operation: Operation) -> Error {
        let (kind, message) = match self {
            Self::TokenRejected => (ErrorKind::Credentials, "the gateway does not accept our token"),
            Self::CredentialsRejected => {
                (ErrorKind::Credentials, "the gateway does not accept our credentials")
            }
            Self::Refused => (ErrorKind::Refused, "the gateway refused the request"),
            Self::Throttled => (ErrorKind::Throttled, "the gateway turned the request away as one too many"),
            Self::Closed => (ErrorKind::Unavailable, "the gateway is closed"),
            Self::Duplicate => (ErrorKind::Duplicate, "the gateway has seen this reference before"),
            Self::Failed => (ErrorKind::Unavailable, "the gateway failed"),
        };
        Error::new(kind, self.effect(operation), operation, message)
    }

    const fn effect(self, operation: Operation) -> Effect {
        match self {
            Self::TokenRejected
            | Self::CredentialsRejected
            | Self::Refused
            | Self::Throttled
            | Self::Closed => operation.not_started(),
            Self::Duplicate | Self::Failed => operation.uncertain(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_turned_away_at_the_door_is_not_started() {
        let effect = |meaning: Meaning| meaning.error(Operation::PayOut).effect();
        let at_the_door = [
            Meaning::TokenRejected,
            Meaning::CredentialsRejected,
            Meaning::Refused,
            Meaning::Throttled,
            Meaning::Closed,
        ];
        for meaning in at_the_door {
            assert_eq!(effect(meaning), Effect::None);
        }
        for meaning in [Meaning::Duplicate, Meaning::Failed] {
            assert_eq!(effect(meaning), Effect::Unknown);
            assert_eq!(meaning.error(Operation::Status).effect(), Effect::Unchanged);
        }
    }

    #[test]
    fn a_code_is_found_exactly_or_not_at_all() {
        let table = [CodeRow::new("26", Meaning::Throttled, "wait")];
        assert_eq!(CodeRow::find(&table, "26").map(|row| row.remedy), Some("wait"));
        for other in ["2", "260", "026", " 26", ""] {
            assert!(CodeRow::find(&table, other).is_none(), "{other:?}");
        }
    }
}
