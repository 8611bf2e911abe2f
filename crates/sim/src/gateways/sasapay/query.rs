//! The questions: what became of a request, what a transaction was, and what the accounts hold.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, Uri};
use malipo_core::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use super::account::StatusAnswer;
use super::collect::Collection;
use super::credit::Credit;
use super::fields::Fields;
use super::refusal::Refusal;
use super::told::{FIRST_NAME, LAST_NAME, MIDDLE_NAME};
use super::{ACCOUNTS, Name, SHILLINGS, SasaPay, Task, Work};
use crate::eat;
use crate::fault::Faults;
use crate::gateways::{Gateway, json, json_bytes};
use crate::notify::{Callback, Telling, tellings};
use crate::world::{Stage, plain};

/// A question about a payment that is to be answered by callback.
#[derive(Debug)]
pub(super) struct Status {
    subject: Subject,
    callback_url: Uri,
    lane: u64,
}

/// What a question is about.
#[derive(Debug)]
enum Subject {
    Collection(usize),
    /// By transaction code.
    Credit(String),
}

/// What is known of it.
struct Known<'a> {
    reference: &'a str,
    checkout: &'a str,
    channel: &'a str,
    asked_at: Timestamp,
    requested: Decimal,
    received: Decimal,
    /// The last that came in, and its transaction code.
    credit: Option<(&'a str, &'a Credit)>,
}

#[derive(Serialize)]
struct Found<T> {
    status: bool,
    message: &'static str,
    data: T,
}

/// Nothing here tells a payment that failed from one still to be made: only `Paid` decides, and it is false for both.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Data<'a> {
    transaction_type: &'static str,
    transaction_date: String,
    checkout_id: &'a str,
    merchant_reference: &'a str,
    transaction_amount: Box<RawValue>,
    paid: bool,
    amount_paid: Box<RawValue>,
    paid_date: String,
    source_channel: &'a str,
    destination_channel: &'static str,
    transaction_code: &'a str,
    third_party_transaction_code: &'a str,
}

#[derive(Serialize)]
struct Acknowledgement {
    status: bool,
    message: &'static str,
}

#[derive(Serialize)]
struct Verified<'a> {
    #[serde(rename = "statusCode")]
    status_code: u8,
    detail: &'static str,
    data: Transaction<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Transaction<'a> {
    merchant_code: &'a str,
    first_name: &'static str,
    middle_name: &'static str,
    last_name: &'static str,
    customer_mobile: &'a str,
    org_account_balance: Box<RawValue>,
    trans_amount: Box<RawValue>,
    transaction_code: &'a str,
    #[serde(rename = "ThirdPartyTransID")]
    third_party: &'a str,
    bill_ref_number: &'a str,
    transaction_type: &'static str,
    source_channel: &'a str,
    transaction_date: String,
}

#[derive(Serialize)]
struct Balances {
    #[serde(rename = "statusCode")]
    status_code: &'static str,
    message: &'static str,
    data: Holdings,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Holdings {
    currency_code: &'static str,
    org_account_balance: Box<RawValue>,
    accounts: Vec<Holding>,
}

#[derive(Serialize)]
struct Holding {
    account_label: &'static str,
    account_balance: Box<RawValue>,
}

impl SasaPay {
    pub(super) fn status(
        &mut self,
        stage: &mut Stage,
        fields: &mut Fields,
        faults: &Faults,
    ) -> Result<Response<Bytes>, Refusal> {
        let merchant = fields.code("MerchantCode");
        let checkout = fields.optional_text("CheckoutRequestId");
        let reference = fields.optional_text("MerchantTransactionReference");
        let code = fields.optional_text("TransactionCode");
        if checkout.is_none() && reference.is_none() && code.is_none() {
            let _: Option<()> = fields.wrong(
                "CheckoutRequestId",
                "This field, MerchantTransactionReference or TransactionCode is required.",
            );
        }
        let callback_url = fields.url("CallbackUrl");
        fields.check()?;
        let (Some(merchant), Some(callback_url)) = (merchant, callback_url) else {
            return Err(fields.refusal());
        };
        self.ours(&merchant)?;
        let subject = self.subject(checkout, reference, code).ok_or_else(Refusal::no_such_payment)?;
        // A fault that says how a callback goes is one that there has to be a callback for.
        if self.account.status() == StatusAnswer::InReply && !faults.speak_of_callbacks() {
            let body = self.found(&subject, Telling::Truth).ok_or_else(Refusal::no_such_payment)?;
            return Ok(plain(StatusCode::OK, "application/json", body));
        }
        let task = Task::Status(Status { subject, callback_url, lane: stage.new_lane() });
        self.undertake(stage, Work { task, faults: faults.clone() });
        let message = "Your request has been received. Check your callback URL for the response";
        Ok(json(StatusCode::OK, &Acknowledgement { status: true, message }))
    }

    /// Posts the answer that a reply would have been.
    pub(super) fn tell_status(&self, stage: &mut Stage, status: &Status, decided: Duration, faults: &Faults) {
        let Some(known) = self.known(&status.subject) else { return };
        for (when, telling) in tellings(faults) {
            // There is no second URL to tell of a timeout, so nothing is told.
            if telling == Telling::TimedOut {
                continue;
            }
            let Some(body) = self.found(&status.subject, telling) else { continue };
            let (url, lane) = (&status.callback_url, status.lane);
            let callback =
                Callback::json(Gateway::SasaPay, known.reference, lane, url, HeaderMap::new(), body);
            stage.tell(decided, when, callback);
        }
    }

