//! What a gateway tells the merchant after it has answered: which callbacks, in which order, when.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri, header};

use crate::fault::{Fault, Faults};
use crate::gateways::{Gateway, Work};

/// A callback on its way to the merchant.
#[derive(Clone)]
pub struct Callback {
    pub(crate) gateway: Gateway,
    pub(crate) reference: String,
    /// Callbacks of one lane are posted one after the other; lanes do not wait for each other.
    pub(crate) lane: u64,
    request: Request<Bytes>,
}

impl Callback {
    pub(crate) fn json(gateway: Gateway, reference: &str, lane: u64, url: &Uri, body: Bytes) -> Self {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.clone();
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        Self { gateway, reference: reference.to_owned(), lane, request }
    }

    /// The POST as it leaves the gateway, with its absolute URL.
    pub fn request(&self) -> &Request<Bytes> {
        &self.request
    }

    /// The reference of the call it answers.
    pub fn reference(&self) -> &str {
        &self.reference
    }
}

impl std::fmt::Debug for Callback {
    /// Without the URL, whose path is a secret, and without the body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// Which story a callback tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    Truth,
    Opposite,
    Forged,
    TimedOut,
}

/// When a callback goes out, counted from the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the reply to the call.
    First,
    /// After this long.
    After(Duration),
    /// Behind the next callback of another call.
    BehindNext,
}

/// The stories told about one decision, in order.
pub(crate) fn tellings(faults: &Faults) -> Vec<(When, Telling)> {
    let soon = if faults.has(Fault::CallbackEarly) { When::First } else { When::After(Duration::ZERO) };
    let late = faults.callback_delay();
    let truth = match late {
        _ if faults.has(Fault::CallbacksReordered) => When::BehindNext,
        Some(delay) => When::After(delay),
        None => soon,
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
        assert_eq!(told(&[Fault::CallbacksReordered]), [(When::BehindNext, Telling::Truth)]);
        assert_eq!(told(&[Fault::CallbackContradicting]), [(now, Telling::Truth), (now, Telling::Opposite)]);
        assert_eq!(told(&[Fault::CallbackForged]), [(now, Telling::Forged), (now, Telling::Truth)]);
        assert_eq!(told(&[Fault::QueueTimeout]), [(now, Telling::TimedOut)]);
        assert_eq!(
            told(&[Fault::QueueTimeout, Fault::CallbackLate(later)]),
            [(now, Telling::TimedOut), (When::After(later), Telling::Truth)]
        );
    }
}
