//! Whether the capabilities make sense, and whether the subject lets the suite try all of them.

use std::collections::BTreeSet;

use malipo_core::{Ability, CallbackUse, Lookup, Money, Operation, PartyKind, Resubmit, State};

use super::bench::{Bench, Result};
use super::subject::{Asked, Counted, Rejection, Says, Submitted};
use crate::{Outcome, leaks};

pub(super) fn capabilities_make_sense(bench: &Bench<'_>) -> Result {
    let capabilities = &bench.capabilities;
    if bench.provider(std::sync::Arc::new(bench.transport())).id().as_str().is_empty() {
        return Err("the provider has no name".to_owned());
    }
    if capabilities.gateway.is_empty() || capabilities.abilities.is_empty() {
        return Err("the capabilities name no gateway or no operation".to_owned());
    }
    for (number, ability) in capabilities.abilities.iter().enumerate() {
        let operation = ability.operation;
        let others = capabilities.abilities.iter().take(number);
        let same = |other: &&Ability| other.operation == operation && other.currency() == ability.currency();
        if others.filter(same).any(|other| overlap(other, ability)) {
            return Err(format!("{operation} is declared twice for one party in one currency"));
        }
        limits_make_sense(ability).map_err(|found| format!("{operation}: {found}"))?;
        if !operation.moves_money() {
            return Err(format!("{operation} is no instruction"));
        }
        if ability.parties.is_empty() && operation != Operation::Confirm {
            return Err(format!("{operation} can be done with nobody"));
        }
    }
    if capabilities.does(Operation::Confirm) && !capabilities.does(Operation::Collect) {
        return Err("collections can be confirmed, but not started".to_owned());
    }
    let shouted = |word: &&&str| word.is_empty() || word.chars().any(char::is_uppercase);
    match capabilities.refused_callback_words.iter().find(shouted) {
        Some(word) => {
            Err(format!("the refused word {word:?} is never found: they are compared in small letters"))
        }
        None => Ok(()),
    }
}

fn overlap(one: &Ability, other: &Ability) -> bool {
    let without_party = one.parties.is_empty() || other.parties.is_empty();
    without_party || one.parties.iter().any(|party| other.serves(party))
}

fn limits_make_sense(ability: &Ability) -> Result {
    let (least, most, step) = (ability.minimum, ability.maximum, ability.step);
    if least.currency() != most.currency() || least.currency() != step.currency() {
        return Err("the limits are in different currencies".to_owned());
    }
    let mut keys = BTreeSet::new();
    if let Some(key) = ability.detail_keys.iter().find(|key| key.is_empty() || !keys.insert(**key)) {
        return Err(format!("the detail key {key:?} is empty or declared twice"));
    }
    // A step of a payment has no amount that could be limited.
    if ability.operation == Operation::Confirm {
        return Ok(());
    }
    if !least.is_positive() || !step.is_positive() {
        return Err(format!("the minimum {least} and the step {step} must be more than nothing"));
    }
    if least.minor() > most.minor() {
        return Err(format!("the minimum {least} is more than the maximum {most}"));
    }
    if least.minor().checked_rem(step.minor()) != Some(0) {
        return Err(format!("the minimum {least} is not a multiple of the step {step}"));
    }
    Ok(())
}

pub(super) fn everything_declared_is_tried(bench: &Bench<'_>) -> Result {
    instructions(bench)?;
    answers(bench)?;
    questions(bench)?;
    deliveries(bench)?;
    amounts(bench)?;
    tokens(bench)?;
    balances(bench)?;
    canaries(bench)
}

