//! What was posted, held against what is kept of it.

use std::collections::BTreeSet;
use std::error::Error;

use malipo::journal::{Deliveries, DeliveryId, StoredDelivery};
use malipo::{DeliveryPurpose, ProviderId};
use malipo_sim::Gateway;

use crate::check::{Kept, Run};
use crate::findings::Findings;
use crate::front::{Answer, Posted};
use crate::setup;

const GATEWAYS: [Gateway; 4] = [Gateway::Daraja, Gateway::KasaPay, Gateway::SasaPay, Gateway::Kyanda];
/// How many are read at once.
const PAGE: u32 = 500;

/// Where something was posted to, and what.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Delivered {
    account: String,
    /// Our name for the payment that the URL is of.
    addressed: Option<String>,
    purpose: &'static str,
    body: Vec<u8>,
}

/// What was answered with 200 is in the books, byte for byte, and as what it was posted for.
///
/// # Errors
///
/// When the books cannot be read.
pub(crate) async fn hold(run: &Run, kept: &[Kept], findings: &mut Findings) -> Result<(), Box<dyn Error>> {
    let stored = stored(run, kept).await?;
    findings.posted = run.posted.len();
    for posted in &run.posted {
        match &posted.answer {
            Answer::Nobody => findings.unheard += 1,
            Answer::Lost(life) => {
                findings.unheard += 1;
                if run.killed.contains(life) {
                    findings.in_a_delivery.insert(life.clone());
                }
            }
            Answer::Status(200) => {
                findings.answered += 1;
                if delivered(posted, kept).is_none_or(|one| !stored.contains(&one)) {
                    let path = &posted.path;
                    findings
                        .violations
                        .push(format!("FORGOTTEN: {path} was answered 200, and what came is not kept"));
                }
            }
            Answer::Status(_) => findings.refused += 1,
        }
    }
    Ok(())
}

/// All that is kept: what waits, what was set aside, and what is about a payment.
async fn stored(run: &Run, kept: &[Kept]) -> Result<BTreeSet<Delivered>, Box<dyn Error>> {
    let waiting = GATEWAYS.map(|gateway| Deliveries::Waiting(ProviderId::of(gateway.as_str())));
    let of = kept.iter().map(|one| Deliveries::Of(one.payment.id));
    let mut all = BTreeSet::new();
    for which in waiting.into_iter().chain([Deliveries::SetAside]).chain(of) {
        let mut after = DeliveryId(0);
        loop {
            let page = run.books.deliveries(&which, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            all.extend(page.iter().filter_map(as_delivered));
        }
    }
    Ok(all)
}

fn as_delivered(stored: &StoredDelivery) -> Option<Delivered> {
    Some(Delivered {
        account: stored.provider.to_string(),
        addressed: stored.addressed.as_ref().map(ToString::to_string),
        purpose: stored.purpose.as_str(),
        body: stored.delivery().ok()??.body.bytes().to_vec(),
    })
}

/// As what it has to be kept. The path is read here once more, in order not to ask those who are checked.
fn delivered(posted: &Posted, kept: &[Kept]) -> Option<Delivered> {
    let mut parts = posted.path.rsplit('/').skip(1);
    let purpose = match parts.next()? {
        "1" => DeliveryPurpose::Result,
        "2" => DeliveryPurpose::Timeout,
        "3" => DeliveryPurpose::Answer,
        "4" => DeliveryPurpose::AnswerTimeout,
        "6" => DeliveryPurpose::Notice,
        _ => return None,
    };
    let (payment, account): (u64, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let gateway = GATEWAYS.into_iter().find(|gateway| setup::number(*gateway) == account)?;
    let addressed = kept.iter().find(|one| one.payment.id.0 == payment);
    if addressed.is_some_and(|one| one.gateway != gateway) {
        return None;
    }
    Some(Delivered {
        account: gateway.as_str().to_owned(),
        addressed: addressed.map(|one| one.payment.reference.to_string()),
        purpose: purpose.as_str(),
        body: posted.body.to_vec(),
    })
}
