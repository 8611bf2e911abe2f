//! A process that dies at every point where it can: before and after each commit and each send, one after the other,
//! until a run ends untouched. Whoever starts it again and submits the same key never pays twice, and what the books
//! say is what the gateway's ledger says. The books are a file of SQLite, which the second process opens anew.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response as Reply};
use malipo::journal::{
    Account, Address, AttemptRecord, CallbackKey, CallbackUrls, Deliveries, DeliveryId, Done, Entry, Event,
    EventId, Filter, Find, Journal, JournalError, Payment, PaymentId, PaymentState, Payments, PaymentsError,
    Policy, Refused, ResendRule, SqliteConfig, SqliteJournal, StoredDelivery,
};
use malipo::transport::http::{Request, Response};
use malipo::transport::{Bytes, Exchange, Transport, TransportError};
use malipo::{
    Callbacks, Collect, DeliveryPurpose, Instruction, Money, Network, PayOut, Payee, Payer, Provider, Report,
    Secret, SystemEnv, Terms, Timer, async_trait,
};
use malipo_sim::{KyandaAccount, MoveKind, Sim};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::rig::{daraja, kasapay, kyanda, options, sasapay, transports};

/// Where a process dies: at its point of this number.
#[derive(Debug)]
struct Crash {
    at: usize,
    passed: AtomicUsize,
    died: Notify,
}

impl Crash {
    fn at(point: usize) -> Arc<Self> {
        Arc::new(Self { at: point, passed: AtomicUsize::new(0), died: Notify::new() })
    }

    fn has_come(&self) -> bool {
        self.passed.load(Ordering::SeqCst) >= self.at
    }

    /// Goes no further once it has come, and nobody else does either.
    async fn point(&self) {
        if self.passed.fetch_add(1, Ordering::SeqCst) + 1 >= self.at {
            self.died.notify_one();
            pending::<()>().await;
        }
    }
}

#[derive(Debug)]
struct DyingJournal {
    journal: Arc<dyn Journal>,
    crash: Arc<Crash>,
}

#[async_trait]
impl Journal for DyingJournal {
    async fn commit(&self, batch: Vec<Entry>) -> Result<Vec<Result<Done, Refused>>, JournalError> {
        self.crash.point().await;
        let done = self.journal.commit(batch).await;
        self.crash.point().await;
        done
    }

    async fn find(&self, by: &Find) -> Result<Option<Payment>, JournalError> {
        self.journal.find(by).await
    }

    async fn list(&self, which: Filter, after: PaymentId, limit: u32) -> Result<Vec<Payment>, JournalError> {
        self.journal.list(which, after, limit).await
    }

    async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, JournalError> {
        self.journal.events(after, limit).await
    }

    async fn history(&self, payment: PaymentId) -> Result<Vec<Event>, JournalError> {
        self.journal.history(payment).await
    }

    async fn attempts(&self, payment: PaymentId) -> Result<Vec<AttemptRecord>, JournalError> {
        self.journal.attempts(payment).await
    }

    async fn reports(&self, payment: PaymentId) -> Result<Vec<Report>, JournalError> {
        self.journal.reports(payment).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<StoredDelivery>, JournalError> {
        self.journal.delivery(delivery).await
    }

    async fn deliveries(
        &self,
        which: &Deliveries,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, JournalError> {
        self.journal.deliveries(which, after, limit).await
    }

    async fn stirred(&self) {
        self.journal.stirred().await;
    }
}

#[derive(Debug)]
struct DyingTransport {
    transport: Arc<dyn Transport>,
    crash: Arc<Crash>,
}

#[async_trait]
impl Transport for DyingTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let moves_money =
            request.extensions().get::<Exchange>().is_some_and(|one| one.operation.moves_money());
        if moves_money {
            self.crash.point().await;
        }
        let told = self.transport.send(request).await;
        if moves_money {
            self.crash.point().await;
        }
        told
    }
}

/// The process that lives now.
#[derive(Clone, Default)]
struct Living(Arc<Mutex<Option<Process>>>);

#[derive(Clone)]
struct Process {
    payments: Payments,
    crash: Arc<Crash>,
}

