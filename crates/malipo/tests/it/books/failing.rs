//! A journal that fails: nothing leaves that is not written down, nothing that was heard is lost, and when it works
//! again so does everything else, without a person.

// tidy: over 400 lines: a journal of many methods that fails, and what becomes of each failure

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use malipo::journal::{
    AttemptRecord, CreditId, CreditRecord, CreditSequence, Deliveries, DeliveryId, Done, Entry, Event,
    Filter, Find, Follower, JournalError, JournalErrorKind, PaymentId, SqliteConfig, SqliteJournal,
    StoredDelivery, Stream,
};
use malipo::{Env, Report, async_trait};

use super::*;

/// A journal that does nothing while somebody says so.
#[derive(Debug)]
pub(crate) struct Failing {
    journal: MemoryJournal,
    fails: Mutex<Fails>,
    failures: AtomicUsize,
    /// The machine falls asleep right after it wrote that a payment is leaving.
    asleep: Option<Arc<Jumping>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fails {
    Never,
    Always(JournalErrorKind),
    /// Only when it is told how an attempt ended.
    Ends(JournalErrorKind),
    /// It does not, and what was posted takes until it is told otherwise.
    Slowly,
}

impl Failing {
    pub(crate) fn new(env: Arc<dyn Env>) -> Self {
        Self {
            journal: MemoryJournal::new(env),
            fails: Mutex::new(Fails::Never),
            failures: AtomicUsize::new(0),
            asleep: None,
        }
    }

    pub(crate) fn set(&self, fails: Fails) {
        *self.fails.lock().unwrap() = fails;
    }

    fn works(&self, batch: &[Entry]) -> Result<(), JournalError> {
        let kind = match *self.fails.lock().unwrap() {
            Fails::Always(kind) => kind,
            Fails::Ends(kind) if batch.iter().any(|entry| matches!(entry, Entry::Finish(_))) => kind,
            Fails::Never | Fails::Ends(_) | Fails::Slowly => return Ok(()),
        };
        self.failures.fetch_add(1, Ordering::SeqCst);
        Err(JournalError::new(kind, "somebody pulled the plug"))
    }
}

#[async_trait]
impl Journal for Failing {
    async fn commit(&self, batch: Vec<Entry>) -> Result<Vec<Result<Done, Refused>>, JournalError> {
        let is_delivery = batch.iter().any(|entry| matches!(entry, Entry::StoreDelivery(_)));
        while is_delivery && *self.fails.lock().unwrap() == Fails::Slowly {
            SystemEnv::new().sleep(Duration::from_millis(5)).await;
        }
        self.works(&batch)?;
        let begins = batch.iter().any(|entry| matches!(entry, Entry::Open(_)));
        let done = self.journal.commit(batch).await;
        if let (true, Some(clock)) = (begins, &self.asleep) {
            *clock.by.lock().unwrap() += Duration::from_secs(90);
        }
        done
    }

    async fn find(&self, by: &Find) -> Result<Option<Payment>, JournalError> {
        self.works(&[])?;
        self.journal.find(by).await
    }

    async fn list(&self, which: Filter, after: PaymentId, limit: u32) -> Result<Vec<Payment>, JournalError> {
        self.works(&[])?;
        self.journal.list(which, after, limit).await
    }

    async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        self.works(&[])?;
        self.journal.events(after, limit).await
    }

    async fn history(&self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        self.works(&[])?;
        self.journal.history(payment).await
    }

    async fn attempts(&self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        self.works(&[])?;
        self.journal.attempts(payment).await
    }

    async fn reports(&self, payment: PaymentId) -> Result<Vec<Report>, JournalError> {
        self.works(&[])?;
        self.journal.reports(payment).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        self.works(&[])?;
        self.journal.delivery(delivery).await
    }

    async fn deliveries(
        &self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        self.works(&[])?;
        self.journal.deliveries(which, after, limit).await
    }

    async fn position(&self, follower: &Follower, stream: Stream) -> Result<u64, JournalError> {
        self.works(&[])?;
        self.journal.position(follower, stream).await
    }

    async fn credit(&self, credit: CreditId) -> Result<Option<CreditRecord>, JournalError> {
        self.works(&[])?;
        self.journal.credit(credit).await
    }

