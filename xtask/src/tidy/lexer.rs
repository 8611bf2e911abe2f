//! Rust source as tokens with their lines: enough to tell code from comments, strings and tests.
//!
//! Not a parser: it does not expand macros, resolve names or follow renamed imports. The rules that need
//! resolved paths are clippy's `disallowed-methods`; the two overlap on purpose.

/// What a token is, as far as the rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whitespace; never kept.
    Space,
    /// An identifier, a keyword or the suffix of a number.
    Word,
    /// The digits of a number.
    Number,
    /// One character of punctuation.
    Punctuation,
    /// A string literal of any sort, quotes included.
    Text,
    /// A character literal.
    Character,
    /// A lifetime.
    Lifetime,
    /// A comment of any sort.
    Comment,
}

/// A piece of source and the line it begins on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub(crate) kind: Kind,
    /// How it is written.
    pub(crate) text: &'a str,
    /// Its first line, from 1.
    pub(crate) line: usize,
}

impl Token<'_> {
    /// Whether this is the word or punctuation `text`, and not a string or comment that reads like it.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Punctuation) && self.text == text
    }
}

/// Cuts `source` into tokens. Source that does not compile gives tokens too, if not useful ones.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), source, 1);
    while let Some(first) = rest.chars().next() {
        let (kind, length) = measure(rest, first);
        let Some((text, tail)) = rest.split_at_checked(length.max(1)) else { break };
        if kind != Kind::Space {
            tokens.push(Token { kind, text, line });
        }
        line += text.matches('\n').count();
        rest = tail;
    }
    tokens
}

/// The tokens that are not comments.
pub(crate) fn code<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    tokens.iter().filter(|token| token.kind != Kind::Comment).copied().collect()
}

/// Every token with the one after it.
pub(crate) fn pairs<'s, 'a>(
    tokens: &'s [Token<'a>],
) -> impl DoubleEndedIterator<Item = (&'s Token<'a>, &'s Token<'a>)> + ExactSizeIterator {
    tokens.iter().zip(tokens.iter().skip(1))
}

/// What is left of code without the items marked `#[cfg(test)]`.
pub(crate) fn product<'a>(code: &[Token<'a>]) -> Vec<Token<'a>> {
    let (mut kept, mut rest) = (Vec::new(), code);
    while let Some((token, tail)) = rest.split_first() {
        if let Some(attribute) = test_attribute(rest) {
            rest = after_item(rest.get(attribute..).unwrap_or_default());
        } else {
            kept.push(*token);
            rest = tail;
        }
    }
    kept
}

/// The modules declared as `#[cfg(test)] mod name;`, whose files are test code as a whole.
pub(crate) fn test_modules<'a>(code: &[Token<'a>]) -> Vec<&'a str> {
    let mut names = Vec::new();
    for start in 0..code.len() {
        let rest = code.get(start..).unwrap_or_default();
        let item = test_attribute(rest).and_then(|length| rest.get(length..)).unwrap_or_default();
        if let [keyword, name, end, ..] = item
            && keyword.is("mod")
            && end.is(";")
        {
            names.push(name.text);
        }
    }
    names
}

/// How many tokens `#[cfg(test)]`, or `#[cfg(all(test, ...))]`, takes when `tokens` begins with it.
fn test_attribute(tokens: &[Token<'_>]) -> Option<usize> {
    let [hash, open, cfg, ..] = tokens else { return None };
    if !(hash.is("#") && open.is("[") && cfg.is("cfg")) {
        return None;
    }
    let end = tokens.iter().position(|token| token.is("]"))?;
    let condition = tokens.get(..end)?;
    let for_tests = condition.iter().any(|token| token.is("test"));
    let for_others = condition.iter().any(|token| token.is("not") || token.is("any"));
    (for_tests && !for_others).then_some(end + 1)
}

/// What follows the item that `tokens` begins with: everything after its `;` or its braces.
fn after_item<'s, 'a>(tokens: &'s [Token<'a>]) -> &'s [Token<'a>] {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            "{" | "(" | "[" if token.kind == Kind::Punctuation => depth += 1,
            "}" | ")" | "]" if token.kind == Kind::Punctuation => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (token.is("}") || token.is(";")) {
            return tokens.get(index + 1..).unwrap_or_default();
        }
    }
    &[]
}

/// The kind and length in bytes of the token `rest` begins with.
fn measure(rest: &str, first: char) -> (Kind, usize) {
    if first.is_whitespace() {
        return (Kind::Space, run(rest, char::is_whitespace));
    }
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest));
    }
    if let Some(length) = text(rest) {
        return (Kind::Text, length);
    }
    if first == '\'' || rest.starts_with("b'") {
        return quote(rest);
    }
    if first.is_ascii_digit() {
        return (Kind::Number, run(rest, |c| c.is_ascii_digit() || c == '_'));
    }
    if first == '_' || first.is_alphabetic() {
        return (Kind::Word, run(rest, |c| c == '_' || c.is_alphanumeric()));
    }
    (Kind::Punctuation, first.len_utf8())
}

