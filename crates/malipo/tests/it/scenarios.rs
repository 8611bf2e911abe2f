//! What happens to the money when something goes wrong, for every provider over every transport: nothing is sent twice,
//! what may have happened is called unknown, and the gateway's ledger is the judge.

use std::sync::Arc;
use std::time::Duration;

use malipo::daraja::Daraja;
use malipo::kasapay::KasaPay;
use malipo::kyanda::Kyanda;
use malipo::sasapay::SasaPay;
use malipo::transport::Transport;
use malipo::{
    Advice, Answer, Callbacks, Collect, Effect, ErrorKind, Instruction, Network, PayOut, Payee, Payer,
    Provider, Resubmit, State,
};
use malipo_sim::{Fault, Gateway, MoveKind, Operation, Options, Sim};

use crate::rig::{self, Rig, options};

/// How the scenarios pay at one gateway.
trait Paying: Provider + Callbacks + Sized + 'static {
    const GATEWAY: Gateway;
    const OPERATION: Operation;

    fn make(sim: &Sim, transport: Arc<dyn Transport>) -> Self;

    /// What a request that comes too fast comes to: nothing where the refusal is documented, else nobody knows.
    const THROTTLED: Effect;

    /// A payment of 1,500 shillings.
    fn payment(rig: &Rig<Self>) -> Instruction;

    /// The simulator it pays at.
    fn options(_: &rig::Inbox) -> Options {
        options()
    }
}

impl Paying for Daraja {
    const GATEWAY: Gateway = Gateway::Daraja;
    const OPERATION: Operation = Operation::PayOut;
    const THROTTLED: Effect = Effect::None;

    fn make(sim: &Sim, transport: Arc<dyn Transport>) -> Self {
        rig::daraja(sim, transport)
    }

    fn payment(rig: &Rig<Self>) -> Instruction {
        let payee = Payee::wallet(Network::Safaricom, "0708374149".parse().unwrap());
        Instruction::PayOut(PayOut::new(payee, rig.terms("PAY-1", "1500")))
    }
}

impl Paying for KasaPay {
    const GATEWAY: Gateway = Gateway::KasaPay;
    const OPERATION: Operation = Operation::PayOut;
    const THROTTLED: Effect = Effect::None;

    fn make(sim: &Sim, transport: Arc<dyn Transport>) -> Self {
        rig::kasapay(sim, transport)
    }

    fn payment(rig: &Rig<Self>) -> Instruction {
        let payee = Payee::till("565656".parse().unwrap()).with_name("Test Limited".parse().unwrap());
        Instruction::PayOut(PayOut::new(payee, rig.terms("PAY-1", "1500")))
    }
}

impl Paying for SasaPay {
    const GATEWAY: Gateway = Gateway::SasaPay;
    const OPERATION: Operation = Operation::Collect;
    const THROTTLED: Effect = Effect::None;

    fn make(sim: &Sim, transport: Arc<dyn Transport>) -> Self {
        rig::sasapay(sim, transport)
    }

    fn payment(rig: &Rig<Self>) -> Instruction {
        let payer = Payer::mobile_money(Network::Safaricom, "0708374149".parse().unwrap());
        Instruction::Collect(Collect::new(payer, rig.terms("PAY-1", "1500")))
    }
}

impl Paying for Kyanda {
    const GATEWAY: Gateway = Gateway::Kyanda;
    const OPERATION: Operation = Operation::PayOut;
    const THROTTLED: Effect = Effect::Unknown;

    fn make(sim: &Sim, transport: Arc<dyn Transport>) -> Self {
        rig::kyanda(sim, transport)
    }

    fn payment(_: &Rig<Self>) -> Instruction {
        let payee = Payee::wallet(Network::Airtel, "0733123456".parse().unwrap());
        Instruction::PayOut(PayOut::new(payee, rig::terms("PAY-1", "1500")))
    }

    fn options(inbox: &rig::Inbox) -> Options {
        rig::noticed_by_kyanda(inbox)
    }
}

