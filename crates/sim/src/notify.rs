//! What a gateway tells the merchant after it has answered: which callbacks, in which order, when.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::event::Delivery;
use crate::fault::{Fault, Faults};
use crate::gateways::{Gateway, Work};
use crate::payment::{Payment, PaymentState};

/// How long the merchant has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A callback on its way to the merchant.
#[derive(Clone)]
pub struct Callback {
    pub(crate) gateway: Gateway,
    pub(crate) reference: String,
    /// Callbacks of one lane are posted one after the other; lanes do not wait for each other.
    pub(crate) lane: u64,
    pub(crate) acknowledgement: Acknowledgement,
    /// Of which era of its world it is: set when it leaves.
    pub(crate) era: u64,
    request: Request<Bytes>,
}

/// What a gateway takes for an acknowledgement of its callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acknowledgement {
    /// Any answer at all.
    Any,
    /// HTTP 200 and a JSON object whose `status` is `success`.
    StatusSuccess,
}

impl Callback {
    /// A POST of JSON. `headers` are those the gateway adds to the content type, such as a signature.
    pub(crate) fn json(
        gateway: Gateway,
        reference: &str,
        lane: u64,
        url: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.clone();
        *request.headers_mut() = headers;
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let acknowledgement = Acknowledgement::Any;
        Self { gateway, reference: reference.to_owned(), lane, acknowledgement, era: 0, request }
    }

    /// The same callback from a gateway that asks for this acknowledgement.
    pub(crate) fn acknowledged_by(self, acknowledgement: Acknowledgement) -> Self {
        Self { acknowledgement, ..self }
    }

    pub(crate) fn of_era(self, era: u64) -> Self {
        Self { era, ..self }
    }

    /// The POST as it leaves the gateway, with its absolute URL. Unlike the callback itself it prints whole:
    /// the path of the URL and the body are secrets of the merchant's.
    pub fn request(&self) -> &Request<Bytes> {
        &self.request
    }

    /// The reference of the call it answers, or the gateway's own where it takes none.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// Who posts it.
    pub fn gateway(&self) -> Gateway {
        self.gateway
    }

    /// The number of its lane. Callbacks of one lane are posted one after the other, each after the one before was
    /// answered or given up; lanes do not wait for each other.
    pub fn lane(&self) -> u64 {
        self.lane
    }

    /// How long the merchant has to answer it.
    pub fn patience(&self) -> Duration {
        PATIENCE
    }

    /// What the gateway makes of an answer to it.
    pub fn answered(&self, status: u16, body: &[u8]) -> Delivery {
        match self.acknowledgement {
            Acknowledgement::StatusSuccess if status != 200 || !says_success(body) => {
                Delivery::NotAcknowledged(status)
            }
            Acknowledgement::Any | Acknowledgement::StatusSuccess => Delivery::Answered(status),
        }
    }

    /// Whether the gateway reads the body of an answer with this status.
    pub(crate) fn reads_answer(&self, status: u16) -> bool {
        self.acknowledgement == Acknowledgement::StatusSuccess && status == 200
    }
}

impl std::fmt::Debug for Callback {
    /// Without the URL, whose path is a secret, and without the body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").field("reference", &self.reference).finish_non_exhaustive()
    }
}

fn says_success(body: &[u8]) -> bool {
    let said = serde_json::from_slice::<Value>(body).ok();
    said.is_some_and(|said| said.get("status").and_then(Value::as_str) == Some("success"))
}

/// Which story a callback tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    Truth,
    Opposite,
    Forged,
    TimedOut,
}

impl Telling {
    /// The payment as this story has it. `refusal` is the gateway's code and words for one that it did not make, and
    /// `receipt` makes up a number of its kind.
    pub(crate) fn of(
        self,
        payment: Payment,
        refusal: (&str, &str),
        receipt: impl FnOnce() -> String,
    ) -> Payment {
        match self {
            Self::Truth | Self::TimedOut => payment,
            Self::Opposite => {
                let state = match payment.state {
                    PaymentState::Paid { .. } => {
                        let (code, text) = refusal;
                        PaymentState::Refused { code: code.into(), text: text.into() }
                    }
                    PaymentState::Accepted | PaymentState::Refused { .. } | PaymentState::Reversed { .. } => {
                        PaymentState::Paid { receipt: receipt() }
                    }
                };
                Payment { state, ..payment }
            }
            Self::Forged => {
                let amount = payment.amount.saturating_mul(Decimal::TEN);
                Payment { state: PaymentState::Paid { receipt: receipt() }, amount, ..payment }
            }
        }
    }
}

/// When a callback goes out. Times count from the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the reply to the call.
    First,
    /// After this long.
    After(Duration),
    /// Behind the next callback of another call that leaves after this long.
    BehindNext(Duration),
}

