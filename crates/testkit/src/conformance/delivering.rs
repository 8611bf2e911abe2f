//! What is made of what a gateway posts to us, or somebody else in its name.

use std::fmt;
use std::result::Result as StdResult;
use std::sync::Arc;

use malipo_core::{
    CallbackError, Callbacks, Delivery, DeliveryPurpose, Headers, Read, Reference, Signature, State, Storage,
    ToldParty, Trust,
};

use super::bench::{Bench, Result, expect_amount, expect_code, is_json};
use super::faults::babble;
use super::secrecy::report_text;
use super::subject::{Posted, Says};

pub(super) fn a_delivery_says_what_is_documented(bench: &Bench<'_>) -> Result {
    let provider = bench.provider(Arc::new(bench.transport()));
    each(bench, |callbacks, posted, delivery| {
        let read = callbacks.read(delivery);
        let came = heard(&read);
        if came != posted.says {
            return Err(format!("says {came:?}; it should be {:?}", posted.says));
        }
        match read {
            Ok(Read::Report(report)) if report.provider != *provider.id() => {
                Err(format!("is told of {}, not of {}", report.provider, provider.id()))
            }
            Ok(Read::Report(report)) => {
                expect_amount("it", &report, posted.amount)?;
                expect_code("it", posted.code.as_deref(), report.code.as_deref())
            }
            Ok(Read::Credit(credit)) if posted.amount.is_some_and(|amount| amount != credit.amount) => {
                Err(format!("credits {}; it should be {:?}", credit.amount, posted.amount))
            }
            _ => Ok(()),
        }
    })
}

pub(super) fn a_delivery_reads_the_same_twice(bench: &Bench<'_>) -> Result {
    each(bench, |callbacks, _, delivery| {
        let first = told(&callbacks.read(delivery));
        for _ in 0..2 {
            let again = told(&callbacks.read(&delivery.clone()));
            if again != first {
                return Err(format!("reads first as {first}, then as {again}"));
            }
        }
        Ok(())
    })
}

pub(super) fn trust_comes_from_address_and_signature(bench: &Bench<'_>) -> Result {
    each(bench, |callbacks, _, delivery| {
        let read = callbacks.read(delivery);
        let Some((trust, signature)) = believed(&read) else { return Ok(()) };
        if trust != delivery.trust() && trust != Trust::Signed {
            return Err(format!("is believed as {trust:?}; it should be {:?} or signed", delivery.trust()));
        }
        if trust == Trust::Signed && signature.is_some_and(|signature| signature != Signature::Good) {
            return Err(format!("is believed as signed, with a signature that is {signature:?}"));
        }
        if trust == Trust::Signed { cannot_be_forged(callbacks, delivery, &read) } else { Ok(()) }
    })
}

/// Finds fault if somebody without the key can change what is told, and it is still believed as signed.
fn cannot_be_forged(
    callbacks: &Arc<dyn Callbacks>,
    delivery: &Delivery,
    genuine: &StdResult<Read, CallbackError>,
) -> Result {
    let whole = delivery.body.bytes();
    for at in 0..whole.len() {
        for (what, headers) in [("", delivery.headers.clone()), (" and its headers dropped", Headers::new())]
        {
            let mut forged = delivery.clone();
            let mut body = whole.to_vec();
            if let Some(byte) = body.get_mut(at) {
                *byte ^= 1;
            }
            (forged.body, forged.headers) = (body.into(), headers);
            let read = callbacks.read(&forged);
            let signed = believed(&read).is_some_and(|(trust, _)| trust == Trust::Signed);
            if signed && claim(&read) != claim(genuine) {
                return Err(format!("is believed as signed with another byte at {at}{what}"));
            }
        }
    }
    Ok(())
}

/// How far it is believed, and what became of its signature.
fn believed(read: &StdResult<Read, CallbackError>) -> Option<(Trust, Option<Signature>)> {
    match read {
        Ok(Read::Report(report)) => Some((report.trust, Some(report.signature))),
        Ok(Read::Credit(credit)) => Some((credit.trust, Some(credit.signature))),
        Ok(Read::Balances(balances)) => Some((balances.trust, None)),
        _ => None,
    }
}

/// What somebody would act on: what happened, to which payment, how much, and with whom.
fn claim(read: &StdResult<Read, CallbackError>) -> String {
    let account = |party: &Option<ToldParty>| party.as_ref().and_then(|party| party.account.clone());
    match read {
        Ok(Read::Report(report)) => {
            let (state, reference, amount) = (report.state, &report.reference, report.amount);
            format!("{state:?} {reference:?} {amount:?} {:?} {:?}", report.operation, account(&report.party))
        }
        Ok(Read::Credit(credit)) => {
            let (amount, reference) = (credit.amount, &credit.reference);
            format!("{amount:?} {reference:?} {:?} {:?}", credit.account, account(&credit.payer))
        }
        Ok(Read::Balances(balances)) => format!("{:?}", balances.balances),
        other => format!("{:?}", heard(other)),
    }
}

pub(super) fn a_torn_delivery_decides_nothing(bench: &Bench<'_>) -> Result {
    each(bench, |callbacks, posted, delivery| {
        let whole = delivery.body.bytes().to_vec();
        for length in 0..whole.len() {
            let left = whole.get(..length).unwrap_or_default().to_vec();
            let may_be_whole = is_json(&left) || !is_json(&whole);
            let mut torn = delivery.clone();
            torn.body = left.into();
            let came = heard(&callbacks.read(&torn));
            if decides(came) && !(may_be_whole && came == posted.says) {
                return Err(format!("cut to {length} bytes says {came:?}"));
            }
        }
        Ok(())
    })
}

