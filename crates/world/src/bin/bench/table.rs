//! Figures of rounds, and how they are told.

/// What was measured, by callers: for each way, the rate in each round.
#[derive(Debug)]
pub(crate) struct Table {
    ways: Vec<&'static str>,
    /// The ways that all are held against, by their places.
    against: &'static [usize],
    rounds: Vec<(usize, Vec<u64>)>,
}

impl Table {
    /// What is measured, and the places of those that all are held against.
    pub(crate) const fn new(ways: Vec<&'static str>, against: &'static [usize]) -> Self {
        Self { ways, against, rounds: Vec::new() }
    }

    /// Adds a round.
    pub(crate) fn add(&mut self, callers: usize, rates: Vec<u64>) {
        self.rounds.push((callers, rates));
    }

    /// Prints medians, and in brackets the least and the most. A ratio is of two figures of one round.
    pub(crate) fn print(&self) {
        let mut levels: Vec<_> = self.rounds.iter().map(|(callers, _)| *callers).collect();
        levels.dedup();
        for level in levels {
            anstream::println!("\n{level} caller{}", if level == 1 { "" } else { "s" });
            let rounds: Vec<_> =
                self.rounds.iter().filter(|(callers, _)| *callers == level).map(|(_, rates)| rates).collect();
            for (way, name) in self.ways.iter().enumerate() {
                let of = |rates: &[u64]| rates.get(way).copied().unwrap_or_default();
                let [least, median, most] = spread(rounds.iter().map(|rates| of(rates)).collect());
                // What was not measured at this level.
                if most == 0 {
                    continue;
                }
                let ratios = self.against.iter().map(|other| {
                    // In thousandths.
                    let ratio = |rates: &&Vec<u64>| {
                        let other = rates.get(*other).copied().unwrap_or_default();
                        of(rates).saturating_mul(1000).checked_div(other).unwrap_or_default()
                    };
                    let [low, ratio, high] = spread(rounds.iter().map(ratio).collect()).map(thousandths);
                    format!("  {:<22}", format!("{ratio}  [{low}, {high}]"))
                });
                let (ratios, range) = (ratios.collect::<String>(), format!("[{least}, {most}]"));
                anstream::println!("  {name:<30}{median:>8} /s  {range:<20}ratio{}", ratios.trim_end());
            }
        }
    }
}

/// The least, the median and the most.
pub(crate) fn spread(mut figures: Vec<u64>) -> [u64; 3] {
    figures.sort_unstable();
    let at = |index: usize| figures.get(index).copied().unwrap_or_default();
    [at(0), at(figures.len() / 2), at(figures.len().saturating_sub(1))]
}

fn thousandths(figure: u64) -> String {
    format!("{}.{:02}", figure / 1000, figure % 1000 / 10)
}
