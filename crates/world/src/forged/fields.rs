//! Bodies that a gateway could have posted, and in which one thing is not as we asked.

use malipo_sim::Gateway;
use rust_decimal::Decimal;
use serde_json::Value;

use super::strangers::other_digit;
use crate::dice::Dice;

/// What is not as we asked. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Field {
    /// Our name for the payment.
    Reference,
    /// The gateway's name for it.
    ProviderRef,
    /// More was paid.
    AmountUp,
    /// Less was paid.
    AmountDown,
    /// A cent more or less was paid.
    Cent,
    /// It was paid, and nobody says how much.
    NoAmount,
    /// Another currency was paid.
    Currency,
    /// A digit of who was paid, or who paid, is another one.
    Party,
    /// It was something else that was done.
    Operation,
    /// It was another merchant.
    Merchant,
    /// It has failed, and nothing in the body says what has.
    NamelessFailure,
    /// The money came back, and nothing in the body says whose.
    NamelessReversal,
    /// Something else has failed.
    FailureOfAnother,
}

impl Field {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::ProviderRef => "gateway's name",
            Self::AmountUp => "more",
            Self::AmountDown => "less",
            Self::Cent => "a cent",
            Self::NoAmount => "no amount",
            Self::Currency => "currency",
            Self::Party => "party",
            Self::Operation => "operation",
            Self::Merchant => "merchant",
            Self::NamelessFailure => "failed, no names",
            Self::NamelessReversal => "reversed, no names",
            Self::FailureOfAnother => "failed, other names",
        }
    }

    /// Those that a gateway tells and that we hold against what we asked.
    pub(super) fn all_of(gateway: Gateway) -> Vec<Self> {
        let layout = Layout::of(gateway);
        let mut all = vec![Self::AmountUp, Self::Party, Self::ProviderRef, Self::AmountDown];
        all.extend(layout.reference.map(|_| Self::Reference));
        all.extend(layout.currency.map(|_| Self::Currency));
        all.extend(layout.operation.map(|_| Self::Operation));
        all.extend(layout.merchant.map(|_| Self::Merchant));
        all.extend([Self::NamelessFailure, Self::Cent, Self::FailureOfAnother, Self::NoAmount]);
        if matches!(gateway, Gateway::KasaPay | Gateway::SasaPay) {
            all.push(Self::NamelessReversal);
        }
        all
    }

    /// The same as it is told where no money moved, or where it came back.
    fn ended(self, gateway: Gateway, body: Value) -> Option<Value> {
        match self {
            Self::NamelessFailure | Self::FailureOfAnother => failed(gateway, body),
            Self::NamelessReversal => reversed(gateway, body),
            _ => Some(body),
        }
    }

    /// `genuine` with this changed, and nothing else that counts. `number` makes it unlike any other one; `other` is what
    /// the gateway posted of another payment. `None` where it cannot be changed so.
    pub(super) fn forge(
        self,
        gateway: Gateway,
        genuine: &Value,
        other: &Value,
        number: u64,
        dice: &mut Dice,
    ) -> Option<Value> {
        let layout = Layout::of(gateway);
        let mut body = genuine.clone();
        *place(&mut body, layout.words)? = format!("Told once more, as number {number}.").into();
        body = self.ended(gateway, body)?;
        match self {
            Self::Reference => rename(&mut body, layout.reference?, other, dice)?,
            Self::ProviderRef => rename(&mut body, layout.provider_ref, other, dice)?,
            Self::AmountUp => {
                amount(&mut body, &layout, |paid| paid + Decimal::from(1 + dice.below(1_000_000)))?
            }
            Self::AmountDown => amount(&mut body, &layout, |paid| {
                let shillings = u64::try_from(paid.trunc()).unwrap_or_default();
                Decimal::from(1 + dice.below(shillings.saturating_sub(1)))
            })?,
            Self::Cent => amount(&mut body, &layout, |paid| match dice.below(2) {
                0 => paid + Decimal::new(1, 2),
                _ => paid - Decimal::new(1, 2),
            })?,
            Self::NoAmount => remove(&mut body, layout.amount)?,
            Self::Currency => {
                *place(&mut body, layout.currency?)? = (*dice.one_of(&["USD", "UGX", "TZS"])?).into()
            }
            Self::Party => party(&mut body, layout.party, dice)?,
            Self::Operation => {
                let (at, another) = layout.operation?;
                *place(&mut body, at)? = another.into();
            }
            Self::Merchant => {
                let told = place(&mut body, layout.merchant?)?;
                *told = other_digit(&format!("{}7", told.as_str()?), dice)?.into();
            }
            Self::NamelessFailure | Self::NamelessReversal => {
                for name in layout.names {
                    // Some are not there where it failed.
                    let _ = remove(&mut body, name);
                }
            }
            Self::FailureOfAnother => {
                let bound: Vec<_> = layout.reference.into_iter().chain([layout.provider_ref]).collect();
                let first = *dice.one_of(&bound)?;
                for name in bound {
                    if name == first || dice.below(2) == 0 {
                        rename(&mut body, name, other, dice)?;
                    }
                }
            }
        }
        Some(body)
    }
}

/// Where a gateway writes what. A place that begins with no slash is a parameter of Daraja's results.
struct Layout {
    words: &'static str,
    reference: Option<&'static str>,
    provider_ref: &'static str,
    /// Everything that could say which payment it is about.
    names: &'static [&'static str],
    amount: &'static str,
    currency: Option<&'static str>,
    party: &'static str,
    /// And what else could stand there.
    operation: Option<(&'static str, &'static str)>,
    merchant: Option<&'static str>,
}

