//! The repository as a value: what tidy judges, from disk or made up by a test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use super::imports::imports;
use super::lexer::{self, Token};
use super::rooms::{self, Room};
use super::snapshots;
use crate::metadata::Package;
use crate::workspace::output;

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
    /// What the code imports, a path each.
    pub(crate) imports: Vec<Token<'a>>,
    /// What the product imports, a path each.
    pub(crate) product_imports: Vec<Token<'a>>,
}

impl Repository {
    /// Reads every file under `root`; in a checkout, those that git has or would take.
    ///
    /// # Errors
    ///
    /// When a directory or file cannot be read.
    pub(crate) fn load(root: &Path, packages: Vec<Package>) -> Result<Self, String> {
        let read = || -> io::Result<_> {
            let mut paths = BTreeSet::new();
            walk(root, "", &mut paths)?;
            if let Some(ours) = checked_out(root) {
                // Snapshots that wait are ignored, and still nobody may leave them waiting.
                paths.retain(|path| ours.contains(path) || snapshots::waits(path));
            }
            let contents = |path: String| -> io::Result<_> {
                let bytes = fs::read(root.join(&path))?;
                Ok((path, String::from_utf8(bytes).unwrap_or_default()))
            };
            paths.into_iter().map(contents).collect()
        };
        let files = read().map_err(|error| format!("cannot read {}: {error}", root.display()))?;
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
            let (imports, product_imports) = (imports(&code), imports(&product));
            let room = rooms::of_path(path);
            Source { path, text, room, all, code, product, imports, product_imports }
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

/// The paths that git has or would take; none where there is no checkout, or no git to ask.
fn checked_out(root: &Path) -> Option<BTreeSet<String>> {
    if !root.join(".git").exists() {
        return None;
    }
    let mut list = Command::new("git");
    // CI may check out as one user and run as another; git would then refuse to look.
    list.current_dir(root).args(["-c", "safe.directory=*", "ls-files", "-z"]);
    let listed = output(list.args(["--cached", "--others", "--exclude-standard"])).ok()?;
    Some(listed.split('\0').map(str::to_owned).collect())
}

fn walk(path: &Path, prefix: &str, paths: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            walk(&entry.path(), &format!("{prefix}{name}/"), paths)?;
        } else if kind.is_file() {
            paths.insert(format!("{prefix}{name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::{env, fs, process};

    use super::Repository;
    use crate::workspace::output;

    fn with(files: &[(&str, &str)]) -> Repository {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Repository { packages: Vec::new(), files }
    }

    #[test]
    fn a_checkout_is_what_git_would_take() {
        let root = env::temp_dir().join(format!("malipo-tidy-{}", process::id()));
        fs::create_dir_all(root.join("target")).unwrap();
        for path in ["kept.md", "build.log", "a.snap.new", "target/b.snap.new"] {
            fs::write(root.join(path), path).unwrap();
        }
        fs::write(root.join(".gitignore"), "*.log\n*.snap.new\n/target\n").unwrap();
        let paths = || Repository::load(&root, Vec::new()).unwrap().files.into_keys().collect::<Vec<_>>();
        let walked = paths();
        let outcome = output(Command::new("git").current_dir(&root).args(["init", "--quiet"]));
        let listed = paths();
        fs::remove_dir_all(&root).unwrap();
        outcome.unwrap();
        assert_eq!(walked, [".gitignore", "a.snap.new", "build.log", "kept.md"]);
        assert_eq!(listed, [".gitignore", "a.snap.new", "kept.md"]);
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
