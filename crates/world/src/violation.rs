use std::fmt;
use std::time::Duration;

/// What must hold, whatever happens. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Invariant {
    /// For one key of a caller's, money moves at most once.
    NoDoublePay,
    /// Whatever a gateway accepted was committed as leaving before it arrived.
    NoPhantom,
    /// Paid means one payment of that amount with that party; failed and cancelled mean none, also later.
    NoFalseFinal,
    /// Each end is told by one event.
    EffectOnce,
    /// Events are only added, without a gap, and lead to where the payment stands.
    Monotone,
    /// Each attempt has one winner, and no more is sent than was committed.
    Fenced,
    /// What was asked for is what is paid, failed, or still open; at rest it is what the gateways moved.
    Conserved,
    /// A callback that was answered with success is kept.
    AckedMeansStored,
    /// A world comes to rest, with every payment over or in front of a person.
    Rests,
    /// Where nothing goes wrong, nothing is sent again and nobody is called.
    Calm,
}

impl Invariant {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::NoDoublePay,
        Self::NoPhantom,
        Self::NoFalseFinal,
        Self::EffectOnce,
        Self::Monotone,
        Self::Fenced,
        Self::Conserved,
        Self::AckedMeansStored,
        Self::Rests,
        Self::Calm,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoDoublePay => "no double pay",
            Self::NoPhantom => "no phantom",
            Self::NoFalseFinal => "no false final",
            Self::EffectOnce => "effect once",
            Self::Monotone => "monotone",
            Self::Fenced => "fenced",
            Self::Conserved => "conserved",
            Self::AckedMeansStored => "acked means stored",
            Self::Rests => "rests",
            Self::Calm => "calm",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// What is wrong.
    pub what: String,
    /// When it was seen.
    pub at: Duration,
    /// What happened until then.
    pub timeline: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} after {} ms: {}", self.invariant, self.at.as_millis(), self.what)?;
        for line in &self.timeline {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}
