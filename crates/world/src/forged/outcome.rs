use std::collections::BTreeMap;
use std::fmt;

use malipo_sim::Gateway;

use super::fields::Field;

/// What came of forgeries.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Forged {
    /// How many were posted without a good token, by gateway and by how their URL was wrong.
    pub without_token: BTreeMap<(Gateway, &'static str), u64>,
    /// How many were posted to the right URL, by gateway and by what was changed.
    pub with_token: BTreeMap<(Gateway, Field), Met>,
    /// How many payments they were about.
    pub payments: usize,
    /// How many payments ended or went back while only forgeries were posted.
    pub settled: usize,
    /// How many of those without a token were kept.
    pub stored: usize,
    /// Payments that saw forgeries without a token only, and how many of them the genuine callbacks paid.
    pub untouched: Paid,
    /// Payments that saw a changed field, and how many of them the genuine callbacks paid all the same. The others wait
    /// for a person.
    pub doubted: Paid,
    /// What did not hold.
    pub violations: Vec<String>,
}

/// In which state a forgery found its payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Met {
    /// Nobody had been called yet.
    pub fresh: u64,
    /// A person was called to it already.
    pub in_review: u64,
}

/// Some payments, and how many of them are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Paid {
    /// How many there are.
    pub of: usize,
    /// How many are paid.
    pub paid: usize,
}

impl Forged {
    /// How many were posted without a good token.
    pub fn strangers(&self) -> u64 {
        self.without_token.values().sum()
    }

    /// How many were posted to the right URL.
    pub fn insiders(&self) -> u64 {
        self.with_token.values().map(|met| met.fresh + met.in_review).sum()
    }
}

impl fmt::Display for Forged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: BTreeMap<_, u64> = BTreeMap::new();
        for ((_, kind), count) in &self.without_token {
            *kinds.entry(*kind).or_default() += count;
        }
        for (kind, count) in kinds {
            writeln!(f, "  {kind:<24}{count:>10}")?;
        }
        let mut gateway_before = None;
        for ((gateway, field), Met { fresh, in_review }) in &self.with_token {
            let name = if gateway_before == Some(gateway) { "" } else { gateway.as_str() };
            gateway_before = Some(gateway);
            let field = field.as_str();
            writeln!(f, "  {name:<10}{field:<22}{fresh:>8} fresh {in_review:>8} in review")?;
        }
        let (strangers, insiders, payments) = (self.strangers(), self.insiders(), self.payments);
        let Self { settled, stored, untouched, doubted, .. } = self;
        writeln!(f, "forged {strangers} without a token: settled {settled}, stored {stored}")?;
        writeln!(
            f,
            "forged {insiders} with the token and one field changed, of {payments} payments: settled {settled}"
        )?;
        write!(
            f,
            "then told the truth: {} of {} paid that had seen no token, {} of {} that had; the rest wait for a person",
            untouched.paid, untouched.of, doubted.paid, doubted.of
        )
    }
}
