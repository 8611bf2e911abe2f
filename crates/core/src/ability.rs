use crate::{Currency, Money, Operation, PartyKind};

/// One operation that a provider does with some kinds of party in one currency, and its limits. An operation with
/// other limits for other parties, or in two currencies, is more than one ability.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ability {
    /// The operation.
    pub operation: Operation,
    /// The parties it can be done with.
    pub parties: Vec<PartyKind>,
    /// The least amount, which also says the currency.
    pub minimum: Money,
    /// The greatest amount.
    pub maximum: Money,
    /// Every amount is a multiple of this.
    pub step: Money,
    /// The keys that the instruction's details may have. One with a dot at its end stands for all that begin so.
    pub detail_keys: &'static [&'static str],
    /// Whether it needs a callback.
    pub callback: CallbackUse,
}

/// Whether an operation needs a callback URL. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackUse {
    /// It takes none.
    None,
    /// It may have one for the result.
    Optional,
    /// It must have one for the result.
    Result,
    /// It must have one for the result and one for queue timeouts.
    ResultAndTimeout,
}

impl Ability {
    /// An operation with parties and limits; amounts are multiples of `step`.
    pub fn new(
        operation: Operation,
        parties: Vec<PartyKind>,
        minimum: Money,
        maximum: Money,
        step: Money,
    ) -> Self {
        Self { operation, parties, minimum, maximum, step, detail_keys: &[], callback: CallbackUse::Optional }
    }

    /// Says which keys the details may have.
    #[must_use]
    pub fn with_detail_keys(mut self, keys: &'static [&'static str]) -> Self {
        self.detail_keys = keys;
        self
    }

    /// Says whether a callback is needed.
    #[must_use]
    pub fn with_callback(mut self, callback: CallbackUse) -> Self {
        self.callback = callback;
        self
    }

    /// Whether the operation can be done with this kind of party.
    pub fn serves(&self, party: &PartyKind) -> bool {
        self.parties.contains(party)
    }

    /// Whether the details may have this key: it is declared, or it continues one that is declared with a dot at
    /// its end.
    pub fn takes_detail(&self, key: &str) -> bool {
        let fits = |declared: &&str| match declared.strip_suffix('.') {
            Some(_) => key.len() > declared.len() && key.starts_with(*declared),
            None => key == *declared,
        };
        self.detail_keys.iter().any(fits)
    }

    /// The currency amounts are in.
    pub fn currency(&self) -> Currency {
        self.minimum.currency()
    }

    pub(crate) fn admit_amount(&self, amount: Money) -> Result<(), String> {
        if !amount.is_positive() || amount.minor() < self.minimum.minor() {
            return Err(format!("{amount} is too little; the least is {}", self.minimum));
        }
        if amount.minor() > self.maximum.minor() {
            return Err(format!("{amount} is too much; the most is {}", self.maximum));
        }
        if amount.minor().checked_rem(self.step.minor()).is_some_and(|rest| rest != 0) {
            return Err(format!("{amount} is not a multiple of {}; nothing is rounded", self.step));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_key_with_a_dot_stands_for_all_that_begin_so() {
        let money = |text| Money::kes(text).unwrap();
        let ability = Ability::new(Operation::Airtime, Vec::new(), money("1"), money("2"), money("1"))
            .with_detail_keys(&["occasion", "metadata."]);
        for (key, taken) in [
            ("occasion", true),
            ("metadata.loan", true),
            ("metadata.", false),
            ("metadata", false),
            ("occasion.x", false),
        ] {
            assert_eq!(ability.takes_detail(key), taken, "{key}");
        }
    }
}
