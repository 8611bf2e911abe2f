//! One small world, from noon until it rests.

mod outcome;
mod start;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use malipo::journal::{Address, CallbackKey, CallbackUrls};
use malipo::{DeliveryPurpose, Env as _, Provider as _, Secret};
use malipo_sim::{Fault, Gateway, KyandaAccount, Operation, Options, World};
use tempfile::TempDir;

use crate::altered::{Alterations, AsBuilt};
use crate::checker::{Checker, Row, Wrong, rests};
use crate::clock::Clock;
use crate::executor::{Executor, Group, Turn};
use crate::gateways::{self, House};
use crate::life::{Death, Life, Place};
use crate::orders::Order;
use crate::postman::{HonestDoor, Postman};
use crate::process::Process;
use crate::scenario::{self, Scenario, Trouble, Work};
use crate::unbuilt::Unbuilt;
use crate::violation::{Invariant, Violation};
use crate::wire::Wire;
use crate::witness::Witness;
pub use outcome::Outcome;

/// Where the processes listen.
const BASE: &str = "http://127.0.0.1:8400/in";
/// The number of the account.
pub(crate) const ACCOUNT: u32 = 1;
/// How long after accepting a payment a gateway decides it.
const DECIDES_AFTER: Duration = Duration::from_secs(2);
/// How long a payment may stay open: for some questions; and where it may be sent again, for all that takes.
const REVIEW_AFTER: Duration = Duration::from_secs(15 * 60);
const REVIEW_AFTER_SENDING_AGAIN: Duration = Duration::from_secs(3600);
/// How long nothing may happen before a world counts as resting: long enough for what is unread to be read again.
const REST: Duration = Duration::from_secs(120);
/// The same where somebody works all the time.
const SHORT_REST: Duration = Duration::from_secs(2);
/// A world that is not at rest by then never will be.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// Nor one that turns and turns.
const TURNS: u64 = 500_000;

/// A small world that is to be run.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    house: &'a House,
    scenario: &'a Scenario,
    /// How the first process dies, and who comes after it.
    deaths: Vec<Death>,
    seed: u64,
    altered: Arc<dyn Alterations>,
}

impl<'a> Run<'a> {
    /// This scenario, in which nobody dies and nothing is altered.
    pub fn of(house: &'a House, scenario: &'a Scenario) -> Self {
        Self { house, scenario, deaths: Vec::new(), seed: 1, altered: Arc::new(AsBuilt) }
    }

    /// The first process dies so; said once more, the process that takes its place dies so, and so on.
    #[must_use]
    pub fn with_death(mut self, death: Death) -> Self {
        self.deaths.push(death);
        self
    }

    /// What chance follows from.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Puts parts in the place of others.
    #[must_use]
    pub fn altered(mut self, alterations: Arc<dyn Alterations>) -> Self {
        self.altered = alterations;
        self
    }

    /// Runs it until it rests, or until an invariant does not hold.
    ///
    /// # Errors
    ///
    /// When the world cannot be put together, which says nothing of what it was to prove.
    pub fn go(self) -> Result<Outcome, Unbuilt> {
        Stage::set(self)?.play()
    }
}

/// A process and how many came before it in its place.
struct Actor {
    process: Process,
    /// The next one is started then, once this one is dead.
    again_at: Option<Duration>,
}

/// Everything of one world.
struct Stage<'a> {
    run: Run<'a>,
    folder: TempDir,
    clock: Clock,
    executor: Executor,
    witness: Witness,
    sim: World,
    wire: Wire,
    postman: Postman,
    urls: CallbackUrls,
    orders: Vec<Order>,
    checker: Checker,
    actors: Vec<Actor>,
    started: u32,
    deaths: usize,
    /// Where each process that is over came by, oldest first.
    passed: Vec<BTreeMap<Place, Vec<u64>>>,
}

