//! Journals that forget, that lie, and that somebody changed by hand.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use malipo::journal::{
    AttemptRecord, Begun, CreditId, CreditRecord, CreditSequence, Deliveries, DeliveryId, Done, Entry, Event,
    EventId, Filter, Find, Follower, Journal, JournalError, MemoryJournal, Payment, PaymentId, Refused,
    Start, StoredDelivery, Stream,
};
use malipo::{DeliveryPurpose, Report, Timer, async_trait};
use malipo_sim::Gateway;
use malipo_world::{Alterations, Invariant};

use super::finds;

/// What becomes of a commit.
#[async_trait]
pub(crate) trait Lie: std::fmt::Debug + Send + Sync {
    async fn commit(&self, file: &dyn Journal, batch: Vec<Entry>) -> Answered;
}

pub(crate) type Answered = Result<Vec<Result<Done, Refused>>, JournalError>;

/// A journal that reads from where it is told to, and lies about what it writes.
#[derive(Debug)]
pub(crate) struct Lying {
    pub(crate) file: Arc<dyn Journal>,
    pub(crate) reads: Arc<dyn Journal>,
    pub(crate) lie: Arc<dyn Lie>,
}

#[async_trait]
impl Journal for Lying {
    async fn commit(&self, batch: Vec<Entry>) -> Answered {
        self.lie.commit(&*self.file, batch).await
    }

    async fn find(&self, by: &Find) -> Result<Option<Payment>, JournalError> {
        self.reads.find(by).await
    }

    async fn list(&self, which: Filter, after: PaymentId, limit: u32) -> Result<Vec<Payment>, JournalError> {
        self.reads.list(which, after, limit).await
    }

    async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        self.reads.events(after, limit).await
    }

    async fn history(&self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        self.reads.history(payment).await
    }

    async fn attempts(&self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        self.reads.attempts(payment).await
    }

    async fn reports(&self, payment: PaymentId) -> Result<Vec<Report>, JournalError> {
        self.reads.reports(payment).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        self.reads.delivery(delivery).await
    }

    async fn deliveries(
        &self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        self.reads.deliveries(which, after, limit).await
    }

    async fn position(&self, follower: &Follower, stream: Stream) -> Result<u64, JournalError> {
        self.reads.position(follower, stream).await
    }

    async fn credit(&self, credit: CreditId) -> Result<Option<CreditRecord>, JournalError> {
        self.reads.credit(credit).await
    }

    async fn credits(&self, after: CreditSequence, limit: u32) -> Result<Vec<CreditRecord>, JournalError> {
        self.reads.credits(after, limit).await
    }

    async fn stirred(&self) {
        self.reads.stirred().await;
    }
}

/// Keeps everything in memory, and of what it is asked to write only that a payment is wanted.
#[derive(Debug)]
struct ForgetsThatItLeaves(Arc<MemoryJournal>);

#[async_trait]
impl Lie for ForgetsThatItLeaves {
    async fn commit(&self, file: &dyn Journal, batch: Vec<Entry>) -> Answered {
        for entry in &batch {
            if let Entry::Open(open) = entry {
                let mut open = open.clone();
                open.start = Start::Later { after: Duration::from_secs(3600) };
                file.commit(vec![Entry::Open(open)]).await?;
            }
        }
        self.0.commit(batch).await
    }
}

#[derive(Debug)]
struct Forgetful;

impl Alterations for Forgetful {
    fn journal(&self, file: Arc<dyn Journal>, _: &Path, timer: Arc<dyn Timer>) -> Arc<dyn Journal> {
        let memory = Arc::new(MemoryJournal::new(timer));
        let lie = Arc::new(ForgetsThatItLeaves(memory.clone()));
        Arc::new(Lying { file, reads: memory, lie })
    }
}

#[test]
fn a_journal_forgets_that_an_attempt_leaves() {
    finds(Gateway::SasaPay, "plain", Forgetful, Invariant::NoPhantom);
}

/// Keeps nothing in the file.
#[derive(Debug)]
struct OnlyMemory;

impl Alterations for OnlyMemory {
    fn journal(&self, _: Arc<dyn Journal>, _: &Path, timer: Arc<dyn Timer>) -> Arc<dyn Journal> {
        Arc::new(MemoryJournal::new(timer))
    }
}

#[test]
fn a_journal_writes_nothing_down() {
    finds(Gateway::KasaPay, "plain", OnlyMemory, Invariant::Conserved);
}

/// Gives an attempt that one process has to every other that asks for its payment.
#[derive(Debug, Clone, Default)]
struct GivesOutTwice(Arc<Mutex<Option<Begun>>>);

#[async_trait]
impl Lie for GivesOutTwice {
    async fn commit(&self, file: &dyn Journal, batch: Vec<Entry>) -> Answered {
        let mut done = file.commit(batch).await?;
        for one in done.iter_mut().flatten() {
            let mut first = self.0.lock().unwrap();
            match one {
                Done::Opened { begun, .. } => *first = *begun,
                Done::Existing(payment) => *one = Done::Opened { payment: payment.id, begun: *first },
                _ => {}
            }
        }
        Ok(done)
    }
}

