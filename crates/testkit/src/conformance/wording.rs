//! Whether what is sent says what was asked: which payment, how much, and to whom.
//!
//! A value may stand in a request by chance, such as an amount of 7 in a branch named 7. So each is looked for in
//! several requests that differ in it, and has to stand in the same place in all of them.

use std::collections::BTreeSet;

use malipo_core::{
    Ability, Biller, Currency, Effect, Instruction, Lookup, Money, PartyKind, ProviderRefs, ReferenceUse,
};

use super::bench::{Bench, Question, Result, expect_error, with_terms};
use super::parties::{Spelled, another_party, spelled_party};
use super::wire::{Written, written};
use crate::Outcome;

pub(super) fn our_reference_is_sent_verbatim(bench: &Bench<'_>) -> Result {
    if bench.capabilities.reference == ReferenceUse::NotSent {
        return Ok(());
    }
    for (instruction, _) in bench.instructions() {
        let own = instruction.reference().as_str().to_owned();
        let mut places = Places::default();
        for text in [own.as_str(), "Aa-0", "a.b_c-D.9", "7", &"x".repeat(64)] {
            let reference = text.parse().map_err(|_| format!("{text} is no reference"))?;
            let renamed = with_terms(&instruction, |terms| terms.reference = reference);
            let what = format!("{} with the reference {text}", renamed.operation());
            let usual = bench.usual(&renamed)?;
            let run = bench.submit(&renamed, Outcome::answered(usual.response));
            let Some(request) = run.exchanges().into_iter().next() else {
                // A gateway with narrower rules than ours: refusing is right, shortening is not.
                if text == own {
                    return Err(format!("{what} sends nothing"));
                }
                expect_error(&what, &run, Effect::None)?;
                continue;
            };
            let sent = written(request);
            match &renamed {
                Instruction::Confirm(confirm) if names(&sent, &own, &confirm.ticket.provider_refs) => {}
                _ => {
                    places.narrow(&sent, |value| value == text);
                    if places.none() {
                        return Err(format!("{what} sends it nowhere as a value of its own"));
                    }
                }
            }
        }
    }
    Ok(())
}

pub(super) fn a_question_names_its_payment(bench: &Bench<'_>) -> Result {
    for Question { ticket, answers } in bench.questions()? {
        let Some(sample) = answers.into_iter().next() else { continue };
        let run = bench.ask(&ticket, Outcome::answered(sample.response));
        let Some(request) = run.exchanges().into_iter().next() else { continue };
        let (sent, reference) = (written(request), ticket.reference.as_str());
        let named = match bench.capabilities.lookup {
            Lookup::ByReference => names(&sent, reference, &ProviderRefs::new()),
            _ => names(&sent, reference, &ticket.provider_refs),
        };
        if !named {
            return Err(format!("asking about {} sends no name of {reference}", ticket.operation));
        }
    }
    Ok(())
}

/// Whether our reference or a name that the gateway gave stands in it as a value of its own.
fn names(sent: &[Written], reference: &str, theirs: &ProviderRefs) -> bool {
    let names = |text: &str| sent.iter().any(|value| value.text == text);
    names(reference) || theirs.iter().any(|their| names(&their.value))
}

pub(super) fn what_is_sent_is_what_was_asked(bench: &Bench<'_>) -> Result {
    for (instruction, ability) in bench.instructions() {
        amount_is_sent(bench, &instruction, &ability)?;
        party_is_sent(bench, &instruction)?;
        biller_is_sent(bench, &instruction, &ability)?;
    }
    Ok(())
}

/// The unit that a gateway wants amounts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Major,
    Minor,
}

impl Unit {
    fn spells(self, text: &str, amount: Money) -> bool {
        match self {
            Self::Major => Money::parse(text, amount.currency()) == Ok(amount),
            Self::Minor => text == amount.minor().to_string(),
        }
    }
}

