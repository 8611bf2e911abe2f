use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};

/// A value that never prints itself: a key, a password, a token, a PIN. Wiped from memory when the last copy
/// of it is dropped; copies inside TLS and HTTP buffers are beyond our reach.
#[derive(Clone)]
pub struct Secret(Arc<SecretString>);

impl Secret {
    /// Takes a secret into custody.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Arc::new(SecretString::from(value.into())))
    }

    /// The secret itself. Only code that puts it on the wire calls this.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    /// `text` with every occurrence of this secret replaced by `[secret]`: as it is, as JSON escapes it (with and
    /// without escaped slashes), and percent-encoded in either case. Gateways echo what they were sent.
    ///
    /// A secret shorter than [`Secret::SHORTEST_ERASED`] bytes is left: replacing every `7` of an answer
    /// would destroy it, and nobody can tell such an echo from chance.
    #[must_use]
    pub fn erase_from(&self, text: Bytes) -> Bytes {
        let secret = self.0.expose_secret();
        if secret.len() < Self::SHORTEST_ERASED {
            return text;
        }
        let quoted = serde_json::Value::from(secret).to_string();
        let escaped = quoted.get(1..quoted.len() - 1).unwrap_or(secret);
        let percent = |digits| percent_encoded(secret, digits);
        let spellings = [
            secret.to_owned(),
            escaped.to_owned(),
            escaped.replace('/', "\\/"),
            percent(b"0123456789ABCDEF"),
            percent(b"0123456789abcdef"),
        ];
        spellings.iter().fold(text, |text, spelling| replace_all(text, spelling.as_bytes()))
    }

    /// The fewest bytes a secret has to have to be erased from what a gateway answers.
    pub const SHORTEST_ERASED: usize = 6;
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PLACEHOLDER)
    }
}

const PLACEHOLDER: &str = "[secret]";

fn percent_encoded(text: &str, digits: &[u8; 16]) -> String {
    let digit = |index: u8| digits.get(usize::from(index)).copied().map(char::from).unwrap_or_default();
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}

fn replace_all(text: Bytes, needle: &[u8]) -> Bytes {
    let Some(first) = position(&text, needle) else { return text };
    let mut clean = Vec::with_capacity(text.len());
    let mut rest: &[u8] = &text;
    let mut next = Some(first);
    while let Some(at) = next {
        clean.extend_from_slice(rest.get(..at).unwrap_or_default());
        clean.extend_from_slice(PLACEHOLDER.as_bytes());
        rest = rest.get(at + needle.len()..).unwrap_or_default();
        next = position(rest, needle);
    }
    clean.extend_from_slice(rest);
    Bytes::from(clean)
}

fn position(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// The bytes a gateway sent, kept as evidence. Prints its length only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Raw(Bytes);

impl Raw {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same bytes with every occurrence of `secret` replaced by `[secret]`.
    #[must_use]
    pub fn without(&self, secret: &Secret) -> Self {
        Self(secret.erase_from(self.0.clone()))
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Bytes> for Raw {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for Raw {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&str> for Raw {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn erased(secret: &str, text: &str) -> String {
        String::from_utf8(Secret::new(secret).erase_from(Bytes::copy_from_slice(text.as_bytes())).to_vec())
            .unwrap()
    }

    #[test]
    fn an_echo_is_erased_in_every_spelling() {
        assert_eq!(erased("tok/en+1", "a tok/en+1 b tok/en+1"), "a [secret] b [secret]");
        assert_eq!(erased("tok/en+1", r"a tok\/en+1 b"), "a [secret] b");
        assert_eq!(erased("tok/en+1", "a tok%2Fen%2B1 b"), "a [secret] b");
        assert_eq!(erased("tok/en+1", "a tok%2fen%2b1 b"), "a [secret] b");
        assert_eq!(
            erased(r#"to"k\/en"#, r#"{"a":"to\"k\\/en","b":"to\"k\\\/en"}"#),
            r#"{"a":"[secret]","b":"[secret]"}"#
        );
        assert_eq!(erased(r#"ends in ""#, r#"{"a":"ends in \""}"#), r#"{"a":"[secret]"}"#);
        assert_eq!(erased("tok/en+1", "nothing here"), "nothing here");
        assert_eq!(erased("aaaaaa", "aaaaaaaaaaaaa"), "[secret][secret]a");
    }

    #[test]
    fn a_secret_too_short_to_recognise_is_left() {
        assert_eq!(erased("12345", "amount 12345"), "amount 12345");
        assert_eq!(erased("", "anything"), "anything");
    }

    #[test]
    fn neither_secret_nor_raw_prints_itself() {
        let printed = format!("{:?} {:?}", Secret::new("hunter2"), Raw::from("hunter2"));
        assert_eq!(printed, "[secret] Raw(7 bytes)");
    }
}
