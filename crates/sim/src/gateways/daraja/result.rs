//! The bodies of callbacks (Safaricom B2C page, read 2026-11-22; the status and balance results after
//! integrators' captures, since no page we hold prints them).

use bytes::Bytes;
use http::Uri;
use malipo_core::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{CHARGES, Ids, UTILITY, WORKING};
use crate::eat;
use crate::gateways::{Gateway, json_bytes};
use crate::ledger::Ledger;
use crate::magic;
use crate::payment::{Payment, PaymentState};

/// What a failed payment has where a receipt would be.
const NO_RECEIPT: &str = "NLJ0000000";

pub(super) const SUCCESS: &str = "The service request is processed successfully.";

#[derive(Serialize)]
struct Envelope<T> {
    #[serde(rename = "Result")]
    result: T,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told<'a> {
    result_type: u8,
    result_code: Value,
    result_desc: &'a str,
    #[serde(rename = "OriginatorConversationID")]
    originator: &'a str,
    #[serde(rename = "ConversationID")]
    conversation: &'a str,
    #[serde(rename = "TransactionID")]
    transaction: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_parameters: Option<Parameters>,
    reference_data: ReferenceData,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TimedOut<'a> {
    result_type: u8,
    result_desc: &'a str,
    #[serde(rename = "OriginatorConversationID")]
    originator: &'a str,
    #[serde(rename = "ConversationID")]
    conversation: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Parameters {
    result_parameter: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReferenceData {
    reference_item: Item,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    key: &'static str,
    value: Value,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Number(Box<RawValue>),
}

/// How a query or a payment failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) text: &'static str,
}

/// The result of a payment. One that is still undecided has none, and is told as if it had timed out:
/// without a code, so neither as paid nor as refused.
pub(super) fn payment(ids: &Ids, payment: &Payment, ledger: &Ledger) -> Bytes {
    let (code, text, receipt, parameters) = match &payment.state {
        PaymentState::Paid { receipt } => ("0", SUCCESS, &**receipt, Some(paid(payment, receipt, ledger))),
        PaymentState::Refused { code, text } | PaymentState::Reversed { code, text, .. } => {
            (&**code, &**text, NO_RECEIPT, None)
        }
        PaymentState::Accepted => return timed_out(ids),
    };
    told(ids, number(code.into()), text, receipt, parameters, queue_timeout_url())
}

/// The result of a status query that found its payment.
pub(super) fn status(ids: &Ids, payment: &Payment, shortcode: &str, occasion: &str) -> Bytes {
    let (status, receipt, reason) = match &payment.state {
        PaymentState::Accepted => ("Pending", "", ""),
        PaymentState::Paid { receipt } => ("Completed", &**receipt, ""),
        PaymentState::Refused { text, .. } => ("Declined", "", &**text),
        PaymentState::Reversed { receipt, text, .. } => ("Reversed", &**receipt, &**text),
    };
    let finalised = payment.decided_at.map_or_else(|| text(""), |at| number(eat::compact(at)));
    let parameters = vec![
        item("ReceiptNo", text(receipt)),
        item("Conversation ID", text(&payment.gateway_reference)),
        item("FinalisedTime", finalised),
        item("Amount", money(payment.amount)),
        item("TransactionStatus", text(status)),
        item("ReasonType", text("Business Payment to Customer via API")),
        item("TransactionReason", text(reason)),
        item("DebitPartyCharges", text("Fee For B2C Payment|KES|0.00")),
        item("DebitAccountType", text(UTILITY)),
        item("InitiatedTime", number(eat::compact(payment.accepted_at))),
        item("Originator Conversation ID", text(payment.reference.as_deref().unwrap_or_default())),
        item("CreditPartyName", text(&public_name(payment))),
        item("DebitPartyName", text(&format!("{shortcode} - Malipo Simulator"))),
    ];
    told(
        ids,
        number("0".into()),
        SUCCESS,
        &ids.transaction,
        Some(parameters),
        item("Occasion", text(occasion)),
    )
}

/// The result of a balance query. Its code is a string, as integrators have seen it.
pub(super) fn balance(ids: &Ids, accounts: &[(&str, Decimal)], at: Timestamp) -> Bytes {
    let line = |(name, held): &(&str, Decimal)| format!("{name}|KES|{held:.2}|{held:.2}|0.00|0.00");
    let lines: Vec<_> = accounts.iter().map(line).collect();
    let parameters = vec![
        item("AccountBalance", text(&lines.join("&"))),
        item("BOCompletedTime", number(eat::compact(at))),
    ];
    told(ids, text("0"), SUCCESS, &ids.transaction, Some(parameters), queue_timeout_url())
}

/// The result of a query that failed.
pub(super) fn failed(ids: &Ids, failure: Failure) -> Bytes {
    told(ids, number(failure.code.into()), failure.text, NO_RECEIPT, None, queue_timeout_url())
}

/// What the timeout URL is told. No page prints it; integrators have seen anything from a whole result to
/// the bare request, so this is a result with most of it missing, and in particular without a code.
pub(super) fn timed_out(ids: &Ids) -> Bytes {
    json_bytes(&Envelope {
        result: TimedOut {
            result_type: 1,
            result_desc: "The request timed out in the queue.",
            originator: &ids.originator,
            conversation: &ids.conversation,
        },
    })
}

/// The word that keeps the real gateway from ever calling a URL, if it holds one (Safaricom C2B page, read
/// 2026-11-22; that it is so for B2C is hearsay).
pub(super) fn unspeakable(url: &Uri) -> Option<&'static str> {
    const WORDS: [&str; 8] = ["mpesa", "m-pesa", "safaricom", "exec", "exe", "cmd", "sql", "query"];
    let url = url.to_string().to_ascii_lowercase();
    WORDS.into_iter().find(|word| url.contains(word))
}

