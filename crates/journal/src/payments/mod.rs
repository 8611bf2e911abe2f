//! The engine: it writes before it sends, folds what it hears, and asks until it knows.

mod account;
mod aside;
mod ask;
#[cfg(feature = "crash-points")]
mod crash;
mod credit;
mod deliver;
mod error;
mod follow;
mod look;
mod pace;
mod reading;
mod replay;
mod run;
mod send;
mod unwritten;
mod watch;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use malipo_core::{
    Callback, CallbackUse, DeliveryPurpose, Instruction, Moment, ProviderId, Reference, Secret, Timer,
    Timestamp,
};
use tracing::Instrument as _;

pub use account::{Account, Confirmation, Policy};
#[cfg(feature = "crash-points")]
pub use crash::{CrashPoint, CrashPoints};
pub use deliver::{Delivered, Inbox};
pub use error::PaymentsError;
pub use follow::{Handler, Happening};
pub use look::Settlement;
pub use pace::Pace;
use reading::Reading;
pub use run::Ticked;
use send::Leaving;
use unwritten::Unwritten;

use crate::{
    Address, CallbackUrls, Decision, Done, Entry, Erase, Find, Intent, Journal, Key, Lease, Open, Payment,
    PaymentId, PaymentState, Refused, Resolve, Start, Worker,
};

/// A journal answers what it was asked; one from outside may not.
const ANOTHER_ANSWER: PaymentsError = PaymentsError::NotTaken("the journal answered something else");

/// Tells whoever tests deaths that the engine is at a place. There is nothing of it in other builds.
macro_rules! reached {
    ($payments:expr, $point:ident) => {
        #[cfg(feature = "crash-points")]
        if let Some(points) = &$payments.crash_points {
            points.reached(super::CrashPoint::$point).await;
        }
    };
}
pub(super) use reached;

/// Pays through any number of accounts and remembers all of it.
///
/// The key is the caller's name for the intent. The same key with the same instruction is the same payment, however
/// often and by whomever it is submitted: nothing is sent twice. What is not known after an attempt is asked about by
/// [`run`](Self::run), and told by [`deliver`](Self::deliver).
#[derive(Debug, Clone)]
pub struct Payments {
    journal: Arc<dyn Journal>,
    urls: CallbackUrls,
    timer: Arc<dyn Timer>,
    accounts: Vec<Account>,
    worker: Worker,
    lease: Duration,
    /// How far each account's deliveries are read.
    reading: Arc<Mutex<BTreeMap<ProviderId, Reading>>>,
    /// Payments that were asked about because of a claim, and when.
    asked: Arc<Mutex<BTreeMap<PaymentId, Duration>>>,
    unwritten: Unwritten,
    #[cfg(feature = "crash-points")]
    crash_points: Option<Arc<dyn CrashPoints>>,
}

impl Payments {
    /// Payments kept in `journal`, whose gateways post to `urls`. `worker` names this process among those that share
    /// the journal.
    pub fn new(journal: Arc<dyn Journal>, urls: CallbackUrls, timer: Arc<dyn Timer>, worker: Worker) -> Self {
        Self {
            journal,
            urls,
            timer,
            accounts: Vec::new(),
            worker,
            lease: Duration::from_secs(120),
            reading: Arc::default(),
            asked: Arc::default(),
            unwritten: Unwritten::default(),
            #[cfg(feature = "crash-points")]
            crash_points: None,
        }
    }

    /// Tells of every place at which a process can die.
    #[cfg(feature = "crash-points")]
    #[must_use]
    pub fn with_crash_points(mut self, points: Arc<dyn CrashPoints>) -> Self {
        self.crash_points = Some(points);
        self
    }

    /// Adds an account.
    ///
    /// # Errors
    ///
    /// [`PaymentsError::RepeatedAccount`], or [`PaymentsError::RefusedBase`] where its gateway would not call our URLs.
    pub fn with_account(mut self, mut account: Account) -> Result<Self, PaymentsError> {
        let taken = |known: &Account| known.id() == account.id() || known.number == account.number;
        if self.accounts.iter().any(taken) {
            return Err(PaymentsError::RepeatedAccount(account.id().clone()));
        }
        if let Some(word) = account.provider.capabilities().refused_word(self.urls.base()) {
            return Err(PaymentsError::RefusedBase { provider: account.id().clone(), word });
        }
        if account.policy.asking.iter().any(Duration::is_zero)
            || account.policy.asking.is_empty()
            || account.policy.retry.is_zero()
        {
            return Err(PaymentsError::HastyPolicy(account.id().clone()));
        }
        account.pace.get_or_insert_with(|| Pace::new(account.policy.per_second, self.timer.clone()));
        self.accounts.push(account);
        Ok(self)
    }

