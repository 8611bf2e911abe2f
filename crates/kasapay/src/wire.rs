//! KasaPay's shapes, spelled as KasaPay spells them (its B2B page, read 2026-11-22).

use std::collections::BTreeMap;

use malipo_core::{Scalar, lenient, one_or_many};

pub(crate) const TOKEN_PATH: &str = "/v1/auth";
pub(crate) const PAYOUTS_PATH: &str = "/v1/payouts/b2b";
pub(crate) const INITIATE_SEGMENT: &str = "initiate";
pub(crate) const STATUS_SEGMENT: &str = "status";
pub(crate) const TOKEN_HEADER: &str = "x-access-token";

#[derive(serde::Serialize)]
pub(crate) struct TokenRequest<'a> {
    pub(crate) consumer_key: &'a str,
    pub(crate) consumer_secret: &'a str,
}

#[derive(serde::Serialize)]
pub(crate) struct PayoutRequest<'a> {
    pub(crate) payout_reference: &'a str,
    pub(crate) service_code: &'a str,
    pub(crate) payment_account_reference: &'a str,
    pub(crate) recipient_name: &'a str,
    pub(crate) recipient_type: &'static str,
    pub(crate) recipient_account_number: &'a str,
    pub(crate) amount: String,
    pub(crate) payment_description: &'a str,
    pub(crate) payment_method: &'static str,
    pub(crate) currency_code: &'static str,
    pub(crate) country_code: &'a str,
    pub(crate) callback_url: &'a str,
    /// Fields that KasaPay has asked this merchant for, by contract.
    #[serde(flatten)]
    pub(crate) extra: BTreeMap<&'a str, &'a str>,
}

/// The fields above, which no extra field may take the place of.
pub(crate) const PAYOUT_FIELDS: &[&str] = &[
    "payout_reference",
    "service_code",
    "payment_account_reference",
    "recipient_name",
    "recipient_type",
    "recipient_account_number",
    "amount",
    "payment_description",
    "payment_method",
    "currency_code",
    "country_code",
    "callback_url",
];

/// Two spellings in one object are KasaPay's own.
#[derive(serde::Deserialize)]
pub(crate) struct TokenReply {
    #[serde(default, alias = "accessToken", deserialize_with = "lenient")]
    pub(crate) access_token: Option<String>,
    #[serde(rename = "expiresIn", default, alias = "expires_in", deserialize_with = "lenient")]
    pub(crate) expires_in: Option<Scalar>,
}

/// The answer to a payout, or the envelope of an error of the framework in front of it. What decides is read strictly,
/// so that a code of an odd shape is not taken for one that is absent.
#[derive(serde::Deserialize)]
pub(crate) struct Reply {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) payout_reference: Option<Scalar>,
    pub(crate) response_code: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) response_description: Option<Scalar>,
    pub(crate) error_code: Option<Scalar>,
    #[serde(rename = "statusCode")]
    pub(crate) status_code: Option<Scalar>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) message: Vec<Scalar>,
    pub(crate) error: Option<Scalar>,
    /// Belongs to another shape: beside a code or an envelope it contradicts them.
    pub(crate) payment_status: Option<Scalar>,
}

/// What became of a payout: the answer to a question, and what is posted.
#[derive(serde::Deserialize)]
pub(crate) struct Payout {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) payout_reference: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) transaction_id: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) payment_reference: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) wallet_account: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) destination: Option<Scalar>,
    pub(crate) payment_status: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) amount: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) currency: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) account_number: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) destination_name: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) transaction_time: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) account_balance: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) result_description: Option<Scalar>,
    /// These belong to other shapes: beside a state they contradict it.
    pub(crate) response_code: Option<Scalar>,
    pub(crate) error_code: Option<Scalar>,
    #[serde(rename = "statusCode")]
    pub(crate) status_code: Option<Scalar>,
}
