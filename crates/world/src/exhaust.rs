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
    /// Who died, if anybody did.
    pub death: Option<Death>,
    /// What did not hold.
    pub violations: Vec<Violation>,
}

impl Tally {
    /// Runs a small world untouched, and then with a death at the first, second, third ... time that its first process
    /// comes to each place, until a run ends untouched. Stops at the first run in which something does not hold.
    ///
    /// # Errors
    ///
    /// When a world cannot be put together.
    pub fn exhaust(&mut self, house: &House, scenario: &Scenario) -> Result<(), Unbuilt> {
        let untouched = Run::of(house, scenario).go()?;
        self.enter(scenario, None, &untouched);
        for place in Place::all() {
            for count in 1.. {
                let away = AWAY.get(count % AWAY.len()).copied().unwrap_or_default();
                let death = Death::at(place, count, away);
                let outcome = Run::of(house, scenario).with_death(death).go()?;
                self.enter(scenario, Some(death), &outcome);
                if self.failed.is_some() {
                    return Ok(());
                }
                if outcome.deaths == 0 {
                    break;
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

    fn enter(&mut self, scenario: &Scenario, death: Option<Death>, outcome: &Outcome) {
        self.runs += 1;
        self.lasted = self.lasted.saturating_add(outcome.lasted);
        self.events += outcome.events;
        if let Some(death) = death.filter(|_| outcome.deaths > 0) {
            *self.deaths.entry(death.place).or_default() += 1;
        }
        if !outcome.violations.is_empty() && self.failed.is_none() {
            let violations = outcome.violations.clone();
            self.failed = Some(Failed { scenario: scenario.to_string(), death, violations });
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
        match self.death {
            Some(death) => writeln!(f, ", dies at {death}")?,
            None => writeln!(f, ", nobody dies")?,
        }
        for violation in &self.violations {
            write!(f, "{violation}")?;
        }
        Ok(())
    }
}
