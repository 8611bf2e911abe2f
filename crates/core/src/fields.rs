use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{Scalar, filled, read_object};

/// A JSON object with every field that was sent, in their order: for gateways that spell one name in several ways or
/// repeat it, where a struct would fail, or take what it finds first for all there is. Prints the names only.
///
/// ```
/// use malipo_core::{Fields, Said, read_object};
///
/// let fields: Fields = read_object(br#"{"status": "Success", "Status": "Failed", "amount": 1500}"#)?;
/// assert_eq!(fields.said(&["amount", "Amount"]), Said::This("1500".to_owned()));
/// assert_eq!(fields.said(&["status", "Status"]), Said::Conflict);
/// # Ok::<(), malipo_core::NotAnObject>(())
/// ```
#[derive(Clone, Default)]
pub struct Fields(Vec<(String, Box<RawValue>)>);

/// What an object says of one thing. Closed on purpose: what contradicts itself must not pass for what is absent.
#[derive(Clone, PartialEq, Eq)]
pub enum Said {
    /// Nothing, or nothing but blanks.
    Nothing,
    /// This, once or several times over.
    This(String),
    /// Two things that differ, or something that is neither text, number nor boolean.
    Conflict,
}

impl Said {
    /// The text, if one thing was said.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::This(text) => Some(text),
            Self::Nothing | Self::Conflict => None,
        }
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::This(text) => write!(f, "This({} bytes)", text.len()),
            Self::Conflict => f.write_str("Conflict"),
        }
    }
}

impl Fields {
    /// What is said under these names, which are spellings of one.
    pub fn said(&self, names: &[&str]) -> Said {
        let values = self.0.iter().filter(|(name, _)| names.contains(&name.as_str()));
        values.fold(Said::Nothing, |said, (_, value)| match (said, scalar(value)) {
            (said, Said::Nothing) => said,
            (Said::Nothing, value) => value,
            (said, value) if said == value => said,
            _ => Said::Conflict,
        })
    }

    /// The object of this name: none where there is none, where it is empty, and where two differ.
    pub fn object(&self, name: &str) -> Option<Self> {
        let mut values = self.0.iter().filter(|(own, _)| own == name).map(|(_, value)| value.get());
        let first = values.next()?;
        let object: Self = read_object(first.as_bytes()).ok()?;
        (values.all(|other| other == first) && !object.0.is_empty()).then_some(object)
    }

    /// Names and values but for blanks; a value that is an object or a list is its JSON.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(|(name, value)| match scalar(value) {
            Said::Nothing => None,
            Said::This(text) => Some((name.as_str(), text)),
            Said::Conflict => Some((name.as_str(), value.get().to_owned())),
        })
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn scalar(value: &RawValue) -> Said {
    let Ok(scalar) = serde_json::from_str::<Option<Scalar>>(value.get()) else { return Said::Conflict };
    filled(scalar.as_ref()).map_or(Said::Nothing, |text| Said::This(text.to_owned()))
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Fields {
        read_object(json.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_said_twice_alike_is_said_once_and_what_differs_is_a_conflict() {
        let said = |json: &str| read(json).said(&["status", "Status"]);
        for json in [
            r#"{"status":"Success"}"#,
            r#"{"status":"Success","status":" Success "}"#,
            r#"{"Status":"Success","other":1,"status":"Success","status":null,"Status":""}"#,
            r#"{"st\u0061tus":"Success"}"#,
        ] {
            assert_eq!(said(json), Said::This("Success".to_owned()), "{json}");
        }
        for json in ["{}", r#"{"STATUS":"Success"}"#, r#"{"status":null}"#, r#"{"status":" "}"#] {
            assert_eq!(said(json), Said::Nothing, "{json}");
        }
        for json in [
            r#"{"status":"Success","status":"Failed"}"#,
            r#"{"status":"Failed","status":"Success","status":"Failed"}"#,
            r#"{"status":"Success","Status":"success"}"#,
            r#"{"status":["Success"]}"#,
            r#"{"status":{}}"#,
            r#"{"status":"Success","status":{}}"#,
        ] {
            assert_eq!(said(json), Said::Conflict, "{json}");
        }
        assert_eq!(
            read(r#"{"amount":1500.10}"#).said(&["amount"]).as_str(),
            Some("1500.10"),
            "digit by digit"
        );
    }

    #[test]
    fn an_object_within_is_one_object_and_not_empty() {
        for (json, is_there) in [
            (r#"{"details":{"a":1}}"#, true),
            (r#"{"details":{"a":1},"details":{"a":1}}"#, true),
            (r#"{"details":{"a":1},"details":{"a":2}}"#, false),
            (r#"{"details":{}}"#, false),
            (r#"{"details":[]}"#, false),
            (r#"{"details":[{"a":1}]}"#, false),
            (r#"{"details":"a"}"#, false),
            ("{}", false),
        ] {
            assert_eq!(read(json).object("details").is_some(), is_there, "{json}");
        }
    }

    #[test]
    fn all_are_told_in_their_order_and_none_prints_its_value() {
        let fields = read(r#"{"z":"planted","a":1,"z":[2, 3],"none":null,"blank":""}"#);
        let all: Vec<_> = fields.iter().collect();
        assert_eq!(all, [("z", "planted".to_owned()), ("a", "1".to_owned()), ("z", "[2, 3]".to_owned())]);
        let printed = format!("{fields:?} {:?}", fields.said(&["a"]));
        assert_eq!(printed, r#"{"z", "a", "z", "none", "blank"} This(1 bytes)"#);
    }
}
