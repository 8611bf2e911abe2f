//! SasaPay's shapes, spelled as SasaPay spells them (its C2B page and public copies of others, read 2026-11-22).

use std::collections::BTreeMap;

use malipo_core::{EatLayout, Scalar, Timestamp, filled, lenient, one_or_many};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Every path ends in a slash: without it the gateway redirects, and a redirect is never followed.
pub(crate) const TOKEN_PATH: &str = "/api/v1/auth/token/";
pub(crate) const REQUEST_PATH: &str = "/api/v1/payments/request-payment/";
pub(crate) const PROCESS_PATH: &str = "/api/v1/payments/process-payment/";
pub(crate) const STATUS_PATH: &str = "/api/v1/transactions/status-query/";
pub(crate) const VERIFY_PATH: &str = "/api/v1/transactions/verify/";
pub(crate) const BALANCE_PATH: &str = "/api/v1/payments/check-balance/";
pub(crate) const IPN_PATH: &str = "/api/v1/payments/register-ipn-url/";

pub(crate) const SIGNATURE_HEADER: &str = "X-SasaPay-Signature";

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PaymentRequest<'a> {
    pub(crate) merchant_code: &'a str,
    pub(crate) network_code: &'a str,
    #[serde(rename = "Transaction Fee", skip_serializing_if = "Option::is_none")]
    pub(crate) transaction_fee: Option<Box<RawValue>>,
    pub(crate) currency: &'static str,
    pub(crate) amount: String,
    #[serde(rename = "CallBackURL")]
    pub(crate) callback_url: &'a str,
    pub(crate) phone_number: String,
    pub(crate) transaction_desc: &'a str,
    pub(crate) account_reference: &'a str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProcessRequest<'a> {
    #[serde(rename = "CheckoutRequestID")]
    pub(crate) checkout_request_id: &'a str,
    pub(crate) merchant_code: &'a str,
    pub(crate) verification_code: &'a str,
}

/// Here it is `Id` and `Url`, where the requests for payments have `ID` and `URL`.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StatusRequest<'a> {
    pub(crate) merchant_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checkout_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) merchant_transaction_reference: Option<&'a str>,
    pub(crate) callback_url: &'a str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VerifyRequest<'a> {
    pub(crate) merchant_code: &'a str,
    pub(crate) transaction_code: &'a str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IpnRequest<'a> {
    pub(crate) merchant_code: &'a str,
    pub(crate) confirmation_url: &'a str,
}

/// A value that decides nothing: one of an odd shape is none.
#[derive(Default)]
pub(crate) struct Loose(Option<Scalar>);

impl Loose {
    pub(crate) fn filled(&self) -> Option<&str> {
        filled(self.0.as_ref())
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lenient(deserializer).map(Self)
    }
}

fn first<const N: usize>(values: [&Loose; N]) -> Option<&str> {
    values.into_iter().find_map(Loose::filled)
}

/// Any answer. What decides is read strictly, so that a value of an odd shape is not taken for one that is absent.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Reply {
    pub(crate) status: Option<Scalar>,
    #[serde(rename = "ResponseCode", alias = "responseCode")]
    pub(crate) response_code: Option<Scalar>,
    #[serde(rename = "statusCode")]
    pub(crate) status_code: Option<Scalar>,
    /// Of the error that says that a token is not accepted: the HTTP status once more.
    #[serde(rename = "status_code")]
    pub(crate) repeated_status: Option<Scalar>,
    pub(crate) detail: Loose,
    pub(crate) message: Loose,
    #[serde(rename = "ResponseDescription")]
    pub(crate) response_description: Loose,
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) errors: Vec<BTreeMap<String, Scalar>>,
    #[serde(rename = "MerchantRequestID")]
    pub(crate) merchant_request: Loose,
    #[serde(rename = "CheckoutRequestID")]
    pub(crate) checkout: Loose,
    #[serde(rename = "TransactionReference")]
    pub(crate) transaction_reference: Loose,
    #[serde(rename = "CustomerMessage")]
    pub(crate) customer_message: Loose,
    #[serde(deserialize_with = "lenient")]
    pub(crate) access_token: Option<String>,
    pub(crate) expires_in: Loose,
    /// What was asked for, where something was: each operation has its own shape.
    pub(crate) data: Option<Box<RawValue>>,
}

