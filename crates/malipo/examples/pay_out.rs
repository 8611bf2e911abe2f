//! Pays a till through KasaPay and asks until it is known what became of the payment. The gateway is simulated on this
//! machine, so no account is needed: `cargo run -p malipo --all-features --example pay_out`.

#![allow(clippy::print_stdout, reason = "an example talks to a person in a terminal")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use malipo::kasapay::{AppKeys, Config, KasaPay};
use malipo::reqwest::ReqwestTransport;
use malipo::{
    Answer, Callback, Effect, Money, Operation, PayOut, Payee, Provider, ProviderExt, Reference, Report,
    Secret, State, SystemEnv, Terms, Ticket, Timer,
};
use malipo_sim::{Options, Sim};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sim = Sim::start(Options::new()).await?;
    let account = sim.kasapay();
    let keys = AppKeys::new(Secret::new(account.consumer_key()), Secret::new(account.consumer_secret()))?;
    let config = Config::sandbox(keys, account.service_code())?.with_base_url(sim.url())?;
    let env = Arc::new(SystemEnv::new());
    let kasapay = KasaPay::new(config, Arc::new(ReqwestTransport::new()?), env.clone());

    // Keep the reference before you send: it is how you ask later, whatever happens to this program.
    let reference = Reference::mint(&*env);
    let payee = Payee::till("565656".parse()?).with_name("Mama Mboga Ltd".parse()?);
    let terms = Terms::new(reference.clone(), Money::kes("1500")?)
        .with_callback(Callback::new(format!("https://pay.example.com/results/{reference}").parse()?));

    match kasapay.pay_out(PayOut::new(payee, terms)).await {
        Ok(report) => println!("accepted, which is not paid: {:?}", report.state),
        Err(error) if error.effect() == Effect::None => return Err(error.into()),
        Err(error) => println!("nobody knows yet, so ask: {error}"),
    }
    let report = asked_until_known(&kasapay, &reference, &*env).await?;
    match (report.state, report.receipt) {
        (State::Settled, Some(receipt)) => println!("paid, receipt {receipt}"),
        (state, _) => return Err(format!("not paid: {state:?}, {:?}", report.text).into()),
    }
    Ok(())
}

async fn asked_until_known(
    provider: &dyn Provider,
    reference: &Reference,
    timer: &dyn Timer,
) -> Result<Report, Box<dyn Error>> {
    let ticket = Ticket::new(reference.clone(), Operation::PayOut);
    for _ in 0..50 {
        match provider.status(&ticket).await {
            Ok(Answer::Known(report)) if report.state != State::Pending => return Ok(report),
            Ok(_) => {}
            Err(error) => println!("not answered, so ask again: {error}"),
        }
        timer.sleep(Duration::from_millis(100)).await;
    }
    Err(format!("{reference} is still open: keep asking, and do not pay again").into())
}
