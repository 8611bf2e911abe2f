//! Runs one exchange of the provider under test and tells what came of it.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use malipo_core::{
    Ability, Answer, BalanceReport, Callback, CallbackUrl, Capabilities, Effect, Error, Instruction, Lookup,
    Money, Provider, Report, State, Terms, Ticket,
};
use malipo_transport::Transport;
use serde::de::IgnoredAny;

use super::subject::{Asked, Sample, Subject, Submitted};
use crate::{CapturedLog, ManualEnv, Outcome, ScriptedTransport};

/// What a check came to: nothing, or a fault it found, in words.
pub(super) type Result<T = ()> = std::result::Result<T, String>;

/// What a provider did with one call, and what it sent.
#[derive(Debug)]
pub(super) struct Run<T> {
    pub(super) outcome: malipo_core::Result<T>,
    pub(super) requests: Vec<Request<Bytes>>,
    pub(super) log: String,
    token_path: Option<String>,
}

impl<T> Run<T> {
    /// The requests that did not ask for a token.
    pub(super) fn exchanges(&self) -> Vec<&Request<Bytes>> {
        self.requests.iter().filter(|request| !self.asks_for_token(request)).collect()
    }

    /// The requests that asked for a token.
    pub(super) fn token_requests(&self) -> Vec<&Request<Bytes>> {
        self.requests.iter().filter(|request| self.asks_for_token(request)).collect()
    }

    fn asks_for_token(&self, request: &Request<Bytes>) -> bool {
        self.token_path.as_deref() == Some(request.uri().path())
    }
}

/// How one would ask about a payment, and what the gateway may answer.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) ticket: Ticket,
    pub(super) answers: Vec<Sample<Asked>>,
}

/// Where the provider under test is run.
pub(super) struct Bench<'a> {
    pub(super) subject: &'a dyn Subject,
    pub(super) capabilities: Capabilities,
}

impl<'a> Bench<'a> {
    pub(super) fn new(subject: &'a dyn Subject) -> Self {
        let provider = subject.provider(Arc::new(ScriptedTransport::new()), Arc::new(ManualEnv::new()));
        Self { subject, capabilities: provider.capabilities().clone() }
    }

    /// A provider that reaches the gateway over `transport`.
    pub(super) fn provider(&self, transport: Arc<dyn Transport>) -> Arc<dyn Provider> {
        self.subject.provider(transport, Arc::new(ManualEnv::new()))
    }

    /// A transport that gives tokens.
    pub(super) fn transport(&self) -> ScriptedTransport {
        let transport = ScriptedTransport::new();
        match self.subject.token() {
            Some(token) => transport.on(token.path, Outcome::answered(token.reply)),
            None => transport,
        }
    }

    /// Submits to a gateway that gives tokens and to everything else says `outcome`.
    pub(super) fn submit(&self, instruction: &Instruction, outcome: Outcome) -> Run<Report> {
        self.submit_over(instruction, self.transport().always(outcome))
    }

    pub(super) fn submit_over(&self, instruction: &Instruction, transport: ScriptedTransport) -> Run<Report> {
        self.run(transport, |provider| pollster::block_on(provider.submit(instruction)))
    }

    /// Asks a gateway that gives tokens and to everything else says `outcome`.
    pub(super) fn ask(&self, ticket: &Ticket, outcome: Outcome) -> Run<Answer> {
        self.ask_over(ticket, self.transport().always(outcome))
    }

    pub(super) fn ask_over(&self, ticket: &Ticket, transport: ScriptedTransport) -> Run<Answer> {
        self.run(transport, |provider| pollster::block_on(provider.status(ticket)))
    }

    /// Asks for our balances, where that can be asked.
    pub(super) fn balances(&self, outcome: Outcome) -> Option<Run<BalanceReport>> {
        let transport = Arc::new(self.transport().always(outcome));
        let balances = self.subject.balances(transport.clone(), Arc::new(ManualEnv::new()))?;
        Some(self.observe(&transport, || pollster::block_on(balances.balances())))
    }

