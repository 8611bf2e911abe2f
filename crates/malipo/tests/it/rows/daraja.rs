use malipo::daraja::{Certificate, Config, Daraja, Initiator, InitiatorPassword, SecurityCredential};
use malipo::{
    Effect, ErrorKind, Instruction, Money, Network, PayOut, Payee, Provider as _, Purpose, State, Trust,
};
use malipo_sim::{Fault, Gateway, Operation, PaymentState};
use rust_decimal::Decimal;

use crate::rig::{Inbox, Parrot, Rig, app_keys, daraja, daraja_account, env, options, terms, transports};

const ORDINARY: &str = "254708374149";

async fn rigs() -> Vec<Rig<Daraja>> {
    Rig::each(daraja).await
}

fn pay(rig: &Rig<Daraja>, reference: &str, amount: &str, purpose: Purpose) -> Instruction {
    let payee = Payee::wallet(Network::Safaricom, ORDINARY.parse().unwrap());
    Instruction::PayOut(PayOut::new(payee, rig.terms(reference, amount).with_purpose(purpose)))
}

/// Pays once, and looks into the ledger.
async fn paid_once(purpose: Purpose) {
    for rig in rigs().await {
        rig.done(pay(&rig, "PAY-1", "1500", purpose)).await;
        let ledger = rig.sim.ledger();
        assert_eq!(ledger.moved(Gateway::Daraja, "PAY-1"), 1, "over {}", rig.over);
        assert_eq!(ledger.paid_to(Gateway::Daraja, ORDINARY, "KES"), Decimal::new(1500, 0));
        assert_eq!(rig.sim.calls(Gateway::Daraja, Operation::PayOut), 1);
    }
}

#[tokio::test]
async fn row_08_salary() {
    paid_once(Purpose::Salary).await;
}

#[tokio::test]
async fn row_09_business() {
    paid_once(Purpose::General).await;
}

#[tokio::test]
async fn row_10_promotion() {
    paid_once(Purpose::Promotion).await;
    // Only a salary may go to somebody who is not registered, which tells the three apart at the gateway.
    for (purpose, moved) in [(Purpose::Salary, 1), (Purpose::General, 0), (Purpose::Promotion, 0)] {
        for rig in rigs().await {
            let payee = Payee::wallet(Network::Safaricom, "254700000101".parse().unwrap());
            let terms = rig.terms("PAY-1", "10").with_purpose(purpose);
            rig.done(Instruction::PayOut(PayOut::new(payee, terms))).await;
            assert_eq!(rig.moved(Gateway::Daraja, "PAY-1"), moved, "{purpose:?} over {}", rig.over);
        }
    }
}

#[tokio::test]
async fn row_11_security_credential() {
    // The simulator opens each credential with its own private key: nothing but the password may be in it.
    for rig in rigs().await {
        rig.done(pay(&rig, "PAY-1", "10", Purpose::General)).await;
        assert_eq!(rig.moved(Gateway::Daraja, "PAY-1"), 1, "over {}", rig.over);
    }
    let wrong = |sim: &malipo_sim::Sim, transport| {
        let account = sim.daraja();
        let certificate = Certificate::read(account.certificate_pem().as_bytes()).unwrap();
        let password = InitiatorPassword::new("another password").unwrap();
        let credential = SecurityCredential::encrypt(&password, &certificate).unwrap();
        let initiator = Initiator::new(account.initiator(), credential).unwrap();
        let keys = app_keys(account.consumer_key(), account.consumer_secret());
        let config = Config::sandbox(keys, initiator, account.shortcode().parse().unwrap()).unwrap();
        Daraja::new(config.with_base_url(sim.url()).unwrap(), transport, env())
    };
    for rig in Rig::each_with(|_| options(), wrong).await {
        rig.done(pay(&rig, "PAY-1", "10", Purpose::General)).await;
        let report = rig.reports().remove(0);
        assert_eq!(
            (report.state, report.code.as_deref()),
            (State::Failed, Some("2001")),
            "over {}",
            rig.over
        );
        assert_eq!(rig.moved(Gateway::Daraja, "PAY-1"), 0);
    }
}

const TOKEN: &str = r#"{"access_token":"a-token-of-nobody","expires_in":"3599"}"#;

/// What a payout comes to that is answered so, over each transport.
async fn answered(status: u16, body: &str) -> Vec<Result<State, (ErrorKind, Effect)>> {
    let mut outcomes = Vec::new();
    for (_, transport) in transports() {
        let parrot = Parrot::saying("/oauth/v1/generate", TOKEN, status, body).await;
        let credential = SecurityCredential::ready_made(&"A".repeat(344)).unwrap();
        let initiator = Initiator::new("testapi", credential).unwrap();
        let config =
            Config::sandbox(app_keys("key", "secret"), initiator, "600996".parse().unwrap()).unwrap();
        let daraja = Daraja::new(config.with_base_url(&parrot.url).unwrap(), transport, env());
        let callback = malipo::Callback::new("https://pay.example.com/1".parse().unwrap())
            .with_timeout("https://pay.example.com/2".parse().unwrap());
        let payee = Payee::wallet(Network::Safaricom, ORDINARY.parse().unwrap());
        let terms = terms("PAY-1", "10").with_callback(callback);
        let submitted = daraja.submit(&Instruction::PayOut(PayOut::new(payee, terms))).await;
        outcomes.push(submitted.map(|report| report.state).map_err(|error| (error.kind(), error.effect())));
    }
    outcomes
}

