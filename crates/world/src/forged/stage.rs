//! Books with payments that nobody has decided yet, and what their gateways will post of them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use malipo::journal::{
    self, Address, CallbackKey, CallbackUrls, Payment, PaymentId, Payments, Policy, SqliteJournal,
};
use malipo::transport::http::{Request, Response};
use malipo::transport::{Bytes, Failure, Transport, TransportError};
use malipo::{
    Collect, DeliveryPurpose, Env as _, Instruction, Money, Network, PayOut, Payee, Payer, Provider as _,
    Secret, Terms, async_trait,
};
use malipo_receiver::Receiver;
use malipo_sim::{Callback, DarajaAccount, Gateway, KasaPayAccount, KyandaAccount, Options, World};
use rust_decimal::Decimal;

use super::{Forgeries, GATEWAYS};
use crate::clock::Clock;
use crate::postman::{Door, HonestDoor};
use crate::unbuilt::Unbuilt;

/// Below which URL the gateways post.
const BASE: &str = "http://127.0.0.1:8400/in";
/// How long the gateways take to decide: long enough for everything that is forged.
pub(super) const DECIDED_AFTER: Duration = Duration::from_secs(3 * 3600);

/// Everything.
pub(super) struct Stage {
    pub(super) clock: Clock,
    /// The gateways, which have taken the payments and have not decided them.
    pub(super) gateways: World,
    pub(super) payments: Payments,
    pub(super) receiver: Receiver,
    pub(super) door: Arc<dyn Door>,
    /// The file, read as anybody could.
    pub(super) books: SqliteJournal,
    pub(super) urls: CallbackUrls,
    /// What made URLs once, and is no longer good.
    pub(super) retired: CallbackUrls,
    pub(super) all: Vec<Open>,
}

/// A payment that is open.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) gateway: Gateway,
    pub(super) id: PaymentId,
    /// What its gateway will post once it has paid.
    pub(super) genuine: Callback,
}

/// What a payment is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its true failure is posted, to show that the bodies decide something.
    Fails,
    /// Its true success is, for the same.
    Succeeds,
    /// Only what has no token is posted of it.
    Untouched,
    /// Everything is.
    Doubted,
}

impl Role {
    /// The role of the payment of this number at its gateway.
    pub(super) const fn of(number: usize) -> Self {
        match number {
            0 => Self::Fails,
            1 => Self::Succeeds,
            number if number % 5 == 4 => Self::Untouched,
            _ => Self::Doubted,
        }
    }
}

/// Sends to two worlds that are alike, of which one decides at once: what that one posts is what the other will post.
#[derive(Debug)]
struct Twins {
    gateways: World,
    hasty: World,
    both: AtomicBool,
}

#[async_trait]
impl Transport for Twins {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let answer = self.gateways.handle(&request);
        if self.both.load(Ordering::SeqCst) {
            drop(self.hasty.handle(&request));
        }
        answer.reply.ok_or(TransportError::after_send(Failure::Broken))
    }
}

/// The number that an account has in callback URLs.
const fn number(gateway: Gateway) -> u32 {
    match gateway {
        Gateway::Daraja => 1,
        Gateway::KasaPay => 2,
        Gateway::SasaPay => 3,
        _ => 4,
    }
}

/// The URLs that are good in there: whoever is to ignore a tag has to know what is behind it.
pub(super) fn urls(now: malipo::Timestamp) -> Result<(CallbackUrls, CallbackUrls), Unbuilt> {
    let key = |id| CallbackKey::new(id, Secret::new(format!("{id}: a key of at least thirty-two bytes")));
    let mut urls = CallbackUrls::new(BASE, key(1)?)?.with_retired(key(2)?, now)?;
    let mut retired = CallbackUrls::new(BASE, key(2)?)?;
    // Also for accounts that there are not, since a forgery may name one.
    for (account, (newer, older)) in (1..=14).zip((51..).zip(151..)) {
        urls = urls.with_notice_key(account, key(newer)?)?;
        urls = urls.with_retired_notice_key(account, key(older)?, now)?;
        retired = retired.with_notice_key(account, key(older)?)?;
    }
    Ok((urls, retired))
}

