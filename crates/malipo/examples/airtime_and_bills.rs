//! Buys airtime, a data bundle, a voucher and prepaid power through Kyanda, and asks for what was bought:
//! `cargo run -p malipo --all-features --example airtime_and_bills`.

#![allow(clippy::print_stdout, reason = "an example talks to a person in a terminal")]

use std::error::Error;
use std::sync::Arc;

use malipo::kyanda::{Config, FaibaBundle, Initiator, Keys, Kyanda};
use malipo::reqwest::ReqwestTransport;
use malipo::{
    Airtime, Answer, Balances, Bill, Biller, Money, Network, Operation, Provider, ProviderExt, Reference,
    Report, Secret, State, SystemEnv, Terms, Ticket, Voucher,
};
use malipo_sim::{Options, Sim};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sim = Sim::start(Options::new()).await?;
    let account = sim.kyanda();
    let keys = Keys::new(Secret::new(account.api_key()))?;
    let initiator = Initiator::new("John Doe".parse()?, "Kenya", "0715330000".parse()?)?;
    let config = Config::sandbox(keys, account.merchant_id(), initiator)?.with_base_url(sim.url())?;
    let env = Arc::new(SystemEnv::new());
    let kyanda = Kyanda::new(config, Arc::new(ReqwestTransport::new()?), env.clone());
    let customer = "0733 000 111".parse::<malipo::Msisdn>()?;

    // Kyanda is told no reference of ours: each of these is sent at most once, and asked about by Kyanda's own name.
    let terms = |amount| Terms::new(Reference::mint(&*env), amount);
    let airtime = Airtime::new(customer.clone(), Network::Airtel, terms(Money::kes("100")?));
    let bundle = FaibaBundle::NAMED.first().ok_or("there are bundles")?;
    let data_terms = terms(bundle.price()).with_detail("bundle", bundle.name());
    let data = Airtime::new(customer.clone(), Network::Faiba, data_terms);
    let voucher = Voucher::new(customer, Network::Safaricom, terms(Money::kes("50")?));
    let power = Bill::new(Biller::KenyaPowerPrepaid, "04123456789".parse()?, terms(Money::kes("1000")?));

    let bought = [
        (Operation::Airtime, "airtime", kyanda.airtime(airtime).await?),
        (Operation::Airtime, "a data bundle", kyanda.airtime(data).await?),
        (Operation::Voucher, "a voucher", kyanda.voucher(voucher).await?),
        (Operation::Bill, "prepaid power", kyanda.pay_bill(power).await?),
    ];
    sim.idle().await;
    for (operation, what, accepted) in bought {
        let report = asked(&kyanda, operation, accepted).await?;
        // The values are worth money to whoever knows them, so they print only where you expose them.
        let goods: Vec<_> = report.goods.iter().map(|good| good.kind).collect();
        if report.state != State::Settled {
            return Err(format!("{what}: {:?}", report.state).into());
        }
        println!("{what}: bought, with {goods:?}");
    }
    for balance in kyanda.balances().await?.balances {
        println!("{}: {}", balance.account, balance.available);
    }
    Ok(())
}

async fn asked(
    provider: &dyn Provider,
    operation: Operation,
    accepted: Report,
) -> Result<Report, Box<dyn Error>> {
    let reference = accepted.reference.ok_or("an acceptance says whose it is")?;
    let ticket = Ticket::new(reference, operation).with_provider_refs(accepted.provider_refs);
    match provider.status(&ticket).await? {
        Answer::Known(report) => Ok(report),
        other => Err(format!("{other:?}").into()),
    }
}
