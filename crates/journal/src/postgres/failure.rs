use std::error::Error as _;
use std::sync::Arc;

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::{JournalError, JournalErrorKind};

/// What the server said, without its words: they can hold values of a row.
#[derive(Debug, thiserror::Error)]
#[error("SQLSTATE {}", state.code())]
struct Said {
    state: SqlState,
}

/// What a failure of the server or of the way to it means to a journal.
pub(super) fn failed(error: Error) -> JournalError {
    let Some(told) = error.as_db_error() else { return unreachable(&error) };
    let (kind, what) = meaning(told.code());
    let rule = told.constraint().map(|rule| format!("{rule}, ")).unwrap_or_default();
    let message = format!("{what} ({rule}SQLSTATE {})", told.code().code());
    JournalError::new(kind, message).with_source(Arc::new(Said { state: told.code().clone() }))
}

fn meaning(state: &SqlState) -> (JournalErrorKind, &'static str) {
    match state.code() {
        "53100" => (JournalErrorKind::Full, "the server's disk is full"),
        "25006" => (JournalErrorKind::ReadOnly, "the database cannot be written"),
        "42501" => (JournalErrorKind::ReadOnly, "the user has no right to do this"),
        "55P03" => (JournalErrorKind::Busy, "the database is locked"),
        "57014" => (JournalErrorKind::Busy, "the server took too long"),
        "40001" | "40P01" => (JournalErrorKind::Busy, "somebody else's transaction was in the way"),
        "28000" | "28P01" => (JournalErrorKind::Unavailable, "the server does not let this user in"),
        "3D000" => (JournalErrorKind::Unavailable, "the server has no such database"),
        // Data that does not fit, broken rules, tables that are not as they were made, and a damaged disk.
        code if ["22", "23", "42", "XX"].iter().any(|class| code.starts_with(class)) => {
            (JournalErrorKind::Corrupt, "the database does not hold what it should")
        }
        _ => (JournalErrorKind::Unavailable, "the server cannot do it"),
    }
}

/// The driver's own words name what was being done; only the network's say more.
fn unreachable(error: &Error) -> JournalError {
    let network = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    let why = network.map(|network| format!(": {network}")).unwrap_or_default();
    JournalError::new(JournalErrorKind::Unavailable, format!("the server cannot be reached ({error}{why})"))
}

/// Why there is no connection.
pub(super) fn no_connection(error: PoolError) -> JournalError {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => {
            JournalError::new(JournalErrorKind::Busy, "all connections are in use")
        }
        PoolError::Timeout(_) => silent(),
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => failed(error),
        _ => JournalError::new(JournalErrorKind::Unavailable, "the connections are closed"),
    }
}

/// The server did not answer in the time allowed.
pub(super) fn silent() -> JournalError {
    JournalError::new(JournalErrorKind::Unavailable, "the server does not answer")
}

/// Not the server but the reading of a row: a value of another type than the table says.
pub(super) fn unreadable() -> JournalError {
    JournalError::corrupt("a value in the database has another type")
}

/// Whether doing it again may go well, since another transaction was in the way that is over now: of two that wait for
/// each other one is ended, and of two that write the same name one comes first.
pub(super) fn may_pass(error: &JournalError) -> bool {
    let state = error.source().and_then(|source| source.downcast_ref::<Said>()).map(|said| &said.state);
    state.is_some_and(|state| {
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::UNIQUE_VIOLATION]
            .contains(state)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_remedy() {
        for (code, kind) in [
            ("53100", JournalErrorKind::Full),
            ("25006", JournalErrorKind::ReadOnly),
            ("42501", JournalErrorKind::ReadOnly),
            ("55P03", JournalErrorKind::Busy),
            ("57014", JournalErrorKind::Busy),
            ("40001", JournalErrorKind::Busy),
            ("40P01", JournalErrorKind::Busy),
            ("23505", JournalErrorKind::Corrupt),
            ("23514", JournalErrorKind::Corrupt),
            ("42P01", JournalErrorKind::Corrupt),
            ("XX001", JournalErrorKind::Corrupt),
            ("08006", JournalErrorKind::Unavailable),
            ("28P01", JournalErrorKind::Unavailable),
            ("3D000", JournalErrorKind::Unavailable),
            ("53300", JournalErrorKind::Unavailable),
            ("57P01", JournalErrorKind::Unavailable),
        ] {
            assert_eq!(meaning(&SqlState::from_code(code)).0, kind, "{code}");
        }
    }
}
