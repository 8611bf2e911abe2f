use malipo::kyanda::{Config, FaibaBundle, Keys, Kyanda};
use malipo::{
    AccountNumber, Airtime, Answer, Balances as _, Bank, Bill, Biller, Collect, Effect, Error, ErrorKind,
    GoodKind, Instruction, Money, Network, Operation, PayOut, Payee, Payer, Provider as _, Report, Secret,
    State, Ticket, Trust, Voucher,
};
use malipo_sim::{Direction, Event, Gateway, KyandaAccount};
use rust_decimal::Decimal;

use crate::rig::{Inbox, Parrot, Rig, env, initiator, kyanda, noticed_by_kyanda, terms, transports};

const CUSTOMER: &str = "0715330000";

async fn rigs() -> Vec<Rig<Kyanda>> {
    Rig::each_with(noticed_by_kyanda, kyanda).await
}

fn wallet(network: Network) -> Instruction {
    let payee = Payee::wallet(network, CUSTOMER.parse().unwrap());
    Instruction::PayOut(PayOut::new(payee, terms("PAY-1", "1500")))
}

fn bank() -> Instruction {
    let payee = Payee::bank(Some(Bank::Absa), "2042581154".parse().unwrap())
        .with_name("Harry Kessy".parse().unwrap())
        .with_phone(CUSTOMER.parse().unwrap());
    Instruction::PayOut(PayOut::new(payee, terms("PAY-1", "1500")))
}

fn checkout(network: Network) -> Instruction {
    let payer = Payer::mobile_money(network, CUSTOMER.parse().unwrap());
    Instruction::Collect(Collect::new(payer, terms("PAY-1", "1500").with_detail("metadata.abc", "balloon")))
}

fn airtime(network: Network, terms: malipo::Terms) -> Instruction {
    Instruction::Airtime(Airtime::new(CUSTOMER.parse().unwrap(), network, terms))
}

fn bill(biller: Biller) -> Instruction {
    let account: AccountNumber = "0123456789".parse().unwrap();
    Instruction::Bill(Bill::new(biller, account, terms("PAY-1", "1500")))
}

fn voucher(network: Network) -> Instruction {
    Instruction::Voucher(Voucher::new(CUSTOMER.parse().unwrap(), network, terms("PAY-1", "100")))
}

/// Kyanda's name for the payment.
fn transaction(told: &Report) -> &str {
    told.provider_refs.find("transaction").unwrap()
}

/// Does it once, looks into the ledger, and gives back what was posted.
async fn done_once(rig: &Rig<Kyanda>, instruction: Instruction, direction: Direction) -> Report {
    let what = format!("{instruction:?} over {}", rig.over);
    let amount = instruction.terms().unwrap().amount;
    let posted = rig.reports().len();
    let told = rig.done(instruction).await;
    let ledger = rig.sim.ledger();
    assert_eq!(ledger.moved_by_gateway_reference(Gateway::Kyanda, transaction(&told)), 1, "{what}");
    let payment = ledger.find_by_gateway_reference(Gateway::Kyanda, transaction(&told)).unwrap();
    assert_eq!((payment.amount, payment.direction), (amount.amount(), direction), "{what}");
    let mut reports = rig.reports();
    assert_eq!(reports.len(), posted + 1, "{what}");
    let report = reports.remove(posted);
    assert_eq!(
        (report.state, report.amount, report.trust),
        (State::Settled, Some(amount), Trust::Claimed),
        "{what}"
    );
    assert_eq!(transaction(&report), transaction(&told), "{what}");
    report
}

#[tokio::test]
async fn row_24_balance() {
    for rig in rigs().await {
        done_once(&rig, wallet(Network::Safaricom), Direction::Out).await;
        let told = rig.provider.balances().await.unwrap();
        let holds = rig.sim.ledger().balance(Gateway::Kyanda, "Payment Wallet").unwrap();
        assert!(told.balances.iter().any(|balance| balance.available.amount() == holds), "over {}", rig.over);
        assert_eq!(told.trust, Trust::Answered);
    }
}

