//! What is due: sending, asking, and reading what was posted.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use malipo_core::ProviderId;

use super::ask::is_overdue;
use super::{Account, Payments, PaymentsError, reached, watch};
use crate::{
    Begin, Claim, ClaimDue, CreditRecord, Done, DueCredits, Entry, Find, Overdue, PaymentState, Reason,
    Refused, ResendRule, Schedule, StoredDelivery, Sweep,
};

/// How many payments of one account are worked on at once, and how many of its deliveries are read at once.
const AT_ONCE: usize = 64;
/// How many credits of one account are asked about at once.
const CREDITS_AT_ONCE: usize = 8;
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
    /// How many deliveries of each account.
    deliveries: BTreeMap<ProviderId, usize>,
    /// How many credits of each account.
    credits: BTreeMap<ProviderId, usize>,
    /// Whether nothing new is begun any more.
    stopping: Arc<AtomicBool>,
}

/// One piece of work that is over.
enum Finished {
    Payment(ProviderId, Result<(), PaymentsError>),
    Delivery(ProviderId, Result<bool, PaymentsError>),
    Credit(ProviderId, Result<(), PaymentsError>),
}

/// What was found to be due.
#[derive(Default)]
struct Found {
    swept: usize,
    claims: Vec<Claim>,
    deliveries: Vec<StoredDelivery>,
    credits: Vec<CreditRecord>,
}

impl Found {
    fn is_empty(&self) -> bool {
        let has_work = !(self.claims.is_empty() && self.deliveries.is_empty() && self.credits.is_empty());
        self.swept == 0 && !has_work
    }
}

/// The places that are free at an account.
struct Places {
    account: ProviderId,
    payments: usize,
    deliveries: usize,
    credits: usize,
}

impl<'p> Bench<'p> {
    fn places(&self, payments: &Payments) -> Vec<Places> {
        let taken = |by: &BTreeMap<ProviderId, usize>, account| by.get(account).copied().unwrap_or_default();
        let free = |by, account| AT_ONCE.saturating_sub(taken(by, account));
        let places = payments.accounts.iter().map(|account| Places {
            account: account.id().clone(),
            payments: free(&self.payments, account.id()),
            deliveries: free(&self.deliveries, account.id()),
            credits: CREDITS_AT_ONCE.saturating_sub(taken(&self.credits, account.id())),
        });
        places.collect()
    }

    /// Takes up what was found.
    fn take(&mut self, payments: &'p Payments, found: Found) {
        for claim in found.claims {
            *self.payments.entry(claim.payment.provider.clone()).or_default() += 1;
            let stopping = self.stopping.clone();
            self.work.push(Box::pin(async move {
                let (account, payment) = (claim.payment.provider.clone(), claim.payment.id);
                let done = payments.work_on(claim, &stopping).await;
                if let Err(error) = &done {
                    tracing::warn!(payment = payment.0, %error, "a payment could not be worked on");
                }
                Finished::Payment(account, done)
            }));
        }
        for delivery in found.deliveries {
            *self.deliveries.entry(delivery.provider.clone()).or_default() += 1;
            self.work.push(Box::pin(async move {
                let done = payments.read(&delivery).await;
                if let Err(error) = &done {
                    tracing::warn!(delivery = delivery.id.0, %error, "a delivery could not be read");
                }
                Finished::Delivery(delivery.provider, done)
            }));
        }
        for credit in found.credits {
            *self.credits.entry(credit.provider.clone()).or_default() += 1;
            self.work.push(Box::pin(async move {
                let done = payments.ask_again(&credit).await;
                if let Err(error) = &done {
                    tracing::warn!(credit = credit.id.0, %error, "a credit could not be asked about");
                }
                Finished::Credit(credit.provider, done)
            }));
        }
    }

    /// The next piece of work that is over; never, while there is none.
    async fn next(&mut self) -> Finished {
        match self.work.next().await {
            Some(finished) => finished,
            None => pending().await,
        }
    }

