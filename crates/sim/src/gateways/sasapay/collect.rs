//! Asking a payer for money (`request-payment`), and what comes of it.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, Uri};
use malipo_core::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use super::channel::{Channel, Way};
use super::confirm::Code;
use super::credit::{self, Credit, Given};
use super::fields::Fields;
use super::refusal::Refusal;
use super::told::{About, News};
use super::{HEX, Name, SHILLINGS, SasaPay, Task, WORKING, Work};
use crate::fault::{Fault, Faults};
use crate::gateways::{Gateway, json};
use crate::magic::{self, MagicEffect, PayerRefusal};
use crate::payment::{Direction, Payment, PaymentState};
use crate::world::Stage;

/// A code of the gateway's and its words.
pub(super) struct Failure(pub(super) &'static str, pub(super) &'static str);

pub(super) const TOO_LITTLE: Failure = Failure("1", "The balance is insufficient for the transaction");
const CANCELLED: Failure = Failure("1032", "Request cancelled by user");
const NO_ANSWER: Failure = Failure("1037", "The payer could not be reached or did not respond");
const WRONG_PIN: Failure = Failure("2001", "The payer entered a wrong PIN");
const NO_PROMPT: Failure = Failure("1025", "The prompt could not be sent");
/// What our own books do not allow is nobody's fault but the gateway's.
const INTERNAL: Failure = Failure("9999", "The payment could not be processed");

/// The number of the first narration but one: the page's sample has `PR1686`.
const NARRATIONS: usize = 1001;

/// An accepted request, besides its entry in the ledger.
#[derive(Debug)]
pub(super) struct Collection {
    /// Its place in the ledger.
    pub(super) payment: usize,
    pub(super) reference: String,
    pub(super) checkout: String,
    pub(super) narration: String,
    pub(super) msisdn: String,
    pub(super) channel: Channel,
    pub(super) requested: Decimal,
    /// What has come in for it so far.
    pub(super) received: Decimal,
    pub(super) accepted_at: Timestamp,
    /// The transaction code under which money came in for it last.
    pub(super) last_code: Option<String>,
    pub(super) callback_url: Uri,
    pub(super) lane: u64,
    /// The faults of the request, where its result hangs on something else still to come: they are that result's.
    pub(super) faults: Faults,
    /// The code sent to the payer's phone, where one was.
    pub(super) code: Option<Code>,
}

/// A request that breaks no rule.
struct Asked {
    merchant: String,
    channel: Channel,
    spelled: String,
    msisdn: String,
    reference: String,
    amount: Decimal,
    callback_url: Uri,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Acknowledgement<'a> {
    #[serde(rename = "status")]
    status: bool,
    #[serde(rename = "detail")]
    detail: &'static str,
    payment_gateway: &'static str,
    #[serde(rename = "MerchantRequestID")]
    merchant_request: &'a str,
    #[serde(rename = "CheckoutRequestID")]
    checkout_request: &'a str,
    transaction_reference: &'a str,
    response_code: &'static str,
    response_description: &'static str,
    customer_message: String,
}

impl Asked {
    /// `None` when a field is wrong: then `fields` knows which, and all others that are.
    fn read(fields: &mut Fields) -> Option<Self> {
        let merchant = fields.code("MerchantCode");
        let channel = fields.channel("NetworkCode");
        let spelled = fields.peek("PhoneNumber").unwrap_or_default();
        let msisdn = fields.phone("PhoneNumber");
        let description = fields.text("TransactionDesc");
        let reference = fields.text("AccountReference");
        let currency = fields.shillings("Currency");
        let amount = fields.amount("Amount");
        let callback_url = fields.url("CallBackURL");
        // Spelled with its space in every sample, and left out by many who are served all the same.
        let _ = fields.optional_fee("Transaction Fee");
        fields.check().ok()?;
        description?;
        currency?;
        Some(Self {
            merchant: merchant?,
            channel: channel?,
            spelled,
            msisdn: msisdn?,
            reference: reference?,
            amount: amount?,
            callback_url: callback_url?,
        })
    }
}

impl Collection {
    /// What there is to tell of it now.
    fn about(&self, stage: &mut Stage) -> About {
        About {
            msisdn: self.msisdn.clone(),
            channel: self.channel.name,
            bill_reference: self.reference.clone(),
            third_party: credit::third_party(stage),
            held_after: stage.ledger.balance(Gateway::SasaPay, WORKING).unwrap_or_default(),
        }
    }

