//! A merchant's side of Daraja, written from its documents and nothing else.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use malipo_core::{Env, SystemEnv, Timer};
use malipo_sim::{DarajaAccount, DarajaKey, Options, Sim};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::merchant::Merchant;

pub(crate) const PAYEE: &str = "254712345678";
pub(crate) const PAYOUT: &str = "/mpesa/b2c/v3/paymentrequest";
pub(crate) const STATUS: &str = "/mpesa/transactionstatus/v1/query";
pub(crate) const BALANCE: &str = "/mpesa/accountbalance/v1/query";

/// One key for all tests: making one takes a moment.
static KEY: LazyLock<DarajaKey> = LazyLock::new(|| DarajaKey::generate().unwrap());

pub(crate) fn account() -> DarajaAccount {
    DarajaAccount::new(KEY.clone())
}

pub(crate) fn options() -> Options {
    Options::new().with_daraja(account()).with_result_delay(Duration::from_millis(5))
}

/// A SecurityCredential holding `password`.
pub(crate) fn credential(account: &DarajaAccount, password: &str) -> String {
    let key = PublicEncryptingKey::from_der(account.key().public_key_der()).unwrap();
    let key = Pkcs1PublicEncryptingKey::new(key).unwrap();
    let mut room = vec![0; key.ciphertext_size()];
    let sealed = key.encrypt(password.as_bytes(), &mut room).unwrap();
    STANDARD.encode(sealed)
}

pub(crate) fn basic(account: &DarajaAccount) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", account.consumer_key(), account.consumer_secret())))
}

pub(crate) fn payment(account: &DarajaAccount, callbacks: &str, reference: &str, payee: &str) -> Value {
    json!({
        "OriginatorConversationID": reference,
        "InitiatorName": account.initiator(),
        "SecurityCredential": credential(account, account.initiator_password()),
        "CommandID": "BusinessPayment",
        "Amount": "100",
        "PartyA": account.shortcode(),
        "PartyB": payee,
        "Remarks": "November wages",
        "QueueTimeOutURL": format!("{callbacks}/timeout"),
        "ResultURL": format!("{callbacks}/result"),
        "Occassion": "Payday",
    })
}

pub(crate) fn status(account: &DarajaAccount, callbacks: &str, reference: &str) -> Value {
    json!({
        "Initiator": account.initiator(),
        "SecurityCredential": credential(account, account.initiator_password()),
        "CommandID": "TransactionStatusQuery",
        "OriginalConversationID": reference,
        "PartyA": account.shortcode(),
        "IdentifierType": "4",
        "ResultURL": format!("{callbacks}/status"),
        "QueueTimeOutURL": format!("{callbacks}/timeout"),
        "Remarks": "what became of it",
        "Occasion": "audit",
    })
}

pub(crate) fn balance(account: &DarajaAccount, callbacks: &str) -> Value {
    json!({
        "Initiator": account.initiator(),
        "SecurityCredential": credential(account, account.initiator_password()),
        "CommandID": "AccountBalance",
        "PartyA": account.shortcode(),
        "IdentifierType": "4",
        "ResultURL": format!("{callbacks}/balance"),
        "QueueTimeOutURL": format!("{callbacks}/timeout"),
        "Remarks": "how much is left",
    })
}

/// `body` with one field changed; `Null` takes it out.
pub(crate) fn with(mut body: Value, field: &str, value: Value) -> Value {
    match value {
        Value::Null => {
            body.as_object_mut().unwrap().remove(field);
        }
        value => body[field] = value,
    }
    body
}

/// The value of one of a result's parameters.
pub(crate) fn parameter<'a>(result: &'a Value, key: &str) -> &'a Value {
    let list = result["Result"]["ResultParameters"]["ResultParameter"].as_array().unwrap();
    &list.iter().find(|item| item["Key"] == key).unwrap()["Value"]
}

/// The bytes that came back on the socket before it was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raw(pub(crate) Vec<u8>);

impl Raw {
    pub(crate) fn status(&self) -> u16 {
        let text = String::from_utf8_lossy(&self.0);
        text.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn body(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        text.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body()).unwrap()
    }
}

/// A simulator, a merchant listening for callbacks, and a token.
pub(crate) struct Rig {
    pub(crate) sim: Sim,
    pub(crate) merchant: Merchant,
    pub(crate) token: String,
}

impl Rig {
    pub(crate) async fn new(options: Options) -> Self {
        let sim = Sim::start(options).await.unwrap();
        let token = ask_token(&sim).await;
        Self { sim, merchant: Merchant::open().await, token }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Raw {
        let bearer = format!("Bearer {}", self.token);
        exchange(&self.sim, "POST", path, &bearer, &body.to_string()).await
    }

    /// Pays 100 shillings to `payee`.
    pub(crate) async fn pay(&self, reference: &str, payee: &str) -> Raw {
        let body = payment(self.sim.daraja(), self.merchant.url(), reference, payee);
        self.post(PAYOUT, &body).await
    }

    pub(crate) async fn ask(&self, reference: &str) -> Raw {
        self.post(STATUS, &status(self.sim.daraja(), self.merchant.url(), reference)).await
    }
}

pub(crate) async fn ask_token(sim: &Sim) -> String {
    let path = "/oauth/v1/generate?grant_type=client_credentials";
    let reply = exchange(sim, "GET", path, &basic(sim.daraja()), "").await;
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

/// One request on a connection of its own; everything that comes back until the other side closes.
pub(crate) async fn exchange(sim: &Sim, method: &str, path: &str, authorization: &str, body: &str) -> Raw {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: sim\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    send(sim, &request).await
}

/// The bytes of one request on a connection of its own; everything that comes back.
pub(crate) async fn send(sim: &Sim, request: &str) -> Raw {
    let mut stream = connect(sim).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let reading = within(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await;
    // A connection that was cut may end in a reset; what came before it still counts.
    let _ = reading.expect("the simulator neither answered nor hung up within 10 s");
    Raw(bytes)
}

pub(crate) async fn connect(sim: &Sim) -> TcpStream {
    TcpStream::connect(sim.url().strip_prefix("http://").unwrap()).await.unwrap()
}

/// Waits, but not for ever, until `done`.
pub(crate) async fn until(done: impl Fn() -> bool) {
    let waiting = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    within(Duration::from_secs(3), waiting).await.expect("it did not come about within 3 s");
}

/// A wait was given up.
#[derive(Debug)]
pub(crate) struct TooLong;

/// What comes of `waiting`, if it takes no longer than `limit`.
pub(crate) async fn within<T>(limit: Duration, waiting: impl Future<Output = T>) -> Result<T, TooLong> {
    let env = SystemEnv::new();
    tokio::select! {
        biased;
        outcome = waiting => Ok(outcome),
        () = env.sleep(limit) => Err(TooLong),
    }
}

/// A stopwatch.
pub(crate) fn stopwatch() -> impl Fn() -> Duration {
    let env = Arc::new(SystemEnv::new());
    move || env.monotonic()
}
