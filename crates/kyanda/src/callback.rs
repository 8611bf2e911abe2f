//! What Kyanda posts to us, as what it claims. Pure.

use malipo_core::{
    CallbackError, Delivery, DeliveryPurpose, Fields, ProviderId, Read, Reply, Said, Storage, read_object,
};

use crate::decode;

/// Kyanda posts to one URL for the whole merchant, and nowhere else.
pub(crate) fn read(provider: &ProviderId, delivery: &Delivery) -> Result<Read, CallbackError> {
    if delivery.purpose != DeliveryPurpose::Notice {
        return Ok(Read::NotModelled);
    }
    let told: Fields = read_object(delivery.body.bytes())
        .map_err(|_| CallbackError::Unreadable("it is no JSON object, as Kyanda posts"))?;
    if !decode::tells(&told) {
        return Err(CallbackError::Unreadable("there is no status in it, as Kyanda posts"));
    }
    let body = delivery.body.clone();
    let mut report = decode::report(provider, &told, &Said::Nothing, delivery.trust(), body);
    report.reference = report.reference.or_else(|| delivery.addressed.clone());
    Ok(Read::Report(report))
}

/// Kyanda wants a 200 and exactly this body.
pub(crate) fn reply(storage: Storage) -> Reply {
    match storage {
        Storage::Stored => Reply::json(200, r#"{"status":"success"}"#),
        Storage::NotStored => Reply::json(503, r#"{"status":"not stored"}"#),
    }
}
