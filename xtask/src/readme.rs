//! What the README shows a newcomer must work, as shown.

use std::fs;

use serde_json::Value;

use crate::command;
use crate::workspace::{Place, Workspace, output};

/// How the demo prints.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// For people.
    Text,
    /// For programs: one JSON value, or one a line.
    Json,
}

/// What the demo must show, whatever else it says.
const SHOWN: &[&str] = &["PAID", "REFUSED", "UNKNOWN", "paid twice: 0"];
/// Command lines the README may show besides our own: they end by themselves.
const RUNNABLE: &[&str] = &["cargo demo", "cargo run --example"];

/// `cargo demo` keeps its promise, as text and as JSON.
///
/// # Errors
///
/// When it fails or does not show what it must.
pub(crate) fn demo(workspace: &Workspace) -> Result<(), String> {
    for (arguments, form) in
        [(&["demo", "--seed", "7"][..], Form::Text), (&["demo", "--seed", "7", "--json"], Form::Json)]
    {
        let printed = output(&mut workspace.cargo(arguments))?;
        let line = arguments.join(" ");
        form.check(&printed).map_err(|wrong| format!("`cargo {line}` {wrong}; it printed:\n{printed}"))?;
        println!("`cargo {line}` shows what it must");
    }
    Ok(())
}

/// Every cargo command in the README's `console` and `sh` blocks is ours or runs.
///
/// # Errors
///
/// When README.md is missing, shows no command, an unknown one, or one that fails.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let path = workspace.root().join("README.md");
    let readme = fs::read_to_string(path).map_err(|error| format!("README.md cannot be read: {error}"))?;
    let shown = commands(&readme);
    if shown.is_empty() {
        return Err("README.md shows no cargo command in a ```console or ```sh block".to_owned());
    }
    for (line, text) in shown {
        check(workspace, text).map_err(|error| format!("README.md:{line}: {error}"))?;
        println!("README.md:{line}: `{text}` works");
    }
    Ok(())
}

impl Form {
    fn check(self, printed: &str) -> Result<(), String> {
        match self {
            Self::Text => match SHOWN.iter().find(|word| !printed.contains(**word)) {
                Some(word) => Err(format!("does not show `{word}`")),
                None => Ok(()),
            },
            Self::Json => {
                let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
                let mut lines = printed.lines().filter(|line| !line.trim().is_empty()).peekable();
                let has_lines = lines.peek().is_some();
                let passes = is_json(printed) || (has_lines && lines.all(is_json));
                if passes { Ok(()) } else { Err("does not print JSON".to_owned()) }
            }
        }
    }
}

fn check(workspace: &Workspace, text: &str) -> Result<(), String> {
    if let Some(rest) = text.strip_prefix("cargo xtask") {
        let words: Vec<_> = rest.split_whitespace().map(str::to_owned).collect();
        return command::parse(&words, Place::Desk).map(drop).map_err(|error| format!("`{text}`: {error}"));
    }
    if RUNNABLE.iter().any(|known| text.starts_with(known)) {
        let words: Vec<_> = text.split_whitespace().skip(1).collect();
        return output(&mut workspace.cargo(&words)).map(drop);
    }
    let known = RUNNABLE.join("`, `");
    Err(format!(
        "`{text}` is not checked: show `cargo xtask`, `{known}`, or extend RUNNABLE in xtask/src/readme.rs"
    ))
}

/// The lines of `console` and `sh` blocks that begin with `cargo `, with their numbers.
fn commands(readme: &str) -> Vec<(usize, &str)> {
    let (mut commands, mut shell) = (Vec::new(), None);
    for (index, line) in readme.lines().enumerate() {
        let line = line.trim();
        if let Some(language) = line.strip_prefix("```") {
            shell = shell.is_none().then_some(["console", "sh"].contains(&language));
        } else if shell == Some(true) {
            let command = line.strip_prefix("$ ").unwrap_or(line);
            let command = command.split(" #").next().unwrap_or_default().trim();
            if command.starts_with("cargo ") {
                commands.push((index + 1, command));
            }
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::{Form, check, commands};
    use crate::workspace::Workspace;

    #[test]
    fn commands_are_found_in_shell_blocks_only() {
        let readme = "cargo a\n```console\n$ cargo b --c # d\noutput\n```\n```rust\ncargo e\n```\n```sh\ncargo f\n```\ncargo g";
        assert_eq!(commands(readme), [(3, "cargo b --c"), (10, "cargo f")]);
    }

    #[test]
    fn unknown_commands_are_refused() {
        let workspace = Workspace::find(Vec::new()).unwrap();
        assert_eq!(check(&workspace, "cargo xtask test"), Ok(()));
        assert!(check(&workspace, "cargo xtask tset").unwrap_err().contains("no command `tset`"));
        assert!(check(&workspace, "cargo publish").unwrap_err().contains("not checked"));
    }

    #[test]
    fn the_demo_is_judged_by_what_it_shows() {
        assert_eq!(Form::Text.check("PAID 3\nREFUSED 1\nUNKNOWN 1\npaid twice: 0\n"), Ok(()));
        assert!(
            Form::Text.check("PAID REFUSED UNKNOWN paid twice: 1").unwrap_err().contains("paid twice: 0")
        );
        assert_eq!(Form::Json.check("{\n\"a\": 1\n}"), Ok(()));
        assert_eq!(Form::Json.check("{\"a\": 1}\n{\"b\": 2}\n"), Ok(()));
        assert!(Form::Json.check("PAID").is_err());
        assert!(Form::Json.check("").is_err());
    }
}
