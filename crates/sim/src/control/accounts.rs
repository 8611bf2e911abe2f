//! The one answer that prints credentials. They are the simulator's own: they open nothing outside it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::gateways::Gateway;
use crate::world::World;

pub(super) fn all(world: &World) -> Value {
    let accounts: Map<_, _> = Gateway::ALL
        .iter()
        .map(|gateway| (gateway.as_str().to_owned(), Value::Object(account(world, *gateway))))
        .collect();
    json!({
        "note": "these credentials are made up and let a client in at this simulator only; configure the program \
                 under test with them, and with this port of 127.0.0.1 as the base URL of every gateway",
        "accounts": accounts,
    })
}

/// What a client needs to be let in at one gateway. Whoever adds a gateway adds its account here.
fn account(world: &World, gateway: Gateway) -> Map<String, Value> {
    let parts = match gateway {
        Gateway::Daraja => {
            let account = world.daraja();
            vec![
                ("consumer_key", account.consumer_key().to_owned()),
                ("consumer_secret", account.consumer_secret().to_owned()),
                ("shortcode", account.shortcode().to_owned()),
                ("initiator", account.initiator().to_owned()),
                ("initiator_password", account.initiator_password().to_owned()),
                ("certificate_pem", account.certificate_pem().to_owned()),
                ("public_key_pem", public_key_pem(account.key().public_key_der())),
            ]
        }
        Gateway::KasaPay => {
            let account = world.kasapay();
            vec![
                ("consumer_key", account.consumer_key().to_owned()),
                ("consumer_secret", account.consumer_secret().to_owned()),
                ("service_code", account.service_code().to_owned()),
            ]
        }
        Gateway::SasaPay => {
            let account = world.sasapay();
            vec![
                ("client_id", account.client_id().to_owned()),
                ("client_secret", account.client_secret().to_owned()),
                ("merchant_code", account.merchant_code().to_owned()),
            ]
        }
        Gateway::Kyanda => {
            let account = world.kyanda();
            vec![
                ("api_key", account.api_key().to_owned()),
                ("security_key", account.security_key().to_owned()),
                ("merchant_id", account.merchant_id().to_owned()),
            ]
        }
        #[cfg(test)]
        Gateway::Elsewhere => Vec::new(),
    };
    parts.into_iter().map(|(name, text)| (name.to_owned(), Value::String(text))).collect()
}

/// Many libraries read a bare key more easily than a certificate.
fn public_key_pem(der: &[u8]) -> String {
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for (index, letter) in STANDARD.encode(der).chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem + "\n-----END PUBLIC KEY-----\n"
}
