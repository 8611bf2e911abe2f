//! What gateways post: kept before it is answered, read after, and believed only where it is bound to what we asked.

use std::collections::btree_map::Entry as Slot;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::time::Duration;

use malipo_core::{
    Answer, CallbackError, Delivery, DeliveryPurpose, ProviderId, ProviderRef, ProviderRefs, Raw, Read,
    Reply, Report, State, Storage, Trust,
};

use super::aside::untold;
use super::ask::stuck;
use super::pace::{Gate, Heard};
use super::replay::{Became, Occasion};
use super::watch::Posted;
use super::{ANOTHER_ANSWER, Account, Payments, PaymentsError, reached, watch};
use crate::again::AT_FIRST;
use crate::{
    Address, Apply, Aside, DeliveryId, Done, Entry, Find, MatchUnaddressed, News, Payment, PaymentState,
    StoreDelivery, StoredDelivery,
};

/// How long a claim may wait for the gateway's own answer before a person is told.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(600);

/// What to answer to something that was posted, and what was kept of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivered {
    /// The exact answer that the gateway wants.
    pub reply: Reply,
    /// The delivery, if it is kept; [`Payments::read_delivery`] folds it in, and [`Payments::run`] does so anyhow.
    pub delivery: Option<DeliveryId>,
}

/// A URL of ours that something is posted to: its tag is checked, and nothing of what is posted was looked at yet.
#[derive(Debug)]
pub struct Inbox<'p> {
    payments: &'p Payments,
    address: Address,
    account: Option<&'p Account>,
}

impl Inbox<'_> {
    /// The account that the URL is of; `None` where it is not configured here.
    pub fn account(&self) -> Option<&ProviderId> {
        self.account.map(Account::id)
    }

    /// What the URL was given out for.
    pub const fn purpose(&self) -> DeliveryPurpose {
        self.address.purpose
    }

    /// Keeps what was posted. It is durable before this returns, or the reply says that it is not.
    ///
    /// `headers` are names and values; those that begin with `x-` are kept.
    pub async fn deliver(&self, headers: &[(String, Vec<u8>)], body: impl Into<Raw>) -> Delivered {
        let Self { payments, address, account } = *self;
        let Some(account) = account else {
            // It is ours, and the account is not configured here: whoever posts may try again.
            watch::posted(None, Posted::NotStored);
            return Delivered { reply: Reply::json(503, "{}"), delivery: None };
        };
        reached!(payments, DeliveryRead);
        let stored = payments.store(account, address, headers, &body.into()).await;
        reached!(payments, DeliveryStored);
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
        Delivered { reply: account.callbacks.reply(storage), delivery }
    }
}

