//! What the README shows a newcomer must work, as shown.

use std::fs;

use serde_json::{Value, json};

use crate::command;
use crate::workspace::{Place, Workspace, output};

/// How the demo prints. The seed is the one that README's example was printed with.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// For people.
    Text,
    /// For programs: a JSON event a line, the books' comparison last.
    Json,
}

/// What the demo must show, whatever else it says.
const SHOWN: &[&str] = &[
    "PAID",
    "REFUSED",
    "UNKNOWN",
    "KILLED",
    "already paid",
    "conflict",
    "differs in amount",
    "kept once, used once",
    "before the reply",
    "kept as evidence",
    "paid twice: 0",
    "unexplained: 0",
];
/// The events that the demo must tell, whatever else it tells.
const TOLD: &[&str] = &[
    "paid",
    "refused",
    "unknown",
    "process_killed",
    "process_restarted",
    "known",
    "conflict",
    "callback_repeated",
    "callback_early",
    "doubted",
    "compared",
];
/// The languages of blocks that hold command lines.
const SHELLS: &[&str] = &["console", "sh", "bash", "shell"];
/// Command lines the README may show besides our own: they end by themselves.
const RUNNABLE: &[&str] = &["cargo demo", "cargo run --example"];

/// `cargo demo` keeps its promise, as text and as JSON, and prints what README.md says it prints.
///
/// # Errors
///
/// When it fails or does not show what it must, or README.md shows something else.
pub(crate) fn demo(workspace: &Workspace) -> Result<(), String> {
    for (arguments, form) in
        [(&["demo", "--seed", "7"][..], Form::Text), (&["demo", "--seed", "7", "--json"], Form::Json)]
    {
        let printed = output(&mut workspace.cargo(arguments))?;
        let line = arguments.join(" ");
        let wrong = |wrong| format!("`cargo {line}` {wrong}; it printed:\n{printed}");
        form.check(&printed).map_err(wrong)?;
        if matches!(form, Form::Text) {
            shows(&front_page(workspace)?, &printed).map_err(wrong)?;
        }
        println!("`cargo {line}` shows what it must");
    }
    Ok(())
}

/// Every cargo command in the README's shell blocks is ours or runs.
///
/// # Errors
///
/// When README.md is missing, shows no command, an unknown one, or one that fails.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let readme = front_page(workspace)?;
    let shown = commands(&readme);
    if shown.is_empty() {
        return Err(format!("README.md shows no cargo command in a block of {}", SHELLS.join(", ")));
    }
    for (line, text) in shown {
        check(workspace, text).map_err(|error| format!("README.md:{line}: {error}"))?;
        println!("README.md:{line}: `{text}` works");
    }
    Ok(())
}

fn front_page(workspace: &Workspace) -> Result<String, String> {
    let path = workspace.root().join("README.md");
    fs::read_to_string(path).map_err(|error| format!("README.md cannot be read: {error}"))
}

/// Whether what the README shows below `cargo demo` is what was printed. It may leave out whole lines.
fn shows(readme: &str, printed: &str) -> Result<(), String> {
    let after = readme.lines().map(str::trim_end).skip_while(|line| *line != "$ cargo demo").skip(1);
    let mut printed = printed.lines().map(unnumbered);
    let mut compared = 0_usize;
    for line in after.take_while(|line| !line.starts_with("```")).filter(|line| !line.is_empty()) {
        if !printed.any(|told| told == unnumbered(line)) {
            return Err(format!("does not print, or not in this order, what README.md shows: `{line}`"));
        }
        compared += 1;
    }
    if compared == 0 { Err("is not shown in README.md with what it prints".to_owned()) } else { Ok(()) }
}

/// A line without the numbers of processes, which are the system's to choose, and without what ends it unseen.
fn unnumbered(line: &str) -> String {
    let mut words = Vec::new();
    for word in line.trim_end().split(' ') {
        let is_number =
            words.last() == Some(&"process") && word.starts_with(|first: char| first.is_ascii_digit());
        words.push(if is_number { "NUMBER," } else { word });
    }
    words.join(" ")
}

impl Form {
    fn check(self, printed: &str) -> Result<(), String> {
        match self {
            Self::Text => match SHOWN.iter().find(|word| !printed.contains(**word)) {
                Some(word) => Err(format!("does not show `{word}`")),
                None => Ok(()),
            },
            Self::Json => compared(printed),
        }
    }
}