pub(super) fn a_meaningless_delivery_decides_nothing(bench: &Bench<'_>) -> Result {
    let mut bodies: Vec<_> = babble().into_iter().map(|(what, _, body)| (what, body.to_vec())).collect();
    bodies.push(("a mebibyte of zeros", vec![0; 1 << 20]));
    bodies.push(("a number of a mebibyte", vec![b'7'; 1 << 20]));
    bodies.push(("nested objects", br#"{"a":"#.repeat(10_000)));
    bodies.push(("a form", b"a=b&c=d".to_vec()));
    decide_nothing(bench, &bodies)
}

/// Finds fault if any of these bodies, posted to any place that the gateway posts to, would be acted on.
pub(super) fn decide_nothing(bench: &Bench<'_>, bodies: &[(impl fmt::Display, Vec<u8>)]) -> Result {
    for (what, body) in bodies {
        everywhere(bench, body, |delivery, read| match heard(read) {
            came if decides(came) => Err(format!("{what}, posted as {:?}, says {came:?}", delivery.purpose)),
            _ => Ok(()),
        })?;
    }
    Ok(())
}

/// Posts a body to every place that the gateway posts to.
pub(super) fn everywhere(
    bench: &Bench<'_>,
    body: &[u8],
    mut check: impl FnMut(&Delivery, &StdResult<Read, CallbackError>) -> Result,
) -> Result {
    let Some(callbacks) = bench.subject.callbacks() else { return Ok(()) };
    let mut places: Vec<(DeliveryPurpose, Headers)> = Vec::new();
    for posted in bench.subject.deliveries() {
        for headers in [posted.delivery.headers, Headers::new()] {
            if !places.contains(&(posted.delivery.purpose, headers.clone())) {
                places.push((posted.delivery.purpose, headers));
            }
        }
    }
    for (purpose, headers) in places {
        for delivery in both(&Delivery::new(purpose, headers.clone(), body.to_vec()))? {
            check(&delivery, &callbacks.read(&delivery))?;
        }
    }
    Ok(())
}

pub(super) fn a_delivery_always_gets_a_reply(bench: &Bench<'_>) -> Result {
    let Some(callbacks) = bench.subject.callbacks() else { return Ok(()) };
    for (storage, range) in [(Storage::Stored, 200..300), (Storage::NotStored, 500..600)] {
        let reply = callbacks.reply(storage);
        if !range.contains(&reply.status) {
            return Err(format!(
                "the reply to {storage:?} has the status {}; it should be in {range:?}",
                reply.status
            ));
        }
        if reply.content_type.contains("json") && !is_json(&reply.body) {
            return Err(format!("the reply to {storage:?} is called {} and is not", reply.content_type));
        }
    }
    Ok(())
}

/// Checks every documented delivery, addressed to a payment and not.
fn each(bench: &Bench<'_>, check: impl Fn(&Arc<dyn Callbacks>, &Posted, &Delivery) -> Result) -> Result {
    let Some(callbacks) = bench.subject.callbacks() else { return Ok(()) };
    for posted in bench.subject.deliveries() {
        for delivery in both(&posted.delivery)? {
            let how = if delivery.addressed.is_some() { "addressed" } else { "not addressed" };
            check(&callbacks, &posted, &delivery)
                .map_err(|found| format!("{}, {how}, {found}", posted.name))?;
        }
    }
    Ok(())
}

/// The delivery to nobody's URL and to the URL of one payment: its own, if it knows one.
fn both(delivery: &Delivery) -> Result<[Delivery; 2]> {
    let reference: Reference = match &delivery.addressed {
        Some(reference) => reference.clone(),
        None => "CONFORMANCE-1".parse().map_err(|_| "not a reference".to_owned())?,
    };
    let mut nobody = delivery.clone();
    nobody.addressed = None;
    Ok([nobody, delivery.clone().addressed_to(reference)])
}

pub(super) fn heard(read: &StdResult<Read, CallbackError>) -> Says {
    match read {
        Ok(Read::Report(report)) => Says::Report(report.state),
        Ok(Read::Credit(_)) => Says::Credit,
        Ok(Read::Balances(_)) => Says::Balances,
        Ok(Read::Unanswered(_)) => Says::Unanswered,
        Ok(Read::NotModelled) => Says::NotModelled,
        Err(_) => Says::Refused,
    }
}

/// Whether somebody would act on it.
pub(super) fn decides(says: Says) -> bool {
    match says {
        Says::Report(state) => state != State::Pending,
        Says::Credit | Says::Balances => true,
        Says::Unanswered | Says::NotModelled | Says::Refused => false,
    }
}

/// All of it, as text.
fn told(read: &StdResult<Read, CallbackError>) -> String {
    let hidden: &dyn fmt::Debug = match read {
        Ok(Read::Report(report)) => return format!("{read:?} {}", report_text(report)),
        Ok(Read::Credit(credit)) => &credit.payer.as_ref().map(|payer| (&payer.account, &payer.name)),
        _ => &(),
    };
    format!("{read:?} {hidden:?}")
}
