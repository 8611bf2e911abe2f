//! What Daraja posts to us, as what it claims. Pure.

use malipo_core::{
    Balance, BalanceReport, CallbackError, CodeRow, Currency, Delivery, DeliveryPurpose, EatLayout, Money,
    Operation, ProviderId, ProviderRefs, Raw, Read, Reference, Reply, Report, State, Storage, Timestamp,
    Told, ToldParty, Unanswered, filled, read_object,
};

use crate::config::Settings;
use crate::decode::{REF_CONVERSATION, REF_ORIGINATOR};
use crate::encode::REF_TRANSACTION;
use crate::wire::{Outcome, Posted, parameter};

/// Report details of a paid payout: whether the recipient is a registered customer, `Y` or `N`.
const DETAIL_REGISTERED: &str = "registered";
/// Report details of an answer about a payout: what it cost, as told.
const DETAIL_CHARGES: &str = "charges";

pub(crate) fn read(settings: &Settings, delivery: &Delivery) -> Result<Read, CallbackError> {
    let posted = read_object::<Posted>(delivery.body.bytes());
    // A queue timeout may echo our request, credential and all.
    let raw = delivery.body.without(settings.initiator.credential.secret());
    let reader = Reader { provider: &settings.id, delivery, raw };
    match delivery.purpose {
        // Whatever is posted there, the news is the same.
        DeliveryPurpose::Timeout => {
            return Ok(Read::Report(reader.queue_timeout(&posted.unwrap_or_default())));
        }
        DeliveryPurpose::AnswerTimeout => {
            return Ok(Read::Unanswered(reader.unanswered(posted.unwrap_or_default().result.as_ref())));
        }
        DeliveryPurpose::Result | DeliveryPurpose::Answer | DeliveryPurpose::Balance => {}
        _ => return Ok(Read::NotModelled),
    }
    let posted = posted.map_err(|_| CallbackError::Unreadable("it is no JSON object, as Daraja posts"))?;
    let outcome =
        posted.result.ok_or(CallbackError::Unreadable("there is no Result in it, as Daraja posts"))?;
    // What it is about shows in its parameters, not in the URL that it came to: the code 0 of an answered question
    // must never be taken for the code 0 of a payment.
    if outcome.parameters(parameter::STATUS).next().is_some() {
        Ok(reader.answer(&outcome))
    } else if outcome.parameters(parameter::BALANCE).next().is_some() {
        Ok(reader.balances(&outcome))
    } else if delivery.purpose == DeliveryPurpose::Result {
        Ok(Read::Report(reader.result(&outcome)))
    } else {
        Ok(Read::Unanswered(reader.unanswered(Some(&outcome))))
    }
}

