//! The gateways' ledger held against the books.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use malipo::journal::{
    AttemptRecord, Event as Told, EventId, EventKind, Find, Journal, Payment, PaymentId, PaymentState,
};
use malipo_sim::{Event, Gateway, Ledger, Move, MoveKind, Operation};

use crate::findings::{Findings, Row};
use crate::front::{Answer, Posted};
use crate::harness::Heard;
use crate::orders;

/// What is left of a run once everything has come to its end.
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) orders: u32,
    /// The lives that were ended.
    pub(crate) killed: BTreeSet<String>,
    pub(crate) books: Arc<dyn Journal>,
    pub(crate) ledger: Ledger,
    pub(crate) events: Vec<Event>,
    pub(crate) posted: Vec<Posted>,
    pub(crate) heard: Heard,
    pub(crate) took: Duration,
}

/// One payment as the books have it.
struct Kept {
    gateway: Gateway,
    payment: Payment,
    attempts: Vec<AttemptRecord>,
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
    histories(&told, &kept, run, &mut findings);
    deliveries(run, &mut findings).await?;
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
        let now = (payment.id.0, payment.reference.to_string());
        match run.heard.taken.get(&number) {
            Some(taken) if *taken == now => {}
            Some(taken) => findings.violations.push(format!("LOST: {key} was {taken:?} and is {now:?}")),
            None => findings.violations.push(format!("LOST: nobody said that {key} was taken")),
        }
        let attempts = run.books.attempts(payment.id).await?;
        all.push(Kept { gateway, payment, attempts });
    }
    let opened: BTreeSet<_> =
        told.iter().filter(|event| event.kind == EventKind::Opened).map(|event| event.payment).collect();
    let known: BTreeSet<_> = all.iter().map(|one| one.payment.id).collect();
    let strangers = opened.difference(&known).map(|id| format!("ODD: payment {id} is no order's newest"));
    findings.violations.extend(strangers);
    Ok(all)
}

/// What was paid more often than it was ordered. It asks the orders and the ledger, and not the books: an amount is its
/// order's own, but for the twins at Kyanda.
fn repetitions(run: &Run, findings: &mut Findings) -> Result<(), Box<dyn Error>> {
    let mut ordered: BTreeMap<_, usize> = BTreeMap::new();
    for number in 0..run.orders {
        let order = orders::Order::of(run.seed, number)?;
        let amount = order.instruction.terms().map(|terms| terms.amount.amount());
        *ordered.entry((orders::gateway(number), amount)).or_default() += 1;
    }
    for one in run.ledger.moves().iter().filter(|one| one.kind == MoveKind::Payment) {
        let left = ordered.entry((one.gateway, Some(one.amount))).or_default();
        match left.checked_sub(1) {
            Some(less) => *left = less,
            None => {
                findings.paid_twice += 1;
                let (gateway, amount, name) = (one.gateway, one.amount, &one.gateway_reference);
                findings
                    .violations
                    .push(format!("PAID TWICE: {gateway} moved {amount} once more, as {name}"));
            }
        }
    }
    Ok(())
}

/// Paid is moved once, in that amount; failed and cancelled is never moved; what waits for a person moved once at most,
/// and says why it waits.
fn moves(run: &Run, kept: &[Kept], findings: &mut Findings) {
    let mut moved: BTreeMap<(Gateway, &str), Vec<&Move>> = BTreeMap::new();
    for one in run.ledger.moves().iter().filter(|one| one.kind == MoveKind::Payment) {
        let name = one.reference.as_deref().unwrap_or(&one.gateway_reference);
        moved.entry((one.gateway, name)).or_default().push(one);
    }
    let mut waiting = Vec::new();
    for Kept { gateway, payment, .. } in kept {
        let mut mine = moved.remove(&(*gateway, payment.reference.as_str())).unwrap_or_default();
        for name in payment.provider_refs.iter() {
            mine.extend(moved.remove(&(*gateway, name.value.as_str())).unwrap_or_default());
        }
        let row = findings.rows.entry(*gateway).or_default();
        row.orders += 1;
        row.moved += mine.len();
        if payment.state() == PaymentState::Review && mine.is_empty() {
            waiting.push((*gateway, payment));
        }
        findings.stuck += usize::from(!payment.state().is_final() && payment.state() != PaymentState::Review);
        let right = agrees(payment, &mine, row);
        if !right {
            let (id, state, times) = (payment.id, payment.state(), mine.len());
            findings.violations.push(format!("DISAGREE: payment {id} is {state}, and moved {times} times"));
        }
    }
    strangers(moved.into_values().flatten(), waiting, findings);
}

