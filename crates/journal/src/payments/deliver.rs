//! What gateways post: kept before it is answered, read after, and believed only where it is bound to what we asked.

use malipo_core::{Answer, DeliveryPurpose, Raw, Read, Reply, Report, State, Storage, Trust};

use super::pace::{Gate, Heard};
use super::watch::Posted;
use super::{Account, Payments, PaymentsError, reached, watch};
use crate::{
    Address, Apply, Aside, DeliveryId, Done, Entry, Find, MatchUnaddressed, Payment, PaymentState, Refused,
    SetAside, Source, StoreDelivery, StoredDelivery,
};

/// What to answer to something that was posted, and what was kept of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivered {
    /// The exact answer that the gateway wants.
    pub reply: Reply,
    /// The delivery, if it is kept; [`Payments::read_delivery`] folds it in, and [`Payments::run`] does so anyhow.
    pub delivery: Option<DeliveryId>,
}

impl Payments {
    /// Takes what was posted to `path`. `None` when we gave out no such URL: answer that with an empty 404, whatever
    /// is wrong with it. Otherwise it is durable before this returns, or the reply says that it is not.
    ///
    /// `headers` are names and values; those that begin with `x-` are kept.
    pub async fn deliver(
        &self,
        path: &str,
        headers: &[(String, Vec<u8>)],
        body: impl Into<Raw>,
    ) -> Option<Delivered> {
        let Some(address) = self.urls.verify(path, self.timer.now()) else {
            watch::posted(None, Posted::NotOurs);
            return None;
        };
        let Some(account) = self.accounts.iter().find(|account| account.number == address.account) else {
            // It is ours, and the account is not configured here: whoever posts may try again.
            watch::posted(None, Posted::NotStored);
            return Some(Delivered { reply: Reply::json(503, "{}"), delivery: None });
        };
        reached!(self, DeliveryRead);
        let stored = self.store(account, address, headers, &body.into()).await;
        reached!(self, DeliveryStored);
        let to = Some((account.id(), address.purpose));
        let (storage, delivery) = match stored {
            Ok((delivery, posted)) => {
                watch::posted(to, posted);
                (Storage::Stored, Some(delivery))
            }
            Err(error) => {
                tracing::warn!(account = %account.id(), %error, "a delivery could not be kept; its sender is told so");
                watch::posted(to, Posted::NotStored);
                (Storage::NotStored, None)
            }
        };
        Some(Delivered { reply: account.callbacks.reply(storage), delivery })
    }

    /// Reads a delivery that is kept and folds it into its payment. Whether that is done, or nothing waits for it.
    ///
    /// # Errors
    ///
    /// What keeps the journal from being read or written.
    pub async fn read_delivery(&self, delivery: DeliveryId) -> Result<bool, PaymentsError> {
        match self.journal.delivery(delivery).await? {
            Some(stored) if stored.applied_at.is_none() => self.read(&stored).await,
            Some(_) => Ok(true),
            None => Err(Refused::NoSuchDelivery.into()),
        }
    }

