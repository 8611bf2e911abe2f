//! What KasaPay answers, as what is known. Pure.

use std::time::Duration;

use malipo_core::{
    Answer, Balance, CodeRow, Currency, Error, ErrorKind, Meaning, Money, Operation, ProviderId,
    ProviderRefs, Raw, Reference, Report, Result, Scalar, Secret, State, Timestamp, Told, ToldParty, Trust,
    filled, read_object,
};
use malipo_transport::{Complaint, Response, Token};

use crate::wire::{Payout, Reply, TokenReply};

/// The kinds of reference that KasaPay gives a payout: its own id, and the payment processor's.
const REF_TRANSACTION: &str = "transaction";
const REF_PAYMENT: &str = "payment";
/// The reference in the acknowledgement, where it is not the one we sent.
const REF_PAYOUT: &str = "payout";

/// Report details: the kind and the name of the destination as told, and the float account that paid.
const DETAIL_DESTINATION: &str = "destination";
const DETAIL_DESTINATION_NAME: &str = "destination_name";
const DETAIL_WALLET_ACCOUNT: &str = "wallet_account";

pub(crate) fn token(response: &Response) -> Result<Token> {
    if !response.is_success() {
        return Err(refusal(Operation::Authorize, response));
    }
    let reply: Option<TokenReply> = read_as(response);
    let value =
        reply.as_ref().and_then(|reply| reply.access_token.as_deref()).filter(|token| !token.is_empty());
    let lifetime = reply.as_ref().and_then(|reply| reply.expires_in.as_ref()?.as_str().parse().ok());
    match value {
        Some(value) => Ok(Token::new(Secret::new(value), lifetime.map(Duration::from_secs))),
        None => Err(response.unreadable(Operation::Authorize)),
    }
}

/// Whether the token was turned away before anything was done. No page shows how: see K4 of `docs/unverified.md`.
pub(crate) fn rejected(response: &Response) -> bool {
    response.status == 401
        && read_as::<Reply>(response).is_some_and(|reply| reply.said(response) == Said::TurnedAway)
}

/// The acknowledgement of a payout: it is queued, not paid.
pub(crate) fn accepted(provider: &ProviderId, reference: &Reference, response: &Response) -> Result<Report> {
    let reply = match read_as::<Reply>(response) {
        Some(reply) if reply.said(response) == Said::Code(ACCEPTED) => reply,
        _ => return Err(refusal(Operation::PayOut, response)),
    };
    let theirs = filled(reply.payout_reference.as_ref()).filter(|id| *id != reference.as_str());
    let mut report = Report::new(provider.clone(), State::Pending, Trust::Answered);
    report.operation = Some(Operation::PayOut);
    report.reference = Some(reference.clone());
    report.provider_refs = ProviderRefs::new().with(REF_PAYOUT, theirs);
    report.code = filled(reply.response_code.as_ref()).map(Told::code);
    report.text = filled(reply.response_description.as_ref()).map(Told::new);
    report.raw = response.body.clone().into();
    Ok(report)
}

/// The answer to a question about a payout.
pub(crate) fn status(provider: &ProviderId, reference: &Reference, response: &Response) -> Result<Answer> {
    if read_as::<Reply>(response).is_some_and(|reply| reply.knows_no_payout(response)) {
        return Ok(Answer::NoSuchReference);
    }
    let told = |payout: &Payout| filled(payout.payment_status.as_ref()).is_some();
    match read_as::<Payout>(response).filter(told) {
        Some(payout) if response.is_success() => {
            let report = report(provider, &payout, Trust::Answered, response.body.clone().into());
            if report.reference.as_ref() == Some(reference) {
                return Ok(Answer::Known(report));
            }
            let message = "the gateway answered about another payout than it was asked about";
            let error =
                Error::new(ErrorKind::Unlisted, Operation::Status.uncertain(), Operation::Status, message);
            Err(response.complete(error, Complaint::default()))
        }
        _ => Err(refusal(Operation::Status, response)),
    }
}

