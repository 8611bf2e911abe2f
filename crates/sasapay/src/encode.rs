//! What we want, as SasaPay's requests. Pure.

use http::{HeaderName, HeaderValue, header};
use malipo_core::{
    Bank, CallbackUrl, Collect, Confirm, Currency, Effect, Error, ErrorKind, Instruction, Money, Msisdn,
    Network, Operation, PayerSource, ProviderRefs, Result, Secret, Terms, Ticket,
};
use malipo_transport::{AppKeys, Call, Path, secret_header};
use serde_json::value::{RawValue, to_raw_value};

use crate::config::Settings;
use crate::decode::{REF_CHECKOUT, REF_TRANSACTION};
use crate::wire::{self, IpnRequest, PaymentRequest, ProcessRequest, StatusRequest, VerifyRequest};

/// The detail that goes out as the fee of the transaction: an amount of shillings, as in `0` or `12.50`.
pub(crate) const DETAIL_TRANSACTION_FEE: &str = "transaction_fee";

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
        Instruction::Collect(collect) => collection(settings, collect),
        Instruction::Confirm(confirm) => confirmation(settings, confirm),
        other => Err(unsupported(other.operation())),
    }
}

/// By the gateway's name for the collection, or by ours where its answer was lost.
pub(crate) fn status(settings: &Settings, ticket: &Ticket) -> Result<Call> {
    if ticket.operation != Operation::Collect {
        let what = format!("only a collection can be asked about, not a {}", ticket.operation);
        return Err(Error::new(ErrorKind::Unsupported, Effect::Unchanged, Operation::Status, what));
    }
    let Some(callback) = &ticket.callback else {
        return Err(invalid(Operation::Status, "the ticket lacks the callback that the answer is posted to"));
    };
    let checkout_request_id = ticket.provider_refs.find(REF_CHECKOUT);
    let request = StatusRequest {
        merchant_code: settings.merchant_code.as_str(),
        checkout_request_id,
        merchant_transaction_reference: checkout_request_id.is_none().then(|| ticket.reference.as_str()),
        callback_url: callback.result.as_str(),
    };
    let call = Call::post(Operation::Status, Path::new(wire::STATUS_PATH), &request)?;
    Ok(call.with_reference(&ticket.reference))
}

pub(crate) fn verify(settings: &Settings, refs: &ProviderRefs) -> Result<Call> {
    let nameless = || invalid(Operation::Status, "SasaPay looks money up by the reference `transaction`");
    let transaction_code = refs.find(REF_TRANSACTION).ok_or_else(nameless)?;
    let request = VerifyRequest { merchant_code: settings.merchant_code.as_str(), transaction_code };
    Call::post(Operation::Status, Path::new(wire::VERIFY_PATH), &request)
}

pub(crate) fn balances(settings: &Settings) -> Call {
    let path = Path::new(wire::BALANCE_PATH).query("MerchantCode", settings.merchant_code.as_str());
    Call::get(Operation::Balances, path)
}

pub(crate) fn register_ipn_url(settings: &Settings, url: &CallbackUrl) -> Result<Call> {
    let request =
        IpnRequest { merchant_code: settings.merchant_code.as_str(), confirmation_url: url.as_str() };
    Call::post(Operation::RegisterCallback, Path::new(wire::IPN_PATH), &request)
}

fn collection(settings: &Settings, Collect { from, terms, .. }: &Collect) -> Result<Call> {
    let refuse = |message: &str| invalid(Operation::Collect, message);
    let callback = terms.callback.as_ref().or(settings.callback.as_ref());
    let callback = callback.ok_or_else(|| refuse("a callback URL is required"))?;
    let default_description = format!("Payment {}", terms.reference);
    let description = terms.description.as_deref().unwrap_or(&default_description);
    if !(1..=100).contains(&description.chars().count()) || description.chars().any(char::is_control) {
        return Err(refuse("the description must be 1 to 100 characters without control characters"));
    }
    let (network_code, msisdn) = channel(&from.source)?;
    let request = PaymentRequest {
        merchant_code: settings.merchant_code.as_str(),
        network_code,
        transaction_fee: fee(&from.source, terms)?,
        currency: terms.amount.currency().code(),
        amount: terms.amount.to_plain(),
        callback_url: callback.result.as_str(),
        phone_number: msisdn.international(),
        transaction_desc: description,
        account_reference: terms.reference.as_str(),
    };
    let call = Call::post(Operation::Collect, Path::new(wire::REQUEST_PATH), &request)?;
    Ok(call.with_reference(&terms.reference))
}