/// The page's error codes and those of Safaricom's other pages: HTTP status, code, what it comes to.
#[rustfmt::skip]
const ERRORS: &[(u16, &str, ErrorKind, Effect)] = &[
    (400, "400.002.02", ErrorKind::Refused, Effect::None),
    (400, "400.002.05", ErrorKind::Refused, Effect::None),
    (400, "400.003.01", ErrorKind::Credentials, Effect::None),
    (400, "400.003.02", ErrorKind::Refused, Effect::None),
    (400, "400.008.01", ErrorKind::Credentials, Effect::None),
    (400, "400.008.02", ErrorKind::Credentials, Effect::None),
    (401, "401.002.01", ErrorKind::Credentials, Effect::None),
    (401, "401.003.01", ErrorKind::Credentials, Effect::None),
    (404, "404.001.03", ErrorKind::Credentials, Effect::None),
    (404, "404.001.04", ErrorKind::Credentials, Effect::None),
    (404, "404.002.01", ErrorKind::Refused, Effect::None),
    (404, "404.003.01", ErrorKind::Refused, Effect::None),
    (405, "405.001", ErrorKind::Refused, Effect::None),
    (500, "500.001.1001", ErrorKind::Unavailable, Effect::Unknown),
    (500, "500.002.1001", ErrorKind::Duplicate, Effect::Unknown),
    (500, "500.003.1001", ErrorKind::Unavailable, Effect::Unknown),
    (429, "500.003.02", ErrorKind::Throttled, Effect::None),
    (429, "500.003.03", ErrorKind::Throttled, Effect::None),
    (503, "00.002.1001", ErrorKind::Unavailable, Effect::None),
    (400, "999.999.99", ErrorKind::Unlisted, Effect::Unknown),
];

#[tokio::test]
async fn row_12_acknowledgement_and_errors() {
    for rig in rigs().await {
        let accepted = rig.submit(pay(&rig, "PAY-1", "10", Purpose::General)).await.unwrap();
        assert_eq!((accepted.state, accepted.trust), (State::Pending, Trust::Answered));
        let conversation = accepted.provider_refs.find("conversation").unwrap();
        rig.sim.idle().await;
        let ledger = rig.sim.ledger();
        assert_eq!(ledger.find(Gateway::Daraja, "PAY-1").unwrap().gateway_reference, conversation);
    }
    for (status, code, kind, effect) in ERRORS {
        let body = format!(r#"{{"requestId":"1-2-3","errorCode":"{code}","errorMessage":"as documented"}}"#);
        for outcome in answered(*status, &body).await {
            assert_eq!(outcome, Err((*kind, *effect)), "{status} {code}");
        }
    }
}

#[tokio::test]
async fn row_13_result_success() {
    for rig in rigs().await {
        rig.done(pay(&rig, "PAY-1", "10", Purpose::General)).await;
        let report = rig.reports().remove(0);
        assert_eq!(
            (report.state, report.amount),
            (State::Settled, Money::kes("10").ok()),
            "over {}",
            rig.over
        );
        assert_eq!((report.reference.unwrap().as_str(), report.trust), ("PAY-1", Trust::Addressed));
        let ledger = rig.sim.ledger();
        assert_eq!(report.receipt.as_deref(), ledger.find(Gateway::Daraja, "PAY-1").unwrap().receipt());
        assert!(report.receipt.is_some() && report.at.is_some());
        let party = report.party.unwrap();
        assert!(party.account.unwrap().ends_with("149") && party.name.is_some());
        let accounts: Vec<_> = report.balances.iter().map(|balance| balance.available.amount()).collect();
        for account in ["Working Account", "Utility Account"] {
            let holds = ledger.balance(Gateway::Daraja, account).unwrap();
            assert!(accounts.contains(&holds), "{account} holds {holds}: {accounts:?}");
        }
    }
}

#[tokio::test]
async fn row_14_result_failure() {
    let poor = |_: &Inbox| options().with_daraja(daraja_account().with_utility(Decimal::new(5, 0)));
    for rig in Rig::each_with(poor, daraja).await {
        rig.done(pay(&rig, "PAY-1", "10", Purpose::General)).await;
        let report = rig.reports().remove(0);
        assert_eq!((report.state, report.code.as_deref()), (State::Failed, Some("1")), "over {}", rig.over);
        assert_eq!((report.reference.unwrap().as_str(), report.trust), ("PAY-1", Trust::Addressed));
        assert_eq!((report.amount, report.receipt), (None, None));
        assert!(report.text.is_some() && report.remedy.is_some(), "it says what to do");
        assert_eq!(rig.moved(Gateway::Daraja, "PAY-1"), 0);
    }
}

#[tokio::test]
async fn row_15_queue_timeout() {
    for rig in rigs().await {
        rig.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::QueueTimeout]).unwrap();
        rig.done(pay(&rig, "PAY-1", "10", Purpose::General)).await;
        let report = rig.reports().remove(0);
        assert_eq!(
            report.state,
            State::Pending,
            "a timeout in a queue says nothing of the money, over {}",
            rig.over
        );
        assert_eq!((report.reference.unwrap().as_str(), report.trust), ("PAY-1", Trust::Addressed));
        assert!(report.remedy.unwrap().contains("ask for its status"));
        let ledger = rig.sim.ledger();
        let payment = ledger.find(Gateway::Daraja, "PAY-1").unwrap();
        assert!(matches!(payment.state, PaymentState::Paid { .. }), "and it was paid");
    }
}
