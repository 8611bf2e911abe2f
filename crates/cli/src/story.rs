use std::path::Path;
use std::process::ExitStatus;

use anstyle::{AnsiColor, Style};
use malipo::journal::{self, Key, Payment, PaymentState};
use malipo::{Money, Msisdn};
use serde_json::{Value, json};

use crate::compare::Comparison;
use crate::posted::Posted;

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
        journal: &'a Path,
        seed: u64,
    },
    Submitting {
        number: usize,
        key: &'a Key,
        amount: Money,
        payee: &'a Msisdn,
        twist: Option<&'a str>,
    },
    Accepted(&'a Payment),
    Unknown(&'a Payment, Doubt),
    Paid(&'a Payment, Way),
    Refused(&'a Payment, Way, &'a Refusal),
    Posted(&'a Payment, Posted<'a>),
    /// Something that the story does not have.
    Noted(&'a Payment, &'a journal::Event),
    StillOpen(&'a Payment),
    ProcessStarted {
        key: &'a Key,
        process: u32,
    },
    ProcessKilled {
        payment: &'a Payment,
        process: u32,
        ended: ExitStatus,
    },
    ProcessRestarted {
        key: &'a Key,
        process: u32,
    },
    /// A key was submitted again.
    Known {
        payment: &'a Payment,
        requests: Requests,
    },
    /// A key was submitted again, with something else.
    Conflict {
        key: &'a Key,
        fields: &'a [&'static str],
        requests: Requests,
    },
    Compared(&'a Comparison),
}

/// Why nobody knows what became of a payment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Doubt {
    NoReply,
    NoSender,
}

/// How something became known.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Reply,
    Callback,
    Asked,
}

/// What the gateway said of a payment that came to nothing.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) remedy: Option<String>,
}

/// How many requests to pay the gateway has had, before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) before: usize,
    pub(crate) after: usize,
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

impl Doubt {
    fn as_str(self) -> &'static str {
        match self {
            Self::NoReply => "there is no reply, and the request may have arrived",
            Self::NoSender => "whoever was sending it is gone, and the request may have arrived",
        }
    }
}

impl Way {
    fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Callback => "callback",
            Self::Asked => "question",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Reply => "by reply",
            Self::Callback => "by callback",
            Self::Asked => "the gateway was asked",
        }
    }
}

impl Requests {
    fn text(self) -> String {
        let Self { before, after } = self;
        match after.saturating_sub(before) {
            0 => format!("nothing was sent: the gateway has had {before} requests to pay, as before"),
            sent => format!("{sent} sent: the gateway has had {after} requests to pay, and {before} before"),
        }
    }
}

fn text(event: &Event<'_>) -> String {
    match event {
        Event::Started { gateway, callbacks, journal, seed } => format!(
            "malipo {}  {OPEN}SIMULATED MONEY{OPEN:#}  nothing leaves this machine\n  \
             gateway    {gateway}  Daraja, simulated\n  \
             callbacks  {callbacks}\n  \
             journal    {}  until the end\n  \
             {DIM}seed       {seed}  (--seed {seed} pays the same again){DIM:#}",
            env!("CARGO_PKG_VERSION"),
            journal.display(),
        ),
        Event::Submitting { number, amount, payee, twist, .. } => {
            let twist = twist.map(|twist| format!("   {OPEN}!{OPEN:#} {twist}")).unwrap_or_default();
            format!("\n {number}  pay {amount} to {payee}{twist}")
        }
        Event::Accepted(_) => format!("      -> accepted   {DIM}which is not paid yet{DIM:#}"),
        Event::Unknown(_, doubt) => {
            let doubt = doubt.as_str();
            format!(
                "      -> {OPEN}UNKNOWN{OPEN:#}    {doubt}\n         so it is not called failed, and not sent again"
            )
        }
        Event::Paid(payment, way) => {
            format!("      <- {GOOD}PAID{GOOD:#}       {}, {}", way.text(), receipt(payment))
        }
        Event::Refused(_, way, refusal) => refused(*way, refusal),
        Event::Posted(_, posted) => posted.text(),
        Event::Noted(_, event) => {
            let (kind, from, to) = (event.kind, event.from, event.to);
            format!("      -- {OPEN}noted{OPEN:#}      {kind}: {from}, now {to}")
        }
        Event::StillOpen(payment) => {
            format!(
                "      -- {OPEN}still open{OPEN:#} {}: the demonstration waits no longer",
                payment.state()
            )
        }
        Event::ProcessStarted { process, .. } => {
            format!("      -> started    process {process}, which pays and waits for the reply")
        }
        Event::ProcessKilled { payment, process, .. } => format!(
            "      xx {BAD}KILLED{BAD:#}     process {process}, while the gateway has its request and it has no reply\n         \
             the journal says: {}",
            payment.state()
        ),
        Event::ProcessRestarted { process, .. } => {
            format!("      -> restarted  process {process}, with the same journal, pays the same key")
        }
        Event::Known { payment, requests } => known(payment, *requests),
        Event::Conflict { fields, requests, .. } => format!(
            "      == {BAD}conflict{BAD:#}   the key is used for a payment that differs in {}\n         {}",
            fields.join(", "),
            requests.text()
        ),
        Event::Compared(comparison) => compared(comparison),
    }
}

