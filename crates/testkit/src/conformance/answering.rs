//! What a provider makes of its gateway's answers to an instruction.

use malipo_core::{ErrorKind, State, Ticket, Trust};

use super::bench::{Bench, Came, Result, expect, expect_amount, expect_code, expect_error, expect_exchanges};
use super::faults::{Rest, cuts};
use super::subject::Submitted;
use crate::Outcome;

pub(super) fn an_accepted_payment_is_reported_as_documented(bench: &Bench<'_>) -> Result {
    let provider = bench.provider(std::sync::Arc::new(bench.transport()));
    for (instruction, _) in bench.instructions() {
        for sample in bench.subject.answers(&instruction) {
            let Submitted::Reported(state) = sample.meaning else { continue };
            let what = format!("{}: {}", instruction.operation(), sample.name);
            let run = bench.submit(&instruction, Outcome::answered(sample.response));
            expect(&what, &run, Came::Reported(state))?;
            let Ok(report) = run.outcome else { continue };
            if report.provider != *provider.id() {
                return Err(format!("{what} is reported by {}, not by {}", report.provider, provider.id()));
            }
            if report.reference.as_ref().is_some_and(|reference| reference != instruction.reference()) {
                return Err(format!("{what} is reported of another payment: {:?}", report.reference));
            }
            if report.trust != Trust::Answered {
                return Err(format!("{what} was answered to us, but is reported as {:?}", report.trust));
            }
            let operations =
                [Some(instruction.operation()), Some(Ticket::from(&instruction).operation), None];
            if !operations.contains(&report.operation) {
                return Err(format!("{what} is reported as {:?}", report.operation));
            }
            let asked = instruction.terms().map(|terms| terms.amount).filter(|_| state == State::Settled);
            expect_amount(&what, &report, sample.amount.or(asked))?;
            expect_code(&what, sample.code.as_deref(), report.code.as_deref())?;
        }
    }
    Ok(())
}

pub(super) fn a_documented_refusal_means_no_effect(bench: &Bench<'_>) -> Result {
    each_answer(bench, Submitted::NotStarted, |_| true)
}

pub(super) fn an_undocumented_code_means_unknown(bench: &Bench<'_>) -> Result {
    each_answer(bench, Submitted::Unknown, |kind| kind != ErrorKind::Duplicate)
}

pub(super) fn a_duplicate_means_unknown(bench: &Bench<'_>) -> Result {
    each_answer(bench, Submitted::Duplicate, |kind| kind == ErrorKind::Duplicate)
}

/// Finds fault unless every documented answer of this meaning has it, as an error of a fitting kind, and is the
/// end of it.
fn each_answer(bench: &Bench<'_>, meaning: Submitted, fits: impl Fn(ErrorKind) -> bool) -> Result {
    let Came::Failed(effect) = Came::from(meaning) else { return Ok(()) };
    for (instruction, _) in bench.instructions() {
        for sample in bench.answers(&instruction, meaning) {
            let what = format!("{}: {}", instruction.operation(), sample.name);
            let run = bench.submit(&instruction, Outcome::answered(sample.response));
            let error = expect_error(&what, &run, effect)?;
            if !fits(error.kind()) {
                return Err(format!("{what} is an error of the kind {:?} ({error})", error.kind()));
            }
            expect_code(&what, sample.code.as_deref(), error.code())?;
            expect_exchanges(&what, &run, 1)?;
        }
    }
    Ok(())
}

/// An answer that was torn off may mean anything; what is whole but for space at its end means what it meant.
pub(super) fn a_torn_answer_means_unknown(bench: &Bench<'_>) -> Result {
    for (instruction, _) in bench.instructions() {
        for sample in bench.subject.answers(&instruction) {
            for (how, response, rest) in cuts(&sample.response) {
                let run = bench.submit(&instruction, Outcome::answered(response));
                let came = Came::from(&run.outcome);
                let meant = rest == Rest::Whole && came == Came::from(sample.meaning);
                if came != Came::from(Submitted::Unknown) && !meant {
                    let name = &sample.name;
                    return Err(format!("{}: {name}, {how}, comes to {came}", instruction.operation()));
                }
            }
        }
    }
    Ok(())
}
