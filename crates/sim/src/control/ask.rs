//! Reading what is asked: every part is taken by name, and one that nobody took is refused.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::Refusal;
use crate::fault::Fault;
use crate::gateways::{Gateway, positive_decimal};
use crate::names::{FAULTS, Make, UnknownName};

/// The longest time that can be asked for at once, in seconds: a leap year. Sums of many stay far from where clocks end.
const LONGEST_SECONDS: u64 = 366 * 86_400;
/// The same in milliseconds.
pub(super) const LONGEST_MILLIS: u64 = LONGEST_SECONDS * 1000;

/// The part of a path after the question mark.
#[derive(Debug)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn read(uri: &Uri) -> Result<Self, Refusal> {
        let mut parts = BTreeMap::new();
        for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let badly = || Refusal::field(name, "must be percent-encoded UTF-8");
            let (name, value) = (decoded(name).ok_or_else(badly)?, decoded(value).ok_or_else(badly)?);
            if parts.insert(name.clone(), value).is_some() {
                return Err(Refusal::field(&name, "is there twice"));
            }
        }
        Ok(Self(parts))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(super) fn gateway(&mut self) -> Result<Option<Gateway>, Refusal> {
        let named = self.take("gateway").map(|name| name.parse());
        named.transpose().map_err(|error: UnknownName| Refusal::field("gateway", error))
    }

    /// A number of milliseconds, `most` at most.
    pub(super) fn millis(&mut self, name: &str, most: u64) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.take(name) else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        within(number, most).map(Some).map_err(|rule| Refusal::field(name, rule))
    }

    pub(super) fn finish(self) -> Result<(), Refusal> {
        match self.0.into_keys().next() {
            Some(name) => Err(Refusal::field(&name, "this path takes no such query parameter")),
            None => Ok(()),
        }
    }
}

/// The fields of a JSON object, at some place of a body.
#[derive(Debug)]
pub(super) struct Fields {
    place: String,
    fields: Map<String, Value>,
}

