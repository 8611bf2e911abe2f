//! What every promise needs: a store, a clock, and short ways to bring a payment somewhere.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use malipo_core::{
    Callback, Collect, Env, Instruction, Money, Network, Operation, PayOut, Payee, Payer, ProviderId,
    ProviderRefs, Raw, Report, State, Terms, Timestamp, Told, ToldParty, Trust,
};
use malipo_journal::{
    Apply, AttemptEnd, Begin, Begun, CreditId, CreditSequence, CreditState, Done, Entry, EventId, Fence,
    Filter, Find, Finish, Intent, Journal, Key, Lease, MemoryJournal, Notes, Open, Outcome, Payment,
    PaymentId, PaymentState, Refused, ResendRule, Source, Start,
};

pub(crate) const PROVIDER: ProviderId = ProviderId::of("somepay");

/// 22 November 2026, noon in Nairobi.
const NOON: i64 = 1_795_338_000_000;

/// A clock that is moved by hand.
#[derive(Debug)]
pub(crate) struct Clock(Mutex<Timestamp>);

impl Clock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timestamp::from_unix_millis(NOON).unwrap())))
    }

    pub(crate) fn forward(&self, seconds: u64) {
        let mut now = self.0.lock().unwrap();
        *now = now.saturating_add(Duration::from_secs(seconds));
    }

    pub(crate) fn back(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now = Timestamp::from_unix_millis(now.unix_millis() - 1000 * seconds).unwrap();
    }
}

impl Env for Clock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn fill_bytes(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// A store, and a second way into it, as another worker has.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) clock: Arc<Clock>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) other: Arc<dyn Journal>,
    /// Kept until the end: the file below it goes with it.
    pub(crate) _keep: Option<Box<dyn std::any::Any + Send + Sync>>,
}