pub(crate) fn reply(storage: Storage) -> Reply {
    match storage {
        Storage::Stored => Reply::json(200, r#"{"ResultCode":0,"ResultDesc":"Accepted"}"#),
        Storage::NotStored => Reply::json(503, r#"{"ResultCode":1,"ResultDesc":"Not stored"}"#),
    }
}

struct Reader<'a> {
    provider: &'a ProviderId,
    delivery: &'a Delivery,
    raw: Raw,
}

impl Reader<'_> {
    /// The result of a payout.
    fn result(&self, outcome: &Outcome) -> Report {
        let amount = outcome.parameter(parameter::AMOUNT).and_then(paid);
        let (state, remedy) = verdict(outcome, amount);
        let mut report = self.report(outcome, state);
        report.remedy = remedy.map(Into::into);
        report.amount = amount;
        report.party = outcome.parameter(parameter::RECEIVER).and_then(party);
        report.at = outcome
            .parameter(parameter::COMPLETED_AT)
            .and_then(|text| Timestamp::parse_eat(text, EatLayout::Dotted));
        let funds = |key| outcome.parameter(key).and_then(|text| Money::kes(text).ok());
        let held =
            parameter::FUNDS.iter().filter_map(|(key, account)| Some(Balance::new(account, funds(key)?)));
        report.balances = held.collect();
        if let Some(registered) = outcome.parameter(parameter::REGISTERED) {
            report.details.insert(DETAIL_REGISTERED, Told::code(registered));
        }
        // On failure the transaction's id may be a placeholder that looks like a real one.
        if report.state == State::Settled {
            let receipt = outcome.parameter(parameter::RECEIPT).or(filled(outcome.transaction_id.as_ref()));
            report.receipt = receipt.map(Told::code);
            report.provider_refs = report.provider_refs.with(REF_TRANSACTION, receipt);
        }
        report
    }

    /// The answer to a question about a payout. Its own codes and ids are those of the question.
    fn answer(&self, outcome: &Outcome) -> Read {
        let status = outcome.parameter(parameter::STATUS).unwrap_or_default();
        let code = filled(outcome.result_code.as_ref());
        if code != Some("0") || !is_last(outcome) {
            return Read::Unanswered(self.unanswered(Some(outcome)));
        }
        let amount = outcome.parameter(parameter::STATUS_AMOUNT).and_then(paid);
        let state = match status.to_ascii_lowercase().as_str() {
            "completed" if amount.is_some() => State::Settled,
            "cancelled" | "declined" | "expired" => State::Failed,
            _ => State::Pending,
        };
        let originator = outcome.parameter(parameter::STATUS_ORIGINATOR);
        let mut report = self.about(originator, outcome.parameter(parameter::STATUS_CONVERSATION), state);
        if report.state == State::Settled {
            let receipt = outcome.parameter(parameter::STATUS_RECEIPT);
            report.receipt = receipt.map(Told::code);
            report.provider_refs = report.provider_refs.with(REF_TRANSACTION, receipt);
        }
        report.amount = amount;
        report.code = Some(Told::code(status));
        report.text = filled(outcome.result_desc.as_ref()).map(Told::new);
        report.party = recipient(outcome);
        report.at = outcome
            .parameter(parameter::STATUS_FINALISED)
            .and_then(|text| Timestamp::parse_eat(text, EatLayout::Compact));
        if let Some(charges) = outcome.parameter(parameter::STATUS_CHARGES) {
            report.details.insert(DETAIL_CHARGES, Told::new(charges).as_str());
        }
        Read::Report(report)
    }

    /// Our balances: accounts parted by `&`, each of name, currency and amounts parted by `|`. The first amount
    /// is what is available; sources differ about the others.
    fn balances(&self, outcome: &Outcome) -> Read {
        if filled(outcome.result_code.as_ref()) != Some("0") || !is_last(outcome) {
            return Read::Unanswered(self.unanswered(Some(outcome)));
        }
        let account = |text: &str| {
            let mut fields = text.split('|').map(str::trim);
            let (name, currency, available) = (fields.next()?, fields.next()?, fields.next()?);
            Some(Balance::new(name, Money::parse(available, currency.parse::<Currency>().ok()?).ok()?))
        };
        let text = outcome.parameter(parameter::BALANCE).unwrap_or_default();
        let balances = text.split('&').filter_map(account).collect();
        let at = outcome
            .parameter(parameter::BALANCE_COMPLETED_AT)
            .and_then(|text| Timestamp::parse_eat(text, EatLayout::Compact));
        let (trust, raw) = (self.delivery.trust(), self.raw.clone());
        Read::Balances(BalanceReport::new(self.provider.clone(), balances, trust, raw).with_at(at))
    }

    /// A payout that waited too long in a queue: whether it is paid is open, and a result may still come. What is
    /// posted may be an empty shell of a result, or our own request.
    fn queue_timeout(&self, posted: &Posted) -> Report {
        let mut report = match &posted.result {
            Some(outcome) => self.report(outcome, State::Pending),
            None => self.about(filled(posted.originator_conversation_id.as_ref()), None, State::Pending),
        };
        report.remedy = Some("it waited too long in the gateway's queue: ask for its status".into());
        report
    }

    fn unanswered(&self, outcome: Option<&Outcome>) -> Unanswered {
        let mut unanswered = Unanswered::new(self.provider.clone(), self.raw.clone());
        unanswered.reference = self.delivery.addressed.clone();
        let code = outcome.and_then(|outcome| filled(outcome.result_code.as_ref()));
        unanswered.code = code.map(Told::code);
        unanswered.text = outcome.and_then(|outcome| filled(outcome.result_desc.as_ref())).map(Told::new);
        unanswered.remedy = code.and_then(|code| CodeRow::find(CODES, code)).map(|row| row.remedy.into());
        unanswered
    }

    /// What every result says, whatever became of the payout.
    fn report(&self, outcome: &Outcome, state: State) -> Report {
        let originator = filled(outcome.originator_conversation_id.as_ref());
        let mut report = self.about(originator, filled(outcome.conversation_id.as_ref()), state);
        report.code = filled(outcome.result_code.as_ref()).map(Told::code);
        report.text = filled(outcome.result_desc.as_ref()).map(Told::new);
        report
    }

    /// A report about the payment that the delivery names, or else the one that its address is of. The gateway's
    /// originator id is kept where it is not simply our reference.
    fn about(&self, originator: Option<&str>, conversation: Option<&str>, state: State) -> Report {
        let addressed = &self.delivery.addressed;
        let state = if Reference::is_foreign(originator) { State::Pending } else { state };
        let theirs = originator.filter(|id| addressed.as_ref().is_none_or(|ours| ours.as_str() != *id));
        let mut report = Report::new(self.provider.clone(), state, self.delivery.trust());
        report.operation = Some(Operation::PayOut);
        report.reference = originator.and_then(|id| id.parse().ok()).or_else(|| addressed.clone());
        report.provider_refs =
            ProviderRefs::new().with(REF_ORIGINATOR, theirs).with(REF_CONVERSATION, conversation);
        report.raw = self.raw.clone();
        report
    }
}