    async fn store(
        &self,
        account: &Account,
        address: Address,
        headers: &[(String, Vec<u8>)],
        body: &Raw,
    ) -> Result<(DeliveryId, Posted), PaymentsError> {
        let mut store = StoreDelivery::new(account.id().clone(), address.purpose, erased(account, body));
        if let Some(payment) = address.payment {
            store = store.addressed_to(self.payment(payment).await?.reference);
        }
        for (name, value) in headers.iter().filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-")) {
            store = store.with_header(name.clone(), erased(account, &Raw::from(value.clone())).bytes());
        }
        match self.commit(Entry::StoreDelivery(Box::new(store))).await? {
            Done::Stored(delivery) => Ok((delivery, Posted::Stored)),
            Done::AlreadyStored { delivery, .. } => Ok((delivery, Posted::Repeated)),
            _ => Err(PaymentsError::NotTaken("the journal answered something else")),
        }
    }

    /// Whether nothing is left to be done with the delivery.
    pub(super) async fn read(&self, stored: &StoredDelivery) -> Result<bool, PaymentsError> {
        let Ok(account) = self.account(&stored.provider) else { return Ok(false) };
        let read = stored.delivery()?.map(|delivery| account.callbacks.read(&delivery));
        let why = match read {
            Some(Ok(Read::Report(report))) => return self.fold_in(account, stored, report).await,
            Some(Ok(Read::Credit(_))) => Aside::Credit,
            Some(Ok(Read::Balances(_))) => Aside::Balances,
            Some(Ok(Read::Unanswered(_))) => Aside::Unanswered,
            Some(Ok(Read::NotModelled)) => Aside::NotModelled,
            Some(Err(_)) | None => Aside::Unreadable,
        };
        self.commit(Entry::SetAside(SetAside::new(stored.id, why))).await?;
        Ok(true)
    }

    async fn fold_in(
        &self,
        account: &Account,
        stored: &StoredDelivery,
        report: Report,
    ) -> Result<bool, PaymentsError> {
        let Some(payment) = self.about(account, stored, &report).await? else { return Ok(false) };
        // A claim may end nothing, neither as paid nor as failed: a false failure would have it paid once more.
        let is_end = report.state.is_final() && !payment.state().is_final();
        let is_reversal = report.state == State::Reversed && payment.state() == PaymentState::Paid;
        let amount = report.amount.unwrap_or(payment.amount);
        let believed = matches!(report.trust, Trust::Addressed | Trust::Signed);
        // What was posted to the URL of our own question is its answer: there is nothing left to ask.
        let is_answer = stored.purpose == DeliveryPurpose::Answer && stored.addressed.is_some();
        let is_enough = believed && (is_answer || !account.policy.confirms(amount));
        if (is_end || is_reversal) && !is_enough {
            if payment.state() == PaymentState::Review || self.patient_turn(account).await.is_err() {
                return Ok(false);
            }
            // It is a claim: the gateway's own answer ends the payment, and then this is a repetition of it.
            if let Ok(Answer::Known(answer)) = self.question(account, &payment, &report.provider_refs).await {
                self.apply(&payment, answer).await?;
            }
            let known = self.payment(payment.id).await?.state();
            if !known.is_final() || (is_reversal && known != PaymentState::Reversed) {
                return Ok(false);
            }
        }
        let is_refusal = report.code.as_deref().is_some_and(|code| account.is_refusal(code));
        let apply = Apply::new(payment.id, Source::Delivery(stored.id), report);
        self.commit(Entry::Apply(Box::new(apply))).await?;
        let known = self.payment(payment.id).await?;
        match known.state() {
            PaymentState::Failed if is_end && is_refusal => account.hear(Heard::Refused(Gate::Results)),
            PaymentState::Paid | PaymentState::Failed if is_end => account.hear(Heard::Taken(Gate::Results)),
            _ => {}
        }
        watch::moved(payment.state(), &known);
        Ok(true)
    }

    /// The payment that a delivery is about: the one its address names, or the one its own names fit, or else the only
    /// open one that it can be about.
    async fn about(
        &self,
        account: &Account,
        stored: &StoredDelivery,
        report: &Report,
    ) -> Result<Option<Payment>, PaymentsError> {
        let id = account.id();
        if let Some(reference) = stored.addressed.as_ref().or(report.reference.as_ref()) {
            return Ok(self.journal.find(&Find::Reference(id.clone(), reference.clone())).await?);
        }
        for theirs in report.provider_refs.iter() {
            let by = Find::ProviderRef {
                provider: id.clone(),
                kind: theirs.kind.to_string(),
                value: theirs.value.clone(),
            };
            if let Some(payment) = self.journal.find(&by).await? {
                return Ok(Some(payment));
            }
        }
        let (Some(operation), Some(amount)) = (report.operation, report.amount) else { return Ok(None) };
        let matching = MatchUnaddressed::new(stored.id, id.clone(), operation, amount)
            .with_party(report.party.clone())
            .with_provider_refs(report.provider_refs.clone());
        match self.commit(Entry::MatchUnaddressed(Box::new(matching))).await? {
            Done::Matched(payment) => Ok(Some(self.payment(payment).await?)),
            _ => Ok(None),
        }
    }
}

/// What is kept of a delivery: all of it but our credentials, which some gateways repeat.
fn erased(account: &Account, told: &Raw) -> Raw {
    account.callbacks.secrets().iter().fold(told.clone(), |told, secret| told.without(secret))
}
