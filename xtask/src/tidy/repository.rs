//! The repository as a value: what tidy judges, from disk or made up by a test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

use super::lexer::{self, Token};
use super::rooms::{self, Room};
use crate::metadata::Package;

/// Directories whose contents are nobody's work.
const SKIPPED: [&str; 3] = [".git", "target", "node_modules"];

/// Everything the rules may look at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repository {
    /// The workspace's members.
    pub(crate) packages: Vec<Package>,
    /// Path from the root, with `/`, to contents; empty for files that are not text.
    pub(crate) files: BTreeMap<String, String>,
}

/// One Rust file, cut into tokens.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// Path from the root.
    pub(crate) path: &'a str,
    /// All of it.
    pub(crate) text: &'a str,
    /// The room it stands in; none for xtask.
    pub(crate) room: Option<&'static Room>,
    /// Every token, comments and tests included.
    pub(crate) all: Vec<Token<'a>>,
    /// The tokens that are not comments.
    pub(crate) code: Vec<Token<'a>>,
    /// The tokens that reach a user: no comments, no tests. Empty for a file that is only for tests.
    pub(crate) product: Vec<Token<'a>>,
}

impl Repository {
    /// Reads every file under `root`.
    ///
    /// # Errors
    ///
    /// When a directory or file cannot be read.
    pub(crate) fn load(root: &Path, packages: Vec<Package>) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        read_directory(root, "", &mut files)
            .map_err(|error| format!("cannot read {}: {error}", root.display()))?;
        Ok(Self { packages, files })
    }

    /// The contents of a file.
    pub(crate) fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether the folder has any file in it.
    pub(crate) fn has_folder(&self, folder: &str) -> bool {
        self.under(&format!("{folder}/")).next().is_some()
    }

    /// The files whose path begins with `prefix`.
    pub(crate) fn under<'r>(&'r self, prefix: &'r str) -> impl Iterator<Item = (&'r str, &'r str)> {
        let files = self.files.range(prefix.to_owned()..).map(|(path, text)| (path.as_str(), text.as_str()));
        files.take_while(move |(path, _)| path.starts_with(prefix))
    }

    /// The rooms that exist.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &'static Room> {
        rooms::ROOMS.iter().filter(|room| self.has_folder(&room.folder()))
    }

    /// Every Rust file.
    pub(crate) fn sources(&self) -> Vec<Source<'_>> {
        let rust = self.files.iter().filter(|(path, _)| path.ends_with(".rs"));
        let lexed: Vec<_> =
            rust.map(|(path, text)| (path.as_str(), text.as_str(), lexer::tokens(text))).collect();
        let for_tests: BTreeSet<_> =
            lexed.iter().flat_map(|(path, _, all)| test_only(path, &lexer::code(all))).collect();
        let sources = lexed.into_iter().map(|(path, text, all)| {
            let is_product = path.contains("/src/") && !for_tests.iter().any(|part| path.starts_with(part));
            let code = lexer::code(&all);
            let product = if is_product { lexer::product(&code) } else { Vec::new() };
            Source { path, text, room: rooms::of_path(path), all, code, product }
        });
        sources.collect()
    }
}

impl Source<'_> {
    /// Its name without folders.
    pub(crate) fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// Whether it is compiled into the package, rather than a test, example or benchmark next to it.
    pub(crate) fn in_src(&self) -> bool {
        self.path.contains("/src/")
    }
}

/// How the paths of the modules that `path` declares for tests only may begin.
fn test_only(path: &str, code: &[Token<'_>]) -> Vec<String> {
    let folder = match path.rsplit_once('/') {
        Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder,
        _ => path.trim_end_matches(".rs"),
    };
    let places = lexer::test_modules(code).into_iter();
    places.flat_map(|name| [format!("{folder}/{name}.rs"), format!("{folder}/{name}/")]).collect()
}

fn read_directory(path: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            read_directory(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else if kind.is_file() {
            let text = String::from_utf8(fs::read(entry.path())?).unwrap_or_default();
            files.insert(format!("{prefix}{name}"), text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Repository;

    fn with(files: &[(&str, &str)]) -> Repository {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Repository { packages: Vec::new(), files }
    }

    #[test]
    fn folders_do_not_match_by_prefix() {
        let repository = with(&[("crates/simulator/src/lib.rs", "")]);
        assert!(repository.has_folder("crates/simulator"));
        assert!(!repository.has_folder("crates/sim"));
    }

    #[test]
    fn only_src_outside_test_modules_is_product() {
        let repository = with(&[
            ("crates/core/src/lib.rs", "mod money; #[cfg(test)] mod samples;"),
            ("crates/core/src/samples.rs", "a"),
            ("crates/core/src/samples/more.rs", "b"),
            ("crates/core/src/money.rs", "#[cfg(test)] mod golden;"),
            ("crates/core/src/money/golden.rs", "c"),
            ("crates/core/src/money/words.rs", "d"),
            ("crates/core/tests/it/main.rs", "e"),
        ]);
        let sources = repository.sources();
        let product: Vec<_> = sources.iter().filter(|s| !s.product.is_empty()).map(|s| s.path).collect();
        assert_eq!(product, ["crates/core/src/lib.rs", "crates/core/src/money/words.rs"]);
    }
}
