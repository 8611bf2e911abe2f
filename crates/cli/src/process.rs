use std::error::Error;
use std::io::{self, Read as _};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use malipo::journal::Settlement;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::engine::{Engine, Order, Settings, while_running};

/// The command that the demonstration runs itself with.
pub(crate) const NAME: &str = "demo-process";
/// How long nobody else touches what the process is sending: long for this demonstration, too short for real gateways.
const LEASE: Duration = Duration::from_secs(1);
/// How long after an attempt to ask about it.
const ASK_AFTER: Duration = Duration::from_millis(300);
/// When the process stops waiting for the end of its payment.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the process is to do. A process that comes after one that died is told exactly the same.
#[derive(Serialize, Deserialize)]
pub(crate) struct Task<'a> {
    pub(crate) settings: Settings,
    #[serde(borrow)]
    pub(crate) order: Order<'a>,
    /// Its own, since what each process mints must be new.
    pub(crate) seed: u64,
}

/// Opens the journal, submits one payment and waits for its end, like any program that knows nothing of an earlier run.
pub(crate) fn run() -> Result<ExitCode, Box<dyn Error>> {
    let mut told = String::new();
    io::stdin().read_to_string(&mut told)?;
    // Without the reason, which may quote a secret.
    let task: Task<'_> =
        serde_json::from_str(&told).map_err(|_| "`malipo demo` runs this, and tells it what to do")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let engine = Engine::open(&task.settings, task.seed)?;
        let payments = engine.payments(ASK_AFTER)?.with_lease(LEASE);
        let key = task.order.key()?;
        payments.submit(engine.account(), key.clone(), engine.instruction(&task.order)?).await?;
        let settlement = while_running(&payments, payments.settled(&key, PATIENCE)).await?;
        Ok(match settlement {
            Settlement::Paid(_) => ExitCode::SUCCESS,
            Settlement::NotPaid(_) | Settlement::Unknown(_) => ExitCode::FAILURE,
        })
    })
}

/// Such a process. It is killed when this is dropped, so that none is left behind.
pub(crate) struct Process {
    child: Child,
    number: u32,
}

impl Process {
    pub(crate) async fn start(task: &Task<'_>) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(NAME).stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let number = child.id().ok_or("the process has ended before it began")?;
        let mut input = child.stdin.take().ok_or("the process cannot be told anything")?;
        input.write_all(&serde_json::to_vec(task)?).await?;
        input.shutdown().await?;
        Ok(Self { child, number })
    }

    /// The system's number for it.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Kills it without a word (SIGKILL where there are signals), and says how it ended.
    pub(crate) async fn kill(mut self) -> io::Result<ExitStatus> {
        self.child.start_kill()?;
        self.child.wait().await
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}
