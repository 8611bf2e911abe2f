//! What must not be linked, and how much may be, per package and choice of features.

use std::collections::BTreeSet;

use crate::metadata::{Package, Publication};
use crate::tidy::rooms::PROVIDERS;
use crate::workspace::{Workspace, output};

/// A package built in some way, what must then be absent from its tree, and how large that may be.
#[derive(Debug, PartialEq, Eq)]
struct Tree {
    package: String,
    arguments: Vec<String>,
    absent: &'static [&'static str],
    /// The most crates, the package itself and ours included.
    most: Option<usize>,
}

/// No client, no runtime.
const CLIENTS: &[&str] = &["reqwest", "hyper", "tokio"];
/// Nor a C compiler.
const CLIENTS_AND_C: &[&str] = &["reqwest", "hyper", "tokio", "aws-lc-rs", "aws-lc-sys"];
/// A provider without its optional parts.
const PROVIDER: usize = 55;
/// What a program gets from the front door with one provider and the lean transport, or the default one.
const WITH_HYPER: usize = 95;
const WITH_REQWEST: usize = 140;

/// The journal on a server, without a gateway.
const WITH_POSTGRES: usize = 110;

/// The receiver as a service, as a server of its own, and in a router.
const RECEIVER: usize = 75;
const WITH_SERVE: usize = 83;
const WITH_AXUM: usize = 92;

/// A row for each promise about weight.
fn trees(packages: &[Package]) -> Vec<Tree> {
    let lightest = ["--no-default-features"];
    let ring = ["--no-default-features", "--features", "ring"];
    let mut trees = vec![
        Tree::new("malipo-hyper", &[], &["reqwest"], None),
        Tree::new("malipo-hyper", &ring, &["reqwest", "aws-lc-rs", "aws-lc-sys"], None),
        Tree::new("malipo-reqwest", &ring, &["aws-lc-rs", "aws-lc-sys"], None),
        Tree::new(
            "malipo-journal",
            &[],
            &["http", "hyper", "tokio", "futures-channel", "rusqlite", "libsqlite3-sys", "tokio-postgres"],
            None,
        ),
        Tree::new("malipo-journal", &["--features", "sqlite"], &["http", "hyper", "tokio"], None),
        Tree::new(
            "malipo",
            &["--no-default-features", "--features", "postgres"],
            &["http-body", "hyper", "rusqlite", "libsqlite3-sys", "openssl-sys"],
            Some(WITH_POSTGRES),
        ),
        Tree::new(
            "malipo-receiver",
            &[],
            &["axum", "hyper", "hyper-util", "tokio", "rusqlite", "tokio-postgres"],
            Some(RECEIVER),
        ),
        Tree::new("malipo-receiver", &["--features", "serve"], &["axum", "h2"], Some(WITH_SERVE)),
        Tree::new("malipo-receiver", &["--features", "axum"], &["h2", "tower-http"], Some(WITH_AXUM)),
    ];
    for provider in PROVIDERS {
        let package = format!("malipo-{provider}");
        let Some(found) = packages.iter().find(|found| found.name == package) else { continue };
        if found.features.iter().any(|feature| feature == "default") {
            trees.push(Tree::new(&package, &[], CLIENTS, None));
        }
        let with = |transport| format!("{provider},{transport}");
        trees.extend([
            Tree::new(&package, &lightest, CLIENTS_AND_C, Some(PROVIDER)),
            Tree::new("malipo", &["--features", &with("hyper")], &["reqwest"], Some(WITH_HYPER)),
            Tree::new("malipo", &["--features", &with("reqwest")], &[], Some(WITH_REQWEST)),
        ]);
    }
    trees
}

/// Checks every row.
///
/// # Errors
///
/// When a tree has something it must not have, or too much.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    for tree in trees(&workspace.packages()?) {
        let arguments = ["tree", "--edges", "normal", "--prefix", "none", "--no-dedupe", "--locked"];
        let mut command = workspace.cargo(&arguments);
        command.args(["--package", &tree.package]).args(&tree.arguments);
        println!("{}", tree.judge(&output(&mut command)?)?);
    }
    for arguments in builds(&workspace.packages()?) {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let listing = ["tree", "--edges", "normal", "--prefix", "none", "--format", "{p} [{f}]", "--locked"];
        let listing = output(workspace.cargo(&listing).args(&arguments))?;
        let built = format!("cargo build {}", arguments.join(" "));
        if turns_on(&listing, JOURNAL, CRASH_POINTS) {
            let (built, arguments) = (built.trim_end(), arguments.join(" "));
            return Err(format!(
                "`{built}` has {JOURNAL}'s {CRASH_POINTS}, which are for tests only: \
                 `cargo tree {arguments} -e features -i {JOURNAL}` shows why"
            ));
        }
    }
    println!("{JOURNAL}: {CRASH_POINTS} in no build but of those who ask for them");
    Ok(())
}

/// The crate with places at which a process can be stopped, and the feature that makes them.
const JOURNAL: &str = "malipo-journal";
const CRASH_POINTS: &str = "crash-points";

/// The builds that must not have them: what `cargo build` at the root makes, and each published package with all that it
/// offers. The journal offers them itself, so it is built as it comes.
fn builds(packages: &[Package]) -> Vec<Vec<String>> {
    let published = packages.iter().filter(|package| package.publication == Publication::Published);
    let each = published.map(|Package { name, .. }| {
        let all = (name != JOURNAL).then_some("--all-features");
        ["--package", name].into_iter().chain(all).map(str::to_owned).collect()
    });
    std::iter::once(Vec::new()).chain(each).collect()
}

