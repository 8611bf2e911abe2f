use std::fmt;
use std::str::FromStr;

use malipo_core::Timestamp;

use crate::{Attention, JournalError, JournalErrorKind};

/// A row of some database. A column has a value or none; one of another type than asked for is corrupt.
pub(crate) trait Columns {
    fn integer(&self, column: usize) -> Result<Option<i64>, JournalError>;
    fn text(&self, column: usize) -> Result<Option<String>, JournalError>;
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, JournalError>;
}

/// The values of a row, taken in the order of its columns.
pub(crate) struct Cells<'r> {
    row: &'r dyn Columns,
    next: usize,
}

impl<'r> Cells<'r> {
    pub(crate) fn of(row: &'r dyn Columns) -> Self {
        Self { row, next: 0 }
    }

    fn column(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    pub(crate) fn number<T: TryFrom<i64>>(&mut self) -> Result<T, JournalError> {
        self.number_if_any()?.ok_or_else(missing)
    }

    pub(crate) fn number_if_any<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, JournalError> {
        let column = self.column();
        self.row.integer(column)?.map(number).transpose()
    }

    pub(crate) fn text(&mut self) -> Result<String, JournalError> {
        self.text_if_any()?.ok_or_else(missing)
    }

    pub(crate) fn text_if_any(&mut self) -> Result<Option<String>, JournalError> {
        let column = self.column();
        self.row.text(column)
    }

    pub(crate) fn bytes_if_any(&mut self) -> Result<Option<Vec<u8>>, JournalError> {
        let column = self.column();
        self.row.bytes(column)
    }

    pub(crate) fn digest_if_any(&mut self) -> Result<Option<[u8; 32]>, JournalError> {
        let length = |_| JournalError::corrupt("a digest in the database has another length");
        self.bytes_if_any()?.map(|bytes| bytes.try_into().map_err(length)).transpose()
    }

    pub(crate) fn digest(&mut self) -> Result<[u8; 32], JournalError> {
        self.digest_if_any()?.ok_or_else(missing)
    }

    pub(crate) fn parsed<T: FromStr>(&mut self) -> Result<T, JournalError> {
        parsed(&self.text()?)
    }

    pub(crate) fn parsed_if_any<T: FromStr>(&mut self) -> Result<Option<T>, JournalError> {
        self.text_if_any()?.map(|text| parsed(&text)).transpose()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, JournalError> {
        self.time_if_any()?.ok_or_else(missing)
    }

    pub(crate) fn time_if_any(&mut self) -> Result<Option<Timestamp>, JournalError> {
        self.number_if_any()?.map(time).transpose()
    }

    /// Three columns.
    pub(crate) fn attention(&mut self) -> Result<Option<Attention>, JournalError> {
        let (reason, expected) = (self.parsed_if_any()?, self.text_if_any()?);
        let claimed = self.text_if_any()?;
        Ok(reason.map(|reason| Attention { reason, expected, claimed }))
    }
}

impl fmt::Debug for Cells<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cells").field("next", &self.next).finish_non_exhaustive()
    }
}

fn missing() -> JournalError {
    JournalError::corrupt("a value in the database is missing")
}

fn number<T: TryFrom<i64>>(value: i64) -> Result<T, JournalError> {
    value.try_into().map_err(|_| JournalError::corrupt("a number in the database is out of bounds"))
}

/// A name that is not known was most likely written by a newer version.
fn parsed<T: FromStr>(text: &str) -> Result<T, JournalError> {
    text.parse().map_err(|_| {
        JournalError::new(JournalErrorKind::Newer, "the database has a name that this version does not know")
    })
}

fn time(millis: i64) -> Result<Timestamp, JournalError> {
    Timestamp::from_unix_millis(millis)
        .ok_or_else(|| JournalError::corrupt("a time in the database is out of bounds"))
}