impl Reply {
    pub(crate) fn words(&self) -> Option<&str> {
        let said = first([&self.detail, &self.message, &self.response_description]);
        said.or_else(|| self.errors.iter().find_map(|error| error.get("errorMessage")?.filled()))
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BalanceData {
    pub(crate) currency_code: Scalar,
    pub(crate) org_account_balance: Option<Scalar>,
    #[serde(default)]
    pub(crate) accounts: Vec<Account>,
}

#[derive(serde::Deserialize)]
pub(crate) struct Account {
    pub(crate) account_label: Scalar,
    pub(crate) account_balance: Scalar,
}

/// What is told of one transaction: posted as a callback or as a notice, or answered to a question. Each has fields of
/// its own, and names for the same thing differ. The first three decide; a notice has only the last of them.
#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Transaction {
    pub(crate) result_code: Option<Scalar>,
    pub(crate) paid: Option<Scalar>,
    pub(crate) transaction_type: Option<Scalar>,
    result_desc: Loose,
    #[serde(rename = "MerchantRequestID")]
    pub(crate) merchant_request: Loose,
    pub(crate) bill_ref_number: Loose,
    pub(crate) merchant_transaction_reference: Loose,
    #[serde(rename = "CheckoutRequestID", alias = "CheckoutId")]
    pub(crate) checkout: Loose,
    transaction_code: Loose,
    #[serde(rename = "TransID")]
    trans_id: Loose,
    sasa_pay_transaction_code: Loose,
    #[serde(rename = "ThirdPartyTransID")]
    pub(crate) third_party: Loose,
    trans_amount: Loose,
    transaction_amount: Loose,
    amount_paid: Loose,
    requested_amount: Loose,
    #[serde(alias = "TransTime")]
    transaction_date: Loose,
    #[serde(alias = "MSISDN")]
    pub(crate) customer_mobile: Loose,
    pub(crate) full_name: Loose,
    pub(crate) merchant_code: Loose,
    #[serde(rename = "sasapay_signature")]
    pub(crate) signature: Loose,
    #[serde(rename = "data")]
    pub(crate) data: Option<Box<RawValue>>,
    #[serde(rename = "message")]
    message: Loose,
}

impl Transaction {
    /// What we called the payment: the account reference comes back under three names.
    pub(crate) fn reference(&self) -> Option<&str> {
        first([&self.bill_ref_number, &self.merchant_transaction_reference, &self.merchant_request])
    }

    /// SasaPay's name for the transaction once it is made.
    pub(crate) fn code(&self) -> Option<&str> {
        first([&self.transaction_code, &self.trans_id, &self.sasa_pay_transaction_code])
    }

    /// What was paid, as far as it was.
    pub(crate) fn amount(&self) -> Option<&str> {
        first([&self.amount_paid, &self.trans_amount, &self.transaction_amount])
    }

    pub(crate) fn requested_amount(&self) -> Option<&str> {
        first([&self.requested_amount, &self.transaction_amount])
    }

    pub(crate) fn words(&self) -> Option<&str> {
        first([&self.result_desc, &self.message])
    }

    pub(crate) fn date(&self) -> Option<Timestamp> {
        self.transaction_date.filled().and_then(|text| Timestamp::parse_eat(text, EatLayout::Compact))
    }

    /// Whether anything in it says which collection it is about.
    pub(crate) fn names_one(&self) -> bool {
        self.checkout.filled().or_else(|| self.reference()).is_some()
    }
}
