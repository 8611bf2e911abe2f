//! What each manifest and front page must say.

use super::{Check, Finding, House, Rule, rooms, words};

/// The rules about manifests and what they point to.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "manifest",
        reason: "every crate carries the licence and the workspace's lints",
        check: Check::Whole(licence_and_lints),
    },
    Rule {
        name: "versions",
        reason: "a version is named once, in the root's [workspace.dependencies], and is never a wildcard",
        check: Check::Whole(versions),
    },
    Rule {
        name: "front-page",
        reason: "a crate's README.md is its rustdoc front page, so that it compiles, and says what to understand first",
        check: Check::Whole(front_pages),
    },
    Rule {
        name: "top-level",
        reason: "the top level is short, so that a reader finds the rooms at once",
        check: Check::Whole(top_level),
    },
];

const TOP_LEVEL: &[&str] = &[
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "crates",
    "deny.toml",
    "docs",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "xtask",
];

/// The heading of what a reader of a room's front page may not miss.
const FIRST_THING: &str = "## The one thing to understand first";

/// One entry of a manifest: the table it stands in, its key, and its line.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    table: &'a str,
    key: &'a str,
    value: &'a str,
    line: usize,
}

/// The line on which a manifest declares a dependency; the first when it cannot be seen.
pub(super) fn line_of(manifest: &str, table: &str, dependency: &str) -> usize {
    let quoted = format!("\"{dependency}\"");
    let declares = |entry: &Entry<'_>| {
        let own_table = entry
            .table
            .rsplit_once('.')
            .is_some_and(|(above, name)| above.ends_with(table) && name.trim_matches('"') == dependency);
        let in_table = entry.table == table || entry.table.ends_with(&format!(".{table}"));
        own_table || (in_table && (name(entry.key) == dependency || entry.value.contains(&quoted)))
    };
    entries(manifest).into_iter().find(declares).map_or(1, |entry| entry.line)
}

fn licence_and_lints(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &house.repository.packages {
        let path = format!("{}/Cargo.toml", package.folder);
        let entries = entries(house.repository.file(&path).unwrap_or_default());
        if package.license.as_deref() != Some("MIT OR Apache-2.0") {
            findings.push(Finding::new(path.as_str(), 1, "needs `license.workspace = true`"));
        }
        if !entries
            .iter()
            .any(|entry| entry.table == "lints" && entry.key == "workspace" && entry.value == "true")
        {
            findings.push(Finding::new(path, 1, "needs `[lints] workspace = true`"));
        }
    }
    findings
}

fn versions(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &house.repository.packages {
        let path = format!("{}/Cargo.toml", package.folder);
        let text = house.repository.file(&path).unwrap_or_default();
        for (line, name) in own_versions(text) {
            findings.push(Finding::new(path.as_str(), line, format!("{name} needs `workspace = true`")));
        }
    }
    for entry in entries(house.repository.file("Cargo.toml").unwrap_or_default()) {
        if entry.table.starts_with("workspace.dependencies") && entry.value.contains("\"*\"") {
            findings.push(Finding::new("Cargo.toml", entry.line, format!("{} has a wildcard", entry.key)));
        }
    }
    findings
}

/// The dependencies that a member's manifest does not take from the workspace.
fn own_versions(manifest: &str) -> Vec<(usize, &str)> {
    let entries = entries(manifest);
    let inherits = |entry: &Entry<'_>| {
        let spaceless: String = entry.value.split_whitespace().collect();
        let inline = spaceless.starts_with("{workspace=true") || spaceless.contains(",workspace=true");
        (entry.key.ends_with("workspace") && spaceless == "true") || inline
    };
    let mut own = Vec::new();
    for entry in &entries {
        let is_list = entry.table.ends_with("dependencies");
        let is_one = !is_list && entry.table.contains("dependencies.");
        let inherited = if is_one {
            entries.iter().any(|other| other.table == entry.table && inherits(other))
        } else {
            inherits(entry)
        };
        if (is_list || is_one) && !inherited {
            own.push((entry.line, name(entry.key)));
        }
    }
    own
}

