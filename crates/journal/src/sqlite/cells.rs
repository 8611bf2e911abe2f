use rusqlite::Row;

use super::failure::failed;
use crate::JournalError;
use crate::sql::Columns;

impl Columns for Row<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>, JournalError> {
        self.get(column).map_err(failed)
    }

    fn text(&self, column: usize) -> Result<Option<String>, JournalError> {
        self.get(column).map_err(failed)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, JournalError> {
        self.get(column).map_err(failed)
    }
}