    async fn credits(&self, after: CreditSequence, limit: u32) -> Result<Vec<CreditRecord>, JournalError> {
        self.works(&[])?;
        self.journal.credits(after, limit).await
    }

    async fn stirred(&self) {
        self.journal.stirred().await;
    }
}

/// KasaPay over every transport, with the journal of each.
pub(crate) async fn failing() -> Vec<(Books, Arc<Failing>)> {
    let journals = Mutex::new(Vec::new());
    let make = |env: Arc<SystemEnv>| -> Arc<dyn Journal> {
        let journal = Arc::new(Failing::new(env));
        journals.lock().unwrap().push(journal.clone());
        journal
    };
    let all = Books::each_in(make, Gateway::KasaPay, Operation::PayOut, kasapay, |mut policy| {
        // Nobody may ask while the answer is kept from being written.
        policy.asking = vec![Duration::from_secs(60)];
        policy
    })
    .await;
    all.into_iter().zip(journals.into_inner().unwrap()).collect()
}

#[tokio::test]
async fn without_the_journal_nothing_leaves() {
    for (books, journal) in failing().await {
        for kind in [
            JournalErrorKind::Busy,
            JournalErrorKind::Unavailable,
            JournalErrorKind::Full,
            JournalErrorKind::ReadOnly,
        ] {
            journal.set(Fails::Always(kind));
            let error = books.submit("ORDER-1", to_till("1500")).await.unwrap_err();
            let PaymentsError::Journal(why) = &error else { panic!("{error}") };
            assert_eq!((why.kind(), books.sent()), (kind, 0), "over {}", books.over);
            assert!(error.to_string().contains(kind.remedy()), "it says what to do: {error}");
            assert!(books.payments.tick().await.is_err());
        }
        journal.set(Fails::Never);
        books.submit("ORDER-1", to_till("1500")).await.unwrap();
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((books.sent(), books.moved()), (1, 1));
    }
}

#[tokio::test]
async fn what_was_answered_while_the_journal_failed_is_written_when_it_works() {
    for (books, journal) in failing().await {
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::CallbackNever]).unwrap();
        journal.set(Fails::Ends(JournalErrorKind::Unavailable));
        let error = books.submit("ORDER-1", to_till("1500")).await.unwrap_err();
        assert!(matches!(error, PaymentsError::Journal(_)), "{error}");
        assert_eq!(books.sent(), 1, "it had left when the journal failed");
        assert!(books.payments.tick().await.is_err(), "and is tried again");
        let key = "ORDER-1".parse().unwrap();
        assert_eq!(books.payments.newest(&key).await.unwrap().state(), PaymentState::Sending);
        journal.set(Fails::Never);
        books.payments.tick().await.unwrap();
        let payment = books.payments.newest(&key).await.unwrap();
        assert_eq!(payment.state(), PaymentState::Accepted, "over {}: as it was answered", books.over);
        assert_eq!(books.submit("ORDER-1", to_till("1500")).await.unwrap().id, payment.id);
        assert_eq!(books.sent(), 1);
    }
}

#[tokio::test]
async fn what_is_posted_while_the_journal_fails_is_not_taken() {
    for (books, journal) in failing().await {
        books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::CallbackNever]).unwrap();
        let payment = books.submit("ORDER-1", to_till("1500")).await.unwrap();
        let url = books.urls.mint(Address::of(3, payment.id, DeliveryPurpose::Result)).unwrap();
        let path = format!("/callbacks{}", url.as_str().split_once("/callbacks").unwrap().1);
        journal.set(Fails::Always(JournalErrorKind::Full));
        let delivered = books.payments.deliver(&path, &[], b"{}".to_vec()).await.unwrap();
        assert_eq!((delivered.reply.status, delivered.delivery), (503, None), "over {}", books.over);
        journal.set(Fails::Never);
        let delivered = books.payments.deliver(&path, &[], b"{}".to_vec()).await.unwrap();
        assert_eq!(delivered.reply.status, 200);
        assert!(delivered.delivery.is_some());
    }
}

