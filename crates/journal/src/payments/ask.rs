//! What became of a payment, asked of its gateway.

use std::time::Duration;

use malipo_core::{Answer, Callback, DeliveryPurpose, Lookup, ProviderRefs, Report};
use tracing::Instrument as _;

use super::pace::Heard;
use super::watch::Asked;
use super::{Account, Payments, PaymentsError, reached, watch};
use crate::{
    Address, Apply, AttemptEnd, Attention, Begin, Claim, DeliveryId, Entry, NoteAbsent, Overdue, Payment,
    PaymentId, PaymentState, Raise, Reason, Refused, ResendRule, Schedule, Source,
};

impl Payments {
    /// Asks once about a claimed payment, and writes down what was answered and when to ask again.
    pub(super) async fn ask(&self, account: &Account, claim: Claim) -> Result<(), PaymentsError> {
        let payment = &claim.payment;
        if payment.state() == PaymentState::Unknown {
            watch::unknown(account.id(), open_for(&claim));
        }
        if let Err(wait) = self.patient_turn(account).await {
            return self.look_again(account, &claim, Schedule::new(payment.id, claim.fence, wait)).await;
        }
        let next = account.policy.wait(payment.asks + 1);
        let again = Schedule::new(payment.id, claim.fence, next).asked();
        match self.question(account, payment, &ProviderRefs::new()).await {
            Ok(Answer::Known(report)) => {
                // However it is taken, it must not keep the payment from being looked at again.
                let applied = self.apply(account, payment.id, report).await;
                self.look_again(account, &claim, again).await?;
                applied
            }
            Ok(Answer::NoSuchReference) if !is_overdue(account, &claim) => {
                self.commit(Entry::NoteAbsent(NoteAbsent::new(payment.id, claim.fence, next))).await.map(drop)
            }
            Ok(_) | Err(_) => self.look_again(account, &claim, again).await,
        }
    }

    /// Whether the policy allows another attempt. What did not leave, or was turned away, is none of those it counts.
    pub(super) async fn has_attempts_left(
        &self,
        account: &Account,
        payment: &Payment,
    ) -> Result<bool, PaymentsError> {
        let attempts = self.journal.attempts(payment.id).await?;
        let nothing = [Some(AttemptEnd::NotSent), Some(AttemptEnd::Throttled)];
        let reached = attempts.iter().filter(|attempt| !nothing.contains(&attempt.end)).count();
        Ok(u32::try_from(reached).is_ok_and(|reached| reached < account.policy.attempts))
    }

    /// Sends the same reference once more, if the payment's rule allows it. Whether it did.
    pub(super) async fn send_again(&self, account: &Account, claim: &Claim) -> Result<bool, PaymentsError> {
        let Some(instruction) = claim.payment.instruction()? else { return Ok(false) };
        let begin = Begin::new(claim.payment.id, self.own_lease(), Some(claim.fence));
        match self.begin(Entry::BeginAgain(begin)).await {
            Ok(leaving) => self.send(account, claim.payment.id, &instruction, leaving).await.map(|_| true),
            Err(PaymentsError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks the gateway, with a URL of its own for an answer that is posted. `told` are names of the gateway's that the
    /// journal does not have yet.
    pub(super) async fn question(
        &self,
        account: &Account,
        payment: &Payment,
        told: &ProviderRefs,
    ) -> Result<Answer, malipo_core::Error> {
        let known = payment.provider_refs.clone();
        let names = told
            .iter()
            .filter(|name| known.find(&name.kind).is_none())
            .fold(known.clone(), |names, name| names.with(name.kind.clone(), Some(&name.value)));
        let mut ticket = payment.ticket().with_provider_refs(names);
        if account.provider.capabilities().lookup == Lookup::ByCallback {
            let url = |purpose| self.urls.mint(Address::of(account.number, payment.id, purpose)).ok();
            let urls = url(DeliveryPurpose::Answer).zip(url(DeliveryPurpose::AnswerTimeout));
            if let Some((answer, timeout)) = urls {
                ticket = ticket.with_callback(Callback::new(answer).with_timeout(timeout));
            }
        }
        let span =
            tracing::info_span!("ask", account = %account.id(), payment = payment.id.0, asks = payment.asks);
        let answer = account.provider.status(&ticket).instrument(span).await;
        reached!(self, Answered);
        account.hear(Heard::of(&answer));
        let what = match &answer {
            Ok(Answer::Known(_)) => Asked::Known,
            Ok(Answer::NoSuchReference) => Asked::Absent,
            Ok(Answer::ComesByCallback) => Asked::ByCallback,
            Err(_) => Asked::Failed,
        };
        watch::asked(account.id(), what);
        answer
    }

    /// Holds an answer against the payment and folds it in.
    pub(super) async fn apply(
        &self,
        account: &Account,
        payment: PaymentId,
        report: Report,
    ) -> Result<(), PaymentsError> {
        let code = report.code.clone().filter(|code| account.is_stuck(code));
        let apply = Apply::new(payment, Source::Answer, report);
        let done = self.commit(Entry::Apply(Box::new(apply))).await?;
        self.note(payment, &done).await;
        match code {
            Some(code) => self.raise(stuck(payment, None, &code)).await,
            None => Ok(()),
        }
    }

    pub(super) async fn raise(&self, raise: Raise) -> Result<(), PaymentsError> {
        self.commit(Entry::Raise(Box::new(raise))).await.map(drop)
    }

    /// Gives a claimed payment back, unless it is over by now, or has been open for so long that a person must look.
    pub(super) async fn look_again(
        &self,
        account: &Account,
        claim: &Claim,
        again: Schedule,
    ) -> Result<(), PaymentsError> {
        let payment = &claim.payment;
        let is_overdue = is_overdue(account, claim);
        let entry = if is_overdue {
            let spent = payment.state() == PaymentState::Unknown
                && payment.resend != ResendRule::Never
                && !self.has_attempts_left(account, payment).await?;
            let reason = if spent { Reason::Exhausted } else { Reason::Silent };
            Entry::Overdue(Overdue::new(payment.id, claim.fence, reason))
        } else {
            Entry::Schedule(again)
        };
        match self.commit(entry).await {
            Ok(_) => {
                if is_overdue {
                    watch::moved(payment, payment.state(), PaymentState::Review);
                }
                Ok(())
            }
            Err(PaymentsError::Refused(Refused::WrongState { .. } | Refused::Fenced)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What tells a person that the gateway says that a payment is stuck.
pub(super) fn stuck(payment: PaymentId, delivery: Option<DeliveryId>, code: &str) -> Raise {
    let attention = Attention::new(Reason::Stuck).with("a payment that goes on", format!("code {code}"));
    Raise::new(payment, delivery, attention)
}

/// Whether a payment has been open for so long that a person must look. One that is still to be sent counts from when
/// it was written down: nobody expects it to leave days later.
pub(super) fn is_overdue(account: &Account, claim: &Claim) -> bool {
    open_for(claim) > account.policy.review_after
}

/// How long a claimed payment has been where it is, by the journal's clock.
fn open_for(claim: &Claim) -> Duration {
    let payment = &claim.payment;
    let is_recorded = payment.state() == PaymentState::Recorded;
    let since = if is_recorded { payment.opened_at } else { payment.changed_at };
    claim.at.saturating_since(since)
}
