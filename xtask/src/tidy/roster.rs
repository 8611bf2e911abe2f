//! The roster: what a provider is made of, counted.

use std::ops::RangeInclusive;

use super::lexer::{Kind as Literal, Token};
use super::rooms::{Kind, Room};
use super::{Check, Finding, House, Rule, words};

/// The rules about whole providers.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "roster",
        reason: "a provider comes with its files, simulator face, pages, facade lines and conformance line",
        check: Check::Whole(roster),
    },
    Rule {
        name: "explained-rooms",
        reason: "docs/architecture.md names every room, so that a newcomer finds what each is for",
        check: Check::Whole(unexplained_rooms),
    },
    Rule {
        name: "code-tables",
        reason: "every code a provider knows stands on its gateway's page, with its source",
        check: Check::Whole(codes_without_a_page),
    },
    Rule {
        name: "provider-size",
        reason: "a provider is 700 to 1,200 lines of src/ without its list of addresses: less leaves something out, more does another's work",
        check: Check::Whole(sizes),
    },
];

const FILES: &[&str] = &[
    "README.md",
    "src/lib.rs",
    "src/config.rs",
    "src/wire.rs",
    "src/encode.rs",
    "src/decode.rs",
    "src/callback.rs",
    "src/provider.rs",
    "tests/it/main.rs",
];
const UNVERIFIED: &str = "docs/unverified.md";
const ARCHITECTURE: &str = "docs/architecture.md";
/// Files that one provider alone has.
const EXTRA_FILES: &[(&str, &str)] = &[("daraja", "src/credential.rs")];
const LINES: RangeInclusive<usize> = 700..=1_200;
/// What does no work of a provider's: addresses that were published.
const LISTS: &[&str] = &["sources.rs"];

fn roster(house: &House<'_>) -> Vec<Finding> {
    providers(house).flat_map(|room| missing(house, room)).collect()
}

fn missing(house: &House<'_>, room: &Room) -> Vec<Finding> {
    let (name, folder) = (room.name, room.folder());
    let exists = |path: &str| house.repository.file(path).is_some();
    let mut findings = Vec::new();
    let mut expect = |path: String, what: &str| findings.push(Finding::new(path, 1, what));

    let extra = EXTRA_FILES.iter().filter(|(owner, _)| *owner == name).map(|(_, file)| file);
    for file in FILES.iter().chain(extra).map(|file| format!("{folder}/{file}")) {
        if !exists(&file) {
            expect(file, "is missing");
        }
    }
    let face = format!("crates/sim/src/gateways/{name}");
    if !exists(&format!("{face}.rs")) && !exists(&format!("{face}/mod.rs")) {
        expect(format!("{face}.rs"), "is missing: every gateway has a face in the simulator");
    }
    let page = format!("docs/gateways/{name}.md");
    if !exists(&page) {
        expect(page, "is missing: every gateway has a page");
    }
    if !heads_a_part(house, UNVERIFIED, name) {
        expect(UNVERIFIED.to_owned(), &format!("has no heading that names {name}"));
    }
    let facade = house.repository.packages.iter().find(|package| package.name == "malipo");
    if !facade.is_some_and(|package| package.features.iter().any(|feature| feature == name)) {
        expect("crates/malipo/Cargo.toml".to_owned(), &format!("has no feature {name}"));
    }
    let reexport = format!("pub use {}", room.crate_name());
    if !stands_under(house, "crates/malipo/src/lib.rs", &reexport) {
        expect("crates/malipo/src/lib.rs".to_owned(), &format!("has no `{reexport}`"));
    }
    let tests = format!("{folder}/tests/it/");
    if !stands_under(house, &tests, "malipo_testkit::conformance!") {
        expect(format!("{tests}main.rs"), "has no `malipo_testkit::conformance!`");
    }
    findings
}

fn stands_under(house: &House<'_>, prefix: &str, code: &str) -> bool {
    house.sources.iter().any(|source| source.path.starts_with(prefix) && words::stands(source, code))
}

/// Whether a page is there and has a heading with this word in it.
fn heads_a_part(house: &House<'_>, page: &str, word: &str) -> bool {
    let mut headings =
        house.repository.file(page).unwrap_or_default().lines().filter(|line| line.starts_with('#'));
    headings.any(|heading| heading.to_lowercase().contains(word))
}

fn unexplained_rooms(house: &House<'_>) -> Vec<Finding> {
    let page = house.repository.file(ARCHITECTURE).unwrap_or_default();
    let unnamed = house.repository.rooms().filter(|room| !page.contains(&format!("`{}`", room.name)));
    unnamed.map(|room| Finding::new(ARCHITECTURE, 1, format!("does not name `{}`", room.name))).collect()
}

fn codes_without_a_page(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &house.sources {
        let Some(room) = source.room.filter(|room| room.kind == Kind::Provider) else { continue };
        if !matches!(source.file_name(), "decode.rs" | "callback.rs") {
            continue;
        }
        let path = format!("docs/gateways/{}.md", room.name);
        let Some(page) = house.repository.file(&path) else { continue };
        for (token, code) in codes(&source.product) {
            if !page.contains(&format!("`{code}`")) {
                findings.push(Finding::new(
                    source.path,
                    token.line,
                    format!("`{code}` does not stand in {path}"),
                ));
            }
        }
    }
    findings
}

/// The first argument of every `CodeRow::new`, where it is a literal.
fn codes<'s, 'a>(code: &'s [Token<'a>]) -> impl Iterator<Item = (&'s Token<'a>, &'a str)> {
    code.windows(6).filter_map(|six| match six {
        [row, _, _, new, open, text]
            if row.is("CodeRow") && new.is("new") && open.is("(") && text.kind == Literal::Text =>
        {
            Some((text, text.text.trim_matches('"')))
        }
        _ => None,
    })
}

fn sizes(house: &House<'_>) -> Vec<Finding> {
    let sized = providers(house).map(|room| {
        let source = format!("{}/src/", room.folder());
        let is_list = |path: &str| LISTS.iter().any(|list| path.strip_prefix(&*source) == Some(list));
        let counted = house.repository.under(&source).filter(|(path, _)| !is_list(path));
        let lines: usize = counted.map(|(_, text)| text.lines().count()).sum();
        (source, lines)
    });
    let wrong = sized.filter(|(_, lines)| !LINES.contains(lines));
    wrong
        .map(|(source, lines)| Finding::new(format!("{source}lib.rs"), 1, format!("src/ has {lines} lines")))
        .collect()
}

fn providers(house: &House<'_>) -> impl Iterator<Item = &'static Room> {
    house.repository.rooms().filter(|room| room.kind == Kind::Provider)
}
