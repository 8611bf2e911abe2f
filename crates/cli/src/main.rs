#![doc = include_str!("../README.md")]

mod books;
mod demo;
mod env;
mod listener;
mod sim;
mod story;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Pay someone, know whether they were paid, never pay twice.
#[derive(Debug, Parser)]
#[command(name = "malipo", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows payouts through a simulated gateway: one paid, one refused, one whose reply is lost.
    Demo(demo::Arguments),
    /// Runs the simulated gateways on this machine until it is told to stop, for programs in any language.
    Sim(sim::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!("malipo: {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