fn front_pages(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &house.repository.packages {
        let readme = format!("{}/README.md", package.folder);
        if house.repository.file(&readme).is_none_or(|text| text.trim().is_empty())
            || package.readme.is_none()
        {
            findings.push(Finding::new(
                readme.as_str(),
                1,
                "is missing, empty or not the manifest's `readme`",
            ));
        }
        let text = house.repository.file(&readme).unwrap_or_default();
        let is_room = rooms::of_package(&package.name).is_some();
        if is_room && !text.is_empty() && !text.lines().any(|line| line == FIRST_THING) {
            findings.push(Finding::new(readme, 1, format!("has no heading `{FIRST_THING}`")));
        }
        let roots = ["lib.rs", "main.rs"].map(|name| format!("{}/src/{name}", package.folder));
        let root = roots.iter().find_map(|root| house.sources.iter().find(|source| source.path == root));
        let shown = |source| words::stands(source, "#![doc = include_str!(\"../README.md\")]");
        if let Some(root) = root.filter(|root| !shown(root)) {
            findings.push(Finding::new(root.path, 1, "needs `#![doc = include_str!(\"../README.md\")]`"));
        }
    }
    let first_lines = |text: &str| text.lines().take(12).any(|line| line.contains("unrelated"));
    let kasapay = "crates/kasapay/README.md";
    if house.repository.file(kasapay).is_some_and(|text| !first_lines(text)) {
        let what = "must say in its first lines that crates.io's `kasapay` is an unrelated library";
        findings.push(Finding::new(kasapay, 1, what));
    }
    findings
}

fn top_level(house: &House<'_>) -> Vec<Finding> {
    let entry = |path: &&String| path.split('/').next().unwrap_or_default().to_owned();
    let strange = |path: &&String| !path.starts_with('.') && !TOP_LEVEL.contains(&entry(path).as_str());
    let paths = house.repository.files.keys().filter(strange);
    paths.map(|path| Finding::new(path.as_str(), 1, "has no place at the top level")).collect()
}

/// The entries of a manifest, line by line. Values that span lines are joined; that is all the TOML it knows.
fn entries(manifest: &str) -> Vec<Entry<'_>> {
    let (mut entries, mut table, mut depth) = (Vec::new(), "", 0_i32);
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        let starts_outside = depth == 0;
        if starts_outside && line.starts_with('[') {
            table = line.split(']').next().unwrap_or_default().trim_start_matches('[').trim();
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| starts_outside && !line.starts_with('#'))
        else {
            depth += nesting(line);
            continue;
        };
        depth += nesting(value);
        entries.push(Entry { table, key: key.trim(), value: value.trim(), line: index + 1 });
    }
    entries
}

fn nesting(line: &str) -> i32 {
    let code = line.split(" #").next().unwrap_or_default();
    let count = |brackets: [char; 2]| i32::try_from(code.matches(brackets).count()).unwrap_or_default();
    count(['[', '{']) - count([']', '}'])
}

/// `serde` of both `serde = ...` and `serde.workspace = ...`.
fn name(key: &str) -> &str {
    key.split('.').next().unwrap_or(key).trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::{line_of, own_versions};

    const MANIFEST: &str = r#"[package]
name = "a"

[dependencies] # ours
b.workspace = true
c = { workspace = true, features = [
    "d",
] }
e = { features = ["f"], workspace = true }
g = "1"

[target.'cfg(unix)'.dependencies]
h = { version = "1" }
renamed = { package = "real", workspace = true }

[dependencies.i]
version = "1"

[dev-dependencies.j]
workspace = true

[features]
b = ["dep:b"]
"#;

    #[test]
    fn versions_of_their_own_are_seen() {
        assert_eq!(own_versions(MANIFEST), [(10, "g"), (13, "h"), (17, "version")]);
    }

    #[test]
    fn declarations_are_found() {
        let found =
            ["b", "c", "h", "i", "real", "absent"].map(|name| line_of(MANIFEST, "dependencies", name));
        assert_eq!(found, [5, 6, 13, 17, 14, 1]);
        assert_eq!(line_of(MANIFEST, "dev-dependencies", "j"), 20);
        assert_eq!(line_of(MANIFEST, "dev-dependencies", "b"), 1);
    }
}
