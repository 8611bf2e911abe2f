//! What Kyanda posts to us, as what it claims. Pure.

use malipo_core::{
    CallbackError, Delivery, DeliveryPurpose, Fields, Read, Reply, Report, Said, State, Storage, read_object,
};

use crate::config::Settings;
use crate::decode;

/// Kyanda posts to one URL for the whole merchant, and nowhere else.
pub(crate) fn read(settings: &Settings, delivery: &Delivery) -> Result<Read, CallbackError> {
    if delivery.purpose != DeliveryPurpose::Notice {
        return Ok(Read::NotModelled);
    }
    let told: Fields = read_object(delivery.body.bytes())
        .map_err(|_| CallbackError::Unreadable("it is no JSON object, as Kyanda posts"))?;
    if !decode::tells(&told) {
        return Err(CallbackError::Unreadable("there is no status in it, as Kyanda posts"));
    }
    if decode::is_of_another(settings, &told) {
        return Err(CallbackError::Unreadable("it is of another merchant than the one configured"));
    }
    let mut report = Report::new(settings.id.clone(), State::Pending, delivery.trust());
    report.raw = delivery.body.clone();
    decode::tell(&mut report, &told, &Said::Nothing);
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
