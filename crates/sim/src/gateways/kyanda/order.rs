//! Calls that move money: the rules for what they ask, and what becomes of them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use super::codes::{
    AIRTIME_TELCOS, BANKS, BILL_TELCOS, BUNDLES, BUNDLES_TELCO, CHANNELS, POWER_TELCO, PRODUCTS,
    VOUCHER_TELCOS,
};
use super::endpoint::{Endpoint, PRODUCT};
use super::fields::Parameters;
use super::refusal::{
    self, AIRTIME_AMOUNT, AIRTIME_CHANNEL, AIRTIME_PHONE, AUTHENTICATION, BANK, BILL_ACCOUNT, BILL_AMOUNT,
    BILL_PHONE, BILL_TELCO, Code, FORBIDDEN, INVALID, PAYER_FUNDS, PAYMENT_SERVICE, Refusal, UNEXPECTED,
};
use super::{DIGITS, DIGITS_AND_CAPITALS, WALLET};
use crate::dice::Dice;
use crate::gateways::positive_decimal;
use crate::ledger::BookError;
use crate::magic::{self, PayerRefusal};
use crate::notify::Telling;
use crate::payment::{Direction, Payment};
use crate::world::Stage;

/// What is handed over for the money, by the names that notifications use. Some of it is as good as money:
/// it cannot be printed.
#[derive(Default, Serialize)]
pub(super) struct Goods(BTreeMap<&'static str, String>);

/// What an accepted call has besides its entry in the ledger.
pub(super) struct Order {
    /// Its place in the ledger.
    pub(super) payment: usize,
    pub(super) endpoint: Endpoint,
    /// Of who is paid or pays, as magic payees are spelled.
    pub(super) phone: Option<String>,
    /// Whose airtime it is, or whose bill.
    pub(super) telco: Option<String>,
    pub(super) metadata: Option<Box<RawValue>>,
    /// Empty until it is paid.
    pub(super) goods: Goods,
    pub(super) lane: u64,
}

impl Order {
    pub(super) fn direction(endpoint: Endpoint) -> Direction {
        if endpoint == Endpoint::Checkout { Direction::In } else { Direction::Out }
    }

    /// Pays, or refuses to.
    pub(super) fn decide(&mut self, stage: &mut Stage) {
        let at = stage.now();
        let receipt = stage.dice.text(DIGITS_AND_CAPITALS, 10);
        let failure = match self.failure() {
            Some(failure) => Some(failure),
            None => stage.ledger.pay(self.payment, WALLET, &receipt, at).err().map(words_for),
        };
        if let Some((code, words)) = failure {
            // Fails only when it was decided before: then that decision stands, and is what is told.
            let _ = stage.ledger.refuse(self.payment, code.number, words, at);
        }
        if let Some(payment) = stage.ledger.payment(self.payment) {
            self.goods = self.make_goods(payment, &mut stage.dice);
        }
    }

    /// Why the other end does not take or give the money. No page prints a payment that fails after it was
    /// accepted: the codes are the table's nearest, which is our choice.
    fn failure(&self) -> Option<(Code, &'static str)> {
        let phone = self.phone.as_deref()?;
        if !magic::is_registered(phone) {
            let code = match self.endpoint {
                Endpoint::Airtime | Endpoint::Voucher => AIRTIME_PHONE,
                _ => INVALID,
            };
            return Some((code, "The phone number is not registered."));
        }
        if self.endpoint != Endpoint::Checkout {
            return None;
        }
        magic::payer_refusal(phone).map(|refusal| match refusal {
            PayerRefusal::Cancels => (FORBIDDEN, "The customer cancelled the request."),
            PayerRefusal::NoAnswer => (PAYMENT_SERVICE, "The customer did not answer."),
            PayerRefusal::TooLittle => (PAYER_FUNDS, "The customer has insufficient funds."),
            PayerRefusal::WrongPin => (AUTHENTICATION, "The customer entered a wrong PIN."),
        })
    }

    /// What a payment that is told as made brings. The names of what is in a checkout, a payout and an
    /// airtime purchase are those seen in public; where the PIN and the serial number of a voucher stand is
    /// our choice, since nobody shows one.
    pub(super) fn make_goods(&self, payment: &Payment, dice: &mut Dice) -> Goods {
        let mut goods = Goods::default();
        let Some(receipt) = payment.receipt() else { return goods };
        let mut put = |name, value| goods.0.insert(name, value);
        match self.endpoint {
            Endpoint::Checkout => {
                put("one", format!("Biller Receipt No: {receipt}"));
                put("two", format!("Kyanda Reference: {}", payment.gateway_reference));
            }
            Endpoint::Voucher => {
                put("one", dice.text(DIGITS, 16));
                put("two", dice.text(DIGITS, 12));
            }
            _ => {
                put("biller_Receipt", receipt.to_owned());
            }
        }
        if matches!(self.endpoint, Endpoint::MobilePayout | Endpoint::Airtime) {
            put("Telco Reference", dice.text(DIGITS_AND_CAPITALS, 10));
        }
        if self.endpoint == Endpoint::MobilePayout {
            put("CustomerName", String::new());
        }
        if self.endpoint == Endpoint::Bill && self.telco.as_deref() == Some(POWER_TELCO) {
            put("tokens", dice.text(DIGITS, 20));
            // Some twenty shillings the unit.
            put("units", (payment.amount / Decimal::from(20)).round_dp(1).to_string());
        }
        goods
    }
}

fn words_for(error: BookError) -> (Code, &'static str) {
    match error {
        BookError::TooLittle => (refusal::FLOAT, refusal::FLOAT.words),
        BookError::WrongState | BookError::OtherCurrency | BookError::NoPayment | BookError::NoAccount => {
            (UNEXPECTED, UNEXPECTED.words)
        }
    }
}

/// The payment as the story has it.
pub(super) fn distorted(payment: Payment, telling: Telling, stage: &mut Stage) -> Payment {
    let Code { number, words } = match payment.direction {
        Direction::Out => refusal::FLOAT,
        Direction::In => PAYER_FUNDS,
    };
    telling.of(payment, (number, words), || stage.dice.text(DIGITS_AND_CAPITALS, 10))
}

/// Whether such a data bundle is sold at such a price. The live service is seen to look at this before the
/// signature. An amount that is none is left to [`read_amount`].
pub(super) fn check_bundle(endpoint: Endpoint, parameters: &Parameters) -> Result<(), Refusal> {
    if endpoint != Endpoint::Airtime || parameters.text("telco") != BUNDLES_TELCO {
        return Ok(());
    }
    let price = positive_decimal(parameters.text("amount"));
    let costs = |shillings: i64| price.is_none_or(|price| price == Decimal::from(shillings));
    let Some(product) = parameters.optional(PRODUCT) else {
        if BUNDLES.into_iter().any(costs) {
            return Ok(());
        }
        let rule = format!("must be the price of a bundle ({BUNDLES:?}) when there is no {PRODUCT}");
        return Err(Refusal::field(AIRTIME_CHANNEL, "amount", &rule));
    };
    match PRODUCTS.iter().find(|(known, _)| *known == product) {
        None => {
            let known: Vec<_> = PRODUCTS.iter().map(|(product, _)| *product).collect();
            let rule = format!("must be one of {}", known.join(", "));
            Err(Refusal::field(AIRTIME_CHANNEL, PRODUCT, &rule))
        }
        Some((_, shillings)) if costs(*shillings) => Ok(()),
        Some((product, shillings)) => {
            let rule = format!("must be {shillings}, which is the price of {product}");
            Err(Refusal::field(AIRTIME_CHANNEL, "amount", &rule))
        }
    }
}

/// Holds the parameters against the rules of their path. The amount is what is left to know.
pub(super) fn read_amount(endpoint: Endpoint, parameters: &Parameters) -> Result<Decimal, Refusal> {
    let read = Rules(parameters);
    match endpoint {
        Endpoint::MobilePayout => {
            read.phone("destination.destinationPhone", INVALID)?;
            read.one_of("destination.channel", &CHANNELS, INVALID)?;
            read.amount(endpoint.amount(), INVALID)
        }
        Endpoint::BankPayout => {
            read.account("destination.accountNumber", INVALID)?;
            read.phone("destination.phoneNumber", INVALID)?;
            read.bank("destination.bankCode")?;
            read.amount(endpoint.amount(), INVALID)
        }
        Endpoint::Checkout => {
            read.phone("phoneNumber", INVALID)?;
            read.one_of("channel", &CHANNELS, INVALID)?;
            read.amount(endpoint.amount(), INVALID)
        }
        Endpoint::Airtime | Endpoint::Voucher => {
            let telcos: &[&str] =
                if endpoint == Endpoint::Voucher { &VOUCHER_TELCOS } else { &AIRTIME_TELCOS };
            read.phone("phone", AIRTIME_PHONE)?;
            read.one_of("telco", telcos, AIRTIME_CHANNEL)?;
            read.phone("initiatorPhone", AIRTIME_PHONE)?;
            read.shillings(endpoint.amount(), AIRTIME_AMOUNT)
        }
        Endpoint::Bill => {
            read.account("account", BILL_ACCOUNT)?;
            read.one_of("telco", &BILL_TELCOS, BILL_TELCO)?;
            read.phone("initiatorPhone", BILL_PHONE)?;
            read.amount(endpoint.amount(), BILL_AMOUNT)
        }
        // They move no money.
        Endpoint::Balance | Endpoint::Check | Endpoint::Register => Ok(Decimal::ZERO),
    }
}

struct Rules<'a>(&'a Parameters);

