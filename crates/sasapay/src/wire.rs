//! SasaPay's shapes, spelled as SasaPay spells them (its C2B page and public copies of others, read 2026-11-22).

use std::collections::BTreeMap;

use malipo_core::{EatLayout, NotAnObject, Reference, Scalar, Timestamp, one_or_many, read_object};
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

/// The fields that the framework may complain about, of those that are sent. What it says of a reference may be that an
/// earlier request had it, which is no refusal of that one.
#[rustfmt::skip]
pub(crate) const COLLECTION: &[&str] = &[
    "MerchantCode", "NetworkCode", "Transaction Fee", "Currency", "Amount", "CallBackURL", "PhoneNumber",
    "TransactionDesc",
];
pub(crate) const CONFIRMATION: &[&str] = &["CheckoutRequestID", "MerchantCode", "VerificationCode"];

/// The text of a value, empty where it is blank or of an odd shape. That says nothing, and yet it is not absent.
#[derive(Default, serde::Deserialize)]
#[serde(from = "Option<Box<RawValue>>")]
pub(crate) struct Value(Option<String>);

impl From<Option<Box<RawValue>>> for Value {
    fn from(told: Option<Box<RawValue>>) -> Self {
        let scalar = |told: Box<RawValue>| serde_json::from_str::<Scalar>(told.get()).ok();
        let text = |told| scalar(told).map(|scalar| scalar.as_str().trim().to_owned());
        Self(told.map(|told| text(told).unwrap_or_default()))
    }
}

impl Value {
    pub(crate) fn filled(&self) -> Option<&str> {
        self.text().filter(|text| !text.is_empty())
    }

    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

fn first<const N: usize>(values: [&Value; N]) -> Option<&str> {
    values.into_iter().find_map(Value::filled)
}

/// Whatever SasaPay says: an answer, what is in it, or what it posts. Each has fields of its own, and names for the
/// same thing differ.
#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Said {
    // Of an answer, or around one that is posted.
    #[serde(rename = "status")]
    pub(crate) status: Value,
    #[serde(alias = "responseCode")]
    pub(crate) response_code: Value,
    #[serde(rename = "statusCode")]
    pub(crate) status_code: Value,
    /// Of the error that says that a token is not accepted: the HTTP status once more.
    #[serde(rename = "status_code")]
    pub(crate) repeated_status: Value,
    #[serde(rename = "detail")]
    detail: Value,
    #[serde(rename = "message")]
    message: Value,
    response_description: Value,
    #[serde(rename = "errors", deserialize_with = "one_or_many")]
    pub(crate) errors: Vec<BTreeMap<String, Scalar>>,
    #[serde(rename = "data")]
    data: Option<Box<RawValue>>,
    #[serde(rename = "access_token")]
    pub(crate) access_token: Value,
    #[serde(rename = "expires_in")]
    pub(crate) expires_in: Value,
    pub(crate) transaction_reference: Value,
    pub(crate) customer_message: Value,
    // Of balances.
    pub(crate) currency_code: Value,
    pub(crate) org_account_balance: Value,
    pub(crate) accounts: Vec<Account>,
    // Of one transaction. The first three decide; a notice has only the last of them.
    pub(crate) result_code: Value,
    pub(crate) paid: Value,
    pub(crate) transaction_type: Value,
    pub(crate) result_desc: Value,
    #[serde(rename = "MerchantRequestID")]
    pub(crate) merchant_request: Value,
    pub(crate) bill_ref_number: Value,
    merchant_transaction_reference: Value,
    #[serde(rename = "CheckoutRequestID")]
    checkout_request: Value,
    checkout_id: Value,
    transaction_code: Value,
    #[serde(rename = "TransID")]
    trans_id: Value,
    sasa_pay_transaction_code: Value,
    #[serde(rename = "ThirdPartyTransID")]
    pub(crate) third_party: Value,
    pub(crate) trans_amount: Value,
    pub(crate) transaction_amount: Value,
    pub(crate) amount_paid: Value,
    requested_amount: Value,
    transaction_date: Value,
    trans_time: Value,
    customer_mobile: Value,
    #[serde(rename = "MSISDN")]
    msisdn: Value,
    pub(crate) full_name: Value,
    pub(crate) merchant_code: Value,
    #[serde(rename = "sasapay_signature")]
    pub(crate) signature: Value,
}

#[derive(serde::Deserialize)]
pub(crate) struct Account {
    pub(crate) account_label: Scalar,
    pub(crate) account_balance: Scalar,
}

impl Said {
    /// What it tells of, where it is an envelope. Anything but an object tells nothing.
    pub(crate) fn inner(&self) -> Result<Option<Self>, NotAnObject> {
        let data = self.data.as_ref().map(|data| data.get().as_bytes());
        data.filter(|data| data.starts_with(b"{")).map(read_object).transpose()
    }

    pub(crate) fn words(&self) -> Option<&str> {
        let said = first([&self.result_desc, &self.detail, &self.message, &self.response_description]);
        said.or_else(|| self.errors.iter().find_map(|error| error.get("errorMessage")?.filled()))
    }

    /// What we called the payment. `MerchantRequestID` may be that, or an id of SasaPay's.
    pub(crate) fn reference(&self) -> Option<&str> {
        first([&self.bill_ref_number, &self.merchant_transaction_reference])
    }

    /// SasaPay's name for the collection, if it is one.
    pub(crate) fn checkout(&self) -> Option<&str> {
        first([&self.checkout_request, &self.checkout_id]).filter(|_| !self.names_two())
    }

    pub(crate) fn names_two(&self) -> bool {
        let two = self.checkout_request.filled().zip(self.checkout_id.filled());
        two.is_some_and(|(request, id)| request != id)
    }

    /// Whether anything in it names a collection, other than `ours`.
    pub(crate) fn names_one(&self, ours: Option<&Reference>) -> bool {
        let theirs = [&self.checkout_request, &self.checkout_id, &self.merchant_request];
        let names = theirs.into_iter().chain([&self.transaction_reference]).filter_map(Value::filled);
        names.chain(self.reference()).any(|name| ours.is_none_or(|ours| ours.as_str() != name))
    }

    /// SasaPay's name for the transaction once it is made.
    pub(crate) fn code(&self) -> Option<&str> {
        first([&self.transaction_code, &self.trans_id, &self.sasa_pay_transaction_code])
    }

    pub(crate) fn payer(&self) -> Option<&str> {
        first([&self.customer_mobile, &self.msisdn])
    }

    pub(crate) fn requested_amount(&self) -> Option<&str> {
        first([&self.requested_amount, &self.transaction_amount])
    }

    pub(crate) fn date(&self) -> Option<Timestamp> {
        let date = first([&self.transaction_date, &self.trans_time])?;
        Timestamp::parse_eat(date, EatLayout::Compact)
    }

    /// The values that a signature covers besides the merchant's code, as they are told: the code of the transaction,
    /// the account, the reference and the amount. Where several names stand for one, it is the one that is read.
    pub(crate) fn signed(&self) -> [Option<&str>; 4] {
        let amount = first([&self.amount_paid, &self.trans_amount, &self.transaction_amount]);
        [self.code(), self.payer(), self.reference().or(self.merchant_request.filled()), amount]
    }
}
