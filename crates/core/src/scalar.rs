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

/// For `deserialize_with`: a value of another shape than expected reads as none, not as an error. What a gateway
/// sends must be readable even where it is odd; only what we need has to have its shape.
///
/// # Errors
///
/// Only when the input is no JSON at all.
pub fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

/// For `deserialize_with`: a list, which some gateways send without its brackets when it has one item.
///
/// # Errors
///
/// Only when the input is no JSON at all; anything but a list or an item of it reads as an empty list.
pub fn one_or_many<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(Vec::new()) };
    let one = || serde_json::from_str(raw.get()).map(|one| vec![one]);
    Ok(serde_json::from_str(raw.get()).or_else(|_| one()).unwrap_or_default())
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
        assert!(serde_json::from_str::<Odd>(r#"{"code": }"#).is_err());
    }

    #[test]
    fn blank_text_is_nothing() {
        assert_eq!(serde_json::from_str::<Scalar>(r#""  ""#).unwrap().filled(), None);
        assert_eq!(serde_json::from_str::<Scalar>(r#"" a ""#).unwrap().filled(), Some("a"));
    }
}
