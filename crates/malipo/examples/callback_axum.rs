//! Receives what a gateway posts, with axum: `cargo run -p malipo --all-features --example callback_axum`.
//!
//! Each payment has a URL of its own that nobody can guess. What arrives there is first kept, then answered in the
//! words this gateway wants, then read, then held against what was asked for. Only then does it count.

#![allow(clippy::print_stdout, reason = "an example talks to a person in a terminal")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Router, serve};
use malipo::kasapay::{AppKeys, Config, KasaPay};
use malipo::reqwest::ReqwestTransport;
use malipo::{
    Callback, Callbacks, Delivery, DeliveryPurpose, Env, Headers, Money, PayOut, Payee, ProviderExt, Read,
    Reference, Report, Secret, State, Storage, SystemEnv, Terms,
};
use malipo_sim::{Options, Sim};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// What was asked for, by the unguessable end of the URL it was given. A real service keeps it in its database, and
/// writes it there before it sends.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<BTreeMap<String, (Reference, Money)>>>);

#[derive(Clone)]
struct Door {
    gateway: Arc<dyn Callbacks>,
    asked: Asked,
    kept: mpsc::UnboundedSender<Delivery>,
}

async fn take(
    Shared(door): Shared<Door>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some((reference, _)) = door.asked.find(&token) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers =
        headers.iter().fold(Headers::new(), |all, (name, value)| all.with(name.as_str(), value.as_bytes()));
    let delivery = Delivery::new(DeliveryPurpose::Result, headers, body.to_vec()).addressed_to(reference);
    // Keep first, answer second: what is answered with success is never posted again.
    let storage = if door.kept.send(delivery).is_ok() { Storage::Stored } else { Storage::NotStored };
    let reply = door.gateway.reply(storage);
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, reply.content_type)], reply.body.into_owned()).into_response()
}

impl Asked {
    fn find(&self, token: &str) -> Option<(Reference, Money)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    fn keep(&self, token: &str, reference: &Reference, amount: Money) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(token.to_owned(), (reference.clone(), amount));
    }
}

/// Whether the report says what we asked for: the same payment, the same amount.
fn agrees(report: &Report, reference: &Reference, amount: Money) -> bool {
    report.reference.as_ref().is_none_or(|told| told == reference)
        && report.amount.is_none_or(|told| told == amount)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sim = Sim::start(Options::new()).await?;
    let account = sim.kasapay();
    let keys = AppKeys::new(Secret::new(account.consumer_key()), Secret::new(account.consumer_secret()))?;
    let config = Config::sandbox(keys, account.service_code())?.with_base_url(sim.url())?;
    let env = Arc::new(SystemEnv::new());
    let kasapay = Arc::new(KasaPay::new(config, Arc::new(ReqwestTransport::new()?), env.clone()));

    let (kept, mut deliveries) = mpsc::unbounded_channel();
    let asked = Asked::default();
    let door = Door { gateway: kasapay.clone(), asked: asked.clone(), kept };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let router = Router::new().route("/results/{token}", post(take)).with_state(door);
    tokio::spawn(async move { serve(listener, router).await });

    let (reference, amount) = (Reference::mint(&*env), Money::kes("250")?);
    let mut random = [0; 16];
    env.fill_bytes(&mut random);
    let token = u128::from_le_bytes(random).to_string();
    asked.keep(&token, &reference, amount);
    let terms = Terms::new(reference.clone(), amount)
        .with_callback(Callback::new(format!("{origin}/results/{token}").parse()?));
    let payee = Payee::till("565656".parse()?).with_name("Mama Mboga Ltd".parse()?);
    let accepted = kasapay.pay_out(PayOut::new(payee, terms)).await?;
    println!("accepted, which is not paid: {:?}", accepted.state);

    sim.idle().await;
    let delivery = deliveries.try_recv().map_err(|_| "nothing was posted")?;
    match kasapay.read(&delivery)? {
        Read::Report(report) if !agrees(&report, &reference, amount) => {
            return Err(
                "posted to the right URL, and about something else: somebody has to look at it".into()
            );
        }
        Read::Report(report) if report.state == State::Settled => {
            println!("posted: paid, receipt {}", report.receipt.as_deref().unwrap_or("none"));
            println!("KasaPay signs nothing, so ask for its status before you release goods");
        }
        other => return Err(format!("posted, and no payment: {other:?}").into()),
    }
    Ok(())
}
