use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::StoredError;

/// Why the journal could not do what it was asked. Nothing of the batch was done, as far as anybody was told: after
/// [`Unavailable`](JournalErrorKind::Unavailable) a commit may have gone through, and doing it again is safe.
///
/// It names no person and no secret.
#[derive(Debug, Clone)]
pub struct JournalError {
    kind: JournalErrorKind,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What kept the journal from working. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JournalErrorKind {
    /// Somebody else has the store locked.
    Busy,
    /// The store cannot be reached, or its device fails.
    Unavailable,
    /// There is no room left.
    Full,
    /// The store may not be written.
    ReadOnly,
    /// The store is not what a journal leaves behind.
    Corrupt,
    /// A newer version of Malipo wrote it.
    Newer,
}

impl JournalErrorKind {
    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Busy => "try again; if it stays so, find the process that keeps the journal locked",
            Self::Unavailable => {
                "check the store and its device, then try again: the same key is never paid twice"
            }
            Self::Full => "make room, then try again; until then nothing is sent",
            Self::ReadOnly => "give this process the right to write the journal and the folder it is in",
            Self::Corrupt => "stop sending, keep a copy of the store, and look at what changed it",
            Self::Newer => "use the newer version of Malipo that wrote it",
        }
    }
}

impl JournalErrorKind {
    /// Whether the same will fail for the same reason for ever.
    pub(crate) const fn stays(self) -> bool {
        match self {
            Self::Busy | Self::Unavailable | Self::Full | Self::ReadOnly => false,
            Self::Corrupt | Self::Newer => true,
        }
    }
}

impl JournalError {
    /// A failure of a store. `message` says what was wrong, and names no person and no secret.
    pub fn new(kind: JournalErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(JournalErrorKind::Corrupt, message)
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn with_source(mut self, source: Arc<dyn StdError + Send + Sync>) -> Self {
        self.source = Some(source);
        self
    }

    /// What went wrong.
    pub const fn kind(&self) -> JournalErrorKind {
        self.kind
    }

    /// What was wrong, in our words.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the journal failed: {}; {}", self.message, self.kind.remedy())
    }
}

impl StdError for JournalError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// What was stored and cannot be read.
impl From<StoredError> for JournalError {
    fn from(error: StoredError) -> Self {
        let kind = match error {
            StoredError::Newer { .. } | StoredError::Unknown(_) => JournalErrorKind::Newer,
            StoredError::Malformed(_) | StoredError::Step => JournalErrorKind::Corrupt,
        };
        Self { kind, message: "a stored form cannot be read".to_owned(), source: Some(Arc::new(error)) }
    }
}
