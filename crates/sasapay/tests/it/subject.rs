//! The provider as every test here configures it.

use std::sync::Arc;

use bytes::Bytes;
use malipo_core::{
    Balances, Bank, Callback, Callbacks, Collect, Confirm, Delivery, DeliveryPurpose, Env, Headers,
    Instruction, Money, Network, Operation, Payer, Provider, ProviderRefs, Reference, Secret, State, Terms,
    Ticket,
};
use malipo_sasapay::{AppKeys, Config, Sandbox, SasaPay};
use malipo_testkit::conformance::{Asked, Counted, Posted, Sample, Says, Subject, Submitted, TokenExchange};
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};
use malipo_transport::Transport;

pub(crate) const KEY: &str = "PlantedClientId7731";
pub(crate) const SECRET: &str = "PlantedClientSecret/9+8264";
pub(crate) const TOKEN: &str = "PlantedAccessToken5590";
pub(crate) const TOKEN_PATH: &str = "/api/v1/auth/token/";
pub(crate) const TOKEN_REPLY: &str = r#"{"status":true,"detail":"SUCCESS","access_token":"PlantedAccessToken5590","expires_in":3600,"token_type":"Bearer","scope":"merchants"}"#;
pub(crate) const WALLET: &str = include_str!("fixtures/response_wallet.json");
pub(crate) const MOBILE: &str = include_str!("fixtures/response_mobile.json");
pub(crate) const PROCESSED: &str = include_str!("fixtures/response_process.json");
pub(crate) const CALLBACK: &str = include_str!("fixtures/callback.json");
/// The page's notice with a merchant's code in place of a masked one.
pub(crate) const IPN: &str = r#"{"MerchantCode":"600980","BusinessShortCode":"600980","InvoiceNumber":"INV-278-RID-6754","PaymentMethod":"SasaPay","TransID":"CDVISAIHD","ThirdPartyTransID":"7***2","FullName":"John kym Doe","FirstName":"John","MiddleName":"kym","LastName":"Doe","TransactionType":"C2B","MSISDN":"2547*****5","OrgAccountBalance":"10.00","TransAmount":"10.00","TransTime":"20240703062353","BillRefNumber":"12345"}"#;
pub(crate) const CHECKOUT: &str = "b6cb451a-ef9f-443d-8e64-045c210131df";
pub(crate) const ACK: &str =
    r#"{"status":true,"message":"Your request has been received. Check your callback"}"#;
pub(crate) const BALANCES: &str = r#"{"statusCode":"0","message":"Accounts Balance","data":{"CurrencyCode":"KES","OrgAccountBalance":4510.50,"Accounts":[{"account_label":"Working Account","account_balance":4500.00},{"account_label":"Utility Account","account_balance":10.50}]}}"#;

pub(crate) fn keys() -> AppKeys {
    AppKeys::new(Secret::new(KEY), Secret::new(SECRET)).unwrap()
}

pub(crate) fn config() -> Config<Sandbox> {
    Config::sandbox(keys(), "600980".parse().unwrap()).unwrap()
}

/// The provider over a gateway that gives a token and answers anything else so.
pub(crate) fn sasapay(status: u16, answer: impl Into<Bytes>) -> (SasaPay, Arc<ScriptedTransport>) {
    let transport = ScriptedTransport::new()
        .on(TOKEN_PATH, Outcome::json(200, TOKEN_REPLY))
        .always(Outcome::json(status, answer.into()));
    let transport = Arc::new(transport);
    (SasaPay::new(config(), transport.clone(), Arc::new(ManualEnv::new())), transport)
}

pub(crate) fn callback() -> Callback {
    Callback::new("https://payments.example.com/result".parse().unwrap())
}

pub(crate) fn answers() -> Callback {
    Callback::new("https://payments.example.com/answer".parse().unwrap())
}

pub(crate) fn terms(reference: &str, amount: &str) -> Terms {
    Terms::new(reference.parse().unwrap(), Money::kes(amount).unwrap()).with_callback(callback())
}

pub(crate) fn wallet() -> Payer {
    Payer::gateway_wallet("254708374149".parse().unwrap())
}

pub(crate) fn mobile(network: Network) -> Payer {
    Payer::mobile_money(network, "254708374149".parse().unwrap())
}

pub(crate) fn bank(bank: Bank) -> Payer {
    Payer::bank(bank, "254708374149".parse().unwrap())
}

pub(crate) fn collect(from: Payer, terms: Terms) -> Instruction {
    Instruction::Collect(Collect::new(from, terms))
}

pub(crate) fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// A ticket of a collection that was accepted.
pub(crate) fn ticket(text: &str) -> Ticket {
    bare_ticket(text).with_provider_refs(ProviderRefs::new().with("checkout", Some(CHECKOUT)))
}

