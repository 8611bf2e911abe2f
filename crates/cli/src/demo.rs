mod callbacks;

use std::error::Error;
use std::future::pending;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use malipo::journal::{Payment, PaymentState, PaymentsError, Refused};
use malipo::receiver::{Receiver, serve};
use malipo::{Env as _, SystemEnv, Timer as _};
use malipo_sim::{DarajaAccount, DarajaKey, Fault, Gateway, Operation, Options, Sim};
use rust_decimal::Decimal;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::compare::{Comparison, books};
use crate::end::End;
use crate::engine::{Engine, Order, Settings, while_running};
use crate::env::any_seed;
use crate::process::{Process, Task};
use crate::story::{Event, Requests, Story};
use crate::watch::Watch;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Pays with the same references and receipts as another run with this seed.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Prints one line of JSON for each event.
    #[arg(long)]
    json: bool,
}

/// What the simulated shortcode can pay from, in shillings.
const FLOAT: i64 = 10_000;
/// When the gateway is asked about a payment of which it is to tell us by itself.
const LATER: Duration = Duration::from_secs(60);
/// When the gateway is asked about a payment of which it will not tell us.
const SOON: Duration = Duration::from_millis(500);
/// A reply so slow that whoever waits for it is dead before it comes.
const SLOW: Duration = Duration::from_secs(60);
/// How often to look whether the gateway has a request.
const LOOK: Duration = Duration::from_millis(10);
/// When we stop waiting for the end of a payment.
const PATIENCE: Duration = Duration::from_secs(20);

/// One payment of the demonstration.
struct Scene {
    order: Order<'static>,
    twist: Option<&'static str>,
    faults: &'static [Fault],
    ask_after: Duration,
}

const SCENES: &[Scene] = &[
    Scene {
        order: Order { key: "salary 1", payee: "0708374149", shillings: "1500" },
        twist: None,
        faults: &[],
        ask_after: LATER,
    },
    Scene {
        order: Order { key: "salary 2", payee: "0722000000", shillings: "25000" },
        twist: None,
        faults: &[],
        ask_after: LATER,
    },
    Scene {
        order: Order { key: "salary 3", payee: "0110123456", shillings: "900" },
        twist: Some("the gateway takes it, the reply is lost, and no callback comes"),
        faults: &[Fault::LostReply, Fault::CallbackNever],
        ask_after: SOON,
    },
];

/// The payment whose process is killed.
const KILLED: Order<'_> = Order { key: "salary 4", payee: "0711222333", shillings: "700" };
/// What somebody makes of it who uses the key for something else.
const OTHER: Order<'_> = Order { shillings: "701", ..KILLED };

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let story = if arguments.json { Story::Json } else { Story::Text };
    let seed = arguments.seed.unwrap_or_else(any_seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut end = End::watch()?;
        // What is dropped on the way takes its folder and its process with it.
        tokio::select! {
            told = tell(story, seed) => told,
            ended = end.come() => Err(ended.map_or_else(Into::into, |()| "ended before the end".into())),
        }
    })
}

