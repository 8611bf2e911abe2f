//! What Kyanda answers, as what is known. Pure.

use malipo_core::{
    Answer, Balance, BalanceReport, CodeRow, EatLayout, Error, ErrorKind, Fields, Good, GoodKind,
    Instruction, Meaning, Money, NextStep, Operation, ProviderId, ProviderRefs, Reference, Report, Result,
    Said, Secret, State, Ticket, Timestamp, Told, ToldParty, Trust, read_object,
};
use malipo_transport::{Complaint, Response};

use crate::config::Settings;
use crate::wire::{self, field};

/// Kyanda's name for a payment.
pub(crate) const REF_TRANSACTION: &str = "transaction";

/// The answer to an instruction: it is taken on, which is neither paid nor delivered.
pub(crate) fn accepted(id: &ProviderId, instruction: &Instruction, response: &Response) -> Result<Report> {
    let operation = instruction.operation();
    let reply = acknowledged(operation, response)?;
    let mut report = Report::new(id.clone(), State::Pending, Trust::Answered);
    report.operation = Some(operation);
    report.reference = Some(instruction.reference().clone());
    report.provider_refs = reply.provider_refs();
    report.code = reply.code.as_str().map(Told::code);
    report.text = reply.text.as_str().map(Told::new);
    report.remedy = report.provider_refs.is_empty().then_some(NAMELESS.into());
    report.next_step = (operation == Operation::Collect).then_some(NextStep::AnswerPrompt);
    tell_details(&mut report, &reply.fields);
    report.raw = response.body.clone().into();
    Ok(report)
}

/// The answer to the registration of a callback URL.
pub(crate) fn registered(response: &Response) -> Result<ProviderRefs> {
    Ok(acknowledged(Operation::RegisterCallback, response)?.provider_refs())
}

pub(crate) fn balances(id: &ProviderId, response: &Response) -> Result<BalanceReport> {
    let Some(reply) = Reply::read(response) else { return Err(response.unreadable(Operation::Balances)) };
    let told = field::BALANCES.iter().map(|name| (*name, reply.fields.said(&[*name])));
    let read = |(name, said): (&str, Said)| Some(Balance::new(name, Money::kes(said.as_str()?).ok()?));
    let balances: Option<Vec<_>> = told.filter(|(_, said)| *said != Said::Nothing).map(read).collect();
    let raw = response.body.clone().into();
    let said = reply.said();
    let is_fine = said == Said::Nothing || said.as_str().is_some_and(|code| ACCEPTED.contains(&code));
    match balances.filter(|balances| !balances.is_empty() && is_fine && response.is_success()) {
        Some(balances) => Ok(BalanceReport::new(id.clone(), balances, Trust::Answered, raw)),
        None => Err(reply.refusal(Operation::Balances, response)),
    }
}

/// The answer to a question about a transaction.
pub(crate) fn status(settings: &Settings, ticket: &Ticket, response: &Response) -> Result<Answer> {
    let Some(reply) = Reply::read(response) else { return Err(response.unreadable(Operation::Status)) };
    let outer = reply.said();
    let is_refused = outer.as_str().is_some_and(|code| OF_THE_QUESTION.contains(&code));
    let is_missing = outer.as_str() == Some(NOT_FOUND) && response.status < 500;
    let details = match reply.fields.object(field::DETAILS) {
        Said::This(details) if response.is_success() && !is_refused && tells(&details) => details,
        Said::Nothing if is_missing => return Ok(Answer::NoSuchReference),
        _ => return Err(reply.refusal(Operation::Status, response)),
    };
    let mut report = Report::new(settings.id.clone(), State::Pending, Trust::Answered);
    report.operation = Some(ticket.operation);
    report.raw = response.body.clone().into();
    tell(&mut report, &details, &outer);
    let asked = ticket.provider_refs.find(REF_TRANSACTION);
    let told = report.provider_refs.find(REF_TRANSACTION);
    let of_another = is_of_another(settings, &details)
        || told.is_some_and(|told| Some(told) != asked)
        || report.reference.as_ref().is_some_and(|named| *named != ticket.reference)
        || operations(&details).is_some_and(|these| !these.contains(&ticket.operation));
    if of_another {
        let message = "the gateway answered about another payment than it was asked about";
        let error =
            Error::new(ErrorKind::Unlisted, Operation::Status.uncertain(), Operation::Status, message);
        return Err(response.complete(error, Complaint::default()));
    }
    report.reference = Some(ticket.reference.clone());
    report.provider_refs = report.provider_refs.with(REF_TRANSACTION, asked);
    Ok(Answer::Known(report))
}

/// Whether there is anything about a transaction in it.
pub(crate) fn tells(told: &Fields) -> bool {
    told.said(field::STATUS) != Said::Nothing || told.said(field::CODE) != Said::Nothing
}