fn amount_is_sent(bench: &Bench<'_>, instruction: &Instruction, ability: &Ability) -> Result {
    let Some(terms) = instruction.terms() else { return Ok(()) };
    let mut places = [(Unit::Major, Places::default()), (Unit::Minor, Places::default())];
    for minor in amounts(terms.amount, ability) {
        let amount = money(minor, ability.currency())?;
        let changed = with_terms(instruction, |terms| terms.amount = amount);
        let Some(sent) = sent(bench, &changed)? else { continue };
        for (unit, places) in &mut places {
            places.narrow(&sent, |value| unit.spells(value, amount));
        }
        if places.iter().all(|(_, places)| places.none()) {
            let operation = instruction.operation();
            return Err(format!(
                "{operation} of {amount} sends it nowhere that other amounts are sent in, too"
            ));
        }
    }
    Ok(())
}

/// Admissible amounts, in minor units: the one asked for, those next to it, and those far from it.
fn amounts(own: Money, ability: &Ability) -> BTreeSet<i64> {
    let (own, least, most) = (own.minor(), ability.minimum.minor(), ability.maximum.minor());
    let step = ability.step.minor().max(1);
    let on_step = |minor: i64| minor - minor.checked_rem(step).unwrap_or_default();
    let all = [own, own + step, own - step, least, on_step(most), on_step(least.midpoint(most))];
    all.into_iter().filter(|minor| (least..=most).contains(minor)).collect()
}

fn money(minor: i64, currency: Currency) -> Result<Money> {
    Money::from_minor(minor, currency).map_err(|error| error.to_string())
}

fn party_is_sent(bench: &Bench<'_>, instruction: &Instruction) -> Result {
    let Some(other) = another_party(instruction)? else { return Ok(()) };
    let (Some(sent_own), Some(sent_other)) = (sent(bench, instruction)?, sent(bench, &other)?) else {
        return Ok(());
    };
    for (own, other) in spelled_party(instruction).into_iter().zip(spelled_party(&other)) {
        let mut spelled = own.spellings.iter().zip(&other.spellings);
        let found = spelled.any(|(own, other)| {
            let mut places = Places::default();
            places.narrow(&sent_own, |value| holds(value, own));
            places.narrow(&sent_other, |value| holds(value, other));
            !places.none()
        });
        if !found {
            let (operation, Spelled { name, .. }) = (instruction.operation(), own);
            return Err(format!("{operation} does not send {name} that it is asked for"));
        }
    }
    Ok(())
}

fn biller_is_sent(bench: &Bench<'_>, instruction: &Instruction, ability: &Ability) -> Result {
    let Instruction::Bill(bill) = instruction else { return Ok(()) };
    let own = sent(bench, instruction)?;
    for kind in &ability.parties {
        let mut other = bill.clone();
        other.biller = match kind {
            PartyKind::Biller(biller) => biller.clone(),
            PartyKind::BillerByCode => Biller::Code("ANY_OTHER".into()),
            _ => continue,
        };
        if other.biller != bill.biller && own.is_some() && sent(bench, &Instruction::Bill(other))? == own {
            return Err(format!("bills of {:?} and another biller send the same", bill.biller));
        }
    }
    Ok(())
}

/// Whether `part` stands in `value` and is not a piece of a longer word or number there.
fn holds(value: &str, part: &str) -> bool {
    let edge = |next: Option<char>| next.is_none_or(|next| !next.is_alphanumeric());
    value.match_indices(part).any(|(at, _)| {
        let before = value.get(..at).and_then(|before| before.chars().next_back());
        let after = value.get(at + part.len()..).and_then(|after| after.chars().next());
        edge(before) && edge(after)
    })
}

/// The values of the first request of an instruction, if it sends one.
fn sent(bench: &Bench<'_>, instruction: &Instruction) -> Result<Option<Vec<Written>>> {
    let usual = bench.usual(instruction)?;
    let run = bench.submit(instruction, Outcome::answered(usual.response));
    Ok(run.exchanges().into_iter().next().map(written))
}

/// The places that fitted in every request so far.
#[derive(Debug, Default)]
struct Places(Option<BTreeSet<String>>);

impl Places {
    fn narrow(&mut self, sent: &[Written], fits: impl Fn(&str) -> bool) {
        let fitting = sent.iter().filter(|value| fits(&value.text));
        let here: BTreeSet<_> = fitting.map(|value| value.place.clone()).collect();
        self.0 = Some(match self.0.take() {
            Some(before) => before.intersection(&here).cloned().collect(),
            None => here,
        });
    }

    fn none(&self) -> bool {
        self.0.as_ref().is_some_and(BTreeSet::is_empty)
    }
}
