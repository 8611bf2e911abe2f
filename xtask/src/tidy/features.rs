//! Features only add: what a condition on a feature may say.

use super::lexer::{self, Kind, Token};
use super::rooms::Kind as Is;
use super::{Check, Finding, House, Rule, Source};

/// The rule about features.
pub(super) const RULES: &[Rule] = &[Rule {
    name: "additive-features",
    reason: "a feature adds and never changes behaviour, because features unify over a whole build",
    check: Check::Whole(conditions),
}];

/// Conditions that may say `not`, where, and why.
const EXCEPTIONS: &[(&str, Is, &str)] = &[(
    "all(feature = \"ring\", not(feature = \"aws-lc-rs\"))",
    Is::Transport,
    "a build with both has to name one cryptography, and it speaks the same TLS",
)];

/// One `cfg` and what it stands before.
#[derive(Debug, Clone, Copy)]
struct Condition<'s, 'a> {
    form: Form,
    tokens: &'s [Token<'a>],
    following: &'s [Token<'a>],
}

/// How a condition is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `#[cfg(...)]` or `cfg_attr`: what is not there is not compiled.
    Attribute,
    /// `cfg!(...)`: a value to decide by.
    Value,
}

fn conditions(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in
        house.sources.iter().filter(|source| source.room.is_some_and(|room| room.kind != Is::Program))
    {
        for condition in all(&source.product) {
            if condition.decides()
                && !is_excepted(source, condition)
                && !never_builds(house, source, condition)
            {
                let line = condition.tokens.first().map_or(1, |token| token.line);
                findings.push(Finding::new(source.path, line, format!("`{}`", condition.text())));
            }
        }
    }
    findings
}

fn is_excepted(source: &Source<'_>, condition: Condition<'_, '_>) -> bool {
    EXCEPTIONS.iter().any(|(allowed, kind, _)| {
        let same = texts(condition.tokens).eq(texts(&lexer::tokens(allowed)));
        same && source.room.is_some_and(|room| room.kind == *kind)
    })
}

/// Whether the room refuses to compile under this very condition, so that nothing it guards is ever built.
fn never_builds(house: &House<'_>, source: &Source<'_>, condition: Condition<'_, '_>) -> bool {
    let mut own = house.sources.iter().filter(|other| other.room == source.room);
    condition.is_none_of_features()
        && own.any(|other| {
            all(&other.product)
                .any(|other| other.is_refusal() && texts(other.tokens).eq(texts(condition.tokens)))
        })
}

impl Condition<'_, '_> {
    /// Whether it does more than add something where a feature is on.
    fn decides(&self) -> bool {
        let says = |word: &str| self.tokens.iter().any(|token| token.is(word));
        says("feature") && (self.form == Form::Value || says("not"))
    }

    /// `not(any(feature = "a", feature = "b"))` and nothing else.
    fn is_none_of_features(&self) -> bool {
        let listed = texts(self.tokens).skip(4).take(self.tokens.len().saturating_sub(6));
        texts(self.tokens).take(4).eq(["not", "(", "any", "("])
            && listed.enumerate().all(|(at, text)| match at % 4 {
                0 => text == "feature",
                1 => text == "=",
                2 => text.starts_with('"'),
                _ => text == ",",
            })
    }

    fn is_refusal(&self) -> bool {
        self.form == Form::Attribute && texts(self.following).take(3).eq(["]", "compile_error", "!"])
    }

    fn text(&self) -> String {
        texts(self.tokens).collect()
    }
}

fn texts<'s>(tokens: &'s [Token<'_>]) -> impl Iterator<Item = &'s str> {
    tokens.iter().map(|token| token.text)
}

/// Every condition in some code.
fn all<'s, 'a>(code: &'s [Token<'a>]) -> impl Iterator<Item = Condition<'s, 'a>> {
    (0..code.len()).filter_map(|start| {
        let (name, following) = code.get(start..)?.split_first()?;
        let (form, group) = match following.first()? {
            bang if bang.is("!") => (Form::Value, following.get(1..)?),
            _ => (Form::Attribute, following),
        };
        let opens = group.first().is_some_and(|open| open.is("("));
        if !(opens && (name.is("cfg") || name.is("cfg_attr"))) {
            return None;
        }
        let end = closing(group)?;
        Some(Condition { form, tokens: group.get(1..end)?, following: group.get(end + 1..)? })
    })
}

/// Where the parenthesis that `group` begins with is closed.
fn closing(group: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_usize;
    group.iter().position(|token| {
        match (token.kind, token.text) {
            (Kind::Punctuation, "(") => depth += 1,
            (Kind::Punctuation, ")") => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}
