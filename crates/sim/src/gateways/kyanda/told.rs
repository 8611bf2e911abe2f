//! What is told of a payment: by notification, which spells the same things differently for different
//! payments, and in answer to a transaction check.

use std::collections::BTreeMap;

use bytes::Bytes;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::endpoint::Endpoint;
use super::order::{Goods, Order};
use crate::eat;
use crate::gateways::json_bytes;
use crate::payment::{Direction, Payment, PaymentState};

/// The merchant's side of a payout, as the page's sample names it.
const WALLET: &str = "PaymentWallet";

#[derive(Default, Serialize)]
struct Told(BTreeMap<&'static str, Box<RawValue>>);

impl Told {
    fn put<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) {
        // Only maps with keys that are no strings, and failing Serialize impls, fail; there are none here.
        if let Ok(raw) = to_raw_value(value) {
            self.0.insert(name, raw);
        }
    }

    /// What both ways of telling have in common, all but the amount and its like, whose names differ.
    fn of(order: &Order, payment: &Payment, goods: &Goods, merchant_id: &str) -> Self {
        let mut told = Self::default();
        told.put("category", category(order.endpoint));
        let source = if payment.direction == Direction::In { &*payment.party } else { WALLET };
        told.put("source", source);
        told.put("MerchantID", merchant_id);
        match &payment.state {
            // An empty list where there is an object otherwise: a habit of servers written in PHP.
            PaymentState::Refused { .. } => told.put("details", &[(); 0]),
            _ => told.put("details", goods),
        }
        match &order.metadata {
            Some(metadata) => told.put("requestMetadata", metadata),
            None => told.put("requestMetadata", &Goods::default()),
        }
        told
    }
}

/// The body of a notification. Its shapes are those that were seen in public: one for each kind of payment.
/// None was seen for a bank payout, a bill or a voucher; these are told in the manner of their next of kin.
pub(super) fn notification(order: &Order, payment: &Payment, goods: &Goods, merchant_id: &str) -> Bytes {
    let mut told = Told::of(order, payment, goods, merchant_id);
    let (status, code, text) = state(payment);
    let at = payment.decided_at.unwrap_or(payment.accepted_at);
    told.put("status_code", code);
    told.put("message", text);
    told.put("transactionRef", &payment.gateway_reference);
    // "Outbound" was seen; its opposite was not.
    told.put("direction", if payment.direction == Direction::In { "Inbound" } else { "Outbound" });
    match order.endpoint {
        Endpoint::Checkout => {
            told.put("Phone", &payment.party);
            told.put("Status", status);
            told.put("Posted_Time", &eat::dashed(at));
            told.put("Amount", &payment.amount.to_string());
        }
        Endpoint::MobilePayout | Endpoint::BankPayout => {
            told.put("destination", &payment.party);
            told.put("status", status);
            told.put("transactionDate", &eat::dashed(at));
            told.put("amount", &payment.amount.to_string());
        }
        _ => {
            told.put("destination", &payment.party);
            told.put("status", status);
            told.put("transactionDate", &eat::dashed_apart(at));
            told.put("amount", &number(payment.amount));
        }
    }
    json_bytes(&told)
}

/// The body of the answer to a transaction check (merchant page of 20-01-2023, whose sample has its `status`
/// twice: the second is taken for `status_code`). A checkout's `destination` is its payer, as its `Phone` is in
/// notifications.
pub(super) fn checked(order: &Order, payment: &Payment, merchant_id: &str) -> Bytes {
    #[derive(Serialize)]
    struct Answer {
        status: &'static str,
        details: Told,
    }

    let mut told = Told::of(order, payment, &order.goods, merchant_id);
    let (status, code, _) = state(payment);
    told.put("destination", &payment.party);
    told.put("status", status);
    told.put("status_code", code);
    told.put("transactionFee", "0");
    told.put("amount", &payment.amount.to_string());
    json_bytes(&Answer { status: "200", details: told })
}

/// A JSON number, exact.
pub(super) fn number(amount: Decimal) -> Option<Box<RawValue>> {
    RawValue::from_string(amount.normalize().to_string()).ok()
}

fn category(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::MobilePayout => "MobilePayout",
        Endpoint::BankPayout => "BankPayout",
        // Whatever the channel: no other was seen.
        Endpoint::Checkout => "MpesaPayment",
        _ => "UtilityPayment",
    }
}

/// State, code and words.
fn state(payment: &Payment) -> (&'static str, &str, &str) {
    match &payment.state {
        PaymentState::Accepted => ("Pending", "1100", "Transaction created and pending processing."),
        PaymentState::Paid { .. } => ("Success", "0000", "Your request has been processed successfully."),
        PaymentState::Refused { code, text } | PaymentState::Reversed { code, text, .. } => {
            ("Failed", code, text)
        }
    }
}
