//! What we want, as KasaPay's requests. Pure.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use malipo_core::{
    Error, ErrorKind, Instruction, Operation, PayOut, PayeeAccount, Result, Secret, Terms, Ticket,
};
use malipo_transport::{AppKeys, Call, Path, secret_header};

use crate::config::Settings;
use crate::wire::{self, PayoutRequest, TokenRequest};

/// The detail that goes out as the reference of the recipient's account, where the payee does not say one.
pub(crate) const DETAIL_ACCOUNT_REFERENCE: &str = "account_reference";
/// Details that go out as fields of their own, such as `extra.bank_code`: what KasaPay asks of one merchant by contract.
pub(crate) const DETAIL_EXTRA: &str = "extra.";

pub(crate) fn token(keys: &AppKeys) -> Result<Call> {
    let AppKeys { key, secret, .. } = keys;
    let request = TokenRequest { consumer_key: key.expose(), consumer_secret: secret.expose() };
    let call = Call::post(Operation::Authorize, Path::new(wire::TOKEN_PATH), &request)?;
    Ok(call.with_secret(key.clone()).with_secret(secret.clone()))
}

/// The bare token, without a word before it.
pub(crate) fn attach(token: &Secret) -> Result<(HeaderName, HeaderValue)> {
    Ok((HeaderName::from_static(wire::TOKEN_HEADER), secret_header("", token)?))
}

pub(crate) fn submit(settings: &Settings, instruction: &Instruction) -> Result<Call> {
    settings.capabilities.admit(instruction, settings.callback.as_ref())?;
    match instruction {
        Instruction::PayOut(pay_out) => payout(settings, pay_out),
        other => Err(unsupported(other.operation())),
    }
}

pub(crate) fn status(ticket: &Ticket) -> Result<Call> {
    if ticket.operation != Operation::PayOut {
        return Err(unsupported(Operation::Status));
    }
    let path = Path::new(wire::PAYOUTS_PATH).segment(ticket.reference.as_str()).segment(wire::STATUS_SEGMENT);
    Ok(Call::get(Operation::Status, path).with_reference(&ticket.reference))
}

fn payout(settings: &Settings, PayOut { to, terms, .. }: &PayOut) -> Result<Call> {
    let name = to.name.as_ref().ok_or_else(|| invalid("the payee's name is required"))?;
    let callback = terms.callback.as_ref().or(settings.callback.as_ref());
    let callback = callback.ok_or_else(|| invalid("a callback URL is required"))?;
    let is_paybill = matches!(to.account, PayeeAccount::Paybill { .. });
    if is_paybill && terms.details.find(DETAIL_ACCOUNT_REFERENCE).is_some() {
        return Err(invalid(
            "a paybill has its account in the payee: leave the detail \"account_reference\" out",
        ));
    }
    let own_reference = terms.details.find(DETAIL_ACCOUNT_REFERENCE).unwrap_or(terms.reference.as_str());
    let recipient = Recipient::of(&to.account, own_reference)?;
    let default_description = format!("Payment {}", terms.reference);
    let description = terms.description.as_deref().unwrap_or(&default_description);
    if !is_text(description) || !is_text(recipient.account_reference) {
        return Err(invalid("texts must be 1 to 100 characters without control characters"));
    }
    let request = PayoutRequest {
        payout_reference: terms.reference.as_str(),
        service_code: &settings.service_code,
        payment_account_reference: recipient.account_reference,
        recipient_name: name.as_str(),
        recipient_type: recipient.kind,
        recipient_account_number: recipient.account_number,
        amount: terms.amount.to_plain(),
        payment_description: description,
        payment_method: recipient.method,
        currency_code: terms.amount.currency().code(),
        country_code: &settings.country_code,
        callback_url: callback.result.as_str(),
        extra: extra(terms)?,
    };
    let path = Path::new(wire::PAYOUTS_PATH).segment(wire::INITIATE_SEGMENT);
    Ok(Call::post(Operation::PayOut, path, &request)?.with_reference(&terms.reference))
}

/// The payee, as KasaPay divides it. The method follows from the kind, so the two cannot be mismatched.
struct Recipient<'a> {
    kind: &'static str,
    method: &'static str,
    account_number: &'a str,
    account_reference: &'a str,
}

impl<'a> Recipient<'a> {
    fn of(account: &'a PayeeAccount, own_reference: &'a str) -> Result<Self> {
        match account {
            PayeeAccount::Paybill { number, account } => Ok(Self {
                kind: "PAYBILL",
                method: "MPESA_B2B",
                account_number: number.as_str(),
                account_reference: account.as_str(),
            }),
            PayeeAccount::Till { number } => Ok(Self {
                kind: "TILL",
                method: "MPESA_B2B",
                account_number: number.as_str(),
                account_reference: own_reference,
            }),
            PayeeAccount::Bank { bank: None, number } => Ok(Self {
                kind: "BANK_ACCOUNT_NUMBER",
                method: "BANK",
                account_number: number.as_str(),
                account_reference: own_reference,
            }),
            PayeeAccount::Bank { bank: Some(_), .. } => {
                Err(invalid("KasaPay takes no bank: it follows from the service code, so leave it out"))
            }
            _ => Err(unsupported(Operation::PayOut)),
        }
    }
}

fn extra(terms: &Terms) -> Result<BTreeMap<&str, &str>> {
    let extra: BTreeMap<_, _> = terms
        .details
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(DETAIL_EXTRA)?, value)))
        .collect();
    match extra.keys().find(|field| wire::PAYOUT_FIELDS.contains(*field)) {
        Some(field) => {
            Err(invalid(&format!("the detail \"extra.{field}\" would replace a field of the payout")))
        }
        None => Ok(extra),
    }
}

fn is_text(text: &str) -> bool {
    (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, Operation::PayOut.not_started(), Operation::PayOut, message)
}

fn unsupported(operation: Operation) -> Error {
    let message = "this provider only pays out to paybills, tills and bank accounts";
    Error::new(ErrorKind::Unsupported, operation.not_started(), operation, message)
}