/// Whether it names another merchant than ours.
pub(crate) fn is_of_another(settings: &Settings, told: &Fields) -> bool {
    let named = told.said(field::MERCHANT);
    let is_ours = named.as_str().is_some_and(|name| name.eq_ignore_ascii_case(&settings.merchant));
    named != Said::Nothing && !is_ours
}

/// What is told of a transaction, in the details of an answer with `outer` for its code, or in a notice.
pub(crate) fn tell(report: &mut Report, told: &Fields, outer: &Said) {
    let (status, code) = (told.said(field::STATUS), told.said(field::CODE));
    let (amount, transaction) = (told.said(field::AMOUNT), told.said(field::TRANSACTION));
    let money = amount.as_str().and_then(|text| Money::kes(text).ok());
    let (destination, phone) = (told.said(field::DESTINATION), told.said(field::PHONE));
    let metadata = told.object(field::METADATA).this().unwrap_or_default();
    let named = metadata.said(&[wire::METADATA_REFERENCE]);
    let decisive = [&status, &code, outer, &amount, &transaction, &destination, &named];
    let conflicts = Reference::is_foreign(named.as_str()) || decisive.contains(&&Said::Conflict);
    let (state, remedy) = match verdict(&status, &code, outer) {
        _ if conflicts => (State::Pending, Some(CONTRADICTS)),
        (State::Settled, _) if money.is_none_or(|money| !money.is_positive()) => {
            (State::Pending, Some("a success without an amount proves nothing: ask again"))
        }
        verdict => verdict,
    };
    report.state = state;
    let only = operations(told).filter(|these| these.len() == 1).and_then(|these| these.first().copied());
    report.operation = report.operation.or(only);
    report.reference = named.as_str().and_then(|text| text.parse().ok());
    report.provider_refs = ProviderRefs::new().with(REF_TRANSACTION, transaction.as_str());
    report.amount = money;
    let collected = report.operation == Some(Operation::Collect);
    let parties = if collected { [&phone, &destination] } else { [&destination, &phone] };
    report.party = ToldParty::new(parties.iter().find_map(|party| party.as_str()), None);
    report.code = code.as_str().or(outer.as_str()).or(status.as_str()).map(Told::code);
    report.text = told.said(field::TEXT).as_str().or(status.as_str()).map(Told::new);
    report.remedy = remedy.map(Into::into);
    report.at = told.said(field::DATE).as_str().and_then(moment);
    for name in field::KEPT {
        if let Said::This(value) = told.said(&[*name]) {
            report.details.insert(*name, Told::code(&value));
        }
    }
    tell_details(report, told);
}

/// What the words and the codes of a transaction mean together. The word decides, and a code that disagrees with it
/// leaves everything open: the money may have moved.
fn verdict(status: &Said, code: &Said, outer: &Said) -> (State, Option<&'static str>) {
    let row = code.as_str().or(outer.as_str()).and_then(|code| CodeRow::find(CODES, code));
    let code_is_fine = code.as_str().is_none_or(|code| code == "0000");
    let outer_is_fine = outer.as_str().is_none_or(|code| ANSWERED.contains(&code));
    match status.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("success") if outer_is_fine && code_is_fine => (State::Settled, None),
        Some("failed") => {
            let failed = |code: &str| CodeRow::find(CODES, code).is_some_and(is_final);
            let agrees = code.as_str().is_none_or(failed);
            let outer_agrees = outer_is_fine || outer.as_str().is_some_and(failed);
            let remedy = row.map_or("the gateway's words say why", |row| row.remedy);
            if agrees && outer_agrees { (State::Failed, Some(remedy)) } else { (State::Pending, Some(OPEN)) }
        }
        Some("pending") => (State::Pending, Some("ask again later")),
        _ => (State::Pending, Some(OPEN)),
    }
}

/// Whether a transaction that is said to have failed with this code will stay so. That a service was unavailable is
/// only likely to mean that nothing was sent; together with the word it is enough.
fn is_final(row: &CodeRow<Meaning>) -> bool {
    let is_open = matches!(row.meaning, Meaning::Failed | Meaning::Duplicate);
    !is_open || matches!(row.code, "1105" | "1106")
}

/// What a transaction of this category can have been; none where it is not told or not known.
fn operations(told: &Fields) -> Option<&'static [Operation]> {
    match told.said(field::CATEGORY).as_str()? {
        "MobilePayout" | "BankPayout" => Some(&[Operation::PayOut]),
        "MpesaPayment" => Some(&[Operation::Collect]),
        "UtilityPayment" => Some(&[Operation::Airtime, Operation::Bill, Operation::Voucher]),
        _ => None,
    }
}

