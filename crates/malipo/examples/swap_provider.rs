//! One function pays anybody through any gateway: `cargo run -p malipo --all-features --example swap_provider`.
//!
//! Which gateway it is, is decided where the provider is put together, and nowhere else. What differs between them is
//! data: `Provider::capabilities`.

#![allow(clippy::print_stdout, reason = "an example talks to a person in a terminal")]

use std::error::Error;
use std::sync::Arc;

use malipo::daraja::{self, Certificate, Daraja, InitiatorPassword, SecurityCredential};
use malipo::kasapay::{self, KasaPay};
use malipo::kyanda::{self, Keys, Kyanda};
use malipo::reqwest::ReqwestTransport;
use malipo::transport::Transport;
use malipo::{
    Bank, Callback, CallbackUse, Env, Instruction, Money, Network, PayOut, Payee, Provider, Reference,
    Report, Secret, SystemEnv, Terms,
};
use malipo_sim::{Options, Sim};

/// Pays `payee` through whichever gateway this is.
async fn pay(
    provider: Arc<dyn Provider>,
    payee: Payee,
    amount: Money,
    env: &dyn Env,
) -> Result<Report, Box<dyn Error>> {
    let terms = Terms::new(Reference::mint(env), amount);
    // Digits only: Daraja never calls a URL with words such as `cmd` in it, and letters spell one sooner or later.
    let mut random = [0; 16];
    env.fill_bytes(&mut random);
    let unguessable = u128::from_le_bytes(random);
    let pay_out = PayOut::new(payee.clone(), terms.clone());
    let ability = provider.capabilities().ability(&Instruction::PayOut(pay_out));
    let terms = match ability.map(|ability| ability.callback) {
        None | Some(CallbackUse::None) => terms,
        Some(_) => terms.with_callback(
            Callback::new(format!("https://pay.example.com/1/{unguessable}").parse()?)
                .with_timeout(format!("https://pay.example.com/2/{unguessable}").parse()?),
        ),
    };
    Ok(provider.submit(&Instruction::PayOut(PayOut::new(payee, terms))).await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sim = Sim::start(Options::new()).await?;
    let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new()?);
    let env: Arc<SystemEnv> = Arc::new(SystemEnv::new());

    let jane: Payee = Payee::wallet(Network::Safaricom, "0708 374 149".parse()?);
    let shop = Payee::till("565656".parse()?).with_name("Mama Mboga Ltd".parse()?);
    let harry = Payee::bank(Some(Bank::Equity), "2042581154".parse()?)
        .with_name("Harry Kessy".parse()?)
        .with_phone("0715330000".parse()?);
    let payments: [(Arc<dyn Provider>, Payee, &str); 3] = [
        (Arc::new(daraja(&sim, transport.clone(), env.clone())?), jane, "1500"),
        (Arc::new(kasapay(&sim, transport.clone(), env.clone())?), shop, "250.50"),
        (Arc::new(kyanda(&sim, transport, env.clone())?), harry, "9000"),
    ];
    for (provider, payee, amount) in payments {
        let report = pay(provider.clone(), payee, Money::kes(amount)?, &*env).await?;
        println!("{}: {:?}, which is not paid yet", provider.id(), report.state);
    }
    sim.idle().await;
    match sim.ledger().moves().len() {
        3 => println!("the gateways' ledgers: three payments made"),
        made => return Err(format!("{made} payments made").into()),
    }
    Ok(())
}

fn daraja(sim: &Sim, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Result<Daraja, Box<dyn Error>> {
    let account = sim.daraja();
    let certificate = Certificate::read(account.certificate_pem().as_bytes())?;
    let password = InitiatorPassword::new(account.initiator_password())?;
    let credential = SecurityCredential::encrypt(&password, &certificate)?;
    let initiator = daraja::Initiator::new(account.initiator(), credential)?;
    let keys =
        daraja::AppKeys::new(Secret::new(account.consumer_key()), Secret::new(account.consumer_secret()))?;
    let config = daraja::Config::sandbox(keys, initiator, account.shortcode().parse()?)?;
    Ok(Daraja::new(config.with_base_url(sim.url())?, transport, env))
}

fn kasapay(sim: &Sim, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Result<KasaPay, Box<dyn Error>> {
    let account = sim.kasapay();
    let keys =
        kasapay::AppKeys::new(Secret::new(account.consumer_key()), Secret::new(account.consumer_secret()))?;
    let config = kasapay::Config::sandbox(keys, account.service_code())?;
    Ok(KasaPay::new(config.with_base_url(sim.url())?, transport, env))
}

fn kyanda(sim: &Sim, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Result<Kyanda, Box<dyn Error>> {
    let account = sim.kyanda();
    let keys = Keys::new(Secret::new(account.api_key()))?;
    let initiator = kyanda::Initiator::new("John Doe".parse()?, "Kenya", "0715330000".parse()?)?;
    let config = kyanda::Config::sandbox(keys, account.merchant_id(), initiator)?;
    Ok(Kyanda::new(config.with_base_url(sim.url())?, transport, env))
}