    /// How long nobody else touches what this process is sending or asking. Longer than the slowest exchange with any
    /// of the gateways; two minutes by default.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Does what `instruction` says through this account, once, whatever happens. Its reference is replaced by one that
    /// is minted here, and its callback URLs are ours.
    ///
    /// A future that is dropped half way leaves the payment as a process does that dies: unknown once its lease has run
    /// out, and asked about then. Where callers go away, as those of a web server do, spawn it.
    ///
    /// Returns the payment as it stands: usually [`Accepted`](PaymentState::Accepted), which is not paid; or
    /// [`Recorded`](PaymentState::Recorded), where it has to wait for its turn and [`run`](Self::run) sends it. A key that
    /// is known returns its payment, and sends nothing.
    ///
    /// # Errors
    ///
    /// [`PaymentsError`]. After [`PaymentsError::Journal`] submit again with the same key: it is safe.
    pub async fn submit(
        &self,
        account: &ProviderId,
        key: Key,
        instruction: Instruction,
    ) -> Result<Payment, PaymentsError> {
        let span = tracing::info_span!("submit", %account, operation = instruction.operation().as_str());
        self.open(account, key, instruction, Entry::Open).instrument(span).await
    }

    /// The same once more, for a payment that has failed or was cancelled for certain. From anything else it is
    /// refused.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit), and [`Refused::NotOver`].
    pub async fn again(
        &self,
        account: &ProviderId,
        key: Key,
        instruction: Instruction,
    ) -> Result<Payment, PaymentsError> {
        let span = tracing::info_span!("again", %account, operation = instruction.operation().as_str());
        self.open(account, key, instruction, Entry::Again).instrument(span).await
    }

    async fn open(
        &self,
        id: &ProviderId,
        key: Key,
        mut instruction: Instruction,
        entry: fn(Box<Open>) -> Entry,
    ) -> Result<Payment, PaymentsError> {
        let account = self.account(id)?;
        let terms =
            instruction.terms_mut().ok_or(PaymentsError::NotTaken("a code is handed in with `confirm`"))?;
        if terms.callback.is_some() {
            return Err(PaymentsError::NotTaken("callback URLs are made here: leave the instruction's out"));
        }
        terms.reference = Reference::mint(&*self.timer);
        // A payment that is not written down yet has no URL; any of ours shows whether it would be admitted.
        let tried = self.addressed(account, &instruction, PaymentId(u64::MAX))?;
        if let Err(error) = account.provider.capabilities().admit(&tried, None) {
            // What was taken once is what its key says, whatever is taken today.
            if self.journal.find(&Find::Key(key.clone())).await?.is_none() {
                return Err(PaymentsError::Invalid(error));
            }
        }
        let fingerprint = Intent::new(id, &instruction).fingerprint()?;
        let start = match account.wait() {
            Duration::ZERO => Start::Now(self.own_lease()),
            after => Start::Later { after },
        };
        let open = Open::new(id.clone(), key, instruction.clone(), fingerprint)
            .with_resend(account.policy.resend)
            .with_twins(account.policy.twins)
            .with_start(start);
        let since = Moment::now(&*self.timer);
        match self.commit(entry(Box::new(open))).await? {
            Done::Existing(payment) => Ok(*payment),
            Done::Opened { payment, begun } => {
                watch::submitted(id, instruction.operation());
                reached!(self, AfterIntent);
                match begun {
                    Some(begun) => self.send(account, payment, &instruction, Leaving { begun, since }).await,
                    None => self.payment(payment).await,
                }
            }
            _ => Err(ANOTHER_ANSWER),
        }
    }

    /// Hands in the code that the payer of a collection was sent. The code is not kept. A code that is not taken leaves
    /// the collection as it was, and another can be handed in. After a lost answer none can: whether that code was taken
    /// is asked about like everything else.
    ///
    /// # Errors
    ///
    /// [`PaymentsError::CodeNotTaken`] when the gateway refused it; [`Refused::CodeOpen`] when nobody knows whether an
    /// earlier one was taken; and what else keeps it from being handed in.
    pub async fn confirm(&self, key: &Key, code: Secret) -> Result<Payment, PaymentsError> {
        let span = tracing::info_span!("confirm");
        self.hand_in(key, code).instrument(span).await
    }

    /// Gives a payment up of which nothing has left.
    ///
    /// # Errors
    ///
    /// [`Refused::WrongState`] when something may have left, and what keeps the journal from being written.
    pub async fn cancel(&self, key: &Key) -> Result<Payment, PaymentsError> {
        let payment = self.newest(key).await?;
        self.commit(Entry::Cancel(payment.id)).await?;
        watch::moved(&payment, payment.state(), PaymentState::Cancelled);
        self.payment(payment.id).await
    }

