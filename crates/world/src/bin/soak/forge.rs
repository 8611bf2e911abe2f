//! Forged callbacks, far more than a test has the time for, on books that are durable.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use malipo::{Env as _, SystemEnv};
use malipo_world::{Forgeries, House};
use tempfile::TempDir;

/// For so many without a token there is one with it.
const ONE_WITH_TOKEN: u64 = 10;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How many are posted without a good token; a tenth as many more are posted with it and with one field changed.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000)]
    pub(crate) forged: u64,
    /// Draws the same forgeries as another run with this seed.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

/// Posts them, and tells what came of it.
///
/// # Errors
///
/// When something of the machinery fails.
pub(crate) async fn run(arguments: &Arguments, seed: u64) -> Result<ExitCode, Box<dyn Error>> {
    let (env, folder, house) = (SystemEnv::new(), TempDir::new()?, House::new().map_err(told)?);
    let with_token = arguments.forged.div_ceil(ONE_WITH_TOKEN);
    anstream::println!("\nforged callbacks  store sqlite  seed {seed}");
    let forgeries = Forgeries::of(&house).without_token(arguments.forged).with_token(with_token);
    let forged = forgeries.with_seed(seed).in_folder(folder.path()).go().await.map_err(told)?;
    anstream::println!("{forged}\ntook {} s  seed {seed}", env.monotonic().as_secs());
    if forged.violations.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for violation in &forged.violations {
        anstream::println!("  {violation}");
    }
    anstream::println!(
        "A FORGED CALLBACK WAS BELIEVED, TOLD SOMETHING OR LOST\nthe books: {}",
        folder.keep().display()
    );
    Ok(ExitCode::FAILURE)
}

/// What kept the world from being put together, as an error of this program.
fn told(unbuilt: malipo_world::Unbuilt) -> Box<dyn Error> {
    unbuilt.to_string().into()
}
