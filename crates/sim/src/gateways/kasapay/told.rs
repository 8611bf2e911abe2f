//! The one body that tells of a payout, by callback and by status query (B2B page, read 2026-11-22).

use bytes::Bytes;
use rust_decimal::Decimal;
use serde::Serialize;

use super::payout::{Float, Payout, Recipient};
use crate::eat;
use crate::gateways::json_bytes;
use crate::payment::{Payment, PaymentState};

#[derive(Serialize)]
struct Told<'a> {
    payout_reference: &'a str,
    transaction_id: &'a str,
    payment_reference: &'a str,
    wallet_account: &'static str,
    destination: &'static str,
    payment_status: u16,
    amount: String,
    currency: &'a str,
    account_number: String,
    destination_name: &'a str,
    description: &'a str,
    transaction_time: String,
    account_balance: String,
    result_description: &'a str,
}

/// What is told of a payout. `held` is its float's balance. A payout that is not paid has an empty
/// `payment_reference`, which is our choice: the page prints a paid one only.
pub(super) fn body(payout: &Payout, payment: &Payment, held: Decimal) -> Bytes {
    let (payment_status, payment_reference, result_description) = match &payment.state {
        PaymentState::Paid { receipt } => (700, &**receipt, "Payout was processed successfully"),
        PaymentState::Refused { text, .. } => (701, "", &**text),
        PaymentState::Reversed { receipt, text, .. } => (702, &**receipt, &**text),
        PaymentState::Accepted => (703, "", "Payout is Pending"),
    };
    json_bytes(&Told {
        payout_reference: payment.reference.as_deref().unwrap_or_default(),
        transaction_id: &payment.gateway_reference,
        payment_reference,
        wallet_account: match payout.float {
            Float::Kes => "784789474",
            Float::Usd => "784789475",
        },
        destination: match payout.recipient {
            Recipient::Paybill => "paybill",
            Recipient::Till => "till",
            Recipient::Bank => "bank_account",
        },
        payment_status,
        amount: format!("{:.2}", payment.amount),
        currency: &payment.currency,
        account_number: match payout.recipient {
            Recipient::Bank => masked(&payment.party),
            Recipient::Paybill | Recipient::Till => payment.party.clone(),
        },
        destination_name: match payout.recipient {
            // No field of a request says which bank it is.
            Recipient::Bank => "BANKX",
            Recipient::Paybill | Recipient::Till => &payout.recipient_name,
        },
        description: &payout.description,
        transaction_time: eat::iso_utc(payment.decided_at.unwrap_or(payment.accepted_at)),
        account_balance: format!("{held:.2}"),
        result_description,
    })
}

/// A bank account number as the page prints it, `08292******849`. One too short for that stays as it is.
fn masked(account: &str) -> String {
    let length = account.chars().count();
    let hidden = |place: usize| length > 8 && (5..length - 3).contains(&place);
    account.chars().enumerate().map(|(place, one)| if hidden(place) { '*' } else { one }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_leaves_the_ends() {
        for (account, shown) in [
            ("08292123456849", "08292******849"),
            ("012345678", "01234*678"),
            ("01234567", "01234567"),
            ("", ""),
        ] {
            assert_eq!(masked(account), shown);
        }
    }
}
