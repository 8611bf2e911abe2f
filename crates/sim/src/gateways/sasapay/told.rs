//! What the merchant is told without asking: the result of a request, and the notice of money that came in.

use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::Sha512;

use super::account::Signature;
use super::collect::{Collection, Failure, TOO_LITTLE};
use super::{HEX, SasaPay, credit};
use crate::eat;
use crate::fault::Faults;
use crate::gateways::{Gateway, json_bytes};
use crate::notify::{Callback, Telling, tellings};
use crate::payment::{Payment, PaymentState};
use crate::world::Stage;

/// The payer's name, whoever pays.
pub(super) const FIRST_NAME: &str = "Jane";
pub(super) const MIDDLE_NAME: &str = "Wanjiku";
pub(super) const LAST_NAME: &str = "Doe";

/// What there is to tell of a payment besides the payment.
#[derive(Debug)]
pub(super) struct About {
    pub(super) msisdn: String,
    pub(super) channel: &'static str,
    pub(super) bill_reference: String,
    pub(super) third_party: String,
    /// What the Working Account held then.
    pub(super) held_after: Decimal,
}

/// Something to tell.
pub(super) struct News<'a> {
    /// The payment. Its amount is what came in, or would have.
    pub(super) payment: Payment,
    pub(super) about: &'a About,
    /// The request it was made for: without one, there is nothing to tell the result of.
    pub(super) collection: Option<&'a Collection>,
    pub(super) lane: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome<'a> {
    #[serde(rename = "MerchantRequestID")]
    merchant_request: &'a str,
    #[serde(rename = "CheckoutRequestID")]
    checkout_request: &'a str,
    #[serde(rename = "PaymentRequestID")]
    payment_request: &'a str,
    result_code: &'a str,
    result_desc: &'a str,
    source_channel: &'a str,
    trans_amount: String,
    requested_amount: String,
    paid: bool,
    bill_ref_number: &'a str,
    transaction_date: String,
    customer_mobile: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_code: Option<&'a str>,
    #[serde(rename = "ThirdPartyTransID", skip_serializing_if = "Option::is_none")]
    third_party: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Notice<'a> {
    merchant_code: &'a str,
    business_short_code: &'a str,
    invoice_number: String,
    payment_method: &'a str,
    #[serde(rename = "TransID")]
    transaction: &'a str,
    #[serde(rename = "ThirdPartyTransID")]
    third_party: &'a str,
    full_name: String,
    first_name: &'a str,
    middle_name: &'a str,
    last_name: &'a str,
    transaction_type: &'a str,
    #[serde(rename = "MSISDN")]
    msisdn: &'a str,
    org_account_balance: String,
    trans_amount: String,
    trans_time: String,
    bill_ref_number: &'a str,
}

impl SasaPay {
    /// Tells the news as the faults have it: the result to the request's own URL, and behind it, where there is
    /// somebody to notify and something came in, the notice. A story that is not true is told in both.
    pub(super) fn tell(&self, stage: &mut Stage, news: &News<'_>, decided: Duration, faults: &Faults) {
        for (when, telling) in tellings(faults) {
            // There is no second URL to tell of a timeout, so nothing is told.
            if telling == Telling::TimedOut {
                continue;
            }
            let Failure(code, text) = TOO_LITTLE;
            let receipt = || credit::transaction_code(stage);
            let story = telling.of(news.payment.clone(), (code, text), receipt);
            let name = news.payment.reference.as_deref().unwrap_or(&news.payment.gateway_reference);
            let headers = self.signature(stage, telling, &story, news.about);
            let post =
                |url, headers, body| Callback::json(Gateway::SasaPay, name, news.lane, url, headers, body);
            if let Some(collection) = news.collection {
                let body = outcome(collection, &story, news.about);
                stage.tell(decided, when, post(&collection.callback_url, headers.clone(), body));
            }
            if let (Some(url), Some(receipt)) = (&self.ipn_url, story.receipt()) {
                let body = notice(self.account.merchant_code(), receipt, &story, news.about);
                stage.tell(decided, when, post(url, headers, body));
            }
        }
    }

