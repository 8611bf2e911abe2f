//! What must not be linked, per package and choice of features.

use crate::workspace::{Workspace, output};

/// A package built in some way, and what must then be absent from its tree.
#[derive(Debug)]
struct Tree {
    package: &'static str,
    features: &'static [&'static str],
    absent: &'static [&'static str],
}

/// A row for each promise about weight.
const TREES: &[Tree] = &[
    Tree { package: "malipo-kasapay", features: &[], absent: &["reqwest", "hyper", "tokio"] },
    Tree { package: "malipo-daraja", features: &[], absent: &["reqwest", "hyper", "tokio"] },
    Tree {
        package: "malipo-daraja",
        features: &["--no-default-features"],
        absent: &["reqwest", "hyper", "tokio", "aws-lc-rs", "aws-lc-sys"],
    },
];

/// Checks every row.
///
/// # Errors
///
/// When a tree has something it must not have.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    for Tree { package, features, absent } in TREES {
        let tree = [
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--no-dedupe",
            "--locked",
        ];
        let listing = output(workspace.cargo(&tree).args(*features))?;
        let found = present(&listing, absent);
        let built = [&[*package], *features].concat().join(" ");
        if !found.is_empty() {
            let names = found.join(", ");
            return Err(format!(
                "{built} links {names}: `cargo tree -p {package} -e normal -i {names}` shows why"
            ));
        }
        println!("{built}: no {}", absent.join(", "));
    }
    Ok(())
}

/// Those of `absent` that a listing of `name version` lines has after all.
fn present<'a>(listing: &str, absent: &[&'a str]) -> Vec<&'a str> {
    let linked = |name: &&&str| listing.lines().any(|line| line.split(' ').next() == Some(**name));
    absent.iter().filter(linked).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::present;

    #[test]
    fn whole_names_are_found() {
        let listing =
            "malipo-daraja v0.1.0 (crates/daraja)\nhttp v1.5.0\ntokio-macros v2.0.0\nhyper v1.12.0\n";
        assert_eq!(present(listing, &["reqwest", "hyper", "tokio"]), ["hyper"]);
    }
}
