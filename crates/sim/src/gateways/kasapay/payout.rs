//! B2B payouts.

use http::Uri;
use rust_decimal::Decimal;

use super::fields::Fields;
use super::refusal::Refusal;
use super::{DIGITS_AND_CAPITALS, KasaPay};
use crate::gateways::Gateway;
use crate::ledger::BookError;
use crate::magic;
use crate::notify::Telling;
use crate::payment::{Direction, Payment, PaymentState};
use crate::world::Stage;

/// Payout failed, with the reason in words.
const FAILED: &str = "701";
const TOO_LITTLE_HELD: &str = "The float balance is insufficient for the payout";
const NO_RECIPIENT: &str = "The recipient account does not exist";
/// What our own books do not allow is nobody's fault but the gateway's.
const INTERNAL: &str = "The payout could not be processed";

/// What an accepted payout has besides its entry in the ledger.
#[derive(Debug)]
pub(super) struct Payout {
    /// Its place in the ledger.
    pub(super) payment: usize,
    pub(super) recipient: Recipient,
    pub(super) recipient_name: String,
    pub(super) description: String,
    pub(super) float: Float,
    /// What the float held once it was decided.
    pub(super) held_after: Option<Decimal>,
    pub(super) callback_url: Uri,
    pub(super) lane: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipient {
    Paybill,
    Till,
    Bank,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Mpesa,
    Bank,
}

/// One of the merchant's floats: there is one for each currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Float {
    Kes,
    Usd,
}

const RECIPIENTS: [(&str, Recipient); 3] =
    [("PAYBILL", Recipient::Paybill), ("TILL", Recipient::Till), ("BANK_ACCOUNT_NUMBER", Recipient::Bank)];
const METHODS: [(&str, Method); 2] = [("MPESA_B2B", Method::Mpesa), ("BANK", Method::Bank)];
const CURRENCIES: [(&str, Float); 2] = [("KES", Float::Kes), ("USD", Float::Usd)];

/// A request that breaks no rule.
struct Asked {
    reference: String,
    service_code: String,
    recipient: Recipient,
    recipient_name: String,
    recipient_account: String,
    amount: Decimal,
    description: String,
    float: Float,
    callback_url: Uri,
}

impl Float {
    /// Its name in the ledger.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kes => "KES Float",
            Self::Usd => "USD Float",
        }
    }

    pub(super) fn currency(self) -> &'static str {
        match self {
            Self::Kes => "KES",
            Self::Usd => "USD",
        }
    }
}

impl KasaPay {
    /// Enters a payout in the books and says under which reference.
    pub(super) fn accept(&mut self, stage: &mut Stage, fields: &mut Fields) -> Result<String, Refusal> {
        let asked = Asked::read(fields).ok_or_else(|| fields.refusal())?;
        if asked.service_code != self.account.service_code() {
            return Err(Refusal::service_not_allowed());
        }
        if stage.ledger.find(Gateway::KasaPay, &asked.reference).is_some() {
            return Err(Refusal::duplicate());
        }
        self.transactions += 1;
        let payment = stage.ledger.accept(Payment {
            gateway: Gateway::KasaPay,
            direction: Direction::Out,
            reference: Some(asked.reference.clone()),
            gateway_reference: self.transactions.to_string(),
            party: asked.recipient_account,
            amount: asked.amount,
            currency: asked.float.currency().into(),
            state: PaymentState::Accepted,
            accepted_at: stage.now(),
            decided_at: None,
        });
        let payout = Payout {
            payment,
            recipient: asked.recipient,
            recipient_name: asked.recipient_name,
            description: asked.description,
            float: asked.float,
            held_after: None,
            callback_url: asked.callback_url,
            lane: stage.new_lane(),
        };
        self.payouts.insert(asked.reference.clone(), payout);
        Ok(asked.reference)
    }
}

impl Asked {
    /// `None` when a field is wrong: then `fields` knows which, and all others that are.
    fn read(fields: &mut Fields) -> Option<Self> {
        let reference = fields.text("payout_reference");
        let service_code = fields.text("service_code");
        let account_reference = fields.text("payment_account_reference");
        let recipient_name = fields.text("recipient_name");
        let recipient = fields.one_of("recipient_type", &RECIPIENTS);
        let recipient_account = fields.text("recipient_account_number");
        let amount = fields.amount("amount");
        let description = fields.text("payment_description");
        let method = fields.one_of("payment_method", &METHODS);
        let method = method.and_then(|method| fits(fields, method, recipient));
        let float = fields.one_of("currency_code", &CURRENCIES);
        let country = fields.country("country_code");
        let callback_url = fields.url("callback_url");
        account_reference?;
        method?;
        country?;
        Some(Self {
            reference: reference?,
            service_code: service_code?,
            recipient: recipient?,
            recipient_name: recipient_name?,
            recipient_account: recipient_account?,
            amount: amount?,
            description: description?,
            float: float?,
            callback_url: callback_url?,
        })
    }
}

/// Whether such a recipient is paid by such a method. The page's table says what goes with what; one of its
/// samples pairs a bank account with `MPESA_B2B`, which the table does not allow.
fn fits(fields: &mut Fields, method: Method, recipient: Option<Recipient>) -> Option<()> {
    match (recipient, method) {
        (None, _)
        | (Some(Recipient::Paybill | Recipient::Till), Method::Mpesa)
        | (Some(Recipient::Bank), Method::Bank) => Some(()),
        (Some(Recipient::Paybill | Recipient::Till), Method::Bank) => {
            fields.wrong("payment_method", "must be MPESA_B2B for recipient_type PAYBILL and TILL")
        }
        (Some(Recipient::Bank), Method::Mpesa) => {
            fields.wrong("payment_method", "must be BANK for recipient_type BANK_ACCOUNT_NUMBER")
        }
    }
}

impl Payout {
    /// Pays, or refuses to. `receipt` is the number to use if it pays.
    pub(super) fn decide(&mut self, stage: &mut Stage, receipt: &str) {
        let at = stage.now();
        let Some(payment) = stage.ledger.payment(self.payment) else { return };
        let failure = if magic::is_registered(&payment.party) {
            stage.ledger.pay(self.payment, self.float.name(), receipt, at).err().map(words_for)
        } else {
            Some(NO_RECIPIENT)
        };
        if let Some(words) = failure {
            // Fails only when it was decided before: then that decision stands, and is what is told.
            let _ = stage.ledger.refuse(self.payment, FAILED, words, at);
        }
        self.held_after = Some(self.held(stage));
    }

    /// What its float holds now.
    pub(super) fn held(&self, stage: &Stage) -> Decimal {
        stage.ledger.balance(Gateway::KasaPay, self.float.name()).unwrap_or_default()
    }
}

fn words_for(error: BookError) -> &'static str {
    match error {
        BookError::TooLittle => TOO_LITTLE_HELD,
        BookError::WrongState | BookError::OtherCurrency | BookError::NoPayment | BookError::NoAccount => {
            INTERNAL
        }
    }
}

/// The payment as the story has it.
pub(super) fn distorted(payment: Payment, telling: Telling, stage: &mut Stage) -> Payment {
    telling.of(payment, (FAILED, TOO_LITTLE_HELD), || stage.dice.text(DIGITS_AND_CAPITALS, 12))
}
