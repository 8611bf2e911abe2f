//! Chance that can be repeated. Everything random in a world comes from one of these, so a seed tells all.

/// SplitMix64. Not fit for keys: what it makes guards simulated money on loopback.
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True `in_a_thousand` times out of a thousand rolls.
    pub(crate) fn strikes(&mut self, in_a_thousand: u32) -> bool {
        self.roll() % 1000 < u64::from(in_a_thousand)
    }

    /// `length` characters drawn from `alphabet`.
    pub(crate) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let size = alphabet.len().max(1) as u64;
        (0..length)
            .filter_map(|_| alphabet.get((self.roll() % size) as usize).copied().map(char::from))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_every_roll() {
        let draw = |seed| {
            let mut dice = Dice::seeded(seed);
            (dice.text(b"0123456789", 12), dice.roll())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn chances_are_out_of_a_thousand() {
        let mut dice = Dice::seeded(1);
        let struck = (0..10_000).filter(|_| dice.strikes(250)).count();
        assert!((2_300..2_700).contains(&struck), "{struck}");
        assert!((0..100).all(|_| dice.strikes(1000)));
        assert!(!(0..100).any(|_| dice.strikes(0)));
    }
}