impl Payments {
    /// Where the URL with this path leads, which costs no look into the journal. `None` when we gave out no such URL:
    /// answer that with an empty 404, whatever is wrong with it.
    pub fn inbox(&self, path: &str) -> Option<Inbox<'_>> {
        let Some(address) = self.urls.verify(path, self.timer.now()) else {
            watch::posted(None, Posted::NotOurs);
            return None;
        };
        let account = self.accounts.iter().find(|account| account.number == address.account);
        Some(Inbox { payments: self, address, account })
    }

    /// Takes what was posted to `path`, as [`Inbox::deliver`] does where [`inbox`](Self::inbox) finds one.
    pub async fn deliver(
        &self,
        path: &str,
        headers: &[(String, Vec<u8>)],
        body: impl Into<Raw>,
    ) -> Option<Delivered> {
        match self.inbox(path) {
            Some(inbox) => Some(inbox.deliver(headers, body).await),
            None => None,
        }
    }

    /// Reads a delivery that is kept and folds it into its payment. Whether that is done, or nothing waits for it.
    ///
    /// # Errors
    ///
    /// What keeps the journal from being read or written.
    pub async fn read_delivery(&self, delivery: DeliveryId) -> Result<bool, PaymentsError> {
        let stored = self.kept(delivery).await?;
        if stored.applied_at.is_none() { self.read(&stored).await } else { Ok(true) }
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
            store = store.of_payment(payment);
        }
        for (name, value) in headers.iter().filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-")) {
            store = store.with_header(name.clone(), erased(account, &Raw::from(value.clone())).bytes());
        }
        match self.commit(Entry::StoreDelivery(Box::new(store))).await? {
            Done::Stored(delivery) => Ok((delivery, Posted::Stored)),
            Done::AlreadyStored { delivery, .. } => Ok((delivery, Posted::Repeated)),
            _ => Err(ANOTHER_ANSWER),
        }
    }

    /// Whether nothing is left to be done with the delivery.
    pub(super) async fn read(&self, stored: &StoredDelivery) -> Result<bool, PaymentsError> {
        self.read_on(stored, Occasion::Posted).await.map(Became::is_done)
    }

    pub(super) async fn read_on(
        &self,
        stored: &StoredDelivery,
        occasion: Occasion,
    ) -> Result<Became, PaymentsError> {
        let Ok(account) = self.account(&stored.provider) else { return Ok(Became::Waits) };
        let read = stored.delivery()?.map(|delivery| read(account, stored.id, &delivery));
        let mut unanswered_with = None;
        let why = match read {
            Some(Ok(Read::Report(report))) => return self.fold_in(account, stored, report, occasion).await,
            Some(Ok(Read::Unanswered(unanswered))) => {
                unanswered_with = unanswered.code;
                Aside::Unanswered
            }
            Some(Ok(Read::Credit(credit))) => {
                return self.take_credit(account, stored, credit, occasion).await;
            }
            Some(Ok(Read::Balances(_))) => Aside::Balances,
            Some(Ok(Read::NotModelled)) => Aside::NotModelled,
            Some(Err(CallbackError::Unsigned)) => Aside::Unsigned,
            Some(Err(CallbackError::WrongSignature)) => Aside::WrongSignature,
            Some(Err(_)) | None => Aside::Unreadable,
        };
        if let Some(claimed) = untold(why)
            && stored.purpose == DeliveryPurpose::Result
            && let Some(payment) = stored.payment
            && !self.payment(payment).await?.state().is_final()
        {
            self.unconfirmed(payment, stored, claimed, occasion).await?;
        }
        let news = self.set_aside(account, stored, why, occasion).await?;
        if news == News::New && unanswered_with.is_some_and(|code| account.is_refusal(&code)) {
            account.hear(Heard::Refused(Gate::Results));
        }
        Ok(Became::Aside)
    }

    async fn fold_in(
        &self,
        account: &Account,
        stored: &StoredDelivery,
        mut report: Report,
        occasion: Occasion,
    ) -> Result<Became, PaymentsError> {
        let Some(payment) = self.about(account, stored, &report, occasion).await? else {
            return self.put_off(account, stored, occasion).await;
        };
        // A claim may end nothing, neither as paid nor as failed: a false failure would have it paid once more.
        let is_end = report.state.is_final() && !payment.state().is_final();
        let is_reversal = report.state == State::Reversed && payment.state() == PaymentState::Paid;
        if (is_end || is_reversal) && !self.is_enough(account, stored, &payment, &report)? {
            // What was posted to the URL of our own question is its answer: there is nothing left to ask.
            if is_answer(stored) {
                self.unconfirmed(payment.id, stored, report.state.as_str(), occasion).await?;
                return self
                    .set_aside(account, stored, Aside::Unmatched, occasion)
                    .await
                    .map(|_| Became::Aside);
            }
            self.confirm_claim(account, &payment, &report.provider_refs).await?;
            let known = self.payment(payment.id).await?.state();
            if !known.is_final() || (is_reversal && known != PaymentState::Reversed) {
                if known == PaymentState::Review || self.age(stored) > CONFIRMED_WITHIN {
                    self.unconfirmed(payment.id, stored, report.state.as_str(), occasion).await?;
                }
                return self.put_off(account, stored, occasion).await;
            }
        }
        if !teaches(account, stored, &payment, report.state)? {
            report.provider_refs = ProviderRefs::new();
        }
        let (code, signature) = (report.code.clone(), report.signature);
        let has = |is: fn(&Account, &str) -> bool| code.as_deref().is_some_and(|code| is(account, code));
        let apply = Apply::new(payment.id, occasion.source(stored.id), report);
        let done = self.commit(Entry::Apply(Box::new(apply))).await?;
        self.note(payment.id, &done).await;
        watch::signed(account.id(), stored.id, signature);
        match done {
            Done::Applied { from, state: PaymentState::Failed, .. }
                if from != PaymentState::Failed && has(Account::is_refusal) =>
            {
                account.hear(Heard::Refused(Gate::Results));
            }
            Done::Applied { from, state, .. } if from != state && state.is_final() => {
                account.hear(Heard::Taken(Gate::Results));
            }
            _ => {}
        }
        match code.filter(|code| account.is_stuck(code)) {
            Some(code) => {
                let raise = occasion.mark(stuck(payment.id, Some(stored.id), &code));
                self.raise(raise).await.map(|()| Became::Applied)
            }
            None => Ok(Became::Applied),
        }
    }

    /// Whether a delivery may end its payment without a question. It came to the payment's own URL; what says that no money
    /// moved, or that it came back, also says which payment it is about, since whoever knows the URL could post it; and the
    /// policy asks for no more.
    fn is_enough(
        &self,
        account: &Account,
        stored: &StoredDelivery,
        payment: &Payment,
        report: &Report,
    ) -> Result<bool, PaymentsError> {
        if !matches!(report.trust, Trust::Addressed | Trust::Signed) {
            return Ok(false);
        }
        let is_named = report.state == State::Settled || names(account, stored, payment)?;
        let amount = report.amount.unwrap_or(payment.amount);
        Ok(is_named && (is_answer(stored) || !account.policy.confirms(amount)))
    }

    /// Asks the gateway about a claim, once a minute at most: its own answer ends the payment, and then the claim is a
    /// repetition of it. `told` are names of the gateway's that the claim has.
    pub(super) async fn confirm_claim(
        &self,
        account: &Account,
        payment: &Payment,
        told: &ProviderRefs,
    ) -> Result<(), PaymentsError> {
        let now = self.timer.monotonic();
        {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.retain(|_, at| now.saturating_sub(*at) < AT_FIRST);
            match asked.entry(payment.id) {
                // The time stays that of the question: claims that keep coming must not put the next one off.
                Slot::Occupied(_) => return Ok(()),
                Slot::Vacant(slot) => slot.insert(now),
            };
        }
        if self.patient_turn(account).await.is_err() {
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&payment.id);
            return Ok(());
        }
        match self.question(account, payment, told).await {
            Ok(Answer::Known(answer)) => self.apply(account, payment.id, answer).await,
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// How long ago a delivery came, by this process's clock: it only decides how often one looks at it.
    pub(super) fn age(&self, stored: &StoredDelivery) -> Duration {
        self.timer.now().saturating_since(stored.received_at)
    }

    /// The payment that a delivery is about: the one its address names, or the one its own names fit, or else the only
    /// open one that it can be about.
    async fn about(
        &self,
        account: &Account,
        stored: &StoredDelivery,
        report: &Report,
        occasion: Occasion,
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
        let mut matching = MatchUnaddressed::new(stored.id, id.clone(), operation, amount)
            .with_party(report.party.clone())
            .with_provider_refs(report.provider_refs.clone());
        matching.replayed = occasion == Occasion::Replay;
        match self.commit(Entry::MatchUnaddressed(Box::new(matching))).await? {
            Done::Matched(payment) => Ok(Some(self.payment(payment).await?)),
            _ => Ok(None),
        }
    }
}