/// What is told about a payout, in an answer or in a callback: one shape for both.
pub(crate) fn report(provider: &ProviderId, payout: &Payout, trust: Trust, raw: Raw) -> Report {
    let code = filled(payout.payment_status.as_ref());
    let currency = filled(payout.currency.as_ref()).and_then(|code| code.parse::<Currency>().ok());
    let money = |text: Option<&str>| Money::parse(text?, currency?).ok();
    let amount = money(filled(payout.amount.as_ref()));
    let row = code.and_then(|code| CodeRow::find(STATES, code));
    let (state, remedy) = match row {
        _ if payout.contradicts_itself()
            || Reference::is_foreign(filled(payout.payout_reference.as_ref())) =>
        {
            (State::Pending, Some(CONTRADICTS))
        }
        Some(row) if row.meaning == State::Settled && amount.is_some_and(Money::is_positive) => {
            (State::Settled, None)
        }
        Some(row) if row.meaning == State::Settled => (State::Pending, Some(row.remedy)),
        Some(row) => (row.meaning, Some(row.remedy)),
        None => (State::Pending, Some(UNLISTED)),
    };
    let mut report = Report::new(provider.clone(), state, trust);
    report.operation = Some(Operation::PayOut);
    report.reference = filled(payout.payout_reference.as_ref()).and_then(|text| text.parse().ok());
    report.provider_refs = ProviderRefs::new()
        .with(REF_TRANSACTION, filled(payout.transaction_id.as_ref()))
        .with(REF_PAYMENT, filled(payout.payment_reference.as_ref()));
    report.amount = amount;
    report.party = ToldParty::new(filled(payout.account_number.as_ref()), None);
    if state == State::Settled {
        report.receipt = filled(payout.payment_reference.as_ref()).map(Told::code);
    }
    report.code = code.map(Told::code);
    report.text = filled(payout.result_description.as_ref()).map(Told::new);
    report.remedy = remedy.map(Into::into);
    report.at = filled(payout.transaction_time.as_ref()).and_then(Timestamp::parse_rfc3339);
    let balance = money(filled(payout.account_balance.as_ref()));
    report.balances = balance.map(|balance| Balance::new("float", balance)).into_iter().collect();
    for (key, value) in [
        (DETAIL_DESTINATION, &payout.destination),
        (DETAIL_DESTINATION_NAME, &payout.destination_name),
        (DETAIL_WALLET_ACCOUNT, &payout.wallet_account),
    ] {
        if let Some(value) = filled(value.as_ref()) {
            report.details.insert(key, Told::new(value).as_str());
        }
    }
    report.raw = raw;
    report
}

/// What an answer that is no acceptance means for the operation.
fn refusal(operation: Operation, response: &Response) -> Error {
    let Some(reply) = read_as::<Reply>(response) else { return response.unreadable(operation) };
    match reply.said(response) {
        Said::Code(code) => {
            let error = response.refusal(operation, CODES, reply.complaint(Some(code)));
            // Its other code says why, where the first says no more than that it was refused.
            match filled(reply.error_code.as_ref()) {
                Some(why) if code == REFUSED => error.with_code(Some(why)),
                _ => error,
            }
        }
        Said::TurnedAway => {
            let (meaning, remedy) = turned_away(operation, response.status);
            let code = filled(reply.status_code.as_ref());
            response.complete(meaning.error(operation).with_remedy(remedy), reply.complaint(code))
        }
        Said::Nothing => response.complete(response.unreadable(operation), reply.complaint(None)),
    }
}

/// What it means that the framework turned a request away with this status. Two of them are no refusal at the door: a
/// handler may have begun before its time was up, and a conflict is with something that is there.
const fn turned_away(operation: Operation, status: u16) -> (Meaning, &'static str) {
    match (operation, status) {
        (Operation::Authorize, 400 | 401 | 403) => (Meaning::CredentialsRejected, CHECK_KEYS),
        (_, 401) => (Meaning::TokenRejected, CHECK_KEYS),
        (_, 408) => (Meaning::Failed, ASK),
        (_, 409) => (Meaning::Duplicate, ASK),
        (_, 429) => (Meaning::Throttled, SLOW_DOWN),
        _ => (Meaning::Refused, CORRECT),
    }
}

fn read_as<T: serde::de::DeserializeOwned>(response: &Response) -> Option<T> {
    read_object(&response.body).ok()
}

