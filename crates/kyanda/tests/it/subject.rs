//! The provider as every test here configures it.

use std::sync::Arc;

use bytes::Bytes;
use malipo_core::{
    Airtime, Balances, Bank, Bill, Biller, Callbacks, Collect, Delivery, DeliveryPurpose, Env, Headers,
    Instruction, Money, Msisdn, Network, Operation, PayOut, Payee, Payer, Provider, ProviderRefs, Reference,
    Secret, State, Terms, Ticket, Voucher,
};
use malipo_kyanda::{Config, Initiator, Keys, Kyanda, Sandbox};
use malipo_testkit::conformance::{Asked, Counted, Posted, Sample, Says, Subject, Submitted, TokenExchange};
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};
use malipo_transport::Transport;

pub(crate) const API_KEY: &str = "PlantedApiKey/7731+kyanda";
pub(crate) const SECURITY_KEY: &str = "PlantedSecurityKey=9052";
pub(crate) const MOBILE_PAYOUT: &str = include_str!("fixtures/mobile_payout.json");
pub(crate) const BANK_PAYOUT: &str = include_str!("fixtures/bank_payout.json");
pub(crate) const CHECKOUT: &str = include_str!("fixtures/checkout.json");
pub(crate) const AIRTIME: &str = include_str!("fixtures/airtime.json");
pub(crate) const BILL: &str = include_str!("fixtures/bill.json");
pub(crate) const VOUCHER: &str = include_str!("fixtures/voucher.json");
pub(crate) const BALANCES: &str = r#"{"Account_Bal":399930,"Earnings_Bal":1586.6}"#;
/// What Kyanda calls the transaction in all of its samples.
pub(crate) const THEIRS: &str = "KYAAPI677833";

pub(crate) fn keys() -> Keys {
    Keys::new(Secret::new(API_KEY)).unwrap().with_security_key(Secret::new(SECURITY_KEY)).unwrap()
}

pub(crate) fn initiator() -> Initiator {
    Initiator::new("John Doe".parse().unwrap(), "Germany", phone()).unwrap()
}

pub(crate) fn config() -> Config<Sandbox> {
    Config::sandbox(keys(), "kyanda", initiator()).unwrap()
}

/// The provider over a gateway that answers everything so.
pub(crate) fn kyanda(status: u16, answer: impl Into<Bytes>) -> (Kyanda, Arc<ScriptedTransport>) {
    let transport = Arc::new(ScriptedTransport::new().always(Outcome::json(status, answer.into())));
    (Kyanda::new(config(), transport.clone(), Arc::new(ManualEnv::new())), transport)
}

pub(crate) fn phone() -> Msisdn {
    "0715330000".parse().unwrap()
}

pub(crate) fn terms(reference: &str, amount: &str) -> Terms {
    Terms::new(reference.parse().unwrap(), Money::kes(amount).unwrap())
}

pub(crate) fn to_wallet(network: Network, terms: Terms) -> Instruction {
    Instruction::PayOut(PayOut::new(Payee::wallet(network, phone()), terms))
}

pub(crate) fn to_bank(bank: Bank, account: &str, terms: Terms) -> Instruction {
    let payee = Payee::bank(Some(bank), account.parse().unwrap());
    let payee = payee.with_name("Harry Kessy".parse().unwrap()).with_phone(phone());
    Instruction::PayOut(PayOut::new(payee, terms))
}

pub(crate) fn collect(network: Network, terms: Terms) -> Instruction {
    Instruction::Collect(Collect::new(Payer::mobile_money(network, phone()), terms))
}

pub(crate) fn airtime(network: Network, terms: Terms) -> Instruction {
    Instruction::Airtime(Airtime::new(phone(), network, terms))
}

pub(crate) fn bill(biller: Biller, account: &str, terms: Terms) -> Instruction {
    Instruction::Bill(Bill::new(biller, account.parse().unwrap(), terms))
}