async fn take(Shared(living): Shared<Living>, uri: Uri, headers: HeaderMap, body: Bytes) -> Reply {
    let Process { payments, crash } = living.0.lock().unwrap().clone().unwrap();
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let delivered = async {
        match payments.deliver(uri.path(), &headers, body.to_vec()).await {
            Some(delivered) => {
                let status = StatusCode::from_u16(delivered.reply.status).unwrap();
                let content_type = [(header::CONTENT_TYPE, delivered.reply.content_type)];
                (status, content_type, delivered.reply.body.into_owned()).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        }
    };
    // Nobody answers for a process that died.
    tokio::select! {
        reply = delivered => reply,
        () = died(&crash) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn died(crash: &Crash) {
    while !crash.has_come() {
        SystemEnv::new().sleep(Duration::from_millis(5)).await;
    }
}

struct World {
    sim: Sim,
    folder: TempDir,
    urls: CallbackUrls,
    living: Living,
    transport: Arc<dyn Transport>,
}

impl World {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/in", listener.local_addr().unwrap());
        let key = CallbackKey::new(1, Secret::new("a key of at least thirty-two bytes")).unwrap();
        let urls = CallbackUrls::new(&base, key).unwrap();
        let notices = urls.mint(Address::of_account(1, DeliveryPurpose::Notice)).unwrap();
        let notified = KyandaAccount::new().with_callback_url(notices.as_str().parse().unwrap());
        let sim = Sim::start(options().with_kyanda(notified)).await.unwrap();
        let living = Living::default();
        let router = Router::new().fallback(take).with_state(living.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let (_, transport) = transports().remove(0);
        Self { sim, folder: TempDir::new().unwrap(), urls, living, transport }
    }

    /// A process that dies where `crash` says.
    fn process<P: Provider + Callbacks + 'static>(
        &self,
        make: fn(&Sim, Arc<dyn Transport>) -> P,
        crash: &Arc<Crash>,
    ) -> Payments {
        let transport = DyingTransport { transport: self.transport.clone(), crash: crash.clone() };
        let provider = Arc::new(make(&self.sim, Arc::new(transport)));
        let journal = DyingJournal { journal: self.books(), crash: crash.clone() };
        let mut policy = Policy::of(provider.capabilities());
        policy.asking = vec![Duration::from_millis(60)];
        policy.retry = Duration::from_millis(60);
        policy.review_after = Duration::from_secs(2);
        if let ResendRule::AfterAbsence { times, within, .. } = policy.resend {
            policy.resend = ResendRule::AfterAbsence { times, quiet: Duration::from_millis(40), within };
        }
        let env = Arc::new(SystemEnv::new());
        let payments = Payments::new(Arc::new(journal), self.urls.clone(), env, "worker".parse().unwrap())
            .with_lease(Duration::from_millis(250))
            .with_account(Account::new(1, provider).with_policy(policy))
            .unwrap();
        let process = Process { payments: payments.clone(), crash: crash.clone() };
        *self.living.0.lock().unwrap() = Some(process);
        payments
    }

    /// The books as a process finds them.
    fn books(&self) -> Arc<dyn Journal> {
        let env = Arc::new(SystemEnv::new());
        Arc::new(SqliteJournal::open(SqliteConfig::new(self.folder.path().join("books.db")), env).unwrap())
    }

    fn moved(&self) -> usize {
        self.sim.ledger().moves().iter().filter(|one| one.kind == MoveKind::Payment).count()
    }
}

/// Submits and works until the payment ends or waits for a person.
async fn work(payments: Payments, instruction: Instruction, account: malipo::ProviderId) -> PaymentState {
    loop {
        match payments.submit(&account, "ORDER-1".parse().unwrap(), instruction.clone()).await {
            Ok(_) => break,
            Err(PaymentsError::Refused(_) | PaymentsError::Journal(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    loop {
        payments.tick().await.unwrap();
        let state = payments.newest(&"ORDER-1".parse().unwrap()).await.unwrap().state();
        if state.is_final() || state == PaymentState::Review {
            return state;
        }
        SystemEnv::new().sleep(Duration::from_millis(10)).await;
    }
}

async fn every_point<P: Provider + Callbacks + 'static>(
    make: fn(&Sim, Arc<dyn Transport>) -> P,
    instruction: fn() -> Instruction,
) {
    for point in 1.. {
        let world = World::start().await;
        let crash = Crash::at(point);
        let first = world.process(make, &crash);
        let account = make(&world.sim, world.transport.clone()).id().clone();
        let ended = tokio::select! {
            state = work(first, instruction(), account.clone()) => Some(state),
            () = died(&crash) => None,
        };
        let untouched = ended.is_some();
        let state = match ended {
            Some(state) => state,
            None => {
                let second = world.process(make, &Crash::at(usize::MAX));
                work(second, instruction(), account).await
            }
        };
        world.sim.idle().await;
        let what = format!("dies at point {point}: {state}");
        match state {
            PaymentState::Paid => assert_eq!(world.moved(), 1, "{what}"),
            PaymentState::Review => assert!(world.moved() <= 1, "{what}"),
            _ => assert_eq!(world.moved(), 0, "{what}"),
        }
        let history = world.books().history(PaymentId(1)).await.unwrap();
        let numbers: Vec<_> = history.iter().map(|event| event.sequence).collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{what}: {numbers:?}");
        let ends = history.iter().filter(|event| event.outcome().is_some()).count();
        assert_eq!(ends, usize::from(state.is_final()), "{what}: an end is told once");
        if untouched {
            assert_eq!(state, PaymentState::Paid, "{what}");
            assert!(point > 6, "there are points to die at: {point}");
            return;
        }
    }
}

fn terms() -> Terms {
    Terms::new("REPLACED".parse().unwrap(), Money::kes("1500").unwrap())
}

fn to_wallet() -> Instruction {
    let payee = Payee::wallet(Network::Safaricom, "0708374149".parse().unwrap());
    Instruction::PayOut(PayOut::new(payee, terms()))
}

#[tokio::test]
async fn daraja_is_never_paid_twice() {
    every_point(daraja, to_wallet).await;
}

#[tokio::test]
async fn kasapay_is_never_paid_twice() {
    every_point(kasapay, || {
        let payee = Payee::till("565656".parse().unwrap()).with_name("Test Limited".parse().unwrap());
        Instruction::PayOut(PayOut::new(payee, terms()))
    })
    .await;
}

#[tokio::test]
async fn sasapay_never_collects_twice() {
    every_point(sasapay, || {
        let payer = Payer::mobile_money(Network::Safaricom, "0708374149".parse().unwrap());
        Instruction::Collect(Collect::new(payer, terms()))
    })
    .await;
}

#[tokio::test]
async fn kyanda_is_never_paid_twice() {
    every_point(kyanda, to_wallet).await;
}