#[tokio::test]
async fn whoever_runs_goes_on_when_the_journal_works_again() {
    for (books, journal) in failing().await {
        journal.set(Fails::Always(JournalErrorKind::Unavailable));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let payments = books.payments.clone();
        let running = tokio::spawn(async move { payments.run(async { drop(stopped.await) }).await });
        while journal.failures.load(Ordering::SeqCst) < 3 {
            SystemEnv::new().sleep(Duration::from_millis(10)).await;
        }
        journal.set(Fails::Never);
        let payment = books.submit("ORDER-1", to_till("1500")).await.unwrap();
        let settlement = books.payments.settled(&payment.key, Duration::from_secs(10)).await.unwrap();
        assert!(matches!(settlement, Settlement::Paid(_)), "over {}: {settlement:?}", books.over);
        stop.send(()).unwrap();
        running.await.unwrap();
    }
}

/// What can never be written keeps nothing else from being sent.
#[tokio::test]
async fn an_end_that_can_never_be_written_holds_nobody_up() {
    for (books, journal) in failing().await {
        journal.set(Fails::Ends(JournalErrorKind::Corrupt));
        books.submit("ORDER-1", to_till("1500")).await.unwrap_err();
        books.payments.tick().await.unwrap();
        journal.set(Fails::Never);
        books.submit("ORDER-2", to_till("1500")).await.unwrap();
        books.until("ORDER-2", &[PaymentState::Paid]).await;
        let first = books.payments.newest(&"ORDER-1".parse().unwrap()).await.unwrap();
        assert_ne!(first.state(), PaymentState::Failed, "over {}", books.over);
    }
}

/// A clock that somebody sets forward.
#[derive(Debug)]
struct Jumping {
    env: SystemEnv,
    by: Mutex<Duration>,
}

impl Env for Jumping {
    fn now(&self) -> malipo::Timestamp {
        self.env.now().saturating_add(*self.by.lock().unwrap())
    }

    fn monotonic(&self) -> Duration {
        // It stands still while a machine sleeps.
        self.env.monotonic()
    }

    fn fill_bytes(&self, bytes: &mut [u8]) {
        self.env.fill_bytes(bytes);
    }
}

#[async_trait]
impl Timer for Jumping {
    async fn sleep(&self, duration: Duration) {
        self.env.sleep(duration).await;
    }
}

#[tokio::test]
async fn whoever_was_asleep_for_most_of_its_lease_sends_nothing() {
    let (_, transport) = transports().remove(0);
    let sim = Sim::start(options()).await.unwrap();
    let provider = Arc::new(kasapay(&sim, transport));
    let clock = Arc::new(Jumping { env: SystemEnv::new(), by: Mutex::default() });
    let mut journal = Failing::new(clock.clone());
    journal.asleep = Some(clock.clone());
    let key = CallbackKey::new(7, Secret::new("a key of at least thirty-two bytes")).unwrap();
    let urls = CallbackUrls::new("https://pay.example.com", key).unwrap();
    let account = provider.id().clone();
    let payments = Payments::new(Arc::new(journal), urls, clock.clone(), "a".parse().unwrap())
        .with_account(Account::new(1, provider))
        .unwrap();
    let payment = payments.submit(&account, "ORDER-1".parse().unwrap(), to_till("1500")).await.unwrap();
    let sent = || sim.calls(Gateway::KasaPay, Operation::PayOut);
    assert_eq!((payment.state(), sent()), (PaymentState::Recorded, 0), "somebody else may have it by now");
    *clock.by.lock().unwrap() += Duration::from_secs(10);
    payments.tick().await.unwrap();
    assert_eq!(sent(), 1, "and it goes when it is due again");
}

/// KasaPay over every transport, with a file of SQLite.
async fn on_disk(folder: &std::path::Path, config: fn(SqliteConfig) -> SqliteConfig) -> Vec<Books> {
    let number = AtomicUsize::new(0);
    let open = |env: Arc<SystemEnv>| -> Arc<dyn Journal> {
        let file = folder.join(format!("{}.db", number.fetch_add(1, Ordering::SeqCst)));
        Arc::new(SqliteJournal::open(config(SqliteConfig::new(file)), env).unwrap())
    };
    Books::each_in(open, Gateway::KasaPay, Operation::PayOut, kasapay, |policy| policy).await
}

