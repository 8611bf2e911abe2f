//! What SasaPay posts to us, as what it claims. Pure.

use hmac::{Hmac, KeyInit as _, Mac as _};
use malipo_core::{
    CallbackError, Credit, Delivery, DeliveryPurpose, ProviderRefs, Raw, Read, Reply, Signature, Storage,
    Told, ToldParty, Trust, Unanswered, read_object,
};
use sha2::Sha512;

use crate::SignatureCheck;
use crate::config::Settings;
use crate::decode::{self, REF_THIRD_PARTY, REF_TRANSACTION};
use crate::wire::{SIGNATURE_HEADER, Said};

pub(crate) fn read(settings: &Settings, delivery: &Delivery) -> Result<Read, CallbackError> {
    let purposes = [DeliveryPurpose::Result, DeliveryPurpose::Answer, DeliveryPurpose::Notice];
    if !purposes.contains(&delivery.purpose) {
        return Ok(Read::NotModelled);
    }
    let unreadable = |_| CallbackError::Unreadable("it is no JSON object, as SasaPay posts");
    let whole: Said = read_object(delivery.body.bytes()).map_err(unreadable)?;
    let is_answer = delivery.purpose == DeliveryPurpose::Answer;
    let inner = if is_answer { whole.inner().map_err(unreadable)? } else { None };
    let told = inner.as_ref().unwrap_or(&whole);
    let signature = match settings.signature_check {
        SignatureCheck::Off => Signature::NotExpected,
        _ => signature(settings, delivery, &whole, told),
    };
    match (settings.signature_check, signature) {
        (SignatureCheck::Require, Signature::Missing) => return Err(CallbackError::Unsigned),
        (SignatureCheck::Require, Signature::Wrong) => return Err(CallbackError::WrongSignature),
        _ => {}
    }
    // What stands around the details, or says no, is said of the question: it can keep them from being believed.
    let is_denied = whole.status.filled() == Some(decode::NO)
        || inner.is_some() && !decode::is_success_or_absent(&whole.result_code);
    let verdict =
        if is_answer { decode::of_answer(told).filter(|_| !is_denied) } else { decode::of_result(told) };
    let nameless = CallbackError::Unreadable("nothing in it says which payment it is about");
    let (ours, raw) = (delivery.addressed.as_ref(), delivery.body.clone());
    let mut read = match verdict {
        // A result may come to the URL for notices, and says so by its code. A notice has none.
        _ if delivery.purpose == DeliveryPurpose::Notice && told.result_code.text().is_none() => {
            let read = credit(settings, told, delivery.trust(), raw).map_err(CallbackError::Unreadable)?;
            read.map_or(Read::NotModelled, Read::Credit)
        }
        None if is_answer => Read::Unanswered(
            unanswered(settings, delivery, &whole, told)
                .ok_or(CallbackError::Unreadable("there is no answer in it, as SasaPay posts"))?,
        ),
        None => return Err(CallbackError::Unreadable("there is no ResultCode in it, as SasaPay posts")),
        Some(_) if !told.names_one(None) && ours.is_none() && !is_answer => return Err(nameless),
        Some(verdict) => Read::Report(decode::told(&settings.id, told, verdict, ours, delivery.trust(), raw)),
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
    transaction: &Said,
    trust: Trust,
    raw: Raw,
) -> Result<Option<Credit>, &'static str> {
    let kind = transaction.transaction_type.filled().ok_or("there is no TransactionType in it")?;
    if !kind.eq_ignore_ascii_case("C2B") && !kind.to_ascii_lowercase().ends_with("payment request") {
        return Ok(None);
    }
    if transaction.merchant_code.filled().is_some_and(|code| code != settings.merchant_code.as_str()) {
        return Err("it is about another merchant than the one that is configured");
    }
    let code = transaction.code().ok_or("there is no TransID in it")?;
    let amount = decode::came_in(transaction).ok_or("there is no amount in it that was paid")?;
    let provider_refs = ProviderRefs::new()
        .with(REF_TRANSACTION, Some(code))
        .with(REF_THIRD_PARTY, transaction.third_party.filled());
    let mut credit = Credit::new(settings.id.clone(), amount, provider_refs, trust, raw);
    credit.payer = ToldParty::new(transaction.payer(), transaction.full_name.filled());
    credit.account = transaction.bill_ref_number.filled().map(Told::code);
    credit.reference = transaction.bill_ref_number.filled().and_then(|text| text.parse().ok());
    credit.at = transaction.date();
    Ok(Some(credit))
}

/// A question that came back without telling anything of the payment.
fn unanswered(settings: &Settings, delivery: &Delivery, whole: &Said, told: &Said) -> Option<Unanswered> {
    let code = whole.result_code.filled().or_else(|| told.result_code.filled());
    let text = whole.words().or_else(|| told.words());
    code.or(text)?;
    let mut unanswered = Unanswered::new(settings.id.clone(), delivery.body.clone());
    unanswered.reference.clone_from(&delivery.addressed);
    unanswered.code = code.map(Told::code);
    unanswered.text = text.map(Told::new);
    unanswered.remedy = code.and_then(decode::remedy).map(Into::into);
    Some(unanswered)
}

/// What became of the signature: HMAC-SHA512 with the client id as key, over five values joined by hyphens, empty where
/// one is not told. It may stand in a header, in a field, or in both.
fn signature(settings: &Settings, delivery: &Delivery, whole: &Said, told: &Said) -> Signature {
    let Ok(header) = delivery.headers.single(SIGNATURE_HEADER) else { return Signature::Wrong };
    let header = header.map(<[u8]>::trim_ascii).filter(|value| !value.is_empty());
    let given: Vec<_> = header.into_iter().chain(whole.signature.filled().map(str::as_bytes)).collect();
    let [code, account, reference, amount] = told.signed().map(Option::unwrap_or_default);
    let message = [code, settings.merchant_code.as_str(), account, reference, amount].join("-");
    let is_right = |given: &&[u8]| {
        let mac = Hmac::<Sha512>::new_from_slice(settings.keys.key.expose().as_bytes());
        let (Ok(mac), Ok(tag)) = (mac, hex::decode(given)) else { return false };
        mac.chain_update(message.as_bytes()).verify_slice(&tag).is_ok()
    };
    match given.iter().all(is_right) {
        _ if given.is_empty() => Signature::Missing,
        true => Signature::Good,
        false => Signature::Wrong,
    }
}