impl Rules<'_> {
    /// The page asks for 07; numbers that begin with 01 are given out since.
    fn phone(&self, name: &str, code: Code) -> Result<(), Refusal> {
        let text = self.0.text(name);
        let digits = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits && (text.starts_with("07") || text.starts_with("01")) {
            return Ok(());
        }
        Err(Refusal::field(code, name, "must be 10 digits that begin with 07 or 01"))
    }

    /// What an account number looks like is our choice: the page has a sample of digits.
    fn account(&self, name: &str, code: Code) -> Result<(), Refusal> {
        let text = self.0.text(name);
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'/';
        if text.len() <= 30 && text.bytes().all(known) {
            return Ok(());
        }
        Err(Refusal::field(code, name, "must be at most 30 letters, digits, - and /"))
    }

    fn one_of(&self, name: &str, known: &[&str], code: Code) -> Result<(), Refusal> {
        if known.contains(&self.0.text(name)) {
            return Ok(());
        }
        Err(Refusal::field(code, name, &format!("must be one of {}", known.join(", "))))
    }

    fn bank(&self, name: &str) -> Result<(), Refusal> {
        let text = self.0.text(name);
        let three = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        if three && text.parse().is_ok_and(|number| BANKS.contains(&number)) {
            return Ok(());
        }
        let rule = format!("must be 3 digits, from {} to {}", BANKS.start(), BANKS.end());
        Err(Refusal::field(BANK, name, &rule))
    }

    fn amount(&self, name: &str, code: Code) -> Result<Decimal, Refusal> {
        positive_decimal(self.0.text(name)).ok_or_else(|| {
            let rule = "must be a decimal number greater than 0 with at most 2 decimals";
            Refusal::field(code, name, rule)
        })
    }

    fn shillings(&self, name: &str, code: Code) -> Result<Decimal, Refusal> {
        let whole = positive_decimal(self.0.text(name)).filter(|_| !self.0.text(name).contains('.'));
        whole.ok_or_else(|| {
            let rule = "must be a whole number of shillings greater than 0, without a decimal point";
            Refusal::field(code, name, rule)
        })
    }
}
