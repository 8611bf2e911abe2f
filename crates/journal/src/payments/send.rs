//! One attempt: what was committed as leaving leaves once, and how it ended is written down.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use malipo_core::{Advice, Confirm, Effect, Error, ErrorKind, Instruction, Report, Secret, Ticket};
use tracing::Instrument as _;

use super::pace::Heard;
use super::{Account, Payments, PaymentsError, reached, watch};
use crate::{
    Apply, Begin, Begun, Done, Entry, Finish, Key, Notes, Outcome, Payment, PaymentId, PaymentState, Refused,
    Source,
};

/// The most to wait after one request too many, whatever the gateway says.
const LONGEST_RETRY: Duration = Duration::from_secs(600);
/// How long to wait for a payment that is being asked about, and how often to look.
const LEASED: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(100));

impl Payments {
    /// Sends an attempt that is committed, and writes down how it ended.
    pub(super) async fn send(
        &self,
        account: &Account,
        payment: PaymentId,
        instruction: &Instruction,
        begun: Begun,
    ) -> Result<Payment, PaymentsError> {
        let addressed = self.addressed(account, instruction, payment)?;
        self.leave(account, payment, &addressed, begun).await?;
        let payment = self.payment(payment).await?;
        watch::moved(PaymentState::Sending, &payment);
        Ok(payment)
    }

    /// Sends, writes down how it ended, and says why where it was not begun.
    async fn leave(
        &self,
        account: &Account,
        payment: PaymentId,
        instruction: &Instruction,
        begun: Begun,
    ) -> Result<Option<Error>, PaymentsError> {
        reached!(self, BeforeSend);
        let span = tracing::info_span!("send", account = %account.id(), payment = payment.0, attempt = begun.attempt.0);
        let told = self.handed_over(account.provider.submit(instruction)).instrument(span).await;
        reached!(self, ReplyRead);
        account.hear(Heard::of(&told));
        let refusal = told.as_ref().err().filter(|error| error.effect() == Effect::None).cloned();
        let next = match &refusal {
            Some(error) => {
                let own = account.policy.retry_after(begun.attempt.0);
                error.retry_after().map_or(own, |wait| wait.min(LONGEST_RETRY).max(own))
            }
            None => account.policy.wait(0),
        };
        let told = told.map(|report| of_payment(report, instruction));
        self.finish(Finish::new(payment, begun.attempt, begun.fence, outcome(told), next)).await?;
        Ok(refusal)
    }

    /// Writes down how an attempt ended. What the journal does not take now, because it fails, is kept and written by
    /// [`run`](Payments::run).
    pub(super) async fn finish(&self, finish: Finish) -> Result<(), PaymentsError> {
        match self.commit(Entry::Finish(Box::new(finish.clone()))).await {
            // The lease ran out meanwhile, so the attempt counts as unknown; what it was told is evidence all the same.
            Err(PaymentsError::Refused(Refused::Fenced)) => match finish.outcome {
                Outcome::Accepted(report) => {
                    let late = Apply::new(finish.payment, Source::Reply, report);
                    self.commit(Entry::Apply(Box::new(late))).await.map(drop)
                }
                _ => Ok(()),
            },
            Err(PaymentsError::Journal(error)) => {
                self.unwritten.keep(finish);
                Err(PaymentsError::Journal(error))
            }
            ended => ended.map(drop),
        }
    }

    /// Hands in a payer's code: a step of its payment, with an attempt of its own.
    pub(super) async fn hand_in(&self, key: &Key, code: Secret) -> Result<Payment, PaymentsError> {
        let payment = self.newest(key).await?;
        let account = self.account(&payment.provider)?;
        let ticket = Ticket::new(payment.reference.clone(), payment.operation)
            .with_provider_refs(payment.provider_refs.clone());
        let step = Instruction::Confirm(Confirm::new(ticket, code));
        account.provider.capabilities().admit(&step, None).map_err(PaymentsError::Invalid)?;
        account.turn().map_err(PaymentsError::NotNow)?;
        let begun = self.begin_confirm(payment.id).await?;
        let refusal = self.leave(account, payment.id, &step, begun).await?;
        match refusal {
            Some(error) => Err(PaymentsError::CodeNotTaken(error)),
            None => self.payment(payment.id).await,
        }
    }

    /// Waits for whoever is asking about the payment just now: that takes a moment.
    async fn begin_confirm(&self, payment: PaymentId) -> Result<Begun, PaymentsError> {
        let until = self.timer.monotonic().saturating_add(LEASED.0);
        loop {
            let begin = Begin::new(payment, self.own_lease(), None);
            match self.commit(Entry::BeginConfirm(begin)).await {
                Ok(Done::Begun(begun)) => return Ok(begun),
                Ok(_) => return Err(PaymentsError::NotTaken("the journal answered something else")),
                Err(PaymentsError::Refused(Refused::Leased { .. })) if self.timer.monotonic() < until => {
                    self.timer.sleep(LEASED.1).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Polls once first: from then on the request may be anywhere.
    async fn handed_over<T>(&self, sending: impl Future<Output = T>) -> T {
        let mut sending = pin!(sending);
        match poll_fn(|context| Poll::Ready(sending.as_mut().poll(context))).await {
            Poll::Ready(told) => told,
            Poll::Pending => {
                reached!(self, HandedOver);
                sending.await
            }
        }
    }
}

/// A step reports of itself; what is known of is its payment.
fn of_payment(mut report: Report, instruction: &Instruction) -> Report {
    if let Instruction::Confirm(confirm) = instruction {
        report.operation = Some(confirm.ticket.operation);
    }
    report
}

fn outcome(told: malipo_core::Result<Report>) -> Outcome {
    let error = match told {
        Ok(report) => return Outcome::Accepted(report),
        Err(error) => error,
    };
    let notes = Notes::from(&error);
    match (error.effect(), error.kind()) {
        (Effect::Unknown | Effect::Unchanged, _) => Outcome::Unknown(notes),
        (Effect::None, ErrorKind::Throttled | ErrorKind::Unavailable) => Outcome::Throttled(notes),
        // It was turned away at the door. It goes once the credentials are right, and is given to a person in time.
        (Effect::None, ErrorKind::Credentials) => Outcome::NotSent(notes),
        (Effect::None, _) if error.advice() == Advice::Resend => Outcome::NotSent(notes),
        (Effect::None, _) => Outcome::Refused(notes),
    }
}