impl Stage {
    /// Submits `each` payments at each gateway.
    pub(super) async fn set(run: &Forgeries<'_>, folder: &Path, each: u32) -> Result<Self, Unbuilt> {
        let clock = Clock::seeded(run.seed);
        let timer = Arc::new(clock.clone());
        let (urls, retired) = urls(clock.now())?;
        let notices = urls.mint(Address::of_account(number(Gateway::Kyanda), DeliveryPurpose::Notice))?;
        let plenty = Decimal::from(1_000_000_000_i64);
        let world = |delay| -> Result<World, Unbuilt> {
            let kyanda = KyandaAccount::new().with_float(plenty).with_callback_url(notices.as_str().parse()?);
            let daraja: DarajaAccount = run.house.daraja().with_utility(plenty);
            let options = Options::new()
                .with_env(timer.clone())
                .with_seed(run.seed)
                .with_result_delay(delay)
                .with_daraja(daraja)
                .with_kasapay(KasaPayAccount::new().with_kes_float(plenty))
                .with_kyanda(kyanda);
            Ok(World::new(options)?)
        };
        let twins = Arc::new(Twins {
            gateways: world(DECIDED_AFTER)?,
            hasty: world(Duration::ZERO)?,
            both: AtomicBool::new(true),
        });
        let file = folder.join("books.db");
        let journal = Arc::new(SqliteJournal::open(file.as_path(), timer.clone())?);
        let journal = run.altered.journal(journal, &file, timer.clone());
        let mut payments = Payments::new(journal, urls.clone(), timer.clone(), "forged".parse()?);
        for gateway in GATEWAYS {
            let transport = run.altered.transport(twins.clone());
            let account = run.house.provider(gateway, &twins.gateways, transport, timer.clone())?;
            let account = run.altered.account(account);
            let policy = run.altered.policy(Policy::of(account.capabilities()));
            let account = journal::Account::new(number(gateway), Arc::new(account)).with_policy(policy);
            payments = payments.with_account(account)?;
        }
        let mut taken = Vec::new();
        for gateway in GATEWAYS {
            for one in 0..each {
                let (key, id) = (format!("{gateway}-{one}").parse()?, gateway.as_str().parse()?);
                taken.push((gateway, payments.submit(&id, key, order(gateway, one)?).await?));
            }
        }
        twins.both.store(false, Ordering::SeqCst);
        let all = genuine(&twins.hasty, &taken, &urls, &clock)?;
        Ok(Self {
            receiver: Receiver::new(payments.clone()),
            door: run.altered.door(Arc::new(HonestDoor), timer.clone()),
            books: SqliteJournal::inline(file.as_path(), timer)?,
            gateways: twins.gateways.clone(),
            clock,
            payments,
            urls,
            retired,
            all,
        })
    }
}

/// What each gateway posts of its payments.
fn genuine(
    hasty: &World,
    taken: &[(Gateway, Payment)],
    urls: &CallbackUrls,
    clock: &Clock,
) -> Result<Vec<Open>, Unbuilt> {
    let mut posted = Vec::new();
    while hasty.next_due().is_some_and(|due| due <= clock.monotonic()) {
        posted.extend(hasty.take_due());
    }
    let mut all = Vec::new();
    for (gateway, payment) in taken {
        let is_of = |callback: &&Callback| {
            let address = urls.verify(callback.request().uri().path(), clock.now());
            let named = payment.provider_refs.iter().any(|known| known.value == callback.reference());
            callback.gateway() == *gateway
                && address.is_some_and(|address| address.payment.map_or(named, |id| id == payment.id))
        };
        let genuine =
            posted.iter().find(is_of).ok_or(Unbuilt::because("a gateway posts nothing of a payment"))?;
        all.push(Open { gateway: *gateway, id: payment.id, genuine: genuine.clone() });
    }
    Ok(all)
}

/// A payment with an amount and a party of its own.
fn order(gateway: Gateway, number: u32) -> Result<Instruction, Unbuilt> {
    let terms = Terms::new("REPLACED".parse()?, Money::shillings(1000 + number));
    let customer = || format!("0722{number:06}").parse();
    Ok(match gateway {
        Gateway::KasaPay => {
            let payee = Payee::till((500_000 + number).to_string().parse()?);
            Instruction::PayOut(PayOut::new(payee.with_name("Test Limited".parse()?), terms))
        }
        Gateway::SasaPay => {
            let payer = Payer::mobile_money(Network::Safaricom, customer()?);
            Instruction::Collect(Collect::new(payer, terms))
        }
        _ => Instruction::PayOut(PayOut::new(Payee::wallet(Network::Safaricom, customer()?), terms)),
    })
}
