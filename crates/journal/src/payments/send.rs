//! One attempt: what was committed as leaving leaves once, and how it ended is written down.

use malipo_core::{Advice, Confirm, Effect, Error, ErrorKind, Instruction, Report, Secret, Ticket};

use super::account::Twins;
use super::{Account, Payments, PaymentsError};
use crate::bind::accounts;
use crate::{
    Apply, Begun, Entry, Filter, Finish, Notes, Outcome, Payment, PaymentId, PaymentState, Refused, Source,
};

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
        let told = account.provider.submit(&addressed).await;
        let next = match &told {
            Err(error) if error.effect() == Effect::None => {
                error.retry_after().unwrap_or(account.policy.retry)
            }
            _ => account.policy.wait(0),
        };
        let reply = told.as_ref().ok().cloned();
        let finish = Finish::new(payment, begun.attempt, begun.fence, outcome(told), next);
        match (self.commit(Entry::Finish(Box::new(finish))).await, reply) {
            // Our lease ran out meanwhile, so the attempt counts as unknown; what it was told is evidence all the same.
            (Err(PaymentsError::Refused(Refused::Fenced)), Some(report)) => {
                self.commit(Entry::Apply(Box::new(Apply::new(payment, Source::Reply, report)))).await?;
            }
            (Err(PaymentsError::Refused(Refused::Fenced)), None) => {}
            (ended, _) => drop(ended?),
        }
        self.payment(payment).await
    }

    /// A payment whose fate is unknown and which nothing could tell from this one, where that matters.
    pub(super) async fn twin(
        &self,
        account: &Account,
        instruction: &Instruction,
    ) -> Result<Option<PaymentId>, PaymentsError> {
        if account.policy.twins == Twins::Sent {
            return Ok(None);
        }
        let (numbers, amount) = (accounts(instruction), instruction.terms().map(|terms| terms.amount));
        for state in [PaymentState::Sending, PaymentState::Unknown, PaymentState::Review] {
            let mut after = PaymentId(0);
            loop {
                let page = self.journal.list(Filter::In(state), after, 100).await?;
                let Some(last) = page.last() else { break };
                after = last.id;
                for other in page {
                    let same = other.provider == *account.id()
                        && other.operation == instruction.operation()
                        && Some(other.amount) == amount;
                    let asked = if same { other.instruction()? } else { None };
                    if asked.is_some_and(|asked| accounts(&asked) == numbers) {
                        return Ok(Some(other.id));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Hands in a payer's code. What comes of it is told as all else is.
    pub(super) async fn hand_in(&self, payment: Payment, code: Secret) -> Result<Payment, PaymentsError> {
        let account = self.account(&payment.provider)?;
        let ticket = Ticket::new(payment.reference.clone(), payment.operation)
            .with_provider_refs(payment.provider_refs.clone());
        let step = Instruction::Confirm(Confirm::new(ticket, code));
        account.provider.capabilities().admit(&step, None).map_err(PaymentsError::Invalid)?;
        match account.provider.submit(&step).await {
            Ok(report) => {
                let report = of_the_payment(report, &payment);
                self.commit(Entry::Apply(Box::new(Apply::new(payment.id, Source::Answer, report)))).await?;
            }
            Err(error) if error.effect() == Effect::None => return Err(PaymentsError::CodeNotTaken(error)),
            // Nobody knows whether it was taken. The payment is open and is asked about.
            Err(_) => {}
        }
        self.payment(payment.id).await
    }
}

/// A step reports of itself; its payment is what it is a step of.
fn of_the_payment(mut report: Report, payment: &Payment) -> Report {
    report.operation = Some(payment.operation);
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
        (Effect::None, _) if provably_unsent(&error) => Outcome::NotSent(notes),
        (Effect::None, _) => Outcome::Refused(notes),
    }
}

/// Whether the same may be sent again as it is: it did not leave, and nothing about it has to be mended first.
fn provably_unsent(error: &Error) -> bool {
    error.effect() == Effect::None && error.advice() == Advice::Resend
}