    /// The request's faults, for what a payer does by themselves. They strike once, as every call's do; and no call is
    /// under way whose reply a callback could come before.
    pub(super) fn take_faults(&mut self) -> Faults {
        std::mem::take(&mut self.faults).without(Fault::CallbackEarly)
    }
}

impl SasaPay {
    pub(super) fn collect(
        &mut self,
        stage: &mut Stage,
        fields: &mut Fields,
        faults: &Faults,
    ) -> Result<Response<Bytes>, Refusal> {
        let asked = Asked::read(fields).ok_or_else(|| fields.refusal())?;
        self.ours(&asked.merchant)?;
        let way = asked.channel.way;
        if way == Way::Code && !magic::is_registered(&asked.msisdn) {
            return Err(Refusal::no_wallet());
        }
        let place = self.accept(stage, asked, faults);
        if way == Way::Prompt {
            self.undertake(stage, Work { task: Task::Decide(place), faults: faults.clone() });
        }
        let collection = self.collections.get(place).ok_or_else(Refusal::no_such_payment)?;
        Ok(acknowledged(collection, self.account.merchant_code()))
    }

    /// Enters a request in the books and says where it stands. Nothing keeps a reference from being used again: then
    /// there are two requests, and both may be paid.
    fn accept(&mut self, stage: &mut Stage, asked: Asked, faults: &Faults) -> usize {
        let place = self.collections.len();
        let checkout = uuid(stage);
        let narration = format!("PR{}", NARRATIONS.saturating_add(place));
        let accepted_at = stage.now();
        let payment = stage.ledger.accept(Payment {
            gateway: Gateway::SasaPay,
            direction: Direction::In,
            reference: Some(asked.reference.clone()),
            gateway_reference: checkout.clone(),
            party: asked.spelled,
            amount: asked.amount,
            currency: SHILLINGS.into(),
            state: PaymentState::Accepted,
            accepted_at,
            decided_at: None,
        });
        // A prompt's result hangs on nothing else: they are that of the prompt, and not kept.
        let faults = if asked.channel.way == Way::Prompt { Faults::default() } else { faults.clone() };
        let code = (asked.channel.way == Way::Code)
            .then(|| Code::send(stage, &asked.msisdn, asked.amount, self.account.merchant_code()));
        let names = [
            Name::Checkout(checkout.clone()),
            Name::Narration(narration.clone()),
            Name::Reference(asked.reference.clone()),
        ];
        self.names.extend(names.map(|name| (name, place)));
        self.collections.push(Collection {
            payment,
            reference: asked.reference,
            checkout,
            narration,
            msisdn: asked.msisdn,
            channel: asked.channel,
            requested: asked.amount,
            received: Decimal::ZERO,
            accepted_at,
            last_code: None,
            callback_url: asked.callback_url,
            lane: stage.new_lane(),
            faults,
            code,
        });
        place
    }

    /// Takes the money, unless the payer cannot or will not give it.
    pub(super) fn charge(&mut self, stage: &mut Stage, place: usize, decided: Duration, faults: &Faults) {
        let Some(collection) = self.collections.get(place) else { return };
        match unwillingness(collection) {
            Some(failure) => self.fail(stage, place, failure, decided, faults),
            None => {
                let given = Given { amount: collection.requested, from: None };
                self.receive(stage, place, given, decided, faults);
            }
        }
    }

    /// Closes a request for which nothing came in, and tells.
    pub(super) fn fail(
        &mut self,
        stage: &mut Stage,
        place: usize,
        failure: Failure,
        decided: Duration,
        faults: &Faults,
    ) {
        let Some(collection) = self.collections.get(place) else { return };
        // What has come in meanwhile, by another way, was told of.
        if !collection.received.is_zero() {
            return;
        }
        let Failure(code, text) = failure;
        // Fails only when it was decided before: then that decision stands, and is what is told.
        let _ = stage.ledger.refuse(collection.payment, code, text, stage.now());
        let Some(payment) = stage.ledger.payment(collection.payment).cloned() else { return };
        let about = collection.about(stage);
        let news = News { payment, about: &about, collection: Some(collection), lane: collection.lane };
        self.tell(stage, &news, decided, faults);
    }

