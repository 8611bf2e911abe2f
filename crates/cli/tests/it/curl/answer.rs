//! Whether an answer is the one that is printed.

use serde_json::Value;

/// An answer as a page prints it.
#[derive(Clone, Copy)]
pub(super) struct Answer {
    pub(super) printed: &'static str,
    /// Where it is misprinted, and what it should read there.
    pub(super) misprints: &'static [(&'static str, &'static str)],
    /// What is not the same each time, by its name, behind the names of the objects it lies in.
    pub(super) varies: &'static [&'static str],
}

impl Answer {
    pub(super) const fn new(printed: &'static str, varies: &'static [&'static str]) -> Self {
        Self { printed, misprints: &[], varies }
    }
}

/// Where what was told is not what is printed: a name too many or too few, a value that should be the same and is not,
/// or one that varies, but of another kind.
pub(super) fn differences(answer: &Answer, told: &str) -> Vec<String> {
    let mut printed = answer.printed.to_owned();
    for (wrong, right) in answer.misprints {
        assert!(printed.contains(wrong), "no misprint: {wrong}");
        printed = printed.replace(wrong, right);
    }
    let (printed, told) = match (serde_json::from_str(&printed), serde_json::from_str(told)) {
        (Ok(printed), Ok(told)) => (printed, told),
        (Err(error), _) => return vec![format!("misprinted: {error}: {printed}")],
        (_, Err(error)) => return vec![format!("no JSON: {error}: {told}")],
    };
    let mut varies = answer.varies.to_vec();
    let mut found = Vec::new();
    compare(&printed, &told, "", &mut varies, &mut found);
    found.extend(varies.iter().map(|name| format!("{name} is not there to vary")));
    found
}

fn compare(printed: &Value, told: &Value, place: &str, varies: &mut Vec<&str>, found: &mut Vec<String>) {
    if let Some(index) = varies.iter().position(|name| *name == place) {
        varies.remove(index);
        if std::mem::discriminant(printed) != std::mem::discriminant(told) {
            found.push(format!("{place} is {told}, printed as {printed}"));
        }
        return;
    }
    let (Value::Object(printed_members), Value::Object(told_members)) = (printed, told) else {
        if printed != told {
            found.push(format!("{place} is {told}, printed as {printed}"));
        }
        return;
    };
    let inside = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    for (name, printed) in printed_members {
        match told_members.get(name) {
            Some(told) => compare(printed, told, &inside(name), varies, found),
            None => found.push(format!("{} is missing", inside(name))),
        }
    }
    let more = told_members.keys().filter(|name| !printed_members.contains_key(*name));
    found.extend(more.map(|name| format!("{} is not printed", inside(name))));
}

#[test]
fn an_answer_is_the_printed_one_name_by_name() {
    let printed = r#"{"status":"Pending","reference":"R1","details":{"amount":"10","fee":{}},}"#;
    let misprints = &[("}},}", "}}}")];
    let answer = Answer { printed, misprints, varies: &["reference", "details.fee"] };
    for (told, difference) in [
        (r#"{"status":"Pending","reference":"R2","details":{"amount":"10","fee":{"KES":1}}}"#, ""),
        (r#"{"status":"Success","reference":"R2","details":{"amount":"10","fee":{}}}"#, "status is "),
        (r#"{"status":"Pending","reference":2,"details":{"amount":"10","fee":{}}}"#, "reference is 2"),
        (
            r#"{"status":"Pending","reference":"R2","details":{"Amount":"10","fee":{}}}"#,
            "details.amount is missing",
        ),
        (r#"{"status":"Pending","reference":"R2","details":{"amount":"10"}}"#, "details.fee is missing"),
        (
            r#"{"status":"Pending","reference":"","details":{"amount":"10","fee":{}},"x":1}"#,
            "x is not printed",
        ),
        ("{", "no JSON"),
    ] {
        let found = differences(&answer, told);
        assert_eq!(found.is_empty(), difference.is_empty(), "{told}: {found:?}");
        assert!(found.iter().all(|found| !found.is_empty()));
        assert!(difference.is_empty() || found[0].starts_with(difference), "{told}: {found:?}");
    }
}
