//! How files and names look.

use super::lexer::{self, Kind, Token};
use super::sources::library;
use super::{Check, Finding, House, Rule, Source};

/// The rules about style.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "long-files",
        reason: "over 400 lines a file wants a reason: `// tidy: over 400 lines: <why>`",
        check: Check::Whole(long_files),
    },
    Rule {
        name: "long-functions",
        reason: "over 60 lines a function wants a reason inside: `// tidy: over 60 lines: <why>`",
        check: Check::Whole(long_functions),
    },
    Rule {
        name: "names",
        reason: "no `get_`, no Manager, Helper, Util or Common, no alias but Result: a name says what a thing is",
        check: Check::Whole(names),
    },
    Rule {
        name: "boolean-parameters",
        reason: "`true` at a call says nothing: take an enum of two",
        check: Check::Whole(boolean_parameters),
    },
    Rule {
        name: "open-enums",
        reason: "a public enum is `#[non_exhaustive]`, or its documentation says that it is closed on purpose",
        check: Check::Whole(undecided_enums),
    },
    Rule {
        name: "own-files",
        reason: "a user's clone has nothing outside itself: nothing here reads or names files elsewhere",
        check: Check::Whole(files_elsewhere),
    },
];

const VAGUE: &[&str] = &["Manager", "Managers", "Helper", "Helpers", "Util", "Utils", "Common"];
const VAGUE_MODULES: &[&str] = &["manager", "helper", "helpers", "util", "utils", "common"];
/// Methods of other people's traits that take a `bool`: serde's and tracing's visitors.
const FOREIGN: &[&str] = &["visit_bool", "serialize_bool", "record_bool"];
/// In two parts, so that this file does not break its own rule.
const ELSEWHERE: &[&str] = &[concat!("../", "shared"), concat!("/work", "/"), concat!("provider", "-docs/")];

fn long_files(house: &House<'_>) -> Vec<Finding> {
    let long = house.sources.iter().filter(|source| source.text.lines().count() > 400);
    let unexplained = long.filter(|source| !explains(&source.all, "// tidy: over 400 lines: "));
    unexplained.map(|source| Finding::new(source.path, 401, "the file goes on")).collect()
}

fn long_functions(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &house.sources {
        for function in functions(source) {
            let (Some(first), Some(last)) = (function.first(), function.last()) else { continue };
            let lines = last.line - first.line + 1;
            if lines > 60 && !explains(function, "// tidy: over 60 lines: ") {
                findings.push(Finding::new(
                    source.path,
                    first.line,
                    format!("the function has {lines} lines"),
                ));
            }
        }
    }
    findings
}

fn explains(tokens: &[Token<'_>], marker: &str) -> bool {
    let comments = tokens.iter().filter(|token| token.kind == Kind::Comment);
    comments.filter_map(|token| token.text.strip_prefix(marker)).any(|why| !why.trim().is_empty())
}

fn names(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &house.sources {
        let mut depth = 0_usize;
        for (before, token) in lexer::pairs(&source.product) {
            match (before.kind, before.text) {
                (Kind::Punctuation, "{") => depth += 1,
                (Kind::Punctuation, "}") => depth = depth.saturating_sub(1),
                _ => {}
            }
            let refused = match before.text {
                _ if token.kind != Kind::Word => false,
                "fn" => token.text.starts_with("get_"),
                "struct" | "enum" | "trait" => camel_words(token.text).any(|word| VAGUE.contains(&word)),
                "mod" => VAGUE_MODULES.contains(&token.text),
                // Inside braces it is an associated type.
                "type" => depth == 0 && token.text != "Result",
                _ => false,
            };
            if refused {
                findings.push(Finding::new(
                    source.path,
                    token.line,
                    format!("`{} {}`", before.text, token.text),
                ));
            }
        }
    }
    findings
}

/// `Utility` and `Account` of `UtilityAccount`; `HTTP` and `Util` of `HTTPUtil`.
fn camel_words(name: &str) -> impl Iterator<Item = &str> {
    let letters: Vec<_> = name.char_indices().collect();
    let begins = move |at: usize| {
        let letter = |at: Option<usize>| at.and_then(|at| letters.get(at)).map(|(_, letter)| *letter);
        let (before, after) = (letter(at.checked_sub(1)), letter(Some(at + 1)));
        let capital = letter(Some(at)).is_some_and(char::is_uppercase);
        capital && (before.is_none_or(|c| !c.is_uppercase()) || after.is_some_and(char::is_lowercase))
    };
    let count = name.chars().count();
    let starts: Vec<_> = (0..count).filter(|at| begins(*at)).collect();
    let ends: Vec<_> = starts.iter().skip(1).copied().chain([count]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| {
        let byte = |at: usize| name.char_indices().nth(at).map_or(name.len(), |(byte, _)| byte);
        name.get(byte(start)..byte(end)).unwrap_or_default()
    })
}

fn boolean_parameters(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &house.sources {
        for function in functions(source) {
            let signature = function.split(|token| token.is("{")).next().unwrap_or_default();
            if signature.get(1).is_some_and(|name| FOREIGN.contains(&name.text)) {
                continue;
            }
            if let Some(ty) = flag(signature) {
                findings.push(Finding::new(source.path, ty.line, "takes a `bool`"));
            }
        }
    }
    findings
}

/// A parameter's `bool`: bare, borrowed, or perhaps there. What a function returns may be one.
fn flag<'s, 'a>(signature: &'s [Token<'a>]) -> Option<&'s Token<'a>> {
    let mut types = signature.iter().enumerate().filter(|(_, token)| token.is("bool"));
    let flag = types.find(|(at, _)| {
        let before = |back: usize| at.checked_sub(back).and_then(|at| signature.get(at));
        let is = |back: usize, text: &str| before(back).is_some_and(|token| token.is(text));
        let named = |back: usize| {
            let lifetime = before(back).is_some_and(|token| token.kind == Kind::Lifetime);
            let back = if lifetime { back + 1 } else { back };
            is(back, ":") || (is(back, "&") && is(back + 1, ":"))
        };
        named(1) || (is(1, "<") && is(2, "Option") && named(3))
    });
    flag.map(|(_, token)| token)
}