#[tokio::test]
async fn while_a_file_is_locked_nothing_leaves_and_after_that_all_does() {
    let folder = tempfile::tempdir().unwrap();
    let hasty = |config: SqliteConfig| config.with_busy_timeout(Duration::from_millis(50));
    for (number, books) in on_disk(folder.path(), hasty).await.into_iter().enumerate() {
        let by_hand = rusqlite::Connection::open(folder.path().join(format!("{number}.db"))).unwrap();
        by_hand.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = books.submit("ORDER-1", to_till("1500")).await.unwrap_err();
        let PaymentsError::Journal(why) = &error else { panic!("{error}") };
        assert_eq!((why.kind(), books.sent()), (JournalErrorKind::Busy, 0), "over {}", books.over);
        by_hand.execute_batch("ROLLBACK").unwrap();
        books.submit("ORDER-1", to_till("1500")).await.unwrap();
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((books.sent(), books.moved()), (1, 1));
    }
}

/// Works until the payment is paid.
async fn until_paid(payments: &Payments, key: &str) {
    let key = key.parse().unwrap();
    for _ in 0..400 {
        payments.tick().await.unwrap();
        if payments.newest(&key).await.unwrap().state() == PaymentState::Paid {
            return;
        }
        SystemEnv::new().sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", payments.newest(&key).await.unwrap());
}

/// When there is room again the same keys go on, and nobody is paid twice.
#[tokio::test]
async fn on_a_full_disk_only_leaves_what_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("books.db");
    let sim = Sim::start(options()).await.unwrap();
    let open = |config: SqliteConfig| {
        let (_, transport) = transports().remove(0);
        let provider = Arc::new(kasapay(&sim, transport));
        let env = Arc::new(SystemEnv::new());
        let journal = Arc::new(SqliteJournal::open(config, env.clone()).unwrap());
        let key = CallbackKey::new(7, Secret::new("a key of at least thirty-two bytes")).unwrap();
        let urls = CallbackUrls::new("https://pay.example.com", key).unwrap();
        let policy = quick(Policy::of(provider.capabilities()));
        Payments::new(journal, urls, env, "a".parse().unwrap())
            .with_lease(Duration::from_millis(200))
            .with_account(Account::new(1, provider).with_policy(policy))
            .unwrap()
    };
    let account = ProviderId::of("kasapay");
    let submit = async |payments: &Payments, order: usize| {
        payments.submit(&account, format!("ORDER-{order}").parse().unwrap(), to_till("10")).await
    };
    let sent = || sim.calls(Gateway::KasaPay, Operation::PayOut);
    let cramped = open(SqliteConfig::new(&file).with_max_pages(60));
    let mut orders = 0;
    let full = loop {
        match submit(&cramped, orders).await {
            Ok(_) => orders += 1,
            Err(error) => break error,
        }
        assert!(orders < 500, "the disk is never full");
    };
    let PaymentsError::Journal(why) = full else { panic!("{full}") };
    assert_eq!(why.kind(), JournalErrorKind::Full, "{why}");
    assert!(why.to_string().contains("make room"), "{why}");
    let attempts = || {
        let by_hand = rusqlite::Connection::open(&file).unwrap();
        let count: i64 = by_hand.query_row("SELECT count(*) FROM attempts", [], |row| row.get(0)).unwrap();
        usize::try_from(count).unwrap()
    };
    // A smaller thing may still find room; what leaves is written down all the same.
    for order in orders..orders + 5 {
        let _ = submit(&cramped, order).await;
    }
    assert!(sent() <= attempts(), "{} sent, {} written down", sent(), attempts());
    drop(cramped);
    let roomy = open(SqliteConfig::new(&file));
    for order in 0..orders + 5 {
        submit(&roomy, order).await.unwrap();
    }
    for order in 0..orders + 5 {
        until_paid(&roomy, &format!("ORDER-{order}")).await;
    }
    assert!(sim.ledger().paid_more_than_once().is_empty());
    let moved = sim.ledger().moves().iter().filter(|one| one.kind == MoveKind::Payment).count();
    assert_eq!(moved, orders + 5);
}
