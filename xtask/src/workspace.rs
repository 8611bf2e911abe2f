//! The workspace under test, and starting programs in it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::metadata::{self, Package};
use crate::tools::Tool;

/// Where the checks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `CI=true`: nothing may be left out, nothing may be left changed.
    Ci,
    /// At somebody's desk.
    Desk,
}

/// The repository and how to work in it.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    cargo: OsString,
    without: Vec<&'static Tool>,
    passed: Vec<String>,
    place: Place,
}

/// Where this process runs.
pub(crate) fn place() -> Place {
    if env::var_os("CI").is_some_and(|value| value == "true") { Place::Ci } else { Place::Desk }
}

impl Workspace {
    /// The workspace of the current directory.
    ///
    /// # Errors
    ///
    /// When cargo does not answer or the directory lies in no workspace.
    pub(crate) fn find(without: Vec<&'static Tool>) -> Result<Self, String> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut locate = Command::new(&cargo);
        let manifest = output(locate.args(["locate-project", "--workspace", "--message-format", "plain"]))?;
        let root = Path::new(manifest.trim()).parent().ok_or("cargo named no workspace")?;
        Ok(Self { root: root.to_owned(), cargo, without, passed: Vec::new(), place: place() })
    }

    /// The same with words for the program that the command starts.
    pub(crate) fn passing(self, passed: Vec<String>) -> Self {
        Self { passed, ..self }
    }

    /// Words for the program that the command starts.
    pub(crate) fn passed(&self) -> &[String] {
        &self.passed
    }

    /// Its folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The external tools to do without.
    pub(crate) fn without(&self) -> &[&'static Tool] {
        &self.without
    }

    /// Where the checks run.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// A program to be started at the root.
    pub(crate) fn program(&self, name: impl Into<OsString>, arguments: &[&str]) -> Command {
        let mut command = Command::new(name.into());
        command.current_dir(&self.root).args(arguments);
        // `cargo run` describes xtask in these; the packages under test are others.
        for (name, _) in env::vars_os() {
            if ["CARGO_PKG_", "CARGO_MANIFEST_"]
                .iter()
                .any(|prefix| name.to_string_lossy().starts_with(prefix))
            {
                command.env_remove(name);
            }
        }
        command
    }

    /// Cargo, to be started at the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        self.program(self.cargo.clone(), arguments)
    }

    /// The workspace's own packages.
    ///
    /// # Errors
    ///
    /// When cargo cannot read a manifest.
    pub(crate) fn packages(&self) -> Result<Vec<Package>, String> {
        let json = output(&mut self.cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
        metadata::parse(&json)
    }
}

/// Runs a program in sight of the user.
///
/// # Errors
///
/// When it cannot be started or does not succeed.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", shown(command))) }
}

/// Runs a program out of sight and returns what it printed.
///
/// # Errors
///
/// When it cannot be started or does not succeed; the error then holds what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed: {}\n{printed}{complaint}", shown(command), output.status))
}

/// The command line as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Why a program did not even start.
pub(crate) fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` cannot be started: {error}", shown(command))
}

#[cfg(test)]
mod tests {
    use super::{Workspace, output};

    #[test]
    fn the_workspace_has_this_package() {
        let workspace = Workspace::find(Vec::new()).unwrap();
        assert!(workspace.root().join("xtask/Cargo.toml").is_file());
        let packages = workspace.packages().unwrap();
        assert!(packages.iter().any(|package| package.name == "xtask" && package.folder == "xtask"));
    }

    #[test]
    fn a_failure_says_what_failed_and_how() {
        let workspace = Workspace::find(Vec::new()).unwrap();
        let error = output(&mut workspace.cargo(&["no-such-command"])).unwrap_err();
        assert!(
            error.contains("no-such-command` failed: exit") && error.contains("no such command"),
            "{error}"
        );
        let error = output(&mut workspace.program("no-such-program", &["x"])).unwrap_err();
        assert!(error.contains("`no-such-program x` cannot be started"), "{error}");
    }
}
