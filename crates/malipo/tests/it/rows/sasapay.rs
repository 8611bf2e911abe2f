use malipo::sasapay::SasaPay;
use malipo::{
    Bank, Collect, Confirm, Credit, Credits as _, Effect, Instruction, Money, Network, NextStep, Operation,
    Payer, Read, Report, Secret, State, Ticket, Trust,
};
use malipo_sim::{Direction, Fault, Gateway, SasaPayAccount};
use rust_decimal::Decimal;

use crate::rig::{Inbox, Rig, options, sasapay};

const PAYER: &str = "254708374149";

async fn rigs() -> Vec<Rig<SasaPay>> {
    Rig::each(sasapay).await
}

fn collect(rig: &Rig<SasaPay>, from: Payer, amount: &str) -> Instruction {
    Instruction::Collect(Collect::new(from, rig.terms("PAY-1", amount)))
}

fn wallet() -> Payer {
    Payer::gateway_wallet(PAYER.parse().unwrap())
}

fn mobile(network: Network, number: &str) -> Payer {
    Payer::mobile_money(network, number.parse().unwrap())
}

fn confirmation(told: &Report, code: &str) -> Instruction {
    let ticket = Ticket::new("PAY-1".parse().unwrap(), Operation::Collect)
        .with_provider_refs(told.provider_refs.clone());
    Instruction::Confirm(Confirm::new(ticket, Secret::new(code)))
}

fn holds(rig: &Rig<SasaPay>) -> Decimal {
    rig.sim.ledger().balance(Gateway::SasaPay, "Working Account").unwrap()
}

/// The one report that was posted, of money that came in once.
fn paid_once(rig: &Rig<SasaPay>, amount: &str) -> Report {
    let ledger = rig.sim.ledger();
    assert_eq!(ledger.moved(Gateway::SasaPay, "PAY-1"), 1, "over {}", rig.over);
    let payment = ledger.find(Gateway::SasaPay, "PAY-1").unwrap();
    assert_eq!((payment.direction, payment.party.as_str()), (Direction::In, PAYER));
    let report = rig.reports().remove(0);
    assert_eq!((report.state, report.amount), (State::Settled, Money::kes(amount).ok()));
    assert_eq!((report.reference.as_ref().unwrap().as_str(), report.trust), ("PAY-1", Trust::Addressed));
    report
}

async fn prompted(network: Network) {
    for rig in rigs().await {
        let before = holds(&rig);
        let asked = rig.done(collect(&rig, mobile(network, PAYER), "50.25")).await;
        assert_eq!(asked.next_step, Some(NextStep::AnswerPrompt));
        paid_once(&rig, "50.25");
        assert_eq!(holds(&rig) - before, Decimal::new(5025, 2));
    }
}

#[tokio::test]
async fn row_16_wallet() {
    for rig in rigs().await {
        let asked = rig.done(collect(&rig, wallet(), "50")).await;
        assert_eq!(asked.next_step, Some(NextStep::EnterCode), "over {}", rig.over);
        assert_eq!(rig.sim.messages()[0].to, PAYER, "the code went to the payer");
        assert_eq!(rig.moved(Gateway::SasaPay, "PAY-1"), 0, "and nothing moves without it");
    }
}

#[tokio::test]
async fn row_17_process_payment() {
    for rig in rigs().await {
        let before = holds(&rig);
        let asked = rig.submit(collect(&rig, wallet(), "50")).await.unwrap();
        let code = rig.sim.messages()[0].code.clone();
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let error = rig.submit(confirmation(&asked, wrong)).await.unwrap_err();
        assert_eq!(error.effect(), Effect::None, "a wrong code leaves it open: {error}");
        let confirmed = rig.done(confirmation(&asked, &code)).await;
        assert_eq!(confirmed.state, State::Pending, "submitted is not paid");
        paid_once(&rig, "50");
        assert_eq!(holds(&rig) - before, Decimal::new(50, 0));
        let again = rig.submit(confirmation(&asked, &code)).await.unwrap_err();
        assert_eq!(again.effect(), Effect::None, "{again}");
        assert_eq!(rig.moved(Gateway::SasaPay, "PAY-1"), 1, "a code is good once");
    }
}

#[tokio::test]
async fn row_18_mpesa() {
    prompted(Network::Safaricom).await;
}

