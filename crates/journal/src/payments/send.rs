//! One attempt: what was committed as leaving leaves once, and how it ended is written down.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use malipo_core::{Advice, Confirm, Effect, Error, ErrorKind, Instruction, Moment, Report, Secret, Ticket};
use tracing::Instrument as _;

use super::pace::Heard;
use super::{Account, Payments, PaymentsError, reached, watch};
use crate::{
    Apply, Begin, Begun, Done, Entry, Finish, Key, Notes, Outcome, Payment, PaymentId, Refused, Source,
};

/// The most to wait after one request too many, whatever the gateway says.
const LONGEST_RETRY: Duration = Duration::from_secs(600);
/// How long to wait for a payment that is being asked about, and how often to look.
const LEASED: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(100));

/// An attempt that may leave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaving {
    pub(super) begun: Begun,
    /// Before it was committed.
    pub(super) since: Moment,
}

/// Whether an attempt left.
#[derive(Debug)]
enum Left {
    /// It may have reached the gateway.
    Sent,
    /// It was turned away, and nothing was begun.
    Refused(Error),
    /// It did not leave, and may after this long.
    Not(Duration),
}

impl Payments {
    /// Sends an attempt that is committed, and writes down how it ended.
    pub(super) async fn send(
        &self,
        account: &Account,
        payment: PaymentId,
        instruction: &Instruction,
        leaving: Leaving,
    ) -> Result<Payment, PaymentsError> {
        let addressed = self.addressed(account, instruction, payment)?;
        self.leave(account, payment, &addressed, leaving).await?;
        self.payment(payment).await
    }

    /// Sends, and writes down how it ended.
    async fn leave(
        &self,
        account: &Account,
        payment: PaymentId,
        instruction: &Instruction,
        leaving: Leaving,
    ) -> Result<Left, PaymentsError> {
        reached!(self, BeforeSend);
        let Begun { attempt, fence, .. } = leaving.begun;
        if let Err(wait) = self.may_leave(account, leaving.since).await {
            let outcome = Outcome::NotSent(Notes::default());
            let ended = self.finish(Finish::new(payment, attempt, fence, outcome, wait)).await;
            return ended.map(|()| Left::Not(wait));
        }
        let span =
            tracing::info_span!("send", account = %account.id(), payment = payment.0, attempt = attempt.0);
        let told = self.handed_over(account.provider.submit(instruction)).instrument(span).await;
        reached!(self, ReplyRead);
        account.hear(Heard::of(&told));
        let refusal = told.as_ref().err().filter(|error| error.effect() == Effect::None).cloned();
        let next = match &refusal {
            Some(error) => {
                let own = account.policy.retry_after(attempt.0);
                error.retry_after().map_or(own, |wait| wait.min(LONGEST_RETRY).max(own))
            }
            None => account.policy.wait(0),
        };
        let told = told.map(|report| of_payment(report, instruction));
        self.finish(Finish::new(payment, attempt, fence, outcome(told), next)).await?;
        Ok(refusal.map_or(Left::Sent, Left::Refused))
    }

    /// Waits for the turn of the credential, and says how long to wait where that takes too long. Whoever was held up
    /// for half of its lease, asleep or on a busy machine, sends nothing any more: somebody else may have taken over.
    async fn may_leave(&self, account: &Account, since: Moment) -> Result<(), Duration> {
        let is_late = || since.passed(&*self.timer) >= self.lease / 2;
        if !is_late() {
            self.patient_turn(account).await?;
            if !is_late() {
                return Ok(());
            }
            // The turn was taken and is not used.
            account.hear(Heard::Nothing);
        }
        Err(account.policy.retry)
    }

    /// Writes down how an attempt ended. What the journal does not take now, because it fails, is kept and written by
    /// [`run`](Payments::run).
    pub(super) async fn finish(&self, finish: Finish) -> Result<(), PaymentsError> {
        let written = self.write(&finish).await;
        if let Err(PaymentsError::Journal(_)) = &written {
            self.unwritten.keep(finish);
        }
        written
    }

    /// Writes what an earlier failure of the journal kept from being written, until it fails again.
    pub(super) async fn write_kept(&self) -> Result<(), PaymentsError> {
        while let Some(finish) = self.unwritten.first() {
            match self.write(&finish).await {
                Err(PaymentsError::Journal(error)) if !error.kind().stays() => {
                    return Err(PaymentsError::Journal(error));
                }
                // What can never be written is unknown once its lease has run out.
                Err(error) => {
                    tracing::error!(payment = finish.payment.0, %error, "how an attempt ended is lost")
                }
                Ok(()) => {}
            }
            self.unwritten.written(&finish);
        }
        Ok(())
    }

    async fn write(&self, finish: &Finish) -> Result<(), PaymentsError> {
        let late = match self.commit(Entry::Finish(Box::new(finish.clone()))).await {
            // The lease ran out meanwhile, so the attempt counts as unknown; what it was told is evidence all the same.
            Err(PaymentsError::Refused(Refused::Fenced)) => match finish.outcome.clone() {
                Outcome::Accepted(report) => Apply::new(finish.payment, Source::Reply, report),
                outcome => {
                    let payment = finish.payment.0;
                    tracing::warn!(
                        payment,
                        ?outcome,
                        "an attempt ended after its lease, and counts as unknown"
                    );
                    return Ok(());
                }
            },
            Ok(done) => {
                self.note(finish.payment, &done).await;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let done = self.commit(Entry::Apply(Box::new(late))).await?;
        self.note(finish.payment, &done).await;
        Ok(())
    }

    /// Counts what a commit did to a payment. What cannot be counted was done all the same.
    pub(super) async fn note(&self, payment: PaymentId, done: &Done) {
        let (from, state) = match done {
            Done::Finished { from, state } | Done::Applied { from, state, .. } => (*from, *state),
            _ => return,
        };
        if from != state {
            match self.payment(payment).await {
                Ok(known) => watch::moved(&known, from, state),
                Err(error) => {
                    tracing::warn!(payment = payment.0, %from, to = %state, %error, "a payment moved")
                }
            }
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
        if !account.wait().is_zero() {
            return Err(PaymentsError::NotNow(account.wait()));
        }
        let leaving = self.begin_confirm(payment.id).await?;
        match self.leave(account, payment.id, &step, leaving).await? {
            Left::Refused(error) => Err(PaymentsError::CodeNotTaken(error)),
            Left::Not(wait) => Err(PaymentsError::NotNow(wait)),
            Left::Sent => self.payment(payment.id).await,
        }
    }

    /// Waits for whoever is asking about the payment just now: that takes a moment.
    async fn begin_confirm(&self, payment: PaymentId) -> Result<Leaving, PaymentsError> {
        let until = self.timer.monotonic().saturating_add(LEASED.0);
        loop {
            let begin = Begin::new(payment, self.own_lease(), None);
            match self.begin(Entry::BeginConfirm(begin)).await {
                Err(PaymentsError::Refused(Refused::Leased { .. })) if self.timer.monotonic() < until => {
                    self.timer.sleep(LEASED.1).await;
                }
                begun => return begun,
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
