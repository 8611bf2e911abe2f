//! Answers and deliveries in a shape that says nothing: lists where objects are documented, and objects that say two
//! things at once.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use malipo_core::{Effect, State};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::bench::{Bench, Came, Question, Result, expect_error, expect_exchanges};
use super::delivering::decide_nothing;
use super::subject::{Asked, Submitted};
use crate::{Outcome, ScriptedTransport};

/// A list has no names in it. Some parsers take its items for the fields of an object, in the order of their
/// declaration, and so read an acceptance where nobody documented one.
pub(super) fn a_list_is_no_answer(bench: &Bench<'_>) -> Result {
    let token = bench.subject.token();
    let rejection = token.as_ref().and_then(|token| token.documented_rejection().cloned());
    for (instruction, _) in bench.instructions() {
        let operation = instruction.operation();
        let documented = bench.subject.answers(&instruction).into_iter();
        let mut samples: Vec<_> = documented.map(|sample| (sample.name, sample.response)).collect();
        samples.extend(rejection.clone().map(|rejection| ("a rejected token".to_owned(), rejection)));
        for (name, response) in samples {
            for (how, list) in as_lists(&response) {
                let what = format!("{operation}: {name}, {how}");
                let run = bench.submit(&instruction, Outcome::answered(list));
                expect_error(&what, &run, Effect::Unknown)?;
                expect_exchanges(&what, &run, 1)?;
            }
        }
        let Some(token) = &token else { continue };
        let usual = bench.usual(&instruction)?.response;
        for (how, list) in as_lists(&token.reply) {
            let what = format!("{operation} when a token was asked for: {how}");
            let gateway = ScriptedTransport::new().on(token.path.clone(), Outcome::answered(list));
            let run = bench.submit_over(&instruction, gateway.always(Outcome::answered(usual.clone())));
            expect_exchanges(&what, &run, 0)?;
            expect_error(&what, &run, Effect::None)?;
        }
    }
    for Question { ticket, answers } in bench.questions()? {
        for sample in answers {
            for (how, list) in as_lists(&sample.response) {
                let came = Came::from(&bench.ask(&ticket, Outcome::answered(list)).outcome);
                if came != Came::from(Asked::Failed) && came != Came::Reported(State::Pending) {
                    let name = &sample.name;
                    return Err(format!("asking about {}: {name}, {how}, comes to {came}", ticket.operation));
                }
            }
        }
    }
    Ok(())
}

pub(super) fn a_list_is_no_delivery(bench: &Bench<'_>) -> Result {
    let mut bodies: Vec<(String, Vec<u8>)> = Vec::new();
    for posted in bench.subject.deliveries() {
        let lists = lists(posted.delivery.body.bytes()).into_iter();
        bodies.extend(lists.map(|(how, list)| (format!("{}, {how}", posted.name), list.into_bytes())));
    }
    decide_nothing(bench, &bodies)
}

fn as_lists(response: &Response<Bytes>) -> impl Iterator<Item = (String, Response<Bytes>)> + '_ {
    let lists = lists(response.body()).into_iter();
    lists.map(|(how, list)| (how, response.clone().map(|_| Bytes::from(list))))
}

/// The object in a list, its values as a list with more and more nulls behind them, and the nulls alone. Nothing for
/// what is no object.
fn lists(body: &[u8]) -> Vec<(String, String)> {
    let Some(fields) = Fields::read(body) else { return Vec::new() };
    let whole = String::from_utf8_lossy(body);
    let mut all = vec![("in a list".to_owned(), format!("[{whole}]"))];
    let mut values: Vec<String> = fields.0.into_iter().map(|(_, value)| value).collect();
    let backwards: Vec<_> = values.iter().rev().cloned().collect();
    all.push(("its values backwards as a list".to_owned(), format!("[{}]", backwards.join(","))));
    for nulls in 0..=MOST_NULLS {
        all.push((format!("its values and {nulls} nulls as a list"), format!("[{}]", values.join(","))));
        all.push((format!("{nulls} nulls instead"), format!("[{}]", vec!["null"; nulls].join(","))));
        values.push("null".to_owned());
    }
    all
}

