use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Airtime, BalanceReport, Bill, Capabilities, Collect, Confirm, Credit, Instruction, PayOut, ProviderId,
    ProviderRefs, Report, Result, Ticket, Voucher,
};

/// One account at one gateway. All four methods have to be written: what wraps a provider does not compile until it
/// passes each of them on, and what money can do next is a new instruction, not a new method.
#[async_trait]
pub trait Provider: Debug + Send + Sync {
    /// The configured account's name.
    fn id(&self) -> &ProviderId;

    /// What it can do.
    fn capabilities(&self) -> &Capabilities;

    /// Does what moves money, with at most one request that could move it. The report is usually
    /// [`Pending`](crate::State::Pending): accepted is not paid.
    ///
    /// A future that is dropped after it was polled once leaves the payment *unknown*, as after
    /// [`Effect::Unknown`](crate::Effect::Unknown): the request may have left. Limit the time in the transport, whose
    /// timeouts say what they know, and not around this.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), whose effect says whether money may have moved.
    async fn submit(&self, instruction: &Instruction) -> Result<Report>;

    /// Asks what became of a payment; moves nothing.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), always with [`Effect::Unchanged`](crate::Effect::Unchanged).
    async fn status(&self, ticket: &Ticket) -> Result<Answer>;
}

/// What came of asking about a payment. Closed on purpose.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "one lives for one question; a box would only make it harder to read"
)]
pub enum Answer {
    /// This is known.
    Known(Report),
    /// The gateway says it has no such payment. A request may still be on its way to it.
    NoSuchReference,
    /// The answer will be posted to the ticket's callback.
    ComesByCallback,
}

/// Shorter ways to submit.
#[async_trait]
pub trait ProviderExt: Provider {
    /// Pays someone.
    ///
    /// # Errors
    ///
    /// As [`Provider::submit`].
    async fn pay_out(&self, pay_out: PayOut) -> Result<Report> {
        self.submit(&Instruction::PayOut(pay_out)).await
    }

    /// Asks someone to pay us.
    ///
    /// # Errors
    ///
    /// As [`Provider::submit`].
    async fn collect(&self, collect: Collect) -> Result<Report> {
        self.submit(&Instruction::Collect(collect)).await
    }

    /// Confirms a collection with the code its payer was sent.
    ///
    /// # Errors
    ///
    /// As [`Provider::submit`].
    async fn confirm(&self, confirm: Confirm) -> Result<Report> {
        self.submit(&Instruction::Confirm(confirm)).await
    }

    /// Buys airtime or a bundle.
    ///
    /// # Errors
    ///
    /// As [`Provider::submit`].
    async fn airtime(&self, airtime: Airtime) -> Result<Report> {
        self.submit(&Instruction::Airtime(airtime)).await
    }

    /// Pays a bill.
    ///
    /// # Errors
    ///
    /// As [`Provider::submit`].
    async fn pay_bill(&self, bill: Bill) -> Result<Report> {
        self.submit(&Instruction::Bill(bill)).await
    }

    /// Buys an airtime voucher.
    ///
    /// # Errors
    ///
    /// As [`Provider::submit`].
    async fn voucher(&self, voucher: Voucher) -> Result<Report> {
        self.submit(&Instruction::Voucher(voucher)).await
    }
}

impl<P: Provider + ?Sized> ProviderExt for P {}

/// For gateways that tell our balances at once.
#[async_trait]
pub trait Balances: Debug + Send + Sync {
    /// Asks for our balances; moves nothing.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), always with [`Effect::Unchanged`](crate::Effect::Unchanged).
    async fn balances(&self) -> Result<BalanceReport>;
}

#[async_trait]
impl<B: Balances + ?Sized> Balances for Arc<B> {
    async fn balances(&self) -> Result<BalanceReport> {
        (**self).balances().await
    }
}

/// For gateways at which money that came in can be looked up. What is posted about it is only claimed; what this gives is
/// [`Answered`](crate::Trust::Answered).
#[async_trait]
pub trait Credits: Debug + Send + Sync {
    /// Looks up money that came in by the gateway's own names for it, as a [`Credit`] has them; moves nothing. `None`:
    /// the gateway says that it has no such transaction.
    ///
    /// A credit that is given has the name that was asked for. An implementation says `None` only where the gateway
    /// documents an answer that means just that; any other refusal is an error, and says nothing of the money.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), always with [`Effect::Unchanged`](crate::Effect::Unchanged).
    async fn credit(&self, refs: &ProviderRefs) -> Result<Option<Credit>>;
}

#[async_trait]
impl<C: Credits + ?Sized> Credits for Arc<C> {
    async fn credit(&self, refs: &ProviderRefs) -> Result<Option<Credit>> {
        (**self).credit(refs).await
    }
}

#[async_trait]
impl<P: Provider + ?Sized> Provider for Arc<P> {
    fn id(&self) -> &ProviderId {
        (**self).id()
    }

    fn capabilities(&self) -> &Capabilities {
        (**self).capabilities()
    }

    async fn submit(&self, instruction: &Instruction) -> Result<Report> {
        (**self).submit(instruction).await
    }

    async fn status(&self, ticket: &Ticket) -> Result<Answer> {
        (**self).status(ticket).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static_assertions::assert_obj_safe!(
        Provider,
        Balances,
        Credits,
        crate::Callbacks,
        crate::Env,
        crate::Timer
    );
    static_assertions::assert_impl_all!(Arc<dyn Provider>: Provider, Send, Sync, Clone);
    static_assertions::assert_impl_all!(crate::Error: Send, Sync, Clone, std::error::Error);
    static_assertions::assert_impl_all!(Report: Send, Sync, Clone);
}
