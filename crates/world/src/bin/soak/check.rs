//! The gateways' ledger held against the books.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use malipo::journal::{
    AttemptEnd, AttemptRecord, Event as Told, EventId, EventKind, Find, Journal, Payment, PaymentState,
};
use malipo_sim::{Event, Gateway, Ledger, Move, MoveKind, Operation};

use crate::findings::{Findings, Row};
use crate::front::Posted;
use crate::harness::Heard;
use crate::orders;
use crate::owed::Owed;
use crate::{deliveries, floors, histories};

/// What is left of a run once everything has come to its end.
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) orders: u32,
    /// The lives that were ended.
    pub(crate) killed: BTreeSet<String>,
    pub(crate) books: Arc<dyn Journal>,
    pub(crate) ledger: Ledger,
    pub(crate) events: Vec<Event>,
    /// How many requests to pay or to collect each gateway counted, also those that its log no longer has.
    pub(crate) calls: BTreeMap<Gateway, usize>,
    pub(crate) posted: Vec<Posted>,
    pub(crate) heard: Heard,
    pub(crate) took: Duration,
}

/// One payment as the books have it.
pub(crate) struct Kept {
    pub(crate) gateway: Gateway,
    /// What was ordered, by the list and not by the books.
    owed: Owed,
    pub(crate) payment: Payment,
    pub(crate) attempts: Vec<AttemptRecord>,
}

/// Compares.
///
/// # Errors
///
/// When the books cannot be read.
pub(crate) async fn compare(run: &Run) -> Result<Findings, Box<dyn Error>> {
    let mut findings = Findings::default();
    findings.violations.extend(run.heard.odd.iter().map(|odd| format!("ODD: {odd}")));
    let told = told(&*run.books).await?;
    let kept = kept(run, &told, &mut findings).await?;
    repetitions(run, &mut findings)?;
    moves(run, &kept, &mut findings);
    sends(run, &kept, &mut findings);
    accepted(run, &kept, &mut findings);
    histories::follow(&told, &kept, run, &mut findings);
    deliveries::hold(run, &kept, &mut findings).await?;
    floors::hold(run, &mut findings);
    Ok(findings)
}

