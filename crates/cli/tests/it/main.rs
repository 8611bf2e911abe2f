//! The command as a user runs it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by panicking")]

// The printed command lines are meant for a shell.
#[cfg(unix)]
mod curl;
mod sim;

use std::process::{Command, Output};

use serde_json::Value;

fn malipo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_malipo")).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_demonstration_tells_its_story_and_ends_well() {
    let output = malipo(&["demo", "--seed", "7"]);
    let story = text(&output.stdout);
    assert!(output.status.success(), "{story}{}", text(&output.stderr));
    let outcomes = |line: &str| {
        ["PAID ", "REFUSED ", "UNKNOWN "].into_iter().find(|outcome| line.contains(outcome)).map(str::trim)
    };
    let told: Vec<_> = story.lines().filter_map(outcomes).collect();
    assert_eq!(told, ["PAID", "REFUSED", "UNKNOWN", "PAID"], "{story}");
    assert!(story.contains("what to do: ") && story.contains("paid twice: 0   unexplained: 0"), "{story}");
    assert!(!story.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn a_seed_repeats_everything_but_the_ports() {
    let run = |seed| {
        let output = malipo(&["demo", "--json", "--seed", seed]);
        assert!(output.status.success());
        text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|event: &Value| event["event"] != "started")
            .collect::<Vec<_>>()
    };
    let first = run("7");
    assert_eq!(first, run("7"));
    assert_ne!(first, run("8"));
    let events: Vec<_> = first.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(
        events,
        [
            "submitting",
            "accepted",
            "paid",
            "submitting",
            "accepted",
            "refused",
            "submitting",
            "unknown",
            "paid",
            "compared"
        ]
    );
    let compared = first.last().unwrap();
    assert_eq!(
        (&compared["paid_twice"], &compared["paid_in_books"]),
        (&Value::from(0), &compared["paid_in_ledger"])
    );
}

#[test]
fn a_wrong_argument_is_named() {
    for (arguments, named) in [
        (["demo", "--seed=seven"].as_slice(), "seven"),
        (&["demo", "--fast"], "--fast"),
        (&["pay"], "pay"),
        (&[], "Usage"),
    ] {
        let output = malipo(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(named));
    }
}
