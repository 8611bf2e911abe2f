//! What SasaPay posts to us, as what it claims. Pure.

use hmac::{Hmac, KeyInit as _, Mac as _};
use malipo_core::{
    CallbackError, Credit, Delivery, DeliveryPurpose, ProviderRefs, Raw, Read, Reply, Report, Signature,
    Storage, Told, ToldParty, Trust, Unanswered, filled, read_object,
};
use sha2::Sha512;

use crate::SignatureCheck;
use crate::config::Settings;
use crate::decode::{self, REF_THIRD_PARTY, REF_TRANSACTION};
use crate::wire::{SIGNATURE_HEADER, Transaction};

pub(crate) fn read(settings: &Settings, delivery: &Delivery) -> Result<Read, CallbackError> {
    let purposes = [DeliveryPurpose::Result, DeliveryPurpose::Answer, DeliveryPurpose::Notice];
    if !purposes.contains(&delivery.purpose) {
        return Ok(Read::NotModelled);
    }
    let read_as = |json: &[u8]| {
        let read = read_object::<Transaction>(json);
        read.map_err(|_| CallbackError::Unreadable("it is no JSON object, as SasaPay posts"))
    };
    let whole = read_as(delivery.body.bytes())?;
    let inner = whole.data.as_ref().map(|data| read_as(data.get().as_bytes())).transpose()?;
    let inner = inner.as_ref().unwrap_or(&whole);
    let signature = match settings.signature_check {
        SignatureCheck::Off => Signature::NotExpected,
        _ => signature(settings, delivery, &whole, inner),
    };
    match (settings.signature_check, signature) {
        (SignatureCheck::Require, Signature::Missing) => return Err(CallbackError::Unsigned),
        (SignatureCheck::Require, Signature::Wrong) => return Err(CallbackError::WrongSignature),
        _ => {}
    }
    let mut read = match delivery.purpose {
        // A result may come to the URL for notices, and says so by its code. A notice has none.
        DeliveryPurpose::Notice if whole.result_code.is_none() => {
            let read = credit(settings, &whole, delivery.trust(), delivery.body.clone());
            read.map_err(CallbackError::Unreadable)?.map_or(Read::NotModelled, Read::Credit)
        }
        DeliveryPurpose::Answer => answer(settings, delivery, &whole, inner)?,
        _ => result(settings, delivery, &whole)?,
    };
    match &mut read {
        Read::Report(report) => report.signature = signature,
        Read::Credit(credit) => credit.signature = signature,
        _ => {}
    }
    Ok(read)
}

/// SasaPay wants a 200 and no particular body.
pub(crate) fn reply(storage: Storage) -> Reply {
    match storage {
        Storage::Stored => Reply::json(200, r#"{"status":"stored"}"#),
        Storage::NotStored => Reply::json(503, r#"{"status":"not stored"}"#),
    }
}

/// Money that came in; nothing where it went out, or where nobody documented which.
pub(crate) fn credit(
    settings: &Settings,
    transaction: &Transaction,
    trust: Trust,
    raw: Raw,
) -> Result<Option<Credit>, &'static str> {
    let kind = filled(transaction.transaction_type.as_ref()).ok_or("there is no TransactionType in it")?;
    if !kind.eq_ignore_ascii_case("C2B") && !kind.to_ascii_lowercase().ends_with("payment request") {
        return Ok(None);
    }
    if transaction.merchant_code.filled().is_some_and(|code| code != settings.merchant_code.as_str()) {
        return Err("it is about another merchant than the one that is configured");
    }
    let code = transaction.code().ok_or("there is no TransID in it")?;
    let amount = decode::money(transaction.amount()).ok_or("there is no amount in it that could be paid")?;
    let provider_refs = ProviderRefs::new()
        .with(REF_TRANSACTION, Some(code))
        .with(REF_THIRD_PARTY, transaction.third_party.filled());
    let mut credit = Credit::new(settings.id.clone(), amount, provider_refs, trust, raw);
    credit.payer = ToldParty::new(transaction.customer_mobile.filled(), transaction.full_name.filled());
    credit.account = transaction.bill_ref_number.filled().map(Told::code);
    credit.reference = transaction.bill_ref_number.filled().and_then(|text| text.parse().ok());
    credit.at = transaction.date();
    Ok(Some(credit))
}

/// What became of a collection. Something has to say which: the gateway's names for it, ours, or the address.
fn result(settings: &Settings, delivery: &Delivery, posted: &Transaction) -> Result<Read, CallbackError> {
    match filled(posted.result_code.as_ref()) {
        None => Err(CallbackError::Unreadable("there is no ResultCode in it, as SasaPay posts")),
        Some(_) if !posted.names_one() && delivery.addressed.is_none() => {
            Err(CallbackError::Unreadable("nothing in it says which payment it is about"))
        }
        Some(_) => Ok(Read::Report(told(settings, delivery, posted))),
    }
}

/// The answer to a question about a collection: details in an object of their own, or a result like any other. A result
/// has to name the collection itself, or its failure could be that of the question.
fn answer(
    settings: &Settings,
    delivery: &Delivery,
    whole: &Transaction,
    inner: &Transaction,
) -> Result<Read, CallbackError> {
    let decides = match &inner.result_code {
        Some(_) => inner.names_one(),
        None => inner.paid.is_some() && whole.result_code.is_none(),
    };
    let (code, text) = (filled(whole.result_code.as_ref()), whole.words());
    if decides {
        return Ok(Read::Report(told(settings, delivery, inner)));
    } else if code.is_none() && text.is_none() {
        return Err(CallbackError::Unreadable("there is no answer in it, as SasaPay posts"));
    }
    let mut unanswered = Unanswered::new(settings.id.clone(), delivery.body.clone());
    unanswered.reference.clone_from(&delivery.addressed);
    unanswered.code = code.map(Told::code);
    unanswered.text = text.map(Told::new);
    Ok(Read::Unanswered(unanswered))
}

fn told(settings: &Settings, delivery: &Delivery, posted: &Transaction) -> Report {
    let mut report = decode::told(&settings.id, posted, delivery.trust(), delivery.body.clone());
    report.reference = report.reference.or_else(|| delivery.addressed.clone());
    report
}

/// What became of the signature: HMAC-SHA512 with the client id as key, over five values joined by hyphens, empty where
/// one is not told. It may stand in a header, in a field, or in both.
fn signature(settings: &Settings, delivery: &Delivery, whole: &Transaction, told: &Transaction) -> Signature {
    let Ok(header) = delivery.headers.single(SIGNATURE_HEADER) else { return Signature::Wrong };
    let header = header.map(<[u8]>::trim_ascii).filter(|value| !value.is_empty());
    let given: Vec<_> = header.into_iter().chain(whole.signature.filled().map(str::as_bytes)).collect();
    let merchant = Some(settings.merchant_code.as_str());
    let message = [told.code(), merchant, told.customer_mobile.filled(), told.reference(), told.amount()];
    let message = message.map(Option::unwrap_or_default).join("-");
    let is_right = |given: &&[u8]| {
        let mac = Hmac::<Sha512>::new_from_slice(settings.keys.key.expose().as_bytes());
        let (Ok(mac), Some(tag)) = (mac, bytes(given)) else { return false };
        mac.chain_update(message.as_bytes()).verify_slice(&tag).is_ok()
    };
    match given.iter().all(is_right) {
        _ if given.is_empty() => Signature::Missing,
        true => Signature::Good,
        false => Signature::Wrong,
    }
}

/// The bytes that hexadecimal digits of either case stand for.
fn bytes(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    digits.chunks(2).map(pair).collect()
}
