//! What a provider says when there is no answer, or one that nobody can read: how far the request may have got.

use malipo_core::{Advice, Effect};
use malipo_transport::Stage;

use super::bench::{Bench, Result, expect_error, expect_exchanges};
use super::faults;
use crate::Outcome;

pub(super) fn a_failure_before_sending_means_no_effect(bench: &Bench<'_>) -> Result {
    come_to(bench, faults::losses(Stage::BeforeSend), Effect::None, Advice::Resend)
}

pub(super) fn a_failure_after_sending_means_unknown(bench: &Bench<'_>) -> Result {
    come_to(bench, faults::losses(Stage::AfterSend), Effect::Unknown, Advice::Ask)
}

pub(super) fn a_server_in_trouble_means_unknown(bench: &Bench<'_>) -> Result {
    come_to(bench, faults::troubles(), Effect::Unknown, Advice::Ask)
}

pub(super) fn a_redirect_means_unknown(bench: &Bench<'_>) -> Result {
    come_to(bench, faults::redirects(), Effect::Unknown, Advice::Ask)
}

pub(super) fn an_unreadable_success_means_unknown(bench: &Bench<'_>) -> Result {
    come_to(bench, faults::empty_successes(), Effect::Unknown, Advice::Ask)
}

/// A bare 401 is among them: a proxy says it as well as the gateway, so it proves nothing and renews nothing.
pub(super) fn an_unreadable_refusal_means_unknown(bench: &Bench<'_>) -> Result {
    come_to(bench, faults::empty_refusals(), Effect::Unknown, Advice::Ask)
}

/// Finds fault unless every instruction comes to this, with one request and no second try.
fn come_to(bench: &Bench<'_>, outcomes: Vec<(String, Outcome)>, effect: Effect, advice: Advice) -> Result {
    for (instruction, _) in bench.instructions() {
        for (what, outcome) in &outcomes {
            let what = format!("{}: {what}", instruction.operation());
            let run = bench.submit(&instruction, outcome.clone());
            let error = expect_error(&what, &run, effect)?;
            if error.advice() != advice {
                return Err(format!(
                    "{what} advises {:?}; it should be {advice:?} ({error})",
                    error.advice()
                ));
            }
            expect_exchanges(&what, &run, 1)?;
        }
    }
    Ok(())
}
