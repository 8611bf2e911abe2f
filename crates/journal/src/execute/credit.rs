//! Money that came in unasked: one row for one transaction, confirmed only by what its gateway answers.

use std::time::Duration;

use malipo_core::{Credit, Money, ProviderId, Timestamp, Trust};

use super::owner::{Name, Owner, Said, is_named, owner};
use super::{Stop, later, report};
use crate::again::{AT_FIRST, GIVEN_UP, every};
use crate::tx::{FindCredit, Tx};
use crate::{
    Aside, Attention, CreditId, CreditRecord, CreditSequence, CreditState, DecideCredit, DeliveryId, Done,
    DueCredits, JournalError, News, Payment, Reason, Refused, StoreCredit, StoredError, stored,
};

/// How long a payment that is over may take to tell which transaction it was.
const NAMED_WITHIN: Duration = Duration::from_secs(600);
/// How much of what was claimed is shown to a person.
const LONGEST_CLAIM: usize = 200;

/// What a delivery claims. The delivery is done with: from here on the credit waits, and not what told of it.
pub(super) async fn store(tx: &mut dyn Tx, told: StoreCredit, now: Timestamp) -> Result<Done, Stop> {
    let StoreCredit { delivery: id, credit } = told;
    let mut delivery = tx.delivery(id).await?.ok_or(Refused::NoSuchDelivery)?;
    // What an older reader set aside for another reason is booked once it is read again.
    let is_booked = matches!(delivery.set_aside, Some(Aside::Credit | Aside::Collected));
    if is_booked || delivery.applied_at.is_some() {
        return Ok(Done::SetAside(News::Repeat));
    }
    let name = nameable(&credit, &delivery.provider)?;
    // Whose money it is, by the one name that says which transaction it is. All else is only claimed.
    let owner = owner(tx, &delivery.provider, &name, &Said::claimed(&name, &credit)).await?;
    if let Owner::Collected(payment) = owner {
        (delivery.payment, delivery.set_aside) = (Some(payment.id), Some(Aside::Collected));
        tx.update_delivery(&delivery).await?;
        report::forget(tx, &payment).await?;
        return Ok(Done::SetAside(News::New));
    }
    delivery.set_aside = Some(Aside::Credit);
    tx.update_delivery(&delivery).await?;
    let (provider, kind, value) = (delivery.provider, name.kind, name.value);
    let known = FindCredit::Name { provider: provider.clone(), kind: kind.clone(), value: value.clone() };
    if let Some(known) = tx.credit(&known).await? {
        return compared(tx, known, credit.amount, now).await;
    }
    let open = owner.open();
    let record = CreditRecord {
        id: CreditId(0),
        sequence: CreditSequence(0),
        provider,
        kind,
        value,
        also: None,
        amount: credit.amount,
        state: CreditState::Claimed,
        attention: None,
        delivery: id,
        payment: open,
        at: credit.at,
        received_at: delivery.received_at,
        answered_at: None,
        changed_at: now,
        asks: 1,
        // Whoever wrote it down asks at once; should it die before that, somebody asks then.
        next_at: Some(later(now, AT_FIRST)),
        credit: Some(stored::credit(&credit).map_err(Refused::Unstorable)?),
    };
    let credit = tx.insert_credit(&record).await?;
    Ok(Done::Credited { credit, news: News::New, open })
}

/// The name of the transaction, where there is money that can be booked under it.
fn nameable(credit: &Credit, provider: &ProviderId) -> Result<Name, Refused> {
    let is_ours = credit.provider == *provider && credit.amount.minor() > 0;
    let known = credit.provider_refs.iter().next().filter(|_| is_ours);
    let name = known.map(|known| Name { kind: known.kind.to_string(), value: known.value.clone() });
    name.ok_or(Refused::Unstorable(StoredError::Malformed("credit")))
}

/// The same transaction once more: another amount is evidence, and changes nothing. Whoever looks at one that nobody but
/// the posts speaks of is shown each amount.
async fn compared(
    tx: &mut dyn Tx,
    mut known: CreditRecord,
    told: Money,
    now: Timestamp,
) -> Result<Done, Stop> {
    let done = Done::Credited { credit: known.id, news: News::Repeat, open: None };
    if let (CreditState::Review, None, Some(why)) = (known.state, known.answered_at, known.attention.clone())
    {
        let claimed = why.claimed.clone().unwrap_or_default();
        if !claimed.contains(&amount(told)) && claimed.len() < LONGEST_CLAIM {
            let why = Attention { claimed: Some(format!("{claimed}, {}", amount(told))), ..why };
            tell(tx, known, CreditState::Review, Some(why), now).await?;
        }
        return Ok(done);
    }
    let expects = known.answered_at.is_some() || known.state == CreditState::Claimed;
    if told != known.amount && known.attention.is_none() && expects {
        known.attention = Some(Attention {
            reason: Reason::Mismatched,
            expected: known.answered_at.map(|_| amount(known.amount)),
            claimed: Some(amount(told)),
        });
        tx.update_credit(&known).await?;
    }
    Ok(done)
}

