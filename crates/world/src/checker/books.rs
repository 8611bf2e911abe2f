//! The file, read as anybody could.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use malipo::Env;
use malipo::journal::{
    AttemptRecord, DeliveryId, Event, Find, Journal as _, JournalError, Payment, PaymentId, SqliteJournal,
    StoredDelivery,
};

use super::Wrong;
use crate::unbuilt::Unbuilt;
use crate::violation::Invariant;

/// A payment with all that stands beside it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) payment: Payment,
    pub(crate) history: Vec<Event>,
    pub(crate) attempts: Vec<AttemptRecord>,
}

/// A connection that only reads.
#[derive(Debug)]
pub(crate) struct Books(SqliteJournal);

impl Books {
    pub(crate) fn open(file: &Path, env: Arc<dyn Env>) -> Result<Self, Unbuilt> {
        Ok(Self(SqliteJournal::inline(file, env)?))
    }

    /// Every payment, oldest first.
    pub(crate) fn rows(&self) -> Result<Vec<Row>, Wrong> {
        let mut rows = Vec::new();
        for number in 1.. {
            let id = PaymentId(number);
            let Some(payment) = at_once(self.0.find(&Find::Id(id)))? else { break };
            let history = at_once(self.0.history(id))?;
            let attempts = at_once(self.0.attempts(id))?;
            rows.push(Row { payment, history, attempts });
        }
        Ok(rows)
    }

    /// Every delivery, oldest first.
    pub(crate) fn deliveries(&self) -> Result<Vec<StoredDelivery>, Wrong> {
        let mut deliveries = Vec::new();
        for number in 1.. {
            let Some(delivery) = at_once(self.0.delivery(DeliveryId(number)))? else { break };
            deliveries.push(delivery);
        }
        Ok(deliveries)
    }
}

/// What an inline journal answers: it never waits.
fn at_once<T>(asked: impl Future<Output = Result<T, JournalError>>) -> Result<T, Wrong> {
    match pin!(asked).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(answer)) => Ok(answer),
        Poll::Ready(Err(error)) => Err(Wrong::new(Invariant::Monotone, format!("the file: {error}"))),
        Poll::Pending => Err(Wrong::new(Invariant::Rests, "the file keeps its reader waiting")),
    }
}
