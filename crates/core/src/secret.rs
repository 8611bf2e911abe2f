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

    /// `text` with every occurrence of this secret replaced by `[secret]`, however its characters are written: as they
    /// are, as JSON escapes them, percent-encoded, or any mix. Gateways echo what they were sent.
    ///
    /// A secret shorter than [`Secret::SHORTEST_ERASED`] bytes is left: replacing every `7` of an answer
    /// would destroy it, and nobody can tell such an echo from chance.
    #[must_use]
    pub fn erase_from(&self, text: Bytes) -> Bytes {
        let secret = self.0.expose_secret();
        if secret.len() < Self::SHORTEST_ERASED {
            return text;
        }
        let mut clean = Vec::new();
        let mut kept_from = 0;
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            match length_as_written(rest, secret) {
                Some(length) => {
                    clean.extend_from_slice(text.get(kept_from..at).unwrap_or_default());
                    clean.extend_from_slice(PLACEHOLDER.as_bytes());
                    at += length;
                    kept_from = at;
                }
                None => at += 1,
            }
        }
        if kept_from == 0 {
            return text;
        }
        clean.extend_from_slice(text.get(kept_from..).unwrap_or_default());
        Bytes::from(clean)
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

/// How many bytes of `text` spell `secret`, if it begins with it in some spelling. A backslash or a percent sign may
/// stand for itself or begin an escape; one reading is tried for the whole of it, then the other.
fn length_as_written(text: &[u8], secret: &str) -> Option<usize> {
    spelled(text, secret, plain, escaped).or_else(|| spelled(text, secret, escaped, plain))
}

fn spelled(
    text: &[u8],
    secret: &str,
    first: fn(&[u8], char) -> Option<usize>,
    second: fn(&[u8], char) -> Option<usize>,
) -> Option<usize> {
    let mut length = 0;
    for character in secret.chars() {
        let rest = text.get(length..)?;
        length += first(rest, character).or_else(|| second(rest, character))?;
    }
    Some(length)
}

fn plain(text: &[u8], character: char) -> Option<usize> {
    let mut bytes = [0; 4];
    let bytes = character.encode_utf8(&mut bytes).as_bytes();
    text.starts_with(bytes).then_some(bytes.len())
}

fn escaped(text: &[u8], character: char) -> Option<usize> {
    match (text.first()?, text.get(1)?) {
        (b'%', _) => {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            let encoded = bytes.iter().enumerate().all(|(number, byte)| {
                let triple = text.get(3 * number..3 * number + 3).unwrap_or_default();
                triple.first() == Some(&b'%') && hexadecimal(triple.get(1..)) == Some(u32::from(*byte))
            });
            encoded.then_some(3 * bytes.len())
        }
        (b'\\', b'u') => (hexadecimal(text.get(2..6)) == Some(u32::from(character))).then_some(6),
        (b'\\', letter) => {
            let meant = match letter {
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                other => char::from(*other),
            };
            (meant == character).then_some(2)
        }
        _ => None,
    }
}

fn hexadecimal(digits: Option<&[u8]>) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits?).ok()?, 16).ok()
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
        assert_eq!(erased("tok/en+1=", r"a tok/en+1\u003d b tok\u002Fen%2b1\u003D"), "a [secret] b [secret]");
        assert_eq!(
            erased("ésecret", r"a \u00e9secret %C3%A9secret ésecret b"),
            "a [secret] [secret] [secret] b"
        );
        assert_eq!(erased("tok/en+1", r"tok/en+ 1 tok\u002 tok%2"), r"tok/en+ 1 tok\u002 tok%2");
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