/// What the gateway answered decides, and what it names in its answer: of what was posted only that the transaction is
/// to be asked about.
pub(super) async fn decide(tx: &mut dyn Tx, decided: DecideCredit, now: Timestamp) -> Result<Done, Stop> {
    let mut record = tx.credit(&FindCredit::Id(decided.credit)).await?.ok_or(Refused::NoSuchCredit)?;
    let from = record.state;
    let stays = match from {
        CreditState::Claimed => false,
        CreditState::Review => decided.answered.is_none(),
        CreditState::Confirmed | CreditState::Collected => true,
    };
    if stays {
        return Ok(Done::CreditDecided { from, state: from, open: None });
    }
    let name = Name::of(&record);
    let said = match &decided.answered {
        Some(answered) => {
            let is_named = answered.provider_refs.find(&record.kind) == Some(&record.value);
            let is_its_own = answered.trust == Trust::Answered && is_named;
            nameable(answered, &record.provider).ok().filter(|_| is_its_own).ok_or(Refused::NotItsAnswer)?;
            take_over(&mut record, answered, now)?;
            Said::answered(answered)
        }
        None => {
            record.credit()?.map_or_else(|| Said::called(&record), |credit| Said::claimed(&name, &credit))
        }
    };
    let owner = owner(tx, &record.provider, &name, &said).await?;
    let open = owner.open();
    record.payment = owner.payment();
    let waits = matches!(owner, Owner::Open(_))
        || matches!(owner, Owner::Unclear(_)) && age(&record, now) <= NAMED_WITHIN;
    let attention = |reason| Attention { reason, ..evidence(&record) };
    match owner {
        // What a person was shown stays as it was shown until there is more to show.
        _ if waits && from == CreditState::Review => {}
        _ if waits => tx.update_credit(&record).await?,
        Owner::Collected(payment) => collected(tx, record, &payment, now).await?,
        Owner::Unclear(_) => {
            let why = attention(Reason::Ambiguous);
            tell(tx, record, CreditState::Review, Some(why), now).await?;
        }
        _ if decided.answered.is_none() => {
            let why = attention(Reason::Unaskable);
            tell(tx, record, CreditState::Review, Some(why), now).await?;
        }
        _ => {
            let differs = record.attention.take().filter(|why| why.reason == Reason::Mismatched);
            tell(tx, record, CreditState::Confirmed, differs, now).await?;
        }
    }
    let state = tx.credit(&FindCredit::Id(decided.credit)).await?.map_or(from, |record| record.state);
    Ok(Done::CreditDecided { from, state, open })
}

/// Takes over what the gateway answered. What was posted beside it, and differs, is kept as evidence.
fn take_over(record: &mut CreditRecord, answered: &Credit, now: Timestamp) -> Result<(), Refused> {
    let claimed = record.attention.as_ref().and_then(|why| why.claimed.clone());
    let claimed = match record.answered_at {
        None if record.amount != answered.amount => Some(amount(record.amount)),
        _ => claimed.filter(|claimed| *claimed != amount(answered.amount)),
    };
    let is_review = record.state == CreditState::Review;
    let differs =
        claimed.map(|claimed| Attention::new(Reason::Mismatched).with(amount(answered.amount), claimed));
    record.attention = if is_review { differs.or(record.attention.take()) } else { differs };
    record.also =
        answered.provider_refs.iter().nth(1).map(|known| known.value.clone()).or(record.also.take());
    record.amount = answered.amount;
    record.at = answered.at.or(record.at);
    record.answered_at = record.answered_at.or(Some(now));
    record.credit = Some(stored::credit(answered).map_err(Refused::Unstorable)?);
    Ok(())
}

