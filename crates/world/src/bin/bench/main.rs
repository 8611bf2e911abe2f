//! Durable submits and durable callbacks beside the bare rows that they leave, written by as little as can write them: in
//! one run, on one disk, in turns. Figures are for people; nothing is judged here.

mod bare;
mod burst;
mod callers;
mod disk;
mod journal;
mod orders;
mod receiver;
mod serving;
mod table;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Measures Malipo beside the least that could do the same.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Program {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Durable submits, as a ratio to bare rows in the same store.
    Journal(Arguments),
    /// Durable callbacks, as a ratio to bare rows in the same store and to a server that keeps nothing.
    Receiver(Arguments),
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where the files are written, on the disk that is measured.
    #[arg(long, value_name = "FOLDER", default_value = "target")]
    pub(crate) folder: PathBuf,
    /// How many rounds are measured, after one that warms up.
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
}

fn main() -> ExitCode {
    match measured(&Program::parse().subject) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(Some(&*error), |&error| error.source());
            let told: Vec<_> = causes.map(ToString::to_string).collect();
            anstream::eprintln!("bench: {}", told.join(": "));
            ExitCode::FAILURE
        }
    }
}

fn measured(subject: &Subject) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match subject {
            Subject::Journal(arguments) => journal::run(arguments).await,
            Subject::Receiver(arguments) => receiver::run(arguments).await,
        }
    })
}

/// The address of PostgreSQL with its password, as `cargo xtask bench` tells it: not in an argument, which every user of
/// the machine can read.
#[allow(clippy::disallowed_methods, reason = "this is a program, and its configuration is there")]
fn server_address() -> Option<String> {
    std::env::var("MALIPO_POSTGRES").ok()
}