/// Whether a listing of `name version (folder) [features]` lines has a package with this feature.
fn turns_on(listing: &str, package: &str, feature: &str) -> bool {
    listing.lines().filter(|line| line.split(' ').next() == Some(package)).any(|line| {
        let features = line.rsplit_once('[').and_then(|(_, features)| features.split_once(']'));
        features.is_some_and(|(features, _)| features.split(',').any(|one| one == feature))
    })
}

impl Tree {
    fn new(package: &str, arguments: &[&str], absent: &'static [&'static str], most: Option<usize>) -> Self {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Self { package: package.to_owned(), arguments, absent, most }
    }

    /// A line about a listing that is as it must be, or what is wrong with it.
    fn judge(&self, listing: &str) -> Result<String, String> {
        let arguments = self.arguments.join(" ");
        let built = format!("{} {arguments}", self.package);
        let built = built.trim_end();
        let found = present(listing, self.absent);
        if !found.is_empty() {
            let names = found.join(", ");
            return Err(format!(
                "{built} links {names}: `cargo tree -p {built} -e normal -i {names}` shows why"
            ));
        }
        let count = crates(listing);
        let mut line = format!("{built}: {count} crates");
        if let Some(most) = self.most {
            if count > most {
                return Err(format!(
                    "{built} links {count} crates, and {most} are the most: `cargo tree -p {built} -e normal` \
                     shows them"
                ));
            }
            line.push_str(&format!(" of at most {most}"));
        }
        if !self.absent.is_empty() {
            line.push_str(&format!(", no {}", self.absent.join(", ")));
        }
        Ok(line)
    }
}

/// Those of `absent` that a listing of `name version` lines has after all.
fn present<'a>(listing: &str, absent: &[&'a str]) -> Vec<&'a str> {
    let linked = |name: &&&str| listing.lines().any(|line| line.split(' ').next() == Some(**name));
    absent.iter().filter(linked).copied().collect()
}

/// How many crates a listing has. The same one in two versions is two; named twice it is one.
fn crates(listing: &str) -> usize {
    let named = |line| str::split(line, ' ').take(2).collect::<Vec<_>>();
    listing.lines().filter(|line| !line.is_empty()).map(named).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::{CLIENTS, CRASH_POINTS, JOURNAL, PROVIDER, Tree, builds, crates, present, trees, turns_on};
    use crate::metadata::{Package, Product, Publication};

    const LISTING: &str = "malipo-daraja v0.1.0 (crates/daraja)\nhttp v1.5.0\ntokio-macros v2.0.0\n\
                           syn v2.0.1\nsyn v3.0.9\nhyper v1.12.0\nhttp v1.5.0\nhttp v1.5.0 (*)\n";

    #[test]
    fn whole_names_are_found() {
        assert_eq!(present(LISTING, CLIENTS), ["hyper"]);
    }

    #[test]
    fn a_crate_counts_once_in_each_version() {
        assert_eq!(crates(LISTING), 6);
        assert_eq!(crates(""), 0);
    }

    #[test]
    fn a_tree_that_is_too_large_is_refused() {
        let judged = |most| Tree::new("malipo-daraja", &[], &["reqwest"], most).judge(LISTING);
        assert_eq!(judged(Some(6)).unwrap(), "malipo-daraja: 6 crates of at most 6, no reqwest");
        assert!(judged(Some(5)).unwrap_err().contains("links 6 crates, and 5 are the most"));
        assert!(judged(None).is_ok());
        assert!(Tree::new("malipo-daraja", &[], CLIENTS, None).judge(LISTING).is_err());
    }

    #[test]
    fn every_provider_there_is_has_its_limits() {
        let trees = trees(&[package("malipo-daraja", &["default"]), package("malipo-kyanda", &[])]);
        let rows = |provider: &str| {
            let is_its = |tree: &&Tree| format!("{tree:?}").contains(provider);
            trees.iter().filter(is_its).map(|tree| tree.most).collect::<Vec<_>>()
        };
        assert_eq!(rows("daraja"), [None, Some(PROVIDER), Some(95), Some(140)]);
        assert_eq!(rows("kyanda"), [Some(PROVIDER), Some(95), Some(140)]);
        assert!(rows("sasapay").is_empty());
    }

    #[test]
    fn crash_points_are_found_where_they_are_on() {
        let line = |features| {
            format!("serde v1.0.0 [crash-points]\nmalipo-journal v0.1.0 (/a [b]/c) [{features}] (*)")
        };
        assert!(turns_on(&line("crash-points,default,sqlite"), JOURNAL, CRASH_POINTS));
        assert!(!turns_on(&line("default,sqlite"), JOURNAL, CRASH_POINTS));
        assert!(!turns_on("", JOURNAL, CRASH_POINTS));
    }

    #[test]
    fn crash_points_are_looked_for_in_the_root_and_in_all_that_is_published() {
        let mut world = package("malipo-world", &[]);
        world.publication = Publication::Unpublished;
        let builds = builds(&[package("malipo", &[]), package(JOURNAL, &[CRASH_POINTS]), world]);
        assert_eq!(builds, [&[][..], &["--package", "malipo", "--all-features"], &["--package", JOURNAL]]);
    }

    fn package(name: &str, features: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            folder: String::new(),
            publication: Publication::Published,
            license: None,
            readme: None,
            features: features.iter().map(ToString::to_string).collect(),
            product: Product::Library,
            dependencies: Vec::new(),
        }
    }
}
