//! Workers that are killed with SIGKILL, again and again, while they pay through simulated gateways on real sockets;
//! and then the gateways' ledger is held against the books. This program is the harness and, started by itself, each of
//! the workers. It also posts callbacks that no gateway posted.

mod check;
mod deliveries;

mod findings;
mod floors;
mod forge;
mod front;
mod harness;
mod histories;
mod orders;
mod owed;
mod setup;
mod store;
mod worker;

use std::error::Error;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use malipo::{Env as _, SystemEnv};

use self::store::Store;

/// Kills workers while they pay, and shows that nobody was paid twice and nothing was lost.
#[derive(Debug, Parser)]
#[command(name = "soak")]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Kills workers, and compares.
    Run(Arguments),
    /// Posts forged callbacks, and shows that none of them settles anything.
    Forge(forge::Arguments),
    /// One worker. It is started by the harness, which tells it all that it needs.
    Worker,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How often a worker is killed.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    pub(crate) kills: u32,
    /// Where the books are. PostgreSQL's address is read from `MALIPO_POSTGRES`; they get a schema of their own there.
    #[arg(long, value_name = "STORE")]
    pub(crate) store: Store,
    /// How many workers share the books.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) workers: u32,
    /// Draws the same orders, faults and moments to kill at as another run with this seed. What the system does
    /// meanwhile is its own affair.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

fn main() -> ExitCode {
    let command = Program::parse().command;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let outcome = runtime.block_on(async {
        match command {
            Command::Run(arguments) => {
                harness::run(&arguments, arguments.seed.unwrap_or_else(any_seed)).await
            }
            Command::Forge(arguments) => {
                forge::run(&arguments, arguments.seed.unwrap_or_else(any_seed)).await
            }
            Command::Worker => worker::run().await.map(|()| ExitCode::SUCCESS),
        }
    });
    // What waits for the standard input would keep the runtime from ending.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| failed(&*error))
}

fn failed(error: &dyn Error) -> ExitCode {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let told: Vec<_> = causes.map(ToString::to_string).collect();
    anstream::eprintln!("soak: {}", told.join(": "));
    ExitCode::FAILURE
}

/// Where this program is.
fn own_path() -> std::io::Result<std::path::PathBuf> {
    std::env::current_exe()
}

/// A seed from the system's randomness, small enough to be typed in again.
fn any_seed() -> u64 {
    let mut bytes = [0; 4];
    SystemEnv::new().fill_bytes(&mut bytes);
    u64::from(u32::from_le_bytes(bytes))
}
