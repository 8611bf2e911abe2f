//! Callbacks that no gateway posted: none of them settles anything, and what would let one settle something is found.

use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use malipo::journal::{Address, Entry, Find, Journal, PaymentId};
use malipo::transport::Bytes;
use malipo::transport::http::{Request, Response, StatusCode};
use malipo::{DeliveryPurpose, Read, Timer, async_trait};
use malipo_receiver::Receiver;
use malipo_world::{Alterations, Answering, Door, Forged, Forgeries};
use tower_service::Service as _;

use crate::canaries::journals::{Answered, Lie, Lying};
use crate::canaries::parts::{Behind, Twisting};
use crate::house;

fn run(forgeries: Forgeries<'_>) -> Forged {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(forgeries.go()).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn of_twenty_thousand_forged_callbacks_none_settles_anything() {
    let forged = run(Forgeries::of(house()).without_token(15_000).with_token(5_000));
    println!("{forged}");
    assert_eq!(forged.violations, Vec::<String>::new(), "{forged}");
    assert_eq!((forged.strangers(), forged.insiders()), (15_000, 5_000));
    assert_eq!((forged.settled, forged.stored), (0, 0));
    for ((gateway, field), met) in &forged.with_token {
        assert!(met.fresh > 0 && met.in_review > 0, "{gateway} {}: {met:?}", field.as_str());
    }
    assert!(forged.untouched.of >= 4 && forged.untouched.of == forged.untouched.paid, "{forged}");
}

/// Something of what is broken so is told with this word.
fn finds(word: &str, broken: impl Alterations + 'static) -> Forged {
    let forgeries = Forgeries::of(house()).without_token(600).with_token(1200);
    let forged = run(forgeries.altered(Arc::new(broken)));
    assert!(forged.violations.iter().any(|told| told.starts_with(word)), "{:?}", forged.violations);
    forged
}

/// Posts it, and answers what comes back.
async fn pass(mut receiver: Receiver, request: Request<Bytes>) -> Response<Bytes> {
    let (parts, body) = receiver.call(request.map(Full::new)).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

/// Takes any tag for the right one.
#[derive(Debug)]
struct AnyTag(Arc<dyn Timer>);

impl AnyTag {
    /// The path with the tag that it should have had, as far as it says what it is about.
    fn mended(&self, path: &str) -> Option<String> {
        let mut parts = path.rsplit('/').skip(1);
        let purpose = match parts.next()? {
            "1" => DeliveryPurpose::Result,
            "6" => DeliveryPurpose::Notice,
            _ => return None,
        };
        let (payment, account) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let address = match payment {
            0 => Address::of_account(account, purpose),
            number => Address::of(account, PaymentId(number), purpose),
        };
        let url = Forgeries::urls(self.0.now()).unwrap().mint(address).ok()?;
        Some(url.as_str().to_owned())
    }
}

#[async_trait]
impl Door for AnyTag {
    async fn take(&self, receiver: Receiver, mut request: Request<Bytes>, answer: Answering) {
        if let Some(mended) = self.mended(request.uri().path()) {
            *request.uri_mut() = mended.parse().unwrap();
        }
        answer.with(pass(receiver, request).await);
    }
}

#[test]
fn a_receiver_takes_any_tag() {
    let forged = finds("STORED", Behind(|timer| Arc::new(AnyTag(timer))));
    assert!(forged.settled > 0, "a genuine body settles its payment, whoever posts it");
}

/// Says of an odd URL that it is odd.
#[derive(Debug)]
struct Talkative;

#[async_trait]
impl Door for Talkative {
    async fn take(&self, receiver: Receiver, request: Request<Bytes>, answer: Answering) {
        let is_odd = request.uri().path().contains('%');
        let mut response = pass(receiver, request).await;
        if is_odd {
            *response.status_mut() = StatusCode::BAD_REQUEST;
        }
        answer.with(response);
    }
}

#[test]
fn a_refusal_says_why() {
    finds("TOLD", Behind(|_| Arc::new(Talkative)));
}

/// Forgets every tenth callback that it has answered.
#[derive(Debug)]
struct Forgetful;

#[async_trait]
impl Door for Forgetful {
    async fn take(&self, receiver: Receiver, request: Request<Bytes>, answer: Answering) {
        if request.body().windows(10).any(|words| words == b"number 100") {
            return answer.with(Response::new(Bytes::from_static(br#"{"status":"success"}"#)));
        }
        answer.with(pass(receiver, request).await);
    }
}

#[test]
fn what_was_answered_is_not_kept() {
    finds("FORGOTTEN", Behind(|_| Arc::new(Forgetful)));
}

/// Holds a report against what was asked, but for how much it is.
#[derive(Debug)]
struct AnyAmount;

#[async_trait]
impl Lie for AnyAmount {
    async fn commit(&self, file: &dyn Journal, mut batch: Vec<Entry>) -> Answered {
        for entry in &mut batch {
            if let Entry::Apply(apply) = entry
                && let Some(payment) = file.find(&Find::Id(apply.payment)).await?
            {
                apply.report.amount = Some(payment.amount);
            }
        }
        file.commit(batch).await
    }
}

impl Alterations for AnyAmount {
    fn journal(&self, file: Arc<dyn Journal>, _: &Path, _: Arc<dyn Timer>) -> Arc<dyn Journal> {
        Arc::new(Lying { reads: file.clone(), file, lie: Arc::new(Self) })
    }
}

#[test]
fn an_amount_does_not_count() {
    finds("SETTLED", AnyAmount);
}

/// Reads with this left out.
fn without(left_out: fn(Read) -> Read) -> Twisting {
    Twisting { reply: |told, _| told, read: left_out }
}

#[test]
fn a_party_does_not_count() {
    finds(
        "SETTLED",
        without(|read| match read {
            Read::Report(mut report) => {
                report.party = None;
                Read::Report(report)
            }
            other => other,
        }),
    );
}

#[test]
fn a_name_does_not_count() {
    finds(
        "SETTLED",
        without(|read| match read {
            Read::Report(mut report) => {
                report.reference = None;
                report.provider_refs = malipo::ProviderRefs::new();
                Read::Report(report)
            }
            other => other,
        }),
    );
}
