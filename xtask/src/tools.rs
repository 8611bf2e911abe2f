//! Programs that some tests start. They are installed where that is ours to do, and named otherwise.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cluster;
use crate::workspace::{Workspace, output, run};

/// An external program a test needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    /// What `--without` calls it.
    pub(crate) name: &'static str,
    /// What is not checked without it.
    pub(crate) needed_for: &'static str,
    /// How to see that it is installed.
    probe: Probe,
    /// Its package in Debian.
    debian: &'static str,
    /// How to get it elsewhere.
    elsewhere: &'static str,
}

/// How to see that a tool is installed. Closed on purpose.
#[derive(Debug, PartialEq, Eq)]
enum Probe {
    /// This command line succeeds.
    Runs(&'static [&'static str]),
    /// PostgreSQL's programs are found, which need not be on PATH.
    Server,
}

/// The server that the tests of the journal need.
pub(crate) const POSTGRES: &str = "postgres";

/// Every external program, a row each.
const TOOLS: &[Tool] = &[
    Tool {
        name: "curl",
        needed_for: "the gateways' own example requests, sent to the simulator as a process",
        probe: Probe::Runs(&["curl", "--version"]),
        debian: "curl",
        elsewhere: "`brew install curl` on macOS, `dnf install curl` on Fedora",
    },
    Tool {
        name: "openssl",
        needed_for: "Daraja's SecurityCredential and Kyanda's signatures against an independent implementation",
        probe: Probe::Runs(&["openssl", "version"]),
        debian: "openssl",
        elsewhere: "`brew install openssl` on macOS, `dnf install openssl` on Fedora",
    },
    Tool {
        name: POSTGRES,
        needed_for: "the journal on a server of PostgreSQL, which the tests start and end themselves",
        probe: Probe::Server,
        debian: "postgresql",
        elsewhere: "`brew install postgresql` on macOS, `dnf install postgresql-server` on Fedora",
    },
];

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

/// Sees to it that the tool called so is there, for what cannot do without.
///
/// # Errors
///
/// When it is missing and cannot be installed from here.
pub(crate) fn provide_one(workspace: &Workspace, name: &str) -> Result<(), String> {
    match named(name) {
        Some(tool) if !is_there(workspace, tool) => install(workspace, tool),
        Some(_) => Ok(()),
        None => Err(format!("no such tool; there is {}", names())),
    }
}

fn is_there(workspace: &Workspace, tool: &Tool) -> bool {
    match tool.probe {
        Probe::Server => cluster::programs().is_some(),
        Probe::Runs([]) => false,
        Probe::Runs([program, arguments @ ..]) => output(&mut workspace.program(*program, arguments)).is_ok(),
    }
}

fn install(workspace: &Workspace, tool: &Tool) -> Result<(), String> {
    let is_root = output(&mut workspace.program("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
    if !(is_root && Path::new("/etc/debian_version").exists()) {
        return Err(missing(tool));
    }
    if tool.name == POSTGRES {
        make_no_cluster()?;
    }
    // A list that cannot be renewed may still name the package.
    let steps = [
        run(&mut apt_get(workspace, &["update"])),
        run(&mut apt_get(workspace, &["install", "-y", tool.debian])),
    ];
    if is_there(workspace, tool) { Ok(()) } else { Err(not_installed(tool, &steps)) }
}

/// Debian's package would make a server of its own and start it. Where somebody has said what they want, that stands.
fn make_no_cluster() -> Result<(), String> {
    let folder = Path::new("/etc/postgresql-common/createcluster.d");
    let (file, said) = (folder.join("malipo.conf"), "create_main_cluster = false\n");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, said))
        .map_err(|error| format!("{} cannot be written: {error}", file.display()))
}

/// apt-get, which must not ask: nobody may be there to answer.
fn apt_get(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.program("apt-get", arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command
}

fn not_installed(tool: &Tool, steps: &[Result<(), String>]) -> String {
    let failures = steps.iter().filter_map(|step| step.as_ref().err()).map(String::as_str);
    failures.chain([missing(tool).as_str()]).collect::<Vec<_>>().join("\n")
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
    use super::{TOOLS, apt_get, missing, not_installed};
    use crate::workspace::Workspace;

    #[test]
    fn a_missing_tool_is_told_with_the_way_out() {
        for tool in TOOLS {
            let told = missing(tool);
            assert!(told.contains(&format!("apt-get install -y {}", tool.debian)), "{told}");
            assert!(told.contains(&format!("--without {}", tool.name)), "{told}");
        }
    }

    #[test]
    fn every_failure_is_told() {
        let Some(tool) = TOOLS.first() else { return };
        let told = not_installed(tool, &[Err("no update".to_owned()), Err("no package".to_owned())]);
        assert!(told.starts_with("no update\nno package\n"), "{told}");
        assert!(told.ends_with(&missing(tool)), "{told}");
    }

    #[test]
    fn apt_does_not_ask() {
        let workspace = Workspace::find(Vec::new()).unwrap();
        let command = apt_get(&workspace, &["update"]);
        let told =
            command.get_envs().find(|(name, _)| *name == "DEBIAN_FRONTEND").and_then(|(_, value)| value);
        assert_eq!(told.and_then(|value| value.to_str()), Some("noninteractive"));
    }
}
