use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::value::RawValue;

/// A JSON string, number or boolean, kept as the text it was written in.
///
/// Gateways send codes and amounts now as `"10"`, now as `10`, now as `10.00`. This keeps the digits; no
/// number passes through a binary float on the way.
///
/// ```
/// use malipo_core::{Money, Scalar};
///
/// let amount: Scalar = serde_json::from_str("12345678901234.50").unwrap();
/// assert_eq!(amount.as_str(), "12345678901234.50");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Scalar(String);

impl Scalar {
    /// The text: a string without its quotes and escapes, or the number as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text without surrounding spaces, or `None` when nothing is left. Gateways send `""` for "not known".
    pub fn filled(&self) -> Option<&str> {
        Some(self.0.trim()).filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'"') => serde_json::from_str(raw.get()).map(Self).map_err(D::Error::custom),
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => Ok(Self(raw.get().to_owned())),
            _ => Err(D::Error::custom("expected text, a number or a boolean")),
        }
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scalar({} bytes)", self.0.len())
    }
}

/// Reads a JSON object, the only shape that gateways answer and post in. A list is none, although its items could be
/// taken for the fields in their order.
///
/// # Errors
///
/// [`NotAnObject`], which says where reading stopped and repeats nothing of the text.
pub fn read_object<T: DeserializeOwned>(json: &[u8]) -> Result<T, NotAnObject> {
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(NotAnObject { line: 1, column: 1 });
    }
    serde_json::from_slice(json).map_err(|error| NotAnObject { line: error.line(), column: error.column() })
}

/// The text is not the JSON object that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the JSON object that was expected: reading stopped at line {line}, column {column}")]
#[non_exhaustive]
pub struct NotAnObject {
    /// The line, from 1.
    pub line: usize,
    /// The byte in the line, from 1.
    pub column: usize,
}

/// The text of a value, if there is any: gateways send empty text for "none".
pub fn filled(scalar: Option<&Scalar>) -> Option<&str> {
    scalar.and_then(Scalar::filled)
}

/// For `deserialize_with`: a value of another shape than expected reads as none, not as an error, and so does a list.
/// What a gateway sends must be readable even where it is odd; only what we need has to have its shape.
///
/// # Errors
///
/// Only when the input is no JSON at all.
pub fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| no_list(&raw)))
}

/// For `deserialize_with`: an object, or nothing. What decides must have its shape; a list is no object.
///
/// # Errors
///
/// When the value is anything else.
pub fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    read_object(raw.get().as_bytes()).map(Some).map_err(D::Error::custom)
}

fn no_list<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    if raw.get().starts_with('[') { None } else { serde_json::from_str(raw.get()).ok() }
}

/// For `deserialize_with`: a list, which some gateways send without its brackets when it has one item. Items of
/// another shape than expected are left out.
///
/// # Errors
///
/// Only when the input is no JSON at all.
pub fn one_or_many<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    let Some(raw) = raw else { return Ok(Vec::new()) };
    match serde_json::from_str::<Vec<Box<RawValue>>>(raw.get()) {
        Ok(items) => Ok(items.iter().filter_map(|item| no_list(item)).collect()),
        Err(_) => Ok(no_list(&raw).into_iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        serde_json::from_str::<Scalar>(json).ok().map(|scalar| scalar.as_str().to_owned())
    }

    #[test]
    fn the_text_is_kept_exactly() {
        for (json, text) in [
            ("10116.00", "10116.00"),
            ("-4510.00", "-4510.00"),
            ("12345678901234567.89", "12345678901234567.89"),
            ("1e3", "1e3"),
            ("0", "0"),
            (r#""SFC_IC0003""#, "SFC_IC0003"),
            (r#""\u0031\/0""#, "1/0"),
            (r#""""#, ""),
            ("true", "true"),
        ] {
            assert_eq!(read(json).as_deref(), Some(text), "{json}");
        }
    }

    #[test]
    fn anything_but_a_scalar_is_refused() {
        for json in ["null", "{}", "[]", "[1]", r#"{"a":1}"#, "", "nul"] {
            assert_eq!(read(json), None, "{json}");
        }
        assert_eq!(serde_json::from_str::<Option<Scalar>>("null").unwrap(), None);
    }

    #[test]
    fn odd_shapes_read_as_none_and_one_item_as_a_list() {
        #[derive(serde::Deserialize)]
        struct Odd {
            #[serde(default, deserialize_with = "lenient")]
            code: Option<Scalar>,
            #[serde(default, deserialize_with = "one_or_many")]
            items: Vec<Scalar>,
        }
        let read = |json: &str| {
            let odd: Odd = serde_json::from_str(json).unwrap();
            (odd.code.map(|code| code.as_str().to_owned()), odd.items.len())
        };
        assert_eq!(read(r#"{"code": 1, "items": [1, "2"]}"#), (Some("1".to_owned()), 2));
        assert_eq!(read(r#"{"code": {"a": 1}, "items": "2"}"#), (None, 1));
        assert_eq!(read(r#"{"code": null, "items": null}"#), (None, 0));
        assert_eq!(read(r#"{"items": {"a": 1}}"#), (None, 0));
        assert_eq!(read(r#"{"items": [1, {"a": 1}, [2], 3]}"#), (None, 2));
        assert!(serde_json::from_str::<Odd>(r#"{"code": }"#).is_err());
    }

    #[test]
    fn a_list_is_never_taken_for_an_object() {
        #[derive(Debug, serde::Deserialize)]
        struct Outer {
            #[serde(default, deserialize_with = "lenient")]
            inner: Option<Inner>,
            #[serde(default, deserialize_with = "one_or_many")]
            many: Vec<Inner>,
            #[serde(default, deserialize_with = "object")]
            strict: Option<Inner>,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Inner {
            code: Scalar,
        }
        let read = |json: &str| read_object::<Outer>(json.as_bytes());
        let outer = read(r#" {"inner": {"code": 1}, "many": [{"code": 2}]}"#).unwrap();
        assert_eq!(outer.inner.unwrap().code.as_str(), "1");
        assert_eq!(outer.many[0].code.as_str(), "2");
        for list in [r#"[{"code": 1}]"#, r#"[[1], [[1]]]"#, "[]", "", "null", "17", r#""text""#] {
            assert_eq!(read(list).unwrap_err(), NotAnObject { line: 1, column: 1 }, "{list}");
        }
        let outer = read(r#"{"inner": [1], "many": [[2], [[3]]]}"#).unwrap();
        assert!(outer.inner.is_none() && outer.many.is_empty());
        assert_eq!(read(r#"{"strict": {"code": 4}}"#).unwrap().strict.unwrap().code.as_str(), "4");
        assert!(read(r#"{"strict": null}"#).unwrap().strict.is_none());
        for odd in ["[1]", "1", r#""code""#, "{}", r#"{"code": [1]}"#] {
            assert!(read(&format!(r#"{{"strict": {odd}}}"#)).is_err(), "{odd}");
        }
        let error = read(r#"{"inner": planted}"#).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"));
    }

    #[test]
    fn blank_text_is_nothing() {
        assert_eq!(serde_json::from_str::<Scalar>(r#""  ""#).unwrap().filled(), None);
        assert_eq!(serde_json::from_str::<Scalar>(r#"" a ""#).unwrap().filled(), Some("a"));
    }
}
