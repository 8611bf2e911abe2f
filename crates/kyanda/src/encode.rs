//! What we want, as Kyanda's requests. Pure.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderName;
use malipo_core::{
    Bill, Biller, CallbackUrl, Collect, Error, ErrorKind, Instruction, Money, Msisdn, Network, Operation,
    PayOut, PayeeAccount, PayerSource, Result, Terms, Ticket,
};
use malipo_transport::{Call, Path, StaticKey};
use sha2::Sha256;

use crate::config::{Keys, Settings};
use crate::decode::{NAMELESS, REF_TRANSACTION};
use crate::wire::{self, Order};
use crate::{Endpoint, FaibaBundle};

/// The detail that names a bundle of Faiba's: one of [`FaibaBundle`], or a product code that goes out verbatim.
pub(crate) const DETAIL_BUNDLE: &str = "bundle";
/// Details that go out as metadata of a checkout, such as `metadata.loan`, and come back with its notice.
pub(crate) const DETAIL_METADATA: &str = "metadata.";

/// The API key, as it goes with every request.
pub(crate) fn key(keys: &Keys) -> StaticKey {
    StaticKey::new(HeaderName::from_static(wire::KEY_HEADER), keys.api.clone())
}

pub(crate) fn submit(settings: &Settings, instruction: &Instruction) -> Result<Call> {
    settings.capabilities.admit(instruction, None)?;
    let call = match instruction {
        Instruction::PayOut(pay_out) => payout(settings, pay_out),
        Instruction::Collect(collect) => checkout(settings, collect),
        Instruction::Bill(bill) => self::bill(settings, bill),
        Instruction::Airtime(it) => airtime(settings, Operation::Airtime, &it.to, it.network, &it.terms),
        Instruction::Voucher(it) => airtime(settings, Operation::Voucher, &it.to, it.network, &it.terms),
        other => Err(unsupported(other.operation())),
    };
    Ok(call?.with_reference(instruction.reference()))
}

pub(crate) fn status(settings: &Settings, ticket: &Ticket) -> Result<Call> {
    if !settings.capabilities.does(ticket.operation) {
        return Err(unsupported(Operation::Status));
    }
    let Some(transaction) = ticket.provider_refs.find(REF_TRANSACTION) else {
        return Err(invalid(Operation::Status, NAMELESS));
    };
    let request = wire::CheckRequest { transaction };
    let call = call(settings, Endpoint::TransactionCheck, Operation::Status, &request)?;
    Ok(call.with_reference(&ticket.reference))
}

pub(crate) fn balances(settings: &Settings) -> Result<Call> {
    let request = wire::MerchantRequest { callback_url: None };
    call(settings, Endpoint::AccountBalance, Operation::Balances, &request)
}

pub(crate) fn registration(settings: &Settings, url: &CallbackUrl) -> Result<Call> {
    if !url.as_str().starts_with("https://") {
        return Err(invalid(Operation::RegisterCallback, "Kyanda posts to https only"));
    }
    let request = wire::MerchantRequest { callback_url: Some(url.as_str()) };
    call(settings, Endpoint::CallbackRegistration, Operation::RegisterCallback, &request)
}

fn payout(settings: &Settings, PayOut { to, terms, .. }: &PayOut) -> Result<Call> {
    let operation = Operation::PayOut;
    let by = &settings.initiator;
    let source = wire::Source { initiator_name: by.name.as_str(), initiator_country: &by.country };
    match (&to.account, &to.name, &to.phone) {
        (PayeeAccount::Wallet { network, msisdn }, _, _) => {
            let destination = wire::Wallet {
                destination_phone: msisdn.local(),
                amount: shortest(terms.amount),
                channel: code_of(wire::CHANNELS, network, operation)?,
            };
            call(settings, Endpoint::MobilePayout, operation, &wire::PayoutRequest { source, destination })
        }
        (PayeeAccount::Bank { bank: Some(bank), number }, Some(name), Some(phone)) => {
            let bank_code = bank.code_in(wire::BANKS, operation)?;
            if bank_code.len() != 3 || !bank_code.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(invalid(operation, "a bank code of Kyanda's is three digits"));
            }
            let destination = wire::BankAccount {
                name: name.as_str(),
                account_number: number.as_str(),
                phone_number: phone.local(),
                amount: terms.amount.to_plain(),
                bank_code,
            };
            call(settings, Endpoint::BankPayout, operation, &wire::PayoutRequest { source, destination })
        }
        (PayeeAccount::Bank { .. }, _, _) => {
            Err(invalid(operation, "a bank payout needs the bank, and the payee's name and phone"))
        }
        _ => Err(unsupported(operation)),
    }
}

