//! Reading a request's fields: all that are wrong are told at once, each by its name, as Django's serializers do.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Uri, header};
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::channel::Channel;
use super::refusal::Refusal;
use crate::gateways::{no_object, plain_decimal};

/// What was found wrong, by field.
pub(super) struct Wrong(pub(super) BTreeMap<String, Vec<String>>);

/// The members of a JSON object, and what was found wrong with them. Of members with one name the last
/// counts; unknown ones are nobody's business.
pub(super) struct Fields {
    members: BTreeMap<String, Box<RawValue>>,
    wrong: Wrong,
}

impl Fields {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let members = serde_json::from_slice(body).ok()?;
        Some(Self { members, wrong: Wrong(BTreeMap::new()) })
    }

    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, Refusal> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::unsupported_media());
        }
        Self::parse(request.body()).ok_or_else(|| Refusal::no_object(&no_object(request.body())))
    }

    /// A string that says something.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.raw(name).map(serde_json::from_str::<String>) {
            Some(Ok(text)) if !text.trim().is_empty() => Some(text),
            Some(Ok(_)) => self.wrong(name, "This field may not be blank."),
            Some(Err(_)) => self.wrong(name, "This field must be a string."),
            None => self.wrong(name, "This field is required."),
        }
    }

    /// As [`Self::text`], or blank, or absent.
    pub(super) fn optional_text(&mut self, name: &str) -> Option<String> {
        match self.raw(name).map(serde_json::from_str::<String>)? {
            Ok(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Err(_) => self.wrong(name, "This field must be a string."),
        }
    }

    /// A string, or digits without quotes: the pages call a merchant code now a string, now a number.
    pub(super) fn code(&mut self, name: &str) -> Option<String> {
        match self.raw(name) {
            Some(raw) if raw.bytes().all(|byte| byte.is_ascii_digit()) => Some(raw.to_owned()),
            _ => self.text(name),
        }
    }

    /// One of the networks and banks there are.
    pub(super) fn channel(&mut self, name: &str) -> Option<Channel> {
        let code = self.text(name)?;
        let channel = Channel::find(&code);
        if channel.is_none() {
            return self
                .wrong(name, "This is no code of a network or bank: 0, 63902, 63903, 63907 or two digits.");
        }
        channel
    }

    /// The one currency there is.
    pub(super) fn shillings(&mut self, name: &str) -> Option<()> {
        if self.text(name)? == "KES" {
            return Some(());
        }
        self.wrong(name, "This must be KES.")
    }

    /// More than nothing, in plain decimal digits, at most two of them after the point; a string or a number.
    pub(super) fn amount(&mut self, name: &str) -> Option<Decimal> {
        let amount = self.decimal(name)?;
        if amount > Decimal::ZERO {
            return Some(amount);
        }
        self.wrong(name, "This must be greater than 0.")
    }

    /// As [`Self::amount`], but it may be nothing, or absent.
    pub(super) fn optional_fee(&mut self, name: &str) -> Option<Decimal> {
        self.raw(name)?;
        self.decimal(name)
    }

    /// A Kenyan mobile number, as `2547...` or `2541...`, however it is spelled.
    pub(super) fn phone(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let number = international(&text);
        if number.is_none() {
            return self.wrong(name, "This must be a Kenyan mobile number: 07..., 01... or 254...");
        }
        number
    }

    /// Six digits, in a string: as a number it would lose a leading zero.
    pub(super) fn six_digits(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(text);
        }
        self.wrong(name, "This must be six digits.")
    }

    /// An http or https URL with a host.
    pub(super) fn url(&mut self, name: &str) -> Option<Uri> {
        let text = self.text(name)?;
        let uri = text.parse::<Uri>().ok().filter(|uri| {
            let schemed = matches!(uri.scheme_str(), Some("http" | "https"));
            schemed && uri.host().is_some_and(is_host)
        });
        if uri.is_some() {
            return uri;
        }
        self.wrong(name, "Enter a valid URL: http or https, with a host.")
    }

    /// Notes that a field breaks `rule`.
    pub(super) fn wrong<T>(&mut self, name: &str, rule: &str) -> Option<T> {
        self.wrong.0.entry(name.to_owned()).or_default().push(rule.to_owned());
        None
    }

    /// Refuses if anything was found wrong.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.wrong.0.is_empty() { Ok(()) } else { Err(self.refusal()) }
    }

    /// The refusal for everything found wrong.
    pub(super) fn refusal(&self) -> Refusal {
        Refusal::fields(&self.wrong)
    }

    /// Whether a field is there and says something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A field as text if it is a string that says something, whatever the rules.
    pub(super) fn peek(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?).ok().filter(|text: &String| !text.trim().is_empty())
    }

    fn decimal(&mut self, name: &str) -> Option<Decimal> {
        let text = match self.raw(name) {
            Some(raw) if raw.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => {
                raw.to_owned()
            }
            _ => self.text(name)?,
        };
        let amount = plain_decimal(&text);
        if amount.is_none() {
            return self
                .wrong(name, "This must be a plain decimal number with no more than 2 decimal places.");
        }
        amount
    }

    /// The JSON of a field; null is as good as absent.
    fn raw(&self, name: &str) -> Option<&str> {
        self.members.get(name).map(|raw| raw.get()).filter(|raw| *raw != "null")
    }
}

