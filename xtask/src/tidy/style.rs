//! How files and names look.

use super::lexer::{Kind, Token};
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
        name: "own-files",
        reason: "a user's clone has nothing outside itself: nothing here reads or names files elsewhere",
        check: Check::Whole(files_elsewhere),
    },
];

const VAGUE: &[&str] = &["Manager", "Helper", "Util", "Common"];
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
        for [before, token] in source.product.array_windows() {
            match (before.kind, before.text) {
                (Kind::Punctuation, "{") => depth += 1,
                (Kind::Punctuation, "}") => depth = depth.saturating_sub(1),
                _ => {}
            }
            let refused = match before.text {
                _ if token.kind != Kind::Word => false,
                "fn" => token.text.starts_with("get_"),
                "struct" | "enum" | "trait" => VAGUE.iter().any(|vague| token.text.contains(vague)),
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

fn boolean_parameters(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &house.sources {
        for function in functions(source) {
            let signature = function.split(|token| token.is("{")).next().unwrap_or_default();
            if signature.get(1).is_some_and(|name| FOREIGN.contains(&name.text)) {
                continue;
            }
            let takes = signature.array_windows().find(|[colon, ty]| colon.is(":") && ty.is("bool"));
            if let Some([_, ty]) = takes {
                findings.push(Finding::new(source.path, ty.line, "takes a `bool`"));
            }
        }
    }
    findings
}

/// Every function that has a name, from its `fn` to its last brace, comments included.
fn functions<'s, 'a>(source: &'s Source<'a>) -> impl Iterator<Item = &'s [Token<'a>]> {
    let starts = source.all.array_windows().enumerate();
    let starts = starts.filter(|(_, [keyword, name])| keyword.is("fn") && name.kind == Kind::Word);
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
