//! What SasaPay answers, as what is known. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use malipo_core::{
    Answer, Balance, BalanceReport, CodeRow, Collect, Credit, Currency, Error, ErrorKind, Instruction,
    Meaning, Money, NextStep, Operation, PayerSource, ProviderId, ProviderRefs, Raw, Report, Result, Scalar,
    Secret, State, Ticket, Told, ToldParty, Trust, filled, read_object,
};
use malipo_transport::{Complaint, Response, Token};
use serde::de::DeserializeOwned;

use crate::callback;
use crate::config::Settings;
use crate::encode::REF_CHECKOUT;
use crate::wire::{BalanceData, Reply, Transaction};

/// The kinds of reference besides the checkout: the code of a transaction that was made, the name that the payer's
/// network has for it, what a payer from a bank has to write, and the one that is said to be ours, where it is not.
pub(crate) const REF_TRANSACTION: &str = "transaction";
pub(crate) const REF_THIRD_PARTY: &str = "third_party";
const REF_TRANSACTION_REFERENCE: &str = "transaction_reference";
const REF_MERCHANT_REQUEST: &str = "merchant_request";

/// Report details: what to show to the payer, and how much was asked for.
const DETAIL_CUSTOMER_MESSAGE: &str = "customer_message";
const DETAIL_REQUESTED_AMOUNT: &str = "requested_amount";

pub(crate) fn token(response: &Response) -> Result<Token> {
    let reply = read_as::<Reply>(response).filter(|reply| text(&reply.status) != Some(NO));
    match reply.as_ref().and_then(|reply| reply.access_token.as_deref()) {
        _ if !response.is_success() => Err(refusal(Operation::Authorize, response)),
        None | Some("") => Err(response.unreadable(Operation::Authorize)),
        Some(token) => {
            let lifetime = reply.as_ref().and_then(|reply| reply.expires_in.filled()?.parse().ok());
            Ok(Token::new(Secret::new(token), lifetime.map(Duration::from_secs)))
        }
    }
}

/// Whether the token was turned away before anything was done. A belief: see S4 of `docs/unverified.md`.
pub(crate) fn rejected(operation: Operation, response: &Response) -> bool {
    read_as::<Reply>(response).is_some_and(|reply| reply.said(operation, response) == Said::TokenTurnedAway)
}

/// The acceptance of a collection or of the code of its payer: neither is paid.
pub(crate) fn accepted(id: &ProviderId, instruction: &Instruction, response: &Response) -> Result<Report> {
    let reply = answered(instruction.operation(), response)?;
    let mut report = Report::new(id.clone(), State::Pending, Trust::Answered);
    report.operation = Some(Operation::Collect);
    report.reference = Some(instruction.reference().clone());
    report.code = filled(reply.response_code.as_ref()).map(Told::code);
    report.text = reply.words().map(Told::new);
    report.raw = response.body.clone().into();
    match instruction {
        Instruction::Collect(collect) => started(&mut report, collect, &reply),
        other => report.provider_refs = Ticket::from(other).provider_refs,
    }
    Ok(report)
}

/// What the gateway tells of a collection at its start. What the payer has to do follows from what was asked, never
/// from the gateway's words.
fn started(report: &mut Report, Collect { from, terms, .. }: &Collect, reply: &Reply) {
    let (checkout, narration) = (reply.checkout.filled(), reply.transaction_reference.filled());
    let request = reply.merchant_request.filled();
    report.provider_refs = ProviderRefs::new()
        .with(REF_CHECKOUT, checkout)
        .with(REF_TRANSACTION_REFERENCE, narration)
        .with(REF_MERCHANT_REQUEST, request.filter(|id| *id != terms.reference.as_str()));
    (report.next_step, report.remedy) = match (&from.source, narration) {
        (PayerSource::GatewayWallet { .. }, _) if checkout.is_none() => (None, Some(NO_CHECKOUT.into())),
        (PayerSource::GatewayWallet { .. }, _) => (Some(NextStep::EnterCode), None),
        (PayerSource::Bank { .. }, Some(text)) => {
            (Some(NextStep::TransferWithNarration(Told::code(text))), None)
        }
        (PayerSource::Bank { .. }, None) => (None, Some(NO_NARRATION.into())),
        _ => (Some(NextStep::AnswerPrompt), None),
    };
    if let Some(message) = reply.customer_message.filled() {
        report.details.insert(DETAIL_CUSTOMER_MESSAGE, Told::new(message).as_str());
    }
}

