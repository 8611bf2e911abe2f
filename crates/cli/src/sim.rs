use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use malipo_sim::{Options, Sim, StartError};

use crate::end::End;

const OPEN: Style = AnsiColor::Yellow.on_default().bold();

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which port of 127.0.0.1 to listen on; 0 takes any free one.
    #[arg(long, value_name = "NUMBER", default_value_t = 8080)]
    port: u16,
    /// Makes tokens, receipts and the gateways' ids repeat: the same calls at the same times get the same bytes.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How many milliseconds after accepting a call a gateway decides about it.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    result_delay_ms: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let mut options = Options::new()
        .with_port(arguments.port)
        .with_result_delay(Duration::from_millis(arguments.result_delay_ms));
    if let Some(seed) = arguments.seed {
        options = options.with_seed(seed);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anything is printed: whoever reads that it listens may end it at once.
        let mut end = End::watch()?;
        let sim = Sim::start(options).await.map_err(explained)?;
        tell(sim.url());
        end.come().await?;
        anstream::println!("stopped");
        Ok(ExitCode::SUCCESS)
    })
}

fn tell(url: &str) {
    anstream::println!(
        "malipo {}  {OPEN}SIMULATED MONEY{OPEN:#}  nothing leaves this machine\n  \
         base URL     {url}  of every gateway\n  \
         credentials  {url}/_sim/accounts\n  \
         all else     {url}/_sim/\n  \
         Ctrl-C ends it",
        env!("CARGO_PKG_VERSION"),
    );
}

/// Says what to do about a port that cannot be had.
fn explained(error: StartError) -> Box<dyn Error> {
    let StartError::Listen { source, .. } = &error else { return error.into() };
    let remedy = match source.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there: end it, or choose another port with --port; 0 takes any free one"
        }
        io::ErrorKind::PermissionDenied => "you may not use this port: choose one from 1024 on with --port",
        _ => return error.into(),
    };
    format!("{error}: {source}\n  what to do: {remedy}").into()
}