#[tokio::test]
async fn row_19_airtel() {
    prompted(Network::Airtel).await;
}

#[tokio::test]
async fn row_20_tkash() {
    prompted(Network::Telkom).await;
}

#[tokio::test]
async fn row_21_bank() {
    for rig in rigs().await {
        let asked = rig.done(collect(&rig, Payer::bank(Bank::Equity, PAYER.parse().unwrap()), "1500")).await;
        let Some(NextStep::TransferWithNarration(narration)) = asked.next_step else {
            panic!("over {}: {:?}", rig.over, asked.next_step)
        };
        assert_eq!(rig.moved(Gateway::SasaPay, "PAY-1"), 0, "the payer has yet to make the transfer");
        rig.sim.transfer(&narration, Decimal::new(1500, 0)).unwrap();
        rig.sim.idle().await;
        paid_once(&rig, "1500");
    }
}

#[tokio::test]
async fn row_22_callback() {
    for rig in rigs().await {
        rig.sim.inject(Gateway::SasaPay, malipo_sim::Operation::Collect, [Fault::CallbackTwice]).unwrap();
        rig.done(collect(&rig, mobile(Network::Safaricom, PAYER), "10")).await;
        let report = paid_once(&rig, "10");
        assert_eq!(rig.reports().len(), 2, "told twice, over {}", rig.over);
        assert_eq!((report.code.as_deref(), report.operation), (Some("0"), Some(Operation::Collect)));
        assert!(report.receipt.is_some() && report.at.is_some() && report.party.is_some());
    }
    for (number, code) in
        [("254700000130", "1032"), ("254700000131", "1037"), ("254700000132", "1"), ("254700000133", "2001")]
    {
        for rig in rigs().await {
            rig.done(collect(&rig, mobile(Network::Safaricom, number), "10")).await;
            let report = rig.reports().remove(0);
            let expected = if code == "1037" { State::Pending } else { State::Failed };
            assert_eq!((report.state, report.code.as_deref()), (expected, Some(code)), "over {}", rig.over);
            assert!(report.remedy.is_some(), "it says what to do");
            assert_eq!(rig.moved(Gateway::SasaPay, "PAY-1"), 0);
        }
    }
}

fn credits(rig: &Rig<SasaPay>) -> Vec<Credit> {
    rig.read()
        .into_iter()
        .filter_map(|read| if let Read::Credit(credit) = read { Some(credit) } else { None })
        .collect()
}

#[tokio::test]
async fn row_23_ipn() {
    let noticed = |inbox: &Inbox| {
        let url = inbox.notices().as_str().parse().unwrap();
        options().with_sasapay(SasaPayAccount::new().with_ipn_url(url))
    };
    for rig in Rig::each_with(noticed, sasapay).await {
        rig.done(collect(&rig, mobile(Network::Safaricom, PAYER), "10")).await;
        let report = rig.reports().remove(0);
        let credit = credits(&rig).remove(0);
        assert_eq!(
            (credit.amount, credit.trust),
            (Money::kes("10").unwrap(), Trust::Claimed),
            "over {}",
            rig.over
        );
        assert_eq!(credit.reference.as_ref().unwrap().as_str(), "PAY-1", "the same payment, told once more");
        let transaction = credit.provider_refs.find("transaction").unwrap();
        assert_eq!(Some(transaction), report.provider_refs.find("transaction"));

        rig.sim.walk_in("Table 7", PAYER, Decimal::new(350, 0)).unwrap();
        rig.sim.idle().await;
        let walked_in = credits(&rig).remove(1);
        assert_eq!(
            (walked_in.amount, walked_in.account.as_deref()),
            (Money::kes("350").unwrap(), Some("Table 7"))
        );
        let transaction = walked_in.provider_refs.find("transaction").unwrap();
        let verified = rig.provider.credit(&walked_in.provider_refs).await.unwrap().unwrap();
        assert_eq!((verified.amount, verified.trust), (walked_in.amount, Trust::Answered));
        let ledger = rig.sim.ledger();
        let entry = ledger.find_by_gateway_reference(Gateway::SasaPay, transaction).unwrap();
        assert_eq!((entry.amount, entry.direction), (Decimal::new(350, 0), Direction::In));
    }
}