fn receipt(payment: &Payment) -> String {
    format!("receipt {}", payment.receipt.as_deref().unwrap_or("unknown"))
}

fn known(payment: &Payment, requests: Requests) -> String {
    let style = if payment.state() == PaymentState::Paid { GOOD } else { BAD };
    let (state, requests) = (payment.state(), requests.text());
    format!("      == {style}already {state}{style:#}, {}\n         {requests}", receipt(payment))
}

fn refused(way: Way, refusal: &Refusal) -> String {
    let code = refusal.code.as_deref().unwrap_or_default();
    let told = refusal.text.as_deref().unwrap_or_default();
    let mut text = format!("      <- {BAD}REFUSED{BAD:#}    {}, code {code}: {told}", way.text());
    if let Some(remedy) = &refusal.remedy {
        text.push_str(&format!("\n         what to do: {remedy}"));
    }
    text
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
        Event::Started { gateway, callbacks, journal, seed } => json!({
            "event": "started", "gateway": gateway, "callbacks": callbacks, "journal": journal.display().to_string(),
            "seed": seed,
        }),
        Event::Submitting { number, key, amount, payee, twist } => json!({
            "event": "submitting", "payment": number, "key": key.as_str(), "amount": amount.to_plain(),
            "currency": amount.currency().code(), "payee": payee.to_string(), "twist": twist,
        }),
        Event::Accepted(payment) => about("accepted", payment, &json!({})),
        Event::Unknown(payment, doubt) => about("unknown", payment, &json!({"why": doubt.as_str()})),
        Event::Paid(payment, way) => {
            about("paid", payment, &json!({"receipt": payment.receipt, "way": way.as_str()}))
        }
        Event::Refused(payment, way, refusal) => about(
            "refused",
            payment,
            &json!({
                "way": way.as_str(), "code": refusal.code, "why": refusal.text, "remedy": refusal.remedy,
            }),
        ),
        Event::Posted(payment, posted) => {
            let (name, more) = posted.json(payment);
            about(name, payment, &more)
        }
        Event::Noted(payment, event) => about(
            "noted",
            payment,
            &json!({"kind": event.kind.as_str(), "from": event.from.as_str(), "to": event.to.as_str()}),
        ),
        Event::StillOpen(payment) => {
            about("still_open", payment, &json!({"state": payment.state().as_str()}))
        }
        Event::ProcessStarted { key, process } => of_process("process_started", key, *process),
        Event::ProcessKilled { payment, process, ended } => about(
            "process_killed",
            payment,
            &json!({"process": process, "ended": ended.to_string(), "state": payment.state().as_str()}),
        ),
        Event::ProcessRestarted { key, process } => of_process("process_restarted", key, *process),
        Event::Known { payment, requests } => about(
            "known",
            payment,
            &json!({
                "state": payment.state().as_str(), "receipt": payment.receipt,
                "requests_before": requests.before, "requests_after": requests.after,
            }),
        ),
        Event::Conflict { key, fields, requests } => json!({
            "event": "conflict", "key": key.as_str(), "fields": fields,
            "requests_before": requests.before, "requests_after": requests.after,
        }),
        Event::Compared(comparison) => json!({
            "event": "compared", "paid_in_ledger": comparison.paid_in_ledger, "paid_in_books": comparison.paid_in_books,
            "refused": comparison.refused, "unknown": comparison.open, "paid_twice": comparison.paid_twice,
            "unexplained": comparison.unexplained,
        }),
    }
}

fn of_process(event: &str, key: &Key, process: u32) -> Value {
    json!({"event": event, "key": key.as_str(), "process": process})
}

/// An event about a payment, with what else there is to say.
fn about(event: &str, payment: &Payment, more: &Value) -> Value {
    let mut told = json!({
        "event": event, "key": payment.key.as_str(), "reference": payment.reference.as_str(),
    });
    if let (Some(told), Some(more)) = (told.as_object_mut(), more.as_object()) {
        told.extend(more.clone());
    }
    told
}
