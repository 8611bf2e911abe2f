//! Reading a request's parameters: all that are asked for and no other, every one a string that says
//! something.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Request, header};
use serde_json::value::RawValue;

use super::codes;
use super::endpoint::{Endpoint, METADATA, PRODUCT};
use super::refusal::{INVALID, MISSING, Refusal};
use crate::gateways::no_object;

/// The members of a JSON object, unread, with those of the objects in it under dotted names. Of members with
/// one name the last counts.
struct Members(BTreeMap<String, Box<RawValue>>);

/// The parameters of a call, each as it was sent.
#[derive(Debug)]
pub(super) struct Parameters {
    texts: BTreeMap<String, String>,
    pub(super) metadata: Option<Box<RawValue>>,
}

impl Members {
    fn parse(endpoint: Endpoint, body: &[u8]) -> Option<Self> {
        let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body).ok()?;
        for object in endpoint.objects() {
            let inner = members.get(*object).map(|raw| serde_json::from_str(raw.get()));
            let Some(Ok(inner)) = inner else { continue };
            let inner: BTreeMap<String, Box<RawValue>> = inner;
            members.remove(*object);
            members.extend(inner.into_iter().map(|(name, raw)| (format!("{object}.{name}"), raw)));
        }
        Some(Self(members))
    }

    fn string(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    /// Whether just the right parameters are there.
    fn check_names(&self, endpoint: Endpoint) -> Result<(), Refusal> {
        let optional = match endpoint {
            Endpoint::Checkout => Some(METADATA),
            Endpoint::Airtime if self.string("telco").as_deref() == Some(codes::BUNDLES_TELCO) => {
                Some(PRODUCT)
            }
            _ => None,
        };
        let asked: BTreeSet<_> = endpoint.asked().collect();
        let sent: BTreeSet<_> = self.0.keys().map(String::as_str).collect();
        let missing: Vec<_> = asked.difference(&sent).copied().collect();
        let unknown: Vec<_> =
            sent.difference(&asked).copied().filter(|name| optional != Some(*name)).collect();
        let mut wrong = Vec::new();
        if !missing.is_empty() {
            wrong.push(format!("not sent: {}", missing.join(", ")));
        }
        if !unknown.is_empty() {
            wrong.push(format!("sent, but unknown to this path: {}", unknown.join(", ")));
        }
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::of(MISSING, &wrong.join("; "))) }
    }
}

impl Parameters {
    pub(super) fn read(endpoint: Endpoint, request: &Request<Bytes>) -> Result<Self, Refusal> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::of(INVALID, "the content type must be application/json"));
        }
        let members = Members::parse(endpoint, request.body())
            .ok_or_else(|| Refusal::of(INVALID, &no_object(request.body())))?;
        members.check_names(endpoint)?;
        let mut texts = BTreeMap::new();
        let mut metadata = None;
        for (name, raw) in members.0 {
            if endpoint == Endpoint::Checkout && name == METADATA {
                if !raw.get().starts_with('{') {
                    return Err(Refusal::field(INVALID, METADATA, "must be an object"));
                }
                metadata = Some(raw);
                continue;
            }
            match serde_json::from_str::<String>(raw.get()) {
                Ok(text) if !text.trim().is_empty() => texts.insert(name, text),
                Ok(_) => return Err(Refusal::field(INVALID, &name, "must not be blank")),
                Err(_) => return Err(Refusal::field(INVALID, &name, "must be a string")),
            };
        }
        Ok(Self { texts, metadata })
    }

    /// One that is asked for, as it was sent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.optional(name).unwrap_or_default()
    }

    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }
}

/// A parameter of a request if it is a string, whatever the rules.
pub(super) fn peek(endpoint: Endpoint, request: &Request<Bytes>, name: &str) -> Option<String> {
    Members::parse(endpoint, request.body())?.string(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(endpoint: Endpoint, body: &'static str) -> Result<Parameters, String> {
        let request =
            Request::post("/").header("content-type", "application/json").body(body.into()).unwrap();
        Parameters::read(endpoint, &request).map_err(|refusal| refusal.why)
    }

    #[test]
    fn texts_are_as_sent_and_metadata_is_not_touched() {
        let body = r#"{"MerchantID":" k\u0079 ","phoneNumber":"0","amount":"1.50","channel":"x","signature":"s",
            "metadata":{"b":1.0, "a":[null]}}"#;
        let read = read(Endpoint::Checkout, body).unwrap();
        assert_eq!((read.text("MerchantID"), read.text("amount")), (" ky ", "1.50"));
        assert_eq!(read.metadata.unwrap().get(), r#"{"b":1.0, "a":[null]}"#);
    }

    #[test]
    fn an_object_that_is_none_is_named_and_so_is_what_it_should_hold() {
        let body = r#"{"MerchantID":"k","source":"John","destination":{"amount":"1"},"signature":"s"}"#;
        let why = read(Endpoint::MobilePayout, body).unwrap_err();
        let expected = "1108: not sent: destination.channel, destination.destinationPhone, \
                        source.initiatorCountry, source.initiatorName; sent, but unknown to this path: source";
        assert_eq!(why, expected);
    }
}