    fn run<T>(
        &self,
        transport: ScriptedTransport,
        call: impl FnOnce(&dyn Provider) -> malipo_core::Result<T>,
    ) -> Run<T> {
        let transport = Arc::new(transport);
        let provider = self.provider(transport.clone());
        self.observe(&transport, || call(&*provider))
    }

    fn observe<T>(
        &self,
        transport: &ScriptedTransport,
        call: impl FnOnce() -> malipo_core::Result<T>,
    ) -> Run<T> {
        let log = CapturedLog::new();
        let outcome = log.during(call);
        let token_path = self.subject.token().map(|token| token.path);
        Run { outcome, requests: transport.requests(), log: log.text(), token_path }
    }

    /// The instructions, each with its limits. What is not declared is not among them.
    pub(super) fn instructions(&self) -> Vec<(Instruction, Ability)> {
        let all = self.subject.instructions().into_iter();
        all.filter_map(|instruction| {
            let ability = self.capabilities.ability(&instruction)?.clone();
            Some((instruction, ability))
        })
        .collect()
    }

    /// What the gateway usually answers to this instruction.
    pub(super) fn usual(&self, instruction: &Instruction) -> Result<Sample<Submitted>> {
        let mut answers = self.subject.answers(instruction).into_iter();
        answers.find(|sample| matches!(sample.meaning, Submitted::Reported(_))).ok_or_else(|| {
            format!("the subject has no answer to {} that becomes a report", instruction.operation())
        })
    }

    /// The documented answers to this instruction that mean `meaning`.
    pub(super) fn answers(&self, instruction: &Instruction, meaning: Submitted) -> Vec<Sample<Submitted>> {
        let answers = self.subject.answers(instruction).into_iter();
        answers.filter(|sample| sample.meaning == meaning).collect()
    }

    /// How one would ask about each payment, knowing what the usual answer to its instruction told; with what the
    /// gateway may answer. None where nothing can be asked.
    pub(super) fn questions(&self) -> Result<Vec<Question>> {
        if self.capabilities.lookup == Lookup::None {
            return Ok(Vec::new());
        }
        let mut questions = Vec::new();
        for (instruction, _) in self.instructions() {
            let mut ticket = Ticket::from(&instruction);
            if instruction.terms().is_some() {
                let usual = self.usual(&instruction)?;
                let told = self.submit(&instruction, Outcome::answered(usual.response)).outcome;
                ticket.provider_refs = told.map(|report| report.provider_refs).unwrap_or_default();
            }
            if self.capabilities.lookup == Lookup::ByCallback {
                // Never the payment's own: a question that fails is no payment that failed.
                ticket.callback = Some(Callback::new(url("answer")?).with_timeout(url("answer-timeout")?));
            }
            let answers = self.subject.status_answers(&ticket);
            if !answers.is_empty() {
                questions.push(Question { ticket, answers });
            }
        }
        Ok(questions)
    }
}

/// The instruction with other terms; as it is when it has none.
pub(super) fn with_terms(instruction: &Instruction, change: impl FnOnce(&mut Terms)) -> Instruction {
    let mut changed = instruction.clone();
    match &mut changed {
        Instruction::PayOut(pay_out) => change(&mut pay_out.terms),
        Instruction::Collect(collect) => change(&mut collect.terms),
        Instruction::Airtime(airtime) => change(&mut airtime.terms),
        Instruction::Bill(bill) => change(&mut bill.terms),
        Instruction::Voucher(voucher) => change(&mut voucher.terms),
        _ => {}
    }
    changed
}

/// A callback URL of nobody's.
pub(super) fn url(last: &str) -> Result<CallbackUrl> {
    format!("https://example.com/{last}").parse().map_err(|error| format!("{last}: {error}"))
}

/// What came of a call, as far as the suite tells outcomes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    Reported(State),
    NoSuchReference,
    ComesByCallback,
    Failed(Effect),
}

impl From<&malipo_core::Result<Report>> for Came {
    fn from(outcome: &malipo_core::Result<Report>) -> Self {
        match outcome {
            Ok(report) => Self::Reported(report.state),
            Err(error) => Self::Failed(error.effect()),
        }
    }
}

