//! What became of a payment, asked of its gateway.

use malipo_core::{Answer, Callback, DeliveryPurpose, Lookup, ProviderRefs, Report};

use super::{Account, Payments, PaymentsError};
use crate::{
    Address, Apply, Begin, Claim, Done, Entry, NoteAbsent, Overdue, Payment, Reason, Refused, Schedule,
    Source,
};

impl Payments {
    /// Asks once about a claimed payment, and writes down what was answered and when to ask again.
    pub(super) async fn ask(&self, account: &Account, claim: Claim) -> Result<(), PaymentsError> {
        let Claim { payment, fence, .. } = claim;
        let next = account.policy.wait(asked(&payment) + 1);
        match self.question(account, &payment, &ProviderRefs::new()).await {
            Ok(Answer::Known(report)) => {
                self.apply(&payment, report).await?;
                self.look_again(account, &payment, fence, next).await
            }
            Ok(Answer::NoSuchReference) if self.is_overdue(account, &payment) => {
                self.look_again(account, &payment, fence, next).await
            }
            Ok(Answer::NoSuchReference) => {
                self.commit(Entry::NoteAbsent(NoteAbsent::new(payment.id, fence, next))).await?;
                Ok(())
            }
            Ok(Answer::ComesByCallback) | Err(_) => self.look_again(account, &payment, fence, next).await,
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
        account.provider.status(&ticket).await
    }

    pub(super) async fn apply(&self, payment: &Payment, report: Report) -> Result<(), PaymentsError> {
        self.commit(Entry::Apply(Box::new(Apply::new(payment.id, Source::Answer, report)))).await.map(|_| ())
    }

    /// Gives a claimed payment back, unless it is over by now, or has been open for so long that a person must look.
    async fn look_again(
        &self,
        account: &Account,
        payment: &Payment,
        fence: crate::Fence,
        after: std::time::Duration,
    ) -> Result<(), PaymentsError> {
        let entry = if self.is_overdue(account, payment) {
            Entry::Overdue(Overdue::new(payment.id, fence, Reason::Silent))
        } else {
            Entry::Schedule(Schedule::new(payment.id, fence, after))
        };
        match self.commit(entry).await {
            Ok(_) | Err(PaymentsError::Refused(Refused::WrongState { .. } | Refused::Fenced)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// How often a claimed payment was asked about before. It is leased once for each question, and for each attempt once by
/// whoever claims it and once by the attempt itself; the first attempt has no claim, and the present claim counts for it.
pub(super) fn asked(payment: &Payment) -> usize {
    let spent = 2 * u64::from(payment.attempt.0);
    usize::try_from(payment.fence.0.saturating_sub(spent)).unwrap_or(usize::MAX)
}
