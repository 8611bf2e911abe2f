//! The journal without a disk: for tests and demonstrations, and the model that the SQL stores are held against.

mod books;
mod tx;

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use malipo_core::{Env, Report};

use self::books::Books;
use crate::execute;
use crate::ready::ready;
use crate::tx::{FindCredit, Select, Tx};
use crate::{
    AttemptRecord, CreditId, CreditRecord, CreditSequence, Deliveries, DeliveryId, Done, Entry, Event,
    EventId, Filter, Find, Follower, Journal, JournalError, JournalErrorKind, Payment, PaymentId, Refused,
    StoredDelivery, Stream,
};

/// A journal in memory. It forgets everything when it is dropped, so it must not guard real money.
pub struct MemoryJournal {
    env: Arc<dyn Env>,
    books: Mutex<Books>,
}

impl MemoryJournal {
    /// An empty journal whose clock is that of `env`.
    pub fn new(env: Arc<dyn Env>) -> Self {
        Self { env, books: Mutex::new(Books::default()) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Books) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let mut books = self.books.lock().map_err(|_| {
            JournalError::new(JournalErrorKind::Unavailable, "an earlier call stopped in the middle")
        })?;
        work(&mut books)
    }
}

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryJournal")
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn commit(&self, batch: Vec<Entry>) -> Result<Vec<Result<Done, Refused>>, JournalError> {
        let now = execute::in_millis(self.env.now());
        self.with(|books| {
            ready(books.mark())?;
            let results = ready(execute::batch(books, batch, now));
            match results {
                Ok(_) => ready(books.keep())?,
                Err(_) => books.undo_all(),
            }
            results
        })
    }

    async fn find(&self, by: &Find) -> Result<Option<Payment>, JournalError> {
        self.with(|books| ready(books.payment(by)))
    }

    async fn list(&self, which: Filter, after: PaymentId, limit: u32) -> Result<Vec<Payment>, JournalError> {
        self.with(|books| ready(books.payments(&Select::Page { which, after }, limit)))
    }

    async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        self.with(|books| ready(books.events(after, limit)))
    }

    async fn history(&self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        self.with(|books| ready(books.history(payment)))
    }

    async fn attempts(&self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        self.with(|books| ready(books.attempts(payment)))
    }

    async fn reports(&self, payment: PaymentId) -> Result<Vec<Report>, JournalError> {
        self.with(|books| ready(execute::reports(books, payment)))
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        self.with(|books| ready(books.delivery(delivery)))
    }

    async fn deliveries(
        &self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        self.with(|books| ready(books.deliveries(which, after, limit)))
    }

    async fn position(&self, follower: &Follower, stream: Stream) -> Result<u64, JournalError> {
        self.with(|books| ready(books.position(follower, stream)))
    }

    async fn credit(&self, credit: CreditId) -> Result<Option<CreditRecord>, JournalError> {
        self.with(|books| ready(Tx::credit(books, &FindCredit::Id(credit))))
    }

    async fn credits(&self, after: CreditSequence, limit: u32) -> Result<Vec<CreditRecord>, JournalError> {
        self.with(|books| ready(Tx::credits(books, after, limit)))
    }

    async fn stirred(&self) {
        // There is no other process.
        pending().await
    }
}