pub(crate) fn voucher(network: Network, terms: Terms) -> Instruction {
    Instruction::Voucher(Voucher::new(phone(), network, terms))
}

pub(crate) fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

pub(crate) fn ticket(operation: Operation) -> Ticket {
    let theirs = ProviderRefs::new().with("transaction", Some(THEIRS));
    Ticket::new(reference("PAY-1"), operation).with_provider_refs(theirs)
}

pub(crate) fn notice(body: &str) -> Delivery {
    delivery(DeliveryPurpose::Notice, body)
}

pub(crate) fn delivery(purpose: DeliveryPurpose, body: &str) -> Delivery {
    Delivery::new(purpose, Headers::new().with("content-type", "application/json"), body)
}

pub(crate) fn category(operation: Operation) -> &'static str {
    match operation {
        Operation::PayOut => "MobilePayout",
        Operation::Collect => "MpesaPayment",
        _ => "UtilityPayment",
    }
}

/// An answer without an acceptance.
pub(crate) fn refusal(code: &str) -> String {
    format!(r#"{{"status":"Failed","status_code":"{code}","transactiontxt":"as documented"}}"#)
}

/// What is told of a transaction of 1,500 shillings, as it is posted.
pub(crate) fn told(category: &str, status: &str, code: &str) -> String {
    format!(
        r#"{{"category":"{category}","source":"PaymentWallet","destination":"0715330000","MerchantID":"kyanda","details":{{"biller_Receipt":"SFC-0001"}},"requestMetadata":{{}},"status":"{status}","status_code":"{code}","message":"as documented","transactionDate":"23-09-2023 11.20am","transactionRef":"{THEIRS}","amount":"1500"}}"#
    )
}

/// The same, as it is answered to a question.
pub(crate) fn answered(category: &str, status: &str, code: &str) -> String {
    format!(r#"{{"status":"200","details":{}}}"#, told(category, status, code))
}

#[derive(Default)]
pub(crate) struct KyandaSubject;

impl Subject for KyandaSubject {
    fn provider(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Arc<dyn Provider> {
        Arc::new(Kyanda::new(config(), transport, env))
    }

    fn canaries(&self) -> Vec<&'static str> {
        vec![API_KEY, SECURITY_KEY]
    }

    fn instructions(&self) -> Vec<Instruction> {
        use Network::{Airtel, Equitel, Faiba, Safaricom, Telkom};

        let mut number = 0;
        let mut next = || {
            number += 1;
            terms(&format!("PAY-{number}"), "1500")
        };
        let mut all = Vec::new();
        for network in [Safaricom, Airtel, Equitel] {
            all.extend([to_wallet(network, next()), collect(network, next())]);
        }
        all.push(to_bank(Bank::Absa, "2042581154", next()));
        all.push(collect(Safaricom, next().with_detail("metadata.abc", "balloon")));
        all.extend([Safaricom, Airtel, Telkom, Equitel, Faiba].map(|network| airtime(network, next())));
        // One of the named bundles has one price, so it cannot be tried at the limits.
        all.push(airtime(Faiba, next().with_detail("bundle", "Monthly_15GB")));
        let billers = Biller::NAMED.iter().cloned().chain([Biller::code("SOME_BILLER").unwrap()]);
        all.extend(billers.map(|biller| bill(biller, "0123456789", next())));
        all.extend([Safaricom, Airtel, Telkom].map(|network| voucher(network, next())));
        all
    }

    fn answers(&self, instruction: &Instruction) -> Vec<Sample<Submitted>> {
        let accepted = match instruction {
            Instruction::PayOut(pay_out) if pay_out.to.name.is_some() => BANK_PAYOUT,
            Instruction::PayOut(_) => MOBILE_PAYOUT,
            Instruction::Collect(_) => CHECKOUT,
            Instruction::Airtime(_) => AIRTIME,
            Instruction::Bill(_) => BILL,
            _ => VOUCHER,
        };
        let identified = r#"{"status":"Failed","status_code":"1107","transactiontxt":"Insufficient float balance.","transactionId":"KYAAPI677834"}"#;
        let mut all = vec![
            Sample::json("acceptance", 200, accepted, Submitted::Reported(State::Pending)),
            Sample::json("a wrong signature", 400, refusal("1104"), Submitted::NotStarted).with_code("1104"),
            Sample::json("a low float", 400, identified, Submitted::NotStarted).with_code("1107"),
            Sample::json("unlisted", 400, refusal("7777"), Submitted::Unknown).with_code("7777"),
            Sample::json("an error", 400, refusal("5000"), Submitted::Unknown).with_code("5000"),
            Sample::json("unavailable", 503, refusal("1105"), Submitted::Unknown).with_code("1105"),
        ];
        match instruction {
            Instruction::Bill(_) => {
                all.push(Sample::json("again", 400, refusal("8006"), Submitted::Duplicate).with_code("8006"));
            }
            Instruction::Airtime(_) => {
                all.push(Sample::json("again", 400, refusal("9005"), Submitted::Duplicate).with_code("9005"));
            }
            _ => {}
        }
        all
    }

    fn status_answers(&self, ticket: &Ticket) -> Vec<Sample<Asked>> {
        let amount = Money::kes("1500").unwrap();
        let known = |name, status: &str, code: &str, state| {
            let body = answered(category(ticket.operation), status, code);
            Sample::json(name, 200, body, Asked::Known(state)).with_code(code).with_amount(amount)
        };
        vec![
            known("done", "Success", "0000", State::Settled),
            known("failed", "Failed", "1107", State::Failed),
            known("pending", "Pending", "1100", State::Pending),
            known("unlisted", "Failed", "7777", State::Pending),
            known("contradicting", "Success", "1107", State::Pending),
            Sample::json("not found", 400, refusal("7001"), Asked::NoSuchReference),
            Sample::json("a wrong signature", 400, refusal("1104"), Asked::Failed),
        ]
    }

    fn token(&self) -> Option<TokenExchange> {
        None
    }

    fn callbacks(&self) -> Option<Arc<dyn Callbacks>> {
        Some(Arc::new(kyanda(500, "").0))
    }

    fn balances(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Option<Arc<dyn Balances>> {
        Some(Arc::new(Kyanda::new(config(), transport, env)))
    }

    fn balance_answers(&self) -> Vec<Sample<Counted>> {
        vec![
            Sample::json("balances", 200, BALANCES, Counted::Told),
            Sample::json("none", 200, r#"{"Account_Bal":0,"Earnings_Bal":"0"}"#, Counted::Told),
            Sample::json("a wrong signature", 400, refusal("1104"), Counted::Failed),
        ]
    }

    fn deliveries(&self) -> Vec<Posted> {
        let amount = Money::kes("1500").unwrap();
        let posted = |name, category, status, code, state| {
            let says = Says::Report(state);
            Posted::new(name, notice(&told(category, status, code)), says).with_code(code).with_amount(amount)
        };
        let elsewhere = delivery(DeliveryPurpose::Result, &told("MobilePayout", "Success", "0000"));
        vec![
            posted("paid", "MobilePayout", "Success", "0000", State::Settled),
            posted("collected", "MpesaPayment", "Success", "0000", State::Settled),
            posted("bought", "UtilityPayment", "Success", "0000", State::Settled),
            posted("failed", "BankPayout", "Failed", "1107", State::Failed),
            posted("unlisted", "UtilityPayment", "Failed", "7777", State::Pending),
            posted("contradicting", "UtilityPayment", "Success", "5000", State::Pending),
            posted("a word that is not listed", "UtilityPayment", "Queued", "1100", State::Pending),
            Posted::new("nothing", notice("{}"), Says::Refused),
            Posted::new("elsewhere", elsewhere, Says::NotModelled),
        ]
    }
}
