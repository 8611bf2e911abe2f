use std::error::Error as _;

use anstyle::{AnsiColor, Style};
use malipo::{Error, Money, Msisdn, Reference, Report};
use serde_json::{Value, json};

use crate::books::Comparison;

/// Tells what happens: as a story for people, or as one line of JSON for each event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Story {
    Text,
    Json,
}

/// What happens in the demonstration.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    Started {
        gateway: &'a str,
        callbacks: &'a str,
        seed: u64,
    },
    Submitting {
        number: usize,
        reference: &'a Reference,
        amount: Money,
        payee: &'a Msisdn,
        lie: Option<&'a str>,
    },
    Accepted(&'a Reference),
    NotStarted(&'a Reference, &'a Error),
    Unknown(&'a Reference, &'a Error),
    Paid(&'a Reference, &'a str),
    Refused(&'a Reference, &'a Report),
    StillOpen(&'a Reference),
    Disbelieved(&'a Reference, &'a str),
    NoCallback(&'a Reference),
    Compared(&'a Comparison),
}

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default().bold();
const DIM: Style = Style::new().dimmed();

impl Story {
    pub(crate) fn tell(self, event: &Event<'_>) {
        match self {
            Self::Text => anstream::println!("{}", text(event)),
            Self::Json => anstream::println!("{}", json(event)),
        }
    }
}

fn text(event: &Event<'_>) -> String {
    match event {
        Event::Started { gateway, callbacks, seed } => format!(
            "malipo {}  {OPEN}SIMULATED MONEY{OPEN:#}  nothing leaves this machine\n  \
             gateway    {gateway}  Daraja, simulated\n  \
             callbacks  {callbacks}\n  \
             {DIM}seed       {seed}  (--seed {seed} pays the same again){DIM:#}",
            env!("CARGO_PKG_VERSION")
        ),
        Event::Submitting { number, amount, payee, lie, .. } => {
            let lie = lie.map(|lie| format!("   {OPEN}!{OPEN:#} {lie}")).unwrap_or_default();
            format!("\n {number}  pay {amount} to {payee}{lie}")
        }
        Event::Accepted(_) => format!("      -> accepted   {DIM}which is not paid yet{DIM:#}"),
        Event::NotStarted(_, error) => format!("      -> {BAD}REFUSED{BAD:#}    {error}"),
        Event::Unknown(_, error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            let message = error.message();
            format!(
                "      -> {OPEN}UNKNOWN{OPEN:#}    {message}{cause}\n         so it is not called failed, and not sent again"
            )
        }
        Event::Paid(_, receipt) => {
            format!("      <- {GOOD}PAID{GOOD:#}       by callback, receipt {receipt}")
        }
        Event::Refused(_, report) => {
            let code = report.code.as_deref().unwrap_or_default();
            let told = report.text.as_ref().map(|text| text.as_str()).unwrap_or_default();
            let remedy = report.remedy.as_deref().unwrap_or_default();
            format!(
                "      <- {BAD}REFUSED{BAD:#}    by callback, code {code}: {told}\n         what to do: {remedy}"
            )
        }
        Event::StillOpen(_) => format!("      <- {OPEN}UNKNOWN{OPEN:#}    the callback leaves it open"),
        Event::Disbelieved(_, why) => {
            format!("      <- {OPEN}kept as evidence{OPEN:#}, nothing settled: {why}")
        }
        Event::NoCallback(_) => format!("      <- {OPEN}UNKNOWN{OPEN:#}    no callback came in time"),
        Event::Compared(comparison) => compared(comparison),
    }
}

fn compared(comparison: &Comparison) -> String {
    let Comparison { paid_in_books, paid_in_ledger, refused, open, paid_twice, unexplained } = comparison;
    let verdict = if comparison.is_clean() { GOOD } else { BAD };
    let mut text = format!(
        "\n gateway's ledger: {paid_in_ledger} paid.  our books: {paid_in_books} paid, {refused} refused, {open} \
         unknown.\n {verdict}paid twice: {paid_twice}{verdict:#}   unexplained: {}",
        unexplained.len()
    );
    for line in unexplained {
        text.push_str(&format!("\n   {line}"));
    }
    text
}

fn json(event: &Event<'_>) -> Value {
    match event {
        Event::Started { gateway, callbacks, seed } => {
            json!({"event": "started", "gateway": gateway, "callbacks": callbacks, "seed": seed})
        }
        Event::Submitting { number, reference, amount, payee, lie } => json!({
            "event": "submitting", "payment": number, "reference": reference.as_str(), "amount": amount.to_plain(),
            "currency": amount.currency().code(), "payee": payee.to_string(), "lie": lie,
        }),
        Event::Accepted(reference) => json!({"event": "accepted", "reference": reference.as_str()}),
        Event::NotStarted(reference, error) => {
            json!({"event": "refused", "reference": reference.as_str(), "why": error.to_string()})
        }
        Event::Unknown(reference, error) => {
            json!({"event": "unknown", "reference": reference.as_str(), "why": error.message()})
        }
        Event::Paid(reference, receipt) => {
            json!({"event": "paid", "reference": reference.as_str(), "receipt": receipt})
        }
        Event::Refused(reference, report) => json!({
            "event": "refused", "reference": reference.as_str(), "code": report.code,
            "why": report.text.as_ref().map(|text| text.as_str()), "remedy": report.remedy,
        }),
        Event::StillOpen(reference) => json!({"event": "open", "reference": reference.as_str()}),
        Event::Disbelieved(reference, why) => {
            json!({"event": "disbelieved", "reference": reference.as_str(), "why": why})
        }
        Event::NoCallback(reference) => json!({"event": "no_callback", "reference": reference.as_str()}),
        Event::Compared(comparison) => json!({
            "event": "compared", "paid_in_ledger": comparison.paid_in_ledger, "paid_in_books": comparison.paid_in_books,
            "refused": comparison.refused, "unknown": comparison.open, "paid_twice": comparison.paid_twice,
            "unexplained": comparison.unexplained,
        }),
    }
}