    /// Frees the place, and says what was done.
    fn clear(&mut self, finished: Finished) -> Result<Ticked, PaymentsError> {
        let give_back = |taken: &mut BTreeMap<ProviderId, usize>, account| {
            let taken = taken.entry(account).or_default();
            *taken = taken.saturating_sub(1);
        };
        match finished {
            Finished::Payment(account, done) => {
                give_back(&mut self.payments, account);
                done.map(|()| Ticked { worked_on: 1, ..Ticked::default() })
            }
            Finished::Delivery(account, done) => {
                give_back(&mut self.deliveries, account);
                done.map(|read| Ticked { read: usize::from(read), ..Ticked::default() })
            }
            Finished::Credit(account, done) => {
                give_back(&mut self.credits, account);
                done.map(|()| Ticked::default())
            }
        }
    }

    /// What comes of `other`, while the work goes on; nothing, where `freed` breaks off once a place is free.
    async fn beside<T>(&mut self, other: impl Future<Output = T>, freed: ControlFlow<()>) -> Option<T> {
        let mut other = pin!(other);
        loop {
            let finished = match select(other.as_mut(), pin!(self.next())).await {
                Either::Left((done, _)) => return Some(done),
                Either::Right((finished, _)) => finished,
            };
            // What fails was logged, and is tried again when it is due again.
            let _ = self.clear(finished);
            if freed.is_break() {
                return None;
            }
        }
    }
}

