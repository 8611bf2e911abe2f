use std::time::Duration;

use crate::fault::{Fault, Faults};

/// A number that makes things happen when it is paid. The whole list is [`MAGIC_PAYEES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MagicPayee {
    /// The number, twelve digits with the country code and no plus sign.
    pub number: &'static str,
    /// What paying it does.
    pub effect: MagicEffect,
    /// The effect in words.
    pub says: &'static str,
}

/// What paying a [`MagicPayee`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MagicEffect {
    /// The number belongs to nobody registered with the gateway.
    Unregistered,
    /// The first call that carries a given reference meets these faults. The same reference sent again goes
    /// through, as it would once a real network heals. So does a second call without any reference.
    Faults(&'static [Fault]),
    /// Asked to pay, it does not. Being paid it is an ordinary customer.
    PayerRefuses(PayerRefusal),
}

/// Why a payer who was asked for money gave none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayerRefusal {
    /// Said no.
    Cancels,
    /// Said nothing.
    NoAnswer,
    /// Has too little money.
    TooLittle,
    /// Typed a wrong PIN.
    WrongPin,
}

/// Every magic payee. All other numbers are ordinary customers.
pub const MAGIC_PAYEES: &[MagicPayee] = &[
    MagicPayee {
        number: "254700000101",
        effect: MagicEffect::Unregistered,
        says: "is not registered: business and promotion payments are refused",
    },
    faulty("254700000102", &[Fault::LostRequest], "the request is lost, nothing is paid"),
    faulty("254700000103", &[Fault::LostReply], "paid, the reply is lost"),
    faulty("254700000104", &[Fault::SlowReply(Duration::from_secs(3))], "paid, the reply takes 3 s"),
    faulty("254700000105", &[Fault::ErrorBeforeAccept], "HTTP 503, nothing is paid"),
    faulty("254700000106", &[Fault::ErrorAfterAccept], "HTTP 503, and paid"),
    faulty("254700000107", &[Fault::HtmlPage], "HTTP 504 with a web page, and paid"),
    faulty("254700000108", &[Fault::TruncatedJson], "the reply stops half way, and paid"),
    faulty("254700000109", &[Fault::SpikeArrest], "refused: too fast"),
    faulty("254700000110", &[Fault::TokenExpired], "refused: the token ran out"),
    faulty("254700000111", &[Fault::EchoedToken], "refused, repeating the token"),
    faulty("254700000112", &[Fault::CallbackNever], "paid, the result is never told"),
    faulty("254700000113", &[Fault::CallbackTwice], "paid, the result is told twice"),
    faulty("254700000114", &[Fault::CallbackEarly], "paid, the result comes before the reply"),
    faulty("254700000115", &[Fault::CallbackLate(Duration::from_secs(10))], "paid, the result is 10 s late"),
    faulty("254700000116", &[Fault::CallbacksReordered], "paid, the result comes after the next payment's"),
    faulty("254700000117", &[Fault::CallbackContradicting], "paid, then a second result denies it"),
    faulty("254700000118", &[Fault::CallbackForged], "paid, after a forged result for ten times the amount"),
    faulty("254700000119", &[Fault::QueueTimeout], "paid, only the timeout URL is called"),
    faulty(
        "254700000120",
        &[Fault::QueueTimeout, Fault::CallbackLate(Duration::from_secs(10))],
        "paid, the timeout URL is called and the result follows after 10 s",
    ),
    faulty(
        "254700000121",
        &[Fault::LostReply, Fault::CallbackNever],
        "paid, and nobody says so: only a status query tells",
    ),
    refusing("254700000130", PayerRefusal::Cancels, "as a payer: cancels the request"),
    refusing("254700000131", PayerRefusal::NoAnswer, "as a payer: never answers"),
    refusing("254700000132", PayerRefusal::TooLittle, "as a payer: has too little money"),
    refusing("254700000133", PayerRefusal::WrongPin, "as a payer: types a wrong PIN"),
];

const fn faulty(number: &'static str, faults: &'static [Fault], says: &'static str) -> MagicPayee {
    MagicPayee { number, effect: MagicEffect::Faults(faults), says }
}

const fn refusing(number: &'static str, refusal: PayerRefusal, says: &'static str) -> MagicPayee {
    MagicPayee { number, effect: MagicEffect::PayerRefuses(refusal), says }
}

pub(crate) fn payer_refusal(payer: &str) -> Option<PayerRefusal> {
    match effect(payer)? {
        MagicEffect::PayerRefuses(refusal) => Some(refusal),
        MagicEffect::Unregistered | MagicEffect::Faults(_) => None,
    }
}

pub(crate) fn is_registered(payee: &str) -> bool {
    effect(payee) != Some(MagicEffect::Unregistered)
}

pub(crate) fn faults(payee: &str) -> Option<Faults> {
    match effect(payee)? {
        MagicEffect::Faults(faults) => Some(Faults::new(faults.iter().copied())),
        MagicEffect::Unregistered | MagicEffect::PayerRefuses(_) => None,
    }
}

pub(crate) fn effect(payee: &str) -> Option<MagicEffect> {
    MAGIC_PAYEES.iter().find(|magic| magic.number == payee).map(|magic| magic.effect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_page_lists_every_magic_payee() {
        let page = include_str!("../README.md");
        for magic in MAGIC_PAYEES {
            let row = format!("| `{}` | {} |", magic.number, magic.says);
            assert!(page.contains(&row), "README.md lacks the row {row}");
        }
        assert_eq!(page.matches("| `2547").count(), MAGIC_PAYEES.len(), "README.md has a row too many");
    }

    #[test]
    fn every_number_is_listed_once() {
        for pair in MAGIC_PAYEES.windows(2) {
            assert!(pair[0].number < pair[1].number);
        }
    }
}
