//! The examples of the front door, each run to its end.

use std::fs;

use crate::workspace::{Workspace, output};

const FOLDER: &str = "crates/malipo/examples";

/// Runs every example.
///
/// # Errors
///
/// When there is none, or one fails or prints nothing.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let names = names(workspace)?;
    if names.is_empty() {
        return Err(format!("{FOLDER} has no example"));
    }
    for name in names {
        let arguments = ["run", "--package", "malipo", "--all-features", "--locked", "--example", &name];
        let printed = output(&mut workspace.cargo(&arguments))?;
        let last = printed.lines().last().ok_or_else(|| format!("the example {name} prints nothing"))?;
        println!("{name}: {last}");
    }
    Ok(())
}

fn names(workspace: &Workspace) -> Result<Vec<String>, String> {
    let unreadable = |error| format!("{FOLDER} cannot be read: {error}");
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace.root().join(FOLDER)).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}
