//! Where the planted secrets must not be found, while the gateway repeats to us whatever we sent it.

use std::error::Error as StdError;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use malipo_core::{Answer, Details, Error, Report};
use serde_json::Value;

use super::bench::{Bench, Question, Result, Run};
use super::delivering::everywhere;
use super::faults::{self, cuts};
use crate::scripted::answer;
use crate::{ManualEnv, Outcome, ScriptedTransport, leaks};

pub(super) fn a_provider_prints_no_secret(bench: &Bench<'_>) -> Result {
    let canaries = bench.subject.canaries();
    let Some((instruction, _)) = bench.instructions().into_iter().next() else { return Ok(()) };
    let usual = Outcome::answered(bench.usual(&instruction)?.response);
    let transport = Arc::new(bench.transport().always(usual));
    let provider = bench.subject.provider(transport, Arc::new(ManualEnv::new()));
    clean("the provider", &format!("{provider:?} {provider:#?}"), &canaries)?;
    // It may hold a token from now on.
    let _ = pollster::block_on(provider.submit(&instruction));
    clean("the provider after a payment", &format!("{provider:?} {provider:#?}"), &canaries)?;
    let callbacks = bench.subject.callbacks();
    clean("what reads deliveries", &format!("{callbacks:?} {callbacks:#?}"), &canaries)
}

pub(super) fn a_secret_is_sent_only_where_nothing_prints_it(bench: &Bench<'_>) -> Result {
    let canaries = bench.subject.canaries();
    for request in requests(bench)? {
        let what = format!("{} {}", request.method(), request.uri().path());
        clean(&format!("the URL of {what}"), &request.uri().to_string(), &canaries)?;
        for (name, value) in request.headers() {
            let text = String::from_utf8_lossy(value.as_bytes());
            if !value.is_sensitive() {
                clean(
                    &format!("the header {name} of {what}, which is not marked sensitive,"),
                    &text,
                    &canaries,
                )?;
            }
        }
    }
    Ok(())
}

/// What is sent for every instruction and every question, tokens included.
fn requests(bench: &Bench<'_>) -> Result<Vec<Request<Bytes>>> {
    let mut requests = Vec::new();
    for (instruction, _) in bench.instructions() {
        let usual = bench.usual(&instruction)?;
        requests.extend(bench.submit(&instruction, Outcome::answered(usual.response)).requests);
    }
    for Question { ticket, .. } in bench.questions()? {
        requests.extend(bench.ask(&ticket, Outcome::json(500, "")).requests);
    }
    Ok(requests)
}

pub(super) fn a_secret_that_a_gateway_repeats_is_not_passed_on(bench: &Bench<'_>) -> Result {
    let canaries = bench.subject.canaries();
    for (instruction, _) in bench.instructions() {
        let usual = bench.usual(&instruction)?;
        let sent = bench.submit(&instruction, Outcome::answered(usual.response));
        let secrets = secrets_in(&sent.exchanges(), &canaries);
        let documented = bench.subject.answers(&instruction).into_iter().map(|sample| sample.response);
        for (what, response) in repeating(documented, &secrets) {
            let what = format!("{}: {what}", instruction.operation());
            let run = bench.submit(&instruction, Outcome::answered(response));
            clean_run(&what, &run, &canaries, report_text)?;
        }
    }
    for Question { ticket, answers } in bench.questions()? {
        let sent = bench.ask(&ticket, Outcome::json(500, ""));
        let secrets = secrets_in(&sent.exchanges(), &canaries);
        for (what, response) in repeating(answers.into_iter().map(|sample| sample.response), &secrets) {
            let what = format!("asking about {}: {what}", ticket.operation);
            let run = bench.ask(&ticket, Outcome::answered(response));
            clean_run(&what, &run, &canaries, answer_text)?;
        }
    }
    Ok(())
}

pub(super) fn a_secret_that_comes_with_a_token_is_not_passed_on(bench: &Bench<'_>) -> Result {
    let (Some(token), canaries) = (bench.subject.token(), bench.subject.canaries()) else { return Ok(()) };
    let Some((instruction, _)) = bench.instructions().into_iter().next() else { return Ok(()) };
    let usual = Outcome::answered(bench.usual(&instruction)?.response);
    let sent = bench.submit(&instruction, usual.clone());
    let mut secrets = secrets_in(&sent.token_requests(), &canaries);
    // The token itself, in a place where no token belongs.
    let body = String::from_utf8_lossy(token.reply.body()).into_owned();
    secrets
        .extend(canaries.iter().filter(|canary| body.contains(**canary)).map(|canary| (*canary).to_owned()));
    let mut replies = repeating([token.reply.clone()].into_iter(), &secrets);
    replies.extend(cuts(&token.reply).map(|(how, response, _)| (how, response)));
    for (what, reply) in replies {
        let what = format!("{} when a token was asked for: {what}", instruction.operation());
        let gateway =
            ScriptedTransport::new().on(token.path.clone(), Outcome::answered(reply)).always(usual.clone());
        clean_run(&what, &bench.submit_over(&instruction, gateway), &canaries, report_text)?;
    }
    for (what, failure) in faults::everything() {
        let gateway = ScriptedTransport::new().on(token.path.clone(), failure).always(usual.clone());
        clean_run(&what, &bench.submit_over(&instruction, gateway), &canaries, report_text)?;
    }
    Ok(())
}

