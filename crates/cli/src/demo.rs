use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use malipo::daraja::{
    AppKeys, Certificate, Config, Daraja, Initiator, InitiatorPassword, SecurityCredential,
};
use malipo::reqwest::ReqwestTransport;
use malipo::{
    Callbacks as _, Delivery, Effect, Instruction, Money, Msisdn, Network, PayOut, Payee, Provider as _,
    Read, Reference, Secret, SystemEnv, Terms, Timer as _,
};
use malipo_sim::{DarajaAccount, DarajaKey, Fault, Gateway, Operation, Options, Sim};
use rust_decimal::Decimal;

use crate::books::{Books, Comparison, Outcome};
use crate::env::{SeededEnv, any_seed};
use crate::listener::Listener;
use crate::story::{Event, Story};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Pays with the same references and receipts as another run with this seed.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Prints one line of JSON for each event.
    #[arg(long)]
    json: bool,
}

/// What the simulated shortcode can pay from, in shillings.
const FLOAT: i64 = 10_000;
/// How late the late callback is.
const LATE: Duration = Duration::from_millis(1500);
/// When we stop waiting for a callback. Stopping changes nothing about the payment: it stays open.
const PATIENCE: Duration = Duration::from_secs(8);

/// One payment of the demonstration.
struct Scene {
    payee: &'static str,
    shillings: &'static str,
    lie: Option<&'static str>,
    faults: &'static [Fault],
}