    /// Writes down what a person decided about a payment that waits for one. If it is to be sent again, it is, at once and
    /// under a lease of this process; where the credential has no turn, nothing is decided.
    ///
    /// # Errors
    ///
    /// [`Refused`] when it does not wait, or the decision is not explained.
    pub async fn resolve(
        &self,
        payment: PaymentId,
        operator: &str,
        reason: &str,
        decision: Decision,
    ) -> Result<Payment, PaymentsError> {
        let decision = match decision {
            Decision::SendAgain(_) => Decision::SendAgain(self.own_lease()),
            decision => decision,
        };
        // All that sending takes is looked up before anything is decided.
        let known = self.payment(payment).await?;
        let sending = match &decision {
            Decision::SendAgain(_) => {
                let account = self.account(&known.provider)?;
                if !account.wait().is_zero() {
                    return Err(PaymentsError::NotNow(account.wait()));
                }
                known.instruction()?.zip(Some(account))
            }
            _ => None,
        };
        let resolve = Resolve::new(payment, operator, reason, decision);
        let since = Moment::now(&*self.timer);
        let Done::Resolved { state, begun } = self.commit(Entry::Resolve(Box::new(resolve))).await? else {
            return Err(ANOTHER_ANSWER);
        };
        watch::moved(&known, known.state(), state);
        match (begun, sending) {
            (Some(begun), Some((instruction, account))) => {
                self.send(account, payment, &instruction, Leaving { begun, since }).await
            }
            _ => self.payment(payment).await,
        }
    }

    /// Erases what names people: of payments that were over before `before` and that nobody has to look at, of deliveries
    /// that belong to none, and of credits that changed before it and are no mere claims. What was paid, when and under
    /// which names stays.
    ///
    /// # Errors
    ///
    /// What keeps the journal from being written; what was erased before that is erased.
    pub async fn erase(&self, before: Timestamp) -> Result<(), PaymentsError> {
        loop {
            let done = self.commit(Entry::Erase(Erase::new(before, 500))).await?;
            if matches!(done, Done::Erased { payments: 0, deliveries: 0, credits: 0 }) {
                return Ok(());
            }
        }
    }

    /// The URL to register with a gateway that posts everything to one. It is signed with the account's own notice key,
    /// so it stays the same while the payments' key is changed.
    ///
    /// # Errors
    ///
    /// When there is no such account, it has [no notice key](crate::InvalidCallbacks::NoNoticeKey), or the URL gets too long.
    pub fn notice_url(&self, account: &ProviderId) -> Result<malipo_core::CallbackUrl, PaymentsError> {
        let number = self.account(account)?.number;
        Ok(self.urls.mint(Address::of_account(number, DeliveryPurpose::Notice))?)
    }

    /// The names of the accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &ProviderId> {
        self.accounts.iter().map(Account::id)
    }

    /// The time that all of this goes by.
    pub fn timer(&self) -> &Arc<dyn Timer> {
        &self.timer
    }

    fn account(&self, id: &ProviderId) -> Result<&Account, PaymentsError> {
        let found = self.accounts.iter().find(|account| account.id() == id);
        found.ok_or_else(|| PaymentsError::NoSuchAccount(id.clone()))
    }

    /// Commits that an attempt begins, which may then leave.
    async fn begin(&self, entry: Entry) -> Result<Leaving, PaymentsError> {
        let since = Moment::now(&*self.timer);
        match self.commit(entry).await? {
            Done::Begun(begun) => Ok(Leaving { begun, since }),
            _ => Err(ANOTHER_ANSWER),
        }
    }

    fn own_lease(&self) -> Lease {
        Lease::new(self.worker.clone(), self.lease)
    }

    async fn payment(&self, id: PaymentId) -> Result<Payment, PaymentsError> {
        let found = self.journal.find(&Find::Id(id)).await?;
        found.ok_or_else(|| Refused::NoSuchPayment.into())
    }

    async fn commit(&self, entry: Entry) -> Result<Done, PaymentsError> {
        let mut done = self.journal.commit(vec![entry]).await?;
        match done.pop() {
            Some(done) => Ok(done?),
            None => Err(PaymentsError::NotTaken("the journal did not answer")),
        }
    }

    /// The instruction with our callback URLs for it, where its operation takes any.
    fn addressed(
        &self,
        account: &Account,
        instruction: &Instruction,
        payment: PaymentId,
    ) -> Result<Instruction, PaymentsError> {
        let ability = account.provider.capabilities().ability(instruction);
        let mut addressed = instruction.clone();
        if let (Some(ability), Some(terms)) = (ability, addressed.terms_mut())
            && ability.callback != CallbackUse::None
        {
            let url = |purpose| self.urls.mint(Address::of(account.number, payment, purpose));
            let callback = Callback::new(url(DeliveryPurpose::Result)?);
            terms.callback = Some(callback.with_timeout(url(DeliveryPurpose::Timeout)?));
        }
        Ok(addressed)
    }
}
