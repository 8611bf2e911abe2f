//! Reading a request's fields: all that are wrong are told at once, each by its name.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Uri, header};
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::refusal::Refusal;
use crate::gateways::{no_object, positive_decimal};

/// The members of a JSON object, and what was found wrong with them. Of members with one name the last
/// counts; unknown ones are nobody's business.
#[derive(Debug)]
pub(super) struct Fields {
    members: BTreeMap<String, Box<RawValue>>,
    wrong: Vec<String>,
}

impl Fields {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let members = serde_json::from_slice(body).ok()?;
        Some(Self { members, wrong: Vec::new() })
    }

    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, Refusal> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::payload("the content type must be application/json"));
        }
        Self::parse(request.body()).ok_or_else(|| Refusal::payload(&no_object(request.body())))
    }

    /// A string that is not empty.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.raw(name).map(serde_json::from_str::<String>) {
            Some(Ok(text)) if !text.is_empty() => Some(text),
            Some(Err(_)) => self.wrong(name, "must be a string"),
            Some(Ok(_)) | None => self.wrong(name, "should not be empty"),
        }
    }

    /// One of a few words, letter by letter.
    pub(super) fn one_of<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(name)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        self.wrong(name, &format!("must be one of the following values: {}", known.join(", ")))
    }

    /// More than nothing, in plain decimal digits, at most two of them after the point.
    pub(super) fn amount(&mut self, name: &str) -> Option<Decimal> {
        let text = self.text(name)?;
        let amount = positive_decimal(&text);
        if amount.is_some() {
            return amount;
        }
        self.wrong(name, "must be a decimal number greater than 0 with at most 2 decimals")
    }

    /// Three capital letters.
    pub(super) fn country(&mut self, name: &str) -> Option<()> {
        let text = self.text(name)?;
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Some(());
        }
        self.wrong(name, "must be an ISO 3166-1 alpha-3 code: three capital letters")
    }

    /// An http or https URL with a host.
    pub(super) fn url(&mut self, name: &str) -> Option<Uri> {
        let text = self.text(name)?;
        let uri = text.parse::<Uri>().ok().filter(|uri| {
            let schemed = matches!(uri.scheme_str(), Some("http" | "https"));
            schemed && uri.host().is_some_and(|host| !host.is_empty())
        });
        if uri.is_some() {
            return uri;
        }
        self.wrong(name, "must be an http or https URL with a host")
    }

    /// Notes that a field breaks `rule`.
    pub(super) fn wrong<T>(&mut self, name: &str, rule: &str) -> Option<T> {
        self.wrong.push(format!("{name} {rule}"));
        None
    }

    /// The refusal for everything found wrong.
    pub(super) fn refusal(&self) -> Refusal {
        Refusal::fields(&self.wrong)
    }

    /// A field as text if it is a string, whatever the rules.
    pub(super) fn peek(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// The JSON of a field; null is as good as absent.
    fn raw(&self, name: &str) -> Option<&str> {
        self.members.get(name).map(|raw| raw.get()).filter(|raw| *raw != "null")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(json: &str) -> Result<Decimal, String> {
        let mut fields = Fields::parse(format!(r#"{{"amount":{json}}}"#).as_bytes()).unwrap();
        fields.amount("amount").ok_or_else(|| fields.refusal().why)
    }

    #[test]
    fn amounts_are_decimal_text_and_exact() {
        for (json, cents) in [("10", 1000), ("100.00", 10_000), ("0.5", 50), ("0.01", 1)] {
            assert_eq!(amount(&format!("\"{json}\"")), Ok(Decimal::new(cents, 2)), "{json}");
        }
        assert_eq!(amount("\"9007199254740993\""), Ok(9_007_199_254_740_993_i64.into()));
        for json in [
            "10",
            "10.5",
            "true",
            "null",
            "\"\"",
            "\"0\"",
            "\"0.00\"",
            "\"-1\"",
            "\"+1\"",
            "\"1.\"",
            "\".5\"",
            "\"1.234\"",
            "\"1e3\"",
            "\"1_000\"",
            "\"1,000\"",
            "\" 1\"",
            "\"010\"",
            "\"1.0.0\"",
            "\"ten\"",
            "\"99999999999999999999999999999999\"",
        ] {
            let why = amount(json).unwrap_err();
            assert!(why.starts_with("amount "), "{json}: {why}");
        }
    }
}
