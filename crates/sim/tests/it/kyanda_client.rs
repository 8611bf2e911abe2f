//! A merchant's side of Kyanda, written from its pages and nothing else.

use std::time::Duration;

use aws_lc_rs::hmac;
use malipo_sim::{Gateway, KyandaAccount, Operation, Options, Payment, Sim};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::client::{Raw, options, send, with};
use crate::merchant::Merchant;

pub(crate) const BOOK: Gateway = Gateway::Kyanda;
const WALLET: &str = "Payment Wallet";
pub(crate) const KEY: &str = "a key of their own";

/// Path, operation, parameters in the order in which they are signed, and those that are not signed.
pub(crate) struct Kind {
    pub(crate) path: &'static str,
    pub(crate) operation: Operation,
    pub(crate) signed: &'static [&'static str],
    pub(crate) unsigned: &'static [&'static str],
    body: &'static str,
    /// What `openssl dgst -sha256 -hmac 'a key of their own'` makes of the signed values of `body`.
    pub(crate) digest: &'static str,
}

const VENDED: [&str; 5] = ["/amount", "/phone", "/telco", "/initiatorPhone", "/MerchantID"];

pub(crate) const MOBILE: Kind = Kind {
    path: "/billing/v3/mobile-payout/create",
    operation: Operation::PayOut,
    signed: &[
        "/destination/amount",
        "/destination/destinationPhone",
        "/source/initiatorName",
        "/source/initiatorCountry",
        "/destination/channel",
        "/MerchantID",
    ],
    unsigned: &[],
    body: r#"{"MerchantID":"kyanda","source":{"initiatorName":"John Doe","initiatorCountry":"Germany"},
        "destination":{"destinationPhone":"0715330000","amount":"1500","channel":"MPESA"}}"#,
    digest: "cb74fe8d788511d6c690848984f58487706f9d1d0d9b28d71f0b3d6ad8bbb935",
};
pub(crate) const BANK: Kind = Kind {
    path: "/billing/v3/bank-payout/create",
    operation: Operation::PayOut,
    signed: &[
        "/destination/amount",
        "/destination/accountNumber",
        "/destination/phoneNumber",
        "/destination/bankCode",
        "/source/initiatorName",
        "/source/initiatorCountry",
        "/MerchantID",
    ],
    unsigned: &["/destination/name"],
    body: r#"{"MerchantID":"kyanda","source":{"initiatorName":"John Doe","initiatorCountry":"Germany"},
        "destination":{"name":"Harry Kessy","accountNumber":"2042581154","phoneNumber":"0715330000",
        "amount":"1500","bankCode":"101"}}"#,
    digest: "326b3c91cd2b325fa34b86936adc22911789ce34c0284849801969c9f607b0b1",
};
pub(crate) const CHECKOUT: Kind = Kind {
    path: "/billing/v1/checkout/create",
    operation: Operation::Collect,
    signed: &["/amount", "/phoneNumber", "/channel", "/MerchantID"],
    unsigned: &[],
    body: r#"{"MerchantID":"kyanda","phoneNumber":"0715330000","amount":"1500","channel":"MPESA",
        "metadata":{"abc":"balloon","n":1}}"#,
    digest: "577a7a1733946ae676ba68ed6eeb5d9f4ac1c269416770d929f2be112f54a9cf",
};
pub(crate) const AIRTIME: Kind = Kind {
    path: "/billing/v1/airtime/create",
    operation: Operation::Airtime,
    signed: &VENDED,
    unsigned: &[],
    body: r#"{"MerchantID":"kyanda","phone":"0715330000","amount":"1500","telco":"SAFARICOM",
        "initiatorPhone":"0715330000"}"#,
    digest: "67e26b8f9875116f886abde6a93582e63233807b617ab9cb2f132238b70b4911",
};
pub(crate) const BILL: Kind = Kind {
    path: "/billing/v1/bill/create",
    operation: Operation::Bill,
    signed: &["/amount", "/account", "/telco", "/initiatorPhone", "/MerchantID"],
    unsigned: &[],
    body: r#"{"MerchantID":"kyanda","account":"0123456789","amount":"100.50","telco":"DSTV",
        "initiatorPhone":"0715330000"}"#,
    digest: "e6fd500c6905d0d831ed77ca718d8d3ec73f9a7a6a7ff0f3038cc308744a5332",
};
pub(crate) const VOUCHER: Kind = Kind {
    path: "/billing/v1/pin-airtime/create",
    operation: Operation::Voucher,
    signed: &VENDED,
    unsigned: &[],
    body: r#"{"MerchantID":"kyanda","phone":"0115330000","amount":"500","telco":"AIRTEL",
        "initiatorPhone":"0715330000"}"#,
    digest: "45b93ed3979cfaad0c0c2a9fd32d9cbf8bd9d54c29d7503112fe5d9a721723f9",
};
pub(crate) const BALANCE: Kind = Kind {
    path: "/billing/v1/account-balance",
    operation: Operation::Balance,
    signed: &["/MerchantID"],
    unsigned: &[],
    body: r#"{"MerchantID":"kyanda"}"#,
    digest: "5d212c29627138b5980ca7f26bb0551b3761f757c0ab2d4cf25eb1da711df26b",
};
pub(crate) const CHECK: Kind = Kind {
    path: "/billing/v1/transaction-check",
    operation: Operation::Status,
    signed: &["/MerchantID", "/transactionRef"],
    unsigned: &[],
    body: r#"{"MerchantID":"kyanda","transactionRef":"KYAAPI677833"}"#,
    digest: "ed5400a09a1b89c4a41e31ca8553fd245f4ebc9a768cb72425371ddceede6632",
};
pub(crate) const REGISTER: Kind = Kind {
    path: "/billing/v1/callback-url/create",
    operation: Operation::RegisterCallback,
    signed: &["/MerchantID"],
    unsigned: &["/callbackURL"],
    body: r#"{"MerchantID":"kyanda","callbackURL":"https://website.com/callback"}"#,
    digest: "5d212c29627138b5980ca7f26bb0551b3761f757c0ab2d4cf25eb1da711df26b",
};

