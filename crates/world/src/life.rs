//! How long a process lives, in steps that are counted.

use std::collections::BTreeMap;
use std::fmt;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use malipo::async_trait;
use malipo_journal::{CrashPoint, CrashPoints};

use crate::witness::Witness;

/// Where a process can die. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Place {
    /// One of its tasks has to wait: for an answer, for time to pass, or for others to go first.
    Await,
    /// It is about to commit something.
    BeforeCommit,
    /// Something is durable, and it does not know yet.
    AfterCommit,
    /// It is about to send what moves money.
    BeforeSend,
    /// What came of that is there, and it has not read it yet.
    AfterSend,
    /// A place that the engine names.
    Point(CrashPoint),
}

impl Place {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let own = [Self::Await, Self::BeforeCommit, Self::AfterCommit, Self::BeforeSend, Self::AfterSend];
        own.into_iter().chain(CrashPoint::ALL.iter().map(|point| Self::Point(*point))).collect()
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Await => "an await",
            Self::BeforeCommit => "before a commit",
            Self::AfterCommit => "after a commit",
            Self::BeforeSend => "before a send",
            Self::AfterSend => "after a send",
            Self::Point(point) => point.as_str(),
        }
    }
}

#[async_trait]
impl CrashPoints for Life {
    async fn reached(&self, point: CrashPoint) {
        self.pass(Place::Point(point)).await;
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// When a process dies, and for how long nobody takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Death {
    /// Where.
    pub place: Place,
    /// How often it has come there by then, that time included.
    pub count: usize,
    /// How long until the next one is started.
    pub away: Duration,
}

impl Death {
    /// The death of a process that comes to `place` for the `count`-th time. The next one is started after `away`.
    pub const fn at(place: Place, count: usize, away: Duration) -> Self {
        Self { place, count, away }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} number {}, away for {} s", self.place, self.count, self.away.as_secs())
    }
}

/// The life of one process: where it came by, and whether it is over.
#[derive(Debug)]
pub struct Life {
    death: Option<Death>,
    witness: Witness,
    lived: Mutex<Lived>,
}

#[derive(Debug, Default)]
struct Lived {
    /// How many lines the trace had each time that it came by.
    passed: BTreeMap<Place, Vec<u64>>,
    /// Nothing of it has any effect from then on.
    over: bool,
}

impl Life {
    /// A life that ends so, or not by itself, before the eyes of `witness`.
    pub const fn until(death: Option<Death>, witness: Witness) -> Self {
        Self { death, witness, lived: Mutex::new(Lived { passed: BTreeMap::new(), over: false }) }
    }

    /// Comes by `place`. Returns only if the process lives on.
    pub async fn pass(&self, place: Place) {
        self.count(place);
        self.go_on().await;
    }

    /// Returns only if the process lives: nobody else of it does anything once it is dead.
    pub async fn go_on(&self) {
        if self.is_over() {
            pending::<()>().await;
        }
    }

    /// Counts a place where nothing waits, such as a task that has just been left waiting.
    pub fn count(&self, place: Place) {
        let mut lived = self.lived();
        if lived.over {
            return;
        }
        let passed = lived.passed.entry(place).or_default();
        passed.push(self.witness.events());
        lived.over = self.death.is_some_and(|death| death.place == place && passed.len() >= death.count);
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.lived().over
    }

    /// How it ends, if it does not go on for ever.
    pub const fn death(&self) -> Option<Death> {
        self.death
    }

    /// How many lines the trace had each time that it came by each place. As many as before are a sign that nothing
    /// happened in between.
    pub fn passed(&self) -> BTreeMap<Place, Vec<u64>> {
        self.lived().passed.clone()
    }

    fn lived(&self) -> MutexGuard<'_, Lived> {
        self.lived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