    /// The header a story is told under. Whoever forges one does not sign it well.
    fn signature(&self, stage: &mut Stage, telling: Telling, story: &Payment, about: &About) -> HeaderMap {
        if self.account.signature() == Signature::Absent {
            return HeaderMap::new();
        }
        let signature = match telling {
            Telling::Forged => stage.dice.text(HEX, 128),
            Telling::Truth | Telling::Opposite | Telling::TimedOut => {
                let code = story.receipt().unwrap_or_default();
                let (merchant, amount) = (self.account.merchant_code(), came_in(story));
                let parts = [code, merchant, &about.msisdn, &about.bill_reference, &amount];
                signed(self.account.client_id(), &parts.join("-"))
            }
        };
        let header = HeaderName::from_static("x-sasapay-signature");
        HeaderValue::from_str(&signature).map(|value| (header, value)).into_iter().collect()
    }
}

/// What is told of a request. Without a payment there is no number of one.
fn outcome(collection: &Collection, story: &Payment, about: &About) -> Bytes {
    let (result_code, result_desc) = match &story.state {
        PaymentState::Paid { .. } => ("0", "Transaction processed successfully."),
        PaymentState::Refused { code, text } | PaymentState::Reversed { code, text, .. } => {
            (&**code, &**text)
        }
        PaymentState::Accepted => ("PENDING", "Transaction is being processed"),
    };
    let receipt = story.receipt();
    // One that was paid in part is settled only with the last part.
    let whole = collection.received.max(story.amount) >= collection.requested;
    json_bytes(&Outcome {
        merchant_request: &collection.reference,
        checkout_request: &collection.checkout,
        payment_request: &collection.narration,
        result_code,
        result_desc,
        source_channel: about.channel,
        trans_amount: came_in(story),
        requested_amount: format!("{:.2}", collection.requested),
        paid: receipt.is_some() && whole,
        bill_ref_number: &collection.reference,
        transaction_date: eat::compact(story.decided_at.unwrap_or(story.accepted_at)),
        customer_mobile: &about.msisdn,
        transaction_code: receipt,
        third_party: receipt.map(|_| &*about.third_party),
    })
}

/// What is told of money that came in: that it did is all there is to say.
fn notice(merchant: &str, receipt: &str, story: &Payment, about: &About) -> Bytes {
    json_bytes(&Notice {
        merchant_code: merchant,
        business_short_code: merchant,
        invoice_number: format!("INV-{receipt}"),
        payment_method: about.channel,
        transaction: receipt,
        third_party: &about.third_party,
        full_name: [FIRST_NAME, MIDDLE_NAME, LAST_NAME].join(" "),
        first_name: FIRST_NAME,
        middle_name: MIDDLE_NAME,
        last_name: LAST_NAME,
        transaction_type: "C2B",
        msisdn: &about.msisdn,
        org_account_balance: format!("{:.2}", about.held_after),
        trans_amount: came_in(story),
        trans_time: eat::compact(story.decided_at.unwrap_or(story.accepted_at)),
        bill_ref_number: &about.bill_reference,
    })
}

/// How much came in, which is nothing where the story has no payment: our choice, the page prints a success only.
fn came_in(story: &Payment) -> String {
    let amount = if story.receipt().is_some() { story.amount } else { Decimal::ZERO };
    format!("{amount:.2}")
}

/// HMAC-SHA512 in lower-case hex. Any key will do, so there always is one.
fn signed(key: &str, message: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn a_signature_is_the_hmac_the_rfc_prints() {
        let expected = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6\
                        fdcaeab1a34d4a6b4b636e070a38bce737";
        assert_eq!(signed("Jefe", "what do ya want for nothing?"), expected);
    }
}
