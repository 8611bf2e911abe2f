use std::str::FromStr;

use malipo_core::Timestamp;
use rusqlite::Row;
use rusqlite::types::FromSql;

use super::failure::failed;
use crate::{Attention, JournalError, JournalErrorKind};

/// The values of a row, taken in the order of its columns.
#[derive(Debug)]
pub(super) struct Cells<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Cells<'r, 's> {
    pub(super) const fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn take<T: FromSql>(&mut self) -> Result<T, JournalError> {
        let value = self.row.get(self.next).map_err(failed)?;
        self.next += 1;
        Ok(value)
    }

    pub(super) fn number<T: TryFrom<i64>>(&mut self) -> Result<T, JournalError> {
        number(self.take()?)
    }

    pub(super) fn number_if_any<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, JournalError> {
        self.take::<Option<i64>>()?.map(number).transpose()
    }

    pub(super) fn parsed<T: FromStr>(&mut self) -> Result<T, JournalError> {
        parsed(&self.take::<String>()?)
    }

    pub(super) fn parsed_if_any<T: FromStr>(&mut self) -> Result<Option<T>, JournalError> {
        self.take::<Option<String>>()?.map(|text| parsed(&text)).transpose()
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, JournalError> {
        time(self.take()?)
    }

    pub(super) fn time_if_any(&mut self) -> Result<Option<Timestamp>, JournalError> {
        self.take::<Option<i64>>()?.map(time).transpose()
    }

    /// Three columns.
    pub(super) fn attention(&mut self) -> Result<Option<Attention>, JournalError> {
        let (reason, expected, claimed) = (self.parsed_if_any()?, self.take()?, self.take()?);
        Ok(reason.map(|reason| Attention { reason, expected, claimed }))
    }
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
