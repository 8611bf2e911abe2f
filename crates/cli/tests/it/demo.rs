//! What the demonstration shows, by running it.

use std::collections::BTreeSet;
#[cfg(target_os = "linux")]
use std::io::{BufRead as _, BufReader};
#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::{malipo, text};

/// One run, event by event.
struct Run(Vec<Value>);

impl Run {
    fn with_seed(seed: &str) -> Self {
        let output = malipo(&["demo", "--json", "--seed", seed]);
        let (told, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success() && errors.is_empty(), "{told}{errors}");
        Self(told.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|event| event["event"].as_str().unwrap()).collect()
    }

    /// The only event of this name about this key.
    fn of(&self, key: &str, name: &str) -> &Value {
        let found: Vec<_> =
            self.0.iter().filter(|event| event["event"] == name && event["key"] == key).collect();
        assert_eq!(found.len(), 1, "{name} of {key}: {found:?}");
        found[0]
    }
}

/// Whether it still runs, and is not another one with its number.
#[cfg(target_os = "linux")]
fn is_alive(process: &Value) -> bool {
    let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    text(&line).contains("demo-process")
}

#[test]
fn the_story_is_told_and_ends_well() {
    let output = malipo(&["demo", "--seed", "7"]);
    let story = text(&output.stdout);
    assert!(output.status.success(), "{story}{}", text(&output.stderr));
    let words =
        ["PAID ", "REFUSED ", "UNKNOWN ", "KILLED ", "REVIEW ", "already paid", "conflict ", "posted  "];
    let told: Vec<_> =
        story.lines().filter_map(|line| words.into_iter().find(|word| line.contains(word))).collect();
    let expected = [
        "PAID ",
        "REFUSED ",
        "UNKNOWN ",
        "PAID ",
        "KILLED ",
        "UNKNOWN ",
        "PAID ",
        "already paid",
        "conflict ",
        "PAID ",
        "posted  ",
        "posted  ",
        "PAID ",
        "REVIEW ",
        "PAID ",
    ];
    assert_eq!(told, expected, "{story}");
    assert!(story.contains("what to do: ") && story.ends_with("paid twice: 0   unexplained: 0\n"), "{story}");
    assert!(!story.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn every_event_is_told_as_json() {
    let run = Run::with_seed("7");
    let expected = [
        "started",
        "submitting",
        "accepted",
        "paid",
        "submitting",
        "accepted",
        "refused",
        "submitting",
        "unknown",
        "paid",
        "submitting",
        "process_started",
        "process_killed",
        "process_restarted",
        "unknown",
        "paid",
        "submitting",
        "known",
        "submitting",
        "conflict",
        "submitting",
        "accepted",
        "paid",
        "callback_repeated",
        "submitting",
        "callback_early",
        "accepted",
        "paid",
        "submitting",
        "accepted",
        "doubted",
        "paid",
        "compared",
    ];
    assert_eq!(run.names(), expected);
    assert_eq!(run.0[0]["seed"], 7);
    for (key, way) in [
        ("salary 1", "callback"),
        ("salary 3", "question"),
        ("salary 4", "question"),
        ("salary 5", "callback"),
        ("salary 6", "callback"),
        ("salary 7", "callback"),
    ] {
        let paid = run.of(key, "paid");
        assert_eq!(paid["way"], way, "{key}");
        assert!(paid["receipt"].as_str().is_some_and(|receipt| receipt.len() == 10), "{paid}");
    }
    let refused = run.of("salary 2", "refused");
    assert_eq!((&refused["code"], &refused["way"]), (&json!("1"), &json!("callback")));
    assert!(refused["remedy"].is_string() && refused["why"].is_string(), "{refused}");
}

/// What is lost is not called failed, and it is not sent again.
#[test]
fn a_lost_reply_is_unknown_until_the_gateway_was_asked() {
    let run = Run::with_seed("11");
    let (unknown, paid) = (run.of("salary 3", "unknown"), run.of("salary 3", "paid"));
    assert_eq!(unknown["reference"], paid["reference"], "what was found is what was sent");
    assert_eq!(paid["way"], "question");
}

#[test]
fn a_process_really_dies_between_the_request_and_the_reply() {
    let run = Run::with_seed("12");
    let started = run.of("salary 4", "process_started");
    let killed = run.of("salary 4", "process_killed");
    let restarted = run.of("salary 4", "process_restarted");
    assert_eq!(killed["process"], started["process"]);
    assert_ne!(killed["process"], restarted["process"]);
    assert_ne!(killed["process"], u64::from(std::process::id()));
    #[cfg(unix)]
    assert_eq!(killed["ended"], "signal: 9 (SIGKILL)");
    assert_eq!(killed["state"], "sending", "it had written down that it sends, and no reply");
    #[cfg(target_os = "linux")]
    for process in [&killed["process"], &restarted["process"]] {
        assert!(!is_alive(process), "process {process} was left behind");
    }
    let references: BTreeSet<_> = ["process_killed", "unknown", "paid"]
        .map(|name| run.of("salary 4", name)["reference"].as_str().unwrap().to_owned())
        .into();
    assert_eq!(references.len(), 1, "the second process found the payment of the first: {references:?}");
}

#[test]
fn a_key_that_was_paid_sends_nothing() {
    let run = Run::with_seed("13");
    let (paid, known) = (run.of("salary 4", "paid"), run.of("salary 4", "known"));
    assert_eq!((&known["state"], &known["receipt"]), (&json!("paid"), &paid["receipt"]));
    let conflict = run.of("salary 4", "conflict");
    assert_eq!(conflict["fields"], json!(["amount"]));
    for event in [known, conflict] {
        let requests = (&event["requests_before"], &event["requests_after"]);
        assert_eq!(requests, (&json!(4), &json!(4)), "one for each payment: {event}");
    }
}

#[test]
fn a_callback_that_comes_three_times_is_used_once() {
    let run = Run::with_seed("15");
    let repeated = run.of("salary 5", "callback_repeated");
    assert_eq!(repeated["answers"], json!([200, 200]), "its sender need not come again");
    assert_eq!((&repeated["kept"], &repeated["used"]), (&json!(1), &json!(1)));
}

#[test]
fn a_callback_that_comes_before_the_reply_is_kept_until_the_reply_is_in() {
    let run = Run::with_seed("16");
    let early = run.of("salary 6", "callback_early");
    assert_eq!((&early["kept"], &early["state"]), (&json!(1), &json!("accepted")));
    assert_eq!(run.of("salary 6", "paid")["reference"], early["reference"]);
}

#[test]
fn a_forged_callback_is_evidence_and_settles_nothing() {
    let run = Run::with_seed("17");
    let doubted = run.of("salary 7", "doubted");
    assert_eq!((&doubted["why"], &doubted["state"]), (&json!("mismatched"), &json!("review")));
    assert_eq!(doubted["expected"], "amount KES 1,400.00");
    assert_eq!(doubted["claimed"], "amount KES 14,000.00");
    // Nor is what it claims in the gateway's books: the truth came after it.
    assert_eq!(run.of("salary 7", "paid")["way"], "callback");
}

#[test]
fn the_books_are_the_gateways_ledger() {
    let run = Run::with_seed("14");
    let expected = json!({
        "event": "compared", "paid_in_books": 6, "paid_in_ledger": 6, "refused": 1, "unknown": 0, "paid_twice": 0,
        "unexplained": [],
    });
    assert_eq!(run.0.last(), Some(&expected));
}

/// Ports, folders and processes are the system's to choose.
#[test]
fn a_seed_repeats_everything_that_is_ours() {
    let run = |seed| {
        let mut events = Run::with_seed(seed).0;
        events.retain(|event| event["event"] != "started");
        for event in &mut events {
            event.as_object_mut().unwrap().remove("process");
        }
        events
    };
    let first = run("7");
    assert_eq!(first, run("7"));
    assert_ne!(first, run("8"));
}

#[test]
fn nothing_of_it_is_left_and_nothing_private_is_shown() {
    for arguments in [&["demo"][..], &["demo", "--json"]] {
        let output = malipo(arguments);
        let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
        for private in [
            "254708374149",
            "0708374149",
            "254711222333",
            "0711222333",
            "254790555666",
            "simulated-",
            "BEGIN",
        ] {
            assert!(!told.contains(private), "{private} in {told}");
        }
        let end = told.find("journal.db").unwrap();
        let start = told[..end].rfind([' ', '"']).unwrap() + 1;
        let folder = std::path::Path::new(&told[start..end]);
        assert!(folder.is_absolute() && !folder.exists(), "{}", folder.display());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_interrupts_it_is_left_with_nothing() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_malipo"));
    let mut demo = command.args(["demo", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut events = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut until = |name: &str| loop {
        let event: Value = serde_json::from_str(&events.next().unwrap().unwrap()).unwrap();
        if event["event"] == name {
            return event;
        }
    };
    let folder = until("started")["journal"].as_str().unwrap().to_owned();
    let process = until("process_started")["process"].clone();
    assert!(std::path::Path::new(&folder).exists());
    let kill = format!("kill -INT {}", demo.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(1));
    assert!(!std::path::Path::new(&folder).exists());
    // Its end may take a moment.
    let wait = || Command::new("sleep").arg("0.02").status().unwrap().success();
    let gone = (0..100).any(|_| !is_alive(&process) || !wait());
    assert!(gone, "process {process} was left behind");
}

#[test]
fn the_process_that_is_killed_wants_to_be_told_what_to_do() {
    let output = malipo(&["demo-process"]);
    let says = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    assert!(says.starts_with("malipo: `malipo demo` runs this"), "{says}");
    assert!(!text(&malipo(&["--help"]).stdout).contains("demo-process"));
}