impl<'a> Stage<'a> {
    fn set(run: Run<'a>) -> Result<Self, Unbuilt> {
        let clock = Clock::seeded(run.seed);
        let timer = Arc::new(clock.clone());
        let key = CallbackKey::new(1, Secret::new("a key of at least thirty-two bytes"))?;
        let of_notices = CallbackKey::new(2, Secret::new("another of at least thirty-two bytes"))?;
        let urls = CallbackUrls::new(BASE, key)?.with_notice_key(ACCOUNT, of_notices)?;
        let notices = urls.mint(Address::of_account(ACCOUNT, DeliveryPurpose::Notice))?;
        let options = Options::new()
            .with_env(timer.clone())
            .with_seed(run.seed)
            .with_result_delay(DECIDES_AFTER)
            .with_daraja(run.house.daraja())
            .with_kyanda(KyandaAccount::new().with_callback_url(notices.as_str().parse()?));
        let sim = World::new(options)?;
        let executor = Executor::default();
        let witness = Witness::new(clock.clone());
        let door = run.altered.door(Arc::new(HonestDoor), timer);
        let postman = Postman::new(sim.clone(), clock.clone(), executor.spawner(), witness.clone(), door);
        let wire =
            Wire::new(sim.clone(), clock.clone(), executor.spawner(), witness.clone(), postman.clone());
        let folder = gateways::folder()?;
        let file = folder.path().join("books.db");
        run.house.lay_out(&file)?;
        let unused = wire.transport(Arc::new(Life::until(None, witness.clone())));
        let account = run.house.provider(run.scenario.gateway, &sim, unused, Arc::new(clock.clone()))?;
        let orders = Order::all(run.scenario, account.id())?;
        let checker = Checker::new(&file, sim.clone(), clock.clone(), witness.clone(), orders.clone())?;
        let (actors, passed) = (Vec::new(), Vec::new());
        let mut stage = Self {
            run,
            folder,
            clock,
            executor,
            witness,
            sim,
            wire,
            postman,
            urls,
            orders,
            checker,
            actors,
            started: 0,
            deaths: 0,
            passed,
        };
        stage.go_wrong()?;
        for number in 0..stage.run.scenario.processes {
            // It is the first that dies; the others live on beside it.
            let death = stage.run.deaths.first().copied().filter(|_| number == 0);
            let process = stage.process(death)?;
            stage.actors.push(Actor { process, again_at: None });
        }
        Ok(stage)
    }

    /// Arranges for what goes wrong.
    fn go_wrong(&self) -> Result<(), Unbuilt> {
        let gateway = self.run.scenario.gateway;
        let operation = scenario::operation(gateway);
        match &self.run.scenario.trouble {
            Trouble::Nothing | Trouble::Twins | Trouble::Later => {}
            Trouble::LostTwin => self.sim.inject(gateway, operation, [Fault::LostRequest])?,
            // Kyanda turns down what its float does not hold: there the order is what is refused.
            Trouble::AtTheDoor if gateway == Gateway::Kyanda => {}
            Trouble::AtTheDoor => self.sim.inject(gateway, operation, [Fault::EchoedToken])?,
            Trouble::Code(faults) => self.sim.inject(gateway, Operation::Confirm, faults.iter().copied())?,
            Trouble::Gateway(faults) => self.sim.inject(gateway, operation, faults.iter().copied())?,
            Trouble::Token => self.sim.inject(gateway, operation, [Fault::TokenExpired])?,
            Trouble::NoConnection(count) => self.wire.refuse(*count),
        }
        Ok(())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("books.db")
    }

    fn play(mut self) -> Result<Outcome, Unbuilt> {
        let mut turns = 0_u64;
        let rest = match self.run.scenario.work {
            Work::Rounds => REST,
            Work::AllTheTime => SHORT_REST,
        };
        let mut resting: Option<(Duration, u64)> = None;
        loop {
            turns += 1;
            let now = self.clock.monotonic();
            if self.sim.next_due().is_some_and(|due| due <= now) {
                drop(self.postman.post(self.sim.take_due()));
                self.witness.seen().changed = true;
            }
            let turn = self.executor.turn();
            if let Turn::Waits(group) = turn {
                self.awaited(group);
            }
            let reborn = self.bury()?;
            let violations = self.checker.after_turn();
            if !violations.is_empty() {
                return Ok(self.end(violations));
            }
            if turn != Turn::Idle || reborn > 0 {
                if turns > TURNS {
                    return Ok(self.never_rests("it turns and turns"));
                }
                continue;
            }
            let events = self.witness.events();
            match resting {
                Some((since, before)) if before == events && now >= since.saturating_add(rest) => {
                    let violations = self.last_words();
                    return Ok(self.end(violations));
                }
                Some((_, before)) if before == events => {}
                _ => resting = self.is_at_rest().then_some((now, events)),
            }
            let again = self.actors.iter().filter_map(|actor| actor.again_at).min();
            let rested = resting.map(|(since, _)| since.saturating_add(rest));
            let next = [self.clock.next(), self.sim.next_due(), again, rested].into_iter().flatten().min();
            match next {
                Some(at) if at <= LONGEST => self.clock.go_to(at),
                Some(_) => return Ok(self.never_rests("a week has passed")),
                None => return Ok(self.never_rests("everybody waits, and nobody for time to pass")),
            }
        }
    }

