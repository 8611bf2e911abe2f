use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A planted secret that was found where it must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak {
    /// The secret.
    pub secret: String,
    /// How it was spelled.
    pub spelling: Spelling,
}

/// How a secret can be spelled. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Spelling {
    /// As it is.
    Plain,
    /// In Base64, alone or inside something longer.
    Base64,
    /// In hexadecimal digits.
    Hex,
    /// Percent-encoded, as in a URL.
    Percent,
    /// Escaped, as in JSON or in Rust's Debug.
    Escaped,
}

/// Finds `secrets` in `text`, in every spelling that a program gives text on its way to a log.
///
/// ```
/// use malipo_testkit::{Spelling, leaks};
///
/// // Basic authentication: the secret sits in the middle of what was encoded.
/// let found = leaks("Authorization: Basic dXNlcjpwbGFudGVkLXNlY3JldA==", &["planted-secret"]);
/// assert_eq!(found.iter().map(|leak| leak.spelling).collect::<Vec<_>>(), [Spelling::Base64]);
/// assert!(leaks("nothing to see", &["planted-secret"]).is_empty());
/// ```
pub fn leaks(text: &str, secrets: &[&str]) -> Vec<Leak> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        for (spelling, written) in spellings(secret) {
            let leaked = match spelling {
                // Either letter case spells the same digits.
                Spelling::Hex | Spelling::Percent => lower.contains(&written.to_ascii_lowercase()),
                _ => text.contains(&written),
            };
            let known = |leak: &Leak| leak.secret == *secret && leak.spelling == spelling;
            if leaked && !found.iter().any(known) {
                found.push(Leak { secret: (*secret).to_owned(), spelling });
            }
        }
    }
    found
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.spelling {
            Spelling::Plain => "as it is",
            Spelling::Base64 => "in Base64",
            Spelling::Hex => "in hexadecimal",
            Spelling::Percent => "percent-encoded",
            Spelling::Escaped => "escaped",
        };
        write!(f, "{:?} {how}", self.secret)
    }
}

/// Every way to write `secret`; a way that changes nothing is left out.
fn spellings(secret: &str) -> Vec<(Spelling, String)> {
    let mut all = vec![(Spelling::Plain, secret.to_owned())];
    let percent: String = secret.bytes().map(percent).collect();
    let escaped =
        [secret.replace('/', "\\/"), secret.escape_default().to_string(), secret.escape_debug().to_string()];
    all.extend(escaped.into_iter().map(|written| (Spelling::Escaped, written)));
    all.push((Spelling::Percent, percent));
    all.retain(|(spelling, written)| *spelling == Spelling::Plain || written != secret);
    all.push((Spelling::Hex, secret.bytes().map(|byte| format!("{byte:02x}")).collect()));
    all.extend(
        (0..3).flat_map(|offset| base64_at(secret, offset)).map(|written| (Spelling::Base64, written)),
    );
    all
}

fn percent(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// The digits that Base64 gives `secret` wherever it begins `offset` bytes into a group of three: those at either
/// end that also depend on its neighbours are cut off.
fn base64_at(secret: &str, offset: usize) -> Vec<String> {
    let padded = [vec![0; offset], secret.as_bytes().to_vec()].concat();
    let settled = |encoded: String| {
        let first = if offset == 0 { 0 } else { offset + 1 };
        let last = padded.len() / 3 * 4 + padded.len() % 3;
        encoded.get(first..last.min(encoded.len())).filter(|digits| digits.len() >= 8).map(str::to_owned)
    };
    let mut both: Vec<_> = [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)]
        .into_iter()
        .filter_map(settled)
        .collect();
    both.dedup();
    both
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const SECRET: &str = "plánt/ed+secret";

    #[test]
    fn every_spelling_is_found_and_nothing_else() {
        let found =
            |text: &str| leaks(text, &[SECRET]).into_iter().map(|leak| leak.spelling).collect::<Vec<_>>();
        assert_eq!(found(&format!("a {SECRET} b")), [Spelling::Plain]);
        assert_eq!(found(&format!("a {} b", SECRET.replace('/', "\\/"))), [Spelling::Escaped]);
        assert_eq!(found(&SECRET.escape_default().to_string()), [Spelling::Escaped]);
        assert_eq!(found("a pl%C3%A1nt%2Fed%2Bsecret"), [Spelling::Percent]);
        assert_eq!(found("pl%c3%a1nt%2fed%2bsecret"), [Spelling::Percent]);
        assert_eq!(found("706cc3a16e742f65642b736563726574"), [Spelling::Hex]);
        assert_eq!(found("planted secret"), []);
        assert_eq!(leaks("anything", &[""]), []);
    }

    #[test]
    fn base64_is_found_at_every_offset() {
        for before in ["", "k", "ke", "key", "key:"] {
            for after in ["", "!", "!?", "!?="] {
                let encoded = STANDARD.encode(format!("{before}{SECRET}{after}"));
                let found = leaks(&encoded, &[SECRET]);
                assert_eq!(found.len(), 1, "{before} {after} {encoded}");
            }
        }
    }
}
