//! An account at a gateway that does not exist, a journal that can be held up, a clock that is moved by hand, and the
//! plainest of clients.

mod client;
mod clock;
mod journal;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use malipo_core::{
    Answer, CallbackError, CallbackUrl, Callbacks, Capabilities, Delivery, DeliveryPurpose, Instruction,
    Lookup, Provider, ProviderId, Read, Reply, Report, Resubmit, Result, Secret, Storage, SystemEnv, Ticket,
    Timer, Timestamp,
};
use malipo_journal::{
    Account, Address, CallbackKey, CallbackUrls, Deliveries, DeliveryId, Journal as _, PaymentId, Payments,
    StoredDelivery,
};
use malipo_receiver::{Limits, Receiver, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) use client::{Client, ask, post, within};
pub(crate) use clock::HandTimer;
pub(crate) use journal::Held;

/// What the gateway wants to hear when its callback is kept.
pub(crate) const TAKEN: &str = r#"{"taken":true}"#;
/// And when it is not.
pub(crate) const NOT_TAKEN: &str = r#"{"taken":false}"#;
const BASE: &str = "https://pay.example.com/callbacks";
pub(crate) const ACCOUNT: ProviderId = ProviderId::of("somepay");
const NUMBER: u32 = 3;

/// An account whose gateway posts whatever the test posts.
#[derive(Debug)]
struct Somepay {
    id: ProviderId,
    capabilities: Capabilities,
    panics: Arc<AtomicBool>,
}

#[async_trait]
impl Provider for Somepay {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn submit(&self, _: &Instruction) -> Result<Report> {
        unreachable!("nothing is paid here")
    }

    async fn status(&self, _: &Ticket) -> Result<Answer> {
        unreachable!("nothing is asked here")
    }
}

impl Callbacks for Somepay {
    fn read(&self, _: &Delivery) -> std::result::Result<Read, CallbackError> {
        Ok(Read::NotModelled)
    }

    fn reply(&self, storage: Storage) -> Reply {
        assert!(!self.panics.load(Ordering::SeqCst), "a gateway of this test panics");
        match storage {
            Storage::Stored => Reply::json(200, TAKEN),
            Storage::NotStored => Reply::json(503, NOT_TAKEN),
        }
    }

    fn secrets(&self) -> Vec<Secret> {
        Vec::new()
    }
}

/// Payments of one account, and what is needed to look at them from outside.
pub(crate) struct Stand {
    pub(crate) payments: Payments,
    pub(crate) urls: CallbackUrls,
    pub(crate) journal: Arc<Held>,
    /// Whether the gateway's code panics.
    pub(crate) panics: Arc<AtomicBool>,
}

fn key(id: u8) -> CallbackKey {
    CallbackKey::new(id, Secret::new(format!("{id}: a key of at least thirty-two bytes"))).unwrap()
}

/// URLs as they were made before the key was changed.
pub(crate) fn urls_before() -> CallbackUrls {
    CallbackUrls::new(BASE, key(6)).unwrap()
}

/// URLs as they were made with a key that is no longer good.
pub(crate) fn urls_long_before() -> CallbackUrls {
    CallbackUrls::new(BASE, key(5)).unwrap()
}

impl Stand {
    pub(crate) fn new() -> Self {
        Self::at(Arc::new(SystemEnv::new()))
    }

    /// Goes by this clock.
    pub(crate) fn at(timer: Arc<dyn Timer>) -> Self {
        let (never, past) = (timer.now().saturating_add(std::time::Duration::from_secs(3600)), timer.now());
        let urls = CallbackUrls::new(BASE, key(7)).unwrap();
        let urls = urls.with_retired(key(6), never).unwrap().with_retired(key(5), past).unwrap();
        Self::with(urls, timer)
    }

    fn with(urls: CallbackUrls, timer: Arc<dyn Timer>) -> Self {
        let journal = Arc::new(Held::new(timer.clone()));
        let panics = Arc::new(AtomicBool::new(false));
        let capabilities = Capabilities::new("somepay", Resubmit::Never, Lookup::ByCallback);
        let account =
            Account::new(NUMBER, Arc::new(Somepay { id: ACCOUNT, capabilities, panics: panics.clone() }));
        let payments = Payments::new(journal.clone(), urls.clone(), timer, "a".parse().unwrap());
        Self { payments: payments.with_account(account).unwrap(), urls, journal, panics }
    }

    pub(crate) fn receiver(&self) -> Receiver {
        Receiver::new(self.payments.clone())
    }

    /// A path that callbacks may be posted to.
    pub(crate) fn path(&self) -> String {
        path(&self.urls.mint(self.address()).unwrap())
    }

    pub(crate) fn address(&self) -> Address {
        Address::of_account(NUMBER, DeliveryPurpose::Balance)
    }

    /// The same of one payment.
    pub(crate) fn path_of(&self, payment: u64) -> String {
        let address = Address::of(NUMBER, PaymentId(payment), DeliveryPurpose::Result);
        path(&self.urls.mint(address).unwrap())
    }

    /// What is kept, in order.
    pub(crate) async fn kept(&self) -> Vec<StoredDelivery> {
        self.journal.deliveries(&Deliveries::Waiting(ACCOUNT), DeliveryId(0), 1000).await.unwrap()
    }

    /// The bodies of what is kept.
    pub(crate) async fn bodies(&self) -> Vec<String> {
        let text =
            |kept: StoredDelivery| String::from_utf8(kept.delivery().unwrap().unwrap().body.bytes().to_vec());
        self.kept().await.into_iter().map(|kept| text(kept).unwrap()).collect()
    }
}

/// What a URL has behind the host.
pub(crate) fn path(url: &CallbackUrl) -> String {
    url.as_str().strip_prefix("https://pay.example.com").unwrap().to_owned()
}

/// A receiver on a socket.
pub(crate) struct Served {
    pub(crate) at: SocketAddr,
    stop: oneshot::Sender<()>,
    /// Ends when `serve` does.
    pub(crate) task: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start(receiver: Receiver) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, receiver, async {
            let _ = stopped.await;
        }));
        Self { at, stop, task }
    }

    /// Tells it to stop.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        let _ = self.stop.send(());
        self.task
    }
}

/// Limits that nobody comes near who is not meant to: a machine may be busy.
pub(crate) fn patient() -> Limits {
    let mut limits = Limits::default();
    let long = std::time::Duration::from_secs(300);
    (limits.body_within, limits.headers_within) = (long, long);
    (limits.connection_for, limits.answer_within) = (long, long);
    limits
}

/// Some time that no test depends on.
pub(crate) fn noon() -> Timestamp {
    Timestamp::from_unix_millis(1_800_000_000_000).unwrap()
}
