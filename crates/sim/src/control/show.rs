//! What the simulator tells about itself, as JSON. Amounts are decimal text: a JSON number may pass through a float.

use std::time::Duration;

use malipo_core::Timestamp;
use serde_json::{Value, json};

use crate::event::{Delivery, Event};
use crate::fault::Fault;
use crate::gateways::Gateway;
use crate::ledger::Ledger;
use crate::magic::{MAGIC_PAYEES, MagicEffect};
use crate::payer::Message;
use crate::payment::{Direction, Move, MoveKind, Payment, PaymentState};

/// Which part of a ledger to show. What is `None` is not asked about.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) gateway: Option<Gateway>,
    /// The caller's reference, or the gateway's own.
    pub(super) reference: Option<String>,
}

impl Wanted {
    fn at(&self, gateway: Gateway) -> bool {
        self.gateway.is_none_or(|wanted| wanted == gateway)
    }

    fn named<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        let wanted = self.reference.as_deref();
        wanted.is_none_or(|wanted| names.into_iter().any(|name| name == wanted))
    }
}

pub(super) fn ledger(ledger: &Ledger, wanted: &Wanted) -> Value {
    let payments = ledger.payments().iter().filter(|payment| {
        let names = payment.reference.as_deref().into_iter().chain([payment.gateway_reference.as_str()]);
        wanted.at(payment.gateway) && wanted.named(names)
    });
    let moves = ledger.moves().iter().filter(|moved| {
        let names = moved.reference.as_deref().into_iter().chain([moved.gateway_reference.as_str()]);
        wanted.at(moved.gateway) && wanted.named(names)
    });
    let balances = ledger.accounts().filter(|(gateway, ..)| wanted.at(*gateway));
    let repeated = ledger.paid_more_than_once().into_iter();
    let repeated = repeated.filter(|(gateway, reference)| wanted.at(*gateway) && wanted.named([*reference]));
    json!({
        "payments": payments.map(|one| payment(one, ledger)).collect::<Vec<_>>(),
        "moves": moves.map(one_move).collect::<Vec<_>>(),
        "balances": balances.map(|(gateway, account, currency, held)| json!({
            "gateway": gateway.as_str(),
            "account": account,
            "currency": currency,
            "amount": held.to_string(),
        })).collect::<Vec<_>>(),
        "paid_more_than_once": repeated.map(|(gateway, reference)| json!({
            "gateway": gateway.as_str(),
            "reference": reference,
        })).collect::<Vec<_>>(),
    })
}

pub(super) fn events(events: &[Event]) -> Value {
    json!({ "events": events.iter().map(event).collect::<Vec<_>>() })
}

/// What payers find on their phones, codes and all: whoever plays the payer has to read them.
pub(super) fn messages(messages: &[Message]) -> Value {
    let one = |message: &Message| {
        let Message { gateway, to, text, code } = message;
        json!({ "gateway": gateway.as_str(), "to": to, "text": text, "code": code })
    };
    json!({ "messages": messages.iter().map(one).collect::<Vec<_>>() })
}

pub(super) fn magic() -> Value {
    let payees = MAGIC_PAYEES.iter().map(|magic| {
        let (effect, faults): (_, &[Fault]) = match magic.effect {
            MagicEffect::Unregistered => ("unregistered", &[]),
            MagicEffect::Faults(faults) => ("faults", faults),
            MagicEffect::PayerRefuses(_) => ("payer_refuses", &[]),
        };
        let faults: Vec<_> = faults.iter().copied().map(fault).collect();
        json!({ "number": magic.number, "effect": effect, "faults": faults, "says": magic.says })
    });
    json!({ "payees": payees.collect::<Vec<_>>() })
}

