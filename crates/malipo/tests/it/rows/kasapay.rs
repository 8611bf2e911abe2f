use malipo::kasapay::KasaPay;
use malipo::{
    Answer, Effect, ErrorKind, Instruction, Money, Operation, PayOut, Payee, Provider as _, State, Trust,
};
use malipo_sim::{Fault, Gateway, Options};
use rust_decimal::Decimal;

use crate::rig::{Parrot, Rig, app_keys, env, kasapay, options, terms, transports};

async fn rigs() -> Vec<Rig<KasaPay>> {
    Rig::each(kasapay).await
}

fn pay(rig: &Rig<KasaPay>, reference: &str, to: Payee, amount: &str) -> Instruction {
    let to = to.with_name("Test Limited".parse().unwrap());
    Instruction::PayOut(PayOut::new(to, rig.terms(reference, amount)))
}

fn paybill() -> Payee {
    Payee::paybill("565656".parse().unwrap(), "0101".parse().unwrap())
}

fn till() -> Payee {
    Payee::till("123456".parse().unwrap())
}

fn bank() -> Payee {
    Payee::bank(None, "08292000000849".parse().unwrap())
}

/// Pays once, and looks into the ledger.
async fn paid_once(to: Payee, party: &str) {
    for rig in rigs().await {
        rig.done(pay(&rig, "PAY-1", to.clone(), "1500.50")).await;
        let ledger = rig.sim.ledger();
        assert_eq!(ledger.moved(Gateway::KasaPay, "PAY-1"), 1, "over {}", rig.over);
        let payment = ledger.find(Gateway::KasaPay, "PAY-1").unwrap();
        assert_eq!((payment.party.as_str(), payment.amount), (party, Decimal::new(150_050, 2)));
        assert_eq!(ledger.paid_to(Gateway::KasaPay, party, "KES"), Decimal::new(150_050, 2));
    }
}

#[tokio::test]
async fn row_01_token() {
    for rig in rigs().await {
        rig.done(pay(&rig, "PAY-1", till(), "10")).await;
        rig.done(pay(&rig, "PAY-2", till(), "10")).await;
        assert_eq!(
            rig.sim.calls(Gateway::KasaPay, malipo_sim::Operation::Token),
            1,
            "kept over {}",
            rig.over
        );
        rig.sim.inject(Gateway::KasaPay, malipo_sim::Operation::PayOut, [Fault::TokenExpired]).unwrap();
        rig.done(pay(&rig, "PAY-3", till(), "10")).await;
        assert_eq!(rig.sim.calls(Gateway::KasaPay, malipo_sim::Operation::Token), 2, "renewed once");
        assert_eq!(rig.moved(Gateway::KasaPay, "PAY-3"), 1);
    }
}

#[tokio::test]
async fn row_02_payout_to_paybill() {
    paid_once(paybill(), "565656").await;
}

#[tokio::test]
async fn row_03_payout_to_till() {
    paid_once(till(), "123456").await;
}

#[tokio::test]
async fn row_04_payout_to_bank() {
    paid_once(bank(), "08292000000849").await;
}

#[tokio::test]
async fn row_05_status() {
    for rig in rigs().await {
        let accepted = rig.done(pay(&rig, "PAY-1", till(), "10")).await;
        let Answer::Known(paid) = rig.ask("PAY-1", Operation::PayOut, &accepted).await else { panic!() };
        assert_eq!(
            (paid.state, paid.amount, paid.trust),
            (State::Settled, Money::kes("10").ok(), Trust::Answered)
        );
        let rejected = rig.done(pay(&rig, "PAY-2", till(), "99000000")).await;
        let Answer::Known(failed) = rig.ask("PAY-2", Operation::PayOut, &rejected).await else { panic!() };
        assert_eq!((failed.state, rig.moved(Gateway::KasaPay, "PAY-2")), (State::Failed, 0));
        assert!(matches!(rig.ask("PAY-9", Operation::PayOut, &accepted).await, Answer::NoSuchReference));
    }
}