/// Each scenario for each provider, as a test of its own.
macro_rules! scenarios {
    ($($module:ident: $provider:ty;)*) => {
        $(mod $module {
            use super::*;

            #[tokio::test]
            async fn a_request_that_is_lost_is_unknown_and_moves_nothing() {
                lost::<$provider>(&[Fault::LostRequest, Fault::ErrorBeforeAccept], 0).await;
            }

            #[tokio::test]
            async fn a_reply_that_is_lost_is_unknown_and_the_money_moves_once() {
                let slow = Fault::SlowReply(Duration::from_millis(1500));
                let cut = [Fault::LostReply, Fault::ErrorAfterAccept, Fault::HtmlPage, Fault::TruncatedJson, slow];
                lost::<$provider>(&cut, 1).await;
            }

            #[tokio::test]
            async fn a_refused_connection_is_no_effect() {
                refused::<$provider>().await;
            }

            #[tokio::test]
            async fn a_request_too_many_moves_nothing() {
                throttled::<$provider>().await;
            }

            #[tokio::test]
            async fn however_often_and_late_it_is_told_it_was_paid_once() {
                told::<$provider>(Fault::CallbackTwice, 2).await;
                told::<$provider>(Fault::CallbackEarly, 1).await;
                told::<$provider>(Fault::CallbackLate(HOUR), 1).await;
            }

            #[tokio::test]
            async fn a_contradiction_is_told_as_it_is() {
                contradicted::<$provider>().await;
            }

            #[tokio::test]
            async fn a_refusal_that_echoes_a_secret_does_not_print_it() {
                echoed::<$provider>().await;
            }

            #[tokio::test]
            async fn a_silent_gateway_leaves_it_open() {
                silent::<$provider>().await;
            }

            #[tokio::test]
            async fn what_is_forged_tells_another_amount_and_asking_tells_the_true_one() {
                forged::<$provider>().await;
            }
        })*
    };
}

scenarios! {
    daraja: Daraja;
    kasapay: KasaPay;
    sasapay: SasaPay;
    kyanda: Kyanda;
}

async fn rigs<P: Paying>() -> Vec<Rig<P>> {
    Rig::each_with(P::options, P::make).await
}

/// How often money moved for a payment, whoever's: each simulator sees one.
fn moved<P>(rig: &Rig<P>) -> usize {
    rig.sim.ledger().moves().iter().filter(|one| one.kind == MoveKind::Payment).count()
}

async fn lost<P: Paying>(faults: &[Fault], times: usize) {
    for fault in faults {
        for rig in rigs::<P>().await {
            let what = format!("{fault:?} over {}", rig.over);
            rig.sim.inject(P::GATEWAY, P::OPERATION, [*fault]).unwrap();
            let error = rig.provider.submit(&P::payment(&rig)).await.expect_err(&what);
            assert_eq!((error.effect(), error.advice()), (Effect::Unknown, Advice::Ask), "{what}: {error}");
            rig.sim.idle().await;
            assert_eq!(rig.sim.calls(P::GATEWAY, P::OPERATION), 1, "{what}: nothing is resent");
            assert_eq!(moved(&rig), times, "{what}");
        }
    }
}

async fn refused<P: Paying>() {
    for rig in rigs::<P>().await {
        let payment = P::payment(&rig);
        let Rig { sim, provider, over, .. } = rig;
        drop(sim);
        let error = provider.submit(&payment).await.expect_err(over);
        assert_eq!(
            (error.effect(), error.kind()),
            (Effect::None, ErrorKind::NotSent),
            "over {over}: {error}"
        );
        assert_eq!(error.advice(), Advice::Resend);
    }
}

async fn throttled<P: Paying>() {
    for rig in rigs::<P>().await {
        rig.sim.inject(P::GATEWAY, P::OPERATION, [Fault::SpikeArrest]).unwrap();
        let error = rig.provider.submit(&P::payment(&rig)).await.expect_err(rig.over);
        assert_eq!(error.effect(), P::THROTTLED, "over {}: {error}", rig.over);
        rig.sim.idle().await;
        assert_eq!((moved(&rig), rig.sim.calls(P::GATEWAY, P::OPERATION)), (0, 1), "over {}", rig.over);
    }
}

const HOUR: Duration = Duration::from_secs(3600);

async fn told<P: Paying>(fault: Fault, times: usize) {
    for rig in rigs::<P>().await {
        let what = format!("{fault:?} over {}", rig.over);
        rig.sim.inject(P::GATEWAY, P::OPERATION, [fault]).unwrap();
        rig.submit(P::payment(&rig)).await.unwrap();
        if fault == Fault::CallbackEarly {
            assert_eq!(rig.reports().len(), 1, "{what}: told before the request was answered");
        }
        if fault == Fault::CallbackLate(HOUR) {
            rig.sim.advance(HOUR / 2);
            assert_eq!((moved(&rig), rig.reports().len()), (1, 0), "{what}: paid, and not told yet");
            rig.sim.advance(HOUR);
        }
        rig.sim.idle().await;
        let reports = rig.reports();
        assert_eq!(reports.len(), times, "{what}");
        for report in &reports {
            assert_eq!((report.state, report.amount), (State::Settled, reports[0].amount), "{what}");
            assert_eq!(report.amount.unwrap().to_plain(), "1500.00", "{what}");
        }
        assert_eq!(moved(&rig), 1, "{what}");
    }
}

