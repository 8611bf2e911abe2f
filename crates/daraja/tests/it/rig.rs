//! The provider against the simulator, over real sockets.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use malipo_core::{
    Callback, Delivery, DeliveryPurpose, Headers, Instruction, Reference, Secret, SystemEnv, Terms,
};
use malipo_daraja::{
    AppKeys, Certificate, Config, Daraja, Initiator, InitiatorPassword, Sandbox, SecurityCredential,
};
use malipo_reqwest::ReqwestTransport;
use malipo_sim::{DarajaAccount, DarajaKey, Options, Sim};
use malipo_transport::Transport;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) struct Rig {
    pub(crate) sim: Sim,
    pub(crate) inbox: Inbox,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) daraja: Daraja,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(Options::new().with_daraja(account()), |transport| transport).await
    }

    pub(crate) async fn with(
        options: Options,
        wrap: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>,
    ) -> Self {
        let sim = Sim::start(options).await.unwrap();
        let transport = wrap(Arc::new(transport()));
        let daraja = Daraja::new(config(&sim, sim.daraja()), transport.clone(), Arc::new(SystemEnv::new()));
        Self { inbox: Inbox::open().await, sim, transport, daraja }
    }

    pub(crate) fn terms(&self, reference: &str, amount: &str) -> Terms {
        crate::subject::terms(reference, amount).with_callback(self.inbox.callback(reference))
    }

    pub(crate) fn pay_out(&self, reference: &str) -> Instruction {
        crate::subject::pay_out(self.terms(reference, "1500"))
    }
}

/// One key for all: making one is slow.
pub(crate) fn account() -> DarajaAccount {
    static KEY: OnceLock<DarajaKey> = OnceLock::new();
    DarajaAccount::new(KEY.get_or_init(|| DarajaKey::generate().unwrap()).clone())
}

pub(crate) fn config(sim: &Sim, account: &DarajaAccount) -> Config<Sandbox> {
    let keys =
        AppKeys::new(Secret::new(account.consumer_key()), Secret::new(account.consumer_secret())).unwrap();
    let certificate = Certificate::read(sim.daraja().certificate_pem().as_bytes()).unwrap();
    let password = InitiatorPassword::new(account.initiator_password()).unwrap();
    let credential = SecurityCredential::encrypt(&password, &certificate).unwrap();
    let initiator = Initiator::new(account.initiator(), credential).unwrap();
    let config = Config::sandbox(keys, initiator, account.shortcode().parse().unwrap()).unwrap();
    config.with_base_url(sim.url()).unwrap()
}

/// The real transport, with less patience.
pub(crate) fn transport() -> ReqwestTransport {
    let options = malipo_reqwest::Options::new()
        .with_connect_timeout(Duration::from_millis(250))
        .with_read_timeout(Duration::from_millis(500))
        .with_total_timeout(Duration::from_secs(5))
        .with_pool_idle_timeout(Duration::from_millis(200));
    ReqwestTransport::with_options(options).unwrap()
}

/// Takes what is posted to `/PURPOSE/REFERENCE` and answers as Daraja wants it.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    origin: String,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
    _accepting: Arc<JoinSet<()>>,
}

impl Inbox {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let deliveries: Arc<Mutex<Vec<Delivery>>> = Arc::default();
        let (mut accepting, kept) = (JoinSet::new(), Arc::clone(&deliveries));
        accepting.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let delivery = take(stream).await;
                kept.lock().unwrap().push(delivery);
            }
        });
        Self { origin, deliveries, _accepting: Arc::new(accepting) }
    }

    pub(crate) fn callback(&self, reference: &str) -> Callback {
        self.urls("result", "timeout", reference)
    }

    pub(crate) fn answers(&self, reference: &str) -> Callback {
        self.urls("answer", "answer-timeout", reference)
    }

    fn urls(&self, result: &str, timeout: &str, reference: &str) -> Callback {
        let url = |purpose| format!("{}/{purpose}/{reference}", self.origin).parse().unwrap();
        Callback::new(url(result)).with_timeout(url(timeout))
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.lock().unwrap().clone()
    }
}

async fn take(mut stream: TcpStream) -> Delivery {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    let (head, body) = loop {
        let count = stream.read(&mut chunk).await.unwrap();
        assert!(count > 0, "the simulator sends whole requests");
        bytes.extend_from_slice(&chunk[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length =
            |line: &str| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok();
        let length = head.lines().find_map(length).unwrap();
        if bytes.len() == end + 4 + length {
            break (head, bytes[end + 4..].to_vec());
        }
    };
    let answer = br#"{"ResultCode":0,"ResultDesc":"Accepted"}"#;
    let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
    stream.write_all(&[reply.as_bytes(), answer].concat()).await.unwrap();
    let mut path = head.split_whitespace().nth(1).unwrap().split('/').skip(1);
    let purpose = match path.next().unwrap() {
        "timeout" => DeliveryPurpose::Timeout,
        "answer" => DeliveryPurpose::Answer,
        "answer-timeout" => DeliveryPurpose::AnswerTimeout,
        _ => DeliveryPurpose::Result,
    };
    let addressed: Reference = path.next().unwrap().parse().unwrap();
    Delivery::new(purpose, Headers::new(), body).addressed_to(addressed)
}