#[tokio::test]
async fn row_25_transaction_check() {
    for rig in rigs().await {
        let told = rig.submit(wallet(Network::Safaricom)).await.unwrap();
        let Answer::Known(open) = rig.ask("PAY-1", Operation::PayOut, &told).await else { panic!() };
        assert_eq!(open.state, State::Pending, "over {}", rig.over);
        rig.sim.idle().await;
        let Answer::Known(paid) = rig.ask("PAY-1", Operation::PayOut, &told).await else { panic!() };
        assert_eq!(
            (paid.state, paid.amount, paid.trust),
            (State::Settled, Money::kes("1500").ok(), Trust::Answered)
        );
        let nameless = Ticket::new("PAY-1".parse().unwrap(), Operation::PayOut);
        let error = rig.provider.status(&nameless).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::Unchanged));
    }
}

#[tokio::test]
async fn row_26_mobile_payout() {
    for rig in rigs().await {
        for network in [Network::Safaricom, Network::Airtel, Network::Equitel] {
            let report = done_once(&rig, wallet(network), Direction::Out).await;
            assert_eq!(report.operation, Some(Operation::PayOut));
        }
    }
}

#[tokio::test]
async fn row_27_bank_payout() {
    for rig in rigs().await {
        let report = done_once(&rig, bank(), Direction::Out).await;
        assert_eq!(report.operation, Some(Operation::PayOut));
        assert_eq!(rig.sim.ledger().paid_to(Gateway::Kyanda, "2042581154", "KES"), Decimal::new(1500, 0));
    }
}

