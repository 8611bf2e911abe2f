//! Whom an error is about, and one provider in many threads.

use std::sync::Arc;

use malipo_core::{Error, Instruction, Operation, ProviderId, Reference, Report};

use super::bench::{Bench, Question, Result, with_terms};
use super::faults;
use super::parties::every_party;
use crate::{Outcome, ScriptedTransport};

pub(super) fn an_error_names_account_operation_and_payment(bench: &Bench<'_>) -> Result {
    let provider = bench.provider(Arc::new(bench.transport()));
    for (instruction, _) in bench.instructions() {
        let mut outcomes = faults::everything();
        let documented = bench.subject.answers(&instruction).into_iter();
        outcomes.extend(documented.map(|sample| (sample.name, Outcome::answered(sample.response))));
        let (operation, reference) = (instruction.operation(), instruction.reference());
        for (what, outcome) in outcomes {
            let run = bench.submit(&instruction, outcome.clone());
            names(&format!("{operation}: {what}"), run.outcome, provider.id(), operation, reference)?;
            let Some(token) = bench.subject.token() else { continue };
            let what = format!("{operation} when a token was asked for: {what}");
            let run = bench.submit_over(&instruction, ScriptedTransport::new().on(token.path, outcome));
            names(&what, run.outcome, provider.id(), operation, reference)?;
        }
        for (what, refused) in refusable(&instruction)? {
            let run = bench.submit(&refused, Outcome::json(200, "{}"));
            names(&what, run.outcome, provider.id(), refused.operation(), reference)?;
        }
    }
    for Question { ticket, .. } in bench.questions()? {
        for (what, outcome) in faults::everything() {
            let run = bench.ask(&ticket, outcome);
            let what = format!("asking about {}: {what}", ticket.operation);
            names(&what, run.outcome, provider.id(), Operation::Status, &ticket.reference)?;
        }
    }
    Ok(())
}

/// Instructions like this one that some provider or other refuses by itself.
fn refusable(instruction: &Instruction) -> Result<Vec<(String, Instruction)>> {
    let Some(terms) = instruction.terms() else { return Ok(Vec::new()) };
    let unknown = with_terms(instruction, |terms| terms.details.insert("no such detail", "1"));
    let mut all = vec![(format!("{} with an unknown detail", instruction.operation()), unknown)];
    for operation in Operation::INSTRUCTIONS {
        let parties = every_party(*operation, terms)?.into_iter();
        all.extend(parties.map(|other| (format!("{operation} with any party"), other)));
    }
    Ok(all)
}

fn names<T>(
    what: &str,
    outcome: malipo_core::Result<T>,
    provider: &ProviderId,
    operation: Operation,
    reference: &Reference,
) -> Result {
    let Err(error) = outcome else { return Ok(()) };
    let missing = |which: &str, error: &Error| Err(format!("{what} is an error without {which}: {error}"));
    if error.provider() != Some(provider) {
        return missing("the account", &error);
    }
    if error.operation() != operation {
        return missing("the operation", &error);
    }
    if error.reference() != Some(reference) {
        return missing("our reference", &error);
    }
    Ok(())
}

const THREADS: usize = 8;

pub(super) fn one_provider_serves_many_threads(bench: &Bench<'_>) -> Result {
    for (instruction, _) in bench.instructions() {
        if instruction.terms().is_none() {
            continue;
        }
        let all = (0..THREADS).map(|thread| {
            let reference =
                format!("THREAD-{thread}").parse::<Reference>().map_err(|error| error.to_string())?;
            let renamed = with_terms(&instruction, |terms| terms.reference = reference);
            let usual = bench.usual(&renamed)?.response;
            Ok((renamed, usual))
        });
        let all = all.collect::<Result<Vec<_>>>()?;
        let gateway = gateway(
            bench,
            all.iter().map(|(renamed, usual)| {
                (renamed.reference().as_str().to_owned(), Outcome::answered(usual.clone()))
            }),
        );
        let transport = Arc::new(gateway);
        let provider = bench.provider(transport.clone());
        let reports: Vec<Option<malipo_core::Result<Report>>> = std::thread::scope(|scope| {
            let submit = |renamed: &'_ Instruction| pollster::block_on(provider.submit(renamed));
            let threads: Vec<_> =
                all.iter().map(|(renamed, _)| scope.spawn(move || submit(renamed))).collect();
            threads.into_iter().map(|thread| thread.join().ok()).collect()
        });
        let operation = instruction.operation();
        for ((renamed, _), report) in all.iter().zip(reports) {
            match report {
                None => return Err(format!("{operation} in {THREADS} threads panics")),
                Some(Err(error)) => return Err(format!("{operation} in {THREADS} threads fails: {error}")),
                Some(Ok(report))
                    if report.reference.as_ref().is_some_and(|told| told != renamed.reference()) =>
                {
                    return Err(format!("{operation} in {THREADS} threads mixes up the payments"));
                }
                Some(Ok(_)) => {}
            }
        }
        let sent = transport.requests();
        let token = bench.subject.token().map(|token| token.path);
        let payments = sent.iter().filter(|request| token.as_deref() != Some(request.uri().path())).count();
        if payments != THREADS || sent.len() - payments > 1 {
            let tokens = sent.len() - payments;
            return Err(format!(
                "{operation} in {THREADS} threads sends {payments} payments and asks for {tokens} tokens"
            ));
        }
    }
    Ok(())
}

/// Answers each payment with its own answer, if it can be told by the reference on the wire.
fn gateway(bench: &Bench<'_>, answers: impl Iterator<Item = (String, Outcome)>) -> ScriptedTransport {
    let answers: Vec<_> = answers.collect();
    bench.transport().always(Outcome::computed(move |request| {
        let sent = format!("{} {}", request.uri(), String::from_utf8_lossy(request.body()));
        let named = answers.iter().find(|(reference, _)| sent.contains(reference.as_str()));
        named.or(answers.first()).map_or_else(|| Outcome::json(500, ""), |(_, outcome)| outcome.clone())
    }))
}
