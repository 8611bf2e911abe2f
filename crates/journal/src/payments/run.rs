//! What is due: sending, asking, and reading what was posted.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use malipo_core::ProviderId;

use super::{Account, Payments, PaymentsError, reached, watch};
use crate::{
    Begin, Claim, ClaimDue, DeliveryId, Done, Entry, Overdue, Payment, PaymentState, Reason, Refused,
    Schedule, StoredDelivery, Sweep,
};

/// How many payments of one account are worked on at once, and how many deliveries are read at once.
const AT_ONCE: usize = 64;
/// How often deliveries that could not be folded in are read again.
const REREAD: Duration = Duration::from_secs(60);
/// How long to rest when nothing is due.
const REST: Duration = Duration::from_millis(200);
/// How long to wait for the turn of a credential before the payment is given back.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Ticked {
    /// Payments that were sent or asked about.
    pub worked_on: usize,
    /// Attempts of which nobody knows any more how they ended.
    pub swept: usize,
    /// Deliveries that were read and folded in, or set aside.
    pub read: usize,
}

/// What is being worked on, side by side.
#[derive(Default)]
struct Bench<'p> {
    work: FuturesUnordered<Pin<Box<dyn Future<Output = Finished> + Send + 'p>>>,
    /// How many payments of each account.
    payments: BTreeMap<ProviderId, usize>,
    /// How many deliveries.
    deliveries: usize,
}

/// One piece of work that is over.
enum Finished {
    Payment(ProviderId, Result<(), PaymentsError>),
    Delivery(Result<bool, PaymentsError>),
}

/// What a run waits for.
enum Happened {
    Stop,
    Rested,
    Done(Finished),
}

impl Bench<'_> {
    /// The next piece of work that is over; never, while there is none.
    async fn next(&mut self) -> Finished {
        match self.work.next().await {
            Some(finished) => finished,
            None => pending().await,
        }
    }

    fn free(&self, account: &ProviderId) -> usize {
        AT_ONCE.saturating_sub(self.payments.get(account).copied().unwrap_or_default())
    }

    /// Frees the place, and says what was done.
    fn clear(&mut self, finished: Finished) -> Result<Ticked, PaymentsError> {
        match finished {
            Finished::Payment(account, done) => {
                let taken = self.payments.entry(account).or_default();
                *taken = taken.saturating_sub(1);
                done.map(|()| Ticked { worked_on: 1, ..Ticked::default() })
            }
            Finished::Delivery(done) => {
                self.deliveries = self.deliveries.saturating_sub(1);
                done.map(|read| Ticked { read: usize::from(read), ..Ticked::default() })
            }
        }
    }
}