const MOST_NULLS: usize = 8;

/// What says yes and no in one breath says neither. Whichever is read first must not win.
pub(super) fn an_answer_that_contradicts_itself_means_unknown(bench: &Bench<'_>) -> Result {
    let rejection = bench.subject.token().and_then(|token| token.documented_rejection().cloned());
    for (instruction, _) in bench.instructions() {
        let answers = bench.subject.answers(&instruction);
        let accepts = |meaning| matches!(meaning, Submitted::Reported(_));
        let yes: Vec<_> = answers.iter().filter(|sample| accepts(sample.meaning)).collect();
        let mut no = bench.answers(&instruction, Submitted::NotStarted);
        let token = rejection.clone().map(|response| ("a rejected token".to_owned(), response));
        let no = no.drain(..).map(|sample| (sample.name, sample.response)).chain(token);
        for (name, refusal) in no {
            for acceptance in &yes {
                for (how, answer) in both(&acceptance.response, &refusal) {
                    let operation = instruction.operation();
                    let what = format!("{operation}: {} and {name} in one, {how},", acceptance.name);
                    let run = bench.submit(&instruction, Outcome::answered(answer));
                    let came = Came::from(&run.outcome);
                    if came != Came::from(Submitted::Unknown) && came != Came::Reported(State::Pending) {
                        return Err(format!("{what} comes to {came}"));
                    }
                    expect_exchanges(&what, &run, 1)?;
                }
            }
        }
    }
    Ok(())
}

/// One answer with the fields of both, in either order and with either status; none where they name a field alike.
fn both(one: &Response<Bytes>, other: &Response<Bytes>) -> Vec<(String, Response<Bytes>)> {
    let (Some(first), Some(second)) = (Fields::read(one.body()), Fields::read(other.body())) else {
        return Vec::new();
    };
    let names: BTreeMap<_, _> = first.0.iter().chain(&second.0).map(|(name, value)| (name, value)).collect();
    if names.len() < first.0.len() + second.0.len() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (order, fields) in [("the first first", [&first, &second]), ("the second first", [&second, &first])] {
        let body = format!("{{{}}}", fields.map(Fields::join).join(","));
        for like in [one, other] {
            let how = format!("{order}, with {}", like.status());
            all.push((how, like.clone().map(|_| Bytes::from(body.clone()))));
        }
    }
    all
}

/// The names and values of a JSON object, as they are written and in the order they are written.
#[derive(Debug)]
struct Fields(Vec<(String, String)>);

impl Fields {
    /// None for anything but an object with something in it.
    fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().filter(|fields: &Self| !fields.0.is_empty())
    }

    fn join(&self) -> String {
        let field =
            |(name, value): &(String, String)| format!("{}:{value}", serde_json::Value::from(name.as_str()));
        self.0.iter().map(field).collect::<Vec<_>>().join(",")
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Fields;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            fields.push((name, value.get().to_owned()));
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_contradictions_keep_the_order_of_what_they_are_made_of() {
        let body = br#"{"z":"1","a":{"b":2}}"#;
        let lists: Vec<_> = lists(body).into_iter().map(|(_, list)| list).collect();
        for list in
            [r#"[{"z":"1","a":{"b":2}}]"#, r#"["1",{"b":2}]"#, r#"["1",{"b":2},null]"#, "[null]", "[]"]
        {
            assert!(lists.iter().any(|known| known == list), "{list}");
        }
        let answer = |body: &'static [u8]| Response::new(Bytes::from_static(body));
        let merged = both(&answer(body), &answer(br#"{"no":true}"#));
        let bodies: Vec<_> = merged.iter().map(|(_, response)| response.body().clone()).collect();
        assert_eq!(bodies.first().unwrap(), &Bytes::from_static(br#"{"z":"1","a":{"b":2},"no":true}"#));
        assert_eq!(bodies.last().unwrap(), &Bytes::from_static(br#"{"no":true,"z":"1","a":{"b":2}}"#));
        assert!(both(&answer(body), &answer(br#"{"z":2}"#)).is_empty());
    }
}
