//! Words that may not stand somewhere: how a rule that is a place and a list is held against the sources.

use std::collections::BTreeSet;

use super::lexer::{self, Kind, Token};
use super::{Finding, House, Source};

/// A place and what may not stand there.
#[derive(Debug)]
pub(super) struct Words {
    /// Which files.
    pub(super) within: fn(&Source<'_>) -> bool,
    /// Which parts of them.
    pub(super) look: Look,
    /// Code is matched token by token, so spacing does not matter.
    pub(super) refused: &'static [&'static str],
}

/// The parts of a file a list is held against.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    /// Code, without tests.
    Product,
    /// Code, tests included.
    Code,
    /// Whole words of comments.
    Comments,
}

/// What the passes of one rule find.
pub(super) fn findings(house: &House<'_>, passes: &[Words]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pass in passes {
        for source in house.sources.iter().filter(|source| (pass.within)(source)) {
            for refused in pass.refused {
                let lines = pass.look.lines(source, refused);
                findings.extend(
                    lines.into_iter().map(|line| Finding::new(source.path, line, format!("`{refused}`"))),
                );
            }
        }
    }
    findings
}

/// Whether `code` stands anywhere in the source outside comments.
pub(super) fn stands(source: &Source<'_>, code: &str) -> bool {
    !Look::Code.lines(source, code).is_empty()
}

impl Look {
    /// The lines on which `refused` stands.
    fn lines(self, source: &Source<'_>, refused: &str) -> Vec<usize> {
        match self {
            Self::Product => code_lines([&source.product, &source.product_imports], refused),
            Self::Code => code_lines([&source.code, &source.imports], refused),
            Self::Comments => comment_lines(&source.all, |text| {
                text.split(|c: char| !c.is_alphanumeric()).any(|word| word == refused)
            }),
        }
    }
}

/// The lines of code, or of imports laid out flat, where `refused` stands.
fn code_lines(parts: [&[Token<'_>]; 2], refused: &str) -> Vec<usize> {
    let wanted = lexer::tokens(refused);
    let same = |at: &[Token<'_>]| at.iter().zip(&wanted).all(|(a, b)| (a.kind, a.text) == (b.kind, b.text));
    let places = parts.into_iter().flat_map(|tokens| tokens.windows(wanted.len().max(1)));
    let lines: BTreeSet<_> =
        places.filter(|at| same(at)).filter_map(|at| at.first()).map(|token| token.line).collect();
    lines.into_iter().collect()
}

/// The lines inside comments that `found` recognises.
fn comment_lines(tokens: &[Token<'_>], found: impl Fn(&str) -> bool) -> Vec<usize> {
    let texts = tokens.iter().filter(|token| token.kind == Kind::Comment);
    let lines = texts
        .flat_map(|token| token.text.lines().enumerate().map(|(below, text)| (token.line + below, text)));
    lines.filter(|(_, text)| found(text)).map(|(line, _)| line).collect()
}
