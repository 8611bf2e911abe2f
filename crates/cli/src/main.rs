#![doc = include_str!("../README.md")]

mod compare;
mod demo;
mod end;
mod engine;
mod env;
mod posted;
mod process;
mod sim;
mod story;
mod watch;

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
    /// Shows payouts through a simulated gateway: one paid, one refused, one whose reply is lost, one whose process is
    /// killed; and callbacks that come again, too early, or from somebody else.
    Demo(demo::Arguments),
    /// The process that the demonstration starts and kills. It is told on its standard input what to do.
    #[command(name = process::NAME, hide = true)]
    DemoProcess,
    /// Runs the simulated gateways on this machine until it is told to stop, for programs in any language.
    Sim(sim::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::DemoProcess => process::run(),
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