/// What a delivery says. Who panics at it would do so again at every start, so that counts as unreadable.
fn read(account: &Account, id: DeliveryId, delivery: &Delivery) -> Result<Read, CallbackError> {
    catch_unwind(AssertUnwindSafe(|| account.callbacks.read(delivery))).unwrap_or_else(|_| {
        tracing::error!(account = %account.id(), delivery = id.0, "what reads deliveries panicked at one");
        Err(CallbackError::Unreadable("what reads deliveries panicked at it"))
    })
}

/// Whether it came to the URL of a question of ours about this payment.
fn is_answer(stored: &StoredDelivery) -> bool {
    stored.purpose == DeliveryPurpose::Answer && stored.addressed.is_some()
}

/// Whether the body itself says which payment it is about, and not only the URL that it came to.
fn names(account: &Account, stored: &StoredDelivery, payment: &Payment) -> Result<bool, PaymentsError> {
    let Some(mut delivery) = stored.delivery()? else { return Ok(false) };
    delivery.addressed = None;
    let Ok(Read::Report(told)) = read(account, stored.id, &delivery) else { return Ok(false) };
    let known = |told: &ProviderRef| payment.provider_refs.find(&told.kind) == Some(&*told.value);
    Ok(told.reference.as_ref() == Some(&payment.reference) || told.provider_refs.iter().any(known))
}

/// Whether names of the gateway's are learnt from a delivery. One that ends nothing is asked about no further, and whoever
/// knows the URL could give the payment a wrong name by it, which the true result would then contradict. So it teaches
/// one only where the gateway cannot be asked without, and where it names the payment.
fn teaches(
    account: &Account,
    stored: &StoredDelivery,
    payment: &Payment,
    state: State,
) -> Result<bool, PaymentsError> {
    Ok(state.is_final() || (!account.asks_by_reference() && names(account, stored, payment)?))
}

/// What is kept of a delivery: all of it but our credentials, which some gateways repeat.
fn erased(account: &Account, told: &Raw) -> Raw {
    account.callbacks.secrets().iter().fold(told.clone(), |told, secret| told.without(secret))
}
