//! What we want, as Daraja's requests. Pure.

use http::{HeaderName, HeaderValue, header};
use malipo_core::{
    Callback, CallbackUse, Error, ErrorKind, Instruction, Operation, PayOut, PayeeAccount, Purpose, Result,
    Secret, Ticket,
};
use malipo_transport::{AppKeys, Call, Path, secret_header};

use crate::config::Settings;
use crate::wire::{self, PaymentRequest, Query};

/// Words that Daraja is said not to call a URL with, in any letter case (the portal's C2B page; to apply them to
/// B2C is caution). The gateway accepts such a URL and stays silent, so it is refused here.
pub const REFUSED_CALLBACK_WORDS: &[&str] =
    &["mpesa", "m-pesa", "safaricom", "exe", "exec", "cmd", "sql", "query"];

/// The detail that goes out as the occasion of a payout, 1 to 100 characters.
pub(crate) const DETAIL_OCCASION: &str = "occasion";

/// The kind of reference under which M-PESA knows a payment once it is made: the receipt.
pub(crate) const REF_TRANSACTION: &str = "transaction";

pub(crate) fn token(keys: &AppKeys) -> Result<Call> {
    let credentials = keys.basic();
    let path = Path::new(wire::TOKEN_PATH).query("grant_type", "client_credentials");
    Ok(Call::get(Operation::Authorize, path)
        .with_header(header::AUTHORIZATION, secret_header("Basic ", &credentials)?)
        .with_secret(credentials)
        .with_secret(keys.key.clone())
        .with_secret(keys.secret.clone()))
}

pub(crate) fn attach(token: &Secret) -> Result<(HeaderName, HeaderValue)> {
    Ok((header::AUTHORIZATION, secret_header("Bearer ", token)?))
}

pub(crate) fn submit(settings: &Settings, instruction: &Instruction) -> Result<Call> {
    settings.capabilities.admit(instruction, settings.callback.as_ref())?;
    match instruction {
        Instruction::PayOut(pay_out) => payment(settings, pay_out),
        other => Err(unsupported(other.operation())),
    }
}

pub(crate) fn status(settings: &Settings, ticket: &Ticket) -> Result<Call> {
    if ticket.operation != Operation::PayOut {
        return Err(unsupported(Operation::Status));
    }
    let urls = urls(settings, ticket.callback.as_ref(), Operation::Status)?;
    let transaction_id = ticket.provider_refs.find(REF_TRANSACTION);
    let original_conversation_id = transaction_id.is_none().then(|| ticket.reference.as_str());
    let query = query(settings, "TransactionStatusQuery", urls);
    let query = Query { transaction_id, original_conversation_id, ..query };
    let call = Call::post(Operation::Status, Path::new(wire::STATUS_PATH), &query)?;
    Ok(call.with_reference(&ticket.reference).with_secret(settings.initiator.credential.secret().clone()))
}

pub(crate) fn balances(settings: &Settings, callback: &Callback) -> Result<Call> {
    let query = query(settings, "AccountBalance", urls(settings, Some(callback), Operation::Balances)?);
    let call = Call::post(Operation::Balances, Path::new(wire::BALANCE_PATH), &query)?;
    Ok(call.with_secret(settings.initiator.credential.secret().clone()))
}

fn payment(settings: &Settings, PayOut { to, terms, .. }: &PayOut) -> Result<Call> {
    let refuse = |message: &str| invalid(Operation::PayOut, message);
    let PayeeAccount::Wallet { msisdn, .. } = &to.account else { return Err(unsupported(Operation::PayOut)) };
    let amount = terms.amount.whole().ok_or_else(|| refuse("the amount is not in whole shillings"))?;
    let default_remarks = format!("Payment {}", terms.reference);
    let remarks = terms.description.as_deref().unwrap_or(&default_remarks);
    if !is_text(remarks, 2) {
        return Err(refuse("the description must be 2 to 100 characters without control characters"));
    }
    let occasion = terms.details.find(DETAIL_OCCASION);
    if occasion.is_some_and(|occasion| !is_text(occasion, 1)) {
        return Err(refuse("the detail \"occasion\" must be 1 to 100 characters without control characters"));
    }
    let (result_url, queue_time_out_url) =
        urls(settings, terms.callback.as_ref().or(settings.callback.as_ref()), Operation::PayOut)?;
    let credential = settings.initiator.credential.secret();
    let request = PaymentRequest {
        originator_conversation_id: terms.reference.as_str(),
        initiator_name: &settings.initiator.name,
        security_credential: credential.expose(),
        command_id: match terms.purpose {
            Purpose::General => "BusinessPayment",
            Purpose::Salary => "SalaryPayment",
            Purpose::Promotion => "PromotionPayment",
            other => return Err(refuse(&format!("M-PESA has no command for the purpose {other:?}"))),
        },
        amount: amount.to_string(),
        party_a: settings.shortcode.as_str(),
        party_b: msisdn.international(),
        remarks,
        queue_time_out_url,
        result_url,
        occasion,
    };
    let call = Call::post(Operation::PayOut, Path::new(wire::PAYMENT_PATH), &request)?;
    Ok(call.with_reference(&terms.reference).with_secret(credential.clone()))
}

/// Where to post results and queue timeouts. What is asked needs URLs of its own: the failure of a question must not
/// come to where the failure of a payment is expected.
fn urls<'a>(
    settings: &Settings,
    callback: Option<&'a Callback>,
    operation: Operation,
) -> Result<(&'a str, &'a str)> {
    let admitted = settings.capabilities.admit_callback(CallbackUse::ResultAndTimeout, callback);
    admitted.map_err(|message| invalid(operation, &message))?;
    match callback {
        Some(Callback { result, timeout: Some(timeout), .. }) => Ok((result.as_str(), timeout.as_str())),
        _ => Err(invalid(operation, "callback URLs for the result and for queue timeouts are required")),
    }
}

fn query<'a>(settings: &'a Settings, command_id: &'static str, urls: (&'a str, &'a str)) -> Query<'a> {
    Query {
        initiator: &settings.initiator.name,
        security_credential: settings.initiator.credential.secret().expose(),
        command_id,
        transaction_id: None,
        original_conversation_id: None,
        party_a: settings.shortcode.as_str(),
        identifier_type: wire::SHORTCODE_IDENTIFIER,
        result_url: urls.0,
        queue_time_out_url: urls.1,
        remarks: command_id,
    }
}

fn is_text(text: &str, shortest: usize) -> bool {
    (shortest..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn invalid(operation: Operation, message: &str) -> Error {
    Error::new(ErrorKind::Invalid, operation.not_started(), operation, message)
}

fn unsupported(operation: Operation) -> Error {
    let message = "this provider only pays out to M-PESA wallets";
    Error::new(ErrorKind::Unsupported, operation.not_started(), operation, message)
}
