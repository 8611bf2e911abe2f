use std::borrow::Cow;
use std::fmt;

use bytes::BytesMut;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::failure::unreadable;
use crate::JournalError;
use crate::sql::Columns;

/// A value on its way to the server. It prints nothing of itself, since the driver writes the values of every
/// statement to the log.
pub(super) enum Value<'v> {
    None,
    Integer(i64),
    Integers(Vec<i64>),
    Text(Cow<'v, str>),
    Bytes(&'v [u8]),
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[value]")
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u16> for Value<'_> {
    fn from(value: u16) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<Vec<i64>> for Value<'_> {
    fn from(values: Vec<i64>) -> Self {
        Self::Integers(values)
    }
}

/// PostgreSQL keeps every character but one.
impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() })
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        text.as_str().into()
    }
}

impl<'v> From<&'v Cow<'static, str>> for Value<'v> {
    fn from(text: &'v Cow<'static, str>) -> Self {
        text.as_ref().into()
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl<'v> From<&'v Option<String>> for Value<'v> {
    fn from(text: &'v Option<String>) -> Self {
        text.as_deref().into()
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::None => Ok(IsNull::Yes),
            Self::Integer(value) => value.to_sql(ty, out),
            Self::Integers(values) => values.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::INT8_ARRAY, Type::TEXT, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

/// The values of a statement, in the order of their numbers.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::postgres::values::Value::from($value)),*] };
}
pub(super) use values;

impl Columns for Row {
    fn integer(&self, column: usize) -> Result<Option<i64>, JournalError> {
        value(self, column)
    }

    fn text(&self, column: usize) -> Result<Option<String>, JournalError> {
        value(self, column)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, JournalError> {
        value(self, column)
    }
}

fn value<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<T, JournalError> {
    row.try_get(column).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_does_not_print_itself() {
        let values: &[Value<'_>] =
            values![7_i64, "0708374149", b"0708374149".as_slice(), vec![708_374_149_i64], None::<i64>];
        let printed = format!("{values:?}");
        assert!(!printed.contains('7'), "{printed}");
    }

    #[test]
    fn a_character_that_cannot_be_kept_is_replaced() {
        assert!(matches!(Value::from("a\0b"), Value::Text(text) if text == "a\u{fffd}b"));
        assert!(matches!(Value::from("ab"), Value::Text(Cow::Borrowed("ab"))));
    }
}