impl Bench {
    pub(crate) fn memory() -> Self {
        let clock = Clock::new();
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new(clock.clone()));
        Self { clock, other: journal.clone(), journal, _keep: None }
    }

    /// Two openings of one file, as two processes have.
    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let clock = Clock::new();
        let open = || -> Arc<dyn Journal> {
            Arc::new(malipo_journal::SqliteJournal::open(path.as_path(), clock.clone()).unwrap())
        };
        let (journal, other) = (open(), open());
        Self { clock, journal, other, _keep: Some(Box::new(folder)) }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite_inline() -> Self {
        let clock = Clock::new();
        let path = std::path::Path::new(":memory:");
        let journal: Arc<dyn Journal> =
            Arc::new(malipo_journal::SqliteJournal::inline(path, clock.clone()).unwrap());
        Self { clock, other: journal.clone(), journal, _keep: None }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Commits one entry.
    pub(crate) async fn one(&self, entry: Entry) -> Result<Done, Refused> {
        let mut results = self.journal.commit(vec![entry]).await.unwrap();
        assert_eq!(results.len(), 1);
        results.remove(0)
    }

    pub(crate) async fn done(&self, entry: Entry) -> Done {
        self.one(entry).await.unwrap()
    }

    pub(crate) async fn refused(&self, entry: Entry) -> Refused {
        self.one(entry).await.unwrap_err()
    }

    pub(crate) async fn payment(&self, id: PaymentId) -> Payment {
        self.journal.find(&Find::Id(id)).await.unwrap().unwrap()
    }

    pub(crate) async fn state(&self, id: PaymentId) -> PaymentState {
        self.payment(id).await.state()
    }

    pub(crate) async fn opened(&self, open: Open) -> PaymentId {
        match self.done(Entry::Open(Box::new(open))).await {
            Done::Opened { payment, begun: None } => payment,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn recorded(&self, name: &str) -> PaymentId {
        self.opened(open(name)).await
    }

    pub(crate) async fn begun(&self, entry: Entry) -> Begun {
        match self.done(entry).await {
            Done::Begun(begun) => begun,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn sending(&self, open: Open) -> (PaymentId, Begun) {
        let entry = Entry::Open(Box::new(open.with_start(Start::Now(lease("a")))));
        match self.done(entry).await {
            Done::Opened { payment, begun: Some(begun) } => (payment, begun),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn finish(&self, id: PaymentId, begun: Begun, outcome: Outcome) -> PaymentState {
        match self.done(finish(id, begun, outcome)).await {
            Done::Finished { state, .. } => state,
            other => panic!("{other:?}"),
        }
    }

    /// A payment whose attempt is lost.
    pub(crate) async fn unknown(&self, open: Open) -> PaymentId {
        let (id, begun) = self.sending(open).await;
        assert_eq!(self.finish(id, begun, Outcome::Unknown(Notes::default())).await, PaymentState::Unknown);
        id
    }

    /// A payment that the gateway took.
    pub(crate) async fn accepted(&self, name: &str) -> PaymentId {
        let (id, begun) = self.sending(open(name)).await;
        let told = Outcome::Accepted(report(name, State::Pending));
        assert_eq!(self.finish(id, begun, told).await, PaymentState::Accepted);
        id
    }

    /// Applies an answer to a question.
    pub(crate) async fn tell(&self, id: PaymentId, report: Report) -> Done {
        self.done(Entry::Apply(Box::new(Apply::new(id, Source::Answer, report)))).await
    }

    /// A payment in any state.
    pub(crate) async fn standing(&self, name: &str, state: PaymentState) -> PaymentId {
        let id = match state {
            PaymentState::Recorded | PaymentState::Cancelled => self.recorded(name).await,
            PaymentState::Sending => self.sending(open(name)).await.0,
            PaymentState::Unknown => self.unknown(open(name)).await,
            _ => self.accepted(name).await,
        };
        match state {
            PaymentState::Cancelled => drop(self.done(Entry::Cancel(id)).await),
            PaymentState::Paid => drop(self.tell(id, report(name, State::Settled)).await),
            PaymentState::Failed => drop(self.tell(id, report(name, State::Failed)).await),
            PaymentState::Reversed => drop(self.tell(id, report(name, State::Reversed)).await),
            PaymentState::Review => {
                let mut other = report(name, State::Settled);
                other.amount = Some(Money::kes("1").unwrap());
                drop(self.tell(id, other).await);
            }
            _ => {}
        }
        assert_eq!(self.state(id).await, state);
        id
    }

    /// What has to be so after everything: events without a gap that tell of every step, each end once, and nothing
    /// open that nobody will look at.
    pub(crate) async fn check(&self) {
        let mut events = self.journal.events(EventId(0), u32::MAX).await.unwrap();
        assert!(events.windows(2).all(|pair| pair[0].id < pair[1].id));
        self.check_credits().await;
        let mut id = PaymentId(1);
        while let Some(payment) = self.journal.find(&Find::Id(id)).await.unwrap() {
            let history = self.journal.history(id).await.unwrap();
            let numbers: Vec<_> = history.iter().map(|event| event.sequence).collect();
            assert_eq!(numbers, (1..=u64::try_from(history.len()).unwrap()).collect::<Vec<_>>());
            let mut state = PaymentState::Recorded;
            for event in &history {
                assert_eq!(event.from, state, "{history:#?}");
                assert!(event.from == event.to || event.from.may_become(event.to));
                state = event.to;
            }
            assert_eq!(state, payment.state(), "the events fold to the row");
            self.check_attempts(&payment, &history).await;
            let mut ends: Vec<_> = history.iter().filter_map(malipo_journal::Event::outcome).collect();
            let count = ends.len();
            ends.sort();
            ends.dedup();
            assert_eq!(ends.len(), count, "every end is one event");
            assert_eq!(payment.over_at.is_some(), state.is_final());
            let looked_after = match state {
                PaymentState::Sending => payment.leased_until.is_some(),
                PaymentState::Recorded => payment.next_at.is_some() || payment.attention().is_some(),
                PaymentState::Accepted | PaymentState::Unknown => payment.next_at.is_some(),
                PaymentState::Review => payment.attention().is_some(),
                _ => payment.next_at.is_none(),
            };
            assert!(looked_after, "{payment:?}");
            events.retain(|event| event.payment != id);
            id = PaymentId(id.0 + 1);
        }
        assert!(events.is_empty(), "events of no payment");
        let all = self.journal.list(Filter::Open, PaymentId(0), u32::MAX).await.unwrap();
        assert!(all.iter().all(|payment| !payment.state().is_final()));
    }
}

impl Bench {
    /// What is sent from the beginning has not left before: each attempt before it provably came to nothing. And the
    /// next payment of a key is opened after the one before came to nothing.
    /// One credit for each transaction, each of those that are told under a number of its own, and none that nobody will
    /// look at.
    async fn check_credits(&self) {
        let mut names = std::collections::BTreeSet::new();
        let mut id = CreditId(1);
        while let Some(credit) = self.journal.credit(id).await.unwrap() {
            let name = (credit.provider.clone(), credit.kind.clone(), credit.value.clone());
            assert!(names.insert(name), "a transaction is two credits: {credit:?}");
            let is_told = credit.sequence != CreditSequence(0);
            match credit.state {
                CreditState::Claimed => assert!(!is_told, "{credit:?}"),
                CreditState::Confirmed => assert!(is_told && credit.answered_at.is_some(), "{credit:?}"),
                CreditState::Review => assert!(is_told && credit.attention.is_some(), "{credit:?}"),
                CreditState::Collected => {
                    let payment = self.payment(credit.payment.unwrap()).await;
                    assert!(matches!(payment.state(), PaymentState::Paid | PaymentState::Reversed));
                }
            }
            id.0 += 1;
        }
        let told = self.journal.credits(CreditSequence(0), u32::MAX).await.unwrap();
        assert!(told.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
    }

    async fn check_attempts(&self, payment: &Payment, history: &[malipo_journal::Event]) {
        let attempts = self.journal.attempts(payment.id).await.unwrap();
        let begun =
            history.iter().filter(|event| event.to == PaymentState::Sending && event.from != event.to);
        let sent = attempts.iter().filter(|attempt| attempt.operation == payment.operation).count();
        assert_eq!(begun.clone().count(), sent, "each attempt is one step");
        for event in begun.filter(|event| event.from == PaymentState::Recorded) {
            let before = attempts.iter().filter(|attempt| Some(attempt.number) < event.attempt);
            let nothing = [AttemptEnd::NotSent, AttemptEnd::Throttled].map(Some);
            assert!(before.clone().all(|attempt| nothing.contains(&attempt.end)), "{attempts:?}");
        }
        let Some(earlier) = payment.generation.0.checked_sub(1).filter(|earlier| *earlier > 0) else {
            return;
        };
        let open = self.journal.list(Filter::Open, PaymentId(0), u32::MAX).await.unwrap();
        let of_key = open.iter().filter(|other| other.key == payment.key && other.generation.0 <= earlier);
        assert_eq!(of_key.count(), 0, "two payments of {} are open", payment.key);
    }
}

/// A lease of a minute.
pub(crate) fn lease(worker: &str) -> Lease {
    Lease::new(worker.parse().unwrap(), Duration::from_secs(60))
}

pub(crate) fn key(name: &str) -> Key {
    name.parse().unwrap()
}

/// 1,500 shillings to a phone; the name is also the reference.
pub(crate) fn pay(name: &str) -> PayOut {
    let payee = Payee::wallet(Network::Safaricom, "0708374149".parse().unwrap())
        .with_name("Wanjiku Otieno".parse().unwrap());
    let callback = Callback::new(format!("https://pay.example.com/{name}").parse().unwrap());
    let terms = Terms::new(name.parse().unwrap(), Money::kes("1500").unwrap())
        .with_description("Loan seven")
        .with_callback(callback);
    PayOut::new(payee, terms)
}

/// 1,500 shillings from a phone.
pub(crate) fn collect(reference: &str) -> Instruction {
    let payer = Payer::gateway_wallet("0708374149".parse().unwrap());
    let terms = Terms::new(reference.parse().unwrap(), Money::kes("1500").unwrap());
    Instruction::Collect(Collect::new(payer, terms))
}

/// A collection as a caller opens it.
pub(crate) fn open_collection(name: &str, reference: &str) -> Open {
    let fingerprint = Intent::new(&PROVIDER, &collect(reference)).fingerprint().unwrap();
    Open::new(PROVIDER, key(name), collect(reference), fingerprint)
}

/// A payment as a caller opens it: the fingerprint is of what the caller gave, which has no callback.
pub(crate) fn open_of(name: &str, pay_out: PayOut) -> Open {
    let mut given = pay_out.clone();
    given.terms.callback = None;
    let fingerprint = Intent::new(&PROVIDER, &Instruction::PayOut(given)).fingerprint().unwrap();
    Open::new(PROVIDER, key(name), Instruction::PayOut(pay_out), fingerprint)
}

pub(crate) fn open(name: &str) -> Open {
    open_of(name, pay(name))
}

/// The same intent under another reference, as it is opened again.
pub(crate) fn open_under(name: &str, reference: &str) -> Open {
    open_of(name, pay(reference))
}

pub(crate) fn with_rule(name: &str, rule: ResendRule) -> Open {
    open(name).with_resend(rule)
}

/// An answer about the payment of this reference that agrees with it.
pub(crate) fn report(reference: &str, state: State) -> Report {
    let mut report = Report::new(PROVIDER, state, Trust::Answered);
    report.operation = Some(Operation::PayOut);
    report.reference = Some(reference.parse().unwrap());
    report.provider_refs = ProviderRefs::new().with("conversation", Some(&format!("AG-{reference}")));
    report.amount = Some(Money::kes("1500").unwrap());
    report.party = ToldParty::new(Some("254708***149"), Some("WANJIKU O"));
    report.receipt = (state == State::Settled).then(|| format!("RC-{reference}"));
    report.text = Some(Told::new("Wanjiku was told"));
    report.raw = Raw::from("{\"phone\":\"254708374149\"}");
    report
}

pub(crate) fn begin(id: PaymentId, worker: &str, fence: Option<Fence>) -> Entry {
    Entry::Begin(Begin::new(id, lease(worker), fence))
}

pub(crate) fn begin_confirm(id: PaymentId, worker: &str) -> Entry {
    Entry::BeginConfirm(Begin::new(id, lease(worker), None))
}

pub(crate) fn begin_again(id: PaymentId, worker: &str, fence: Option<Fence>) -> Entry {
    Entry::BeginAgain(Begin::new(id, lease(worker), fence))
}

/// The end of an attempt; looked at again in ten seconds.
pub(crate) fn finish(id: PaymentId, begun: Begun, outcome: Outcome) -> Entry {
    let next = Duration::from_secs(10);
    Entry::Finish(Box::new(Finish::new(id, begun.attempt, begun.fence, outcome, next)))
}

/// All that a journal says of a payment, printed, for finding what should not be there.
pub(crate) async fn printed(journal: &dyn Journal, id: PaymentId) -> String {
    let mut all = String::new();
    write!(all, "{:?}", journal.find(&Find::Id(id)).await.unwrap()).unwrap();
    write!(all, "{:?}", journal.history(id).await.unwrap()).unwrap();
    write!(all, "{:?}", journal.attempts(id).await.unwrap()).unwrap();
    write!(all, "{:?}", journal.reports(id).await.unwrap()).unwrap();
    all
}
