//! Reading a request's fields: as strict as the gateway, as lenient as the gateway, and saying why.

use std::collections::BTreeMap;

use http::Uri;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::refusal::Refusal;

/// The members of a JSON object, unread. Of members with one name the last counts; unknown ones are nobody's
/// business.
#[derive(Debug)]
pub(super) struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().map(Self)
    }

    /// A string that is not empty.
    pub(super) fn text(&self, name: &str) -> Result<String, Refusal> {
        match self.string(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(Refusal::field(name, "it is empty")),
            None => Err(missing(name)),
        }
    }

    /// A string of a number of characters.
    pub(super) fn sentence(&self, name: &str, least: usize, most: usize) -> Result<String, Refusal> {
        self.optional_sentence(name, least, most)?.ok_or_else(|| missing(name))
    }

    /// As [`Self::sentence`], or absent, or null.
    pub(super) fn optional_sentence(
        &self,
        name: &str,
        least: usize,
        most: usize,
    ) -> Result<Option<String>, Refusal> {
        let text = self.string(name)?;
        match text {
            Some(text) if !(least..=most).contains(&text.chars().count()) => {
                Err(Refusal::field(name, &format!("it must have {least} to {most} characters")))
            }
            text => Ok(text),
        }
    }

    /// One of a few words, letter by letter.
    pub(super) fn one_of<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, Refusal> {
        let text = self.text(name)?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            Refusal::field(name, &format!("it must be {}", known.join(" or ")))
        })
    }

    /// Digits, in a string or as a number.
    pub(super) fn digits(&self, name: &str) -> Result<String, Refusal> {
        let digits = self.text_or_number(name)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(digits)
        } else {
            Err(Refusal::field(name, "it must be digits, as a string or a number"))
        }
    }

    /// A whole number of shillings, in a string or as a number.
    pub(super) fn shillings(&self, name: &str) -> Result<Decimal, Refusal> {
        let wrong =
            || Refusal::field(name, "it must be a whole number of shillings, as a string or a number");
        let digits = self.text_or_number(name)?;
        let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
        let canonical = digits == "0" || !digits.starts_with('0');
        if whole && canonical { Decimal::from_str_exact(&digits).map_err(|_| wrong()) } else { Err(wrong()) }
    }

    /// An http or https URL with a host.
    pub(super) fn url(&self, name: &str) -> Result<Uri, Refusal> {
        let wrong = || Refusal::field(name, "it must be an http or https URL with a host");
        let uri: Uri = self.text(name)?.parse().map_err(|_| wrong())?;
        let schemed = matches!(uri.scheme_str(), Some("http" | "https"));
        let hosted = uri.host().is_some_and(|host| !host.is_empty());
        if schemed && hosted { Ok(uri) } else { Err(wrong()) }
    }

    /// Whether a field is there and says something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A field as text if it is a string or a number, whatever the rules.
    pub(super) fn peek(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?;
        match raw.bytes().next()? {
            b'"' => serde_json::from_str(raw).ok(),
            b'0'..=b'9' => Some(raw.to_owned()),
            _ => None,
        }
    }

    /// What a string that is not empty holds, or any other value as it is written.
    fn text_or_number(&self, name: &str) -> Result<String, Refusal> {
        match self.raw(name) {
            None => Err(missing(name)),
            Some(raw) if raw.starts_with('"') => self.text(name),
            Some(raw) => Ok(raw.to_owned()),
        }
    }

    fn string(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(raw).map(Some).map_err(|_| Refusal::field(name, "it must be a string"))
    }

    /// The JSON of a field; null is as good as absent.
    fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|raw| raw.get()).filter(|raw| *raw != "null")
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::field(name, "it is missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(json: &str) -> Result<Decimal, String> {
        let fields = Fields::parse(format!(r#"{{"Amount":{json}}}"#).as_bytes()).unwrap();
        fields.shillings("Amount").map_err(|refusal| refusal.why)
    }

    #[test]
    fn amounts_are_whole_and_exact_in_a_string_or_as_a_number() {
        for (json, shillings) in [("10", 10), ("\"10\"", 10), ("0", 0), ("250001", 250_001)] {
            assert_eq!(amount(json), Ok(shillings.into()), "{json}");
        }
        // One more than a binary floating point number can tell apart.
        assert_eq!(amount("9007199254740993"), Ok(9_007_199_254_740_993_i64.into()));
        for json in [
            "10.0",
            "\"10.5\"",
            "1e3",
            "-10",
            "\"+10\"",
            "\"1_000\"",
            "\" 10\"",
            "\"010\"",
            "true",
            "[10]",
            "{}",
            "\"\"",
            "null",
            "99999999999999999999999999999999",
        ] {
            let why = amount(json).unwrap_err();
            assert!(why.contains("Amount"), "{json}: {why}");
        }
    }

    #[test]
    fn an_escaped_string_is_the_string() {
        let fields = Fields::parse(br#"{"PartyA":"\u0036\u0030"}"#).unwrap();
        assert_eq!(fields.digits("PartyA").unwrap(), "60");
    }
}