pub(crate) fn bare_ticket(text: &str) -> Ticket {
    Ticket::new(reference(text), Operation::Collect).with_callback(answers())
}

/// SasaPay's name for money that came in.
pub(crate) fn transaction(code: &str) -> ProviderRefs {
    ProviderRefs::new().with("transaction", Some(code))
}

pub(crate) fn confirm(code: &str) -> Instruction {
    Instruction::Confirm(Confirm::new(ticket("PAY-1"), Secret::new(code)))
}

pub(crate) fn delivery(purpose: DeliveryPurpose, body: &str) -> Delivery {
    Delivery::new(purpose, Headers::new().with("content-type", "application/json"), body)
}

/// The error that says that a token is not accepted.
pub(crate) fn envelope(status: u16) -> String {
    format!(r#"{{"detail":"as documented","status":false,"status_code":{status}}}"#)
}

pub(crate) fn coded(code: &str) -> String {
    format!(r#"{{"status":false,"ResponseCode":"{code}","ResponseDescription":"as documented"}}"#)
}

/// What became of a collection of 100 shillings, as it is posted.
pub(crate) fn posted(code: &str) -> String {
    format!(
        r#"{{"MerchantRequestID":"PAY-1","CheckoutRequestID":"{CHECKOUT}","PaymentRequestID":"PR6","ResultCode":{code},"ResultDesc":"as documented","SourceChannel":"M-PESA","TransAmount":"100.00","BillRefNumber":"PAY-1","TransactionDate":"20240701105155","CustomerMobile":"254708374149","TransactionCode":"SPEJ0O78GY2T","ThirdPartyTransID":"SG1T5G"}}"#
    )
}

/// What is known of a collection of 100 shillings, as it is answered.
pub(crate) fn details(checkout: &str, paid: &str, amount_paid: &str) -> String {
    format!(
        r#"{{"status":true,"message":"C2B Transaction Details","data":{{"TransactionType":"C2B","TransactionDate":"20240701105155","CheckoutId":"{checkout}","TransactionAmount":"100.00","Paid":{paid},"AmountPaid":{amount_paid},"PaidDate":"20240701105200","SourceChannel":"M-PESA","DestinationChannel":"SasaPay"}}}}"#
    )
}

#[derive(Default)]
pub(crate) struct SasaPaySubject;

impl Subject for SasaPaySubject {
    fn provider(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Arc<dyn Provider> {
        Arc::new(SasaPay::new(config(), transport, env))
    }

    fn canaries(&self) -> Vec<&'static str> {
        vec![KEY, SECRET, TOKEN]
    }

    fn instructions(&self) -> Vec<Instruction> {
        vec![
            collect(wallet(), terms("PAY-1", "1500").with_detail("transaction_fee", "0")),
            collect(mobile(Network::Safaricom), terms("PAY-2", "99.50").with_detail("transaction_fee", "5")),
            collect(mobile(Network::Airtel), terms("PAY-3", "100")),
            collect(mobile(Network::Telkom), terms("PAY-4", "100").with_description("Invoice 4")),
            collect(bank(Bank::Equity), terms("PAY-5", "100")),
            confirm("525474"),
        ]
    }

    fn answers(&self, instruction: &Instruction) -> Vec<Sample<Submitted>> {
        let accepted = match instruction {
            Instruction::Confirm(_) => PROCESSED,
            Instruction::Collect(collect) if collect.from == wallet() => WALLET,
            _ => MOBILE,
        };
        let detail = r#"{"status":false,"detail":"Invalid verification code"}"#;
        let message = r#"{"status":false,"message":"Invalid request"}"#;
        let errors = r#"{"status":false,"errors":[{"errorMessage":"Invalid request"}]}"#;
        let fields = match instruction {
            Instruction::Confirm(_) => r#"{"VerificationCode":["Required.","Odd."]}"#,
            _ => r#"{"Amount":["A valid number is required."],"PhoneNumber":["Required.","Odd."]}"#,
        };
        vec![
            Sample::json("accepted", 200, accepted, Submitted::Reported(State::Pending)),
            Sample::json("accepted as created", 201, accepted, Submitted::Reported(State::Pending)),
            Sample::json("refused with a detail", 400, detail, Submitted::NotStarted),
            Sample::json("refused with a message", 404, message, Submitted::NotStarted),
            Sample::json("refused with errors", 400, errors, Submitted::NotStarted),
            Sample::json("refused by fields", 400, fields, Submitted::NotStarted),
            Sample::json("refused with the status once more", 403, envelope(403), Submitted::NotStarted),
            Sample::json("refused with a code", 400, coded("SP.400.000"), Submitted::NotStarted)
                .with_code("SP.400.000"),
            Sample::json("refused with a code and a 200", 200, coded("SP4060"), Submitted::NotStarted)
                .with_code("SP4060"),
            Sample::json("duplicate", 400, coded("SP.409.000"), Submitted::Duplicate).with_code("SP.409.000"),
            Sample::json("conflict", 409, detail, Submitted::Duplicate),
            Sample::json("unlisted", 200, coded("77"), Submitted::Unknown).with_code("77"),
            Sample::json("no and no more", 200, detail, Submitted::Unknown),
            Sample::json("in progress", 400, coded("SP01001"), Submitted::Unknown).with_code("SP01001"),
            Sample::json("failure", 500, coded("SP.500.000"), Submitted::Unknown).with_code("SP.500.000"),
        ]
    }

    fn status_answers(&self, ticket: &Ticket) -> Vec<Sample<Asked>> {
        let checkout = ticket.provider_refs.find("checkout").unwrap_or(CHECKOUT);
        let hundred = Money::kes("100").unwrap();
        let bare = r#"{"statusCode":"0","message":"Your request has been received"}"#;
        vec![
            Sample::json("acknowledged", 200, ACK, Asked::ComesByCallback),
            Sample::json("acknowledged by a code", 200, bare, Asked::ComesByCallback),
            Sample::json("paid", 200, details(checkout, "true", "\"100.00\""), Asked::Known(State::Settled))
                .with_amount(hundred),
            Sample::json(
                "not paid",
                200,
                details(checkout, "false", "\"0.00\""),
                Asked::Known(State::Pending),
            ),
            Sample::json("paid nothing", 200, details(checkout, "true", "0"), Asked::Known(State::Pending)),
            Sample::json("another", 200, details("another", "true", "\"100.00\""), Asked::Failed),
            Sample::json("refused", 400, r#"{"status":false,"detail":"no"}"#, Asked::Failed),
            Sample::json("not found", 404, coded("SP.404.000"), Asked::Failed),
        ]
    }

    fn token(&self) -> Option<TokenExchange> {
        Some(TokenExchange::json(TOKEN_PATH, TOKEN_REPLY).rejected_by(401, envelope(401)))
    }

    fn callbacks(&self) -> Option<Arc<dyn Callbacks>> {
        Some(Arc::new(sasapay(500, "").0))
    }

    fn balances(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Option<Arc<dyn Balances>> {
        Some(Arc::new(SasaPay::new(config(), transport, env)))
    }

    fn balance_answers(&self) -> Vec<Sample<Counted>> {
        vec![
            Sample::json("balances", 200, BALANCES, Counted::Told),
            Sample::json("refused", 400, r#"{"status":false,"detail":"no"}"#, Counted::Failed),
            Sample::json("without any", 200, r#"{"statusCode":"0","message":"none"}"#, Counted::Failed),
        ]
    }

    fn deliveries(&self) -> Vec<Posted> {
        let (result, answer) = (DeliveryPurpose::Result, DeliveryPurpose::Answer);
        let said = |name, purpose, body: &str, says| Posted::new(name, delivery(purpose, body), says);
        let known = |name, code: &str, state| {
            said(name, result, &posted(&format!("\"{code}\"")), Says::Report(state)).with_code(code)
        };
        let [one, ten, hundred] = ["1", "10", "100"].map(|amount| Money::kes(amount).unwrap());
        let ours = CALLBACK.replace("Test callbacks", "PAY-1");
        let paid_out = IPN.replace("\"C2B\"", "\"B2C\"");
        vec![
            said("the page's", result, CALLBACK, Says::Report(State::Pending)).with_amount(one),
            said("the page's, if it is ours", result, &ours, Says::Report(State::Settled)).with_amount(one),
            known("paid", "0", State::Settled).with_amount(hundred),
            known("failed", "1032", State::Failed),
            known("reversed", "SP01003", State::Reversed),
            known("ambiguous", "1037", State::Pending),
            known("unlisted", "4999", State::Pending),
            said("details, paid", answer, &details(CHECKOUT, "true", "100.0"), Says::Report(State::Settled))
                .with_amount(hundred),
            said("details, open", answer, &details(CHECKOUT, "false", "0"), Says::Report(State::Pending)),
            said("an answer like a result", answer, &posted("\"0\""), Says::Report(State::Settled))
                .with_amount(hundred),
            said("no answer", answer, r#"{"status":false,"message":"no"}"#, Says::Unanswered),
            said("a notice", DeliveryPurpose::Notice, IPN, Says::Credit).with_amount(ten),
            said("a notice of money out", DeliveryPurpose::Notice, &paid_out, Says::NotModelled),
            said("nothing", result, "{}", Says::Refused),
            said("something else", DeliveryPurpose::Balance, "{}", Says::NotModelled),
        ]
    }
}
