//! cargo-deny: the version this policy was written for, found or installed.

use std::ffi::OsString;
use std::fs;

use crate::workspace::{self, Workspace, output};

/// Another version reads `deny.toml` otherwise.
const VERSION: &str = "0.20.2";
/// Where it is installed: below the root, out of everybody's way.
const TOOLS: &str = "target/tools";
const BUILD: &str = "target/tools-build";

/// Checks licences, banned crates and sources against `deny.toml`.
///
/// # Errors
///
/// When one is not allowed, or cargo-deny can be neither found nor installed.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let program = provide(workspace)?;
    // Offline it wants every crate of every target at hand, and a build fetched only this machine's.
    workspace::run(&mut workspace.cargo(&["fetch", "--locked"]))?;
    workspace::run(&mut workspace.program(program, &["--offline", "check", "bans", "licenses", "sources"]))
}

fn provide(workspace: &Workspace) -> Result<OsString, String> {
    let own = workspace.root().join(TOOLS).join("bin/cargo-deny").into_os_string();
    for candidate in [OsString::from("cargo-deny"), own.clone()] {
        if is_right(workspace, &candidate) {
            return Ok(candidate);
        }
    }
    let package = format!("cargo-deny@{VERSION}");
    println!("cargo-deny {VERSION} is not on PATH and is compiled into {TOOLS}: once; about a minute");
    let install = ["install", "--locked", "--debug", &package, "--root", TOOLS, "--target-dir", BUILD];
    workspace::run(&mut workspace.cargo(&install))?;
    // Half a gigabyte that nothing reads again. Where it cannot be removed, it only takes room.
    let _ = fs::remove_dir_all(workspace.root().join(BUILD));
    if is_right(workspace, &own) {
        Ok(own)
    } else {
        Err(format!("cargo-deny {VERSION} was installed but does not run"))
    }
}

fn is_right(workspace: &Workspace, program: &OsString) -> bool {
    let version = output(&mut workspace.program(program, &["--version"]));
    version.is_ok_and(|version| version.trim() == format!("cargo-deny {VERSION}"))
}