/// Every function that has a name, from its `fn` to its last brace, comments included.
fn functions<'s, 'a>(source: &'s Source<'a>) -> impl Iterator<Item = &'s [Token<'a>]> {
    let starts = lexer::pairs(&source.all).enumerate();
    let starts = starts.filter(|(_, (keyword, name))| keyword.is("fn") && name.kind == Kind::Word);
    starts.filter_map(|(start, _)| source.all.get(start..).map(function))
}

/// What `tokens` begins with, up to the brace that closes its body, or the `;` when it has none.
fn function<'s, 'a>(tokens: &'s [Token<'a>]) -> &'s [Token<'a>] {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Punctuation) {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(token.text, "}" | ";") {
            return tokens.get(..=index).unwrap_or_default();
        }
    }
    tokens
}

fn undecided_enums(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.sources.iter().filter(|source| library(source)) {
        let public = |(before, token): &(&Token<'_>, &Token<'_>)| before.is("pub") && token.is("enum");
        let shipped: Vec<_> = lexer::pairs(&source.product).filter(public).map(|(_, it)| it.line).collect();
        for (at, (_, token)) in lexer::pairs(&source.all).enumerate().filter(|(_, pair)| public(pair)) {
            let head = source.all.get(..at).unwrap_or_default();
            let head = head.rsplit(|token| [";", "{", "}"].iter().any(|end| token.is(end))).next();
            if shipped.contains(&token.line) && !is_decided(head.unwrap_or_default()) {
                let name = source.all.get(at + 2).map_or("", |name| name.text);
                findings.push(Finding::new(source.path, token.line, format!("`pub enum {name}`")));
            }
        }
    }
    findings
}

/// Whether what stands above an enum says that it is open, or that it is closed on purpose.
fn is_decided(head: &[Token<'_>]) -> bool {
    let documentation = head.iter().filter(|token| token.text.starts_with("///"));
    let words = documentation.flat_map(|line| line.text.trim_start_matches('/').split_whitespace());
    let said = words.collect::<Vec<_>>().join(" ").to_lowercase();
    let is_closed = ["closed on purpose", "deliberately closed"].iter().any(|words| said.contains(words));
    is_closed || head.iter().any(|token| token.is("non_exhaustive"))
}

fn files_elsewhere(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &house.repository.files {
        for (index, line) in text.lines().enumerate() {
            if let Some(name) = ELSEWHERE.iter().find(|name| line.contains(**name)) {
                findings.push(Finding::new(path.as_str(), index + 1, format!("names {name}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::camel_words;

    #[test]
    fn names_are_cut_where_words_begin() {
        let words = |name| camel_words(name).collect::<Vec<_>>().join(" ");
        assert_eq!(words("UtilityAccount"), "Utility Account");
        assert_eq!(words("PaymentUtil"), "Payment Util");
        assert_eq!(words("HTTPUtil2Go"), "HTTP Util2 Go");
        assert_eq!(words("A"), "A");
    }
}
