//! Breaks of what is made of deliveries.

use malipo::{
    CallbackError, Callbacks as _, Delivery, Money, ProviderId, Read, Reply, Report, Signature, State, Trust,
};

use super::{Break, breaking};
use crate::altered::{Alteration, SOUND};
use crate::outside_provider::TemboCallbacks;

/// A delivery with this code in which something is altered.
macro_rules! posted {
    ($code:literal, $change:expr) => {
        Alteration {
            reads: |_, delivery| {
                let change: fn(&mut Report) = $change;
                of_report(delivery, |report| {
                    if report.code.as_deref() == Some($code) {
                        change(report);
                    }
                })
            },
            ..SOUND
        }
    };
}

pub(super) fn telling() -> Vec<Break> {
    vec![
        breaking(
            "a_delivery_says_what_is_documented",
            Alteration {
                reads: |_, delivery| of_report(delivery, |report| report.state = State::Pending),
                ..SOUND
            },
        ),
        breaking("a_delivery_says_what_is_documented", posted!("PAID", |report| report.amount = None)),
        breaking(
            "a_delivery_says_what_is_documented",
            posted!("PAID", |report| report.amount = Some(Money::kes("1500.01").unwrap())),
        ),
        breaking(
            "a_delivery_says_what_is_documented",
            posted!("PAID", |report| report.provider = ProviderId::of("simba")),
        ),
        breaking(
            "a_delivery_says_what_is_documented",
            posted!("RESTING", |report| report.state = State::Failed),
        ),
        breaking("a_delivery_says_what_is_documented", posted!("RESTING", |report| report.code = None)),
    ]
}

pub(super) fn delivering() -> Vec<Break> {
    vec![
        breaking(
            "a_delivery_reads_the_same_twice",
            Alteration {
                reads: |count, delivery| {
                    let receipt = count.to_string();
                    of_report(delivery, |report| report.receipt = Some(receipt))
                },
                ..SOUND
            },
        ),
        breaking(
            "trust_comes_from_address_and_signature",
            Alteration {
                reads: |_, delivery| of_report(delivery, |report| report.trust = Trust::Addressed),
                ..SOUND
            },
        ),
        breaking(
            "trust_comes_from_address_and_signature",
            Alteration {
                reads: |_, delivery| of_report(delivery, |report| report.trust = Trust::Signed),
                ..SOUND
            },
        ),
        breaking(
            "trust_comes_from_address_and_signature",
            Alteration {
                reads: |_, delivery| {
                    of_report(delivery, |report| {
                        (report.trust, report.signature) = (Trust::Signed, Signature::Good);
                    })
                },
                ..SOUND
            },
        ),
        breaking(
            "a_torn_delivery_decides_nothing",
            Alteration {
                reads: |_, delivery| believe(delivery, |body| body.ends_with(br#""state":"PAID""#)),
                ..SOUND
            },
        ),
        breaking(
            "a_meaningless_delivery_decides_nothing",
            Alteration { reads: |_, delivery| believe(delivery, |body| body == b"{}"), ..SOUND },
        ),
        breaking(
            "a_delivery_always_gets_a_reply",
            Alteration { replies: |_, _| Reply::json(200, r#"{"ok":true}"#), ..SOUND },
        ),
    ]
}

fn of_report(delivery: &Delivery, change: impl FnOnce(&mut Report)) -> Result<Read, CallbackError> {
    let mut read = TemboCallbacks.read(delivery)?;
    if let Read::Report(report) = &mut read {
        change(report);
    }
    Ok(read)
}

/// Takes a delivery whose body `persuades` for the news of a payment.
fn believe(delivery: &Delivery, persuades: fn(&[u8]) -> bool) -> Result<Read, CallbackError> {
    if persuades(delivery.body.bytes()) {
        return Ok(Read::Report(Report::new(ProviderId::of("tembo"), State::Settled, delivery.trust())));
    }
    TemboCallbacks.read(delivery)
}
