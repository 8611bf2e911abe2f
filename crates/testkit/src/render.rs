use bytes::Bytes;
use http::Request;
use http::header::HeaderValue;

const MASK: &str = "[secret]";
/// Up to this many characters, an object or a list that holds no other stays on one line.
const NARROW: usize = 60;

/// A request as text, for snapshots: method and URL, the headers in the order of their names, and the body.
///
/// A JSON body is laid out for reading, but its keys keep their order and its numbers their spelling, as they go
/// on the wire. A header marked sensitive and every occurrence of one of `secrets` read `[secret]`.
///
/// ```
/// use bytes::Bytes;
/// use malipo_testkit::render;
///
/// let request = http::Request::post("https://api.example.com/pay")
///     .header("x-api-key", "planted-key")
///     .header("accept", "application/json")
///     .body(Bytes::from_static(br#"{"to":{"number":"254708374149"},"amount":10.50}"#))?;
/// assert_eq!(render(&request, &["planted-key"]), "\
/// POST https://api.example.com/pay
/// accept: application/json
/// x-api-key: [secret]
///
/// {
///   \"to\": {\"number\": \"254708374149\"},
///   \"amount\": 10.50
/// }
/// ");
/// # Ok::<(), http::Error>(())
/// ```
pub fn render(request: &Request<Bytes>, secrets: &[&str]) -> String {
    let mut headers: Vec<_> =
        request.headers().iter().map(|(name, value)| header(name.as_str(), value)).collect();
    headers.sort();
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for header in headers {
        text.push_str(&header);
        text.push('\n');
    }
    let body = String::from_utf8_lossy(request.body());
    if !body.is_empty() {
        text.push('\n');
        text.push_str(&lay_out(&body));
        text.push('\n');
    }
    let secrets = secrets.iter().filter(|secret| !secret.is_empty());
    secrets.fold(text, |text, secret| text.replace(secret, MASK))
}

fn header(name: &str, value: &HeaderValue) -> String {
    let shown = if value.is_sensitive() { MASK.into() } else { String::from_utf8_lossy(value.as_bytes()) };
    format!("{name}: {shown}")
}

/// Valid JSON with line breaks and indentation; any other text as it is.
fn lay_out(body: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(body).is_err() {
        return body.to_owned();
    }
    let tokens = tokens(body);
    let mut laid_out = String::with_capacity(body.len() * 2);
    let mut rest = tokens.as_slice();
    let mut depth = 0_usize;
    while let Some((token, after)) = rest.split_first() {
        match *token {
            "{" | "[" => {
                if let Some((narrow, after)) = narrow(rest) {
                    laid_out.push_str(&narrow);
                    rest = after;
                    continue;
                }
                depth += 1;
                laid_out.push_str(token);
                break_line(&mut laid_out, depth);
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                break_line(&mut laid_out, depth);
                laid_out.push_str(token);
            }
            "," => {
                laid_out.push(',');
                break_line(&mut laid_out, depth);
            }
            ":" => laid_out.push_str(": "),
            scalar => laid_out.push_str(scalar),
        }
        rest = after;
    }
    laid_out
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}

/// What `tokens` begins with on one line, and what follows it, if it is narrow and holds nothing that nests.
fn narrow<'t, 'a>(tokens: &'t [&'a str]) -> Option<(String, &'t [&'a str])> {
    let end = tokens.iter().skip(1).position(|token| matches!(*token, "{" | "[" | "}" | "]"))? + 1;
    let (inside, after) = tokens.split_at_checked(end + 1)?;
    if matches!(*inside.last()?, "{" | "[") {
        return None;
    }
    let spaced = inside.iter().map(|token| match *token {
        ":" => ": ",
        "," => ", ",
        other => other,
    });
    let line: String = spaced.collect();
    (line.chars().count() <= NARROW && !(tokens.len() == inside.len() && inside.len() > 2))
        .then_some((line, after))
}

/// The tokens of valid JSON, without the spaces between them.
fn tokens(json: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = json.trim_start();
    while !rest.is_empty() {
        let length = match rest.as_bytes().first() {
            Some(b'{' | b'}' | b'[' | b']' | b':' | b',') => 1,
            Some(b'"') => string_length(rest),
            _ => rest.find(|next: char| ",:]} \t\r\n".contains(next)).unwrap_or(rest.len()),
        };
        let Some((token, after)) = rest.split_at_checked(length.max(1)) else { break };
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_numbers_and_text_stay_as_they_are() {
        let body = r#" {"z":1.50,"a":[ ],"text":"a \"b\", {c}: [d]","deep":{"list":[1,2e3,{"x":null}]}} "#;
        let expected = r#"{
  "z": 1.50,
  "a": [],
  "text": "a \"b\", {c}: [d]",
  "deep": {
    "list": [
      1,
      2e3,
      {"x": null}
    ]
  }
}"#;
        assert_eq!(lay_out(body), expected);
        assert_eq!(lay_out("a=b&c"), "a=b&c");
    }

    #[test]
    fn a_sensitive_header_is_masked_without_being_named() {
        let mut value = HeaderValue::from_static("Bearer x");
        value.set_sensitive(true);
        let request = Request::get("https://h.example/a?key=planted")
            .header("authorization", value)
            .body(Bytes::new())
            .unwrap();
        let expected = "GET https://h.example/a?key=[secret]\nauthorization: [secret]\n";
        assert_eq!(render(&request, &["planted", ""]), expected);
    }
}