    pub(super) fn verify(&self, stage: &Stage, fields: &mut Fields) -> Result<Response<Bytes>, Refusal> {
        // The page spells them in one way in its table and in another in its sample.
        let either = |upper, lower| if fields.has(lower) { lower } else { upper };
        let names = (either("MerchantCode", "merchantCode"), either("TransactionCode", "transactionCode"));
        let (merchant, code) = (fields.code(names.0), fields.text(names.1));
        let (Some(merchant), Some(code)) = (merchant, code) else { return Err(fields.refusal()) };
        self.ours(&merchant)?;
        let credit = self.credits.get(&code).ok_or_else(Refusal::no_such_payment)?;
        let payment = stage.ledger.payment(credit.payment).ok_or_else(Refusal::no_such_payment)?;
        let body = Verified {
            status_code: 0,
            detail: "Transaction details",
            data: Transaction {
                merchant_code: &merchant,
                first_name: FIRST_NAME,
                middle_name: MIDDLE_NAME,
                last_name: LAST_NAME,
                customer_mobile: &credit.about.msisdn,
                org_account_balance: number(credit.about.held_after),
                trans_amount: number(credit.amount),
                transaction_code: payment.receipt().unwrap_or(&code),
                third_party: &credit.about.third_party,
                bill_ref_number: &credit.about.bill_reference,
                transaction_type: "C2B",
                source_channel: credit.about.channel,
                transaction_date: eat::compact(credit.at),
            },
        };
        Ok(json(StatusCode::OK, &body))
    }

    pub(super) fn balance(&self, stage: &Stage, query: Option<&str>) -> Result<Response<Bytes>, Refusal> {
        let mut pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let merchant = pairs.find(|(name, _)| *name == "MerchantCode").map(|(_, value)| value);
        let Some(merchant) = merchant.filter(|merchant| !merchant.is_empty()) else {
            return Err(Refusal::field("MerchantCode", "This field is required."));
        };
        self.ours(merchant)?;
        let held = |name| stage.ledger.balance(Gateway::SasaPay, name).unwrap_or_default();
        let accounts = ACCOUNTS
            .map(|name| Holding { account_label: name, account_balance: number(held(name)) })
            .into_iter()
            .collect();
        let total = ACCOUNTS.into_iter().map(held).fold(Decimal::ZERO, Decimal::saturating_add);
        let data = Holdings { currency_code: SHILLINGS, org_account_balance: number(total), accounts };
        Ok(json(StatusCode::OK, &Balances { status_code: "0", message: "Account Balances", data }))
    }

    /// What goes by all of the names given. The page's sample gives all three.
    fn subject(
        &self,
        checkout: Option<String>,
        reference: Option<String>,
        code: Option<String>,
    ) -> Option<Subject> {
        let subject = match (&code, &checkout, &reference) {
            (Some(code), _, _) => match self.credits.get(code)?.collection {
                Some(place) => Subject::Collection(place),
                None => Subject::Credit(code.clone()),
            },
            (None, Some(checkout), _) => self.named(Name::Checkout(checkout.clone()))?,
            (None, None, Some(reference)) => self.named(Name::Reference(reference.clone()))?,
            (None, None, None) => return None,
        };
        let known = self.known(&subject)?;
        let same = |given: Option<String>, name| given.is_none_or(|given| given == name);
        (same(checkout, known.checkout) && same(reference, known.reference)).then_some(subject)
    }

    fn named(&self, name: Name) -> Option<Subject> {
        self.names.get(&name).copied().map(Subject::Collection)
    }

    fn known<'a>(&'a self, subject: &'a Subject) -> Option<Known<'a>> {
        match subject {
            Subject::Collection(place) => {
                let Collection { reference, checkout, channel, requested, received, last_code, .. } =
                    self.collections.get(*place)?;
                let credit = last_code.as_deref().and_then(|code| Some((code, self.credits.get(code)?)));
                Some(Known {
                    reference,
                    checkout,
                    channel: channel.name,
                    asked_at: self.collections.get(*place)?.accepted_at,
                    requested: *requested,
                    received: *received,
                    credit,
                })
            }
            Subject::Credit(code) => {
                let credit = self.credits.get(code)?;
                Some(Known {
                    reference: &credit.about.bill_reference,
                    checkout: "",
                    channel: credit.about.channel,
                    asked_at: credit.at,
                    requested: credit.amount,
                    received: credit.amount,
                    credit: Some((code, credit)),
                })
            }
        }
    }

    fn found(&self, subject: &Subject, telling: Telling) -> Option<Bytes> {
        let known = self.known(subject)?;
        let received = match telling {
            Telling::Truth | Telling::TimedOut => known.received,
            Telling::Opposite if known.received.is_zero() => known.requested,
            Telling::Opposite => Decimal::ZERO,
            Telling::Forged => known.requested.saturating_mul(Decimal::TEN),
        };
        let (code, credit) = known.credit.filter(|_| !received.is_zero()).unzip();
        let data = Data {
            transaction_type: "C2B",
            transaction_date: eat::compact(known.asked_at),
            checkout_id: known.checkout,
            merchant_reference: known.reference,
            transaction_amount: number(known.requested),
            paid: received >= known.requested,
            amount_paid: number(received),
            paid_date: credit.map(|credit| eat::compact(credit.at)).unwrap_or_default(),
            source_channel: known.channel,
            destination_channel: "SasaPay",
            transaction_code: code.unwrap_or_default(),
            third_party_transaction_code: credit.map(|credit| &*credit.about.third_party).unwrap_or_default(),
        };
        Some(json_bytes(&Found { status: true, message: "Transaction details", data }))
    }
}

/// A JSON number with two decimals.
fn number(amount: Decimal) -> Box<RawValue> {
    RawValue::from_string(format!("{amount:.2}")).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
