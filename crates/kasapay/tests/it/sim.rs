//! The provider against the simulator, over real sockets: what was said, and what the ledger knows.

use std::sync::Arc;
use std::time::Duration;

use malipo_core::{
    Answer, Effect, Error, ErrorKind, Instruction, Money, PayOut, Payee, Provider, Report, Secret, State,
    SystemEnv, Terms, Ticket,
};
use malipo_kasapay::{AppKeys, Config, KasaPay};
use malipo_reqwest::ReqwestTransport;
use malipo_sim::{DarajaAccount, DarajaKey, Fault, Gateway, Operation, Options, Sim};

struct Rig {
    sim: Sim,
    kasapay: KasaPay,
}

impl Rig {
    async fn start() -> Self {
        let key = DarajaKey::generate().unwrap();
        let sim = Sim::start(Options::new().with_daraja(DarajaAccount::new(key))).await.unwrap();
        let account = sim.kasapay();
        let keys = AppKeys::new(Secret::new(account.consumer_key()), Secret::new(account.consumer_secret()))
            .unwrap();
        let config = Config::sandbox(keys, account.service_code()).unwrap().with_base_url(sim.url()).unwrap();
        let options = malipo_reqwest::Options::new()
            .with_connect_timeout(Duration::from_millis(250))
            .with_read_timeout(Duration::from_millis(500));
        let transport = Arc::new(ReqwestTransport::with_options(options).unwrap());
        Self { kasapay: KasaPay::new(config, transport, Arc::new(SystemEnv::new())), sim }
    }

    async fn pay(&self, payee: Payee, reference: &str, amount: Money) -> Result<Report, Error> {
        let callback = malipo_core::Callback::new("http://127.0.0.1:9/result".parse().unwrap());
        let terms = Terms::new(reference.parse().unwrap(), amount).with_callback(callback);
        let payee = payee.with_name("Test Limited".parse().unwrap());
        self.kasapay.submit(&Instruction::PayOut(PayOut::new(payee, terms))).await
    }

    async fn asked(&self, reference: &str) -> Answer {
        let ticket = Ticket::new(reference.parse().unwrap(), malipo_core::Operation::PayOut);
        self.kasapay.status(&ticket).await.unwrap()
    }
}

fn till() -> Payee {
    Payee::till("565656".parse().unwrap())
}

fn kes(text: &str) -> Money {
    Money::kes(text).unwrap()
}

#[tokio::test]
async fn every_kind_of_payee_is_paid_once_and_can_be_asked_about() {
    let rig = Rig::start().await;
    let dollars = Money::parse("12.50", malipo_core::Currency::Usd).unwrap();
    for (reference, payee, amount) in [
        ("PAY-1", Payee::paybill("565656".parse().unwrap(), "0101".parse().unwrap()), kes("10.50")),
        ("PAY-2", till(), kes("100")),
        ("PAY-3", Payee::bank(None, "0829212345849".parse().unwrap()), dollars),
    ] {
        let accepted = rig.pay(payee, reference, amount).await.unwrap();
        assert_eq!(accepted.state, State::Pending, "accepted is not paid");
        rig.sim.idle().await;
        let Answer::Known(report) = rig.asked(reference).await else { panic!("{reference}") };
        assert_eq!((report.state, report.amount), (State::Settled, Some(amount)), "{reference}");
        let ledger = rig.sim.ledger();
        assert_eq!(ledger.moved(Gateway::KasaPay, reference), 1);
        assert_eq!(ledger.find(Gateway::KasaPay, reference).unwrap().amount, amount.amount());
    }
    assert!(matches!(rig.asked("PAY-9").await, Answer::NoSuchReference));
}

#[tokio::test]
async fn a_float_that_is_too_low_fails_the_payout_and_moves_nothing() {
    let rig = Rig::start().await;
    rig.pay(till(), "PAY-1", kes("99000000")).await.unwrap();
    rig.sim.idle().await;
    let Answer::Known(report) = rig.asked("PAY-1").await else { panic!() };
    assert_eq!((report.state, report.code.as_deref()), (State::Failed, Some("701")));
    assert_eq!(rig.sim.ledger().moved(Gateway::KasaPay, "PAY-1"), 0);
}

#[tokio::test]
async fn what_is_lost_is_unknown_is_not_resent_and_is_settled_by_asking() {
    for fault in [
        Fault::LostReply,
        Fault::ErrorAfterAccept,
        Fault::HtmlPage,
        Fault::TruncatedJson,
        Fault::SlowReply(Duration::from_millis(900)),
    ] {
        let rig = Rig::start().await;
        rig.sim.inject(Gateway::KasaPay, Operation::PayOut, [fault]);
        let error = rig.pay(till(), "PAY-1", kes("10")).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown, "{fault:?}: {error}");
        rig.sim.idle().await;
        assert_eq!(rig.sim.calls(Gateway::KasaPay, Operation::PayOut), 1, "{fault:?}");
        let Answer::Known(report) = rig.asked("PAY-1").await else { panic!("{fault:?}") };
        assert_eq!(report.state, State::Settled, "{fault:?}");
        assert_eq!(rig.sim.ledger().moved(Gateway::KasaPay, "PAY-1"), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_repeated_reference_is_unknown_and_paid_once() {
    let rig = Rig::start().await;
    rig.pay(till(), "PAY-1", kes("10")).await.unwrap();
    let error = rig.pay(till(), "PAY-1", kes("10")).await.unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown, "{error}");
    rig.sim.idle().await;
    assert_eq!(rig.sim.ledger().moved(Gateway::KasaPay, "PAY-1"), 1);
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_and_wrong_keys_move_nothing() {
    let rig = Rig::start().await;
    rig.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::TokenExpired]);
    assert_eq!(rig.pay(till(), "PAY-1", kes("10")).await.unwrap().state, State::Pending);
    assert_eq!(rig.sim.calls(Gateway::KasaPay, Operation::Token), 2);

    let keys = AppKeys::new(Secret::new("another key"), Secret::new("another secret")).unwrap();
    let config = Config::sandbox(keys, "12346").unwrap().with_base_url(rig.sim.url()).unwrap();
    let transport = Arc::new(ReqwestTransport::new().unwrap());
    let wrong = Rig { kasapay: KasaPay::new(config, transport, Arc::new(SystemEnv::new())), ..rig };
    let error = wrong.pay(till(), "PAY-2", kes("10")).await.unwrap_err();
    assert_eq!((error.effect(), error.kind()), (Effect::None, ErrorKind::Credentials), "{error}");
    assert_eq!(wrong.sim.ledger().moved(Gateway::KasaPay, "PAY-2"), 0);
}
