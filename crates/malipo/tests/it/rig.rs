//! Each provider over each transport, against the simulator, with a server that takes what the gateways post.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::IntoResponse;
use malipo::daraja::{AppKeys, Certificate, Daraja, Initiator, InitiatorPassword, SecurityCredential};
use malipo::hyper::HyperTransport;
use malipo::kasapay::KasaPay;
use malipo::kyanda::Kyanda;
use malipo::reqwest::ReqwestTransport;
use malipo::sasapay::SasaPay;
use malipo::transport::Transport;
use malipo::{
    Answer, Callback, CallbackUrl, Callbacks, Delivery, DeliveryPurpose, Env, Headers, Instruction,
    Operation, Provider, Read, Reference, Report, Secret, Storage, SystemEnv, Terms, Ticket,
};
use malipo_sim::{DarajaAccount, DarajaKey, Gateway, KyandaAccount, Options, Sim};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One provider, over one transport.
#[derive(Debug)]
pub(crate) struct Rig<P> {
    /// The transport's name, for whoever reads a failed test.
    pub(crate) over: &'static str,
    pub(crate) sim: Sim,
    pub(crate) inbox: Inbox,
    pub(crate) provider: Arc<P>,
}

/// The transports that there are, with little patience.
pub(crate) fn transports() -> Vec<(&'static str, Arc<dyn Transport>)> {
    let (connect, read) = (Duration::from_millis(500), Duration::from_millis(800));
    let reqwest = malipo::reqwest::Options::new().with_connect_timeout(connect).with_read_timeout(read);
    let hyper = malipo::hyper::Options::new().with_connect_timeout(connect).with_read_timeout(read);
    vec![
        ("reqwest", Arc::new(ReqwestTransport::with_options(reqwest).unwrap())),
        ("hyper", Arc::new(HyperTransport::with_options(hyper).unwrap())),
    ]
}

/// The simulator's usual setting.
pub(crate) fn options() -> Options {
    Options::new().with_daraja(daraja_account())
}

/// One key for all: making one is slow.
pub(crate) fn daraja_account() -> DarajaAccount {
    static KEY: OnceLock<DarajaKey> = OnceLock::new();
    DarajaAccount::new(KEY.get_or_init(|| DarajaKey::generate().unwrap()).clone())
}

pub(crate) fn env() -> Arc<dyn Env> {
    Arc::new(SystemEnv::new())
}

pub(crate) fn app_keys(key: &str, secret: &str) -> AppKeys {
    AppKeys::new(Secret::new(key), Secret::new(secret)).unwrap()
}

pub(crate) fn daraja(sim: &Sim, transport: Arc<dyn Transport>) -> Daraja {
    let account = sim.daraja();
    let certificate = Certificate::read(account.certificate_pem().as_bytes()).unwrap();
    let password = InitiatorPassword::new(account.initiator_password()).unwrap();
    let credential = SecurityCredential::encrypt(&password, &certificate).unwrap();
    let initiator = Initiator::new(account.initiator(), credential).unwrap();
    let keys = app_keys(account.consumer_key(), account.consumer_secret());
    let config = malipo::daraja::Config::sandbox(keys, initiator, account.shortcode().parse().unwrap());
    Daraja::new(config.unwrap().with_base_url(sim.url()).unwrap(), transport, env())
}

pub(crate) fn kasapay(sim: &Sim, transport: Arc<dyn Transport>) -> KasaPay {
    let account = sim.kasapay();
    let keys = app_keys(account.consumer_key(), account.consumer_secret());
    let config = malipo::kasapay::Config::sandbox(keys, account.service_code()).unwrap();
    KasaPay::new(config.with_base_url(sim.url()).unwrap(), transport, env())
}

pub(crate) fn sasapay(sim: &Sim, transport: Arc<dyn Transport>) -> SasaPay {
    let account = sim.sasapay();
    let keys = app_keys(account.client_id(), account.client_secret());
    let config = malipo::sasapay::Config::sandbox(keys, account.merchant_code().parse().unwrap()).unwrap();
    SasaPay::new(config.with_base_url(sim.url()).unwrap(), transport, env())
}

pub(crate) fn initiator() -> malipo::kyanda::Initiator {
    let (name, phone) = ("John Doe".parse().unwrap(), "0715330000".parse().unwrap());
    malipo::kyanda::Initiator::new(name, "Kenya", phone).unwrap()
}

pub(crate) fn kyanda(sim: &Sim, transport: Arc<dyn Transport>) -> Kyanda {
    let account = sim.kyanda();
    let keys = malipo::kyanda::Keys::new(Secret::new(account.api_key())).unwrap();
    let keys = keys.with_security_key(Secret::new(account.security_key())).unwrap();
    let config = malipo::kyanda::Config::sandbox(keys, account.merchant_id(), initiator()).unwrap();
    Kyanda::new(config.with_base_url(sim.url()).unwrap(), transport, env())
}

/// Kyanda posts to one URL for the whole merchant.
pub(crate) fn noticed_by_kyanda(inbox: &Inbox) -> Options {
    let url = inbox.notices().as_str().parse().unwrap();
    options().with_kyanda(KyandaAccount::new().with_callback_url(url))
}

