//! The command as a user runs it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by panicking")]

// The printed command lines are meant for a shell.
#[cfg(unix)]
mod curl;
mod demo;
mod sim;

use std::process::{Command, Output, Stdio};

fn malipo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_malipo"));
    command.args(arguments).env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
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
