//! Starts the gateways and the workers, kills workers, and lets what is left come to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::process::{ExitCode, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use malipo::journal::{Address, Filter, Journal, PaymentId, PaymentState};
use malipo::{DeliveryPurpose, Env as _, SystemEnv, Timer as _};
use malipo_sim::{
    DarajaAccount, DarajaKey, Fault, Gateway, KasaPayAccount, KyandaAccount, Operation, Options, Plan, Sim,
};
use rust_decimal::Decimal;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::Arguments;
use crate::check::{self, Run};
use crate::front::Front;
use crate::setup::{self, Setup, Words};
use crate::store::Place;
use malipo_world::Dice;

/// The longest and the longest short time between two kills, in milliseconds. Every second one is short, since that is
/// when new orders are on their way.
const PAUSES: [u64; 2] = [300, 60];
/// How long a worker may take until it listens.
const BEGINNING: Duration = Duration::from_secs(2);
/// How long nothing may happen until what is left counts as stuck. It is longer than any payment may stay open here.
const PATIENCE: Duration = Duration::from_secs(45);
/// How often to look whether it has.
const LOOK: Duration = Duration::from_millis(100);

/// What the workers said.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// As what each order was taken: the payment's number and reference.
    pub(crate) taken: BTreeMap<u32, (u64, String)>,
    /// What should not have been said.
    pub(crate) odd: Vec<String>,
    /// The lives that have submitted their whole list.
    through: BTreeSet<String>,
}

/// A worker that lives.
struct Worker {
    life: String,
    child: Child,
    input: ChildStdin,
}

struct Harness {
    sim: Sim,
    front: Front,
    place: Place,
    seed: u64,
    words: Words,
    heard: Arc<Mutex<Heard>>,
    workers: Vec<Worker>,
    lives: u32,
    /// How many orders there are so far, and how many there are more after each kill.
    orders: u32,
    more: u32,
    killed: BTreeSet<String>,
}

/// Kills workers as often as asked, and compares.
///
/// # Errors
///
/// When something of the machinery fails, or a worker ends by itself.
pub(crate) async fn run(arguments: &Arguments, seed: u64) -> Result<ExitCode, Box<dyn Error>> {
    let folder = TempDir::new()?;
    let env = SystemEnv::new();
    let place = Place::new(arguments, folder.path())?;
    let (kills, workers) = (arguments.kills, arguments.workers);
    anstream::println!("soak  store {}  workers {workers}  kills {kills}  seed {seed}", place.store.name());
    let mut harness = Harness::open(seed, place, workers).await?;
    let mut dice = Dice::seeded(seed);
    for worker in 0..workers {
        harness.start(usize::try_from(worker)?).await?;
    }
    for (_, pause) in (0..kills).zip(PAUSES.iter().cycle()) {
        let worker = usize::try_from(dice.below(workers.into()))?;
        // Most are given the time to begin, however busy the machine is; the others die while they do.
        if dice.below(4) > 0 {
            harness.begun(worker, &env).await;
        }
        env.sleep(Duration::from_millis(dice.below(*pause))).await;
        harness.kill(worker).await?;
        harness.more_orders().await;
        harness.start(worker).await?;
    }
    let books = harness.place.open().await?;
    let stuck = harness.finish(&*books, &env).await?;
    harness.end(&env).await?;
    let run = Run {
        seed,
        orders: harness.orders,
        killed: std::mem::take(&mut harness.killed),
        books,
        ledger: harness.sim.ledger(),
        events: harness.sim.events(),
        calls: harness.calls(),
        posted: harness.front.posted(),
        heard: std::mem::take(&mut *harness.heard()),
        took: env.monotonic(),
    };
    let mut findings = check::compare(&run).await?;
    findings.violations.extend(stuck);
    findings.tell(&run);
    if findings.violations.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let _ = folder.keep();
    anstream::println!("the books: {}", harness.place.told());
    Ok(ExitCode::FAILURE)
}