/// A fault as it is asked for.
pub(super) fn fault(fault: Fault) -> Value {
    match fault.duration() {
        Some(duration) => json!({ "fault": fault.as_str(), "millis": millis(duration) }),
        None => json!({ "fault": fault.as_str() }),
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn payment(payment: &Payment, ledger: &Ledger) -> Value {
    let comes_in = payment.direction == Direction::In;
    let received = comes_in.then(|| ledger.received(payment).to_string());
    let (state, receipt, refused) = match &payment.state {
        PaymentState::Accepted => ("accepted", None, None),
        PaymentState::Paid { receipt } => ("paid", Some(receipt), None),
        PaymentState::Refused { code, text } => ("refused", None, Some((code, text))),
        PaymentState::Reversed { receipt, code, text } => ("reversed", Some(receipt), Some((code, text))),
    };
    json!({
        "gateway": payment.gateway.as_str(),
        "direction": direction(payment.direction),
        "reference": payment.reference,
        "gateway_reference": payment.gateway_reference,
        "party": payment.party,
        "amount": payment.amount.to_string(),
        "received": received,
        "currency": payment.currency,
        "state": state,
        "receipt": receipt,
        "code": refused.map(|(code, _)| code),
        "text": refused.map(|(_, text)| text),
        "accepted_at": payment.accepted_at.to_string(),
        "decided_at": payment.decided_at.as_ref().map(Timestamp::to_string),
    })
}

fn one_move(moved: &Move) -> Value {
    let kind = match moved.kind {
        MoveKind::Payment => "payment",
        MoveKind::Reversal => "reversal",
    };
    json!({
        "gateway": moved.gateway.as_str(),
        "kind": kind,
        "direction": direction(moved.direction),
        "reference": moved.reference,
        "gateway_reference": moved.gateway_reference,
        "account": moved.account,
        "party": moved.party,
        "amount": moved.amount.to_string(),
        "currency": moved.currency,
        "receipt": moved.receipt,
        "at": moved.at.to_string(),
    })
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Out => "out",
        Direction::In => "in",
    }
}

fn event(event: &Event) -> Value {
    match event {
        Event::Request { at, gateway, operation, reference, status, refused, faults } => json!({
            "event": "request",
            "at": at.to_string(),
            "gateway": gateway.map(Gateway::as_str),
            "operation": operation.map(|operation| operation.as_str()),
            "reference": reference,
            "status": status,
            "refused": refused,
            "faults": faults.iter().copied().map(fault).collect::<Vec<_>>(),
        }),
        Event::Callback { at, gateway, reference, delivery } => {
            let (delivery, status, why) = match delivery {
                Delivery::Answered(status) => ("answered", Some(status), None),
                Delivery::NotAcknowledged(status) => ("not_acknowledged", Some(status), None),
                Delivery::Failed(why) => ("failed", None, Some(why)),
                Delivery::Withheld(why) => ("withheld", None, Some(why)),
            };
            json!({
                "event": "callback",
                "at": at.to_string(),
                "gateway": gateway.as_str(),
                "reference": reference,
                "delivery": delivery,
                "status": status,
                "why": why,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(gateway: Option<Gateway>, reference: Option<&str>) -> Wanted {
        Wanted { gateway, reference: reference.map(str::to_owned) }
    }

    /// Two gateways with a payment each of one reference, and one without any.
    fn books() -> Ledger {
        let mut books = Ledger::default();
        for (gateway, reference) in
            [(Gateway::Daraja, Some("a")), (Gateway::Elsewhere, Some("a")), (Gateway::Elsewhere, None)]
        {
            books.open_account(gateway, "Account", "KES", 1000.into());
            let index = books.accept(Payment {
                gateway,
                direction: Direction::Out,
                reference: reference.map(str::to_owned),
                gateway_reference: format!("G{}", books.payments().len()),
                party: "254712345678".into(),
                amount: rust_decimal::Decimal::new(10_050, 2),
                currency: "KES".into(),
                state: PaymentState::Accepted,
                accepted_at: Timestamp::UNIX_EPOCH,
                decided_at: None,
            });
            books.pay(index, "Account", "R", Timestamp::UNIX_EPOCH).unwrap();
        }
        books
    }

    #[test]
    fn a_ledger_shows_what_is_asked_for_and_amounts_as_text() {
        let sizes = |wanted: &Wanted| {
            let shown = ledger(&books(), wanted);
            ["payments", "moves", "balances"].map(|list| shown[list].as_array().unwrap().len())
        };
        assert_eq!(sizes(&wanted(None, None)), [3, 3, 2]);
        assert_eq!(sizes(&wanted(Some(Gateway::Elsewhere), None)), [2, 2, 1]);
        assert_eq!(sizes(&wanted(None, Some("a"))), [2, 2, 2]);
        assert_eq!(sizes(&wanted(Some(Gateway::Daraja), Some("a"))), [1, 1, 1]);
        assert_eq!(sizes(&wanted(None, Some("G2"))), [1, 1, 2], "by the gateway's own name");
        assert_eq!(sizes(&wanted(None, Some("G"))), [0, 0, 2], "by the whole of it");
        let shown = ledger(&books(), &wanted(Some(Gateway::Daraja), None));
        assert_eq!(shown["payments"][0]["amount"], "100.50");
        assert_eq!(shown["balances"][0]["amount"], "899.50");
    }

    #[test]
    fn a_reversed_payment_shows_its_receipt_and_why() {
        let mut books = books();
        books.reverse(0, "9", "taken back", Timestamp::UNIX_EPOCH).unwrap();
        let shown = ledger(&books, &wanted(Some(Gateway::Daraja), None));
        let payment = &shown["payments"][0];
        assert_eq!(
            (&payment["state"], &payment["receipt"], &payment["code"]),
            (&json!("reversed"), &json!("R"), &json!("9"))
        );
        assert_eq!(
            (&shown["moves"][1]["kind"], &shown["moves"][1]["direction"]),
            (&json!("reversal"), &json!("in"))
        );
    }

    #[test]
    fn a_reference_paid_twice_is_shown_where_it_was() {
        let mut books = books();
        let again = Payment { state: PaymentState::Accepted, ..books.payments()[0].clone() };
        let index = books.accept(again);
        books.pay(index, "Account", "R2", Timestamp::UNIX_EPOCH).unwrap();
        let repeated = |wanted: &Wanted| ledger(&books, wanted)["paid_more_than_once"].clone();
        assert_eq!(repeated(&wanted(None, None)), json!([{ "gateway": "daraja", "reference": "a" }]));
        assert_eq!(repeated(&wanted(Some(Gateway::Elsewhere), None)), json!([]));
    }
}