fn confirmation(settings: &Settings, Confirm { ticket, code, .. }: &Confirm) -> Result<Call> {
    let refuse = |message: &str| invalid(Operation::Confirm, message);
    let checkout = ticket.provider_refs.find(REF_CHECKOUT);
    let checkout = checkout.ok_or_else(|| refuse("the ticket lacks the reference \"checkout\""))?;
    let digits = code.expose();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse("the code that the payer was sent has 6 digits"));
    }
    let request = ProcessRequest {
        checkout_request_id: checkout,
        merchant_code: settings.merchant_code.as_str(),
        verification_code: digits,
    };
    let call = Call::post(Operation::Confirm, Path::new(wire::PROCESS_PATH), &request)?;
    Ok(call.with_reference(&ticket.reference).with_secret(code.clone()))
}

/// Where the money comes from, as SasaPay numbers it, and the phone of its owner. A bank's code that is given verbatim
/// must not be that of a wallet: the next step of its payer is another.
fn channel(source: &PayerSource) -> Result<(&str, &Msisdn)> {
    match source {
        PayerSource::GatewayWallet { msisdn } => Ok(("0", msisdn)),
        PayerSource::MobileMoney { network: Network::Safaricom, msisdn } => Ok(("63902", msisdn)),
        PayerSource::MobileMoney { network: Network::Airtel, msisdn } => Ok(("63903", msisdn)),
        PayerSource::MobileMoney { network: Network::Telkom, msisdn } => Ok(("63907", msisdn)),
        PayerSource::Bank { bank, msisdn } => {
            let code = bank.code_in(BANKS, Operation::Collect)?;
            let is_code = (2..=5).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
            if !is_code || WALLETS.contains(&code) {
                let message = "a bank's code at SasaPay is 2 to 5 digits, and not that of a wallet";
                return Err(invalid(Operation::Collect, message));
            }
            Ok((code, msisdn))
        }
        _ => Err(unsupported(Operation::Collect)),
    }
}

/// A number for wallets at the gateway, a text for all others, each as its sample on the page has it.
fn fee(source: &PayerSource, terms: &Terms) -> Result<Option<Box<RawValue>>> {
    let Some(text) = terms.details.find(DETAIL_TRANSACTION_FEE) else { return Ok(None) };
    let is_fee = Money::parse(text, Currency::Kes).is_ok() && !text.starts_with('-');
    let written = match source {
        // What Money reads is spelled as JSON spells numbers.
        PayerSource::GatewayWallet { .. } => RawValue::from_string(text.to_owned()),
        _ => to_raw_value(text),
    };
    written.ok().filter(|_| is_fee).map(Some).ok_or_else(|| {
        invalid(Operation::Collect, "the detail \"transaction_fee\" is no amount of shillings")
    })
}

fn invalid(operation: Operation, message: &str) -> Error {
    Error::new(ErrorKind::Invalid, operation.not_started(), operation, message)
}

fn unsupported(operation: Operation) -> Error {
    let message = "this provider only collects, from wallets and banks";
    Error::new(ErrorKind::Unsupported, operation.not_started(), operation, message)
}

const WALLETS: &[&str] = &["00", "97", "63902", "63903", "63907"];

/// The banks that SasaPay lists (a public copy of its page of channel codes, read 2026-11-22).
#[rustfmt::skip]
const BANKS: &[(Bank, &str)] = &[
    (Bank::Kcb, "01"), (Bank::StandardChartered, "02"), (Bank::Absa, "03"), (Bank::Ncba, "07"),
    (Bank::Prime, "10"), (Bank::Coop, "11"), (Bank::National, "12"), (Bank::MOriental, "14"),
    (Bank::Citi, "16"), (Bank::Habib, "17"), (Bank::MiddleEast, "18"), (Bank::BankOfAfrica, "19"),
    (Bank::Consolidated, "23"), (Bank::Credit, "25"), (Bank::Stanbic, "31"), (Bank::Abc, "35"),
    (Bank::Choice, "36"), (Bank::Ecobank, "43"), (Bank::Spire, "49"), (Bank::Paramount, "50"),
    (Bank::Kingdom, "51"), (Bank::GuarantyTrust, "53"), (Bank::Victoria, "54"), (Bank::Guardian, "55"),
    (Bank::Im, "57"), (Bank::Hfc, "61"), (Bank::Dtb, "63"), (Bank::Mayfair, "65"), (Bank::Sidian, "66"),
    (Bank::Equity, "68"), (Bank::Family, "70"), (Bank::GulfAfrican, "72"), (Bank::FirstCommunity, "74"),
    (Bank::Dib, "75"), (Bank::Uba, "76"), (Bank::Kwft, "78"), (Bank::StimaSacco, "89"),
];
