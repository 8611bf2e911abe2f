use malipo_core::Timestamp;
use rust_decimal::Decimal;

use crate::gateways::Gateway;

/// A payment that a gateway accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payment {
    /// Who accepted it.
    pub gateway: Gateway,
    /// Which way the money goes.
    pub direction: Direction,
    /// The caller's reference (Daraja: `OriginatorConversationID`, KasaPay:
    /// `payout_reference`, SasaPay: `AccountReference`, which may be used again); `None` at a gateway that takes
    /// none, and for money that nobody asked for.
    pub reference: Option<String>,
    /// The gateway's own name for it, its own in all the gateway's books (Daraja: `ConversationID`,
    /// KasaPay: `transaction_id`, SasaPay: `CheckoutRequestID`, or `TransactionCode` where there was no request,
    /// Kyanda: `merchant_reference` or `transactionId`).
    pub gateway_reference: String,
    /// Who is to have the money, or to give it, as the request names them.
    pub party: String,
    /// How much was asked for. Where a payer decides how much to give, the [`Move`] says how much that was.
    pub amount: Decimal,
    /// Of what: a code of three letters, such as `KES`.
    pub currency: String,
    /// What has become of it.
    pub state: PaymentState,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it was last decided: paid, refused or reversed.
    pub decided_at: Option<Timestamp>,
}

impl Payment {
    /// The gateway's receipt number, once paid. A payment that was reversed is not paid any more: its number
    /// is in its [`state`](Self::state).
    pub fn receipt(&self) -> Option<&str> {
        match &self.state {
            PaymentState::Paid { receipt } => Some(receipt),
            PaymentState::Accepted | PaymentState::Refused { .. } | PaymentState::Reversed { .. } => None,
        }
    }
}

/// What has become of a [`Payment`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaymentState {
    /// Queued. No money has moved.
    Accepted,
    /// The money is where it was to go. Where a payer decides how much to give, this is what a first part makes of the
    /// payment: see [`Ledger::received`](crate::Ledger::received).
    Paid {
        /// The gateway's receipt number.
        receipt: String,
    },
    /// No money moved and none will.
    Refused {
        /// The gateway's code.
        code: String,
        /// The gateway's words.
        text: String,
    },
    /// Paid, and then taken back whole.
    Reversed {
        /// The receipt number it had been paid under.
        receipt: String,
        /// The gateway's code.
        code: String,
        /// The gateway's words.
        text: String,
    },
}

/// Which way money goes, seen from the merchant. Closed on purpose: there is no third way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the merchant to somebody.
    Out,
    /// From somebody to the merchant.
    In,
}

impl Direction {
    pub(crate) fn back(self) -> Self {
        match self {
            Self::Out => Self::In,
            Self::In => Self::Out,
        }
    }
}

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MoveKind {
    /// A payment was made.
    Payment,
    /// A payment made earlier was taken back.
    Reversal,
}

/// Money that went from one of the merchant's accounts to somebody, or the other way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Move {
    /// Who moved it.
    pub gateway: Gateway,
    /// Why.
    pub kind: MoveKind,
    /// Which way. A reversal goes the other way than the payment it takes back.
    pub direction: Direction,
    /// The caller's reference of the payment it belongs to, if that has one.
    pub reference: Option<String>,
    /// The gateway's own name for the payment it belongs to.
    pub gateway_reference: String,
    /// Which of the merchant's accounts it left or reached.
    pub account: &'static str,
    /// Who is at the other end.
    pub party: String,
    /// How much.
    pub amount: Decimal,
    /// Of what: a code of three letters, such as `KES`.
    pub currency: String,
    /// The gateway's receipt number of the payment.
    pub receipt: String,
    /// When.
    pub at: Timestamp,
}