fn checkout(settings: &Settings, Collect { from, terms, .. }: &Collect) -> Result<Call> {
    let PayerSource::MobileMoney { network, msisdn } = &from.source else {
        return Err(unsupported(Operation::Collect));
    };
    let details = terms.details.iter();
    let mut metadata: BTreeMap<_, _> =
        details.filter_map(|(key, value)| Some((key.strip_prefix(DETAIL_METADATA)?, value))).collect();
    if metadata.insert(wire::METADATA_REFERENCE, terms.reference.as_str()).is_some() {
        let message = "the metadata \"reference\" is our own reference: give the detail another name";
        return Err(invalid(Operation::Collect, message));
    }
    let request = wire::CheckoutRequest {
        phone_number: msisdn.local(),
        amount: shortest(terms.amount),
        channel: code_of(wire::CHANNELS, network, Operation::Collect)?,
        metadata,
    };
    call(settings, Endpoint::Checkout, Operation::Collect, &request)
}

/// Airtime, or a voucher, which takes no bundle.
fn airtime(
    settings: &Settings,
    operation: Operation,
    to: &Msisdn,
    network: Network,
    terms: &Terms,
) -> Result<Call> {
    let bundle = terms.details.find(DETAIL_BUNDLE);
    let named = FaibaBundle::NAMED.iter().find(|named| Some(named.name()) == bundle);
    if let Some(named) = named.filter(|named| named.price() != terms.amount) {
        let message = format!("{:?} costs {}, no more and no less", named.name(), named.price());
        return Err(invalid(operation, &message));
    }
    let product_code = bundle.filter(|_| named.is_none());
    let is_code =
        |code: &str| (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic());
    if !product_code.is_none_or(is_code) {
        return Err(invalid(operation, "a bundle is one of FaibaBundle's names, or a code without spaces"));
    }
    let telco = code_of(wire::TELCOS, &network, operation)?;
    let request = wire::AirtimeRequest {
        phone: to.local(),
        amount: shortest(terms.amount),
        telco: bundle.map_or(telco, |_| wire::FAIBA_BUNDLES),
        initiator_phone: settings.initiator.phone.local(),
        product_code,
    };
    let endpoint = if operation == Operation::Voucher { Endpoint::Voucher } else { Endpoint::Airtime };
    call(settings, endpoint, operation, &request)
}

fn bill(settings: &Settings, Bill { biller, account, terms, .. }: &Bill) -> Result<Call> {
    let telco = match biller {
        Biller::Code(code) => &**code,
        named => code_of(wire::BILLERS, named, Operation::Bill)?,
    };
    if telco.is_empty() || !telco.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        let message = "a biller's code is capitals and underscores: a digit could belong to the account";
        return Err(invalid(Operation::Bill, message));
    }
    if !account.as_str().ends_with(|last: char| last.is_ascii_digit()) {
        let message = "the account does not end in a digit: what is signed could also mean another biller";
        return Err(invalid(Operation::Bill, message));
    }
    let request = wire::BillRequest {
        account: account.as_str(),
        amount: terms.amount.to_plain(),
        telco,
        initiator_phone: settings.initiator.phone.local(),
    };
    call(settings, Endpoint::Bill, Operation::Bill, &request)
}

/// The signature is of the values alone, with nothing between them. So each value is written in one way only, and so
/// that nobody can take the end of one for the beginning of the next.
fn call(settings: &Settings, endpoint: Endpoint, operation: Operation, request: &impl Order) -> Result<Call> {
    let merchant = settings.merchant.as_str();
    let signature = sign(&settings.keys, &request.order(merchant).concat(), operation)?;
    let path = settings.paths.get(&endpoint).map_or(endpoint.default_path(), String::as_str);
    Call::post(operation, Path::new(path), &wire::Signed { merchant, request, signature })
}

/// HMAC-SHA256 in small hexadecimal digits.
fn sign(keys: &Keys, message: &str, operation: Operation) -> Result<String> {
    let mac = Hmac::<Sha256>::new_from_slice(keys.security.expose().as_bytes()).map_err(|error| {
        let message = "the security key cannot sign";
        Error::new(ErrorKind::Configuration, operation.not_started(), operation, message).with_source(error)
    })?;
    Ok(hex::encode(mac.chain_update(message).finalize().into_bytes()))
}

/// The shortest form, `1500` or `99.50`, where a phone number follows in what is signed: it always has ten digits.
/// Before an account, which may have any, the amount has its cents, `1500.00`, and so shows where it ends.
fn shortest(amount: Money) -> String {
    amount.whole().map_or_else(|| amount.to_plain(), |whole| whole.to_string())
}

fn code_of<T: PartialEq>(table: &[(T, &'static str)], key: &T, operation: Operation) -> Result<&'static str> {
    let row = table.iter().find(|(known, _)| known == key);
    row.map(|(_, code)| *code).ok_or_else(|| unsupported(operation))
}

fn invalid(operation: Operation, message: &str) -> Error {
    Error::new(ErrorKind::Invalid, operation.not_started(), operation, message)
}

fn unsupported(operation: Operation) -> Error {
    let message = "this provider pays out, collects, and buys airtime, bills and vouchers; nothing else";
    Error::new(ErrorKind::Unsupported, operation.not_started(), operation, message)
}