/// What was bought, the receipt of a settled payment, the payee's name, and whatever else the details hold.
fn tell_details(report: &mut Report, told: &Fields) {
    let (mut telco, mut biller) = (None, None);
    for (name, value) in told.object(field::DETAILS).this().unwrap_or_default().iter() {
        let safe = Told::code(&value);
        match good(name, report.operation) {
            Some(kind) => {
                biller = biller.or((kind == GoodKind::BillerReceipt).then_some(safe));
                report.goods.push(Good::new(kind, Secret::new(value)));
            }
            None if name == field::TELCO_RECEIPT => telco = Some(safe),
            None if name == field::CUSTOMER => {
                let account = report.party.take().and_then(|party| party.account);
                report.party = ToldParty::new(account.as_deref(), Some(&value));
            }
            None => report.details.insert(format!("details.{}", Told::code(name)), safe),
        }
    }
    if report.state == State::Settled {
        report.receipt = telco.or(biller);
    }
}

/// Nobody shows a voucher, so whatever could be spent like one is kept like one, but for payouts and collections: of
/// those `one` and `two` are words with receipts in them.
fn good(name: &str, operation: Option<Operation>) -> Option<GoodKind> {
    let small = name.to_ascii_lowercase();
    let has = |part: &&str| small.contains(part);
    match &*small {
        "units" => Some(GoodKind::Units),
        "biller_receipt" | "biller_receiptno" => Some(GoodKind::BillerReceipt),
        _ if has(&"token") && operation != Some(Operation::Voucher) => Some(GoodKind::PowerToken),
        _ if matches!(operation, Some(Operation::PayOut | Operation::Collect)) => None,
        name if name == "two" || has(&"serial") => Some(GoodKind::VoucherSerial),
        name if name == "one" || ["pin", "voucher", "token"].iter().any(has) => Some(GoodKind::VoucherPin),
        _ => None,
    }
}

/// A time in one of Kyanda's layouts: `23-09-2023 11.20am`, `01-01-2023 00:00 am`, `20210401091002`.
fn moment(text: &str) -> Option<Timestamp> {
    let whole = Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_eat(text, EatLayout::Compact));
    whole.or_else(|| {
        let (date, time) = text.split_once(' ')?;
        let time = time.trim().to_ascii_lowercase();
        let clock = time.strip_suffix("am").or(time.strip_suffix("pm")).unwrap_or(&time);
        let (hour, minute) = clock.trim().split_once([':', '.'])?;
        let hour = match hour.parse::<u8>().ok()? {
            12 if time.ends_with("am") => 0,
            hour @ ..12 if time.ends_with("pm") => hour + 12,
            // A clock of 24 hours is sometimes followed by `am` or `pm` all the same.
            hour => hour,
        };
        let dotted = format!("{} {hour:02}:{minute}:00", date.replace('-', "."));
        Timestamp::parse_eat(&dotted, EatLayout::Dotted)
    })
}

/// An acceptance has its code, comes with a 2xx, and does not name two transactions.
fn acknowledged(operation: Operation, response: &Response) -> Result<Reply> {
    let Some(reply) = Reply::read(response) else { return Err(response.unreadable(operation)) };
    let is_accepted = reply.said().as_str().is_some_and(|code| ACCEPTED.contains(&code));
    let is_whole = reply.code != Said::Nothing && reply.id != Said::Conflict && response.is_success();
    if is_accepted && is_whole { Ok(reply) } else { Err(reply.refusal(operation, response)) }
}

/// What every answer may say.
struct Reply {
    fields: Fields,
    status: Said,
    code: Said,
    text: Said,
    id: Said,
}

impl Reply {
    fn read(response: &Response) -> Option<Self> {
        let fields: Fields = read_object(&response.body).ok()?;
        let (status, code) = (fields.said(field::STATUS), fields.said(field::CODE));
        let (text, id) = (fields.said(field::TEXT), fields.said(field::ID));
        Some(Self { fields, status, code, text, id })
    }

    /// The code, or what stands for it where there is none: an answer to a question has it as its status. A word that
    /// disagrees with the code is a conflict.
    fn said(&self) -> Said {
        let word = self.status.as_str().map(str::to_ascii_lowercase);
        match (&self.code, word.as_deref()) {
            _ if self.status == Said::Conflict => Said::Conflict,
            (Said::This(code), Some(word)) if !agree(code, word) => Said::Conflict,
            (Said::Nothing, Some("success")) => Said::Nothing,
            (Said::Nothing, _) => self.status.clone(),
            (code, _) => code.clone(),
        }
    }

    fn provider_refs(&self) -> ProviderRefs {
        ProviderRefs::new().with(REF_TRANSACTION, self.id.as_str())
    }