/// All that the books say has happened.
async fn told(books: &dyn Journal) -> Result<Vec<Told>, Box<dyn Error>> {
    let mut all: Vec<Told> = Vec::new();
    loop {
        let after = all.last().map_or(EventId(0), |event| event.id);
        let page = books.events(after, 1000).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Every order's payment. A key that is not in the books is lost, and so is one that they have as something else than
/// its worker was told.
async fn kept(run: &Run, told: &[Told], findings: &mut Findings) -> Result<Vec<Kept>, Box<dyn Error>> {
    let mut all = Vec::new();
    for number in 0..run.orders {
        let key = orders::key(number)?;
        let gateway = orders::gateway(number);
        let Some(payment) = run.books.find(&Find::Key(key.clone())).await? else {
            findings.lost += 1;
            findings.violations.push(format!("LOST: {key} is not in the books"));
            continue;
        };
        let owed = owed(run, number)?;
        let stored = payment.instruction()?;
        if stored.and_then(|stored| Owed::of(gateway, &stored)).as_ref() != Some(&owed) {
            findings.violations.push(format!("CHANGED: {key} was {owed}, and is kept as something else"));
        }
        let now = (payment.id.0, payment.reference.to_string());
        match run.heard.taken.get(&number) {
            Some(taken) if *taken == now => {}
            Some(taken) => findings.violations.push(format!("LOST: {key} was {taken:?} and is {now:?}")),
            None => findings.violations.push(format!("LOST: nobody said that {key} was taken")),
        }
        let attempts = run.books.attempts(payment.id).await?;
        all.push(Kept { gateway, owed, payment, attempts });
    }
    let opened: BTreeSet<_> =
        told.iter().filter(|event| event.kind == EventKind::Opened).map(|event| event.payment).collect();
    let known: BTreeSet<_> = all.iter().map(|one| one.payment.id).collect();
    let strangers = opened.difference(&known).map(|id| format!("ODD: payment {id} is no order's newest"));
    findings.violations.extend(strangers);
    Ok(all)
}

/// What the order of this number comes to.
fn owed(run: &Run, number: u32) -> Result<Owed, Box<dyn Error>> {
    let order = orders::Order::of(run.seed, number)?;
    let owed = Owed::of(orders::gateway(number), &order.instruction);
    Ok(owed.ok_or("an order that nobody can hold against the ledger")?)
}

/// What was paid more often than it was ordered. It asks the orders and the ledger, and not the books: amount and party
/// are an order's own, but for the twins at Kyanda.
fn repetitions(run: &Run, findings: &mut Findings) -> Result<(), Box<dyn Error>> {
    let mut ordered: BTreeMap<_, usize> = BTreeMap::new();
    for number in 0..run.orders {
        *ordered.entry(owed(run, number)?).or_default() += 1;
    }
    for one in run.ledger.moves().iter().filter(|one| one.kind == MoveKind::Payment) {
        let owed = Owed::moved(one);
        let left = ordered.entry(owed.clone()).or_default();
        match left.checked_sub(1) {
            Some(less) => *left = less,
            None => {
                findings.paid_twice += 1;
                let name = &one.gateway_reference;
                findings.violations.push(format!("PAID TWICE: {owed} once more than ordered, as {name}"));
            }
        }
    }
    Ok(())
}

/// Paid is moved once, to whom and in the amount that was ordered; failed and cancelled is never moved; what waits for a person moved once at most,
/// and says why it waits.
fn moves(run: &Run, kept: &[Kept], findings: &mut Findings) {
    let mut moved: BTreeMap<(Gateway, &str), Vec<&Move>> = BTreeMap::new();
    for one in run.ledger.moves().iter().filter(|one| one.kind == MoveKind::Payment) {
        let name = one.reference.as_deref().unwrap_or(&one.gateway_reference);
        moved.entry((one.gateway, name)).or_default().push(one);
    }
    let mut waiting = Vec::new();
    for Kept { gateway, owed, payment, attempts } in kept {
        let mut mine = moved.remove(&(*gateway, payment.reference.as_str())).unwrap_or_default();
        for name in payment.provider_refs.iter() {
            mine.extend(moved.remove(&(*gateway, name.value.as_str())).unwrap_or_default());
        }
        let row = findings.rows.entry(*gateway).or_default();
        row.orders += 1;
        row.moved += mine.len();
        if payment.state() == PaymentState::Review && mine.is_empty() {
            waiting.push(owed);
        }
        let held_back =
            |one: &AttemptRecord| matches!(one.end, Some(AttemptEnd::NotSent | AttemptEnd::Throttled));
        row.held_back +=
            usize::from(payment.state() == PaymentState::Review && attempts.iter().all(held_back));
        findings.stuck += usize::from(!payment.state().is_final() && payment.state() != PaymentState::Review);
        let right = agrees(payment, owed, &mine, row);
        if !right {
            let (id, state, times) = (payment.id, payment.state(), mine.len());
            findings
                .violations
                .push(format!("DISAGREE: payment {id} ({owed}) is {state}, and moved {times} times"));
        }
    }
    strangers(moved.into_values().flatten(), waiting, findings);
}

/// Whether what the books say of a payment is what the ledger says.
fn agrees(payment: &Payment, owed: &Owed, moved: &[&Move], row: &mut Row) -> bool {
    let as_ordered = moved.iter().all(|one| Owed::moved(one) == *owed);
    match payment.state() {
        PaymentState::Paid => {
            row.paid += 1;
            moved.len() == 1 && as_ordered
        }
        PaymentState::Failed | PaymentState::Cancelled => {
            row.failed += 1;
            moved.is_empty()
        }
        PaymentState::Review => {
            row.review += 1;
            moved.len() <= 1 && as_ordered && payment.attention().is_some()
        }
        _ => false,
    }
}

/// Money under a name that the books do not have. A gateway without references moved it, and nobody was told its name:
/// a payment that waits for a person stands for it.
fn strangers<'a>(moved: impl Iterator<Item = &'a Move>, mut waiting: Vec<&Owed>, findings: &mut Findings) {
    for one in moved {
        let row = findings.rows.entry(one.gateway).or_default();
        row.moved += 1;
        let owed = Owed::moved(one);
        let fits = |waits: &&Owed| one.reference.is_none() && **waits == owed;
        match waiting.iter().position(fits) {
            Some(at) => drop(waiting.swap_remove(at)),
            None => {
                findings.unexplained += 1;
                let name = &one.gateway_reference;
                findings
                    .violations
                    .push(format!("UNEXPLAINED: {owed} moved as {name}, and no payment stands for it"));
            }
        }
    }
}

/// No request left that no attempt stands for. Kyanda's name nobody, so they are counted together here, and what became
/// of them is counted for each payment in [`accepted`].
fn sends(run: &Run, kept: &[Kept], findings: &mut Findings) {
    let mut seen: BTreeMap<(Gateway, Option<&str>), usize> = BTreeMap::new();
    for event in &run.events {
        if let Event::Request {
            gateway: Some(gateway),
            operation: Some(Operation::PayOut | Operation::Collect),
            reference,
            ..
        } = event
        {
            *seen.entry((*gateway, reference.as_deref())).or_default() += 1;
            findings.rows.entry(*gateway).or_default().sent += 1;
        }
    }
    for (gateway, calls) in &run.calls {
        let sent = findings.rows.entry(*gateway).or_default().sent;
        if sent != *calls {
            findings.violations.push(format!(
                "UNSEEN: {gateway} counted {calls} requests and its log has {sent}: the run is too long for it"
            ));
        }
    }
    let mut attempts: BTreeMap<(Gateway, Option<&str>), usize> = BTreeMap::new();
    for Kept { gateway, payment, attempts: made, .. } in kept {
        findings.rows.entry(*gateway).or_default().attempts += made.len();
        let name = (*gateway != Gateway::Kyanda).then_some(payment.reference.as_str());
        *attempts.entry((*gateway, name)).or_default() += made.len();
    }
    for ((gateway, name), times) in seen {
        // What was lost before it could be read names nobody.
        if name.is_none() && gateway != Gateway::Kyanda {
            continue;
        }
        let made = attempts.get(&(gateway, name)).copied().unwrap_or_default();
        if made < times {
            let name = name.unwrap_or("all");
            findings.violations.push(format!(
                "UNWRITTEN: {gateway} saw {name} {times} times, and {made} attempts are written"
            ));
        }
    }
}

/// Nothing was accepted more often than attempts for it are written: by whom it goes to and how much it is, so that it
/// holds for a gateway without references, too.
fn accepted(run: &Run, kept: &[Kept], findings: &mut Findings) {
    let mut written: BTreeMap<&Owed, usize> = BTreeMap::new();
    for Kept { owed, attempts, .. } in kept {
        *written.entry(owed).or_default() += attempts.len();
    }
    let mut taken: BTreeMap<Owed, usize> = BTreeMap::new();
    for payment in run.ledger.payments() {
        *taken.entry(Owed::accepted(payment)).or_default() += 1;
    }
    for (owed, times) in taken {
        let attempts = written.get(&owed).copied().unwrap_or_default();
        if attempts < times {
            findings.violations.push(format!(
                "UNWRITTEN: {owed} was accepted {times} times, and {attempts} attempts are written"
            ));
        }
    }
}
