//! The command line: a table of what `cargo xtask` can do.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::tools::{self, Tool};
use crate::workspace::{Place, Workspace};
use crate::{coverage, deny, examples, proofs, readme, steps, trees};

/// Something `cargo xtask` can do. A new one is a new row of [`COMMANDS`].
#[derive(Debug)]
pub(crate) struct Command {
    /// What one types.
    pub(crate) name: &'static str,
    /// What the usage listing says.
    summary: &'static str,
    /// When it runs.
    turn: Turn,
    /// What may follow its name.
    options: Options,
    /// What it does.
    run: fn(&Workspace) -> Result<(), String>,
}

/// When a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// As a step of `test`, and alone.
    InTest,
    /// Only when asked for by name.
    Alone,
}

/// What may follow a command's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Options {
    /// Nothing.
    None,
    /// `--without TOOL`, any number of times.
    Without,
    /// One of these subjects, unless there is none, and these options with a value each, for the program it starts.
    Passed {
        /// What it may be about.
        subjects: &'static [&'static str],
        /// What may follow, and what its value is.
        values: &'static [(&'static str, &'static str)],
    },
}

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// The listing of commands.
    Usage,
    /// One command, without some external tools, and with words for the program it starts.
    Run(&'static Command, Vec<&'static Tool>, Vec<String>),
}

/// Everything there is, in the order `test` goes through it: the cheap and the telling first.
const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        summary: "every check below, in this order; what CI runs",
        turn: Turn::Alone,
        options: Options::Without,
        run: everything,
    },
    step("fmt", "the code is formatted", steps::fmt),
    step("tidy", "the house rules: edges between crates, and what each file may say", steps::tidy),
    step("clippy", "no warning, with all features; libraries also one by one with fewer", steps::clippy),
    Command { options: Options::Without, ..step("tests", "unit and integration tests", steps::tests) },
    step("coverage", "every documented operation has a test that passes", coverage::run),
    step("examples", "every example runs to its end", examples::run),
    step("doctests", "the examples in documentation and READMEs", steps::doctests),
    step("rustdoc", "the documentation builds without a warning", steps::rustdoc),
    step("deny", "licences, banned crates, sources (installs cargo-deny into target/tools)", deny::run),
    step("trees", "what must not be linked is not, and no tree is too large", trees::run),
    step("demo", "`cargo demo` shows what it promises, as text and as JSON", readme::demo),
    step("readme", "every command the README shows works", readme::run),
    step("lock", "in CI: nothing changed Cargo.lock", steps::lock),
    Command {
        name: "soak",
        summary: "workers are killed while they pay, and callbacks are forged; nothing is lost or believed",
        turn: Turn::Alone,
        options: Options::Passed { subjects: &[], values: proofs::SOAK },
        run: proofs::soak,
    },
    Command {
        name: "bench",
        summary: "durable submits or callbacks, as ratios to bare rows on the same disk",
        turn: Turn::Alone,
        options: Options::Passed { subjects: &["journal", "receiver"], values: proofs::BENCH },
        run: proofs::bench,
    },
];

const fn step(
    name: &'static str,
    summary: &'static str,
    run: fn(&Workspace) -> Result<(), String>,
) -> Command {
    Command { name, summary, turn: Turn::InTest, options: Options::None, run }
}

/// Reads a command line.
///
/// # Errors
///
/// When it names no command, or says more than the command takes.
pub(crate) fn parse(words: &[String], place: Place) -> Result<Request, String> {
    let mut words = words.iter().map(String::as_str);
    let Some(name) = words.next().filter(|word| !["help", "--help", "-h"].contains(word)) else {
        return Ok(Request::Usage);
    };
    let command = named(name).ok_or_else(|| format!("there is no command `{name}`"))?;
    let (mut without, mut passed) = (Vec::new(), Vec::new());
    if let Options::Passed { subjects, .. } = command.options
        && !subjects.is_empty()
    {
        let subject = words.next().filter(|word| subjects.contains(word));
        let subject = subject.ok_or_else(|| format!("`{name}` needs one of: {}", subjects.join(", ")))?;
        passed.push(subject.to_owned());
    }
    while let Some(word) = words.next() {
        match command.options {
            Options::Without if word == "--without" => {
                let tool =
                    words.next().ok_or_else(|| format!("`--without` needs a name: {}", tools::names()))?;
                let tool = tools::named(tool);
                without.push(tool.ok_or_else(|| format!("no such tool; there is {}", tools::names()))?);
            }
            Options::Passed { values, .. } if values.iter().any(|(name, _)| *name == word) => {
                let value = words.next().ok_or_else(|| format!("`{word}` needs a value"))?;
                passed.extend([word.to_owned(), value.to_owned()]);
            }
            _ => return Err(format!("`{name}` does not take `{word}`")),
        }
    }
    if place == Place::Ci && !without.is_empty() {
        return Err("`--without` is refused when CI=true: what CI does not run, nobody runs".to_owned());
    }
    Ok(Request::Run(command, without, passed))
}