/// What an answer to a request says, if it says one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said<'a> {
    /// KasaPay's own code.
    Code(&'a str),
    /// The framework in front of KasaPay's work turned the request away: its envelope repeats an HTTP status of 4xx.
    TurnedAway,
    /// Nothing, or two things that cannot both be true.
    Nothing,
}

impl Reply {
    /// An acceptance has no error beside it and comes with a 2xx, a refusal names no payout, and KasaPay's code and
    /// the framework's envelope exclude each other. Whatever breaks this says nothing.
    fn said(&self, response: &Response) -> Said<'_> {
        let is_enveloped = self.status_code.is_some() || self.error.is_some();
        let names_payout = filled(self.payout_reference.as_ref()).is_some();
        match &self.response_code {
            _ if self.payment_status.is_some() => Said::Nothing,
            Some(_) if is_enveloped => Said::Nothing,
            Some(code) => match code.filled() {
                Some(ACCEPTED) if !response.is_success() || self.error_code.is_some() => Said::Nothing,
                Some(REFUSED) if names_payout => Said::Nothing,
                Some(code) => Said::Code(code),
                None => Said::Nothing,
            },
            None if names_payout || self.error_code.is_some() => Said::Nothing,
            None if self.is_envelope(response.status) => Said::TurnedAway,
            None => Said::Nothing,
        }
    }

    /// The envelope of the framework: the HTTP status once more, and a message or the status in words.
    fn is_envelope(&self, status: u16) -> bool {
        matches!(status, 400..=499)
            && filled(self.status_code.as_ref()) == Some(&*status.to_string())
            && (self.words().is_some() || filled(self.error.as_ref()).is_some())
    }

    /// A path that the framework does not know is said with the same status as a payout that is not there; then it
    /// repeats the method, and nothing is known of the payout.
    fn knows_no_payout(&self, response: &Response) -> bool {
        let is_about_path = self.words().is_some_and(|words| words.starts_with(UNKNOWN_PATH));
        response.status == 404 && self.said(response) == Said::TurnedAway && !is_about_path
    }

    fn words(&self) -> Option<&str> {
        self.message.iter().find_map(Scalar::filled)
    }

    fn complaint<'a>(&'a self, code: Option<&'a str>) -> Complaint<'a> {
        let described = filled(self.response_description.as_ref());
        let text = described.or_else(|| self.words()).or_else(|| filled(self.error.as_ref()));
        Complaint { code, text, request_id: None }
    }
}

impl Payout {
    /// Whether a complaint stands beside the state, so that one of them is not true.
    const fn contradicts_itself(&self) -> bool {
        self.response_code.is_some() || self.error_code.is_some() || self.status_code.is_some()
    }
}

const ACCEPTED: &str = "720";
const REFUSED: &str = "721";
const UNKNOWN_PATH: &str = "Cannot ";
const CHECK_KEYS: &str =
    "check that the consumer key and secret are of this environment and were copied whole";
const CORRECT: &str = "correct what the gateway names";
const SLOW_DOWN: &str = "send fewer requests, and this one again later";
const ASK: &str = "ask for the payout's status before anything else";
const CONTRADICTS: &str = "it says two things at once: ask again, and KasaPay if it stays";
const UNLISTED: &str = "a code that nobody documented: ask again, and KasaPay if it stays";

/// The codes of an answer (KasaPay's B2B page, read 2026-11-22; 720 is acceptance).
const CODES: &[CodeRow<Meaning>] = &[CodeRow::new(
    "721",
    Meaning::Refused,
    "the payout was not accepted: the gateway's error code says why, such as a service that is not allowed",
)];

/// The states of a payout (same page). 704 is not explained there: nothing says that it failed.
#[rustfmt::skip]
const STATES: &[CodeRow<State>] = &[
    CodeRow::new("700", State::Settled, "without an amount a success proves nothing: ask again"),
    CodeRow::new("701", State::Failed, "the gateway's words say why"),
    CodeRow::new("702", State::Reversed, "the money came back: find out why before paying again"),
    CodeRow::new("703", State::Pending, "ask again later"),
    CodeRow::new("704", State::Pending, "it is stuck at the gateway: keep asking, and tell KasaPay"),
    CodeRow::new("705", State::Reversed, "the money was refunded to the float: find out why before paying again"),
];