/// Whether a host's name has only what such names have. An address in the samples of the page is masked with
/// asterisks, which a URL may hold, but no name does.
fn is_host(host: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !host.is_empty() && host.bytes().all(known)
}

/// A Kenyan mobile number with its country code: `2547...` or `2541...`, twelve digits.
pub(super) fn international(spelled: &str) -> Option<String> {
    let (rest, length) = match spelled.strip_prefix("254") {
        Some(rest) => (rest, 12),
        None => (spelled.strip_prefix('0')?, 10),
    };
    let mobile = rest.starts_with(['7', '1']) && rest.bytes().all(|byte| byte.is_ascii_digit());
    (mobile && spelled.len() == length).then(|| format!("254{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(json: &str) -> Result<Decimal, String> {
        let mut fields = Fields::parse(format!(r#"{{"Amount":{json}}}"#).as_bytes()).unwrap();
        fields.amount("Amount").ok_or_else(|| fields.refusal().why)
    }

    #[test]
    fn amounts_are_plain_and_exact_in_a_string_or_as_a_number() {
        for (json, cents) in [("\"1.00\"", 100), ("1.00", 100), ("10", 1000), ("\"0.5\"", 50), ("0.01", 1)] {
            assert_eq!(amount(json), Ok(Decimal::new(cents, 2)), "{json}");
        }
        assert_eq!(amount("9007199254740993"), Ok(9_007_199_254_740_993_i64.into()));
        for json in [
            "true",
            "null",
            "[1]",
            "\"\"",
            "0",
            "\"0.00\"",
            "-1",
            "\"-1\"",
            "\"+1\"",
            "\"1.\"",
            "\".5\"",
            "1.234",
            "1e3",
            "\"1e3\"",
            "\"1_000\"",
            "\"1,000\"",
            "\" 1\"",
            "\"010\"",
            "\"1.0.0\"",
            "\"ten\"",
            "99999999999999999999999999999999",
        ] {
            let why = amount(json).unwrap_err();
            assert!(why.starts_with("Amount: "), "{json}: {why}");
        }
    }

    #[test]
    fn numbers_are_one_number_however_spelled() {
        for spelled in ["0712345678", "254712345678"] {
            assert_eq!(international(spelled).as_deref(), Some("254712345678"), "{spelled}");
        }
        assert_eq!(international("0112345678").as_deref(), Some("254112345678"));
        for spelled in
            ["712345678", "+254712345678", "0612345678", "07123456789", "25471234567", "07x2345678", ""]
        {
            assert_eq!(international(spelled), None, "{spelled}");
        }
    }
}