/// The command called so.
fn named(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// The listing of commands.
pub(crate) fn usage() -> String {
    let mut usage = String::from("usage: cargo xtask COMMAND\n\n");
    for Command { name, summary, options: command_options, .. } in COMMANDS {
        let options = match command_options {
            Options::None => String::new(),
            Options::Without => " [--without TOOL]".to_owned(),
            Options::Passed { subjects: [], .. } => String::new(),
            Options::Passed { subjects, .. } => format!(" {}", subjects.join("|")),
        };
        // Writing to a string does not fail.
        let _ = writeln!(usage, "  {:<26}{summary}", format!("{name}{options}"));
        if let Options::Passed { values, .. } = command_options {
            let values: String = values.iter().map(|(name, value)| format!(" [{name} {value}]")).collect();
            let _ = writeln!(usage, "  {:<25}{values}", "");
        }
    }
    let _ = write!(usage, "\nTOOL is one of: {}", tools::names());
    usage
}

/// Runs one command.
///
/// # Errors
///
/// When it does not pass.
pub(crate) fn run(command: &Command, without: Vec<&'static Tool>, passed: Vec<String>) -> Result<(), String> {
    (command.run)(&Workspace::find(without)?.passing(passed))
}

/// Runs every step, also after one has failed: a slip of format must not hide a broken test.
fn everything(workspace: &Workspace) -> Result<(), String> {
    let mut summary = String::new();
    let mut failed = Vec::new();
    for command in COMMANDS.iter().filter(|command| command.turn == Turn::InTest) {
        println!("\n==> {}: {}", command.name, command.summary);
        let (outcome, took) = timed(|| (command.run)(workspace));
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        let line = format!("{:<10}{verdict:<8}{:>7.1} s", command.name, took.as_secs_f64());
        println!("<== {line}");
        let _ = writeln!(summary, "  {line}");
        if let Err(error) = outcome {
            eprintln!("error: {error}");
            failed.push(format!("{}: {error}", command.name));
        }
    }
    for tool in workspace.without() {
        let _ = writeln!(summary, "  NOT RUN   {}: {}", tool.name, tool.needed_for);
    }
    println!("\nSummary\n{summary}");
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("{} step(s) failed\n\n{}", failed.len(), failed.join("\n\n")))
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long a check takes is told to a person and decides nothing"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    (work(), started.elapsed())
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, Request, Turn, parse, usage};
    use crate::workspace::Place;

    fn told(line: &str, place: Place) -> Result<String, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words, place).map(|request| match request {
            Request::Usage => "usage".to_owned(),
            Request::Run(command, without, passed) => {
                let told = without.iter().map(|tool| format!(" -{}", tool.name));
                let passed = passed.iter().map(|word| format!(" {word}"));
                format!("{}{}", command.name, told.chain(passed).collect::<String>())
            }
        })
    }

    #[test]
    fn commands_are_understood() {
        assert_eq!(told("", Place::Desk).unwrap(), "usage");
        assert_eq!(told("--help", Place::Ci).unwrap(), "usage");
        assert_eq!(told("tidy", Place::Ci).unwrap(), "tidy");
        assert_eq!(told("test --without openssl", Place::Desk).unwrap(), "test -openssl");
        assert_eq!(
            told("soak --kills 5 --store sqlite", Place::Ci).unwrap(),
            "soak --kills 5 --store sqlite"
        );
        assert_eq!(told("soak --forged 5", Place::Desk).unwrap(), "soak --forged 5");
        assert_eq!(told("bench journal", Place::Desk).unwrap(), "bench journal");
        assert_eq!(told("bench receiver --rounds 2", Place::Ci).unwrap(), "bench receiver --rounds 2");
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "tset",
            "tidy now",
            "tidy --without openssl",
            "test --without",
            "test --without air",
            "test -v",
            "soak --kills",
            "soak --fast 1",
            "soak journal",
            "bench",
            "bench air",
        ] {
            assert!(told(line, Place::Desk).is_err(), "{line}");
        }
    }

    #[test]
    fn ci_leaves_nothing_out() {
        assert!(told("test --without openssl", Place::Ci).unwrap_err().contains("CI=true"));
    }

    #[test]
    fn the_guide_for_contributors_has_every_step() {
        let guide = include_str!("../../CONTRIBUTING.md");
        for step in COMMANDS.iter().filter(|command| command.turn == Turn::InTest) {
            assert!(
                guide.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{}`", step.name)))
            );
        }
    }

    #[test]
    fn the_guide_for_contributors_has_what_runs_only_when_asked_for() {
        let guide = include_str!("../../CONTRIBUTING.md");
        for command in COMMANDS.iter().filter(|command| command.turn == Turn::Alone) {
            assert!(guide.contains(&format!("cargo xtask {}", command.name)), "{}", command.name);
        }
    }

    #[test]
    fn the_usage_lists_what_may_follow() {
        for shown in [
            "[--forged NUMBER]",
            "[--kills NUMBER]",
            "[--seed NUMBER]",
            "[--store sqlite|postgres]",
            "[--workers NUMBER]",
            "bench journal|receiver",
        ] {
            assert!(usage().contains(shown), "{shown}");
        }
        assert!(usage().contains("[--folder FOLDER] [--rounds NUMBER]"));
    }

    #[test]
    fn the_usage_lists_every_command() {
        for command in COMMANDS {
            assert!(usage().contains(&format!("\n  {}", command.name)), "{}", command.name);
        }
    }
}