    /// Takes in what a payer gives for a request, be it more or less than was asked for, and tells.
    pub(super) fn receive(
        &mut self,
        stage: &mut Stage,
        place: usize,
        given: Given,
        decided: Duration,
        faults: &Faults,
    ) {
        let Given { amount, from } = given;
        let Some(collection) = self.collections.get_mut(place) else { return };
        let Some(asked) = stage.ledger.payment(collection.payment).cloned() else { return };
        let code = credit::transaction_code(stage);
        // A payer's second transfer for one request is money as well: the books have it as a payment of its own.
        let payment = if asked.state == PaymentState::Accepted {
            collection.payment
        } else {
            stage.ledger.accept(Payment {
                gateway_reference: code.clone(),
                amount,
                state: PaymentState::Accepted,
                accepted_at: stage.now(),
                decided_at: None,
                ..asked
            })
        };
        let at = stage.now();
        if stage.ledger.pay_some(payment, WORKING, &code, amount, at).is_err() {
            return self.fail(stage, place, INTERNAL, decided, faults);
        }
        collection.received = collection.received.saturating_add(amount);
        collection.last_code = Some(code.clone());
        let mut about = collection.about(stage);
        if let Some(msisdn) = from {
            about = About { msisdn, channel: Channel::MPESA.name, ..about };
        }
        let credit = Credit { payment, amount, at, collection: Some(place), about };
        let Some(made) = stage.ledger.payment(payment).cloned() else { return };
        let news = News {
            payment: Payment { amount, ..made },
            about: &credit.about,
            lane: collection.lane,
            collection: self.collections.get(place),
        };
        self.tell(stage, &news, decided, faults);
        self.credits.insert(code, credit);
    }
}

/// Why a payer does not pay what was asked for on the phone.
fn unwillingness(collection: &Collection) -> Option<Failure> {
    match (magic::effect(&collection.msisdn)?, collection.channel.way) {
        (MagicEffect::PayerRefuses(PayerRefusal::TooLittle), _) => Some(TOO_LITTLE),
        // Whoever gave the code has agreed.
        (_, Way::Code | Way::Transfer) => None,
        (MagicEffect::PayerRefuses(PayerRefusal::Cancels), Way::Prompt) => Some(CANCELLED),
        (MagicEffect::PayerRefuses(PayerRefusal::NoAnswer), Way::Prompt) => Some(NO_ANSWER),
        (MagicEffect::PayerRefuses(PayerRefusal::WrongPin), Way::Prompt) => Some(WRONG_PIN),
        (MagicEffect::Unregistered, Way::Prompt) => Some(NO_PROMPT),
        (MagicEffect::Faults(_), Way::Prompt) => None,
    }
}

fn acknowledged(collection: &Collection, merchant: &str) -> Response<Bytes> {
    let narration = &collection.narration;
    let (detail, description, how) = match collection.channel.way {
        Way::Code => (
            "OTP sent. Share the code to complete transaction",
            "Success. Request accepted for processing",
            format!("Enter the code sent to your phone, or pay bill {merchant}, account {narration}"),
        ),
        Way::Prompt => (
            "STK Push sent. Enter your PIN to complete transaction",
            "Success. STK PUSH SENT",
            format!("Enter your PIN when prompted, or pay bill {merchant}, account {narration}"),
        ),
        Way::Transfer => (
            "Make a bank transfer to complete transaction",
            "Success. Request accepted for processing",
            format!("Pay by Pesalink from your bank with the narration {narration}"),
        ),
    };
    let body = Acknowledgement {
        status: true,
        detail,
        payment_gateway: collection.channel.name,
        merchant_request: &collection.reference,
        checkout_request: &collection.checkout,
        transaction_reference: narration,
        response_code: "0",
        response_description: description,
        customer_message: how,
    };
    json(StatusCode::OK, &body)
}

/// A random UUID of version 4.
fn uuid(stage: &mut Stage) -> String {
    let mut hex = |length| stage.dice.text(HEX, length);
    let (first, second, third, last) = (hex(8), hex(4), hex(3), hex(12));
    let variant = stage.dice.text(b"89ab", 1);
    let fourth = stage.dice.text(HEX, 3);
    format!("{first}-{second}-4{third}-{variant}{fourth}-{last}")
}
