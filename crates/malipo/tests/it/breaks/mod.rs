//! The suite held against itself: for every promise, a provider that breaks it and what the suite then says.

mod delivering;
mod hearing;
mod sending;
mod shapes;
mod wording;

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, Response};
use malipo::{Ability, Capabilities, Effect, Error, ErrorKind, Money, Operation, PartyKind, Report, State};
use malipo_testkit::conformance::{PROMISES, check, cut_everywhere};

use crate::altered::{Alteration, SOUND, with_effect};
use crate::outside_subject::ACCEPTED;

#[test]
fn every_promise_can_be_broken() {
    let mut broken: Vec<_> = breaks().iter().map(|broken| broken.promise).collect();
    broken.dedup();
    let promises: Vec<_> = PROMISES.iter().map(|promise| promise.name).collect();
    assert_eq!(broken, promises, "each promise has its break, in the same order");
}

/// One test for each part of the list, so that they run side by side.
macro_rules! found_and_named {
    ($($test:ident: $part:path;)*) => {
        $(#[test]
        fn $test() {
            let missed: Vec<_> = $part().iter().filter_map(Break::missed).collect();
            assert!(missed.is_empty(), "{missed:#?}");
        })*

        fn breaks() -> Vec<Break> {
            [$($part()),*].into_iter().flatten().collect()
        }
    };
}

found_and_named! {
    a_break_of_what_is_admitted_is_found: sending::admission;
    a_break_of_what_is_sent_is_found: wording::wording;
    a_break_of_what_a_loss_means_is_found: sending::losing;
    a_break_of_what_an_answer_means_is_found: hearing::answering;
    a_break_of_what_a_shape_means_is_found: shapes::shapes;
    a_break_with_tokens_is_found: sending::tokens;
    a_break_of_what_is_known_is_found: hearing::knowing;
    a_break_in_asking_is_found: hearing::asking;
    a_break_in_asking_for_balances_is_found: hearing::balances;
    a_break_of_names_is_found: hearing::naming;
    a_break_of_secrecy_is_found: hearing::secrecy;
    a_break_of_what_is_posted_is_found: delivering::telling;
    a_break_with_deliveries_is_found: delivering::delivering;
}

#[test]
fn a_promise_that_nobody_made_is_not_kept() {
    assert!(check("a_promise_of_the_moon", &SOUND).is_err());
}

#[test]
fn an_alteration_of_nothing_breaks_nothing() {
    for promise in PROMISES {
        assert_eq!(promise.check(&SOUND), Ok(()));
    }
}

#[test]
fn two_abilities_for_one_operation_keep_every_promise() {
    let split = Alteration { declares: one_ability_for_each_wallet, ..SOUND };
    for promise in PROMISES {
        assert_eq!(promise.check(&split), Ok(()));
    }
}

#[test]
fn a_document_that_is_believed_when_it_is_cut_is_found() {
    let posted = br#"{"state":"PAID","of":"nobody knows what"}"#.as_slice();
    assert_eq!(cut_everywhere(&SOUND, ACCEPTED.as_bytes()), Ok(()));
    let unlisted = r#"{"code":"BAD_MOOD","message":"never"}"#;
    let careless = Alteration { fails: |error| harmless(error, ErrorKind::Unreadable, Some(400)), ..SOUND };
    let trusting = breaks().into_iter().find(|broken| broken.promise == "a_torn_delivery_decides_nothing");
    for (alteration, text) in [(careless, unlisted.as_bytes()), (trusting.unwrap().alteration, posted)] {
        assert_eq!(cut_everywhere(&SOUND, text), Ok(()));
        let found = cut_everywhere(&alteration, text).unwrap_err();
        assert!(found.to_string().contains("cut to"), "{found}");
    }
}

fn one_ability_for_each_wallet(mut capabilities: Capabilities) -> Capabilities {
    let whole = capabilities.abilities.pop().unwrap();
    for party in &whole.parties {
        let mut part = whole.clone();
        part.parties = vec![party.clone()];
        capabilities = capabilities.with(part);
    }
    assert_eq!(capabilities.abilities.len(), 2);
    capabilities
}

#[test]
fn a_confirmation_needs_no_limits() {
    let confirms = Alteration { declares: confirmed_collections, ..SOUND };
    assert_eq!(check("capabilities_make_sense", &confirms), Ok(()));
}

fn confirmed_collections(capabilities: Capabilities) -> Capabilities {
    let (least, most) = (Money::kes("1").unwrap(), Money::kes("1000").unwrap());
    let nothing = Money::zero(least.currency());
    let parties = vec![PartyKind::GatewayWallet];
    capabilities.with(Ability::new(Operation::Collect, parties, least, most, least)).with(Ability::new(
        Operation::Confirm,
        Vec::new(),
        nothing,
        nothing,
        nothing,
    ))
}

/// One way to break a promise.
struct Break {
    promise: &'static str,
    /// Promises that cannot but be broken with it.
    along: &'static [&'static str],
    alteration: Alteration,
}

impl Break {
    fn along(mut self, others: &'static [&'static str]) -> Self {
        self.along = others;
        self
    }

    /// What the suite should have said of it and did not, or the other way round.
    fn missed(&self) -> Option<String> {
        let findings: Vec<_> =
            PROMISES.iter().filter_map(|promise| promise.check(&self.alteration).err()).collect();
        let broken: BTreeSet<_> = findings.iter().map(|finding| finding.promise).collect();
        let expected: BTreeSet<_> = self.along.iter().copied().chain([self.promise]).collect();
        let named = findings.iter().all(|finding| finding.to_string().contains(finding.promise));
        (broken != expected || !named).then(|| {
            format!("breaking {} should break {expected:?}; the suite says: {findings:#?}", self.promise)
        })
    }
}

fn breaking(promise: &'static str, alteration: Alteration) -> Break {
    Break { promise, along: &[], alteration }
}

fn harmless(error: Error, kind: ErrorKind, status: Option<u16>) -> Error {
    if error.kind() == kind && error.status() == status {
        with_effect(&error, Effect::None, error.operation())
    } else {
        error
    }
}

fn hears(hears: fn(&Request<Bytes>, Response<Bytes>) -> Response<Bytes>) -> Alteration {
    Alteration { hears, ..SOUND }
}

/// The answer with the body that `other` says, if it says one.
fn replaced(response: Response<Bytes>, other: fn(u16, &[u8]) -> Option<&'static str>) -> Response<Bytes> {
    let status = response.status().as_u16();
    response.map(|body| other(status, &body).map_or(body, |other| Bytes::from_static(other.as_bytes())))
}

fn in_state(mut report: Report, state: State) -> Report {
    report.state = state;
    report
}

fn asks_for_token(request: &Request<Bytes>) -> bool {
    request.uri().path() == "/oauth/token"
}
