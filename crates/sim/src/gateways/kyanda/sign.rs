//! Signatures: some values of a request, one behind the other, under the merchant's security key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::endpoint::{Endpoint, SIGNATURE};
use super::fields::Parameters;
use super::refusal::{self, Refusal};

/// Checks the signature of a request over its values exactly as they were sent.
pub(super) fn check(endpoint: Endpoint, parameters: &Parameters, key: &str) -> Result<(), Refusal> {
    let message: String = endpoint.signed().iter().map(|name| parameters.text(name)).collect();
    if digest(key, &message).as_deref() == Some(parameters.text(SIGNATURE)) {
        return Ok(());
    }
    let order = endpoint.signed().join(" + ");
    let rule = format!(
        "must be the HMAC-SHA256, under the security key and in 64 lower-case hex digits, of {order}, each as \
         it is sent and nothing between them"
    );
    Err(Refusal::field(refusal::SIGNATURE, SIGNATURE, &rule))
}

fn digest(key: &str, message: &str) -> Option<String> {
    // Any length of key will do.
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(message.as_bytes());
    Some(hex::encode(mac.finalize().into_bytes()))
}