/// What a person is shown: the two amounts where they differ, and else that nobody but who posted it said so.
fn evidence(record: &CreditRecord) -> Attention {
    let shown = Attention::new(Reason::Mismatched);
    match (&record.attention, record.answered_at) {
        (Some(differs), Some(_)) if differs.reason == Reason::Mismatched => differs.clone(),
        (_, Some(_)) => Attention { expected: Some(amount(record.amount)), ..shown },
        (_, None) => shown.with("the gateway's own answer", amount(record.amount)),
    }
}

/// Money of which the gateway is to be asked now. The next question about it is far enough away that nobody else asks
/// meanwhile; no clock makes a claim false, so in the end it is shown.
pub(super) async fn due(tx: &mut dyn Tx, wanted: DueCredits, now: Timestamp) -> Result<Done, Stop> {
    let (mut due, mut given_up) = (Vec::new(), Vec::new());
    for mut record in tx.due_credits(&wanted.providers, now, wanted.limit).await? {
        let age = age(&record, now);
        if age > GIVEN_UP {
            let why = Attention { reason: Reason::Unconfirmed, ..evidence(&record) };
            given_up.push(tell(tx, record, CreditState::Review, Some(why), now).await?);
            continue;
        }
        record.asks = record.asks.saturating_add(1);
        record.next_at = Some(later(now, every(age)));
        tx.update_credit(&record).await?;
        due.push(record);
    }
    Ok(Done::CreditsDue { due, given_up })
}

/// Finds what was told as a credit and is the money of this collection, which now says so.
pub(super) async fn collect(tx: &mut dyn Tx, payment: &Payment, now: Timestamp) -> Result<(), JournalError> {
    let mut names: Vec<_> = payment.provider_refs.iter().map(|known| known.value.as_str()).collect();
    names.extend(payment.receipt.as_deref());
    for record in tx.credits_called(&payment.provider, &names).await? {
        let name = Name::of(&record);
        if is_named(payment, &name, &Said::called(&record)) {
            collected(tx, record, payment, now).await?;
        }
    }
    Ok(())
}

/// It is the money of this payment, unless the gateway says that the two are not the same amount.
async fn collected(
    tx: &mut dyn Tx,
    mut record: CreditRecord,
    payment: &Payment,
    now: Timestamp,
) -> Result<(), JournalError> {
    if record.state == CreditState::Collected {
        return Ok(());
    }
    record.payment = Some(payment.id);
    if record.answered_at.is_some() && record.amount != payment.amount {
        let why = Attention::new(Reason::Mismatched).with(amount(payment.amount), amount(record.amount));
        if record.state != CreditState::Review || record.attention.as_ref() != Some(&why) {
            tell(tx, record, CreditState::Review, Some(why), now).await?;
        }
        return Ok(());
    }
    give(tx, record.delivery, payment).await?;
    let differs = record.attention.take().filter(|why| why.reason == Reason::Mismatched);
    tell(tx, record, CreditState::Collected, differs, now).await.map(drop)
}

/// The delivery that told of it is about the payment, then.
async fn give(tx: &mut dyn Tx, delivery: DeliveryId, payment: &Payment) -> Result<(), JournalError> {
    let Some(mut delivery) = tx.delivery(delivery).await? else { return Ok(()) };
    if delivery.payment.is_none() {
        (delivery.payment, delivery.set_aside) = (Some(payment.id), Some(Aside::Collected));
        tx.update_delivery(&delivery).await?;
        report::forget(tx, payment).await?;
    }
    Ok(())
}

/// Where a credit's state changes, or what is shown of it: the only place that gives it a number under which it is told.
/// What was never told and is no credit is not told either.
async fn tell(
    tx: &mut dyn Tx,
    mut record: CreditRecord,
    state: CreditState,
    attention: Option<Attention>,
    now: Timestamp,
) -> Result<CreditRecord, JournalError> {
    record.attention = attention;
    record.next_at = None;
    let shown = |record: &CreditRecord| (record.amount, record.attention.clone(), record.payment);
    let before = tx.credit(&FindCredit::Id(record.id)).await?;
    let is_shown_anew = before.is_none_or(|before| shown(&before) != shown(&record));
    let is_step = record.state != state;
    if is_step {
        (record.state, record.changed_at) = (state, now);
    }
    let is_told = state != CreditState::Collected || record.sequence != CreditSequence(0);
    if (is_step || is_shown_anew) && is_told {
        record.sequence = tx.next_credit_sequence().await?;
    }
    tx.update_credit(&record).await?;
    Ok(record)
}

fn age(record: &CreditRecord, now: Timestamp) -> Duration {
    now.saturating_since(record.received_at)
}

fn amount(amount: Money) -> String {
    format!("amount {amount}")
}
