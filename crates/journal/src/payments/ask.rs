//! What became of a payment, asked of its gateway.

use std::time::Duration;

use malipo_core::{Answer, Callback, DeliveryPurpose, Lookup, ProviderRefs, Report};
use tracing::Instrument as _;

use super::pace::Heard;
use super::watch::Asked;
use super::{Account, Payments, PaymentsError, reached, watch};
use crate::{
    Address, Apply, Begin, Claim, Done, Entry, Fence, NoteAbsent, Overdue, Payment, PaymentState, Reason,
    Refused, Schedule, Source,
};

impl Payments {
    /// Asks once about a claimed payment, and writes down what was answered and when to ask again.
    pub(super) async fn ask(&self, account: &Account, claim: Claim) -> Result<(), PaymentsError> {
        let Claim { payment, fence, .. } = claim;
        if payment.state() == PaymentState::Unknown {
            watch::unknown(account.id(), self.age(&payment));
        }
        if let Err(wait) = self.patient_turn(account).await {
            return self.look_again(account, &payment, fence, wait).await;
        }
        let next = account.policy.wait(payment.asks);
        match self.question(account, &payment, &ProviderRefs::new()).await {
            Ok(Answer::Known(report)) => {
                self.apply(&payment, report).await?;
                self.look_again(account, &payment, fence, next).await
            }
            Ok(Answer::NoSuchReference) if !self.is_overdue(account, &payment) => {
                self.commit(Entry::NoteAbsent(NoteAbsent::new(payment.id, fence, next))).await.map(drop)
            }
            Ok(_) | Err(_) => self.look_again(account, &payment, fence, next).await,
        }
    }

    /// Sends the same reference once more, if the payment's rule allows it. Whether it did.
    pub(super) async fn send_again(&self, account: &Account, claim: &Claim) -> Result<bool, PaymentsError> {
        let begin = Begin::new(claim.payment.id, self.own_lease(), Some(claim.fence));
        match self.commit(Entry::BeginAgain(begin)).await {
            Ok(Done::Begun(begun)) => {
                let Some(instruction) = claim.payment.instruction()? else { return Ok(false) };
                self.send(account, claim.payment.id, &instruction, begun).await?;
                Ok(true)
            }
            Ok(_) | Err(PaymentsError::Refused(_)) => Ok(false),
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
    pub(super) async fn apply(&self, payment: &Payment, report: Report) -> Result<(), PaymentsError> {
        self.commit(Entry::Apply(Box::new(Apply::new(payment.id, Source::Answer, report)))).await?;
        watch::moved(payment.state(), &self.payment(payment.id).await?);
        Ok(())
    }

    /// Gives a claimed payment back, unless it is over by now, or has been open for so long that a person must look.
    pub(super) async fn look_again(
        &self,
        account: &Account,
        payment: &Payment,
        fence: Fence,
        after: Duration,
    ) -> Result<(), PaymentsError> {
        let is_overdue = self.is_overdue(account, payment);
        let entry = if is_overdue {
            Entry::Overdue(Overdue::new(payment.id, fence, Reason::Silent))
        } else {
            Entry::Schedule(Schedule::new(payment.id, fence, after))
        };
        match self.commit(entry).await {
            Ok(_) if is_overdue => {
                watch::moved(payment.state(), &self.payment(payment.id).await?);
                Ok(())
            }
            Ok(_) | Err(PaymentsError::Refused(Refused::WrongState { .. } | Refused::Fenced)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
