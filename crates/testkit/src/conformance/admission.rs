//! What is sent at all: everything that is declared, once, and nothing else.

use malipo_core::{
    Callback, CallbackUse, Currency, Effect, ErrorKind, Instruction, Money, Operation, PartyKind, Terms,
};

use super::bench::{Bench, Result, expect_error, expect_exchanges, expect_silence, url, with_terms};
use super::parties::every_party;
use crate::Outcome;

pub(super) fn a_declared_operation_sends_one_request(bench: &Bench<'_>) -> Result {
    for (instruction, _) in bench.instructions() {
        let what = format!("submitting {}", instruction.operation());
        let usual = bench.usual(&instruction)?;
        let run = bench.submit(&instruction, Outcome::answered(usual.response));
        if let Err(error) = &run.outcome {
            return Err(format!("{what} fails although {} was answered: {error}", usual.name));
        }
        expect_exchanges(&what, &run, 1)?;
        if run.token_requests().len() > 1 {
            return Err(format!("{what} asks for {} tokens", run.token_requests().len()));
        }
    }
    Ok(())
}

pub(super) fn an_undeclared_operation_sends_nothing(bench: &Bench<'_>) -> Result {
    for operation in Operation::INSTRUCTIONS {
        if bench.capabilities.does(*operation) {
            continue;
        }
        for instruction in every_party(*operation, &plain_terms()?)? {
            refused(
                bench,
                &format!("{operation}, which is not declared,"),
                &instruction,
                ErrorKind::Unsupported,
            )?;
        }
    }
    Ok(())
}

pub(super) fn an_undeclared_party_sends_nothing(bench: &Bench<'_>) -> Result {
    for (instruction, _) in bench.instructions() {
        let Some(terms) = instruction.terms() else { continue };
        let abilities = bench.capabilities.abilities.iter();
        let abilities: Vec<_> =
            abilities.filter(|ability| ability.operation == instruction.operation()).collect();
        let served = |kind: &PartyKind| abilities.iter().any(|ability| ability.serves(kind));
        for other in every_party(instruction.operation(), terms)? {
            let Some(kind) = other.party().filter(|kind| !served(kind)) else { continue };
            let what = format!("{} with {kind:?}, which is not declared,", instruction.operation());
            refused(bench, &what, &other, ErrorKind::Unsupported)?;
        }
    }
    Ok(())
}

pub(super) fn an_amount_within_the_limits_is_sent(bench: &Bench<'_>) -> Result {
    for (instruction, ability) in bench.instructions() {
        let rest = ability.maximum.minor().checked_rem(ability.step.minor()).unwrap_or_default();
        for minor in [ability.minimum.minor(), ability.maximum.minor() - rest] {
            let Some(changed) = with_amount(&instruction, minor, ability.currency())? else { continue };
            let usual = bench.usual(&changed)?;
            let run = bench.submit(&changed, Outcome::answered(usual.response));
            expect_exchanges(
                &format!("{} at a declared limit, {minor} cents,", changed.operation()),
                &run,
                1,
            )?;
        }
    }
    Ok(())
}

pub(super) fn an_amount_outside_the_limits_sends_nothing(bench: &Bench<'_>) -> Result {
    for (instruction, ability) in bench.instructions() {
        let (least, most, step) = (ability.minimum.minor(), ability.maximum.minor(), ability.step.minor());
        let currency = ability.currency();
        let mut wrong = vec![("nothing", 0, currency), ("a negative amount", -least, currency)];
        for other in [Currency::Kes, Currency::Usd] {
            let there = with_amount(&instruction, least, other)?;
            if there.is_some_and(|there| bench.capabilities.ability(&there).is_none()) {
                wrong.push(("another currency", least, other));
            }
        }
        wrong.push(("less than the minimum", least - step.max(1), currency));
        if most < Money::MAX_MINOR {
            wrong.push(("more than the maximum", most + step.max(1).min(Money::MAX_MINOR - most), currency));
        }
        if step > 1 {
            wrong.push(("an amount off the step", least + 1, currency));
        }
        for (what, minor, currency) in wrong {
            let Some(changed) = with_amount(&instruction, minor, currency)? else { continue };
            refused(bench, &format!("{} of {what}", changed.operation()), &changed, ErrorKind::Invalid)?;
        }
    }
    Ok(())
}