/// What goes wrong at the gateways, in a thousand calls. A gateway that contradicts itself is not among it: whom it
/// tells last is then a matter of who lives, and the ledger cannot say who was right to believe what.
fn plan(seed: u64) -> Plan {
    Plan::seeded(
        seed,
        [
            (Fault::LostRequest, 40),
            (Fault::ErrorBeforeAccept, 30),
            // Rare: whoever is told so goes slowly for a minute, which is longer than most lives here.
            (Fault::SpikeArrest, 2),
            (Fault::LostReply, 60),
            (Fault::ErrorAfterAccept, 30),
            (Fault::HtmlPage, 20),
            (Fault::TruncatedJson, 30),
            (Fault::SlowReply(Duration::from_millis(150)), 100),
            (Fault::SlowReply(Duration::from_millis(900)), 20),
            (Fault::CallbackNever, 80),
            (Fault::QueueTimeout, 20),
            (Fault::CallbackTwice, 80),
            (Fault::CallbackEarly, 60),
            (Fault::CallbackLate(Duration::from_millis(500)), 80),
            (Fault::CallbackForged, 40),
        ],
    )
}

impl Harness {
    async fn open(seed: u64, place: Place, workers: u32) -> Result<Self, Box<dyn Error>> {
        let front = Front::open(usize::try_from(workers)?).await?;
        let notices = setup::urls(&front.base)?
            .mint(Address::of_account(setup::number(Gateway::Kyanda), DeliveryPurpose::Notice))?;
        let plenty = Decimal::from(1_000_000_000_i64);
        let kyanda = KyandaAccount::new().with_float(plenty).with_callback_url(notices.as_str().parse()?);
        let options = Options::new()
            .with_seed(seed)
            .with_plan(plan(seed))
            .with_result_delay(Duration::from_millis(30))
            .with_daraja(DarajaAccount::new(DarajaKey::generate()?).with_utility(plenty))
            .with_kasapay(KasaPayAccount::new().with_kes_float(plenty))
            .with_kyanda(kyanda);
        let sim = Sim::start(options).await?;
        let words = Words::of(&sim);
        let more = 3 * (workers + 1);
        Ok(Self {
            sim,
            front,
            place,
            seed,
            words,
            heard: Arc::default(),
            workers: Vec::new(),
            lives: 0,
            orders: more,
            more,
            killed: BTreeSet::new(),
        })
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There are more orders, and every worker that lives is told so.
    async fn more_orders(&mut self) {
        self.orders += self.more;
        for worker in &mut self.workers {
            // One that was killed hears nothing.
            let _ = worker.input.write_all(format!("{}\n", self.orders).as_bytes()).await;
        }
    }

    /// Starts a worker.
    async fn start(&mut self, worker: usize) -> Result<(), Box<dyn Error>> {
        self.lives += 1;
        let life = format!("worker-{worker}-{}", self.lives);
        let setup = Setup {
            life: life.clone(),
            seed: self.seed,
            orders: self.orders,
            newest: self.orders.saturating_sub(3 * self.more),
            place: self.place.clone(),
            gateways: self.sim.url().to_owned(),
            callbacks: self.front.base.clone(),
            words: self.words.clone(),
        };
        let mut command = Command::new(crate::own_path()?);
        command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a worker has no standard input or output".into());
        };
        tokio::spawn(hear(output, worker, life.clone(), self.front.clone(), Arc::clone(&self.heard)));
        input.write_all(format!("{}\n", serde_json::to_string(&setup)?).as_bytes()).await?;
        let living = Worker { life, child, input };
        match self.workers.get_mut(worker) {
            Some(place) => *place = living,
            None => self.workers.push(living),
        }
        Ok(())
    }

    /// Waits until a worker listens, or has had the time to.
    async fn begun(&self, worker: usize, env: &SystemEnv) {
        let until = env.monotonic() + BEGINNING;
        while !self.front.has(worker) && env.monotonic() < until {
            env.sleep(Duration::from_millis(2)).await;
        }
    }

    /// Kills a worker with SIGKILL: it learns nothing of it and finishes nothing.
    async fn kill(&mut self, worker: usize) -> Result<(), Box<dyn Error>> {
        let living = self.workers.get_mut(worker).ok_or("there is no such worker")?;
        if let Some(status) = living.child.try_wait()? {
            return Err(format!("{} ended by itself: {status}", living.life).into());
        }
        living.child.kill().await?;
        self.front.died(worker);
        self.killed.insert(living.life.clone());
        Ok(())
    }