/// Those that move money.
pub(crate) const PAYING: [&Kind; 6] = [&MOBILE, &BANK, &CHECKOUT, &AIRTIME, &BILL, &VOUCHER];
pub(crate) const ALL: [&Kind; 9] =
    [&MOBILE, &BANK, &CHECKOUT, &AIRTIME, &BILL, &VOUCHER, &BALANCE, &CHECK, &REGISTER];

impl Kind {
    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(self.body).unwrap()
    }

    /// The body with one parameter changed; `Null` takes it out.
    pub(crate) fn body_with(&self, pointer: &str, value: Value) -> Value {
        let mut body = self.body();
        let (object, name) = pointer.rsplit_once('/').unwrap();
        let inner = body.pointer_mut(object).unwrap();
        *inner = with(inner.take(), name, value);
        body
    }

    /// Where the phone of the payee or payer stands, or the account of a bill.
    pub(crate) fn party(&self) -> &'static str {
        let party = |name: &&&str| ["hone", "honeNumber", "account"].iter().any(|end| name.ends_with(end));
        self.signed.iter().find(party).unwrap()
    }

    pub(crate) fn amount(&self) -> &'static str {
        self.signed[0]
    }
}

/// Made with other code than the simulator's.
pub(crate) fn sign(kind: &Kind, key: &str, mut body: Value) -> Value {
    let text = |pointer: &&str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let message: String = kind.signed.iter().map(text).collect();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), message.as_bytes());
    body["signature"] = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
    body
}

pub(crate) fn account() -> KyandaAccount {
    KyandaAccount::new().with_security_key(KEY)
}

pub(crate) struct Rig {
    pub(crate) sim: Sim,
    pub(crate) merchant: Merchant,
}

impl Rig {
    /// One whose notifications arrive.
    pub(crate) async fn new() -> Self {
        Self::with(account()).await
    }

    pub(crate) async fn with(account: KyandaAccount) -> Self {
        let merchant = Merchant::open_saying("200 OK", r#"{"status":"success"}"#, Duration::ZERO).await;
        let account = account.with_callback_url(format!("{}/ipn", merchant.url()).parse().unwrap());
        Self { sim: Sim::start(options().with_kyanda(account)).await.unwrap(), merchant }
    }

    /// One that has no callback URL yet.
    pub(crate) async fn bare(options: Options) -> Self {
        Self { sim: Sim::start(options).await.unwrap(), merchant: Merchant::open().await }
    }

    pub(crate) async fn post(&self, kind: &Kind, body: Value) -> Raw {
        let account = self.sim.kyanda();
        let body = sign(kind, account.security_key(), body);
        post(&self.sim, kind.path, &format!("apiKey: {}\r\n", account.api_key()), &body).await
    }

    /// The reference under which it was accepted.
    pub(crate) async fn accepted(&self, kind: &Kind, body: Value) -> String {
        let reply = self.post(kind, body).await;
        assert_eq!(reply.status(), 200, "{}", reply.body());
        reference(&reply.json())
    }

    pub(crate) async fn ask(&self, reference: &str) -> Raw {
        self.post(&CHECK, CHECK.body_with("/transactionRef", json!(reference))).await
    }

    pub(crate) fn payment(&self, reference: &str) -> Payment {
        self.sim.ledger().find_by_gateway_reference(BOOK, reference).unwrap().clone()
    }

    pub(crate) fn held(&self) -> Decimal {
        self.sim.ledger().balance(BOOK, WALLET).unwrap()
    }
}

pub(crate) fn reference(reply: &Value) -> String {
    let name = if reply["merchant_reference"].is_null() { "transactionId" } else { "merchant_reference" };
    reply[name].as_str().unwrap().to_owned()
}

pub(crate) async fn post(sim: &Sim, path: &str, headers: &str, body: &Value) -> Raw {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: sim\r\n{headers}Content-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    send(sim, &request).await
}

/// Code and text of a refusal.
pub(crate) fn refused(reply: &Raw) -> (String, String) {
    let body = reply.json();
    assert_eq!((reply.status(), &body["status"]), (400, &json!("Failed")), "{body}");
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("status_code"), text("transactiontxt"))
}
