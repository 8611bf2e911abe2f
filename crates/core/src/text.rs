use std::fmt;

/// Words a gateway told us, made safe to show.
///
/// They are hostile until then: gateways echo tokens, and a log line must not be steered by what a stranger
/// posts. Runs that look like tokens are replaced by `[removed]`, control and direction characters are
/// escaped, and the whole is cut to [`Told::LONGEST`] characters.
///
/// ```
/// use malipo_core::Told;
///
/// let told = Told::new("Invalid Access Token - BJGFGOXv5aZnw90KkA4TDtu4Xdyf\u{1b}[31m");
/// assert_eq!(told.as_str(), "Invalid Access Token - [removed]\\u{1b}[31m");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told(String);

impl Told {
    /// The most characters kept.
    pub const LONGEST: usize = 200;

    /// Makes `text` safe to show. What is safe already stays as it is, so what was stored reads back.
    pub fn new(text: &str) -> Self {
        let mut safe = String::new();
        let mut run = String::new();
        // What looks like a token is found before the text is cut, or a part of it would stay.
        for character in text.chars().take(4 * Self::LONGEST) {
            if is_token_character(character) {
                run.push(character);
            } else {
                flush(&mut run, &mut safe);
                escape(character, &mut safe);
            }
        }
        flush(&mut run, &mut safe);
        Self(safe.chars().take(Self::LONGEST).collect())
    }

    /// A code, a number or a name of the gateway: verbatim, for comparing, but for characters that would steer a
    /// terminal, and cut to 100. What it gives stays the same when it is given again, as what was stored is.
    pub fn code(code: &str) -> String {
        let mut safe = String::new();
        code.chars().take(100).for_each(|character| escape(character, &mut safe));
        safe.chars().take(100).collect()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was told.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=' | '_' | '.' | '-')
}

/// Twenty characters without a space that mix letters and digits are no word of any language.
fn flush(run: &mut String, safe: &mut String) {
    let mixed =
        run.bytes().any(|byte| byte.is_ascii_digit()) && run.bytes().any(|byte| byte.is_ascii_alphabetic());
    safe.push_str(if run.len() >= 20 && mixed { "[removed]" } else { run });
    run.clear();
}

fn escape(character: char, safe: &mut String) {
    let steers = character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if steers {
        safe.extend(character.escape_unicode());
    } else {
        safe.push(character);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_are_removed_and_words_stay() {
        for (text, shown) in [
            (
                "Error Occurred - Invalid Access Token - BJGFGOXv5aZnw90KkA4TDtu4Xdyf",
                "Error Occurred - Invalid Access Token - [removed]",
            ),
            ("The initiator information is invalid.", "The initiator information is invalid."),
            ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "Bearer [removed]"),
            ("internationalisationproblem", "internationalisationproblem"),
            ("16740-34861180-1", "16740-34861180-1"),
            ("a1a1a1a1a1a1a1a1a1a", "a1a1a1a1a1a1a1a1a1a"),
            ("a1a1a1a1a1a1a1a1a1a1", "[removed]"),
        ] {
            assert_eq!(Told::new(text).as_str(), shown);
        }
    }

    #[test]
    fn nothing_steers_a_terminal_or_a_log() {
        assert_eq!(
            Told::new("a\nb\r\u{1b}[2J\u{202e}c\u{2028}").as_str(),
            r"a\u{a}b\u{d}\u{1b}[2J\u{202e}c\u{2028}"
        );
        assert_eq!(Told::code("50\n0"), r"50\u{a}0");
        assert_eq!(Told::new(&"a b ".repeat(1000)).as_str().len(), Told::LONGEST);
        assert_eq!(Told::code(&"1".repeat(1000)).len(), 100);
        let cut = format!("{} {}", "x".repeat(Told::LONGEST - 10), "a1".repeat(20));
        assert!(!Told::new(&cut).as_str().contains("a1"), "a token at the cut is removed, too");
    }

    proptest! {
        #[test]
        fn what_is_safe_stays_as_it_is(text in "[a-zA-Z0-9 +/.\\-\\\\{}\u{0}-\u{20}\u{202e}é]{0,300}") {
            let told = Told::new(&text);
            prop_assert_eq!(Told::new(told.as_str()), told);
            let code = Told::code(&text);
            prop_assert_eq!(Told::code(&code), code);
        }
    }
}
