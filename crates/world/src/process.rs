//! One process: the engine over its accounts and its journal, somebody who submits, and somebody who works.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use malipo::journal::{Filter, Journal as _, Payment, PaymentId, Payments, PaymentsError};
use malipo::{Env as _, Timer as _};
use malipo_sim::World;

use crate::clock::Clock;
use crate::executor::{Group, Spawner};
use crate::life::Life;
use crate::orders::Order;
use crate::scenario::Work;
use crate::watched::Watched;
use crate::witness::Witness;

/// How often a journal that refuses is tried again before that is taken for a fault.
const PATIENCE: u32 = 50;
/// How long a worker rests at most: while something is being submitted, and otherwise.
const NAP: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_secs(600);

/// How often somebody looks for new events, where nothing else says when.
const FOLLOWS: Duration = Duration::from_millis(900);

/// One process, as long as its group lives.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) group: Group,
    pub(crate) life: Arc<Life>,
    pub(crate) payments: Payments,
    pub(crate) journal: Arc<Watched>,
    pub(crate) clock: Clock,
    pub(crate) witness: Witness,
    pub(crate) work: Work,
    /// What the payer's phone and the gateway's own pages show to people.
    pub(crate) sim: World,
    /// How many orders it has yet to submit.
    pub(crate) submitting: Arc<AtomicUsize>,
    /// How many it has yet to submit and to follow up.
    pub(crate) following_up: Arc<AtomicUsize>,
}

impl Process {
    /// Submits these and works until it dies.
    pub(crate) fn start(self, orders: Vec<Order>, spawner: &Spawner) {
        self.submitting.store(orders.len(), Ordering::SeqCst);
        self.following_up.store(orders.len(), Ordering::SeqCst);
        for order in orders {
            spawner.spawn(self.group, self.clone().see_to(order));
        }
        let group = self.group;
        match self.work {
            Work::Rounds => spawner.spawn(group, self.in_rounds()),
            Work::AllTheTime => {
                spawner.spawn(group, self.clone().all_the_time());
                spawner.spawn(group, self.keep_following());
            }
        }
    }

    /// Whether all it was to submit is submitted.
    pub(crate) fn has_submitted(&self) -> bool {
        self.submitting.load(Ordering::SeqCst) == 0
    }

    /// Whether it has done all with its orders that was to be done.
    pub(crate) fn is_content(&self) -> bool {
        self.following_up.load(Ordering::SeqCst) == 0
    }

    async fn see_to(self, order: Order) {
        for _ in 0..PATIENCE {
            let Order { key, account, instruction, .. } = &order;
            let done = self.payments.submit(account, key.clone(), instruction.clone()).await;
            self.life.go_on().await;
            match done {
                Ok(payment) => {
                    self.witness.note(format!("{:?} submitted {key}: {}", self.group, payment.state()));
                    self.submitting.fetch_sub(1, Ordering::SeqCst);
                    match self.follow_up(&order).await {
                        Ok(()) => self.following_up.fetch_sub(1, Ordering::SeqCst),
                        Err(why) => return self.witness.complain(format!("{key}: {why}")),
                    };
                    return;
                }
                Err(error @ (PaymentsError::Refused(_) | PaymentsError::Journal(_))) => {
                    self.witness.note(format!("{:?} could not submit {key}: {error}", self.group));
                    self.clock.sleep(NAP).await;
                }
                Err(error) => return self.witness.complain(format!("{key} cannot be submitted: {error}")),
            }
        }
        self.witness.complain(format!("{} was not submitted in {PATIENCE} tries", order.key));
    }

    async fn all_the_time(self) {
        self.payments.run(pending()).await;
    }

    async fn keep_following(self) {
        loop {
            self.follow().await;
            self.clock.sleep(FOLLOWS).await;
        }
    }

    async fn in_rounds(self) {
        loop {
            if let Err(error) = self.payments.tick().await {
                self.witness.note(format!("{:?} could not work: {error}", self.group));
            }
            self.life.go_on().await;
            self.follow().await;
            self.clock.sleep(self.rest().await).await;
            self.life.go_on().await;
        }
    }

    /// Gives what is new to who acts on it: at least once, since it is only then noted how far it is read.
    async fn follow(&self) {
        let after = self.witness.seen().followed;
        let Ok(events) = self.payments.events(after, 100).await else { return };
        for event in events {
            self.witness.hear_of(&event);
        }
    }

    /// How long until there is something to do.
    async fn rest(&self) -> Duration {
        let open = self.journal.list(Filter::Open, PaymentId(0), 100).await.unwrap_or_default();
        let now = self.clock.now().to_system_time();
        let wait = |payment: &Payment| {
            let due = payment.next_at.max(payment.leased_until)?;
            // A moment more: what is due at a time is not due before it.
            let wait = due.to_system_time().duration_since(now).unwrap_or_default();
            Some(wait.saturating_add(Duration::from_millis(1)))
        };
        let most = if self.has_submitted() { REST } else { NAP };
        open.iter().filter_map(wait).min().unwrap_or(most).clamp(Duration::from_millis(1), most)
    }
}