impl Alterations for GivesOutTwice {
    fn journal(&self, file: Arc<dyn Journal>, _: &Path, _: Arc<dyn Timer>) -> Arc<dyn Journal> {
        Arc::new(Lying { reads: file.clone(), file, lie: Arc::new(self.clone()) })
    }
}

#[test]
fn two_processes_have_the_same_attempt() {
    finds(Gateway::Daraja, "two processes", GivesOutTwice::default(), Invariant::Fenced);
}

/// Somebody changes the file by hand once a payment is over.
#[derive(Debug, Clone)]
struct ByHand {
    file: PathBuf,
    sql: &'static str,
}

#[async_trait]
impl Lie for ByHand {
    async fn commit(&self, file: &dyn Journal, batch: Vec<Entry>) -> Answered {
        let done = file.commit(batch).await?;
        if done.iter().flatten().any(|one| matches!(one, Done::Applied { state, .. } if state.is_final())) {
            let connection = rusqlite::Connection::open(&self.file).unwrap();
            connection
                .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
                .unwrap();
            let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
            let mut triggers = connection.prepare(triggers).unwrap();
            let names: Vec<String> = triggers.query_map([], |row| row.get(0)).unwrap().flatten().collect();
            for name in names {
                connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
            }
            connection.execute_batch(self.sql).unwrap();
        }
        Ok(done)
    }
}

#[derive(Debug)]
struct Changed(&'static str);

impl Alterations for Changed {
    fn journal(&self, journal: Arc<dyn Journal>, file: &Path, _: Arc<dyn Timer>) -> Arc<dyn Journal> {
        let lie = Arc::new(ByHand { file: file.to_owned(), sql: self.0 });
        Arc::new(Lying { reads: journal.clone(), file: journal, lie })
    }
}

#[test]
fn an_event_is_gone() {
    let sql = "DELETE FROM events WHERE sequence = 2";
    finds(Gateway::Daraja, "plain", Changed(sql), Invariant::Monotone);
}

#[test]
fn an_event_was_changed() {
    let sql = "UPDATE events SET at = at + 1 WHERE sequence = 1";
    finds(Gateway::KasaPay, "plain", Changed(sql), Invariant::Monotone);
}

#[test]
fn the_events_lead_elsewhere() {
    let sql = "UPDATE payments SET state = 'accepted', over_at = NULL, next_at = 9999999999999";
    finds(Gateway::SasaPay, "plain", Changed(sql), Invariant::Monotone);
}

#[test]
fn an_end_is_told_twice() {
    let sql = "DROP INDEX one_event_for_each_end;
               CREATE TEMP TABLE again AS SELECT * FROM events WHERE to_state = 'paid';
               UPDATE again SET id = id + 1, sequence = sequence + 1;
               INSERT INTO events SELECT * FROM again;
               UPDATE payments SET events = events + 1";
    finds(Gateway::Kyanda, "plain", Changed(sql), Invariant::EffectOnce);
}

#[test]
fn an_amount_was_changed() {
    let sql = "UPDATE payments SET amount_minor = amount_minor + 1";
    finds(Gateway::Daraja, "plain", Changed(sql), Invariant::Conserved);
}

#[test]
fn two_amounts_changed_places() {
    let sql = "UPDATE payments SET amount_minor = 350000 - amount_minor";
    finds(Gateway::KasaPay, "two payments", Changed(sql), Invariant::Conserved);
}

/// Takes the second order for the first, of which it has a payment.
#[derive(Debug, Clone)]
struct TakesForAnother;

#[async_trait]
impl Lie for TakesForAnother {
    async fn commit(&self, file: &dyn Journal, batch: Vec<Entry>) -> Answered {
        if let [Entry::Open(open)] = batch.as_slice()
            && open.key.as_str() == "ORDER-2"
            && let Some(first) = file.find(&Find::Id(PaymentId(1))).await?
        {
            return Ok(vec![Ok(Done::Existing(Box::new(first)))]);
        }
        file.commit(batch).await
    }
}

impl Alterations for TakesForAnother {
    fn journal(&self, file: Arc<dyn Journal>, _: &Path, _: Arc<dyn Timer>) -> Arc<dyn Journal> {
        Arc::new(Lying { reads: file.clone(), file, lie: Arc::new(self.clone()) })
    }
}

#[test]
fn an_order_is_never_written_down() {
    finds(Gateway::Daraja, "two payments", TakesForAnother, Invariant::Conserved);
}

/// Keeps every callback, and as one that was posted for another purpose.
#[derive(Debug, Clone)]
struct MixesUpAddresses;

#[async_trait]
impl Lie for MixesUpAddresses {
    async fn commit(&self, file: &dyn Journal, mut batch: Vec<Entry>) -> Answered {
        for entry in &mut batch {
            if let Entry::StoreDelivery(store) = entry {
                store.purpose = DeliveryPurpose::Timeout;
            }
        }
        file.commit(batch).await
    }
}

impl Alterations for MixesUpAddresses {
    fn journal(&self, file: Arc<dyn Journal>, _: &Path, _: Arc<dyn Timer>) -> Arc<dyn Journal> {
        Arc::new(Lying { reads: file.clone(), file, lie: Arc::new(self.clone()) })
    }
}

#[test]
fn a_callback_is_kept_under_another_address() {
    finds(Gateway::Daraja, "plain", MixesUpAddresses, Invariant::AckedMeansStored);
}