    /// What an answer that is no acceptance means for the operation.
    fn refusal(&self, operation: Operation, response: &Response) -> Error {
        let said = self.said();
        let has_code = self.code != Said::Nothing || operation == Operation::Status;
        let refused = said.as_str().filter(|code| has_code && !ACCEPTED.contains(code));
        let code = refused.or(self.code.as_str());
        let complaint = Complaint { code, text: self.text.as_str(), request_id: self.id.as_str() };
        let registers = operation == Operation::RegisterCallback;
        match refused {
            Some("6001" | "6002") if registers => response.refusal(operation, REGISTRATION, complaint),
            Some(_) => response.refusal(operation, CODES, complaint),
            None => response.complete(response.unreadable(operation), complaint),
        }
    }
}

/// Whether a code and a word beside it say the same: a refusal is failed or repeats itself, and an acceptance is not
/// failed and no other code.
fn agree(code: &str, word: &str) -> bool {
    if ACCEPTED.contains(&code) {
        let is_code = word.bytes().all(|byte| byte.is_ascii_digit());
        word != "failed" && (!is_code || ACCEPTED.contains(&word))
    } else {
        word == "failed" || word == code
    }
}

/// What accepts an instruction, and what may be around an answer to a question.
const ACCEPTED: &[&str] = &["0000", "200", "1100"];
const ANSWERED: &[&str] = &["0000", "200"];
const NOT_FOUND: &str = "7001";
/// What can be wrong with a question itself: around details such a code says nothing of the payment.
const OF_THE_QUESTION: &[&str] = &["1101", "1102", "1103", "1104", "1105", "1106", "1108", "1109"];

const CHECK_KEYS: &str =
    "check the merchant id, the API key and the security key, and that they are of this environment";
const CORRECT: &str = "correct what the gateway names";
const TOP_UP: &str = "top up the float, then pay again";
const ASK: &str = "find out first what became of it: by its notice, by its status, or on the dashboard";
const CONTRADICTS: &str = "it says two things at once: ask again, and Kyanda if it stays";
pub(crate) const NAMELESS: &str = "Kyanda gave no name to ask by: wait for its notice, and do not pay again";
const OPEN: &str = "its word and its code do not end it: ask again, and Kyanda if it stays";

/// The error tables (Kyanda's page, read 2026-11-22; 1201, 3101 and 4000 from newer public references).
#[rustfmt::skip]
const CODES: &[CodeRow<Meaning>] = &[
    CodeRow::new("1101", Meaning::CredentialsRejected, CHECK_KEYS),
    CodeRow::new("1102", Meaning::CredentialsRejected, CHECK_KEYS),
    CodeRow::new("1103", Meaning::Refused, "the merchant may not do this: ask Kyanda"),
    CodeRow::new("1104", Meaning::CredentialsRejected, CHECK_KEYS),
    CodeRow::new("1105", Meaning::Failed, ASK),
    CodeRow::new("1106", Meaning::Failed, ASK),
    CodeRow::new("1107", Meaning::Refused, TOP_UP),
    CodeRow::new("1108", Meaning::Refused, CORRECT),
    CodeRow::new("1109", Meaning::Refused, CORRECT),
    CodeRow::new("1201", Meaning::Refused, "the bank code is not one of Kyanda's: correct it"),
    CodeRow::new("3101", Meaning::Refused, CORRECT),
    CodeRow::new("4000", Meaning::Refused, TOP_UP),
    CodeRow::new("5000", Meaning::Failed, ASK),
    CodeRow::new("8001", Meaning::Refused, "the account is not one of this biller's: correct it"),
    CodeRow::new("8002", Meaning::Refused, CORRECT),
    CodeRow::new("8003", Meaning::Refused, "Kyanda does not serve this biller: check its code"),
    CodeRow::new("8004", Meaning::Refused, CORRECT),
    CodeRow::new("8005", Meaning::Refused, "the amount is outside the biller's limits"),
    CodeRow::new("8006", Meaning::Duplicate, ASK),
    CodeRow::new("9001", Meaning::Refused, CORRECT),
    CodeRow::new("9002", Meaning::Refused, "the network or the bundle is not one of Kyanda's: correct it"),
    CodeRow::new("9003", Meaning::Refused, CORRECT),
    CodeRow::new("9004", Meaning::Refused, "the amount is outside the limits for airtime"),
    CodeRow::new("9005", Meaning::Duplicate, ASK),
];

/// The same page's table for the registration of a callback URL.
#[rustfmt::skip]
const REGISTRATION: &[CodeRow<Meaning>] = &[
    CodeRow::new("6001", Meaning::Refused, "a URL may be registered already: only Kyanda's support changes it"),
    CodeRow::new("6002", Meaning::Refused, "Kyanda takes an https URL"),
];