/// The stories told about one decision, in order.
pub(crate) fn tellings(faults: &Faults) -> Vec<(When, Telling)> {
    let early = faults.has(Fault::CallbackEarly);
    let soon = if early { When::First } else { When::After(Duration::ZERO) };
    let late = faults.callback_delay().filter(|_| !early);
    let truth = if early {
        When::First
    } else if faults.has(Fault::CallbacksReordered) {
        When::BehindNext(late.unwrap_or_default())
    } else {
        When::After(late.unwrap_or_default())
    };
    let timed_out = faults.has(Fault::QueueTimeout);
    let silent = faults.has(Fault::CallbackNever) || (timed_out && late.is_none());

    let mut told = Vec::new();
    if timed_out {
        told.push((soon, Telling::TimedOut));
    }
    if faults.has(Fault::CallbackForged) {
        told.push((soon, Telling::Forged));
    }
    if !silent {
        told.push((truth, Telling::Truth));
        if faults.has(Fault::CallbackTwice) {
            told.push((truth, Telling::Truth));
        }
        if faults.has(Fault::CallbackContradicting) {
            told.push((truth, Telling::Opposite));
        }
    }
    told
}

/// What is still to happen, by time.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    jobs: BTreeMap<(Duration, u64), Job>,
    added: u64,
    held: Vec<Callback>,
}

/// One thing to happen.
#[derive(Debug)]
pub(crate) enum Job {
    /// A gateway gets round to a call it accepted.
    Work(Work),
    /// A callback leaves.
    Tell(Callback),
    /// A callback begins to wait for one that it can follow.
    Hold(Callback),
}

impl Agenda {
    pub(crate) fn add(&mut self, due: Duration, job: Job) {
        self.added += 1;
        self.jobs.insert((due, self.added), job);
    }

    pub(crate) fn hold(&mut self, callback: Callback) {
        self.held.push(callback);
    }

    /// What was held back for the callback that now leaves, moved to its lane so that they follow it.
    pub(crate) fn release(&mut self, leaving: &Callback) -> Vec<Callback> {
        let held = std::mem::take(&mut self.held).into_iter();
        let (own, others): (Vec<_>, Vec<_>) = held.partition(|callback| callback.lane == leaving.lane);
        self.held = own;
        let follow = |callback| Callback { lane: leaving.lane, ..callback };
        others.into_iter().map(follow).collect()
    }

    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.jobs.keys().next().map(|(due, _)| *due)
    }

    /// The next job if its time has come.
    pub(crate) fn pop(&mut self, now: Duration) -> Option<Job> {
        let first = self.jobs.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(faults: &[Fault]) -> Vec<(When, Telling)> {
        tellings(&Faults::new(faults.iter().copied()))
    }

    #[test]
    fn each_fault_tells_its_story() {
        let now = When::After(Duration::ZERO);
        let later = Duration::from_secs(9);
        assert_eq!(told(&[]), [(now, Telling::Truth)]);
        assert_eq!(told(&[Fault::CallbackNever]), []);
        assert_eq!(told(&[Fault::CallbackTwice]), [(now, Telling::Truth), (now, Telling::Truth)]);
        assert_eq!(told(&[Fault::CallbackEarly]), [(When::First, Telling::Truth)]);
        assert_eq!(told(&[Fault::CallbackLate(later)]), [(When::After(later), Telling::Truth)]);
        assert_eq!(told(&[Fault::CallbacksReordered]), [(When::BehindNext(Duration::ZERO), Telling::Truth)]);
        assert_eq!(told(&[Fault::CallbackContradicting]), [(now, Telling::Truth), (now, Telling::Opposite)]);
        assert_eq!(told(&[Fault::CallbackForged]), [(now, Telling::Forged), (now, Telling::Truth)]);
        assert_eq!(told(&[Fault::QueueTimeout]), [(now, Telling::TimedOut)]);
        assert_eq!(
            told(&[Fault::QueueTimeout, Fault::CallbackLate(later)]),
            [(now, Telling::TimedOut), (When::After(later), Telling::Truth)]
        );
    }

    #[test]
    fn of_two_that_exclude_each_other_the_upper_one_is_told() {
        let later = Duration::from_secs(9);
        let now = When::After(Duration::ZERO);
        for faults in [
            [Fault::CallbackEarly, Fault::CallbackLate(later)],
            [Fault::CallbackEarly, Fault::CallbacksReordered],
        ] {
            assert_eq!(told(&faults), [(When::First, Telling::Truth)], "{faults:?}");
        }
        assert_eq!(
            told(&[Fault::CallbackLate(later), Fault::CallbacksReordered]),
            [(When::BehindNext(later), Telling::Truth)],
            "both happen"
        );
        assert_eq!(
            told(&[Fault::QueueTimeout, Fault::CallbackEarly, Fault::CallbackLate(later)]),
            [(When::First, Telling::TimedOut)],
            "nothing is late, so nothing follows"
        );
        assert_eq!(told(&[Fault::QueueTimeout, Fault::CallbackTwice]), [(now, Telling::TimedOut)]);
        assert_eq!(told(&[Fault::CallbackNever, Fault::CallbackTwice, Fault::CallbackEarly]), []);
    }

    #[test]
    fn a_gateway_may_add_headers_of_its_own() {
        let url = "http://127.0.0.1/x".parse().unwrap();
        let headers = HeaderMap::from_iter([(header::WARNING, HeaderValue::from_static("signed"))]);
        let callback = Callback::json(Gateway::Daraja, "ref", 1, &url, headers, Bytes::new());
        let headers = callback.request().headers();
        assert_eq!(
            (&headers["warning"], &headers["content-type"]),
            (&"signed".parse().unwrap(), &"application/json".parse().unwrap())
        );
    }
}
