use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use malipo_core::{Env, Report, Timer};
use malipo_journal::{
    AttemptRecord, CreditId, CreditRecord, CreditSequence, Deliveries, DeliveryId, Done, Entry, Event,
    EventId, Filter, Find, Follower, Journal, JournalError, JournalErrorKind, MemoryJournal, Payment,
    PaymentId, Refused, StoredDelivery, Stream,
};
use tokio::sync::Notify;

/// A journal in memory that can be slow to say that it has written, or say that it cannot.
#[derive(Debug)]
pub(crate) struct Held {
    inner: MemoryJournal,
    /// Whether what is written is not told before [`let_go`](Self::let_go).
    pub(crate) is_held: AtomicBool,
    pub(crate) is_full: AtomicBool,
    written: Notify,
    told: Notify,
}

impl Held {
    pub(crate) fn new(env: Arc<dyn Timer>) -> Self {
        let env: Arc<dyn Env> = env;
        Self {
            inner: MemoryJournal::new(env),
            is_held: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            written: Notify::new(),
            told: Notify::new(),
        }
    }

    pub(crate) fn hold(&self) {
        self.is_held.store(true, Ordering::SeqCst);
    }

    pub(crate) fn let_go(&self) {
        self.is_held.store(false, Ordering::SeqCst);
        self.told.notify_waiters();
    }

    /// Returns once something was written that is held.
    pub(crate) async fn written(&self) {
        self.written.notified().await;
    }
}

#[async_trait]
impl Journal for Held {
    async fn commit(&self, batch: Vec<Entry>) -> Result<Vec<Result<Done, Refused>>, JournalError> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(JournalError::new(JournalErrorKind::Full, "a disk of this test"));
        }
        let done = self.inner.commit(batch).await;
        let told = self.told.notified();
        if self.is_held.load(Ordering::SeqCst) {
            self.written.notify_one();
            told.await;
        }
        done
    }

    async fn find(&self, by: &Find) -> Result<Option<Payment>, JournalError> {
        self.inner.find(by).await
    }

    async fn list(&self, which: Filter, after: PaymentId, limit: u32) -> Result<Vec<Payment>, JournalError> {
        self.inner.list(which, after, limit).await
    }

    async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        self.inner.events(after, limit).await
    }

    async fn history(&self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        self.inner.history(payment).await
    }

    async fn attempts(&self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        self.inner.attempts(payment).await
    }

    async fn reports(&self, payment: PaymentId) -> Result<Vec<Report>, JournalError> {
        self.inner.reports(payment).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        self.inner.delivery(delivery).await
    }

    async fn deliveries(
        &self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        self.inner.deliveries(which, after, limit).await
    }

    async fn position(&self, follower: &Follower, stream: Stream) -> Result<u64, JournalError> {
        self.inner.position(follower, stream).await
    }

    async fn credit(&self, credit: CreditId) -> Result<Option<CreditRecord>, JournalError> {
        self.inner.credit(credit).await
    }

    async fn credits(&self, after: CreditSequence, limit: u32) -> Result<Vec<CreditRecord>, JournalError> {
        self.inner.credits(after, limit).await
    }

    async fn stirred(&self) {
        self.inner.stirred().await;
    }
}
