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
/// Prints no value.
#[derive(Clone, PartialEq, Eq)]
pub enum Said<T = String> {
    /// Nothing, or nothing but blanks; of an object, null or what is empty.
    Nothing,
    /// This, once or several times over.
    This(T),
    /// Two things that differ, or something of another shape: neither text, number nor boolean, or no object.
    Conflict,
}

impl<T> Said<T> {
    /// What was said, if it was one thing.
    pub fn this(self) -> Option<T> {
        match self {
            Self::This(value) => Some(value),
            Self::Nothing | Self::Conflict => None,
        }
    }

    fn and(self, next: Self, is_same: impl Fn(&T, &T) -> bool) -> Self {
        match (self, next) {
            (said, Self::Nothing) | (Self::Nothing, said) => said,
            (Self::This(said), Self::This(next)) if is_same(&said, &next) => Self::This(said),
            _ => Self::Conflict,
        }
    }
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

impl<T> fmt::Debug for Said<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::This(_) => "This",
            Self::Conflict => "Conflict",
        })
    }
}

impl Fields {
    /// What is said under these names, which are spellings of one.
    pub fn said(&self, names: &[&str]) -> Said {
        let values = self.0.iter().filter(|(name, _)| names.contains(&name.as_str()));
        values.fold(Said::Nothing, |said, (_, value)| said.and(scalar(value), String::eq))
    }

    /// The object of this name. Null and an empty list say nothing, as an empty object does; anything else that is no
    /// object is a conflict.
    pub fn object(&self, name: &str) -> Said<Self> {
        let values = self.0.iter().filter(|(own, _)| own == name);
        values.fold(Said::Nothing, |said, (_, value)| said.and(within(value), Self::is_same))
    }

    fn is_same(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        self.0.len() == other.0.len()
            && pairs.into_iter().all(|(own, other)| own.0 == other.0 && own.1.get() == other.1.get())
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

fn within(value: &RawValue) -> Said<Fields> {
    let text = value.get();
    if text == "null" || serde_json::from_str::<[(); 0]>(text).is_ok() {
        return Said::Nothing;
    }
    match read_object::<Fields>(text.as_bytes()) {
        Ok(object) if object.0.is_empty() => Said::Nothing,
        Ok(object) => Said::This(object),
        Err(_) => Said::Conflict,
    }
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
    fn an_object_within_is_there_or_not_or_nobody_can_tell() {
        let object = |json: &str| read(json).object("details");
        for json in [
            r#"{"details":{"a":1}}"#,
            r#"{"details":{"a":1},"details":{ "a":1 }}"#,
            r#"{"details":null,"details":{"a":1},"other":2,"details":{}}"#,
        ] {
            assert_eq!(object(json).this().unwrap().said(&["a"]).as_str(), Some("1"), "{json}");
        }
        for json in [
            "{}",
            r#"{"other":{"a":1}}"#,
            r#"{"details":null}"#,
            r#"{"details":{}}"#,
            r#"{"details":[]}"#,
            r#"{"details":[ ],"details":{ },"details":null}"#,
        ] {
            assert!(matches!(object(json), Said::Nothing), "{json}");
        }
        for json in [
            r#"{"details":{"a":1},"details":{"a":2}}"#,
            r#"{"details":{"a":1},"details":{"b":1}}"#,
            r#"{"details":{"a":1},"details":{"a":1,"a":1}}"#,
            r#"{"details":{"a":1},"details":"a"}"#,
            r#"{"details":[{"a":1}]}"#,
            r#"{"details":[null]}"#,
            r#"{"details":"a"}"#,
            r#"{"details":""}"#,
            r#"{"details":false}"#,
            r#"{"details":0}"#,
        ] {
            assert!(matches!(object(json), Said::Conflict), "{json}");
        }
    }

    #[test]
    fn all_are_told_in_their_order_and_none_prints_its_value() {
        let fields = read(r#"{"z":"planted","a":1,"z":[2, 3],"none":null,"blank":""}"#);
        let all: Vec<_> = fields.iter().collect();
        assert_eq!(all, [("z", "planted".to_owned()), ("a", "1".to_owned()), ("z", "[2, 3]".to_owned())]);
        let printed = format!("{fields:?} {:?}", fields.said(&["a"]));
        assert_eq!(printed, r#"{"z", "a", "z", "none", "blank"} This"#);
    }
}
