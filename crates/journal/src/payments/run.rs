//! What is due: sending, asking, and reading what was posted.

use std::future::Future;
use std::pin::pin;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::ask::asked;
use super::{Account, Payments, PaymentsError};
use crate::{
    Begin, Claim, ClaimDue, DeliveryId, Done, Entry, Overdue, Payment, PaymentState, Reason, Refused,
    Schedule, Sweep,
};

/// How many payments are worked on at once.
const AT_ONCE: u32 = 64;
/// When to look again at a payment of an account that another process has.
const GIVEN_BACK: Duration = Duration::from_secs(1);
/// How often deliveries that could not be folded in are read again.
const REREAD: Duration = Duration::from_secs(60);
/// How long to rest when nothing is due.
const REST: Duration = Duration::from_millis(200);

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Ticked {
    /// Payments that were sent or asked about.
    pub worked_on: usize,
    /// Attempts of which nobody knows any more how they ended.
    pub swept: usize,
    /// Deliveries that were read and folded in.
    pub read: usize,
}

impl Payments {
    /// Works until `stop` is ready, and then finishes what it is doing.
    ///
    /// A journal that fails is tried again after a rest: nothing is sent meanwhile.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            let ticked = self.tick().await;
            let busy = ticked.is_ok_and(|ticked| ticked != Ticked::default());
            let rest = if busy { Duration::ZERO } else { REST };
            match select(&mut stop, self.timer.sleep(rest)).await {
                Either::Left(_) => return,
                Either::Right(_) => {}
            }
        }
    }

    /// One round: what is due is sent or asked about, all of it side by side; what was posted is read.
    ///
    /// # Errors
    ///
    /// [`PaymentsError::Journal`]. What fails at a gateway is written down, and is no error here.
    pub async fn tick(&self) -> Result<Ticked, PaymentsError> {
        let (mut ticked, mut failed) = (Ticked::default(), None);
        if let Done::Swept(swept) = self.commit(Entry::Sweep(Sweep::new(AT_ONCE))).await? {
            ticked.swept = swept.len();
        }
        if let Done::Claimed(claims) =
            self.commit(Entry::ClaimDue(ClaimDue::new(self.own_lease(), AT_ONCE))).await?
        {
            ticked.worked_on = claims.len();
            let mut work: FuturesUnordered<_> = claims.into_iter().map(|claim| self.work_on(claim)).collect();
            // All of it is finished before a failure is told: what is being sent must not be dropped on its way.
            while let Some(done) = work.next().await {
                failed = failed.or(done.err());
            }
        }
        match self.read_all().await {
            Ok(read) => ticked.read = read,
            Err(error) => failed = failed.or(Some(error)),
        }
        failed.map_or(Ok(ticked), Err)
    }

    async fn work_on(&self, claim: Claim) -> Result<(), PaymentsError> {
        let done = self.work_under_lease(claim).await;
        match done {
            // Somebody else has it by now, or it is over: what they do counts.
            Err(PaymentsError::Refused(
                Refused::Fenced | Refused::WrongState { .. } | Refused::Leased { .. },
            )) => Ok(()),
            other => other,
        }
    }

    async fn work_under_lease(&self, claim: Claim) -> Result<(), PaymentsError> {
        let Ok(account) = self.account(&claim.payment.provider) else {
            // An account that is not configured here belongs to another process: it is given back.
            let back = Schedule::new(claim.payment.id, claim.fence, GIVEN_BACK);
            return self.commit(Entry::Schedule(back)).await.map(|_| ());
        };
        if claim.payment.state() == PaymentState::Recorded && self.is_overdue(account, &claim.payment) {
            let overdue = Overdue::new(claim.payment.id, claim.fence, Reason::Silent);
            return self.commit(Entry::Overdue(overdue)).await.map(|_| ());
        }
        match claim.payment.state() {
            PaymentState::Recorded => {
                let Some(instruction) = claim.payment.instruction()? else { return Ok(()) };
                if self.twin(account, &instruction).await?.is_some() {
                    let hold = Schedule::new(claim.payment.id, claim.fence, account.policy.wait(0));
                    self.commit(Entry::Schedule(hold)).await.map(|_| ())
                } else {
                    let begin = Begin::new(claim.payment.id, self.own_lease(), Some(claim.fence));
                    match self.commit(Entry::Begin(begin)).await {
                        Ok(Done::Begun(begun)) => {
                            self.send(account, claim.payment.id, &instruction, begun).await.map(|_| ())
                        }
                        Ok(_) => Ok(()),
                        Err(error) => Err(error),
                    }
                }
            }
            // It is asked about first: what can be known need not be tried.
            PaymentState::Unknown
                if asked(&claim.payment) > 0
                    && claim.payment.attempt.0 < account.policy.attempts
                    && self.send_again(account, &claim).await? =>
            {
                Ok(())
            }
            _ => self.ask(account, claim).await,
        }
    }

    /// Whether a payment has been open for so long that a person must look. One that is still to be sent counts from
    /// when it was written down: nobody expects it to leave days later.
    pub(super) fn is_overdue(&self, account: &Account, payment: &Payment) -> bool {
        let since =
            if payment.state() == PaymentState::Recorded { payment.opened_at } else { payment.changed_at };
        let open_for = self.timer.now().to_system_time().duration_since(since.to_system_time());
        open_for.is_ok_and(|open_for| open_for > account.policy.review_after)
    }

    /// Reads what is new, and now and then all that could not be folded in before: its payment may be there by now.
    async fn read_all(&self) -> Result<usize, PaymentsError> {
        let (mut after, mut read, mut failed) = (self.reading_from(), 0, None);
        loop {
            let page = self.journal.unapplied(after, AT_ONCE).await?;
            let Some(last) = page.last() else { return failed.map_or(Ok(read), Err) };
            after = last.id;
            self.reading().seen = after;
            // Side by side, since each may ask its gateway; one that cannot be read keeps none of the others back.
            let mut reading: FuturesUnordered<_> = page.iter().map(|delivery| self.read(delivery)).collect();
            while let Some(done) = reading.next().await {
                match done {
                    Ok(folded) => read += usize::from(folded),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
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

/// How far the deliveries are read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The last one that was.
    seen: DeliveryId,
    /// When to begin from the first again; the first time at once.
    again_at: Option<Duration>,
}
