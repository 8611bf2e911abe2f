//! The house rules a program can check, each with the reason it is there.
//!
//! Sources are judged as tokens, not as resolved code: a renamed import can hide a call from a rule here, and
//! clippy's `disallowed-methods`, which resolves paths, is the second net below it.

mod edges;
mod features;
#[cfg(test)]
mod house;
mod imports;
mod lexer;
mod links;
mod loops;
mod manifests;
mod providers;
mod repository;
pub(crate) mod rooms;
mod roster;
mod snapshots;
mod sources;
mod style;
mod words;

use std::fmt;

pub(crate) use repository::Repository;
use repository::Source;
pub(crate) use snapshots::pending as pending_snapshots;
use words::Words;

/// One rule.
#[derive(Debug)]
struct Rule {
    name: &'static str,
    reason: &'static str,
    check: Check,
}

/// How a rule looks.
#[derive(Debug)]
enum Check {
    /// For words where they may not stand.
    Words(&'static [Words]),
    /// With a function of its own.
    Whole(fn(&House<'_>) -> Vec<Finding>),
    /// Both ways.
    Both(&'static [Words], fn(&House<'_>) -> Vec<Finding>),
}

/// The repository with its sources cut into tokens once.
#[derive(Debug)]
struct House<'a> {
    repository: &'a Repository,
    sources: Vec<Source<'a>>,
}

/// A place, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    rule: &'static str,
    reason: &'static str,
    finding: Finding,
}

impl Finding {
    fn new(path: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.into(), line, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { path, line, what } = &self.finding;
        write!(f, "{path}:{line}: {what}\n    rule {}: {}", self.rule, self.reason)
    }
}

/// All the rules.
fn rules() -> impl Iterator<Item = &'static Rule> {
    let by_subject = [
        edges::RULES,
        providers::RULES,
        sources::RULES,
        features::RULES,
        roster::RULES,
        manifests::RULES,
        style::RULES,
        links::RULES,
        snapshots::RULES,
    ];
    by_subject.into_iter().flatten()
}

/// Every broken rule, in the order of the rules.
pub(crate) fn violations(repository: &Repository) -> Vec<Violation> {
    let house = House { repository, sources: repository.sources() };
    let found = rules().flat_map(|rule| {
        let findings = match rule.check {
            Check::Words(passes) => words::findings(&house, passes),
            Check::Whole(check) => check(&house),
            Check::Both(passes, check) => [words::findings(&house, passes), check(&house)].concat(),
        };
        findings.into_iter().map(|finding| Violation { rule: rule.name, reason: rule.reason, finding })
    });
    found.collect()
}