    /// A task of this group was left waiting: a place to die at.
    fn awaited(&self, group: Group) {
        if let Some(actor) = self.actors.iter().find(|actor| actor.process.group == group) {
            actor.process.life.count(Place::Await);
        }
    }

    /// Drops what is dead, and starts the next one in its place when its time has come. How many were started.
    fn bury(&mut self) -> Result<u32, Unbuilt> {
        let (now, before) = (self.clock.monotonic(), self.started);
        for index in 0..self.actors.len() {
            let Some(actor) = self.actors.get_mut(index) else { continue };
            let Process { group, life, .. } = &actor.process;
            match actor.again_at {
                None if life.is_over() => {
                    let away = life.death().map(|death| death.away).unwrap_or_default();
                    actor.again_at = Some(now.saturating_add(away));
                    self.witness.note(format!("{group:?} dies"));
                    self.postman.close(*group);
                    self.executor.drop_group(*group);
                    self.deaths += 1;
                    self.passed.push(life.passed());
                }
                Some(again_at) if again_at <= now => {
                    let death = self.run.deaths.get(self.deaths).copied();
                    let process = self.process(death)?;
                    if let Some(actor) = self.actors.get_mut(index) {
                        *actor = Actor { process, again_at: None };
                    }
                }
                _ => {}
            }
        }
        Ok(self.started - before)
    }

    /// Whether all that was to be submitted is over or in front of a person, and nothing is on its way.
    fn is_at_rest(&self) -> bool {
        let submitted =
            self.actors.iter().all(|actor| actor.again_at.is_none() && actor.process.is_content());
        let quiet = self.sim.is_idle() && self.executor.count(Group::WORLD) == 0;
        let rows = || self.checker.rows().unwrap_or_default();
        submitted
            && quiet
            && rows().iter().all(|row| rests(row.payment.state()) && self.checker.is_told(&row.payment))
    }

    fn last_words(&mut self) -> Vec<Violation> {
        let mut violations = self.checker.at_rest();
        let scenario = self.run.scenario;
        let rows = self.checker.rows().unwrap_or_default();
        let mut wrong: Vec<_> = std::mem::take(&mut self.witness.seen().broken)
            .into_iter()
            .map(|what| Wrong::new(Invariant::Rests, what))
            .collect();
        wrong.extend(self.checker.ends(&rows, scenario));
        if self.deaths == 0 {
            let ends: Vec<_> = rows.iter().map(|row| row.payment.state()).collect();
            if ends != scenario.ends {
                let what = format!("the payments end {ends:?}, not {:?}", scenario.ends);
                wrong.push(Wrong::new(Invariant::Rests, what));
            }
            let calm = |row: &Row| row.attempts.len() == 1 && row.payment.attention().is_none();
            if scenario.is_calm() && !rows.iter().all(calm) {
                let what = "something was sent again, or a person is called";
                wrong.push(Wrong::new(Invariant::Calm, what));
            }
        }
        violations.extend(self.checker.tell(wrong));
        violations
    }

    fn never_rests(&mut self, why: &str) -> Outcome {
        let wrong = vec![Wrong::new(Invariant::Rests, why)];
        let violations = self.checker.tell(wrong);
        self.end(violations)
    }

    fn end(&mut self, violations: Vec<Violation>) -> Outcome {
        let rows = self.checker.rows().unwrap_or_default();
        for actor in self.actors.iter().filter(|actor| actor.again_at.is_none()) {
            self.passed.push(actor.process.life.passed());
        }
        Outcome {
            deaths: self.deaths,
            passed: std::mem::take(&mut self.passed),
            states: rows.iter().map(|row| row.payment.state()).collect(),
            attempts: rows.iter().map(|row| row.attempts.len()).sum(),
            lasted: self.clock.monotonic(),
            events: self.witness.events(),
            hash: self.witness.hash(),
            timeline: self.witness.timeline(),
            violations,
        }
    }
}

impl Drop for Stage<'_> {
    /// The postman knows the processes, which know the wire, which knows the postman: here that ring is cut.
    fn drop(&mut self) {
        for number in 1..=self.started {
            self.postman.close(Group::of_process(number));
        }
    }
}