/// The answer to a question about a collection. That the question was taken says nothing of the collection.
pub(crate) fn status(provider: &ProviderId, ticket: &Ticket, response: &Response) -> Result<Answer> {
    let Some(transaction) = data::<Transaction>(Operation::Status, response)? else {
        return Ok(Answer::ComesByCallback);
    };
    let asked = ticket.provider_refs.find(REF_CHECKOUT);
    let differs = |a: Option<&str>, b: Option<&str>| a.is_some() && b.is_some() && a != b;
    let ours = Some(ticket.reference.as_str());
    if differs(transaction.checkout.filled(), asked) || differs(transaction.reference(), ours) {
        return Err(unlisted(Operation::Status, response, ANOTHER));
    }
    let mut report = told(provider, &transaction, Trust::Answered, response.body.clone().into());
    report.reference = Some(ticket.reference.clone());
    Ok(Answer::Known(report))
}

/// What is told of a collection, in an answer or in what is posted. Where there is a code it decides, else `Paid`; one
/// that contradicts the other decides nothing, and a success has to say how much.
pub(crate) fn told(provider: &ProviderId, transaction: &Transaction, trust: Trust, raw: Raw) -> Report {
    let (amount, requested) = (money(transaction.amount()), money(transaction.requested_amount()));
    let (code, paid) = (text(&transaction.result_code), text(&transaction.paid));
    let (claimed, remedy) = match (code, paid) {
        (Some(code), _) => verdict(code),
        (None, Some(YES)) => (State::Settled, NO_AMOUNT),
        (None, Some(NO)) => (State::Pending, NOT_PAID),
        (None, _) => (State::Pending, UNSAID),
    };
    let is_less = |amount: Money| requested.is_some_and(|requested| amount.minor() < requested.minor());
    let (state, remedy) = match (claimed, paid) {
        (State::Settled, None | Some(YES)) => match amount {
            Some(amount) => (State::Settled, is_less(amount).then_some(PARTIAL)),
            None => (State::Pending, Some(remedy)),
        },
        (State::Failed, None | Some(NO)) | (State::Pending | State::Reversed, _) => (claimed, Some(remedy)),
        (State::Settled | State::Failed, _) => (State::Pending, Some(CONTRADICTS)),
    };
    let mut report = Report::new(provider.clone(), state, trust);
    report.operation = Some(Operation::Collect);
    report.reference = transaction.reference().and_then(|text| text.parse().ok());
    let ours = transaction.reference();
    let third_party = transaction.third_party.filled();
    report.provider_refs = ProviderRefs::new()
        .with(REF_CHECKOUT, transaction.checkout.filled())
        .with(REF_TRANSACTION, transaction.code())
        .with(REF_THIRD_PARTY, third_party)
        .with(REF_MERCHANT_REQUEST, transaction.merchant_request.filled().filter(|id| ours != Some(*id)));
    report.amount = amount;
    report.party = ToldParty::new(transaction.customer_mobile.filled(), None);
    if state == State::Settled {
        // The payer sees the name that the payer's own network has for it.
        report.receipt = third_party.or_else(|| transaction.code()).map(Told::code);
    }
    report.code = code.filter(|code| !code.is_empty()).map(Told::code);
    report.text = transaction.words().map(Told::new);
    report.remedy = remedy.map(Into::into);
    report.at = transaction.date();
    if let Some(requested) = requested {
        report.details.insert(DETAIL_REQUESTED_AMOUNT, requested.to_plain());
    }
    report.raw = raw;
    report
}

/// A transaction that a notice tells of, looked up again.
pub(crate) fn verified(settings: &Settings, asked: &str, response: &Response) -> Result<Credit> {
    let transaction: Option<Transaction> = data(Operation::Status, response)?;
    let transaction = transaction.ok_or_else(|| response.unreadable(Operation::Status))?;
    if transaction.code() != Some(asked) {
        return Err(unlisted(Operation::Status, response, ANOTHER));
    }
    let read = callback::credit(settings, &transaction, Trust::Answered, response.body.clone().into());
    let read = read.and_then(|credit| credit.ok_or("this is no money that came in"));
    read.map_err(|why| unlisted(Operation::Status, response, why))
}