/// Two results that cannot both be true are both told as they are: which one stands is for whoever keeps the books.
async fn contradicted<P: Paying>() {
    for rig in rigs::<P>().await {
        rig.sim.inject(P::GATEWAY, P::OPERATION, [Fault::CallbackContradicting]).unwrap();
        rig.done(P::payment(&rig)).await;
        let states: Vec<_> = rig.reports().into_iter().map(|report| report.state).collect();
        assert_eq!(states, [State::Settled, State::Failed], "over {}", rig.over);
        assert_eq!(moved(&rig), 1);
    }
}

/// A token that has run out is renewed, and the payment that was turned away with it is sent once more.
async fn renewed<P: Paying>() {
    for rig in rigs::<P>().await {
        rig.sim.inject(P::GATEWAY, P::OPERATION, [Fault::TokenExpired]).unwrap();
        rig.done(P::payment(&rig)).await;
        let calls = [Operation::Token, P::OPERATION].map(|operation| rig.sim.calls(P::GATEWAY, operation));
        assert_eq!((calls, moved(&rig)), ([2, 2], 1), "over {}", rig.over);
    }
}

/// A refusal that repeats our credentials does not get them into what is printed.
async fn echoed<P: Paying>() {
    for rig in rigs::<P>().await {
        rig.sim.inject(P::GATEWAY, P::OPERATION, [Fault::EchoedToken]).unwrap();
        let error = rig.provider.submit(&P::payment(&rig)).await.expect_err(rig.over);
        assert_eq!(error.effect(), Effect::None, "{error}");
        assert!(error.to_string().contains("[secret]"), "it was there, and is not: {error}");
        assert_eq!(moved(&rig), 0);
    }
}

async fn silent<P: Paying>() {
    for rig in rigs::<P>().await {
        rig.sim.inject(P::GATEWAY, P::OPERATION, [Fault::CallbackNever]).unwrap();
        rig.done(P::payment(&rig)).await;
        assert_eq!((rig.reports().len(), moved(&rig)), (0, 1), "over {}", rig.over);
    }
}

async fn forged<P: Paying>() {
    for rig in rigs::<P>().await {
        rig.sim.inject(P::GATEWAY, P::OPERATION, [Fault::CallbackForged]).unwrap();
        let payment = P::payment(&rig);
        let operation = payment.operation();
        let accepted = rig.done(payment).await;
        let amounts: Vec<_> =
            rig.reports().into_iter().map(|report| report.amount.unwrap().to_plain()).collect();
        assert_eq!(amounts, ["15000.00", "1500.00"], "verbatim, for whoever binds them, over {}", rig.over);
        let asked = rig.ask("PAY-1", operation, &accepted).await;
        rig.sim.idle().await;
        let answer = match asked {
            Answer::Known(report) => report,
            Answer::ComesByCallback => rig.reports().pop().unwrap(),
            Answer::NoSuchReference => panic!("over {}", rig.over),
        };
        assert_eq!((answer.state, answer.amount.unwrap().to_plain()), (State::Settled, "1500.00".to_owned()));
        assert_eq!(moved(&rig), 1);
    }
}

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_once_and_the_money_moves_once() {
    renewed::<Daraja>().await;
    renewed::<KasaPay>().await;
    renewed::<SasaPay>().await;
}

#[tokio::test]
async fn a_reference_that_is_sent_again_is_unknown_and_paid_once() {
    repeated::<Daraja>().await;
    repeated::<KasaPay>().await;
}

async fn repeated<P: Paying>() {
    for rig in rigs::<P>().await {
        rig.submit(P::payment(&rig)).await.unwrap();
        let error = rig.submit(P::payment(&rig)).await.unwrap_err();
        assert_eq!((error.effect(), error.advice()), (Effect::Unknown, Advice::Ask), "{error}");
        rig.sim.idle().await;
        assert_eq!(moved(&rig), 1, "over {}", rig.over);
    }
}

/// Why nothing is resent by guess: these two take a payment that is sent again for another one.
#[tokio::test]
async fn where_a_repetition_is_not_refused_it_moves_the_money_twice() {
    paid_twice::<SasaPay>().await;
    paid_twice::<Kyanda>().await;
}

async fn paid_twice<P: Paying>() {
    for rig in rigs::<P>().await {
        assert_ne!(rig.provider.capabilities().resubmit, Resubmit::RefusedAsDuplicate);
        rig.submit(P::payment(&rig)).await.unwrap();
        rig.submit(P::payment(&rig)).await.unwrap();
        rig.sim.idle().await;
        assert_eq!(moved(&rig), 2, "over {}", rig.over);
    }
}