fn paid(payment: &Payment, receipt: &str, ledger: &Ledger) -> Vec<Item> {
    let held = |name| money(ledger.balance(Gateway::Daraja, name).unwrap_or_default());
    let registered = if magic::is_registered(&payment.party) { "Y" } else { "N" };
    let completed = eat::dotted(payment.decided_at.unwrap_or(payment.accepted_at));
    vec![
        item("TransactionAmount", number(payment.amount.to_string())),
        item("TransactionReceipt", text(receipt)),
        item("B2CRecipientIsRegisteredCustomer", text(registered)),
        item("B2CChargesPaidAccountAvailableFunds", held(CHARGES)),
        item("ReceiverPartyPublicName", text(&public_name(payment))),
        item("TransactionCompletedDateTime", text(&completed)),
        item("B2CUtilityAccountAvailableFunds", held(UTILITY)),
        item("B2CWorkingAccountAvailableFunds", held(WORKING)),
    ]
}

fn public_name(payment: &Payment) -> String {
    format!("{} - Jane Doe", payment.party)
}

fn told(
    ids: &Ids,
    code: Value,
    desc: &str,
    transaction: &str,
    parameters: Option<Vec<Item>>,
    reference: Item,
) -> Bytes {
    json_bytes(&Envelope {
        result: Told {
            result_type: 0,
            result_code: code,
            result_desc: desc,
            originator: &ids.originator,
            conversation: &ids.conversation,
            transaction,
            result_parameters: parameters.map(|result_parameter| Parameters { result_parameter }),
            reference_data: ReferenceData { reference_item: reference },
        },
    })
}

fn queue_timeout_url() -> Item {
    item("QueueTimeoutURL", text("https://internalsandbox.safaricom.co.ke/mpesa/b2cresults/v1/submit"))
}

fn item(key: &'static str, value: Value) -> Item {
    Item { key, value }
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn money(amount: Decimal) -> Value {
    number(format!("{amount:.2}"))
}

/// `digits` as a JSON number, every digit kept; as a string should it be no number.
fn number(digits: String) -> Value {
    match RawValue::from_string(digits.clone()) {
        Ok(raw) => Value::Number(raw),
        Err(_) => Value::Text(digits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::Direction;

    #[test]
    fn words_are_found_in_any_case_and_place() {
        for url in ["http://127.0.0.1/MPesa/x", "https://eXEcutive.example/", "http://a.example/q?sql=1"] {
            assert!(unspeakable(&url.parse().unwrap()).is_some(), "{url}");
        }
        assert_eq!(unspeakable(&"http://127.0.0.1:80/results/123".parse().unwrap()), None);
    }

    #[test]
    fn numbers_keep_their_digits() {
        let json = serde_json::to_string(&money(Decimal::new(-4510, 0))).unwrap();
        assert_eq!(json, "-4510.00");
    }

    #[test]
    fn only_a_paid_payment_is_told_as_a_success() {
        let ids = Ids { originator: "ref".into(), conversation: "AG_1".into(), transaction: "R".into() };
        let (code, text) = ("9".to_owned(), "no".to_owned());
        let states = [
            (PaymentState::Paid { receipt: "R".into() }, Some("0")),
            (PaymentState::Refused { code: code.clone(), text: text.clone() }, Some("9")),
            (PaymentState::Reversed { receipt: "R".into(), code, text }, Some("9")),
            (PaymentState::Accepted, None),
        ];
        for (state, code) in states {
            let payment = Payment {
                gateway: Gateway::Daraja,
                direction: Direction::Out,
                reference: Some("ref".into()),
                gateway_reference: "AG_1".into(),
                party: "254712345678".into(),
                amount: 10.into(),
                currency: "KES".into(),
                state,
                accepted_at: Timestamp::UNIX_EPOCH,
                decided_at: None,
            };
            let told = super::payment(&ids, &payment, &Ledger::default());
            let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
            let found = told["Result"].get("ResultCode").map(ToString::to_string);
            assert_eq!(found.as_deref(), code, "{:?}", payment.state);
        }
    }
}
