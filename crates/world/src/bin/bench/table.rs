//! Figures of rounds, and how they are told.

/// What was measured, by callers: for each way, the rate in each round.
#[derive(Debug)]
pub(crate) struct Table {
    ways: Vec<&'static str>,
    rounds: Vec<(usize, Vec<u64>)>,
}

impl Table {
    /// The first way is what the others are held against.
    pub(crate) const fn new(ways: Vec<&'static str>) -> Self {
        Self { ways, rounds: Vec::new() }
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
                let first = |rates: &[u64]| rates.first().copied().unwrap_or_default();
                let rates = rounds.iter().map(|rates| of(rates));
                // In thousandths.
                let ratios = rounds.iter().map(|rates| {
                    of(rates).saturating_mul(1000).checked_div(first(rates)).unwrap_or_default()
                });
                let [least, median, most] = spread(rates.collect());
                let [low, ratio, high] = spread(ratios.collect()).map(thousandths);
                anstream::println!(
                    "  {name:<30}{median:>8} /s  [{least}, {most}]{:pad$}ratio {ratio}  [{low}, {high}]",
                    "",
                    pad = 20_usize.saturating_sub(format!("[{least}, {most}]").len())
                );
            }
        }
        anstream::println!(
            "\nA submit commits twice, before the request leaves and after its answer, and the bare rows once, all \
             together:\nwhere the disk is all that counts, its ratio cannot be above 0.50."
        );
    }
}

/// The least, the median and the most.
fn spread(mut figures: Vec<u64>) -> [u64; 3] {
    figures.sort_unstable();
    let at = |index: usize| figures.get(index).copied().unwrap_or_default();
    [at(0), at(figures.len() / 2), at(figures.len().saturating_sub(1))]
}

fn thousandths(figure: u64) -> String {
    format!("{}.{:02}", figure / 1000, figure % 1000 / 10)
}
