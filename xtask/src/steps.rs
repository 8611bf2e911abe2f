//! The steps that are mostly cargo's work.

use crate::cluster::{self, Cluster, Disk};
use crate::metadata::Product;
use crate::tidy::{self, Repository};
use crate::tools;
use crate::workspace::{Place, Workspace, output, run};

/// Packages that refuse to build without any feature, and the one they get when the others go: a transport has to
/// be told its cryptography.
const LEAST: &[(&str, &str)] = &[("malipo-reqwest", "ring"), ("malipo-hyper", "ring")];

/// Every crate's tests, also after those of one have failed.
const TEST: &[&str] = &["test", "--workspace", "--all-features", "--locked", "--no-fail-fast"];

/// The code is formatted.
pub(crate) fn fmt(workspace: &Workspace) -> Result<(), String> {
    run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
}

/// The house rules hold.
pub(crate) fn tidy(workspace: &Workspace) -> Result<(), String> {
    let repository = Repository::load(workspace.root(), workspace.packages()?)?;
    let violations = tidy::violations(&repository);
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        1 => Err("a house rule is broken, see above".to_owned()),
        many => Err(format!("house rules are broken in {many} places, see above")),
    }
}

/// No warning, with all features together and per library with fewer.
///
/// A workspace build unifies features, so a crate can lean on a feature that only its neighbour asks for. Alone,
/// it cannot.
pub(crate) fn clippy(workspace: &Workspace) -> Result<(), String> {
    let all =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"];
    run(&mut workspace.cargo(&all))?;
    for package in workspace.packages()?.iter().filter(|package| package.product == Product::Library) {
        let mut selections = vec![least(&package.name)];
        if package.features.iter().any(|feature| feature == "default") {
            selections.push(Vec::new());
        }
        for selection in selections {
            let mut command = workspace.cargo(&["clippy", "--locked", "--package", &package.name]);
            run(command.args(selection).args(["--", "-D", "warnings"]))?;
        }
    }
    Ok(())
}

fn least(package: &str) -> Vec<&'static str> {
    let needed =
        LEAST.iter().filter(|(name, _)| *name == package).flat_map(|(_, feature)| ["--features", feature]);
    std::iter::once("--no-default-features").chain(needed).collect()
}

/// Unit and integration tests, without writing a snapshot.
pub(crate) fn tests(workspace: &Workspace) -> Result<(), String> {
    tools::provide(workspace)?;
    let mut command = workspace.cargo(TEST);
    command.args(["--lib", "--bins", "--tests", "--examples"]);
    command
        .env("INSTA_UPDATE", "no")
        .env_remove("INSTA_FORCE_PASS")
        .env_remove(tools::WITHOUT)
        .env_remove(cluster::ADDRESS);
    let without: Vec<_> = workspace.without().iter().map(|tool| tool.name).collect();
    if !without.is_empty() {
        command.env(tools::WITHOUT, without.join(","));
    }
    // Ended when this function is left, whichever way.
    let cluster = server(workspace)?;
    if let Some(cluster) = &cluster {
        command.env(cluster::ADDRESS, cluster.address());
    }
    run(&mut command)?;
    let repository = Repository::load(workspace.root(), Vec::new())?;
    match tidy::pending_snapshots(&repository).len() {
        0 => Ok(()),
        many => Err(format!("{many} snapshot(s) wait to be accepted: `cargo xtask tidy` lists them")),
    }
}

/// The server of PostgreSQL for the tests, unless they are to do without.
fn server(workspace: &Workspace) -> Result<Option<Cluster>, String> {
    if workspace.without().iter().any(|tool| tool.name == tools::POSTGRES) {
        return Ok(None);
    }
    Cluster::start(workspace, Disk::Careless).map(Some)
}

/// The examples in documentation and READMEs.
pub(crate) fn doctests(workspace: &Workspace) -> Result<(), String> {
    run(workspace.cargo(TEST).arg("--doc"))
}

/// The documentation builds without a warning.
pub(crate) fn rustdoc(workspace: &Workspace) -> Result<(), String> {
    let mut command = workspace.cargo(&["doc", "--workspace", "--all-features", "--no-deps", "--locked"]);
    run(command.env("RUSTDOCFLAGS", "-Dwarnings"))
}

/// Nothing changed Cargo.lock. The steps say `--locked`, but the `cargo run` that started them does not.
pub(crate) fn lock(workspace: &Workspace) -> Result<(), String> {
    let reason = match workspace.place() {
        Place::Desk => Some("at a desk the lock file may be work in progress"),
        Place::Ci if !workspace.root().join(".git").exists() => Some("this is no checkout"),
        Place::Ci => None,
    };
    if let Some(reason) = reason {
        println!("not compared: {reason}");
        return Ok(());
    }
    // CI may check out as one user and run as another; git would then refuse to look.
    let diff = ["-c", "safe.directory=*", "diff", "--exit-code", "--", "Cargo.lock"];
    output(&mut workspace.program("git", &diff))
        .map(drop)
        .map_err(|error| format!("Cargo.lock is not what is committed: build once and commit it\n{error}"))
}

#[cfg(test)]
mod tests {
    use super::{TEST, least};

    #[test]
    fn a_broken_crate_does_not_hide_another() {
        assert!(TEST.contains(&"--no-fail-fast") && TEST.contains(&"--workspace"));
    }

    #[test]
    fn transports_keep_one_cryptography() {
        assert_eq!(least("malipo-core"), ["--no-default-features"]);
        assert_eq!(least("malipo-reqwest"), ["--no-default-features", "--features", "ring"]);
    }
}
