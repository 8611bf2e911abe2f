//! Programs that some tests start. They are installed where that is ours to do, and named otherwise.

use std::path::Path;

use crate::workspace::{Workspace, output, run};

/// An external program a test needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    /// What `--without` calls it.
    pub(crate) name: &'static str,
    /// What is not checked without it.
    pub(crate) needed_for: &'static str,
    /// A command line that succeeds where it is installed.
    probe: &'static [&'static str],
    /// Its package in Debian.
    debian: &'static str,
    /// How to get it elsewhere.
    elsewhere: &'static str,
}

/// Every external program, a row each.
const TOOLS: &[Tool] = &[Tool {
    name: "openssl",
    needed_for: "Daraja's SecurityCredential against an independent implementation",
    probe: &["openssl", "version"],
    debian: "openssl",
    elsewhere: "`brew install openssl` on macOS, `dnf install openssl` on Fedora",
}];

/// The variable in which tests read what they must do without, separated by commas.
pub(crate) const WITHOUT: &str = "MALIPO_WITHOUT";

/// The tool called so.
pub(crate) fn named(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// All their names.
pub(crate) fn names() -> String {
    TOOLS.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ")
}

/// Sees to it that every tool is there that was not given up with `--without`.
///
/// # Errors
///
/// When one is missing and cannot be installed from here.
pub(crate) fn provide(workspace: &Workspace) -> Result<(), String> {
    for tool in TOOLS {
        if workspace.without().contains(&tool) {
            println!("NOT RUN: {} ({})", tool.name, tool.needed_for);
        } else if !is_there(workspace, tool) {
            install(workspace, tool)?;
        }
    }
    Ok(())
}

fn is_there(workspace: &Workspace, tool: &Tool) -> bool {
    let Some((program, arguments)) = tool.probe.split_first() else { return false };
    output(&mut workspace.program(*program, arguments)).is_ok()
}

fn install(workspace: &Workspace, tool: &Tool) -> Result<(), String> {
    let is_root = output(&mut workspace.program("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
    if !(is_root && Path::new("/etc/debian_version").exists()) {
        return Err(missing(tool));
    }
    run(&mut workspace.program("apt-get", &["update"]))?;
    run(&mut workspace.program("apt-get", &["install", "-y", tool.debian]))?;
    if is_there(workspace, tool) { Ok(()) } else { Err(missing(tool)) }
}

fn missing(tool: &Tool) -> String {
    let Tool { name, needed_for, debian, elsewhere, .. } = tool;
    format!(
        "{name} is missing, needed for: {needed_for}\n\
         install it: `sudo apt-get install -y {debian}` on Debian or Ubuntu, {elsewhere}\n\
         or leave those tests out: `cargo xtask test --without {name}`"
    )
}

#[cfg(test)]
mod tests {
    use super::{TOOLS, missing};

    #[test]
    fn a_missing_tool_is_told_with_the_way_out() {
        for tool in TOOLS {
            let told = missing(tool);
            assert!(told.contains(&format!("apt-get install -y {}", tool.debian)), "{told}");
            assert!(told.contains(&format!("--without {}", tool.name)), "{told}");
        }
    }
}
