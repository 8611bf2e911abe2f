use malipo_core::{Report, State, Timestamp, Trust};
use sha2::{Digest, Sha256};

use super::record::{Happened, settle};
use super::{Stop, report};
use crate::fold::Verdict;
use crate::tx::{Address, Select, Tx};
use crate::{
    DeliveryId, Done, EventKind, Find, MatchUnaddressed, News, Payment, Refused, SetAside, StoreDelivery,
    StoredDelivery, bind, stored,
};

pub(super) async fn store(tx: &mut dyn Tx, delivery: StoreDelivery, now: Timestamp) -> Result<Done, Stop> {
    let StoreDelivery { provider, purpose, addressed, payment: number, headers, body } = delivery;
    let numbered = match number {
        Some(number) => tx.payment(&Find::Id(number)).await?,
        None => None,
    };
    if let (Some(number), None) = (number, &numbered) {
        // We gave the URL out, and the books do not know the payment any more: they are older than it.
        tracing::error!(account = %provider, payment = number.0, "a delivery is for a payment that is not in the books: are they an old copy?");
    }
    let addressed = numbered.as_ref().map(|payment| payment.reference.clone()).or(addressed);
    let digest = Sha256::digest(body.bytes()).into();
    let address = Address { provider, purpose, addressed, digest };
    if let Some(known) = tx.same_delivery(&address).await? {
        let StoredDelivery { id, payment, applied_at, .. } = known;
        return Ok(Done::AlreadyStored { delivery: id, payment, applied_at });
    }
    // A URL that was given out for a payment says which one it is about, also where nobody can read the body.
    let payment = match (numbered, &address.addressed) {
        (Some(payment), _) => Some(payment).filter(|payment| payment.provider == address.provider),
        (None, Some(reference)) => {
            tx.payment(&Find::Reference(address.provider.clone(), reference.clone())).await?
        }
        (None, None) => None,
    };
    let kept = StoredDelivery {
        id: DeliveryId(0),
        provider: address.provider,
        purpose,
        addressed: address.addressed,
        received_at: now,
        payment: payment.map(|payment| payment.id),
        applied_at: None,
        set_aside: None,
        digest,
        headers: Some(stored::headers(&headers).map_err(Refused::Unstorable)?),
        body: Some(body),
    };
    Ok(Done::Stored(tx.insert_delivery(&kept).await?))
}

pub(super) async fn set_aside(tx: &mut dyn Tx, aside: SetAside) -> Result<Done, Stop> {
    let mut delivery = tx.delivery(aside.delivery).await?.ok_or(Refused::NoSuchDelivery)?;
    if delivery.applied_at.is_some() || (delivery.set_aside.is_some() && !aside.replayed) {
        return Ok(Done::SetAside(News::Repeat));
    }
    let news = if delivery.set_aside.is_some() { News::Repeat } else { News::New };
    delivery.set_aside = Some(aside.why);
    tx.update_delivery(&delivery).await?;
    if let Some(payment) = delivery.payment {
        let payment = super::payment(tx, payment).await?;
        report::forget(tx, &payment).await?;
    }
    Ok(Done::SetAside(news))
}

/// By a name the gateway gave, or because it is the only one open that it can be about.
pub(super) async fn match_unaddressed(
    tx: &mut dyn Tx,
    told: MatchUnaddressed,
    now: Timestamp,
) -> Result<Done, Stop> {
    let mut delivery = tx.delivery(told.delivery).await?.ok_or(Refused::NoSuchDelivery)?;
    if let Some(payment) = delivery.payment {
        return Ok(Done::Matched(payment));
    }
    let mut fitting = Vec::new();
    for payment in candidates(tx, &told).await? {
        if bind(&report::asked(&payment)?, &claim(&told)).is_ok() {
            fitting.push(payment);
        }
    }
    let [payment] = fitting.as_mut_slice() else {
        return Ok(Done::NotMatched { candidates: fitting.iter().map(|payment| payment.id).collect() });
    };
    delivery.payment = Some(payment.id);
    tx.update_delivery(&delivery).await?;
    let verdict = Verdict { standing: payment.standing.clone(), raised: None };
    let mut happened = Happened::new(EventKind::Matched).by_delivery(Some(delivery.id));
    happened.replayed = told.replayed;
    settle(tx, payment, verdict, happened, now).await?;
    Ok(Done::Matched(payment.id))
}

/// A known name decides, also for a payment that is over. Without one it takes the party: how much alone fits
/// anybody.
async fn candidates(tx: &mut dyn Tx, told: &MatchUnaddressed) -> Result<Vec<Payment>, Stop> {
    let mut named = Vec::<Payment>::new();
    for known in told.provider_refs.iter() {
        let (provider, kind) = (told.provider.clone(), known.kind.clone().into_owned());
        let select = Select::ProviderRef { provider, kind, value: known.value.clone() };
        for payment in tx.payments(&select, u32::MAX).await? {
            if !named.iter().any(|other| other.id == payment.id) {
                named.push(payment);
            }
        }
    }
    let has_account = told.party.as_ref().is_some_and(|party| party.account.is_some());
    if !named.is_empty() || !has_account {
        return Ok(named);
    }
    let (provider, operation, amount) = (told.provider.clone(), told.operation, told.amount);
    Ok(tx.payments(&Select::Exposed { provider, operation, amount }, u32::MAX).await?)
}

/// What the delivery says, to be held against a candidate. It claims no state.
fn claim(told: &MatchUnaddressed) -> Report {
    let mut report = Report::new(told.provider.clone(), State::Pending, Trust::Claimed);
    report.operation = Some(told.operation);
    report.amount = Some(told.amount);
    report.party.clone_from(&told.party);
    report.provider_refs = told.provider_refs.clone();
    report
}
