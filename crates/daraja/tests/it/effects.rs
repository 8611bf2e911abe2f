//! The effect table: for every place where something can fail, what may have happened to the money. Each row on real
//! sockets here; the conformance suite has each row against a scripted transport.

use std::sync::Arc;
use std::time::Duration;

use malipo_core::{
    Advice, Answer, Callbacks as _, Effect, Error, ErrorKind, Operation, Provider, Purpose, Read, Report,
    State, SystemEnv, Ticket, Timer as _, Trust,
};
use malipo_daraja::Daraja;
use malipo_sim::{Fault, Gateway, Operation as SimOperation, Options};
use tokio::net::TcpListener;

use crate::rig::{Rig, account, config};
use crate::subject::reference;

/// What became of one payout under one fault, and how often the simulator moved its money.
async fn struck_by(fault: Fault) -> (Result<Report, Error>, usize) {
    let rig = Rig::start().await;
    rig.sim.inject(Gateway::Daraja, SimOperation::PayOut, [fault]).unwrap();
    let outcome = rig.daraja.submit(&rig.pay_out("PAY-1")).await;
    rig.sim.idle().await;
    assert_eq!(rig.sim.calls(Gateway::Daraja, SimOperation::PayOut), 1, "{fault:?}: nothing is resent");
    (outcome, rig.sim.ledger().moved(Gateway::Daraja, "PAY-1"))
}

async fn unknown(fault: Fault, kind: ErrorKind, moved: usize) {
    let (outcome, times) = struck_by(fault).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        (error.effect(), error.kind(), error.advice()),
        (Effect::Unknown, kind, Advice::Ask),
        "{error}"
    );
    assert_eq!(error.reference(), Some(&reference("PAY-1")));
    assert_eq!(times, moved, "{fault:?}");
}

#[tokio::test]
async fn a_lost_request_is_unknown() {
    unknown(Fault::LostRequest, ErrorKind::Interrupted, 0).await;
}

#[tokio::test]
async fn a_connection_cut_before_the_reply_is_unknown() {
    unknown(Fault::LostReply, ErrorKind::Interrupted, 1).await;
}

#[tokio::test]
async fn a_timeout_after_sending_is_unknown() {
    unknown(Fault::SlowReply(Duration::from_millis(900)), ErrorKind::Interrupted, 1).await;
}

#[tokio::test]
async fn an_html_page_is_unknown() {
    unknown(Fault::HtmlPage, ErrorKind::Unavailable, 1).await;
}

#[tokio::test]
async fn truncated_json_is_unknown() {
    unknown(Fault::TruncatedJson, ErrorKind::Unreadable, 1).await;
}

#[tokio::test]
async fn a_server_error_is_unknown_whether_it_came_before_or_after() {
    unknown(Fault::ErrorBeforeAccept, ErrorKind::Unavailable, 0).await;
    unknown(Fault::ErrorAfterAccept, ErrorKind::Unavailable, 1).await;
}

#[tokio::test]
async fn a_spike_arrest_is_none_and_may_be_resent() {
    let (outcome, moved) = struck_by(Fault::SpikeArrest).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.effect(), error.advice(), moved), (Effect::None, Advice::Resend, 0), "{error}");
}

#[tokio::test]
async fn a_refusal_that_echoes_the_token_is_none_and_does_not_repeat_it() {
    let (outcome, moved) = struck_by(Fault::EchoedToken).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.effect(), error.kind(), moved), (Effect::None, ErrorKind::Credentials, 0));
    assert!(error.text().unwrap().as_str().contains("[secret]"), "{error}");
}

#[tokio::test]
async fn a_refused_connection_is_none() {
    let rig = Rig::start().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = config(&rig.sim, rig.sim.daraja()).with_base_url(&format!("http://{free}")).unwrap();
    let daraja = Daraja::new(config, rig.transport.clone(), Arc::new(SystemEnv::new()));
    let error = daraja.submit(&rig.pay_out("PAY-1")).await.unwrap_err();
    assert_eq!(
        (error.effect(), error.kind(), error.advice()),
        (Effect::None, ErrorKind::NotSent, Advice::Resend)
    );
}

#[tokio::test]
async fn a_connection_refused_once_there_is_a_token_is_none() {
    let rig = Rig::start().await;
    rig.daraja.submit(&rig.pay_out("PAY-1")).await.unwrap();
    rig.sim.idle().await;
    let instruction = rig.pay_out("PAY-2");
    let Rig { sim, daraja, .. } = rig;
    drop(sim);
    // The pool may still hold a connection that nobody answers any more; of that one nothing is known.
    SystemEnv::new().sleep(Duration::from_millis(300)).await;
    let error = daraja.submit(&instruction).await.unwrap_err();
    assert_eq!((error.effect(), error.kind()), (Effect::None, ErrorKind::NotSent), "{error}");
}