async fn tell(story: Story, seed: u64) -> Result<ExitCode, Box<dyn Error>> {
    let mut stage = Stage::set(story, seed).await?;
    for (number, scene) in (1..).zip(SCENES) {
        stage.play(number, scene).await?;
    }
    let number = SCENES.len();
    stage.kill(number + 1, &KILLED).await?;
    stage.repeat(number + 2, &KILLED).await?;
    stage.conflict(number + 3, &OTHER).await?;
    stage.repeat_callback(number + 4, &callbacks::REPEATED).await?;
    stage.hear_early(number + 5, &callbacks::EARLY).await?;
    stage.hear_forged(number + 6, &callbacks::FORGED).await?;
    Ok(if stage.compare().await?.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A simulated gateway, our engine for it, and our journal.
struct Stage {
    story: Story,
    clock: SystemEnv,
    sim: Sim,
    settings: Settings,
    engine: Engine,
    watch: Watch,
    patience: Duration,
    /// What was promised and not kept, in words.
    broken: Vec<String>,
    /// The journal's folder, which is removed in the end.
    _folder: TempDir,
}

impl Stage {
    async fn set(story: Story, seed: u64) -> Result<Self, Box<dyn Error>> {
        let account = DarajaAccount::new(DarajaKey::generate()?).with_utility(Decimal::from(FLOAT));
        let sim = Sim::start(Options::new().with_seed(seed).with_daraja(account)).await?;
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let folder = TempDir::with_prefix("malipo-demo-")?;
        let settings = settings(&sim, format!("http://{}", socket.local_addr()?), &folder);
        let engine = Engine::open(&settings, seed)?;
        tokio::spawn(serve(socket, Receiver::new(engine.payments(LATER)?), pending()));
        story.tell(&Event::Started {
            gateway: sim.url(),
            callbacks: &settings.callbacks,
            journal: &settings.journal,
            seed,
        });
        let watch = Watch::new(engine.journal.clone(), story);
        let (clock, broken) = (SystemEnv::new(), Vec::new());
        Ok(Self { story, clock, sim, settings, engine, watch, patience: PATIENCE, broken, _folder: folder })
    }

    /// Pays, and tells what becomes of it until that is known.
    async fn play(&mut self, number: usize, scene: &Scene) -> Result<(), Box<dyn Error>> {
        self.sim.inject(Gateway::Daraja, Operation::PayOut, scene.faults.iter().copied())?;
        self.submitting(number, &scene.order, scene.twist)?;
        let (key, instruction) = (scene.order.key()?, self.engine.instruction(&scene.order)?);
        let payments = self.engine.payments(scene.ask_after)?;
        let work = async {
            payments.submit(self.engine.account(), key.clone(), instruction).await?;
            self.watch.until_over(&key, self.patience).await
        };
        while_running(&payments, work).await
    }

    /// Has another process pay, kills it when the gateway has its request and it has no reply, and starts it again.
    async fn kill(&mut self, number: usize, order: &Order<'_>) -> Result<(), Box<dyn Error>> {
        let before = self.requests();
        let faults = [Fault::SlowReply(SLOW), Fault::CallbackNever];
        self.sim.inject(Gateway::Daraja, Operation::PayOut, faults)?;
        self.submitting(
            number,
            order,
            Some("its process is killed before the reply, and no callback comes"),
        )?;
        let key = &order.key()?;

        let mut first = self.process(order).await?;
        let process = first.number();
        self.story.tell(&Event::ProcessStarted { key, process });
        self.until_sent(before, &mut first).await?;
        let ended = first.kill().await?;
        let payment = self.watch.payment(key).await?;
        self.story.tell(&Event::ProcessKilled { payment: &payment, process, ended });
        // What a signal ends has no exit code.
        if ended.success() || (cfg!(unix) && ended.code().is_some()) {
            self.broken.push(format!("process {process} ended by itself: {ended}"));
        }
        if payment.state() != PaymentState::Sending {
            let state = payment.state();
            self.broken.push(format!("process {process} was killed while its payment was {state}"));
        }

        let second = self.process(order).await?;
        let process = second.number();
        self.story.tell(&Event::ProcessRestarted { key, process });
        self.watch.until_over(key, self.patience).await?;
        let ended = second.end().await?;
        if !ended.success() {
            self.broken.push(format!("process {process} did not see its payment paid: {ended}"));
        }
        let sent = self.requests().saturating_sub(before);
        if sent != 1 {
            self.broken.push(format!("{key}: the gateway had {sent} requests to pay it"));
        }
        Ok(())
    }

    /// Submits what was paid once more.
    async fn repeat(&mut self, number: usize, order: &Order<'_>) -> Result<(), Box<dyn Error>> {
        self.submitting(number, order, Some("the key of the last payment once more"))?;
        let before = self.requests();
        let payment = self.submit(order).await??;
        let requests = Requests { before, after: self.requests() };
        self.story.tell(&Event::Known { payment: &payment, requests });
        if payment.state() != PaymentState::Paid || requests.after != before {
            self.broken.push(format!("{}: submitted again, it was not known to be paid", order.key));
        }
        Ok(())
    }

    /// Submits something else with the key of what was paid.
    async fn conflict(&mut self, number: usize, order: &Order<'_>) -> Result<(), Box<dyn Error>> {
        self.submitting(number, order, Some("the same key, for another amount"))?;
        let before = self.requests();
        let submitted = self.submit(order).await?;
        let requests = Requests { before, after: self.requests() };
        match submitted {
            Err(PaymentsError::Refused(Refused::Conflict { fields })) => {
                self.story.tell(&Event::Conflict { key: &order.key()?, fields: &fields, requests });
                if fields != ["amount"] || requests.after != before {
                    self.broken.push(format!("{}: the conflict was not found before it was sent", order.key));
                }
            }
            Err(error) => return Err(error.into()),
            Ok(payment) => {
                self.story.tell(&Event::Known { payment: &payment, requests });
                self.broken.push(format!("{}: another amount was taken for the same payment", order.key));
            }
        }
        Ok(())
    }

    async fn compare(&self) -> Result<Comparison, Box<dyn Error>> {
        let books = books(&*self.engine.journal).await?;
        let mut comparison = Comparison::of(&books, &self.sim.ledger(), Gateway::Daraja);
        comparison.unexplained.extend(self.broken.iter().cloned());
        self.story.tell(&Event::Compared(&comparison));
        Ok(comparison)
    }

    fn submitting(
        &self,
        number: usize,
        order: &Order<'_>,
        twist: Option<&str>,
    ) -> Result<(), Box<dyn Error>> {
        let (key, amount, payee) = (order.key()?, order.amount()?, order.payee()?);
        self.story.tell(&Event::Submitting { number, key: &key, amount, payee: &payee, twist });
        Ok(())
    }

    async fn submit(&self, order: &Order<'_>) -> Result<Result<Payment, PaymentsError>, Box<dyn Error>> {
        let (key, instruction) = (order.key()?, self.engine.instruction(order)?);
        Ok(self.engine.payments(LATER)?.submit(self.engine.account(), key, instruction).await)
    }

    /// Another process of this program, to make this payment.
    async fn process(&self, order: &Order<'_>) -> Result<Process, Box<dyn Error>> {
        let task = Task { settings: self.settings.clone(), order: *order, seed: self.engine.env.seed() };
        Process::start(&task).await
    }

    /// Waits until the gateway has one request more than `before`.
    async fn until_sent(&self, before: usize, process: &mut Process) -> Result<(), Box<dyn Error>> {
        let until = self.clock.monotonic().saturating_add(self.patience);
        while self.requests() == before {
            if let Some(ended) = process.ended()? {
                return Err(format!("process {} ended before it paid: {ended}", process.number()).into());
            }
            if self.clock.monotonic() >= until {
                return Err(format!("process {} sent nothing", process.number()).into());
            }
            self.clock.sleep(LOOK).await;
        }
        Ok(())
    }

    /// How many requests to pay the gateway has had.
    fn requests(&self) -> usize {
        self.sim.calls(Gateway::Daraja, Operation::PayOut)
    }
}

/// What a program that pays through the simulator is configured with.
fn settings(sim: &Sim, callbacks: String, folder: &TempDir) -> Settings {
    let account = sim.daraja();
    let mut key = [0; 32];
    SystemEnv::new().fill_bytes(&mut key);
    Settings {
        gateway: sim.url().to_owned(),
        consumer_key: account.consumer_key().to_owned(),
        consumer_secret: account.consumer_secret().to_owned(),
        shortcode: account.shortcode().to_owned(),
        initiator: account.initiator().to_owned(),
        initiator_password: account.initiator_password().to_owned(),
        certificate: account.certificate_pem().to_owned(),
        journal: folder.path().join("journal.db"),
        callbacks,
        callback_key: key.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

#[cfg(test)]
mod tests;