    /// Waits until every order was taken and every payment is over or waits for a person; says what is not by then.
    async fn finish(&mut self, books: &dyn Journal, env: &SystemEnv) -> Result<Vec<String>, Box<dyn Error>> {
        let last = format!("-{}", self.lives);
        let (mut until, mut seen) = (env.monotonic() + PATIENCE, (0, 0));
        let mut first = true;
        loop {
            self.sim.idle().await;
            let through = self.heard().through.iter().any(|life| life.ends_with(&last));
            let open = if through { open_payments(books).await? } else { Vec::new() };
            if through && open.is_empty() {
                return Ok(Vec::new());
            }
            let now = (self.heard().taken.len(), open.len());
            if now != std::mem::replace(&mut seen, now) {
                until = env.monotonic() + PATIENCE;
            }
            if env.monotonic() >= until {
                let untaken =
                    (!through).then(|| "STUCK: the last worker could not submit its list".to_owned());
                return Ok(open.into_iter().chain(untaken).collect());
            }
            for worker in &mut self.workers {
                if let Some(status) = worker.child.try_wait()? {
                    return Err(format!("{} ended by itself: {status}", worker.life).into());
                }
            }
            if std::mem::take(&mut first) {
                anstream::println!("killed {}; what is left comes to its end", self.killed.len());
            }
            env.sleep(LOOK).await;
        }
    }

    /// How many requests to pay or to collect each gateway has counted.
    fn calls(&self) -> BTreeMap<Gateway, usize> {
        let gateways = [Gateway::Daraja, Gateway::KasaPay, Gateway::SasaPay, Gateway::Kyanda];
        let of = |gateway| {
            [Operation::PayOut, Operation::Collect].map(|operation| self.sim.calls(gateway, operation))
        };
        gateways.map(|gateway| (gateway, of(gateway).iter().sum())).into()
    }

    /// Lets every worker finish what it is doing.
    async fn end(&mut self, env: &SystemEnv) -> Result<(), Box<dyn Error>> {
        for Worker { life, mut child, input } in self.workers.drain(..) {
            drop(input);
            let ended = tokio::select! {
                status = child.wait() => Some(status?),
                () = env.sleep(Duration::from_secs(10)) => None,
            };
            match ended {
                Some(status) if status.success() => {}
                Some(status) => return Err(format!("{life} ended badly: {status}").into()),
                None => return Err(format!("{life} did not end when it was asked to").into()),
            }
        }
        Ok(())
    }
}

/// What is open and does not wait for a person.
async fn open_payments(books: &dyn Journal) -> Result<Vec<String>, Box<dyn Error>> {
    let (mut after, mut open) = (PaymentId(0), Vec::new());
    loop {
        let page = books.list(Filter::Open, after, 100).await?;
        let Some(last) = page.last() else { return Ok(open) };
        after = last.id;
        let stuck = page.iter().filter(|payment| payment.state() != PaymentState::Review);
        open.extend(stuck.map(|one| format!("STUCK: payment {} ({}) is {}", one.id, one.key, one.state())));
    }
}

/// Writes down what a worker says.
async fn hear(output: ChildStdout, worker: usize, life: String, front: Front, heard: Arc<Mutex<Heard>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut words = line.split(' ');
        let odd = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("listening"), Some(port), None, None) => match port.parse() {
                Ok(port) => {
                    front.lives(worker, &life, port);
                    None
                }
                Err(_) => Some(line),
            },
            (Some("all"), None, None, None) => {
                heard.through.insert(life.clone());
                None
            }
            (Some("taken"), Some(order), Some(payment), Some(reference)) => {
                let (Ok(order), Ok(payment)) = (order.parse(), payment.parse()) else { continue };
                let now = (payment, reference.to_owned());
                let before = heard.taken.entry(order).or_insert_with(|| now.clone()).clone();
                (before != now).then(|| format!("order {order} was taken as {before:?} and as {now:?}"))
            }
            // A line that the kill cut is no line.
            _ if line.starts_with("odd ") => Some(line),
            _ => None,
        };
        heard.odd.extend(odd.map(|odd| format!("{life}: {odd}")));
    }
}
