use std::sync::Arc;

use rusqlite::{Error, ErrorCode};

use crate::{JournalError, JournalErrorKind};

/// What SQLite's failure means to a journal. Its words name tables and rules, and no value of a row.
pub(super) fn failed(error: Error) -> JournalError {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalErrorKind::Busy,
        Some(ErrorCode::DiskFull) => JournalErrorKind::Full,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => JournalErrorKind::ReadOnly,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation) => {
            JournalErrorKind::Corrupt
        }
        Some(_) => JournalErrorKind::Unavailable,
        // Not SQLite but the reading of a row: a value of another type than the table says.
        None => JournalErrorKind::Corrupt,
    };
    let what = match kind {
        JournalErrorKind::Busy => "the database is locked",
        JournalErrorKind::Full => "the database is full",
        JournalErrorKind::ReadOnly => "the database cannot be written",
        JournalErrorKind::Corrupt => "the database does not hold what it should",
        _ => "the database cannot be used",
    };
    JournalError::new(kind, format!("{what} ({error})")).with_source(Arc::new(error))
}
