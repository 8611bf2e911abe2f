#![doc = include_str!("../README.md")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to a person in a terminal")]

mod cluster;
mod command;
mod coverage;
mod deny;
mod examples;
mod metadata;
mod proofs;
mod readme;
mod steps;
mod tidy;
mod tools;
mod trees;
mod workspace;

use std::process::ExitCode;

use command::Request;

/// The exit status for a command line that makes no sense, as the shell's own tools use it.
const MISUSE: u8 = 2;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match command::parse(&words, workspace::place()) {
        Ok(Request::Usage) => {
            println!("{}", command::usage());
            return ExitCode::SUCCESS;
        }
        Ok(Request::Run(command, without, passed)) => command::run(command, without, passed),
        Err(complaint) => {
            eprintln!("error: {complaint}\n\n{}", command::usage());
            return ExitCode::from(MISUSE);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