/// Our balances: the accounts, or where none is told what they come to.
pub(crate) fn balances(provider: &ProviderId, response: &Response) -> Result<BalanceReport> {
    let data: Option<BalanceData> = data(Operation::Balances, response)?;
    let balances = data.and_then(|data| {
        let currency: Currency = data.currency_code.filled()?.parse().ok()?;
        let whole = data.org_account_balance.iter().map(|held| ("organisation", held));
        let whole = whole.filter(|_| data.accounts.is_empty());
        let parts = data.accounts.iter().map(|one| (one.account_label.as_str(), &one.account_balance));
        let balances = whole
            .chain(parts)
            .map(|(account, held)| Some(Balance::new(account, Money::parse(held.filled()?, currency).ok()?)));
        balances.collect::<Option<Vec<_>>>().filter(|balances| !balances.is_empty())
    });
    let balances = balances.ok_or_else(|| response.unreadable(Operation::Balances))?;
    Ok(BalanceReport::new(provider.clone(), balances, Trust::Answered, response.body.clone().into()))
}

/// An amount that can have been paid.
pub(crate) fn money(text: Option<&str>) -> Option<Money> {
    Money::kes(text?).ok().filter(|money| money.is_positive())
}

/// What a code means for a payment. What is refused as an answer has failed as a result; all else is open.
fn verdict(code: &str) -> (State, &'static str) {
    let result = CodeRow::find(RESULTS, code).map(|row| (row.meaning, row.remedy));
    let answer = CodeRow::find(CODES, code).map(|row| match row.meaning {
        Meaning::Refused | Meaning::CredentialsRejected => (State::Failed, row.remedy),
        _ => (State::Pending, row.remedy),
    });
    result.or(answer).unwrap_or((State::Pending, UNLISTED))
}

/// The answer, where it is a yes.
pub(crate) fn answered(operation: Operation, response: &Response) -> Result<Reply> {
    match read_as::<Reply>(response) {
        Some(reply) if reply.said(operation, response) == Said::Yes => Ok(reply),
        _ => Err(refusal(operation, response)),
    }
}

/// What was asked for, if it came with the answer.
fn data<T: DeserializeOwned>(operation: Operation, response: &Response) -> Result<Option<T>> {
    let data = answered(operation, response)?.data;
    let read = data.map(|data| read_object(data.get().as_bytes())).transpose();
    read.map_err(|_| response.unreadable(operation))
}

fn unlisted(operation: Operation, response: &Response, message: &str) -> Error {
    let error = Error::new(ErrorKind::Unlisted, operation.uncertain(), operation, message);
    response.complete(error, Complaint::default())
}

/// What an answer that is no yes means for the operation.
fn refusal(operation: Operation, response: &Response) -> Error {
    if let Some(field) = complaint_about_fields(response) {
        let complaint = Complaint { code: None, text: Some(&field), request_id: None };
        return response.complete(Meaning::Refused.error(operation).with_remedy(CORRECT), complaint);
    }
    let Some(reply) = read_as::<Reply>(response) else { return response.unreadable(operation) };
    let complaint = |code| Complaint { code, text: reply.words(), request_id: None };
    let code = filled(reply.response_code.as_ref());
    match reply.said(operation, response) {
        Said::Code(code) => response.refusal(operation, CODES, complaint(Some(code))),
        Said::TokenTurnedAway => {
            let error = Meaning::TokenRejected.error(operation).with_remedy(CHECK_KEYS);
            response.complete(error, complaint(filled(reply.repeated_status.as_ref())))
        }
        Said::TurnedAway(code) => {
            let (meaning, remedy) = turned_away(operation, response.status);
            response.complete(meaning.error(operation).with_remedy(remedy), complaint(code))
        }
        Said::Yes | Said::Nothing => response.complete(response.unreadable(operation), complaint(code)),
    }
}

/// What it means that a request was turned away with this status, where no code that is listed says more. Two of them
/// are no refusal at the door: work may have begun before its time was up, and a conflict is with something there.
const fn turned_away(operation: Operation, status: u16) -> (Meaning, &'static str) {
    match (operation, status) {
        (_, 401) | (Operation::Authorize, 400 | 403) => (Meaning::CredentialsRejected, CHECK_KEYS),
        (_, 408) => (Meaning::Failed, ASK),
        (_, 409) => (Meaning::Duplicate, ASK),
        (_, 429) => (Meaning::Throttled, SLOW_DOWN),
        (Operation::Confirm, _) => (Meaning::Refused, STILL_OPEN),
        _ => (Meaning::Refused, CORRECT),
    }
}