/// Whoever posts to us chooses what is in it, and whoever logs an error has not chosen to log that.
pub(super) fn a_delivery_that_is_refused_is_not_repeated(bench: &Bench<'_>) -> Result {
    let mut bodies: Vec<Vec<u8>> = [
        format!("{POSTED} and no JSON"),
        format!("\"{POSTED}\""),
        format!("[\"{POSTED}\"]"),
        format!("{{\"{POSTED}\":1}}"),
        format!("{{\"a\":{POSTED}}}"),
    ]
    .map(String::into_bytes)
    .to_vec();
    for posted in bench.subject.deliveries() {
        let Ok(whole) = serde_json::from_slice::<Value>(posted.delivery.body.bytes()) else { continue };
        for pointer in scalars(&whole, String::new()) {
            let mut changed = whole.clone();
            if let Some(value) = changed.pointer_mut(&pointer) {
                *value = Value::from(POSTED);
            }
            bodies.push(changed.to_string().into_bytes());
        }
    }
    for body in bodies {
        everywhere(bench, &body, |delivery, read| match read {
            Err(error) => {
                let what = format!("the error of a delivery to {:?}", delivery.purpose);
                clean(&what, &format!("{error} {error:?} {error:#?}"), &[POSTED])
            }
            Ok(_) => Ok(()),
        })?;
    }
    Ok(())
}

/// What a stranger posts.
const POSTED: &str = "posted/by+a-stranger-6021";

/// What a gateway could repeat: the planted secrets that stand in the requests as they are, and the header values
/// that spell one in another way.
fn secrets_in(requests: &[&Request<Bytes>], canaries: &[&str]) -> Vec<String> {
    let mut secrets: Vec<String> = Vec::new();
    for request in requests {
        let mut parts = vec![String::from_utf8_lossy(request.body()).into_owned()];
        for value in request.headers().values() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let plain = canaries.iter().any(|canary| value.contains(canary));
            if !plain && !leaks(&value, canaries).is_empty() {
                secrets.extend(value.split(' ').next_back().map(str::to_owned));
            }
            parts.push(value);
        }
        let plain = canaries.iter().filter(|canary| parts.iter().any(|part| part.contains(**canary)));
        secrets.extend(plain.map(|canary| (*canary).to_owned()));
    }
    secrets.sort();
    secrets.dedup();
    secrets
}

/// Each answer with each secret in each of its values, and errors that consist of a secret.
fn repeating(
    responses: impl Iterator<Item = Response<Bytes>>,
    secrets: &[String],
) -> Vec<(String, Response<Bytes>)> {
    let mut all = Vec::new();
    for response in responses {
        let Ok(whole) = serde_json::from_slice::<Value>(response.body()) else { continue };
        for pointer in scalars(&whole, String::new()) {
            for secret in secrets {
                for (how, text) in [("instead", secret.clone()), ("behind it", format!("said - {secret}"))] {
                    let mut changed = whole.clone();
                    if let Some(value) = changed.pointer_mut(&pointer) {
                        *value = Value::String(text);
                    }
                    let plain = changed.to_string();
                    let escaped = plain.replace('/', "\\/");
                    for body in [plain, escaped] {
                        let what = format!("{} repeating a secret in {pointer}, {how}", response.status());
                        all.push((what, response.clone().map(|_| Bytes::from(body))));
                    }
                }
            }
        }
    }
    for secret in secrets {
        for status in [200, 400, 401, 500] {
            for spelled in
                [secret.clone(), secret.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")]
            {
                let what = format!("{status} with nothing but a secret");
                all.push((what.clone(), answer(status, "text/plain", spelled.clone())));
                all.push((what, answer(status, "application/json", format!("\"{spelled}\""))));
            }
        }
    }
    all
}

/// The places of all values that are neither lists nor objects, as JSON pointers.
fn scalars(value: &Value, at: String) -> Vec<String> {
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| scalars(item, format!("{at}/{index}")))
            .collect(),
        Value::Object(entries) => entries
            .iter()
            .flat_map(|(key, item)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                scalars(item, format!("{at}/{key}"))
            })
            .collect(),
        _ => vec![at],
    }
}

fn clean_run<T>(what: &str, run: &Run<T>, canaries: &[&str], print: fn(&T) -> String) -> Result {
    clean(&format!("the log of {what}"), &run.log, canaries)?;
    match &run.outcome {
        Ok(value) => clean(&format!("what is told of {what}"), &print(value), canaries),
        Err(error) => clean(&format!("the error of {what}"), &error_text(error), canaries),
    }
}

fn clean(what: &str, text: &str, canaries: &[&str]) -> Result {
    match leaks(text, canaries).first() {
        Some(leak) => Err(format!("{what} holds {leak}")),
        None => Ok(()),
    }
}

fn error_text(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?} {:?} {:?}", error.code(), error.request_id());
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(&format!(" {source} {source:?}"));
        cause = source.source();
    }
    text
}

fn answer_text(answer: &Answer) -> String {
    match answer {
        Answer::Known(report) => format!("{answer:?} {}", report_text(report)),
        other => format!("{other:?}"),
    }
}

/// All of a report, with what its Debug leaves out.
pub(super) fn report_text(report: &Report) -> String {
    let party = report.party.as_ref().map(|party| (&party.account, &party.name));
    let raw = String::from_utf8_lossy(report.raw.bytes());
    format!("{report:?} {} {party:?} {raw}", details_text(&report.details))
}

fn details_text(details: &Details) -> String {
    details.iter().map(|(key, value)| format!("{key}={value} ")).collect()
}
