//! Snapshots: none waiting for a decision, none that no test compares with.

use std::collections::BTreeSet;

use super::lexer::{self, Kind, Token};
use super::{Check, Finding, House, Repository, Rule};

/// The rules about snapshot files.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "pending-snapshots",
        reason: "a new snapshot is looked at and accepted, or its cause mended; it does not lie about",
        check: Check::Whole(|house| pending(house.repository)),
    },
    Rule {
        name: "stray-snapshots",
        reason: "a snapshot no test compares with promises something nobody checks",
        check: Check::Whole(stray),
    },
];

/// The snapshots that wait for somebody to accept them.
pub(crate) fn pending(repository: &Repository) -> Vec<Finding> {
    let paths = repository.files.keys().filter(|path| waits(path));
    paths.map(|path| Finding::new(path.as_str(), 1, "is not accepted yet")).collect()
}

/// Whether a file is a snapshot that nobody has decided about.
pub(super) fn waits(path: &str) -> bool {
    path.ends_with(".snap.new") || path.ends_with(".pending-snap")
}

fn stray(house: &House<'_>) -> Vec<Finding> {
    let snapshots = house.repository.files.keys().filter(|path| path.ends_with(".snap"));
    let strays = snapshots.filter(|path| {
        let package = path.split('/').take(2).collect::<Vec<_>>().join("/");
        !names(house, &format!("{package}/")).iter().any(|name| belongs(path, name))
    });
    strays.map(|path| Finding::new(path.as_str(), 1, "belongs to no test")).collect()
}

/// What a package's snapshots may be called after: its functions, and names given as literals.
fn names<'a>(house: &'a House<'_>, package: &str) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for source in house.sources.iter().filter(|source| source.path.starts_with(package)) {
        for (before, token) in lexer::pairs(&source.code) {
            if before.is("fn") {
                names.insert(token.text.trim_start_matches("test_"));
            } else if token.kind == Kind::Text {
                names.insert(literal(token));
            }
        }
    }
    names.remove("");
    names
}

fn literal<'a>(token: &Token<'a>) -> &'a str {
    token.text.trim_matches('"')
}

/// `it__encode__wallet-2.snap` and `it__encode__wallet@case.snap` belong to `wallet`.
fn belongs(path: &str, name: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".snap");
    let stem = file.split('@').next().unwrap_or(file);
    let numbered = stem.rsplit_once('-').filter(|(_, number)| number.parse::<u32>().is_ok());
    let unnumbered = numbered.map_or(stem, |(stem, _)| stem);
    [stem, unnumbered]
        .into_iter()
        .any(|stem| stem.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with("__")))
}
