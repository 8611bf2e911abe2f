//! Money that came in unasked. What is posted about it is a reason to ask, and no more: what is booked is what the gateway
//! answers.

use malipo_core::{Credit, ProviderRefs};
use tracing::Instrument as _;

use super::pace::Heard;
use super::replay::{Became, Occasion};
use super::watch::Asked;
use super::{ANOTHER_ANSWER, Account, Payments, PaymentsError, reached, watch};
use crate::{
    Aside, CreditId, CreditRecord, CreditSequence, CreditState, DecideCredit, Done, Entry, News, PaymentId,
    Refused, StoreCredit, StoredDelivery,
};

impl Payments {
    /// What there is to tell of money that came in unasked, in the order of its numbers, from after `after` on. Keep the
    /// number of the last one you acted on. A credit comes again, under a new number, whenever there is more to tell: one
    /// that was [`Confirmed`](CreditState::Confirmed) and comes again is in review or
    /// [`Collected`](CreditState::Collected), and what was done for it is to be taken back.
    ///
    /// # Errors
    ///
    /// What keeps the journal from being read.
    pub async fn credits(
        &self,
        after: CreditSequence,
        limit: u32,
    ) -> Result<Vec<CreditRecord>, PaymentsError> {
        let credits = self.journal.credits(after, limit).await?;
        reached!(self, EventsRead);
        Ok(credits)
    }

    /// Asks the gateway about a credit now, for a person who looks at one that is in review. Whatever it answers, and
    /// whether it does, the credit is returned as it then stands.
    ///
    /// # Errors
    ///
    /// [`Refused::NoSuchCredit`], [`PaymentsError::NoSuchAccount`], [`PaymentsError::NotNow`] while its credential has no
    /// turn, and what keeps the journal from being read or written.
    pub async fn ask_credit(&self, credit: CreditId) -> Result<CreditRecord, PaymentsError> {
        let record = self.credit(credit).await?;
        let account = self.account(&record.provider)?;
        if !account.wait().is_zero() {
            return Err(PaymentsError::NotNow(account.wait()));
        }
        self.ask_about(account, &record).await?;
        self.credit(credit).await
    }

    async fn credit(&self, credit: CreditId) -> Result<CreditRecord, PaymentsError> {
        self.journal.credit(credit).await?.ok_or_else(|| Refused::NoSuchCredit.into())
    }

    /// Writes down what a delivery claims, and asks about it at once where the transaction is new. Nothing is left to
    /// be done with the delivery: what waits from then on is the credit.
    pub(super) async fn take_credit(
        &self,
        account: &Account,
        stored: &StoredDelivery,
        credit: Credit,
        occasion: Occasion,
    ) -> Result<Became, PaymentsError> {
        let store = Entry::StoreCredit(Box::new(StoreCredit::new(stored.id, credit)));
        let (credit, news, open) = match self.commit(store).await {
            Ok(Done::Credited { credit, news, open }) => (credit, news, open),
            Ok(Done::SetAside(News::New)) => {
                watch::set_aside(account.id(), stored.id, Aside::Collected);
                return Ok(Became::Aside);
            }
            Ok(Done::SetAside(News::Repeat)) => return Ok(Became::Aside),
            Ok(_) => return Err(ANOTHER_ANSWER),
            // Nothing could be booked under no name, or of no amount.
            Err(PaymentsError::Refused(Refused::Unstorable(_))) => {
                let aside = self.set_aside(account, stored, Aside::Unreadable, occasion);
                return aside.await.map(|_| Became::Aside);
            }
            Err(error) => return Err(error),
        };
        watch::set_aside(account.id(), stored.id, Aside::Credit);
        if news == News::Repeat {
            return Ok(Became::Aside);
        }
        watch::credit(account.id(), credit, CreditState::Claimed);
        match open {
            // What becomes of that one says whose money it is, mostly within a moment.
            Some(open) => self.ask_about_open(account, open).await?,
            None => self.ask_about(account, &self.credit(credit).await?).await?,
        }
        Ok(Became::Aside)
    }

    /// Asks about a credit whose turn has come.
    pub(super) async fn ask_again(&self, record: &CreditRecord) -> Result<(), PaymentsError> {
        self.ask_about(self.account(&record.provider)?, record).await
    }

    /// Asks the gateway about the transaction, and writes down what that decides. An answer that is lost, or that says no,
    /// decides nothing: nobody documents one that means that there is no such money.
    async fn ask_about(&self, account: &Account, record: &CreditRecord) -> Result<(), PaymentsError> {
        let decided = match &account.credits {
            None => DecideCredit::unaskable(record.id),
            Some(credits) => {
                if self.patient_turn(account).await.is_err() {
                    return Ok(());
                }
                let names = ProviderRefs::new().with(record.kind.clone(), Some(&record.value));
                let span = tracing::info_span!("ask", account = %account.id(), credit = record.id.0, asks = record.asks);
                let answer = credits.credit(&names).instrument(span).await;
                reached!(self, Answered);
                account.hear(Heard::of(&answer));
                watch::asked(
                    account.id(),
                    match &answer {
                        Ok(Some(_)) => Asked::Known,
                        Ok(None) => Asked::Absent,
                        Err(_) => Asked::Failed,
                    },
                );
                let Ok(Some(answered)) = answer else { return Ok(()) };
                DecideCredit::answered(record.id, answered)
            }
        };
        match self.commit(Entry::DecideCredit(Box::new(decided))).await {
            Ok(Done::CreditDecided { from, state, open }) => {
                if from != state {
                    watch::credit(account.id(), record.id, state);
                }
                match open {
                    Some(open) => self.ask_about_open(account, open).await,
                    None => Ok(()),
                }
            }
            Ok(_) => Err(ANOTHER_ANSWER),
            Err(PaymentsError::Refused(Refused::NotItsAnswer)) => {
                tracing::warn!(account = %account.id(), credit = record.id.0, "what was answered is about another transaction");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The payment that the money may be of is asked about, once a minute at most: its end decides.
    async fn ask_about_open(&self, account: &Account, open: PaymentId) -> Result<(), PaymentsError> {
        let payment = self.payment(open).await?;
        if payment.state().is_final() {
            return Ok(());
        }
        // None of the names that were posted: whoever posts could name any.
        self.confirm_claim(account, &payment, &ProviderRefs::new()).await
    }
}