impl<P: Provider + Callbacks + 'static> Rig<P> {
    /// One for each transport, each with a simulator of its own.
    pub(crate) async fn each(make: fn(&Sim, Arc<dyn Transport>) -> P) -> Vec<Self> {
        Self::each_with(|_| options(), make).await
    }

    /// The same with a simulator set up so. `options` is given the URL of the merchant's server.
    pub(crate) async fn each_with(
        options: impl Fn(&Inbox) -> Options,
        make: impl Fn(&Sim, Arc<dyn Transport>) -> P,
    ) -> Vec<Self> {
        let mut rigs = Vec::new();
        for (over, transport) in transports() {
            let inbox = Inbox::open().await;
            let sim = Sim::start(options(&inbox)).await.unwrap();
            let provider = Arc::new(make(&sim, transport));
            inbox.answer_as(provider.clone());
            rigs.push(Self { over, sim, inbox, provider });
        }
        rigs
    }

    pub(crate) fn terms(&self, reference: &str, amount: &str) -> Terms {
        terms(reference, amount).with_callback(self.inbox.callback(reference))
    }

    pub(crate) async fn submit(&self, instruction: Instruction) -> malipo::Result<Report> {
        self.provider.submit(&instruction).await
    }

    /// Submits, and waits until everything has happened.
    pub(crate) async fn done(&self, instruction: Instruction) -> Report {
        let accepted = self.submit(instruction).await.unwrap();
        assert_eq!(accepted.state, malipo::State::Pending, "accepted is not paid, over {}", self.over);
        self.sim.idle().await;
        accepted
    }

    pub(crate) async fn ask(&self, reference: &str, operation: Operation, told: &Report) -> Answer {
        let ticket = Ticket::new(reference.parse().unwrap(), operation)
            .with_provider_refs(told.provider_refs.clone())
            .with_callback(self.inbox.answers(reference));
        self.provider.status(&ticket).await.unwrap()
    }

    /// What was posted so far, read.
    pub(crate) fn read(&self) -> Vec<Read> {
        self.inbox.deliveries().iter().map(|delivery| self.provider.read(delivery).unwrap()).collect()
    }

    /// What was posted so far about payments.
    pub(crate) fn reports(&self) -> Vec<Report> {
        self.read()
            .into_iter()
            .filter_map(|read| if let Read::Report(report) = read { Some(report) } else { None })
            .collect()
    }

    /// How often the money of this payment moved.
    pub(crate) fn moved(&self, gateway: Gateway, reference: &str) -> usize {
        self.sim.ledger().moved(gateway, reference)
    }
}

pub(crate) fn terms(reference: &str, amount: &str) -> Terms {
    Terms::new(reference.parse().unwrap(), malipo::Money::kes(amount).unwrap())
}

/// The merchant's server. Keeps what is posted to `/PURPOSE/REFERENCE`, and answers as the provider says.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    origin: String,
    kept: Arc<Kept>,
    _serving: Arc<Abort>,
}

#[derive(Debug, Default)]
struct Kept {
    deliveries: Mutex<Vec<Delivery>>,
    callbacks: OnceLock<Arc<dyn Callbacks>>,
}

#[derive(Debug)]
struct Abort(JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Inbox {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let kept = Arc::new(Kept::default());
        let router = Router::new().fallback(take).with_state(kept.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { origin, kept, _serving: Arc::new(Abort(serving)) }
    }

    fn answer_as(&self, callbacks: Arc<dyn Callbacks>) {
        self.kept.callbacks.set(callbacks).unwrap();
    }

    pub(crate) fn callback(&self, reference: &str) -> Callback {
        Callback::new(self.url("result", reference)).with_timeout(self.url("timeout", reference))
    }

    pub(crate) fn answers(&self, reference: &str) -> Callback {
        Callback::new(self.url("answer", reference)).with_timeout(self.url("answer-timeout", reference))
    }

    /// The merchant's one URL for everything.
    pub(crate) fn notices(&self) -> CallbackUrl {
        format!("{}/notice", self.origin).parse().unwrap()
    }

    fn url(&self, purpose: &str, reference: &str) -> CallbackUrl {
        format!("{}/{purpose}/{reference}", self.origin).parse().unwrap()
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.kept.deliveries.lock().unwrap().clone()
    }
}

async fn take(
    Shared(kept): Shared<Arc<Kept>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    assert_eq!(method, Method::POST);
    let mut path = uri.path().split('/').skip(1);
    let purpose = match path.next().unwrap() {
        "result" => DeliveryPurpose::Result,
        "timeout" => DeliveryPurpose::Timeout,
        "answer" => DeliveryPurpose::Answer,
        "answer-timeout" => DeliveryPurpose::AnswerTimeout,
        "notice" => DeliveryPurpose::Notice,
        other => panic!("nobody gave out a URL for {other}"),
    };
    let headers =
        headers.iter().fold(Headers::new(), |all, (name, value)| all.with(name.as_str(), value.as_bytes()));
    let delivery = Delivery::new(purpose, headers, body.to_vec());
    let addressed: Option<Reference> = path.next().map(|reference| reference.parse().unwrap());
    let delivery = match addressed {
        Some(reference) => delivery.addressed_to(reference),
        None => delivery,
    };
    kept.deliveries.lock().unwrap().push(delivery);
    let reply = kept.callbacks.get().unwrap().reply(Storage::Stored);
    let status = StatusCode::from_u16(reply.status).unwrap();
    (status, [(header::CONTENT_TYPE, reply.content_type)], reply.body.into_owned())
}

/// A gateway that gives everybody this token and answers everything else so, whatever it is asked.
#[derive(Debug)]
pub(crate) struct Parrot {
    pub(crate) url: String,
    _serving: Abort,
}

impl Parrot {
    pub(crate) async fn saying(
        token_path: &'static str,
        token: &'static str,
        status: u16,
        body: &str,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let body = body.to_owned();
        let json = [(header::CONTENT_TYPE, "application/json")];
        let answer = move |uri: Uri| async move {
            if uri.path() == token_path {
                (StatusCode::OK, json, token.to_owned())
            } else {
                (StatusCode::from_u16(status).unwrap(), json, body)
            }
        };
        let router = Router::new().fallback(answer);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, _serving: Abort(serving) }
    }
}