fn instructions(bench: &Bench<'_>) -> Result {
    let all = bench.instructions();
    if all.len() != bench.subject.instructions().len() {
        return Err("the subject has an instruction that is not declared".to_owned());
    }
    let mut references = BTreeSet::new();
    for (instruction, _) in &all {
        if instruction.operation() != Operation::Confirm && !references.insert(instruction.reference()) {
            return Err(format!("two instructions have the reference {}", instruction.reference()));
        }
    }
    for ability in &bench.capabilities.abilities {
        let of_this = || all.iter().filter(|(instruction, _)| instruction.operation() == ability.operation);
        if of_this().next().is_none() {
            return Err(format!("the subject has no instruction for {}", ability.operation));
        }
        for kind in &ability.parties {
            if !of_this().any(|(instruction, _)| has_party(instruction, ability, kind)) {
                return Err(format!(
                    "the subject has no instruction for {} with {kind:?}",
                    ability.operation
                ));
            }
        }
    }
    Ok(())
}

/// Whether an ability for this kind alone would admit the instruction's party.
fn has_party(instruction: &malipo_core::Instruction, ability: &Ability, kind: &PartyKind) -> bool {
    let mut only = ability.clone();
    only.parties = vec![kind.clone()];
    let capabilities =
        malipo_core::Capabilities::new("this kind alone", Resubmit::Never, Lookup::None).with(only);
    capabilities.admit(instruction, None).is_ok()
}

fn answers(bench: &Bench<'_>) -> Result {
    for (instruction, _) in bench.instructions() {
        let operation = instruction.operation();
        bench.usual(&instruction)?;
        let mut wanted = vec![Submitted::Unknown];
        if operation != Operation::Confirm {
            wanted.push(Submitted::NotStarted);
        }
        if bench.capabilities.resubmit == Resubmit::RefusedAsDuplicate && instruction.terms().is_some() {
            wanted.push(Submitted::Duplicate);
        }
        let missing = wanted.into_iter().find(|meaning| bench.answers(&instruction, *meaning).is_empty());
        if let Some(missing) = missing {
            return Err(format!("the subject has no answer to {operation} that is {missing:?}"));
        }
    }
    Ok(())
}

/// What a sample that says this has to name. A code that stands in no document is the only way to see that it is taken
/// for none that does.
fn incomplete(state: State, amount: Option<Money>, code: Option<&str>) -> Option<&'static str> {
    match state {
        State::Settled if amount.is_none() => Some("its amount"),
        State::Pending if code.is_none() => Some("its code, which stands in no document"),
        _ => None,
    }
}

fn questions(bench: &Bench<'_>) -> Result {
    let wanted = match bench.capabilities.lookup {
        Lookup::None => return Ok(()),
        Lookup::ByReference | Lookup::ByProviderRef => FINDINGS.iter().copied().map(Asked::Known).collect(),
        Lookup::ByCallback => vec![Asked::ComesByCallback],
    };
    let questions = bench.questions()?;
    for ability in &bench.capabilities.abilities {
        let operation = ability.operation;
        // The ticket of a confirmation is that of its collection.
        if operation == Operation::Confirm {
            continue;
        }
        let of_this = questions.iter().filter(|question| question.ticket.operation == operation);
        let samples: Vec<_> = of_this.flat_map(|question| &question.answers).collect();
        let what = format!("answer to a question about {operation}");
        for meaning in &wanted {
            let said = samples.iter().filter(|sample| sample.meaning == *meaning);
            let faults: Vec<_> = said
                .map(|sample| match sample.meaning {
                    Asked::Known(state) => incomplete(state, sample.amount, sample.code.as_deref()),
                    _ => None,
                })
                .collect();
            covered(&what, &format!("{meaning:?}"), &faults)?;
        }
    }
    Ok(())
}

/// What has to be seen of a payment that is told at once or posted.
const FINDINGS: &[State] = &[State::Settled, State::Failed, State::Pending];