fn run(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of the string literal `rest` begins with: plain, byte or C, raw or not.
fn text(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let tail = rest.strip_prefix(prefix).unwrap_or_default();
        tail.starts_with('"') || (prefix.ends_with('r') && tail.trim_start_matches('#').starts_with('"'))
    })?;
    let body = rest.get(prefix.len()..)?;
    if !prefix.ends_with('r') {
        return Some(prefix.len() + quoted(body, '"'));
    }
    let hashes = body.len() - body.trim_start_matches('#').len();
    let close = format!("\"{}", "#".repeat(hashes));
    let inside = body.get(hashes + 1..)?;
    let length = inside.find(&close).map_or(inside.len(), |end| end + close.len());
    Some(prefix.len() + hashes + 1 + length)
}

/// The length of a literal in quotes with backslash escapes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A quote begins a character when a backslash or another quote follows; otherwise a lifetime.
fn quote(rest: &str) -> (Kind, usize) {
    let prefix = usize::from(rest.starts_with('b'));
    let body = rest.get(prefix..).unwrap_or_default();
    let mut following = body.chars().skip(1);
    let (next, afterwards) = (following.next(), following.next());
    if next == Some('\\') || afterwards == Some('\'') {
        return (Kind::Character, prefix + quoted(body, '\''));
    }
    let name = run(body.get(1..).unwrap_or_default(), |c| c == '_' || c.is_alphanumeric());
    (Kind::Lifetime, prefix + 1 + name)
}

#[cfg(test)]
mod tests {
    use super::{Kind, product, test_modules, tokens};

    fn written(source: &str, kind: Kind) -> Vec<&str> {
        tokens(source).into_iter().filter(|token| token.kind == kind).map(|token| token.text).collect()
    }

    #[test]
    fn comments_are_not_words() {
        let source = "a // b\n/* c /* d */ e */ f /// g\n/**/ h";
        assert_eq!(written(source, Kind::Word), ["a", "f", "h"]);
        assert_eq!(written(source, Kind::Comment), ["// b", "/* c /* d */ e */", "/// g", "/**/"]);
    }

    #[test]
    fn strings_end_where_rust_says() {
        let source = r####"a "b \" // c" r"\" br##"x "# y"## b"z" c"w" r#"" d "# e"####;
        assert_eq!(written(source, Kind::Word), ["a", "e"]);
        assert_eq!(
            written(source, Kind::Text),
            [r#""b \" // c""#, r#"r"\""#, r###"br##"x "# y"##"###, r#"b"z""#, r#"c"w""#, r##"r#"" d "#"##]
        );
    }

    #[test]
    fn lifetimes_are_not_characters() {
        let source = r"fn f<'a, 'b_c>(x: &'a str) -> &'static str { 'x'; '\''; '\u{1F}'; b'".to_owned()
            + r#""'; '"'; '→' }"#;
        assert_eq!(written(&source, Kind::Lifetime), ["'a", "'b_c", "'a", "'static"]);
        assert_eq!(
            written(&source, Kind::Character),
            ["'x'", r"'\''", r"'\u{1F}'", r#"b'"'"#, r#"'"'"#, "'→'"]
        );
    }

    #[test]
    fn raw_identifiers_and_number_suffixes_are_words() {
        assert_eq!(written("r#type 1_000u64 2.5f64 0x1f", Kind::Word), ["r", "type", "u64", "f64", "x1f"]);
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let lines: Vec<_> =
            tokens("a\n\"x\ny\" b\n/* 1\n2 */ c").into_iter().map(|t| (t.text, t.line)).collect();
        assert_eq!(lines, [("a", 1), ("\"x\ny\"", 2), ("b", 3), ("/* 1\n2 */", 4), ("c", 5)]);
    }

    #[test]
    fn items_for_tests_are_not_product() {
        let source = "a; #[cfg(test)] mod tests { fn b() { c } } d; #[cfg(test)] use e::{f}; g; \
                      #[cfg(not(test))] h; #[cfg(test)] #[path = \"x\"] mod i; j";
        let kept = product(&tokens(source));
        let words: Vec<_> = kept.iter().filter(|t| t.kind == Kind::Word).map(|t| t.text).collect();
        assert_eq!(words, ["a", "d", "g", "cfg", "not", "test", "h", "j"]);
    }

    #[test]
    fn modules_for_tests_are_named() {
        assert_eq!(test_modules(&tokens("mod a; #[cfg(test)] mod b; #[cfg(test)] mod c { mod d; }")), ["b"]);
    }

    #[test]
    fn unfinished_source_still_ends() {
        for source in ["\"", "r#\"", "'", "/*", "b'", "r#", "#[cfg(test)] mod x {", "é'é"] {
            assert!(!tokens(source).is_empty(), "{source}");
        }
    }
}