/// The complaint of the framework in front of SasaPay's work: nothing but fields, each with what is wrong with it.
fn complaint_about_fields(response: &Response) -> Option<String> {
    let fields: BTreeMap<String, Vec<String>> = read_as(response).filter(|_| response.status == 400)?;
    let (field, words) = fields.iter().next()?;
    let all = fields.values().all(|words| !words.is_empty());
    all.then(|| format!("{field}: {}", words.join(" ")))
}

fn read_as<T: DeserializeOwned>(response: &Response) -> Option<T> {
    read_object(&response.body).ok()
}

/// The text of what decides: empty where there is no text in it, which is not the same as absent.
fn text(value: &Option<Scalar>) -> Option<&str> {
    value.as_ref().map(|value| value.filled().unwrap_or_default())
}

/// What an answer says, if it says one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said<'a> {
    Yes,
    /// A code of SasaPay's own that is listed, or that comes with a 2xx.
    Code(&'a str),
    /// The token is not accepted: a 401 with the HTTP status in it once more.
    TokenTurnedAway,
    /// A refusal by its shape: no, with a 4xx. A code in it is in no list.
    TurnedAway(Option<&'a str>),
    /// Nothing, two things that cannot both be true, or no with a 2xx and no code: how far it got is open.
    Nothing,
}

impl Reply {
    /// A yes comes with a 2xx and without a code but `0`, and only what moves no money can do without the word. A
    /// refusal to start a collection names none. Whatever breaks this says nothing, and so does all of 5xx.
    fn said(&self, operation: Operation, response: &Response) -> Said<'_> {
        let http = response.status.to_string();
        let codes = [&self.response_code, &self.status_code, &self.repeated_status];
        let mut codes = codes.into_iter().filter_map(text).filter(|code| *code != http);
        let code = codes.next();
        let repeats = filled(self.repeated_status.as_ref()) == Some(&*http);
        let names_one = [&self.checkout, &self.transaction_reference].iter().any(|id| id.filled().is_some());
        let refuses = matches!(response.status, 400..=499) && self.words().is_some();
        if response.status >= 500 || code == Some("") || codes.any(|other| Some(other) != code) {
            return Said::Nothing;
        }
        match (text(&self.status), code) {
            (Some(YES), None | Some(ZERO)) if response.is_success() && self.errors.is_empty() => Said::Yes,
            (None, Some(ZERO)) if response.is_success() && !operation.moves_money() => Said::Yes,
            (Some(YES), _) | (_, Some(ZERO)) => Said::Nothing,
            _ if operation == Operation::Collect && names_one => Said::Nothing,
            (Some(NO) | None, Some(code)) if CodeRow::find(CODES, code).is_some() => Said::Code(code),
            (Some(_), None) if refuses && repeats && response.status == 401 => Said::TokenTurnedAway,
            (Some(_), None) if refuses && repeats => Said::TurnedAway(None),
            (Some(NO), code) if refuses => Said::TurnedAway(code),
            (Some(NO) | None, Some(code)) => Said::Code(code),
            _ => Said::Nothing,
        }
    }
}

const YES: &str = "true";
const NO: &str = "false";
const ZERO: &str = "0";

const CHECK_KEYS: &str = "check that the client id and secret are of this environment and were copied whole";
const CORRECT: &str = "correct what the gateway names";
const ASK: &str = "ask for the payment's status before anything else";
const SLOW_DOWN: &str = "send fewer requests at once";
const STILL_OPEN: &str = "the collection is still open: ask the payer for the code once more";
const NO_CHECKOUT: &str = "the gateway told no checkout, so a code cannot be handed in: ask for its status";
const NO_NARRATION: &str = "the gateway told no narration, so the payer cannot pay: ask SasaPay";
const NOT_PAID: &str = "not paid yet, which is not failed: ask again later";
const NO_AMOUNT: &str = "a success without an amount proves nothing: ask again";
const UNSAID: &str = "the gateway did not say whether it is paid: ask again";
const ANOTHER: &str = "the gateway answered about another transaction than it was asked about";
const PARTIAL: &str = "less was paid than was asked for: hold it against your books";
const CONTRADICTS: &str = "it says two things at once: ask for the payment's status";
const SETUP: &str = "the merchant or the payer may not do this: ask SasaPay";
const UNLISTED: &str = "a code that nobody documented: ask for the payment's status";
const ASK_PAYER: &str = "the payer did not pay: ask them, then collect anew";

