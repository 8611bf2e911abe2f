//! What a provider does when it is asked what became of a payment.

use http::{Method, Request};
use malipo_core::{Advice, Answer, Effect, Error, ErrorKind, Lookup, Operation, Ticket, Trust};

use super::bench::{
    Bench, Came, Question, Result, expect, expect_amount, expect_code, expect_error, expect_exchanges,
    expect_silence,
};
use super::faults::{self, Rest, cuts};
use super::subject::Asked;
use crate::{Outcome, ScriptedTransport};

pub(super) fn asking_tells_what_the_gateway_tells(bench: &Bench<'_>) -> Result {
    let provider = bench.provider(std::sync::Arc::new(bench.transport()));
    for Question { ticket, answers } in bench.questions()? {
        for sample in answers {
            let what = format!("asking about {}: {}", ticket.operation, sample.name);
            let run = bench.ask(&ticket, Outcome::answered(sample.response));
            expect(&what, &run, Came::from(sample.meaning))?;
            let Ok(Answer::Known(report)) = run.outcome else { continue };
            if report.provider != *provider.id() {
                return Err(format!("{what} is reported by {}, not by {}", report.provider, provider.id()));
            }
            if report.reference.as_ref().is_some_and(|reference| *reference != ticket.reference) {
                return Err(format!("{what} is reported of another payment: {:?}", report.reference));
            }
            if report.operation.is_some_and(|operation| operation != ticket.operation) {
                return Err(format!("{what} is reported as {:?}", report.operation));
            }
            if report.trust != Trust::Answered {
                return Err(format!("{what} was answered to us, but is reported as {:?}", report.trust));
            }
            expect_amount(&what, &report, sample.amount)?;
            expect_code(&what, sample.code.as_deref(), report.code.as_deref())?;
        }
    }
    Ok(())
}

pub(super) fn asking_moves_nothing(bench: &Bench<'_>) -> Result {
    let mut payments = Vec::new();
    for (instruction, _) in bench.instructions() {
        let run = bench.submit(&instruction, Outcome::answered(bench.usual(&instruction)?.response));
        payments.extend(run.exchanges().into_iter().map(method_and_path));
    }
    for Question { ticket, answers } in bench.questions()? {
        for sample in answers {
            let what = format!("asking about {}: {}", ticket.operation, sample.name);
            let run = bench.ask(&ticket, Outcome::answered(sample.response));
            expect_exchanges(&what, &run, 1)?;
            if let Some(request) =
                run.exchanges().into_iter().find(|sent| payments.contains(&method_and_path(sent)))
            {
                return Err(format!(
                    "{what} sends {} {}, as a payment does",
                    request.method(),
                    request.uri().path()
                ));
            }
        }
    }
    Ok(())
}

pub(super) fn method_and_path<B>(request: &Request<B>) -> (Method, String) {
    (request.method().clone(), request.uri().path().to_owned())
}

pub(super) fn a_question_without_an_answer_changes_nothing(bench: &Bench<'_>) -> Result {
    let mut failures = faults::everything();
    let token = bench.subject.token();
    if let Some(rejection) = token.as_ref().and_then(|token| token.documented_rejection().cloned()) {
        failures.push(("a rejected token".to_owned(), Outcome::answered(rejection)));
    }
    for Question { ticket, .. } in bench.questions()? {
        let asking = format!("asking about {}", ticket.operation);
        for (what, failure) in &failures {
            let run = bench.ask(&ticket, failure.clone());
            changes_nothing(&format!("{asking}: {what}"), expect_error(what, &run, Effect::Unchanged)?)?;
            let Some(token) = &token else { continue };
            let what = format!("{asking} when a token was asked for: {what}");
            let gateway = ScriptedTransport::new().on(token.path.clone(), failure.clone());
            let run = bench.ask_over(&ticket, gateway);
            expect_exchanges(&what, &run, 0)?;
            changes_nothing(&what, expect_error(&what, &run, Effect::Unchanged)?)?;
        }
    }
    Ok(())
}

pub(super) fn changes_nothing(what: &str, error: &Error) -> Result {
    match error.advice() {
        Advice::Ask => Ok(()),
        other => Err(format!("{what} advises {other:?}; it should be to ask again")),
    }
}

pub(super) fn a_torn_answer_to_a_question_decides_nothing(bench: &Bench<'_>) -> Result {
    for Question { ticket, answers } in bench.questions()? {
        for sample in answers {
            for (how, response, rest) in cuts(&sample.response) {
                let run = bench.ask(&ticket, Outcome::answered(response));
                let came = Came::from(&run.outcome);
                let meant = rest == Rest::Whole && came == Came::from(sample.meaning);
                if came != Came::from(Asked::Failed) && !meant {
                    let name = &sample.name;
                    return Err(format!("asking about {}: {name}, {how}, comes to {came}", ticket.operation));
                }
            }
        }
    }
    Ok(())
}

pub(super) fn what_cannot_be_asked_sends_nothing(bench: &Bench<'_>) -> Result {
    for (instruction, _) in bench.instructions() {
        let bare = Ticket::from(&instruction);
        let (why, kind) = match bench.capabilities.lookup {
            Lookup::None => ("although nothing can be asked", ErrorKind::Unsupported),
            Lookup::ByProviderRef if bare.provider_refs.is_empty() => {
                ("without the gateway's name for it", ErrorKind::Invalid)
            }
            Lookup::ByCallback if bare.callback.is_none() => ("without a callback", ErrorKind::Invalid),
            _ => continue,
        };
        let what = format!("asking about {} {why}", instruction.operation());
        let run = bench.ask(&bare, Outcome::json(200, "{}"));
        expect_silence(&what, &run)?;
        let error = expect_error(&what, &run, Effect::Unchanged)?;
        if error.kind() != kind || error.operation() != Operation::Status {
            let (kind, operation) = (error.kind(), error.operation());
            return Err(format!("{what} is refused as {kind:?} of {operation} ({error})"));
        }
    }
    Ok(())
}
