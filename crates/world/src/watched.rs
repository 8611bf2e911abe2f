//! A journal that is watched: every commit lets others go first, and is a place to die at.

use std::sync::Arc;

use malipo::journal::{
    AttemptRecord, CreditId, CreditRecord, CreditSequence, Deliveries, DeliveryId, Done, Entry, Event,
    EventId, Filter, Find, Follower, Journal, JournalError, Payment, PaymentId, Refused, StoredDelivery,
    Stream,
};
use malipo::{Report, async_trait};

use crate::executor::{Breath, Group};
use crate::life::{Life, Place};
use crate::witness::Witness;

/// The journal of one process.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) life: Arc<Life>,
    pub(crate) group: Group,
    pub(crate) witness: Witness,
}

impl Watched {
    /// The journal to read from, as long as the process lives. Reading gives way to nobody: others can come between it
    /// and what is written after it, and that is what counts.
    async fn living(&self) -> &dyn Journal {
        self.life.go_on().await;
        &*self.journal
    }

    fn saw(&self, asked: &Asked, done: &Result<Done, Refused>) {
        let Self { group, witness, .. } = self;
        match done {
            Ok(done) => {
                if !is_nothing(done) {
                    witness.note(format!("{group:?} commits {}: {}", asked.name, outcome(done)));
                }
            }
            Err(refused) => witness.note(format!("{group:?} commits {}: refused, {refused}", asked.name)),
        }
        let mut seen = witness.seen();
        let begun = match done {
            Ok(Done::Opened { payment, begun }) => {
                seen.written.push(*payment);
                begun.map(|begun| (*payment, begun))
            }
            Ok(Done::Begun(begun)) => asked.payment.map(|payment| (payment, *begun)),
            Ok(Done::Resolved { begun, .. }) => asked.payment.zip(*begun),
            _ => None,
        };
        if let Some((payment, begun)) = begun {
            seen.begun.push((payment, begun.attempt, *group));
        }
        seen.changed = true;
    }
}

/// What an entry asks for, as far as what came of it does not say.
struct Asked {
    name: &'static str,
    payment: Option<PaymentId>,
}

impl Asked {
    fn of(entry: &Entry) -> Self {
        let (name, payment) = match entry {
            Entry::Open(_) => ("Open", None),
            Entry::Again(_) => ("Again", None),
            Entry::Begin(begin) => ("Begin", Some(begin.payment)),
            Entry::BeginAgain(begin) => ("BeginAgain", Some(begin.payment)),
            Entry::BeginConfirm(begin) => ("BeginConfirm", Some(begin.payment)),
            Entry::Finish(finish) => ("Finish", Some(finish.payment)),
            Entry::NoteAbsent(absent) => ("NoteAbsent", Some(absent.payment)),
            Entry::StoreDelivery(_) => ("StoreDelivery", None),
            Entry::SetAside(_) => ("SetAside", None),
            Entry::Apply(apply) => ("Apply", Some(apply.payment)),
            Entry::MatchUnaddressed(_) => ("MatchUnaddressed", None),
            Entry::ClaimDue(_) => ("ClaimDue", None),
            Entry::Schedule(schedule) => ("Schedule", Some(schedule.payment)),
            Entry::Overdue(overdue) => ("Overdue", Some(overdue.payment)),
            Entry::Sweep(_) => ("Sweep", None),
            Entry::StoreCredit(_) => ("StoreCredit", None),
            Entry::DecideCredit(_) => ("DecideCredit", None),
            Entry::DueCredits(_) => ("DueCredits", None),
            Entry::Resolve(resolve) => ("Resolve", Some(resolve.payment)),
            Entry::Cancel(payment) => ("Cancel", Some(*payment)),
            _ => ("something", None),
        };
        Self { name, payment }
    }
}

/// Whether it changed nothing, which is most of what a process finds that has nothing to do.
fn is_nothing(done: &Done) -> bool {
    match done {
        Done::Claimed(claims) => claims.is_empty(),
        Done::Swept(swept) => swept.is_empty(),
        Done::CreditsDue { due, given_up } => due.is_empty() && given_up.is_empty(),
        _ => false,
    }
}

/// What was done, without anything that names people.
fn outcome(done: &Done) -> String {
    match done {
        Done::Opened { payment, begun } => {
            format!("payment {payment}, attempt {:?}", begun.map(|begun| begun.attempt.0))
        }
        Done::Existing(payment) => format!("payment {} is {}", payment.id, payment.state()),
        Done::Begun(begun) => format!("attempt {}", begun.attempt),
        Done::Finished { state, .. } | Done::Late(state) | Done::Applied { state, .. } => state.to_string(),
        Done::Claimed(claims) => format!("{} claimed", claims.len()),
        Done::Swept(swept) => format!("{} swept", swept.len()),
        Done::CreditsDue { due, given_up } => format!("{} due, {} given up", due.len(), given_up.len()),
        Done::Stored(delivery) => format!("delivery {delivery}"),
        other => format!("{other:?}"),
    }
}

#[async_trait]
impl Journal for Watched {
    async fn commit(&self, batch: Vec<Entry>) -> Result<Vec<Result<Done, Refused>>, JournalError> {
        Breath::default().await;
        self.life.pass(Place::BeforeCommit).await;
        let asked: Vec<_> = batch.iter().map(Asked::of).collect();
        let done = self.journal.commit(batch).await?;
        for (asked, done) in asked.iter().zip(&done) {
            self.saw(asked, done);
        }
        self.life.pass(Place::AfterCommit).await;
        Ok(done)
    }

    async fn find(&self, by: &Find) -> Result<Option<Payment>, JournalError> {
        self.living().await.find(by).await
    }

    async fn list(&self, which: Filter, after: PaymentId, limit: u32) -> Result<Vec<Payment>, JournalError> {
        self.living().await.list(which, after, limit).await
    }

    async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        self.living().await.events(after, limit).await
    }

    async fn history(&self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        self.living().await.history(payment).await
    }

    async fn attempts(&self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        self.living().await.attempts(payment).await
    }

    async fn reports(&self, payment: PaymentId) -> Result<Vec<Report>, JournalError> {
        self.living().await.reports(payment).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        self.living().await.delivery(delivery).await
    }

    async fn position(&self, follower: &Follower, stream: Stream) -> Result<u64, JournalError> {
        self.living().await.position(follower, stream).await
    }

    async fn credit(&self, credit: CreditId) -> Result<Option<CreditRecord>, JournalError> {
        self.living().await.credit(credit).await
    }

    async fn credits(&self, after: CreditSequence, limit: u32) -> Result<Vec<CreditRecord>, JournalError> {
        self.living().await.credits(after, limit).await
    }

    async fn stirred(&self) {
        self.journal.stirred().await;
    }

    async fn deliveries(
        &self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        self.living().await.deliveries(which, after, limit).await
    }
}
