//! What is left of a document that was cut, said to a provider in every way that a gateway can say something.

use bytes::Bytes;
use malipo_core::Effect;

use super::bench::{Bench, Came, Question, Result};
use super::delivering::{decides, everywhere, heard};
use crate::scripted::answer;
use crate::{Outcome, ScriptedTransport};

/// The statuses of an answer that a gateway means something by.
const STATUSES: &[u16] = &[200, 202, 400, 401, 404, 429, 500];

/// Cuts `text` at every byte, and says what is left as an answer to every operation, to a question and to the request
/// for a token, and posts it to every place that the gateway posts to. It may decide nothing that the whole does not.
pub(super) fn cut(bench: &Bench<'_>, text: &Bytes) -> Result {
    for status in STATUSES {
        submitted(bench, text, *status)?;
        asked(bench, text, *status)?;
    }
    token(bench, text)?;
    posted(bench, text)
}

fn submitted(bench: &Bench<'_>, text: &Bytes, status: u16) -> Result {
    let mut seen = Vec::new();
    for (instruction, _) in bench.instructions() {
        let operation = instruction.operation();
        if seen.contains(&operation) {
            continue;
        }
        seen.push(operation);
        let come = |body| Came::from(&bench.submit(&instruction, said(status, body)).outcome);
        hold(text, &format!("answered to {operation} with {status}"), Effect::Unknown, come)?;
    }
    Ok(())
}

fn asked(bench: &Bench<'_>, text: &Bytes, status: u16) -> Result {
    let mut seen = Vec::new();
    for Question { ticket, .. } in bench.questions()? {
        if seen.contains(&ticket.operation) {
            continue;
        }
        seen.push(ticket.operation);
        let come = |body| Came::from(&bench.ask(&ticket, said(status, body)).outcome);
        hold(text, &format!("answered to a question with {status}"), Effect::Unchanged, come)?;
    }
    Ok(())
}

fn token(bench: &Bench<'_>, text: &Bytes) -> Result {
    let Some(token) = bench.subject.token() else { return Ok(()) };
    let Some((instruction, _)) = bench.instructions().into_iter().next() else { return Ok(()) };
    let usual = Outcome::answered(bench.usual(&instruction)?.response);
    let come = |body| {
        let gateway = ScriptedTransport::new().on(token.path.clone(), said(200, body)).always(usual.clone());
        Came::from(&bench.submit_over(&instruction, gateway).outcome)
    };
    hold(text, "answered to the request for a token", Effect::None, come)
}

fn posted(bench: &Bench<'_>, text: &Bytes) -> Result {
    let mut whole = Vec::new();
    everywhere(bench, text, |_, read| {
        whole.push(heard(read));
        Ok(())
    })?;
    for length in 0..text.len() {
        let mut expected = whole.iter();
        everywhere(bench, &text.slice(..length), |delivery, read| {
            let (came, whole) = (heard(read), expected.next());
            if decides(came) && whole != Some(&came) {
                return Err(format!(
                    "cut to {length} bytes and posted as {:?}, it says {came:?}; the whole says {whole:?}",
                    delivery.purpose
                ));
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Finds fault if a part comes to anything but what the whole comes to, or to an error of this effect.
fn hold(text: &Bytes, how: &str, undecided: Effect, come: impl Fn(Bytes) -> Came) -> Result {
    let whole = come(text.clone());
    for length in 0..text.len() {
        let came = come(text.slice(..length));
        if came != Came::Failed(undecided) && came != whole {
            return Err(format!("cut to {length} bytes and {how}, it comes to {came}; the whole to {whole}"));
        }
    }
    Ok(())
}

fn said(status: u16, body: Bytes) -> Outcome {
    Outcome::answered(answer(status, "application/json", body))
}