pub(super) fn an_unknown_detail_sends_nothing(bench: &Bench<'_>) -> Result {
    for (instruction, _) in bench.instructions() {
        if instruction.terms().is_some() {
            let changed = with_terms(&instruction, |terms| terms.details.insert("no such detail", "1"));
            let what = format!("{} with an unknown detail", changed.operation());
            refused(bench, &what, &changed, ErrorKind::Invalid)?;
        }
    }
    Ok(())
}

pub(super) fn a_wrong_callback_sends_nothing(bench: &Bench<'_>) -> Result {
    for (instruction, ability) in bench.instructions() {
        let Some(terms) = instruction.terms() else { continue };
        let operation = instruction.operation();
        let mut wrong: Vec<(String, Option<Callback>)> = Vec::new();
        match ability.callback {
            CallbackUse::None => {
                let url = url("result")?;
                wrong.push(("a callback it has no use for".to_owned(), Some(Callback::new(url))));
            }
            CallbackUse::Optional => {}
            CallbackUse::Result => wrong.push(("no callback".to_owned(), None)),
            CallbackUse::ResultAndTimeout => {
                let incomplete = Callback::new(url("result")?);
                wrong.push(("no callback".to_owned(), None));
                wrong.push(("a callback without one for timeouts".to_owned(), Some(incomplete)));
            }
        }
        if let Some(callback) = &terms.callback {
            for word in bench.capabilities.refused_callback_words {
                for spelled in [word.to_ascii_lowercase(), word.to_ascii_uppercase()] {
                    let mut result = callback.clone();
                    result.result = url(&spelled)?;
                    wrong.push((format!("a result callback with {spelled:?}"), Some(result)));
                    if callback.timeout.is_some() {
                        let mut timeout = callback.clone();
                        timeout.timeout = Some(url(&spelled)?);
                        wrong.push((format!("a timeout callback with {spelled:?}"), Some(timeout)));
                    }
                }
            }
        }
        for (what, callback) in wrong {
            let changed = with_terms(&instruction, |terms| terms.callback = callback);
            refused(bench, &format!("{operation} with {what}"), &changed, ErrorKind::Invalid)?;
        }
    }
    Ok(())
}

/// A declared need is exact: what the operation can do without is not asked for.
pub(super) fn the_least_callback_is_enough(bench: &Bench<'_>) -> Result {
    for (instruction, ability) in bench.instructions() {
        let least = match ability.callback {
            CallbackUse::None | CallbackUse::Optional => None,
            CallbackUse::Result => Some(Callback::new(url("result")?)),
            CallbackUse::ResultAndTimeout => {
                Some(Callback::new(url("result")?).with_timeout(url("timeout")?))
            }
        };
        let what = format!("{} with no more of a callback than it needs", instruction.operation());
        let changed = with_terms(&instruction, |terms| terms.callback = least);
        let usual = bench.usual(&changed)?;
        let run = bench.submit(&changed, Outcome::answered(usual.response));
        if run.exchanges().is_empty() {
            return Err(format!("{what} sends nothing"));
        }
    }
    Ok(())
}

/// Finds fault unless this is refused as `kind`, harmlessly and without a byte.
fn refused(bench: &Bench<'_>, what: &str, instruction: &Instruction, kind: ErrorKind) -> Result {
    // Whatever is sent against the rule is accepted, so that it is seen to have been sent.
    let run = bench.submit(instruction, Outcome::json(200, "{}"));
    expect_silence(what, &run)?;
    let error = expect_error(what, &run, Effect::None)?;
    if error.kind() != kind {
        return Err(format!("{what} is refused as {:?}; it should be {kind:?}", error.kind()));
    }
    Ok(())
}

fn with_amount(instruction: &Instruction, minor: i64, currency: Currency) -> Result<Option<Instruction>> {
    let amount = Money::from_minor(minor, currency).map_err(|error| error.to_string())?;
    Ok(instruction.terms().is_some().then(|| with_terms(instruction, |terms| terms.amount = amount)))
}

fn plain_terms() -> Result<Terms> {
    let reference = "CONFORMANCE-1".parse().map_err(|_| "not a reference".to_owned())?;
    let amount = Money::kes("100").map_err(|error| error.to_string())?;
    Ok(Terms::new(reference, amount)
        .with_callback(Callback::new(url("result")?).with_timeout(url("timeout")?)))
}