/// Finds fault unless one sample says it, and names all that it has to name.
fn covered(what: &str, meaning: &str, faults: &[Option<&'static str>]) -> Result {
    match faults.first() {
        None => Err(format!("the subject has no {what} that is {meaning}")),
        Some(_) if faults.contains(&None) => Ok(()),
        Some(fault) => {
            Err(format!("no {what} that is {meaning} names {}", fault.unwrap_or("what it has to")))
        }
    }
}

fn deliveries(bench: &Bench<'_>) -> Result {
    let used = bench.capabilities.abilities.iter().any(|ability| ability.callback != CallbackUse::None)
        || bench.capabilities.lookup == Lookup::ByCallback;
    if bench.subject.callbacks().is_none() {
        return if used { Err("callbacks are declared, but nothing reads them".to_owned()) } else { Ok(()) };
    }
    let all = bench.subject.deliveries();
    if !used && all.iter().any(|posted| posted.says == Says::Credit) {
        return Ok(());
    }
    for state in FINDINGS {
        let said = all.iter().filter(|posted| posted.says == Says::Report(*state));
        let faults: Vec<_> =
            said.map(|posted| incomplete(*state, posted.amount, posted.code.as_deref())).collect();
        covered("delivery", &format!("{state:?}"), &faults)?;
    }
    Ok(())
}

/// Whatever settles names its amount, wherever it is told.
fn amounts(bench: &Bench<'_>) -> Result {
    let paid = Says::Report(State::Settled);
    let mut without: Vec<String> = Vec::new();
    let posted = bench.subject.deliveries().into_iter();
    without.extend(posted.filter(|one| one.says == paid && one.amount.is_none()).map(|one| one.name));
    for question in bench.questions()? {
        let told = question.answers.into_iter();
        let paid = Asked::Known(State::Settled);
        without.extend(told.filter(|one| one.meaning == paid && one.amount.is_none()).map(|one| one.name));
    }
    for (instruction, _) in bench.instructions() {
        let told = bench.answers(&instruction, Submitted::Reported(State::Settled)).into_iter();
        let known = instruction.terms().is_some();
        without.extend(told.filter(|one| one.amount.is_none() && !known).map(|one| one.name));
    }
    match without.first() {
        Some(name) => Err(format!("{name} tells the suite of money that moved and not of how much")),
        None => Ok(()),
    }
}

fn tokens(bench: &Bench<'_>) -> Result {
    match bench.subject.token().map(|token| token.rejection) {
        Some(Rejection::Unsaid) => {
            Err("the subject does not say how the gateway rejects a token: by an answer, or never".to_owned())
        }
        _ => Ok(()),
    }
}

fn balances(bench: &Bench<'_>) -> Result {
    let asked = bench.balances(Outcome::json(500, "")).is_some();
    let answers = bench.subject.balance_answers();
    if asked && !answers.iter().any(|sample| sample.meaning == Counted::Told) {
        return Err("the subject has no answer that tells our balances".to_owned());
    }
    Ok(())
}

/// A secret that never travels would be kept by any provider.
fn canaries(bench: &Bench<'_>) -> Result {
    let canaries = bench.subject.canaries();
    if let Some(short) = canaries.iter().find(|canary| canary.len() < 12) {
        return Err(format!("the planted secret {short:?} is too short to be told from chance"));
    }
    if let Some(token) = bench.subject.token()
        && leaks(&String::from_utf8_lossy(token.reply.body()), &canaries).is_empty()
    {
        return Err("the token in the subject's answer is not among the planted secrets".to_owned());
    }
    for (instruction, _) in bench.instructions() {
        let run = bench.submit(&instruction, Outcome::answered(bench.usual(&instruction)?.response));
        let sent: String = run.exchanges().iter().map(|request| format!("{:?}", parts(request))).collect();
        if leaks(&sent, &canaries).is_empty() {
            return Err(format!("{} sends no planted secret", instruction.operation()));
        }
    }
    Ok(())
}

fn parts(request: &http::Request<bytes::Bytes>) -> Vec<String> {
    let headers = request.headers().values().map(|value| value.as_bytes());
    headers.chain([request.body().as_ref()]).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}