#[tokio::test]
async fn a_token_that_cannot_be_had_is_none_and_no_payment_is_sent() {
    for fault in
        [Fault::LostRequest, Fault::LostReply, Fault::ErrorAfterAccept, Fault::HtmlPage, Fault::TruncatedJson]
    {
        let rig = Rig::start().await;
        rig.sim.inject(Gateway::Daraja, SimOperation::Token, [fault]).unwrap();
        let error = rig.daraja.submit(&rig.pay_out("PAY-1")).await.unwrap_err();
        assert_eq!(
            (error.effect(), error.operation()),
            (Effect::None, Operation::PayOut),
            "{fault:?}: {error}"
        );
        assert_eq!(rig.sim.calls(Gateway::Daraja, SimOperation::PayOut), 0, "{fault:?}");
    }
}

#[tokio::test]
async fn wrong_keys_are_none_and_no_payment_is_sent() {
    let rig = Rig::start().await;
    let config = config(&rig.sim, &account().with_consumer("another key", "another secret"));
    let daraja = Daraja::new(config, rig.transport.clone(), Arc::new(SystemEnv::new()));
    let error = daraja.submit(&rig.pay_out("PAY-1")).await.unwrap_err();
    assert_eq!(
        (error.effect(), error.kind(), error.code()),
        (Effect::None, ErrorKind::Credentials, Some("400.008.01"))
    );
    assert_eq!(rig.sim.calls(Gateway::Daraja, SimOperation::PayOut), 0);
}

#[tokio::test]
async fn what_cannot_be_encoded_is_none_and_nothing_is_sent() {
    let rig = Rig::start().await;
    let half = crate::subject::pay_out(rig.terms("PAY-1", "10.50"));
    let error = rig.daraja.submit(&half).await.unwrap_err();
    assert_eq!((error.effect(), error.kind()), (Effect::None, ErrorKind::Invalid));
    assert!(rig.sim.events().is_empty());
}

#[tokio::test]
async fn a_reference_that_was_seen_before_is_unknown_and_paid_once() {
    let rig = Rig::start().await;
    rig.daraja.submit(&rig.pay_out("PAY-1")).await.unwrap();
    let error = rig.daraja.submit(&rig.pay_out("PAY-1")).await.unwrap_err();
    assert_eq!(
        (error.effect(), error.kind(), error.code()),
        (Effect::Unknown, ErrorKind::Duplicate, Some("500.002.1001"))
    );
    rig.sim.idle().await;
    assert_eq!(rig.sim.ledger().moved(Gateway::Daraja, "PAY-1"), 1);
}