impl Layout {
    const fn of(gateway: Gateway) -> Self {
        match gateway {
            Gateway::Daraja => Self {
                words: "/Result/ResultDesc",
                reference: Some("/Result/OriginatorConversationID"),
                provider_ref: "/Result/ConversationID",
                names: &[
                    "/Result/OriginatorConversationID",
                    "/Result/ConversationID",
                    "/Result/TransactionID",
                ],
                amount: "TransactionAmount",
                currency: None,
                party: "ReceiverPartyPublicName",
                operation: None,
                merchant: None,
            },
            Gateway::KasaPay => Self {
                words: "/result_description",
                reference: Some("/payout_reference"),
                provider_ref: "/transaction_id",
                names: &["/payout_reference", "/transaction_id", "/payment_reference"],
                amount: "/amount",
                currency: Some("/currency"),
                party: "/account_number",
                operation: None,
                merchant: None,
            },
            Gateway::SasaPay => Self {
                words: "/ResultDesc",
                reference: Some("/BillRefNumber"),
                provider_ref: "/CheckoutRequestID",
                names: &["/BillRefNumber", "/CheckoutRequestID", "/MerchantRequestID", "/PaymentRequestID"],
                amount: "/TransAmount",
                currency: None,
                party: "/CustomerMobile",
                operation: None,
                merchant: None,
            },
            _ => Self {
                words: "/message",
                reference: None,
                provider_ref: "/transactionRef",
                names: &["/transactionRef"],
                amount: "/amount",
                currency: None,
                party: "/destination",
                operation: Some(("/category", "MpesaPayment")),
                merchant: Some("/MerchantID"),
            },
        }
    }
}

/// What the gateway would have posted if it had come to nothing.
pub(super) fn failed(gateway: Gateway, mut body: Value) -> Option<Value> {
    match gateway {
        Gateway::Daraja => {
            *place(&mut body, "/Result/ResultCode")? = 2040.into();
            *place(&mut body, "/Result/TransactionID")? = "NLJ0000000".into();
            remove(&mut body, "/Result/ResultParameters")?;
        }
        Gateway::KasaPay => {
            *place(&mut body, "/payment_status")? = 701.into();
            *place(&mut body, "/payment_reference")? = "".into();
        }
        Gateway::SasaPay => {
            *place(&mut body, "/ResultCode")? = "1032".into();
            *place(&mut body, "/TransAmount")? = "0.00".into();
            *place(&mut body, "/Paid")? = false.into();
            remove(&mut body, "/TransactionCode")?;
            remove(&mut body, "/ThirdPartyTransID")?;
        }
        _ => {
            *place(&mut body, "/status")? = "Failed".into();
            *place(&mut body, "/status_code")? = "1106".into();
            *place(&mut body, "/details")? = Value::Array(Vec::new());
        }
    }
    Some(body)
}

/// The same money, come back.
fn reversed(gateway: Gateway, mut body: Value) -> Option<Value> {
    match gateway {
        Gateway::KasaPay => *place(&mut body, "/payment_status")? = 702.into(),
        Gateway::SasaPay => *place(&mut body, "/ResultCode")? = "SP01003".into(),
        _ => return None,
    }
    Some(body)
}

/// The value at a place.
fn place<'b>(body: &'b mut Value, at: &str) -> Option<&'b mut Value> {
    if at.starts_with('/') {
        return body.pointer_mut(at);
    }
    let all = body.pointer_mut("/Result/ResultParameters/ResultParameter")?.as_array_mut()?;
    let named = all.iter_mut().find(|one| one.get("Key").and_then(Value::as_str) == Some(at))?;
    named.get_mut("Value")
}

fn remove(body: &mut Value, at: &str) -> Option<()> {
    if let Some((holder, name)) = at.rsplit_once('/') {
        return body.pointer_mut(holder)?.as_object_mut()?.remove(name).map(drop);
    }
    let all = body.pointer_mut("/Result/ResultParameters/ResultParameter")?.as_array_mut()?;
    let before = all.len();
    all.retain(|one| one.get("Key").and_then(Value::as_str) != Some(at));
    (all.len() < before).then_some(())
}

/// Puts the name of another payment there, or one that nobody has, or what can be no name of ours.
fn rename(body: &mut Value, at: &str, other: &Value, dice: &mut Dice) -> Option<()> {
    let told = place(body, at)?;
    let theirs = other.pointer(at).filter(|theirs| *theirs != told);
    *told = match (theirs, dice.below(3)) {
        (Some(theirs), 0) => theirs.clone(),
        (_, 1) => format!("another: {}", told.as_str()?).into(),
        _ => format!("{}{}", told.as_str()?, dice.below(1000)).into(),
    };
    Some(())
}

/// Tells another amount, as text or as a number if it was one.
fn amount(body: &mut Value, layout: &Layout, change: impl FnOnce(Decimal) -> Decimal) -> Option<()> {
    let told = place(body, layout.amount)?;
    let text = told.as_str().map_or_else(|| told.to_string(), str::to_owned);
    let paid = change(text.parse().ok()?).normalize();
    let whole = if told.is_number() && paid.is_integer() { u64::try_from(paid).ok() } else { None };
    *told = whole.map_or_else(|| paid.to_string().into(), Value::from);
    Some(())
}

/// Another digit in one of the last six places of the number.
fn party(body: &mut Value, at: &str, dice: &mut Dice) -> Option<()> {
    let told = place(body, at)?;
    let text = told.as_str()?.to_owned();
    let number = text.split(' ').next()?;
    let (first, last) = number.split_at_checked(number.len().checked_sub(6)?)?;
    *told = format!("{first}{}{}", other_digit(last, dice)?, text.get(number.len()..)?).into();
    Some(())
}