impl From<&malipo_core::Result<Answer>> for Came {
    fn from(outcome: &malipo_core::Result<Answer>) -> Self {
        match outcome {
            Ok(Answer::Known(report)) => Self::Reported(report.state),
            Ok(Answer::NoSuchReference) => Self::NoSuchReference,
            Ok(Answer::ComesByCallback) => Self::ComesByCallback,
            Err(error) => Self::Failed(error.effect()),
        }
    }
}

impl From<Submitted> for Came {
    fn from(meaning: Submitted) -> Self {
        match meaning {
            Submitted::Reported(state) => Self::Reported(state),
            Submitted::NotStarted => Self::Failed(Effect::None),
            Submitted::Duplicate | Submitted::Unknown => Self::Failed(Effect::Unknown),
        }
    }
}

impl From<Asked> for Came {
    fn from(meaning: Asked) -> Self {
        match meaning {
            Asked::Known(state) => Self::Reported(state),
            Asked::NoSuchReference => Self::NoSuchReference,
            Asked::ComesByCallback => Self::ComesByCallback,
            Asked::Failed => Self::Failed(Effect::Unchanged),
        }
    }
}

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported(state) => write!(f, "a report of {state:?}"),
            Self::NoSuchReference => f.write_str("no such reference"),
            Self::ComesByCallback => f.write_str("the promise of a callback"),
            Self::Failed(effect) => write!(f, "an error with Effect::{effect:?}"),
        }
    }
}

/// Finds fault unless the call came to `expected`.
pub(super) fn expect<T>(what: &str, run: &Run<T>, expected: Came) -> Result
where
    for<'r> Came: From<&'r malipo_core::Result<T>>,
{
    let came = Came::from(&run.outcome);
    if came == expected {
        return Ok(());
    }
    let words = run.outcome.as_ref().err().map(|error| format!(" ({error})")).unwrap_or_default();
    Err(format!("{what} comes to {came}{words}; it should be {expected}"))
}

/// The error of a call that should have failed with this effect.
pub(super) fn expect_error<'r, T>(what: &str, run: &'r Run<T>, effect: Effect) -> Result<&'r Error>
where
    for<'any> Came: From<&'any malipo_core::Result<T>>,
{
    expect(what, run, Came::Failed(effect))?;
    run.outcome.as_ref().err().ok_or_else(|| format!("{what} is no error"))
}

/// Finds fault unless so many requests, not counting those for tokens, were sent.
pub(super) fn expect_exchanges<T>(what: &str, run: &Run<T>, expected: usize) -> Result {
    match run.exchanges().len() {
        sent if sent == expected => Ok(()),
        sent => Err(format!("{what}: {sent} requests were sent; it should be {expected}")),
    }
}

/// Finds fault unless nothing was sent, not even for a token.
pub(super) fn expect_silence<T>(what: &str, run: &Run<T>) -> Result {
    match run.requests.first() {
        None => Ok(()),
        Some(request) => Err(format!("{what}: {} {} was sent", request.method(), request.uri().path())),
    }
}

/// Finds fault unless the code in an answer, where the subject names it, is told as it is.
pub(super) fn expect_code(what: &str, expected: Option<&str>, told: Option<&str>) -> Result {
    match expected {
        Some(code) if told != Some(code) => {
            Err(format!("{what} tells the code {told:?}; it should be {code:?}"))
        }
        _ => Ok(()),
    }
}

/// Finds fault unless the amount in an answer, where it is known, is told; and unless whatever settles has one.
pub(super) fn expect_amount(what: &str, report: &Report, expected: Option<Money>) -> Result {
    match (report.state, report.amount) {
        (State::Settled, None) => Err(format!("{what} settles without an amount")),
        (_, told) if expected.is_some() && told != expected => {
            Err(format!("{what} tells the amount {told:?}; it should be {expected:?}"))
        }
        _ => Ok(()),
    }
}

pub(super) fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}