/// The codes of an answer (public copies of SasaPay's pages of codes, read 2026-11-22). They come as results, too.
#[rustfmt::skip]
const CODES: &[CodeRow<Meaning>] = &[
    CodeRow::new("PENDING", Meaning::Failed, ASK), CodeRow::new("SP01001", Meaning::Failed, ASK),
    CodeRow::new("SP01004", Meaning::Failed, ASK), CodeRow::new("17", Meaning::Failed, ASK),
    CodeRow::new("1025", Meaning::Failed, ASK), CodeRow::new("1036", Meaning::Failed, ASK),
    CodeRow::new("1037", Meaning::Failed, ASK), CodeRow::new("9999", Meaning::Failed, ASK),
    CodeRow::new("ERROR", Meaning::Failed, ASK), CodeRow::new("DP00900001000", Meaning::Failed, ASK),
    CodeRow::new("SP.400.000", Meaning::Refused, CORRECT), CodeRow::new("SP400", Meaning::Refused, CORRECT),
    CodeRow::new("SP.401.000", Meaning::CredentialsRejected, CHECK_KEYS),
    CodeRow::new("SP4010", Meaning::CredentialsRejected, CHECK_KEYS),
    CodeRow::new("SP.403.000", Meaning::Refused, SETUP), CodeRow::new("SP4040", Meaning::Refused, CORRECT),
    CodeRow::new("SP.404.000", Meaning::Refused, CORRECT), CodeRow::new("SP4072", Meaning::Refused, SETUP),
    CodeRow::new("SP.422.000", Meaning::Refused, CORRECT), CodeRow::new("SP4090", Meaning::Duplicate, ASK),
    CodeRow::new("SP4041", Meaning::Refused, CORRECT), CodeRow::new("SP4060", Meaning::Refused, CORRECT),
    CodeRow::new("SP4045", Meaning::Refused, "the payer has not been identified to the network: ask them to"),
    CodeRow::new("SP6000", Meaning::Refused, "the amount is below the least: ask for more at once"),
    CodeRow::new("SP8000", Meaning::Refused, "the balance is too low: try again when there is more"),
    CodeRow::new("SP.409.000", Meaning::Duplicate, ASK), CodeRow::new("SP.500.000", Meaning::Failed, ASK),
    CodeRow::new("SP.429.000", Meaning::Throttled, SLOW_DOWN), CodeRow::new("SP5030", Meaning::Failed, ASK),
    CodeRow::new("SP.501.000", Meaning::Failed, ASK), CodeRow::new("SP.502.000", Meaning::Failed, ASK),
    CodeRow::new("SP.503.000", Meaning::Failed, ASK), CodeRow::new("SP.504.000", Meaning::Failed, ASK),
    CodeRow::new("SP9000", Meaning::Failed, ASK),
];

/// The codes of a result besides those: 0 is from SasaPay's C2B page, the others are from the same copies.
#[rustfmt::skip]
const RESULTS: &[CodeRow<State>] = &[
    CodeRow::new("0", State::Settled, NO_AMOUNT), CodeRow::new("SP00000", State::Settled, NO_AMOUNT),
    CodeRow::new("SP01002", State::Failed, "the gateway's words say why"),
    CodeRow::new("SP01003", State::Reversed, "the money went back: find out why before collecting anew"),
    CodeRow::new("1", State::Failed, "the payer's balance is too low: collect anew when there is more"),
    CodeRow::new("1001", State::Failed, "the payer was busy with another payment: collect anew later"),
    CodeRow::new("1019", State::Failed, ASK_PAYER), CodeRow::new("1031", State::Failed, ASK_PAYER),
    CodeRow::new("1032", State::Failed, ASK_PAYER), CodeRow::new("2001", State::Failed, ASK_PAYER),
    CodeRow::new("2028", State::Failed, SETUP), CodeRow::new("2040", State::Failed, SETUP),
    CodeRow::new("4001", State::Failed, SETUP), CodeRow::new("SFC_IC0003", State::Failed, SETUP),
];