#[tokio::test]
async fn a_failed_status_query_is_unchanged() {
    for fault in [
        Fault::LostRequest,
        Fault::LostReply,
        Fault::SlowReply(Duration::from_millis(900)),
        Fault::ErrorAfterAccept,
        Fault::HtmlPage,
        Fault::TruncatedJson,
        Fault::SpikeArrest,
        Fault::EchoedToken,
    ] {
        let rig = Rig::start().await;
        rig.sim.inject(Gateway::Daraja, SimOperation::Status, [fault]).unwrap();
        let ticket =
            Ticket::new(reference("PAY-1"), Operation::PayOut).with_callback(rig.inbox.answers("PAY-1"));
        let error = rig.daraja.status(&ticket).await.unwrap_err();
        assert_eq!((error.effect(), error.advice()), (Effect::Unchanged, Advice::Ask), "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_once_and_the_payment_goes_through() {
    let rig = Rig::start().await;
    rig.sim.inject(Gateway::Daraja, SimOperation::PayOut, [Fault::TokenExpired]).unwrap();
    let report = rig.daraja.submit(&rig.pay_out("PAY-1")).await.unwrap();
    rig.sim.idle().await;
    assert_eq!(report.state, State::Pending);
    assert_eq!(rig.sim.calls(Gateway::Daraja, SimOperation::Token), 2);
    assert_eq!(
        (
            rig.sim.calls(Gateway::Daraja, SimOperation::PayOut),
            rig.sim.ledger().moved(Gateway::Daraja, "PAY-1")
        ),
        (2, 1)
    );
}

#[tokio::test]
async fn a_token_that_is_never_accepted_is_renewed_once_and_no_more() {
    let rig = Rig::start().await;
    for _ in 0..5 {
        rig.sim.inject(Gateway::Daraja, SimOperation::PayOut, [Fault::TokenExpired]).unwrap();
    }
    let error = rig.daraja.submit(&rig.pay_out("PAY-1")).await.unwrap_err();
    assert_eq!(
        (error.effect(), error.kind(), error.code()),
        (Effect::None, ErrorKind::Credentials, Some("401.002.01"))
    );
    assert_eq!(rig.sim.calls(Gateway::Daraja, SimOperation::Token), 2);
    assert_eq!(
        (
            rig.sim.calls(Gateway::Daraja, SimOperation::PayOut),
            rig.sim.ledger().moved(Gateway::Daraja, "PAY-1")
        ),
        (2, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_cold_calls_ask_for_one_token() {
    let rig = Rig::start().await;
    let references = (0..200).map(|number| format!("PAY-{number}"));
    let calls: Vec<_> = references
        .map(|reference| (rig.daraja.clone(), rig.pay_out(&reference)))
        .map(|(daraja, instruction)| {
            tokio::spawn(async move { daraja.submit(&instruction).await.map(|report| report.state) })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), State::Pending);
    }
    assert_eq!(rig.sim.calls(Gateway::Daraja, SimOperation::Token), 1);
    rig.sim.idle().await;
    assert_eq!((rig.sim.ledger().moves().len(), rig.sim.ledger().paid_more_than_once().len()), (200, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_closes_idle_connections_makes_nothing_unknown() {
    let options = Options::new().with_daraja(account()).with_idle_limit(Duration::from_millis(400));
    let rig = Rig::with(options, |transport| transport).await;
    for number in 0..8 {
        // Below the pool's 200 ms, between the two limits, and after the server's.
        SystemEnv::new().sleep(Duration::from_millis([50, 150, 300, 600][number % 4])).await;
        let report = rig.daraja.submit(&rig.pay_out(&format!("PAY-{number}"))).await;
        assert!(report.is_ok(), "{number}: {}", report.unwrap_err());
    }
}

#[tokio::test]
async fn a_payout_is_accepted_then_paid_by_callback() {
    let rig = Rig::start().await;
    let accepted = rig.daraja.submit(&rig.pay_out("PAY-1")).await.unwrap();
    assert_eq!((accepted.state, accepted.receipt), (State::Pending, None), "accepted is not paid");
    rig.sim.idle().await;
    let deliveries = rig.inbox.deliveries();
    let Read::Report(paid) = rig.daraja.read(&deliveries[0]).unwrap() else { panic!() };
    assert_eq!((deliveries.len(), paid.state, paid.trust), (1, State::Settled, Trust::Addressed));
    assert_eq!(paid.reference, Some(reference("PAY-1")));
    assert_eq!(paid.provider_refs.find("conversation"), accepted.provider_refs.find("conversation"));
    let ledger = rig.sim.ledger();
    let payment = ledger.find(Gateway::Daraja, "PAY-1").unwrap();
    assert_eq!(paid.receipt.as_deref(), payment.receipt());
    assert_eq!(paid.amount.unwrap().amount(), payment.amount);
}

#[tokio::test]
async fn an_unknown_payout_is_settled_by_asking() {
    let rig = Rig::start().await;
    rig.sim.inject(Gateway::Daraja, SimOperation::PayOut, [Fault::LostReply, Fault::CallbackNever]).unwrap();
    let instruction = rig.pay_out("PAY-1");
    assert_eq!(rig.daraja.submit(&instruction).await.unwrap_err().effect(), Effect::Unknown);
    rig.sim.idle().await;
    assert!(rig.inbox.deliveries().is_empty());

    let ticket = Ticket::from(&instruction).with_callback(rig.inbox.answers("PAY-1"));
    assert!(matches!(rig.daraja.status(&ticket).await.unwrap(), Answer::ComesByCallback));
    rig.sim.idle().await;
    let Read::Report(known) = rig.daraja.read(&rig.inbox.deliveries()[0]).unwrap() else { panic!() };
    assert_eq!((known.state, known.reference), (State::Settled, Some(reference("PAY-1"))));
    assert_eq!(known.receipt.as_deref(), rig.sim.ledger().find(Gateway::Daraja, "PAY-1").unwrap().receipt());

    let nobody = Ticket::new(reference("PAY-9"), Operation::PayOut).with_callback(rig.inbox.answers("PAY-9"));
    rig.daraja.status(&nobody).await.unwrap();
    rig.sim.idle().await;
    assert!(matches!(rig.daraja.read(&rig.inbox.deliveries()[1]).unwrap(), Read::Unanswered(_)));
}

#[tokio::test]
async fn balances_come_as_the_ledger_has_them() {
    let rig = Rig::start().await;
    rig.daraja.request_balances(&rig.inbox.answers("BALANCES")).await.unwrap();
    rig.sim.idle().await;
    let Read::Balances(report) = rig.daraja.read(&rig.inbox.deliveries()[0]).unwrap() else { panic!() };
    let ledger = rig.sim.ledger();
    assert_eq!(report.balances.len(), 3);
    for balance in report.balances {
        let told = Some(balance.available.amount());
        assert_eq!(ledger.balance(Gateway::Daraja, &balance.account), told, "{}", balance.account);
    }
}

#[tokio::test]
async fn every_purpose_is_a_command_the_gateway_takes() {
    let rig = Rig::start().await;
    for (number, purpose) in (0..).zip([Purpose::General, Purpose::Salary, Purpose::Promotion]) {
        let terms = rig.terms(&format!("PAY-{number}"), "10").with_purpose(purpose);
        rig.daraja
            .submit(&crate::subject::pay_out(terms.with_detail("occasion", "Christmas")))
            .await
            .unwrap();
    }
    rig.sim.idle().await;
    assert_eq!(rig.sim.ledger().moves().len(), 3);
}
