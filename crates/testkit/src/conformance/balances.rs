//! What comes of asking for our balances, where a gateway tells them at once.

use malipo_core::{Effect, Operation, Trust};

use super::asking::{changes_nothing, method_and_path};
use super::bench::{Bench, Result};
use super::faults;
use super::subject::Counted;
use crate::Outcome;

pub(super) fn balances_are_told_and_nothing_changes(bench: &Bench<'_>) -> Result {
    let mut payments = Vec::new();
    for (instruction, _) in bench.instructions() {
        let run = bench.submit(&instruction, Outcome::answered(bench.usual(&instruction)?.response));
        payments.extend(run.exchanges().into_iter().map(method_and_path));
    }
    let documented = bench.subject.balance_answers().into_iter();
    let mut answers: Vec<_> =
        documented.map(|sample| (sample.name, Outcome::answered(sample.response), sample.meaning)).collect();
    answers.extend(faults::everything().into_iter().map(|(what, failure)| (what, failure, Counted::Failed)));
    for (what, outcome, meaning) in answers {
        let what = format!("asking for balances: {what}");
        let Some(run) = bench.balances(outcome) else { return Ok(()) };
        if run.exchanges().is_empty() {
            return Err(format!("{what} sends nothing"));
        }
        if run.exchanges().into_iter().any(|sent| payments.contains(&method_and_path(sent))) {
            return Err(format!("{what} sends what a payment does"));
        }
        let provider = bench.provider(std::sync::Arc::new(bench.transport()));
        match (&run.outcome, meaning) {
            (Ok(told), Counted::Told) if told.trust != Trust::Answered || told.provider != *provider.id() => {
                return Err(format!("{what} is told by {} as {:?}", told.provider, told.trust));
            }
            (Ok(_), Counted::Told) => {}
            (Err(error), Counted::Failed) => {
                if error.effect() != Effect::Unchanged || error.operation() != Operation::Balances {
                    return Err(format!("{what} is an error of {} ({error})", error.operation()));
                }
                changes_nothing(&what, error)?;
            }
            (Ok(_), Counted::Failed) => return Err(format!("{what} tells balances")),
            (Err(error), Counted::Told) => return Err(format!("{what} fails: {error}")),
        }
    }
    Ok(())
}
