//! What a provider does about tokens: gets one, renews it once when the gateway says so, and never more.

use std::sync::Arc;

use malipo_core::{Advice, Effect};
use malipo_transport::Stage;

use super::bench::{Bench, Result, expect_error, expect_exchanges};
use super::faults::{self, Rest, cuts};
use super::subject::{Rejection, TokenExchange};
use crate::scripted::answer;
use crate::{Outcome, ScriptedTransport};

pub(super) fn a_rejected_token_is_renewed_once(bench: &Bench<'_>) -> Result {
    let Some(TokenExchange { path, reply, rejection: Rejection::By(rejection), .. }) = bench.subject.token()
    else {
        return Ok(());
    };
    for (instruction, _) in bench.instructions() {
        let usual = Outcome::answered(bench.usual(&instruction)?.response);
        let operation = instruction.operation();
        let gateway = |second: Outcome| {
            ScriptedTransport::new()
                .on(path.clone(), Outcome::answered(reply.clone()))
                .then(Outcome::answered(rejection.clone()))
                .then(second)
                .always(usual.clone())
        };

        let what = format!("{operation} with a token that is rejected once");
        let run = bench.submit_over(&instruction, gateway(usual.clone()));
        expect_exchanges(&what, &run, 2)?;
        if run.token_requests().len() != 2 {
            return Err(format!("{what} asks for {} tokens; it should be 2", run.token_requests().len()));
        }
        let bodies: Vec<_> = run.exchanges().iter().map(|request| request.body().clone()).collect();
        if bodies.first() != bodies.last() {
            return Err(format!("{what} sends another body the second time"));
        }
        if let Err(error) = &run.outcome {
            return Err(format!("{what} fails although the second was accepted: {error}"));
        }

        let what = format!("{operation} with a token that is rejected twice");
        let run = bench.submit_over(&instruction, gateway(Outcome::answered(rejection.clone())));
        expect_exchanges(&what, &run, 2)?;
        expect_error(&what, &run, Effect::None)?;

        // The second try is a request like any other: what becomes of it may be unknown.
        let what = format!("{operation} whose second try is lost");
        let lost = Outcome::lost(Stage::AfterSend, malipo_transport::Failure::Timeout);
        let run = bench.submit_over(&instruction, gateway(lost));
        expect_exchanges(&what, &run, 2)?;
        expect_error(&what, &run, Effect::Unknown)?;
    }
    Ok(())
}

pub(super) fn a_payment_without_a_token_is_not_sent(bench: &Bench<'_>) -> Result {
    let Some(TokenExchange { path, reply, .. }) = bench.subject.token() else { return Ok(()) };
    let torn = cuts(&reply).filter(|(_, _, rest)| *rest == Rest::Torn);
    let torn = torn.map(|(how, response, _)| (format!("the answer {how}"), Outcome::answered(response)));
    let failures: Vec<_> = faults::everything().into_iter().chain(torn).collect();
    for (instruction, _) in bench.instructions() {
        let usual = Outcome::answered(bench.usual(&instruction)?.response);
        for (what, failure) in &failures {
            let what = format!("{} when a token was asked for: {what}", instruction.operation());
            let gateway = ScriptedTransport::new().on(path.clone(), failure.clone()).always(usual.clone());
            let run = bench.submit_over(&instruction, gateway);
            expect_exchanges(&what, &run, 0)?;
            let error = expect_error(&what, &run, Effect::None)?;
            if error.advice() == Advice::Ask {
                return Err(format!("{what} advises to ask about what was never sent"));
            }
            if run.token_requests().len() != 1 {
                return Err(format!("{what} asks for {} tokens; it should be 1", run.token_requests().len()));
            }
        }
    }
    Ok(())
}

/// A 401 that proves nothing is no reason to send a payment again, but one to make the next with a new token.
pub(super) fn a_doubted_token_is_not_used_again(bench: &Bench<'_>) -> Result {
    let Some(token) = bench.subject.token() else { return Ok(()) };
    for (instruction, _) in bench.instructions() {
        let usual = Outcome::answered(bench.usual(&instruction)?.response);
        for (what, content_type, body) in faults::babble() {
            let what = format!("{} answered by 401 with {what}", instruction.operation());
            let doubtful = Outcome::answered(answer(401, content_type, body));
            let transport = Arc::new(bench.transport().then(doubtful).always(usual.clone()));
            let provider = bench.provider(transport.clone());
            let count = || {
                let requests = transport.requests();
                let tokens = requests.iter().filter(|request| request.uri().path() == token.path).count();
                (tokens, requests.len() - tokens)
            };
            for expected in [(1, 1), (2, 2)] {
                // What is said of it is for other promises.
                let _ = pollster::block_on(provider.submit(&instruction));
                let (tokens, payments) = count();
                if (tokens, payments) != expected {
                    return Err(format!(
                        "{what}: {payments} payments and {tokens} requests for tokens were sent by then; it should be {} of each",
                        expected.0
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Not only the payment: a token that is good for more than one exchange is not asked for again.
pub(super) fn a_token_is_kept(bench: &Bench<'_>) -> Result {
    let Some(token) = bench.subject.token() else { return Ok(()) };
    for (instruction, _) in bench.instructions() {
        let usual = Outcome::answered(bench.usual(&instruction)?.response);
        let transport = Arc::new(bench.transport().always(usual));
        let provider = bench.provider(transport.clone());
        for _ in 0..2 {
            // Whether it is accepted is for another promise.
            let _ = pollster::block_on(provider.submit(&instruction));
        }
        let asked = transport.requests().iter().filter(|request| request.uri().path() == token.path).count();
        if asked != 1 {
            return Err(format!("two of {} ask for {asked} tokens; it should be 1", instruction.operation()));
        }
    }
    Ok(())
}