#[tokio::test]
async fn row_28_checkout() {
    for rig in rigs().await {
        for network in [Network::Safaricom, Network::Airtel, Network::Equitel] {
            let report = done_once(&rig, checkout(network), Direction::In).await;
            assert_eq!(report.operation, Some(Operation::Collect));
            assert_eq!(report.reference.unwrap().as_str(), "PAY-1", "the metadata brings our reference back");
            let body =
                String::from_utf8(rig.inbox.deliveries().last().unwrap().body.bytes().to_vec()).unwrap();
            assert!(body.contains(r#""abc":"balloon""#), "and what we put into it: {body}");
        }
    }
}

#[tokio::test]
async fn row_29_airtime() {
    for rig in rigs().await {
        let networks =
            [Network::Safaricom, Network::Airtel, Network::Telkom, Network::Equitel, Network::Faiba];
        for network in networks {
            done_once(&rig, airtime(network, terms("PAY-1", "100")), Direction::Out).await;
        }
        let half = rig.submit(airtime(Network::Safaricom, terms("PAY-1", "99.50"))).await.unwrap_err();
        assert_eq!((half.kind(), half.effect()), (ErrorKind::Invalid, Effect::None), "whole shillings only");
    }
}

#[tokio::test]
async fn row_30_faiba_bundles() {
    for rig in rigs().await {
        assert_eq!(FaibaBundle::NAMED.len(), 6);
        for bundle in FaibaBundle::NAMED {
            let terms = malipo::Terms::new("PAY-1".parse().unwrap(), bundle.price());
            let bought = airtime(Network::Faiba, terms.with_detail("bundle", bundle.name()));
            done_once(&rig, bought, Direction::Out).await;
        }
        let spent: Decimal = [50, 300, 500, 1000, 2000, 3000].into_iter().map(Decimal::from).sum();
        assert_eq!(rig.sim.ledger().paid_to(Gateway::Kyanda, CUSTOMER, "KES"), spent);
        let cheap = terms("PAY-1", "49").with_detail("bundle", FaibaBundle::NAMED[0].name());
        let error = rig.submit(airtime(Network::Faiba, cheap)).await.unwrap_err();
        assert_eq!(error.effect(), Effect::None, "a bundle has one price: {error}");
    }
}

#[tokio::test]
async fn row_31_bill_power() {
    for rig in rigs().await {
        let prepaid = done_once(&rig, bill(Biller::KenyaPowerPrepaid), Direction::Out).await;
        for kind in [GoodKind::PowerToken, GoodKind::Units, GoodKind::BillerReceipt] {
            assert!(prepaid.goods.iter().any(|good| good.kind == kind), "{kind:?} over {}", rig.over);
        }
        let postpaid = done_once(&rig, bill(Biller::KenyaPowerPostpaid), Direction::Out).await;
        assert!(postpaid.goods.iter().any(|good| good.kind == GoodKind::BillerReceipt));
        let token = prepaid.goods.iter().find(|good| good.kind == GoodKind::PowerToken).unwrap();
        assert!(!format!("{prepaid:?}").contains(token.value.expose()), "who knows the token has the power");
    }
}

#[tokio::test]
async fn row_32_bill_tv() {
    for rig in rigs().await {
        for biller in [Biller::Dstv, Biller::Gotv, Biller::Zuku, Biller::Startimes] {
            let report = done_once(&rig, bill(biller), Direction::Out).await;
            assert!(report.goods.iter().any(|good| good.kind == GoodKind::BillerReceipt));
        }
    }
}

#[tokio::test]
async fn row_33_bill_water() {
    for rig in rigs().await {
        let report = done_once(&rig, bill(Biller::NairobiWater), Direction::Out).await;
        assert!(report.goods.iter().any(|good| good.kind == GoodKind::BillerReceipt));
    }
}

#[tokio::test]
async fn row_34_voucher() {
    for rig in rigs().await {
        for network in [Network::Safaricom, Network::Airtel, Network::Telkom] {
            let report = done_once(&rig, voucher(network), Direction::Out).await;
            let pin = report.goods.iter().find(|good| good.kind == GoodKind::VoucherPin).unwrap();
            assert!(pin.value.expose().len() >= 12 && !format!("{report:?}").contains(pin.value.expose()));
        }
    }
}

#[tokio::test]
async fn row_35_register_callback() {
    for rig in Rig::each(kyanda).await {
        let url = "https://pay.example.com/kyanda".parse().unwrap();
        rig.provider.register_callback(&url).await.unwrap();
        let error = rig.provider.register_callback(&url).await.unwrap_err();
        assert_eq!(
            (error.code(), error.effect()),
            (Some("6001"), Effect::Unchanged),
            "once only, over {}",
            rig.over
        );
    }
}

#[tokio::test]
async fn row_36_ipn() {
    for rig in rigs().await {
        let report = done_once(&rig, wallet(Network::Safaricom), Direction::Out).await;
        assert!(report.party.is_some() && report.code.is_some());
        let answers: Vec<_> = rig
            .sim
            .events()
            .into_iter()
            .filter_map(
                |event| if let Event::Callback { delivery, .. } = event { Some(delivery) } else { None },
            )
            .collect();
        assert_eq!(answers, [malipo_sim::Delivery::Answered(200)], "in the very words, over {}", rig.over);
    }
}

/// Whoever signs with another key.
fn forger(sim: &malipo_sim::Sim, transport: std::sync::Arc<dyn malipo::transport::Transport>) -> Kyanda {
    let keys = Keys::new(Secret::new(sim.kyanda().api_key())).unwrap();
    let keys = keys.with_security_key(Secret::new("another security key")).unwrap();
    let config = Config::sandbox(keys, sim.kyanda().merchant_id(), initiator()).unwrap();
    Kyanda::new(config.with_base_url(sim.url()).unwrap(), transport, env())
}

fn six_instructions() -> [Instruction; 6] {
    [
        wallet(Network::Safaricom),
        bank(),
        checkout(Network::Safaricom),
        airtime(Network::Safaricom, terms("PAY-1", "100")),
        bill(Biller::Dstv),
        voucher(Network::Safaricom),
    ]
}

fn mismatch(error: &Error) -> bool {
    error.code() == Some("1104")
}

/// The simulator makes each of the nine signatures itself, and compares.
#[tokio::test]
async fn row_37_signatures() {
    let two_keys = |_: &Inbox| {
        crate::rig::options().with_kyanda(KyandaAccount::new().with_security_key("a security key of its own"))
    };
    let url = "https://pay.example.com/kyanda".parse().unwrap();
    for rig in Rig::each_with(two_keys, kyanda).await {
        let mut told = None;
        for instruction in six_instructions() {
            told = Some(rig.submit(instruction).await.unwrap());
        }
        rig.ask("PAY-1", Operation::Voucher, &told.unwrap()).await;
        rig.provider.balances().await.unwrap();
        rig.provider.register_callback(&url).await.unwrap();
    }
    for rig in Rig::each_with(two_keys, forger).await {
        for instruction in six_instructions() {
            let error = rig.submit(instruction).await.unwrap_err();
            assert!(mismatch(&error) && error.effect() == Effect::None, "over {}: {error}", rig.over);
        }
        let named = malipo::ProviderRefs::new().with("transaction", Some("KYAAPI1"));
        let ticket = Ticket::new("PAY-1".parse().unwrap(), Operation::PayOut).with_provider_refs(named);
        assert!(mismatch(&rig.provider.status(&ticket).await.unwrap_err()));
        assert!(mismatch(&rig.provider.balances().await.unwrap_err()));
        assert!(mismatch(&rig.provider.register_callback(&url).await.unwrap_err()));
        assert!(rig.sim.ledger().payments().is_empty());
    }
}

/// What a payment, or here the paying of a bill, comes to that is answered with this code.
#[rustfmt::skip]
const CODES: &[(&str, Result<State, Effect>)] = &[
    ("0000", Ok(State::Pending)), ("200", Ok(State::Pending)), ("1100", Ok(State::Pending)),
    ("1101", Err(Effect::None)), ("1102", Err(Effect::None)), ("1103", Err(Effect::None)),
    ("1104", Err(Effect::None)), ("1105", Err(Effect::Unknown)), ("1106", Err(Effect::Unknown)),
    ("1107", Err(Effect::None)), ("1108", Err(Effect::None)), ("1109", Err(Effect::None)),
    ("1201", Err(Effect::None)), ("3101", Err(Effect::None)), ("4000", Err(Effect::None)),
    ("5000", Err(Effect::Unknown)),
    ("9001", Err(Effect::None)), ("9002", Err(Effect::None)), ("9003", Err(Effect::None)),
    ("9004", Err(Effect::None)), ("9005", Err(Effect::Unknown)),
    ("8001", Err(Effect::None)), ("8002", Err(Effect::None)), ("8003", Err(Effect::None)),
    ("8004", Err(Effect::None)), ("8005", Err(Effect::None)), ("8006", Err(Effect::Unknown)),
    ("7777", Err(Effect::Unknown)),
];

async fn answered(code: &str, reference: &str) -> Vec<(Parrot, Kyanda)> {
    let status = if ["0000", "200", "1100"].contains(&code) { 200 } else { 400 };
    let words = if status == 200 { "Success" } else { "Failed" };
    let body = format!(
        r#"{{"status":"{words}","status_code":"{code}",{reference}"transactiontxt":"as documented"}}"#
    );
    let mut providers = Vec::new();
    for (_, transport) in transports() {
        let parrot = Parrot::saying("", "", status, &body).await;
        let keys = Keys::new(Secret::new("an api key")).unwrap();
        let config =
            Config::sandbox(keys, "kyanda", initiator()).unwrap().with_base_url(&parrot.url).unwrap();
        providers.push((parrot, Kyanda::new(config, transport, env())));
    }
    providers
}

#[tokio::test]
async fn row_38_codes() {
    for (code, outcome) in CODES {
        let reference = if outcome.is_ok() { r#""merchant_reference":"KYAAPI1","# } else { "" };
        for (_parrot, kyanda) in answered(code, reference).await {
            let submitted = kyanda.submit(&bill(Biller::Dstv)).await;
            let came = submitted.map(|report| report.state).map_err(|error| {
                assert_eq!(error.code(), Some(*code), "verbatim");
                error.effect()
            });
            assert_eq!(came, *outcome, "{code}");
        }
    }
    for code in ["6001", "6002"] {
        for (_parrot, kyanda) in answered(code, "").await {
            let url = "https://pay.example.com/kyanda".parse().unwrap();
            let error = kyanda.register_callback(&url).await.unwrap_err();
            assert_eq!((error.kind(), error.effect()), (ErrorKind::Refused, Effect::Unchanged));
            assert_eq!(error.code(), Some(code));
        }
    }
    for (_parrot, kyanda) in answered("7001", "").await {
        let named = malipo::ProviderRefs::new().with("transaction", Some("KYAAPI1"));
        let ticket = Ticket::new("PAY-1".parse().unwrap(), Operation::PayOut).with_provider_refs(named);
        let answer = kyanda.status(&ticket).await;
        assert!(matches!(answer, Ok(Answer::NoSuchReference)), "{answer:?}");
    }
}