const SCENES: &[Scene] = &[
    Scene { payee: "0708374149", shillings: "1500", lie: None, faults: &[] },
    Scene { payee: "0722000000", shillings: "25000", lie: None, faults: &[] },
    Scene {
        payee: "0110123456",
        shillings: "900",
        lie: Some("the gateway takes it, and the reply is lost"),
        faults: &[Fault::LostReply, Fault::CallbackLate(LATE)],
    },
];

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let story = if arguments.json { Story::Json } else { Story::Text };
    let seed = arguments.seed.unwrap_or_else(any_seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stage = Stage::set(story, seed).await?;
        for (number, scene) in (1..).zip(SCENES) {
            stage.play(number, scene).await?;
        }
        Ok(if stage.compare().is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// A simulated gateway, our provider for it, and our books.
struct Stage {
    story: Story,
    env: Arc<SeededEnv>,
    sim: Sim,
    daraja: Arc<Daraja>,
    listener: Listener,
    books: Books,
    patience: Duration,
}

impl Stage {
    async fn set(story: Story, seed: u64) -> Result<Self, Box<dyn Error>> {
        let env = Arc::new(SeededEnv::new(seed));
        let account = DarajaAccount::new(DarajaKey::generate()?).with_utility(Decimal::from(FLOAT));
        let sim = Sim::start(Options::new().with_seed(seed).with_daraja(account)).await?;
        let daraja = Arc::new(provider(&sim, env.clone())?);
        let listener = Listener::open(daraja.clone()).await?;
        story.tell(&Event::Started { gateway: sim.url(), callbacks: listener.origin(), seed });
        Ok(Self { story, env, sim, daraja, listener, books: Books::default(), patience: PATIENCE })
    }

    /// Pays, and waits for what the callbacks say.
    async fn play(&mut self, number: usize, scene: &Scene) -> Result<(), Box<dyn Error>> {
        let payee: Msisdn = scene.payee.parse()?;
        let amount = Money::kes(scene.shillings)?;
        let reference = Reference::mint(&*self.env);
        let terms = Terms::new(reference.clone(), amount)
            .with_description(format!("Demonstration {number}"))
            .with_callback(self.listener.mint(&reference, &*self.env)?);
        self.sim.inject(Gateway::Daraja, Operation::PayOut, scene.faults.iter().copied())?;
        self.tell(Event::Submitting { number, reference: &reference, amount, payee: &payee, lie: scene.lie });

        self.books.open(reference.clone(), amount);
        let instruction = Instruction::PayOut(PayOut::new(Payee::wallet(Network::Safaricom, payee), terms));
        match self.daraja.submit(&instruction).await {
            Ok(_) => self.tell(Event::Accepted(&reference)),
            Err(error) if error.effect() == Effect::None => {
                self.tell(Event::NotStarted(&reference, &error));
                self.books.refuse(&reference);
                return Ok(());
            }
            Err(error) => self.tell(Event::Unknown(&reference, &error)),
        }
        self.settle(&reference).await
    }

    /// Reads what is posted until it says how the payment ended, or patience does.
    async fn settle(&mut self, reference: &Reference) -> Result<(), Box<dyn Error>> {
        let clock = SystemEnv::new();
        let mut patience = clock.sleep(self.patience);
        loop {
            let delivery = tokio::select! {
                biased;
                delivery = self.listener.next() => delivery.ok_or("the callback listener has stopped")?,
                () = &mut patience => {
                    self.tell(Event::NoCallback(reference));
                    return Ok(());
                }
            };
            if self.take(&delivery)?.as_ref() == Some(reference) {
                return Ok(());
            }
        }
    }

    /// Binds a delivery to the payment it was addressed to; gives back which payment it ended, if it ended one.
    fn take(&mut self, delivery: &Delivery) -> Result<Option<Reference>, Box<dyn Error>> {
        let (Read::Report(report), Some(addressed)) = (self.daraja.read(delivery)?, &delivery.addressed)
        else {
            return Ok(None);
        };
        Ok(match self.books.bind(addressed, &report) {
            Ok(Outcome::Paid(receipt)) => {
                self.tell(Event::Paid(addressed, &receipt));
                Some(addressed.clone())
            }
            Ok(Outcome::Refused) => {
                self.tell(Event::Refused(addressed, &report));
                Some(addressed.clone())
            }
            Ok(Outcome::Open) => {
                self.tell(Event::StillOpen(addressed));
                None
            }
            Err(why) => {
                self.tell(Event::Disbelieved(addressed, &why));
                None
            }
        })
    }

    fn compare(&self) -> Comparison {
        let comparison = self.books.compare(&self.sim.ledger(), Gateway::Daraja);
        self.tell(Event::Compared(&comparison));
        comparison
    }

    fn tell(&self, event: Event<'_>) {
        self.story.tell(&event);
    }
}

/// The account at Daraja as a user would configure it, with the simulator's address.
fn provider(sim: &Sim, env: Arc<SeededEnv>) -> Result<Daraja, Box<dyn Error>> {
    let account = sim.daraja();
    let keys = AppKeys::new(Secret::new(account.consumer_key()), Secret::new(account.consumer_secret()))?;
    let certificate = Certificate::read(account.certificate_pem().as_bytes())?;
    let password = InitiatorPassword::new(account.initiator_password())?;
    let credential = SecurityCredential::encrypt(&password, &certificate)?;
    let initiator = Initiator::new(account.initiator(), credential)?;
    let config = Config::sandbox(keys, initiator, account.shortcode().parse()?)?.with_base_url(sim.url())?;
    Ok(Daraja::new(config, Arc::new(ReqwestTransport::new()?), env))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDINARY: Scene = Scene { payee: "0708374149", shillings: "1500", lie: None, faults: &[] };

    fn played(scenes: &[Scene]) -> (Stage, Comparison) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut stage = Stage::set(Story::Json, 7).await.unwrap();
            stage.patience = Duration::from_millis(400);
            for (number, scene) in (1..).zip(scenes) {
                stage.play(number, scene).await.unwrap();
            }
            stage.sim.idle().await;
            let comparison = stage.compare();
            (stage, comparison)
        })
    }

    #[test]
    fn what_nobody_told_us_is_unexplained() {
        let (_, comparison) = played(&[ORDINARY, Scene { faults: &[Fault::CallbackNever], ..ORDINARY }]);
        assert_eq!((comparison.paid_in_books, comparison.paid_in_ledger, comparison.open), (1, 2, 1));
        assert!(!comparison.is_clean());
    }

    #[test]
    fn a_callback_that_claims_another_amount_settles_nothing() {
        let (_, comparison) = played(&[Scene { faults: &[Fault::CallbackForged], ..ORDINARY }]);
        assert_eq!((comparison.paid_in_books, comparison.paid_in_ledger), (1, 1), "the true one did");
        assert!(comparison.is_clean());
    }

    #[test]
    fn what_is_turned_away_at_the_door_is_refused_and_paid_nothing() {
        let (_, comparison) = played(&[Scene { faults: &[Fault::SpikeArrest], ..ORDINARY }]);
        assert_eq!((comparison.refused, comparison.paid_in_ledger), (1, 0));
        assert!(comparison.is_clean());
    }

    #[test]
    fn books_that_differ_from_the_ledger_are_found_out() {
        let (stage, clean) = played(&[ORDINARY]);
        assert!(clean.is_clean());
        let ledger = stage.sim.ledger();
        let paid = &ledger.payments()[0];
        let reference: Reference = paid.reference.as_deref().unwrap().parse().unwrap();
        let amount = Money::kes("1500").unwrap();
        let compare = |books: &Books| books.compare(&ledger, Gateway::Daraja);

        assert_eq!(compare(&Books::default()).unexplained.len(), 1, "a payment that is not ours");
        let mut refused = Books::default();
        refused.open(reference.clone(), amount);
        refused.refuse(&reference);
        assert!(!compare(&refused).is_clean(), "refused in the books, paid in the ledger");
        let report = |receipt: &str, amount| {
            let mut report = malipo::Report::new(
                stage.daraja.id().clone(),
                malipo::State::Settled,
                malipo::Trust::Addressed,
            );
            report.reference = Some(reference.clone());
            report.amount = Some(amount);
            report.receipt = Some(receipt.to_owned());
            report
        };
        for (receipt, booked, clean) in [
            (paid.receipt().unwrap(), amount, true),
            ("ANOTHER000", amount, false),
            (paid.receipt().unwrap(), Money::kes("1501").unwrap(), false),
        ] {
            let mut books = Books::default();
            books.open(reference.clone(), booked);
            assert!(books.bind(&reference, &report(receipt, booked)).is_ok());
            assert_eq!(compare(&books).is_clean(), clean, "{receipt} {booked}");
        }
        let twice = Comparison { paid_twice: 1, ..clean };
        assert!(!twice.is_clean());
    }
}
