//! What stands in a request, value by value.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use serde_json::value::RawValue;

/// One value of a request: where it stands and what it is, without the quotes, escapes and percent signs that it was
/// written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) place: String,
    pub(super) text: String,
}

/// The values of a request: segments of the path, values of the query, headers, and values of the body.
pub(super) fn written(request: &Request<Bytes>) -> Vec<Written> {
    let mut all = Vec::new();
    for (number, segment) in request.uri().path().split('/').enumerate().skip(1) {
        all.push(Written { place: format!("segment {number} of the path"), text: decoded(segment) });
    }
    all.extend(pairs("of the query", request.uri().query().unwrap_or_default()));
    for (name, value) in request.headers() {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        all.push(Written { place: format!("the header {name}"), text });
    }
    let body = String::from_utf8_lossy(request.body());
    match serde_json::from_str::<&RawValue>(&body) {
        Ok(json) => collect(json, "the body".to_owned(), &mut all),
        Err(_) => all.extend(pairs("of the body", &body)),
    }
    all
}

/// The values of `a=b&c=d`.
fn pairs(of: &str, text: &str) -> Vec<Written> {
    let pair = |(name, value): (&str, &str)| Written {
        place: format!("{name} {of}"),
        text: decoded(&value.replace('+', " ")),
    };
    text.split('&').filter_map(|both| both.split_once('=')).map(pair).collect()
}

/// Numbers keep their digits: none goes through a binary float.
fn collect(json: &RawValue, place: String, all: &mut Vec<Written>) {
    let text = json.get();
    if let Ok(object) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        object.into_iter().for_each(|(key, value)| collect(value, format!("{place}/{key}"), all));
    } else if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(text) {
        list.into_iter().enumerate().for_each(|(at, value)| collect(value, format!("{place}/{at}"), all));
    } else {
        let text = serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned());
        all.push(Written { place, text });
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_as_it_was_meant() {
        let request = Request::post("https://h.example/v1/a%2Fb?q=c+d&r=%25")
            .header("x-name", "e")
            .body(Bytes::from_static(br#"{"f":[1.50,{"g":"h\/i"}],"j":null}"#))
            .unwrap();
        let all: Vec<_> = written(&request).into_iter().map(|one| (one.place, one.text)).collect();
        let expected = [
            ("segment 1 of the path", "v1"),
            ("segment 2 of the path", "a/b"),
            ("q of the query", "c d"),
            ("r of the query", "%"),
            ("the header x-name", "e"),
            ("the body/f/0", "1.50"),
            ("the body/f/1/g", "h/i"),
            ("the body/j", "null"),
        ];
        assert_eq!(all, expected.map(|(place, text)| (place.to_owned(), text.to_owned())));
        let form = Request::post("https://h.example/").body(Bytes::from_static(b"a=1&b=2%2C5")).unwrap();
        let last = written(&form).pop().map(|one| (one.place, one.text));
        assert_eq!(last, Some(("b of the body".to_owned(), "2,5".to_owned())));
    }
}
