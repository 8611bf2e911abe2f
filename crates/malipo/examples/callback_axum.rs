//! Takes what a gateway posts, in a service of your own with axum: `cargo run -p malipo --all-features --example
//! callback_axum`.
//!
//! Nothing is paid because a body says so. The engine makes a URL for each payment that nobody can guess. What comes
//! there is first kept, then answered in the words this gateway wants, then read, and then held against what was asked
//! for. KasaPay signs nothing and can be asked, so the engine asks it before anything counts.

#![allow(clippy::print_stdout, reason = "an example talks to a person in a terminal")]

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use malipo::journal::{
    Account, CallbackKey, CallbackUrls, Payments, Settlement, SqliteConfig, SqliteJournal,
};
use malipo::kasapay::{AppKeys, Config, KasaPay};
use malipo::receiver::Receiver;
use malipo::reqwest::ReqwestTransport;
use malipo::{Instruction, Money, PayOut, Payee, Provider, Reference, Secret, SystemEnv, Terms};
use malipo_sim::{Options, Sim};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The service as it was, and below `/callbacks` what gateways post.
pub(crate) fn with_callbacks(service: Router, payments: Payments) -> Router {
    service.nest("/callbacks", Receiver::new(payments).router())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sim = Sim::start(Options::new()).await?;
    let env = Arc::new(SystemEnv::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}/callbacks", listener.local_addr()?);
    let folder = tempfile::tempdir()?;
    let kasapay = Arc::new(kasapay(&sim, env.clone())?);
    let account = kasapay.id().clone();
    let payments = payments(kasapay, &base, &folder.path().join("payments.db"), env.clone())?;

    let service = Router::new().route("/health", get(|| async { "well" }));
    let service = with_callbacks(service, payments.clone());
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    // Somebody runs the engine as well: it reads what was kept, and asks.
    let (stop, stopped) = oneshot::channel::<()>();
    let engine = payments.clone();
    let running = tokio::spawn(async move { engine.run(async { stopped.await.unwrap_or_default() }).await });

    let payee = Payee::till("565656".parse()?).with_name("Mama Mboga Ltd".parse()?);
    let pay_out = PayOut::new(payee, Terms::new(Reference::mint(&*env), Money::kes("250")?));
    let payment = payments.submit(&account, "invoice 7".parse()?, Instruction::PayOut(pay_out)).await?;
    println!("{}: the gateway took it, which is not paid", payment.state());

    // Left alone, the engine would first ask after a minute: what wakes it is what KasaPay posts.
    let settlement = payments.settled(&payment.key, Duration::from_secs(30)).await?;
    drop(stop);
    running.await?;
    match settlement {
        Settlement::Paid(payment) => {
            let receipt = payment.receipt.as_deref().unwrap_or("none");
            println!("a callback said paid, KasaPay was asked and said the same: paid, receipt {receipt}");
            Ok(())
        }
        Settlement::NotPaid(payment) | Settlement::Unknown(payment) => {
            Err(format!("not known to be paid: {}", payment.state()).into())
        }
    }
}

fn kasapay(sim: &Sim, env: Arc<SystemEnv>) -> Result<KasaPay, Box<dyn Error>> {
    let account = sim.kasapay();
    let keys = AppKeys::new(Secret::new(account.consumer_key()), Secret::new(account.consumer_secret()))?;
    let config = Config::sandbox(keys, account.service_code())?.with_base_url(sim.url())?;
    Ok(KasaPay::new(config, Arc::new(ReqwestTransport::new()?), env))
}

/// The engine with its journal in a file, and the gateway's account. `base` is what its callback URLs begin with.
fn payments(
    kasapay: Arc<KasaPay>,
    base: &str,
    file: &Path,
    env: Arc<SystemEnv>,
) -> Result<Payments, Box<dyn Error>> {
    let journal = SqliteJournal::open(SqliteConfig::new(file), env.clone())?;
    let key = CallbackKey::new(1, Secret::new("at least 32 random bytes, kept where secrets are"))?;
    let urls = CallbackUrls::new(base, key)?;
    let payments = Payments::new(Arc::new(journal), urls, env, "worker 1".parse()?);
    Ok(payments.with_account(Account::new(1, kasapay))?)
}