#[tokio::test]
async fn row_06_callback() {
    for rig in rigs().await {
        rig.sim.inject(Gateway::KasaPay, malipo_sim::Operation::PayOut, [Fault::CallbackTwice]).unwrap();
        rig.done(pay(&rig, "PAY-1", paybill(), "100")).await;
        let reports = rig.reports();
        assert_eq!(reports.len(), 2, "told twice over {}", rig.over);
        for report in &reports {
            assert_eq!((report.state, report.amount), (State::Settled, Money::kes("100").ok()));
            assert_eq!(
                (report.reference.as_ref().unwrap().as_str(), report.trust),
                ("PAY-1", Trust::Addressed)
            );
            assert_eq!(report.receipt, reports[0].receipt, "the same payment, however often it is told");
        }
        assert_eq!(rig.moved(Gateway::KasaPay, "PAY-1"), 1);
        let acknowledged = rig.sim.events().iter().filter(|event| was_answered(event)).count();
        assert_eq!(acknowledged, 2, "each delivery was answered with 200");
    }
}

fn was_answered(event: &malipo_sim::Event) -> bool {
    matches!(event, malipo_sim::Event::Callback { delivery: malipo_sim::Delivery::Answered(200), .. })
}

const TOKEN: &str = r#"{"access_token":"a-token-of-nobody","expiresIn":3600}"#;

async fn answered(status: u16, body: &str) -> Vec<(Parrot, KasaPay)> {
    let mut providers = Vec::new();
    for (_, transport) in transports() {
        let parrot = Parrot::saying("/v1/auth", TOKEN, status, body).await;
        let config = malipo::kasapay::Config::sandbox(app_keys("key", "secret"), "12346").unwrap();
        let config = config.with_base_url(&parrot.url).unwrap();
        providers.push((parrot, KasaPay::new(config, transport, env())));
    }
    providers
}

#[tokio::test]
async fn row_07_codes() {
    for (code, state) in [
        ("700", State::Settled),
        ("701", State::Failed),
        ("702", State::Reversed),
        ("703", State::Pending),
        ("704", State::Pending),
        ("705", State::Reversed),
        ("706", State::Pending),
    ] {
        let told = format!(
            r#"{{"payout_reference":"PAY-1","transaction_id":"10001","payment_status":{code},"amount":"10.00","currency":"KES"}}"#
        );
        for (_parrot, kasapay) in answered(200, &told).await {
            let ticket = malipo::Ticket::new("PAY-1".parse().unwrap(), Operation::PayOut);
            let Answer::Known(report) = kasapay.status(&ticket).await.unwrap() else { panic!("{code}") };
            assert_eq!((report.state, report.code.as_deref()), (state, Some(code)));
        }
    }
    let accepted = r#"{"payout_reference":"PAY-1","response_code":720,"response_description":"accepted"}"#;
    let refused = r#"{"response_code":721,"response_description":"no","error_code":"SERVICE_NOT_ALLOWED"}"#;
    let envelope = r#"{"statusCode":400,"message":"Invalid credentials","error":"Bad Request"}"#;
    for (status, body, outcome) in [
        (200, accepted, Ok(State::Pending)),
        (200, refused, Err((ErrorKind::Refused, Effect::None))),
        (400, envelope, Err((ErrorKind::Refused, Effect::None))),
        (200, r#"{"response_code":722}"#, Err((ErrorKind::Unlisted, Effect::Unknown))),
    ] {
        for (_parrot, kasapay) in answered(status, body).await {
            let to = till().with_name("Test Limited".parse().unwrap());
            let callback = malipo::Callback::new("https://pay.example.com/1".parse().unwrap());
            let terms = terms("PAY-1", "10").with_callback(callback);
            let submitted = kasapay.submit(&Instruction::PayOut(PayOut::new(to, terms))).await;
            let came = submitted.map(|report| report.state).map_err(|error| (error.kind(), error.effect()));
            assert_eq!(came, outcome, "{body}");
        }
    }
    wrong_keys_are_told_by_the_envelope().await;
}

async fn wrong_keys_are_told_by_the_envelope() {
    let wrong = |sim: &malipo_sim::Sim, transport| {
        let config = malipo::kasapay::Config::sandbox(app_keys("another key", "another secret"), "12346");
        KasaPay::new(config.unwrap().with_base_url(sim.url()).unwrap(), transport, env())
    };
    for rig in Rig::each_with(|_| -> Options { options() }, wrong).await {
        let error = rig.submit(pay(&rig, "PAY-1", till(), "10")).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect(), error.status()),
            (ErrorKind::Credentials, Effect::None, Some(400))
        );
        assert_eq!(rig.moved(Gateway::KasaPay, "PAY-1"), 0);
    }
}
