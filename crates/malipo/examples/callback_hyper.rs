//! Takes what a gateway posts, with a plain hyper server: `cargo run -p malipo --all-features --example
//! callback_hyper`.
//!
//! The receiver is a tower service, so any server can hold it. `malipo::receiver::serve` is such a server, hardened
//! against whoever posts slowly or too much; this one is for programs that have their own.
//!
//! Nothing is paid because a body says so. Daraja signs nothing and tells no result to whoever asks, so what counts is
//! that it came to the URL which only Daraja was given for this payment, and agrees with what was asked for.

#![allow(clippy::print_stdout, reason = "an example talks to a person in a terminal")]

use std::error::Error;
use std::io;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use malipo::daraja::{
    AppKeys, Certificate, Config, Daraja, Initiator, InitiatorPassword, SecurityCredential,
};
use malipo::journal::{Account, CallbackKey, CallbackUrls, MemoryJournal, Payments, Settlement};
use malipo::receiver::{Peer, Receiver};
use malipo::reqwest::ReqwestTransport;
use malipo::{Instruction, Money, Network, PayOut, Payee, Provider, Reference, Secret, SystemEnv, Terms};
use malipo_sim::{Options, Sim};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower_service::Service as _;

/// Answers what comes to `listener`, for as long as connections can be accepted. With each request goes who is at the
/// other end of its connection.
pub(crate) async fn serve_callbacks(listener: TcpListener, receiver: Receiver) -> io::Result<()> {
    loop {
        let (stream, peer) = listener.accept().await?;
        let receiver = receiver.clone();
        let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            receiver.clone().call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(std::time::Duration::from_secs(5));
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sim = Sim::start(Options::new()).await?;
    let env = Arc::new(SystemEnv::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}/callbacks", listener.local_addr()?);
    let daraja = Arc::new(daraja(&sim, env.clone())?);
    let account = daraja.id().clone();
    let key = CallbackKey::new(1, Secret::new("at least 32 random bytes, kept where secrets are"))?;
    // In memory, which is for trying out: a program that may die keeps its journal in a file or on a server.
    let journal = Arc::new(MemoryJournal::new(env.clone()));
    let payments = Payments::new(journal, CallbackUrls::new(&base, key)?, env.clone(), "worker 1".parse()?)
        .with_account(Account::new(1, daraja))?;

    tokio::spawn(serve_callbacks(listener, Receiver::new(payments.clone())));
    // Somebody runs the engine as well: it reads what was kept, and asks.
    let (stop, stopped) = oneshot::channel::<()>();
    let engine = payments.clone();
    let running = tokio::spawn(async move { engine.run(async { stopped.await.unwrap_or_default() }).await });

    let payee = Payee::wallet(Network::Safaricom, "0708 374 149".parse()?);
    let pay_out = PayOut::new(payee, Terms::new(Reference::mint(&*env), Money::kes("1500")?));
    let payment = payments.submit(&account, "salary 7".parse()?, Instruction::PayOut(pay_out)).await?;
    println!("{}: the gateway took it, which is not paid", payment.state());

    let settlement = payments.settled(&payment.key, std::time::Duration::from_secs(30)).await?;
    drop(stop);
    running.await?;
    match settlement {
        Settlement::Paid(payment) => {
            let receipt = payment.receipt.as_deref().unwrap_or("none");
            println!("posted to this payment's own URL, and as it was asked for: paid, receipt {receipt}");
            Ok(())
        }
        Settlement::NotPaid(payment) | Settlement::Unknown(payment) => {
            Err(format!("not known to be paid: {}", payment.state()).into())
        }
    }
}

fn daraja(sim: &Sim, env: Arc<SystemEnv>) -> Result<Daraja, Box<dyn Error>> {
    let account = sim.daraja();
    let certificate = Certificate::read(account.certificate_pem().as_bytes())?;
    let password = InitiatorPassword::new(account.initiator_password())?;
    let credential = SecurityCredential::encrypt(&password, &certificate)?;
    let initiator = Initiator::new(account.initiator(), credential)?;
    let keys = AppKeys::new(Secret::new(account.consumer_key()), Secret::new(account.consumer_secret()))?;
    let config = Config::sandbox(keys, initiator, account.shortcode().parse()?)?;
    Ok(Daraja::new(config.with_base_url(sim.url())?, Arc::new(ReqwestTransport::new()?), env))
}
