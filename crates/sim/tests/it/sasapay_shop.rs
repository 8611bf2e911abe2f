//! A merchant at SasaPay, written from its pages and nothing else, with time in hand and no socket.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request};
use malipo_sim::{Delivery, Gateway, Options, SasaPayAccount, World};
use serde_json::{Value, json};

use crate::in_process::{StillClock, world};

pub(crate) const BOOK: Gateway = Gateway::SasaPay;
pub(crate) const WORKING: &str = "Working Account";
pub(crate) const TOKEN: &str = "/api/v1/auth/token/?grant_type=client_credentials";
pub(crate) const COLLECT: &str = "/api/v1/payments/request-payment/";
pub(crate) const CONFIRM: &str = "/api/v1/payments/process-payment/";
pub(crate) const STATUS: &str = "/api/v1/transactions/status-query/";
pub(crate) const VERIFY: &str = "/api/v1/transactions/verify/";
pub(crate) const BALANCE: &str = "/api/v1/payments/check-balance/?MerchantCode=600980";
pub(crate) const REGISTER: &str = "/api/v1/payments/register-ipn-url/";
pub(crate) const PAYER: &str = "254712345678";

pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) token: String,
}

/// What came back: HTTP status, headers, body as it is and as JSON (`Null` if it is none). Status 0 is a connection
/// cut without a reply.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
    /// What was posted before it.
    pub(crate) first: Vec<Post>,
}

/// What was posted to the shop.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) json: Value,
    pub(crate) signature: Option<String>,
}

/// An account that is notified of everything.
pub(crate) fn notified() -> SasaPayAccount {
    SasaPayAccount::new().with_ipn_url("https://shop.example/ipn".parse().unwrap())
}

pub(crate) fn basic(account: &SasaPayAccount) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", account.client_id(), account.client_secret())))
}

impl Shop {
    pub(crate) fn open(account: SasaPayAccount) -> Self {
        Self::with(Options::new().with_seed(3).with_sasapay(account))
    }

    pub(crate) fn with(options: Options) -> Self {
        let (world, clock) = world(options);
        let mut shop = Self { world, clock, token: String::new() };
        let authorization = basic(shop.world.sasapay());
        let token = shop.call("GET", TOKEN, &authorization, &Value::Null).json["access_token"].clone();
        token.as_str().unwrap().clone_into(&mut shop.token);
        shop
    }

    /// `Null` is no body.
    pub(crate) fn call(&self, method: &str, path: &str, authorization: &str, body: &Value) -> Got {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", authorization)
            .header("content-type", "application/json; charset=utf-8")
            .body(Bytes::from(body))
            .unwrap();
        self.put(&request)
    }

    pub(crate) fn put(&self, request: &Request<Bytes>) -> Got {
        let answer = self.world.handle(request);
        let first = answer.first.iter().map(|callback| self.take(callback)).collect();
        let Some(reply) = answer.reply else {
            let (headers, text) = (HeaderMap::new(), String::new());
            return Got { status: 0, headers, text, json: Value::Null, first };
        };
        let text = String::from_utf8(reply.body().to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Got { status: reply.status().as_u16(), headers: reply.headers().clone(), text, json, first }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Got {
        self.call("POST", path, &format!("Bearer {}", self.token), body)
    }

    pub(crate) fn balance(&self) -> Got {
        self.call("GET", BALANCE, &format!("Bearer {}", self.token), &Value::Null)
    }

    /// Asks for 100 shillings and a half through `network`, and insists on the reply.
    pub(crate) fn ask(&self, network: &str, reference: &str) -> Value {
        let got = self.post(COLLECT, &request(network, reference));
        assert_eq!(got.status, 200, "{}", got.text);
        got.json
    }

    pub(crate) fn confirm(&self, checkout: &Value, code: &str) -> Got {
        self.post(CONFIRM, &confirmation(checkout, code))
    }

    /// The code last sent to a phone.
    pub(crate) fn code(&self) -> String {
        self.world.messages().last().unwrap().code.clone()
    }

    /// What became of the payment with this value in this field.
    pub(crate) fn status(&self, field: &str, value: &Value) -> Got {
        self.post(STATUS, &question(field, value))
    }

    /// Lets everything happen that is still to happen, and returns what was posted, in order.
    pub(crate) fn settle(&self) -> Vec<Post> {
        let mut posts = Vec::new();
        while let Some(due) = self.world.next_due() {
            let now = malipo_core::Env::monotonic(&*self.clock);
            self.clock.advance(due.saturating_sub(now));
            posts.extend(self.world.take_due().iter().map(|callback| self.take(callback)));
        }
        assert!(self.world.is_idle());
        posts
    }

    pub(crate) fn moved(&self, reference: &str) -> usize {
        self.world.ledger().moved(BOOK, reference)
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn take(&self, callback: &malipo_sim::Callback) -> Post {
        self.world.record(callback, Delivery::Answered(200));
        let request = callback.request();
        let signature = request.headers().get("x-sasapay-signature");
        Post {
            path: request.uri().path().to_owned(),
            json: serde_json::from_slice(request.body()).unwrap(),
            signature: signature.map(|value| value.to_str().unwrap().to_owned()),
        }
    }
}

pub(crate) fn request(network: &str, reference: &str) -> Value {
    json!({
        "MerchantCode": "600980",
        "NetworkCode": network,
        "Transaction Fee": 0,
        "Currency": "KES",
        "Amount": "100.50",
        "CallBackURL": "https://shop.example/result",
        "PhoneNumber": PAYER,
        "TransactionDesc": "Request Payment",
        "AccountReference": reference,
    })
}

pub(crate) fn confirmation(checkout: &Value, code: &str) -> Value {
    json!({ "CheckoutRequestID": checkout, "MerchantCode": "600980", "VerificationCode": code })
}

pub(crate) fn question(field: &str, value: &Value) -> Value {
    json!({ "MerchantCode": "600980", field: value, "CallbackUrl": "https://shop.example/status" })
}

/// The values of one field of what was posted to a path.
pub(crate) fn told<'a>(posts: &'a [Post], path: &str, field: &str) -> Vec<&'a Value> {
    posts.iter().filter(|post| post.path == path).map(|post| &post.json[field]).collect()
}
