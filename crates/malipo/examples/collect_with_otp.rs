//! Collects from a SasaPay wallet, whose owner is sent a code and gives it to us:
//! `cargo run -p malipo --all-features --example collect_with_otp`.

#![allow(clippy::print_stdout, reason = "an example talks to a person in a terminal")]

use std::error::Error;
use std::sync::Arc;

use malipo::reqwest::ReqwestTransport;
use malipo::sasapay::{AppKeys, Config, SasaPay};
use malipo::{
    Callback, Collect, Confirm, Effect, Money, NextStep, Operation, Payer, ProviderExt, Reference, Secret,
    SystemEnv, Terms, Ticket,
};
use malipo_sim::{Gateway, Options, Sim};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sim = Sim::start(Options::new()).await?;
    let account = sim.sasapay();
    let keys = AppKeys::new(Secret::new(account.client_id()), Secret::new(account.client_secret()))?;
    let config = Config::sandbox(keys, account.merchant_code().parse()?)?.with_base_url(sim.url())?;
    let env = Arc::new(SystemEnv::new());
    let sasapay = SasaPay::new(config, Arc::new(ReqwestTransport::new()?), env.clone());

    let reference = Reference::mint(&*env);
    let terms = Terms::new(reference.clone(), Money::kes("50")?)
        .with_description("Two loaves")
        .with_callback(Callback::new(format!("https://pay.example.com/results/{reference}").parse()?));
    let payer = Payer::gateway_wallet("0708 374 149".parse()?);
    let asked = sasapay.collect(Collect::new(payer, terms)).await?;
    if asked.next_step != Some(NextStep::EnterCode) {
        return Err("this payer is not sent a code".into());
    }
    println!("asked, which is not paid: the payer was sent a code");

    // The code is confirmed as a step of the same collection: the same reference, and the gateway's name for it.
    let ticket = Ticket::new(reference.clone(), Operation::Collect).with_provider_refs(asked.provider_refs);
    let message = sim.messages().pop().ok_or("the payer has no message")?;
    let mistyped: String =
        message.code.chars().rev().map(|digit| if digit == '9' { '0' } else { '9' }).collect();
    match sasapay.confirm(Confirm::new(ticket.clone(), Secret::new(mistyped))).await {
        Err(error) if error.effect() == Effect::None => println!("a wrong code does nothing"),
        other => return Err(format!("a wrong code was taken: {other:?}").into()),
    }
    let confirmed = sasapay.confirm(Confirm::new(ticket, Secret::new(message.code))).await?;
    println!("confirmed, which is not paid either: {:?}", confirmed.state);

    sim.idle().await;
    match sim.ledger().moved(Gateway::SasaPay, reference.as_str()) {
        1 => println!("the gateway's ledger: paid once"),
        times => return Err(format!("paid {times} times").into()),
    }
    Ok(())
}