/// Whether events are JSON, a line each, and end with books that agree with the ledger.
fn compared(printed: &str) -> Result<(), String> {
    let lines = printed.lines().filter(|line| !line.trim().is_empty());
    let events: Result<Vec<Value>, _> = lines.map(serde_json::from_str).collect();
    let events = events.map_err(|error| format!("prints a line that is no JSON: {error}"))?;
    let is_told = |name: &&str| events.iter().any(|event| event.get("event") == Some(&json!(name)));
    let last = events.last().ok_or("prints nothing")?;
    if last.get("event") != Some(&json!("compared")) {
        return Err("does not end with the event `compared`".to_owned());
    }
    for (field, expected) in [("paid_twice", json!(0)), ("unexplained", json!([]))] {
        match last.get(field) {
            Some(value) if *value == expected => {}
            Some(value) => return Err(format!("says {field} {value}, not {expected}")),
            None => return Err(format!("does not say {field}")),
        }
    }
    match TOLD.iter().find(|name| !is_told(name)) {
        Some(name) => Err(format!("does not tell the event `{name}`")),
        None => Ok(()),
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

/// The lines of shell blocks that begin with `cargo `, with their numbers.
fn commands(readme: &str) -> Vec<(usize, &str)> {
    let (mut commands, mut shell) = (Vec::new(), None);
    for (index, line) in readme.lines().enumerate() {
        let line = line.trim();
        if let Some(language) = line.strip_prefix("```") {
            shell = shell.is_none().then_some(SHELLS.contains(&language));
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
    use super::{Form, SHOWN, TOLD, check, commands, shows};
    use crate::workspace::Workspace;

    #[test]
    fn commands_are_found_in_shell_blocks_only() {
        let readme = "cargo a\n```console\n$ cargo b --c # d\noutput\n```\n```rust\ncargo e\n```\n```sh\ncargo f\n```\ncargo g\n```bash\ncargo h\n```\n```shell\ncargo i\n```";
        assert_eq!(commands(readme), [(3, "cargo b --c"), (10, "cargo f"), (14, "cargo h"), (17, "cargo i")]);
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
        let shown = SHOWN.join("\n");
        assert_eq!(Form::Text.check(&shown), Ok(()));
        for word in SHOWN {
            let without = shown.replacen(word, "", 1);
            assert!(Form::Text.check(&without).unwrap_err().contains(word), "{word}");
        }
    }

    #[test]
    fn the_demo_is_judged_by_the_events_it_tells() {
        let told = |names: &[&str]| -> String {
            names.iter().map(|name| format!("{{\"event\": \"{name}\"}}\n\n")).collect()
        };
        let ended = |last: &str| Form::Json.check(&format!("{}{last}\n", told(TOLD)));
        let good = r#"{"event": "compared", "paid_twice": 0, "unexplained": []}"#;
        assert_eq!(ended(good), Ok(()));
        for (last, wrong) in [
            (r#"{"event": "compared", "paid_twice": 1, "unexplained": []}"#, "paid_twice 1"),
            (r#"{"event": "compared", "paid_twice": 0, "unexplained": ["a"]}"#, "unexplained [\"a\"]"),
            (r#"{"event": "compared", "paid_twice": 0}"#, "does not say unexplained"),
            (r#"{"event": "paid", "paid_twice": 0, "unexplained": []}"#, "event `compared`"),
            ("PAID", "no JSON"),
        ] {
            let told = ended(last).unwrap_err();
            assert!(told.contains(wrong), "{told}");
        }
        for name in TOLD.iter().filter(|name| **name != "compared") {
            let rest: Vec<_> = TOLD.iter().copied().filter(|other| other != name).collect();
            let missing = Form::Json.check(&format!("{}{good}", told(&rest))).unwrap_err();
            assert!(missing.contains(name), "{missing}");
        }
        assert!(Form::Json.check("").is_err());
    }

    #[test]
    fn the_front_page_shows_what_the_demo_prints() {
        let readme = "```console\n$ cargo demo\nmalipo\n\n 1  pay\n  process 7, which pays\n```\nothers";
        let printed = "malipo\n  seed 7\n\n 1  pay\n  process 41, which pays\n";
        assert_eq!(shows(readme, printed), Ok(()));
        for (old, new) in [(" 1  pay", " 1  Pay"), (", which pays", ""), (" 1  pay\n", ""), ("malipo\n", "")]
        {
            let wrong = shows(readme, &printed.replacen(old, new, 1)).unwrap_err();
            assert!(wrong.contains("README.md"), "{wrong}");
        }
        assert!(shows("cargo demo", printed).is_err(), "nothing is shown");
    }
}
