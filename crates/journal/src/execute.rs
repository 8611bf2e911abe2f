//! What each entry does, once for all stores.

mod begin;
mod credit;
mod deliver;
mod due;
mod erase;
mod finish;
mod follow;
mod open;
mod owner;
mod read;
mod record;
mod report;
mod resolve;

use std::time::Duration;

use malipo_core::Timestamp;

use crate::tx::Tx;
use crate::{Done, Entry, Fence, Find, JournalError, Lease, Payment, PaymentId, Refused, StoredError};

pub(crate) use read::reports;

/// Writes a batch, entry by entry, each in a mark of its own.
pub(crate) async fn batch(
    tx: &mut dyn Tx,
    entries: Vec<Entry>,
    now: Timestamp,
) -> Result<Vec<Result<Done, Refused>>, JournalError> {
    let mut results = Vec::with_capacity(entries.len());
    for entry in entries {
        tx.mark().await?;
        match execute(tx, entry, now).await {
            Ok(done) => {
                tx.keep().await?;
                results.push(Ok(done));
            }
            Err(Stop::Refused(refused)) => {
                tx.undo().await?;
                results.push(Err(refused));
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    Ok(results)
}

async fn execute(tx: &mut dyn Tx, entry: Entry, now: Timestamp) -> Result<Done, Stop> {
    match entry {
        Entry::Open(open) => open::open(tx, *open, now).await,
        Entry::Again(open) => open::again(tx, *open, now).await,
        Entry::Begin(begin) => begin::begin(tx, begin, now).await,
        Entry::BeginAgain(begin) => begin::begin_again(tx, begin, now).await,
        Entry::BeginConfirm(begin) => begin::begin_confirm(tx, begin, now).await,
        Entry::Finish(finish) => finish::finish(tx, *finish, now).await,
        Entry::NoteAbsent(absent) => due::note_absent(tx, absent, now).await,
        Entry::StoreDelivery(delivery) => deliver::store(tx, *delivery, now).await,
        Entry::Apply(apply) => report::apply(tx, *apply, now).await,
        Entry::NoteReplay(delivery) => report::note_replay(tx, delivery, now).await,
        Entry::Raise(raise) => resolve::raise(tx, *raise, now).await,
        Entry::SetAside(aside) => deliver::set_aside(tx, aside).await,
        Entry::StoreCredit(told) => credit::store(tx, *told, now).await,
        Entry::DecideCredit(decided) => credit::decide(tx, *decided, now).await,
        Entry::DueCredits(due) => credit::due(tx, due, now).await,
        Entry::MatchUnaddressed(unaddressed) => deliver::match_unaddressed(tx, *unaddressed, now).await,
        Entry::ClaimDue(claim) => due::claim(tx, claim, now).await,
        Entry::Schedule(schedule) => due::schedule(tx, schedule, now).await,
        Entry::Overdue(overdue) => due::overdue(tx, overdue, now).await,
        Entry::Sweep(sweep) => finish::sweep(tx, sweep, now).await,
        Entry::Resolve(resolve) => resolve::resolve(tx, *resolve, now).await,
        Entry::Cancel(payment) => resolve::cancel(tx, payment, now).await,
        Entry::Erase(erase) => erase::erase(tx, erase, now).await,
        Entry::Advance(advance) => follow::advance(tx, *advance).await,
    }
}

/// Why an entry was not done: it was refused, and the others go on; or the store failed.
#[derive(Debug)]
enum Stop {
    Refused(Refused),
    Failed(JournalError),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        Self::Failed(error)
    }
}

/// What was stored and cannot be read. What is to be stored and cannot be, is refused where it comes in.
impl From<StoredError> for Stop {
    fn from(error: StoredError) -> Self {
        Self::Failed(error.into())
    }
}

/// The moment in whole milliseconds, which is what stores keep.
pub(crate) fn in_millis(moment: Timestamp) -> Timestamp {
    Timestamp::from_unix_millis(moment.unix_millis()).unwrap_or(moment)
}

fn later(now: Timestamp, after: Duration) -> Timestamp {
    in_millis(now.saturating_add(after))
}

/// Until when a lease that begins now holds others off.
fn until(lease: &Lease, now: Timestamp) -> Result<Timestamp, Refused> {
    let until = later(now, lease.lasts);
    if until > now { Ok(until) } else { Err(Refused::NoLease) }
}

async fn payment(tx: &mut dyn Tx, id: PaymentId) -> Result<Payment, Stop> {
    Ok(tx.payment(&Find::Id(id)).await?.ok_or(Refused::NoSuchPayment)?)
}

/// The payment, if the lease shown is its newest one.
async fn held(tx: &mut dyn Tx, id: PaymentId, fence: Fence) -> Result<Payment, Stop> {
    let payment = payment(tx, id).await?;
    if payment.fence == fence { Ok(payment) } else { Err(Refused::Fenced.into()) }
}

/// Gives a payment back, so that somebody else can have it. The lease's number stays the newest.
fn release(payment: &mut Payment) {
    (payment.worker, payment.leased_until) = (None, None);
}