impl Payments {
    /// Works until `stop` is ready; then begins nothing any more and finishes what is under way, which takes as long as
    /// the slowest exchange with a gateway. Whoever drops the future instead leaves what was under way as a process does
    /// that dies.
    ///
    /// Each account has places of its own, and a payment that takes long keeps one: nothing waits behind it. A journal
    /// that fails is tried again after a rest; nothing is sent meanwhile.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut bench = Bench::default();
        loop {
            let places = bench.places(self);
            let is_full = places.iter().any(|places| places.payments == 0 || places.deliveries == 0);
            // Not given up half way: what is claimed has to be worked on or given back.
            let Some(found) = bench.beside(self.look(places), ControlFlow::Continue(())).await else {
                continue;
            };
            // What was just found may not be all there is.
            let rest = match found {
                Ok(found) if found.is_empty() => REST,
                Ok(found) => {
                    bench.take(self, found);
                    Duration::ZERO
                }
                Err(error) => {
                    tracing::warn!(%error, "the journal does not work; nothing is sent until it does");
                    REST
                }
            };
            let rested = select(self.timer.sleep(rest), self.journal.stirred());
            // Where every place was taken, the next one that is free is looked for work at once.
            let freed = if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            if let Some(Either::Left(_)) = bench.beside(select(stop.as_mut(), rested), freed).await {
                break;
            }
        }
        bench.stopping.store(true, Ordering::SeqCst);
        while let Some(finished) = bench.work.next().await {
            let _ = bench.clear(finished);
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
        let found = self.look(bench.places(self)).await?;
        let mut ticked = Ticked { swept: found.swept, ..Ticked::default() };
        bench.take(self, found);
        let mut failed = None;
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

    /// What is due, as far as there is place for it.
    async fn look(&self, places: Vec<Places>) -> Result<Found, PaymentsError> {
        self.write_kept().await?;
        let mut found = Found::default();
        for done in self.journal.commit(vec![Entry::Sweep(Sweep::new(100))]).await? {
            let Ok(Done::Swept(swept)) = done else { continue };
            found.swept += swept.len();
            for payment in swept {
                if let Some(payment) = self.journal.find(&Find::Id(payment)).await? {
                    watch::moved(&payment, PaymentState::Sending, PaymentState::Unknown);
                }
            }
        }
        for places in &places {
            found.deliveries.extend(self.new_deliveries(places.account.clone(), places.deliveries).await?);
        }
        // By themselves, since several workers can claim side by side.
        let claims = places.iter().filter(|places| places.payments > 0).map(|places| {
            let limit = u32::try_from(places.payments).unwrap_or(u32::MAX);
            Entry::ClaimDue(ClaimDue::new(places.account.clone(), self.own_lease(), limit))
        });
        for done in self.journal.commit(claims.collect()).await? {
            match done {
                Ok(Done::Claimed(claims)) => found.claims.extend(claims),
                Ok(_) => {}
                Err(refused) => tracing::warn!(%refused, "nothing can be claimed"),
            }
        }
        reached!(self, Leased);
        // Last and alone: what is wrong with a credit must keep no payment from what is due to it.
        match self.due_credits(&places).await {
            Ok(due) => found.credits = due,
            Err(error) => tracing::warn!(%error, "no credit can be asked about"),
        }
        Ok(found)
    }

    async fn due_credits(&self, places: &[Places]) -> Result<Vec<CreditRecord>, PaymentsError> {
        let mut all = Vec::new();
        let due = places.iter().filter(|places| places.credits > 0).map(|places| {
            let limit = u32::try_from(places.credits).unwrap_or(u32::MAX);
            Entry::DueCredits(DueCredits::new(vec![places.account.clone()], limit))
        });
        for done in self.journal.commit(due.collect()).await? {
            let Ok(Done::CreditsDue { due, given_up }) = done else { continue };
            all.extend(due);
            for given_up in given_up {
                watch::credit(&given_up.provider, given_up.id, given_up.state);
            }
        }
        Ok(all)
    }

    async fn work_on(&self, claim: Claim, stopping: &AtomicBool) -> Result<(), PaymentsError> {
        match self.work_under_lease(claim, stopping).await {
            // Somebody else has it by now, or it is over: what they do counts.
            Err(PaymentsError::Refused(
                Refused::Fenced | Refused::WrongState { .. } | Refused::Leased { .. },
            )) => Ok(()),
            other => other,
        }
    }

    async fn work_under_lease(&self, claim: Claim, stopping: &AtomicBool) -> Result<(), PaymentsError> {
        let account = self.account(&claim.payment.provider)?;
        let payment = &claim.payment;
        // What was not begun when we were told to stop is somebody else's, at once.
        if stopping.load(Ordering::SeqCst) {
            let back = Schedule::new(payment.id, claim.fence, Duration::ZERO);
            return self.commit(Entry::Schedule(back)).await.map(drop);
        }
        match payment.state() {
            PaymentState::Recorded if is_overdue(account, &claim) => {
                let overdue = Overdue::new(payment.id, claim.fence, Reason::Silent);
                self.commit(Entry::Overdue(overdue)).await?;
                watch::moved(payment, PaymentState::Recorded, PaymentState::Review);
                Ok(())
            }
            PaymentState::Recorded => self.send_first(account, &claim).await,
            // It is asked about first: what can be known need not be tried.
            PaymentState::Unknown
                if payment.asks > 0
                    && payment.resend != ResendRule::Never
                    && account.wait().is_zero()
                    && self.has_attempts_left(account, payment).await?
                    && self.send_again(account, &claim).await? =>
            {
                Ok(())
            }
            _ => self.ask(account, claim).await,
        }
    }

    async fn send_first(&self, account: &Account, claim: &Claim) -> Result<(), PaymentsError> {
        let payment = &claim.payment;
        let put_off = |after| Entry::Schedule(Schedule::new(payment.id, claim.fence, after));
        let Some(instruction) = payment.instruction()? else { return Ok(()) };
        let wait = account.wait();
        if wait > self.patience() {
            return self.commit(put_off(wait)).await.map(drop);
        }
        let begin = Begin::new(payment.id, self.own_lease(), Some(claim.fence));
        match self.begin(Entry::Begin(begin)).await {
            Ok(leaving) => self.send(account, payment.id, &instruction, leaving).await.map(drop),
            // Another one has to be settled first, by itself or by a person.
            Err(PaymentsError::Refused(Refused::Twin { .. } | Refused::Held { .. })) => {
                self.commit(put_off(account.policy.wait(0))).await.map(drop)
            }
            Err(error) => Err(error),
        }
    }

    /// How long to wait for a turn: not so long that the lease runs out.
    fn patience(&self) -> Duration {
        PATIENCE.min(self.lease / 4)
    }

    /// Waits a moment for the turn of the account's credential.
    pub(super) async fn patient_turn(&self, account: &Account) -> Result<(), Duration> {
        let until = self.timer.monotonic().saturating_add(self.patience());
        loop {
            match account.take() {
                Err(wait) if self.timer.monotonic().saturating_add(wait) <= until => {
                    self.timer.sleep(wait).await;
                }
                turn => return turn,
            }
        }
    }
}
