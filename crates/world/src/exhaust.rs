//! Every death of a small world, one after the other.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::gateways::House;
use crate::life::{Death, Place};
use crate::run::{Outcome, Run};
use crate::scenario::Scenario;
use crate::unbuilt::Unbuilt;
use crate::violation::Violation;

/// How long nobody takes the place of a process that died: too short for anything to be missed, and long enough for
/// callbacks and leases.
const AWAY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(600)];

/// How many times are run of those between which nothing happened.
const EACH: usize = 1;
/// Of the further ones, one of so many.
const SAMPLE: usize = 12;

/// What came of many runs.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Tally {
    /// How many worlds were run.
    pub runs: usize,
    /// How many processes died, by place.
    pub deaths: BTreeMap<Place, usize>,
    /// How much time passed in all worlds.
    pub lasted: Duration,
    /// How many lines all traces have.
    pub events: u64,
    /// The first run in which something did not hold.
    pub failed: Option<Failed>,
}

/// A run in which something did not hold.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failed {
    /// Which small world.
    pub scenario: String,
    /// Who was to die, one after the other.
    pub deaths: Vec<Death>,
    /// What did not hold; nothing where somebody who was to die did not.
    pub violations: Vec<Violation>,
}

impl Tally {
    /// Runs a small world untouched, and then with a death at each time that its first process comes to each place, each
    /// followed by both absences. Times between which nothing happened in the world are thinned: the first is run,
    /// and then one of twelve. Stops at the first run in which something does not hold.
    ///
    /// # Errors
    ///
    /// When a world cannot be put together.
    pub fn exhaust(&mut self, house: &House, scenario: &Scenario) -> Result<(), Unbuilt> {
        self.after(house, scenario, &[])
    }

    /// The same where the first process dies so in any case, and it is the one in its place that dies anywhere while
    /// it clears up.
    ///
    /// # Errors
    ///
    /// As [`exhaust`](Self::exhaust).
    pub fn exhaust_after(&mut self, house: &House, scenario: &Scenario, first: Death) -> Result<(), Unbuilt> {
        self.after(house, scenario, &[first])
    }

    fn after(&mut self, house: &House, scenario: &Scenario, earlier: &[Death]) -> Result<(), Unbuilt> {
        let run = earlier.iter().fold(Run::of(house, scenario), |run, death| run.with_death(*death));
        let untouched = run.clone().go()?;
        self.enter(scenario, earlier, &untouched);
        // The one that comes next; the others of its world live on beside it, and are listed after it.
        let passed = untouched.passed.get(earlier.len()).into_iter().flatten();
        for (place, times) in passed {
            for count in worth_a_death(times) {
                for away in AWAY {
                    let death = Death::at(*place, count, away);
                    let outcome = run.clone().with_death(death).go()?;
                    let deaths: Vec<_> = earlier.iter().copied().chain([death]).collect();
                    self.enter(scenario, &deaths, &outcome);
                    if self.failed.is_some() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds another tally's figures to these.
    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.lasted = self.lasted.saturating_add(other.lasted);
        self.events += other.events;
        for (place, count) in other.deaths {
            *self.deaths.entry(place).or_default() += count;
        }
        self.failed = self.failed.take().or(other.failed);
    }

    fn enter(&mut self, scenario: &Scenario, deaths: &[Death], outcome: &Outcome) {
        self.runs += 1;
        self.lasted = self.lasted.saturating_add(outcome.lasted);
        self.events += outcome.events;
        for death in deaths.iter().take(outcome.deaths) {
            *self.deaths.entry(death.place).or_default() += 1;
        }
        let sound = outcome.violations.is_empty() && outcome.deaths == deaths.len();
        if !sound && self.failed.is_none() {
            let (deaths, violations) = (deaths.to_vec(), outcome.violations.clone());
            self.failed = Some(Failed { scenario: scenario.to_string(), deaths, violations });
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.lasted.as_secs() / 86_400;
        write!(f, "{} runs, {days} days, {} events; deaths:", self.runs, self.events)?;
        for (place, count) in &self.deaths {
            write!(f, " {count} at {place},")?;
        }
        Ok(())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.scenario)?;
        for death in &self.deaths {
            write!(f, ", dies at {death}")?;
        }
        writeln!(f)?;
        for violation in &self.violations {
            write!(f, "{violation}")?;
        }
        Ok(())
    }
}

/// Which of these times a process is to die at, from 1. `times` are the lines of the trace by then.
fn worth_a_death(times: &[u64]) -> Vec<usize> {
    let mut worth = Vec::new();
    let (mut before, mut repeated) = (None, 0_usize);
    for (count, lines) in (1..).zip(times) {
        repeated = if before == Some(lines) { repeated + 1 } else { 0 };
        before = Some(lines);
        if repeated < EACH || repeated % SAMPLE == 0 {
            worth.push(count);
        }
    }
    worth
}
