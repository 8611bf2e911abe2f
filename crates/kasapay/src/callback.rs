//! What KasaPay posts to us, as what it claims. Pure.

use malipo_core::{
    CallbackError, Delivery, DeliveryPurpose, ProviderId, Read, Reply, Storage, filled, read_object,
};

use crate::decode;
use crate::wire::Payout;

pub(crate) fn read(provider: &ProviderId, delivery: &Delivery) -> Result<Read, CallbackError> {
    if delivery.purpose != DeliveryPurpose::Result {
        return Ok(Read::NotModelled);
    }
    let payout: Payout = read_object(delivery.body.bytes())
        .map_err(|_| CallbackError::Unreadable("it is no JSON object, as KasaPay posts"))?;
    if filled(payout.payment_status.as_ref()).is_none() {
        return Err(CallbackError::Unreadable("there is no payment_status in it, as KasaPay posts"));
    }
    let mut report = decode::report(provider, &payout, delivery.trust(), delivery.body.clone());
    report.reference = report.reference.or_else(|| delivery.addressed.clone());
    Ok(Read::Report(report))
}

/// KasaPay wants a 200 and no particular body, and posts again without one.
pub(crate) fn reply(storage: Storage) -> Reply {
    match storage {
        Storage::Stored => Reply::json(200, r#"{"status":"stored"}"#),
        Storage::NotStored => Reply::json(503, r#"{"status":"not stored"}"#),
    }
}