impl Payments {
    /// Works until `stop` is ready, and then finishes what it is doing, which takes as long as the slowest exchange
    /// with a gateway.
    ///
    /// Each account has places of its own, and a payment that takes long keeps one: nothing waits behind it. A journal
    /// that fails is tried again after a rest; nothing is sent meanwhile.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut bench = Bench::default();
        loop {
            let was_busy = match self.fill(&mut bench).await {
                Ok(found) => found != Ticked::default(),
                Err(error) => {
                    tracing::warn!(%error, "the journal does not work; nothing is sent until it does");
                    false
                }
            };
            // What was just found may not be all there is.
            let rest = if was_busy { Duration::ZERO } else { REST };
            let (slept, stirred) = (self.timer.sleep(rest), self.journal.stirred());
            let mut pause = pin!(select(slept, stirred));
            loop {
                let happened = match select(&mut stop, select(&mut pause, pin!(bench.next()))).await {
                    Either::Left(_) => Happened::Stop,
                    Either::Right((Either::Left(_), _)) => Happened::Rested,
                    Either::Right((Either::Right((finished, _)), _)) => Happened::Done(finished),
                };
                match happened {
                    Happened::Stop => return self.drain(bench).await,
                    Happened::Rested => break,
                    Happened::Done(finished) => told(bench.clear(finished)),
                }
            }
        }
    }

    async fn drain(&self, mut bench: Bench<'_>) {
        while let Some(finished) = bench.work.next().await {
            told(bench.clear(finished));
        }
        // What the journal did not take may be taken now.
        if let Err(error) = self.write_kept().await {
            tracing::warn!(%error, "how an attempt ended could not be written down: it will be unknown");
        }
    }

    /// One round: what is due is sent or asked about, all of it side by side; what was posted is read.
    ///
    /// # Errors
    ///
    /// [`PaymentsError::Journal`]. What fails at a gateway is written down, and is no error here.
    pub async fn tick(&self) -> Result<Ticked, PaymentsError> {
        let mut bench = Bench::default();
        let filled = self.fill(&mut bench).await;
        let mut ticked =
            Ticked { swept: filled.as_ref().map_or(0, |found| found.swept), ..Ticked::default() };
        let mut failed = filled.err();
        // All of it is finished before a failure is told: what is being sent must not be dropped on its way.
        while let Some(finished) = bench.work.next().await {
            match bench.clear(finished) {
                Ok(done) => {
                    ticked.worked_on += done.worked_on;
                    ticked.read += done.read;
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(ticked), Err)
    }

    /// Takes up what is due, as far as there is place.
    async fn fill<'p>(&'p self, bench: &mut Bench<'p>) -> Result<Ticked, PaymentsError> {
        self.write_kept().await?;
        let mut found = Ticked::default();
        let mut batch = vec![Entry::Sweep(Sweep::new(100))];
        for account in &self.accounts {
            let free = bench.free(account.id());
            if free > 0 {
                let limit = u32::try_from(free).unwrap_or(u32::MAX);
                batch.push(Entry::ClaimDue(ClaimDue::new(account.id().clone(), self.own_lease(), limit)));
            }
        }
        for done in self.journal.commit(batch).await? {
            match done? {
                Done::Swept(swept) => found.swept += swept.len(),
                Done::Claimed(claims) => {
                    for claim in claims {
                        found.worked_on += 1;
                        *bench.payments.entry(claim.payment.provider.clone()).or_default() += 1;
                        bench.work.push(Box::pin(async {
                            let account = claim.payment.provider.clone();
                            Finished::Payment(account, self.work_on(claim).await)
                        }));
                    }
                }
                _ => {}
            }
        }
        reached!(self, Leased);
        for delivery in self.new_deliveries(AT_ONCE.saturating_sub(bench.deliveries)).await? {
            found.read += 1;
            bench.deliveries += 1;
            bench.work.push(Box::pin(async move { Finished::Delivery(self.read(&delivery).await) }));
        }
        Ok(found)
    }

    /// Writes what an earlier failure of the journal kept from being written.
    async fn write_kept(&self) -> Result<(), PaymentsError> {
        let mut failed = None;
        for finish in self.unwritten.take() {
            // Whatever fails again is kept again.
            failed = failed.or(self.finish(finish).await.err());
        }
        failed.map_or(Ok(()), Err)
    }

    async fn work_on(&self, claim: Claim) -> Result<(), PaymentsError> {
        match self.work_under_lease(claim).await {
            // Somebody else has it by now, or it is over: what they do counts.
            Err(PaymentsError::Refused(
                Refused::Fenced | Refused::WrongState { .. } | Refused::Leased { .. },
            )) => Ok(()),
            other => other,
        }
    }

    async fn work_under_lease(&self, claim: Claim) -> Result<(), PaymentsError> {
        let account = self.account(&claim.payment.provider)?;
        match claim.payment.state() {
            PaymentState::Recorded if self.is_overdue(account, &claim.payment) => {
                let overdue = Overdue::new(claim.payment.id, claim.fence, Reason::Silent);
                self.commit(Entry::Overdue(overdue)).await?;
                watch::moved(claim.payment.state(), &self.payment(claim.payment.id).await?);
                Ok(())
            }
            PaymentState::Recorded => self.send_first(account, claim).await,
            // It is asked about first: what can be known need not be tried.
            PaymentState::Unknown
                if claim.payment.asks > 1
                    && claim.payment.attempt.0 < account.policy.attempts
                    && self.patient_turn(account).await.is_ok()
                    && self.send_again(account, &claim).await? =>
            {
                Ok(())
            }
            _ => self.ask(account, claim).await,
        }
    }

    async fn send_first(&self, account: &Account, claim: Claim) -> Result<(), PaymentsError> {
        let Claim { payment, fence, .. } = claim;
        let Some(instruction) = payment.instruction()? else { return Ok(()) };
        if let Err(wait) = self.patient_turn(account).await {
            return self.commit(Entry::Schedule(Schedule::new(payment.id, fence, wait))).await.map(drop);
        }
        let begin = Begin::new(payment.id, self.own_lease(), Some(fence));
        match self.commit(Entry::Begin(begin)).await {
            Ok(Done::Begun(begun)) => self.send(account, payment.id, &instruction, begun).await.map(drop),
            Err(PaymentsError::Refused(Refused::Twin { .. })) => {
                let hold = Schedule::new(payment.id, fence, account.policy.wait(0));
                self.commit(Entry::Schedule(hold)).await.map(drop)
            }
            other => other.map(drop),
        }
    }

    /// Waits a moment for the turn of the account's credential, but not so long that the lease runs out.
    pub(super) async fn patient_turn(&self, account: &Account) -> Result<(), Duration> {
        let until = self.timer.monotonic().saturating_add(PATIENCE.min(self.lease / 4));
        loop {
            match account.turn() {
                Err(wait) if self.timer.monotonic().saturating_add(wait) <= until => {
                    self.timer.sleep(wait).await;
                }
                turn => return turn,
            }
        }
    }

    /// Whether a payment has been open for so long that a person must look. One that is still to be sent counts from
    /// when it was written down: nobody expects it to leave days later.
    pub(super) fn is_overdue(&self, account: &Account, payment: &Payment) -> bool {
        self.age(payment) > account.policy.review_after
    }

    /// How long a payment has been where it is; one that is still to be sent, since it was written down.
    pub(super) fn age(&self, payment: &Payment) -> Duration {
        let since =
            if payment.state() == PaymentState::Recorded { payment.opened_at } else { payment.changed_at };
        self.timer.now().to_system_time().duration_since(since.to_system_time()).unwrap_or_default()
    }

    /// What is new, and now and then all that could not be folded in before: its payment may be there by now.
    async fn new_deliveries(&self, limit: usize) -> Result<Vec<StoredDelivery>, PaymentsError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let page = self.journal.unapplied(self.reading_from(), limit).await?;
        if let Some(last) = page.last() {
            self.reading().seen = last.id;
        }
        Ok(page)
    }

    fn reading_from(&self) -> DeliveryId {
        let now = self.timer.monotonic();
        let mut reading = self.reading();
        if reading.again_at.is_none_or(|again_at| now >= again_at) {
            *reading = Reading { seen: DeliveryId(0), again_at: Some(now.saturating_add(REREAD)) };
        }
        reading.seen
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What fails is tried again when it is due again; a person may want to know why.
fn told(done: Result<Ticked, PaymentsError>) {
    if let Err(error) = done {
        tracing::warn!(%error, "a payment could not be worked on");
    }
}

/// How far the deliveries are read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The last one that was.
    seen: DeliveryId,
    /// When to begin from the first again; the first time at once.
    again_at: Option<Duration>,
}