/// Whether what the books say of a payment is what the ledger says.
fn agrees(payment: &Payment, moved: &[&Move], row: &mut Row) -> bool {
    let in_full = moved.iter().all(|one| one.amount == payment.amount.amount());
    match payment.state() {
        PaymentState::Paid => {
            row.paid += 1;
            moved.len() == 1 && in_full
        }
        PaymentState::Failed | PaymentState::Cancelled => {
            row.failed += 1;
            moved.is_empty()
        }
        PaymentState::Review => {
            row.review += 1;
            moved.len() <= 1 && in_full && payment.attention().is_some()
        }
        _ => false,
    }
}

/// Money under a name that the books do not have. A gateway without references moved it, and nobody was told its name:
/// a payment that waits for a person stands for it.
fn strangers<'a>(
    moved: impl Iterator<Item = &'a Move>,
    mut waiting: Vec<(Gateway, &Payment)>,
    findings: &mut Findings,
) {
    for one in moved {
        let row = findings.rows.entry(one.gateway).or_default();
        row.moved += 1;
        let fits = |(gateway, payment): &(Gateway, &Payment)| {
            *gateway == one.gateway && one.reference.is_none() && payment.amount.amount() == one.amount
        };
        match waiting.iter().position(fits) {
            Some(at) => drop(waiting.swap_remove(at)),
            None => {
                findings.unexplained += 1;
                let (gateway, name, amount) = (one.gateway, &one.gateway_reference, one.amount);
                findings.violations.push(format!(
                    "UNEXPLAINED: {gateway} moved {amount} as {name}, and no payment stands for it"
                ));
            }
        }
    }
}

/// No request left that no attempt stands for.
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
    let mut attempts: BTreeMap<(Gateway, Option<&str>), usize> = BTreeMap::new();
    for Kept { gateway, payment, attempts: made } in kept {
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

/// Events have no gap, and an end is told once. The lives that were killed while they sent are those whose attempts had
/// to be swept.
fn histories(told: &[Told], kept: &[Kept], run: &Run, findings: &mut Findings) {
    let mut known: BTreeMap<PaymentId, (u64, usize)> = BTreeMap::new();
    let mut swept = BTreeSet::new();
    for event in told {
        let (last, ends) = known.entry(event.payment).or_default();
        if event.sequence != *last + 1 {
            findings
                .violations
                .push(format!("GAP: payment {} goes on with event {}", event.payment, event.sequence));
        }
        *last = event.sequence;
        *ends += usize::from(event.outcome().is_some());
        if event.kind == EventKind::Swept {
            swept.insert((event.payment, event.attempt));
        }
    }
    for Kept { payment, attempts, .. } in kept {
        let ends = known.get(&payment.id).map_or(0, |(_, ends)| *ends);
        if ends != usize::from(payment.state().is_final()) {
            findings.violations.push(format!("ENDS: payment {} ended {ends} times", payment.id));
        }
        for attempt in attempts.iter().filter(|one| swept.contains(&(one.payment, Some(one.number)))) {
            findings.swept += 1;
            findings.in_a_send.insert(attempt.worker.to_string());
        }
    }
    findings.in_a_send.retain(|life| run.killed.contains(life));
}

/// What was answered with 200 is in the books, byte for byte.
async fn deliveries(run: &Run, findings: &mut Findings) -> Result<(), Box<dyn Error>> {
    findings.posted = run.posted.len();
    for Posted { body, answer } in &run.posted {
        match answer {
            Answer::Nobody => findings.unheard += 1,
            Answer::Lost(life) => {
                findings.unheard += 1;
                if run.killed.contains(life) {
                    findings.in_a_delivery.insert(life.clone());
                }
            }
            Answer::Status(200, Some(id)) => {
                findings.answered += 1;
                let stored = run.books.delivery(malipo::journal::DeliveryId(*id)).await?;
                let delivery = stored.as_ref().and_then(|stored| stored.delivery().ok().flatten());
                if delivery.is_none_or(|delivery| delivery.body.bytes() != &body[..]) {
                    findings
                        .violations
                        .push(format!("FORGOTTEN: delivery {id} was answered 200 and is not kept"));
                }
            }
            Answer::Status(200, None) => {
                findings
                    .violations
                    .push("FORGOTTEN: a delivery was answered 200 without being kept".to_owned());
            }
            Answer::Status(..) => findings.refused += 1,
        }
    }
    Ok(())
}