/// What the code of a payout's result means. Without an amount a success is a claim of nothing.
fn verdict(outcome: &Outcome, amount: Option<Money>) -> (State, Option<&'static str>) {
    let code = filled(outcome.result_code.as_ref());
    // A failure with a receipt contradicts itself.
    let has_receipt = outcome.parameters(parameter::RECEIPT).next().is_some();
    match (code, code.and_then(|code| CodeRow::find(CODES, code))) {
        _ if !is_last(outcome) => (State::Pending, None),
        (Some("0"), _) if amount.is_some() => (State::Settled, None),
        (_, Some(row)) if row.meaning == State::Pending || !has_receipt => (row.meaning, Some(row.remedy)),
        _ => (State::Pending, Some("a code that nobody documented: ask for the payment's status")),
    }
}

/// An amount that can have been paid.
fn paid(text: &str) -> Option<Money> {
    Money::kes(text).ok().filter(|money| money.is_positive())
}

/// Type 0 is the last message about a request; with type 1 more follow.
fn is_last(outcome: &Outcome) -> bool {
    outcome.result_type.as_ref().is_none_or(|kind| kind.filled() == Some("0"))
}

/// `254708374149 - Jane Doe`; the name may hold further hyphens.
fn party(text: &str) -> Option<ToldParty> {
    match text.split_once(" - ") {
        Some((account, name)) => ToldParty::new(Some(account), Some(name)),
        None => ToldParty::new(Some(text), None),
    }
}

/// The party of an answer that has a phone number: the other one is our shortcode.
fn recipient(outcome: &Outcome) -> Option<ToldParty> {
    let credited = outcome.parameters(parameter::STATUS_CREDIT_PARTY);
    let parties = credited.chain(outcome.parameters(parameter::STATUS_DEBIT_PARTY)).filter_map(party);
    let is_phone = |party: &ToldParty| party.account.as_deref().is_some_and(|account| account.len() >= 10);
    parties.fold(None, |found, party| if is_phone(&party) { Some(found.unwrap_or(party)) } else { found })
}

const SETUP: &str =
    "the initiator, its rights or its password are wrong: stop before M-PESA locks it, and check the setup";
const OPEN: &str = "whether it was paid is open: ask for its status";

/// The codes of a result (public copies of the portal's tables, read 2026-11-22; Safaricom's B2C page has 0 and
/// 2001). What is pending here is ambiguous: the payment may have been made.
#[rustfmt::skip]
const CODES: &[CodeRow<State>] = &[
    CodeRow::new("0", State::Pending, "a success without an amount proves nothing: ask for its status"),
    CodeRow::new("1", State::Failed, "the utility account is too low: move money from the working to the utility account, then pay again"),
    CodeRow::new("2", State::Failed, "the amount is below M-PESA's least: pay more at once"),
    CodeRow::new("3", State::Failed, "the amount is above M-PESA's most: pay in parts"),
    CodeRow::new("4", State::Failed, "the recipient would pass the daily limit: pay another day"),
    CodeRow::new("8", State::Failed, "the recipient's wallet would be too full: pay later"),
    CodeRow::new("11", State::Failed, "the shortcode's account is in a state that cannot pay: ask Safaricom"),
    CodeRow::new("15", State::Pending, "an earlier request had this reference: ask for its status"),
    CodeRow::new("17", State::Pending, OPEN),
    CodeRow::new("18", State::Failed, SETUP),
    CodeRow::new("19", State::Pending, OPEN),
    CodeRow::new("20", State::Failed, SETUP),
    CodeRow::new("21", State::Failed, SETUP),
    CodeRow::new("22", State::Failed, SETUP),
    CodeRow::new("24", State::Failed, "a mandatory field is missing: correct the request"),
    CodeRow::new("25", State::Failed, "a field is invalid: correct the request"),
    CodeRow::new("26", State::Failed, "M-PESA is too busy: pay later, and slower"),
    CodeRow::new("29", State::Failed, "the command is unknown to M-PESA: correct the request"),
    CodeRow::new("2001", State::Failed, SETUP),
    CodeRow::new("2006", State::Failed, "a rule of the account forbids it: ask Safaricom"),
    CodeRow::new("2028", State::Failed, "the shortcode does not have this product: ask Safaricom"),
    CodeRow::new("2029", State::Pending, "a rule of M-PESA forbids the question: ask Safaricom"),
    CodeRow::new("2033", State::Pending, "M-PESA finds no such transaction, which is no proof that it never gets it"),
    CodeRow::new("2040", State::Failed, "the recipient is no registered customer: pay otherwise"),
    CodeRow::new("2051", State::Failed, "the phone number is invalid: correct it"),
    CodeRow::new("8006", State::Failed, SETUP),
    CodeRow::new("SFC_IC0003", State::Failed, SETUP),
];