impl Fields {
    /// No body at all is an object without fields.
    pub(super) fn read(body: &Bytes) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self { place: String::new(), fields: Map::new() });
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self { place: String::new(), fields }),
            Ok(_) => Err(Refusal::field("body", "must be one JSON object")),
            Err(error) => Err(Refusal::field("body", format_args!("must be one JSON object: {error}"))),
        }
    }

    /// The thing that a field names.
    pub(super) fn name<T: FromStr<Err = UnknownName>>(&mut self, field: &str) -> Result<T, Refusal> {
        let text = self.text(field)?;
        text.parse().map_err(|error| self.refuse(field, error))
    }

    /// What `faults` lists. An empty list is one, too.
    pub(super) fn faults(&mut self) -> Result<Vec<Fault>, Refusal> {
        let Some(Value::Array(list)) = self.fields.remove("faults") else {
            return Err(self.refuse("faults", r#"must be there: a list such as [{"fault": "lost_reply"}]"#));
        };
        let read = |(index, item)| match item {
            Value::Object(fields) => Self { place: format!("faults[{index}]."), fields }.fault(),
            _ => Err(self.refuse(&format!("faults[{index}]"), r#"must be an object with the field "fault""#)),
        };
        list.into_iter().enumerate().map(read).collect()
    }

    /// As [`Self::faults`], or none where there is no such field.
    pub(super) fn faults_if_any(&mut self) -> Result<Vec<Fault>, Refusal> {
        if self.fields.contains_key("faults") { self.faults() } else { Ok(Vec::new()) }
    }

    /// How far to move the clock.
    pub(super) fn advance(&mut self) -> Result<Duration, Refusal> {
        match (self.fields.remove("millis"), self.fields.remove("seconds")) {
            (Some(millis), None) => self.number("millis", &millis, LONGEST_MILLIS).map(Duration::from_millis),
            (None, Some(seconds)) => {
                self.number("seconds", &seconds, LONGEST_SECONDS).map(Duration::from_secs)
            }
            (None, None) => {
                Err(self.refuse("millis", "is missing, and so is seconds: one of them must be there"))
            }
            (Some(_), Some(_)) => Err(self.refuse("seconds", "cannot be there together with millis")),
        }
    }

    /// An amount of money, as text: a number might have been rounded on its way.
    pub(super) fn amount(&mut self) -> Result<Decimal, Refusal> {
        let text = self.text("amount")?;
        let rule = "must be decimal text greater than 0 with at most 2 decimals, such as \"1500.50\"";
        positive_decimal(&text).ok_or_else(|| self.refuse("amount", rule))
    }

    pub(super) fn finish(self) -> Result<(), Refusal> {
        match self.fields.keys().next() {
            Some(field) => Err(self.refuse(field, "there is no such field here")),
            None => Ok(()),
        }
    }

    fn fault(mut self) -> Result<Fault, Refusal> {
        let name = self.text("fault")?;
        let make = FAULTS.iter().find(|(known, _)| *known == name).map(|(_, make)| *make);
        let fault = match make {
            Some(Make::Plain(fault)) => fault,
            Some(Make::Lasting(make)) => {
                let asked = self.fields.remove("millis");
                let asked = asked.ok_or_else(|| self.refuse("millis", format_args!("{name} needs it")))?;
                make(Duration::from_millis(self.number("millis", &asked, LONGEST_MILLIS)?))
            }
            None => {
                let known = FAULTS.iter().map(|(known, _)| *known);
                return Err(self.refuse("fault", UnknownName::new("fault", &name, known)));
            }
        };
        if self.fields.contains_key("millis") {
            return Err(self.refuse("millis", format_args!("{name} has no duration")));
        }
        self.finish()?;
        Ok(fault)
    }

    pub(super) fn text(&mut self, field: &str) -> Result<String, Refusal> {
        match self.fields.remove(field) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(self.refuse(field, "must be a string")),
            None => Err(self.refuse(field, "is missing")),
        }
    }

    fn number(&self, field: &str, value: &Value, most: u64) -> Result<u64, Refusal> {
        within(value.as_u64(), most).map_err(|rule| self.refuse(field, rule))
    }

    fn refuse(&self, field: &str, rule: impl std::fmt::Display) -> Refusal {
        Refusal::field(&format!("{}{field}", self.place), rule)
    }
}

fn within(number: Option<u64>, most: u64) -> Result<u64, String> {
    number.filter(|number| *number <= most).ok_or_else(|| format!("must be a whole number from 0 to {most}"))
}

/// A name or value as it was before it was encoded for a query.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => nibble(bytes.next()?)? * 16 + nibble(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_nothing_in_them_is_overlooked() {
        let read = |uri: &str| Query::read(&uri.parse().unwrap());
        let mut query = read("/_sim/ledger?reference=a%2Fb+%C3%A9&&gateway=daraja").unwrap();
        assert_eq!(query.take("reference").as_deref(), Some("a/b é"));
        assert_eq!(query.gateway().unwrap(), Some(Gateway::Daraja));
        query.finish().unwrap();
        for (uri, says) in [
            ("/?reference=%2", "reference: must be percent-encoded UTF-8"),
            ("/?reference=%FF", "reference: must be percent-encoded UTF-8"),
            ("/?a=1&a=2", "a: is there twice"),
            ("/?a", "a: this path takes no such query parameter"),
        ] {
            let refusal = read(uri).and_then(Query::finish).unwrap_err();
            assert_eq!(refusal.says["error"], says, "{uri}");
        }
    }

    #[test]
    fn numbers_in_queries_are_whole_and_bounded() {
        let read = |text: &str| {
            let uri = format!("/?millis={text}").parse().unwrap();
            Query::read(&uri).and_then(|mut query| query.millis("millis", 300)).ok()
        };
        assert_eq!((read("0"), read("300")), (Some(Some(0)), Some(Some(300))));
        for text in ["", "301", "-1", "%2B1", "1.5", "1e2", "99999999999999999999"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
