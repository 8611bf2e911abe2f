//! Whether a report speaks of the payment it is held against. Pure.

use std::borrow::Cow;
use std::fmt;

use malipo_core::{
    Instruction, Money, Msisdn, Operation, PayeeAccount, PayerSource, ProviderId, ProviderRefs, Reference,
    Report, State, Trust,
};

use crate::{Attention, Reason};

/// What was asked and what is known of it: all that a report must not contradict. Prints no party.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked {
    /// The account at the gateway.
    pub provider: ProviderId,
    /// Our name for the payment.
    pub reference: Reference,
    /// What it is.
    pub operation: Operation,
    /// How much.
    pub amount: Money,
    /// The numbers of the payee or payer, any of which a gateway may tell; none once it was erased.
    pub accounts: Vec<String>,
    /// The gateway's names for the payment, as far as known.
    pub provider_refs: ProviderRefs,
    /// The receipt, if one is known.
    pub receipt: Option<String>,
}

impl Asked {
    /// What `instruction` asks of `provider`; `None` for a step of a payment, which asks for no money of its own.
    pub fn new(provider: ProviderId, instruction: &Instruction) -> Option<Self> {
        let terms = instruction.terms()?;
        Some(Self {
            provider,
            reference: terms.reference.clone(),
            operation: instruction.operation(),
            amount: terms.amount,
            accounts: accounts(instruction),
            provider_refs: ProviderRefs::new(),
            receipt: None,
        })
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("provider", &self.provider)
            .field("reference", &self.reference)
            .field("operation", &self.operation)
            .field("amount", &self.amount)
            .field("accounts", &self.accounts.iter().map(|account| masked(account)).collect::<Vec<_>>())
            .field("provider_refs", &self.provider_refs)
            .field("receipt", &self.receipt)
            .finish()
    }
}

/// The numbers as they went out, in the order in which gateways tell them.
pub(crate) fn accounts(instruction: &Instruction) -> Vec<String> {
    match instruction {
        Instruction::PayOut(pay_out) => match &pay_out.to.account {
            PayeeAccount::Wallet { msisdn, .. } => vec![msisdn.international()],
            PayeeAccount::Paybill { number, account } => {
                vec![number.as_str().to_owned(), account.as_str().to_owned()]
            }
            PayeeAccount::Till { number } => vec![number.as_str().to_owned()],
            PayeeAccount::Bank { number, .. } => vec![number.as_str().to_owned()],
            _ => Vec::new(),
        },
        Instruction::Collect(collect) => match &collect.from.source {
            PayerSource::GatewayWallet { msisdn }
            | PayerSource::MobileMoney { msisdn, .. }
            | PayerSource::Bank { msisdn, .. } => vec![msisdn.international()],
            _ => Vec::new(),
        },
        Instruction::Airtime(airtime) => vec![airtime.to.international()],
        Instruction::Voucher(voucher) => vec![voucher.to.international()],
        Instruction::Bill(bill) => vec![bill.account.as_str().to_owned()],
        _ => Vec::new(),
    }
}

/// Where a report and what was asked part. Shows both sides; people are masked to their last three characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {field} is {}, and {expected} was expected", .claimed.as_deref().unwrap_or("not told"))]
#[non_exhaustive]
pub struct Mismatch {
    /// What does not agree.
    pub field: Cow<'static, str>,
    /// What we asked for, or know.
    pub expected: String,
    /// What the report says; `None` when it should say something and does not.
    pub claimed: Option<String>,
}

impl Mismatch {
    fn new(
        field: impl Into<Cow<'static, str>>,
        expected: impl fmt::Display,
        claimed: Option<String>,
    ) -> Self {
        Self { field: field.into(), expected: expected.to_string(), claimed }
    }

    pub(crate) fn attention(&self) -> Attention {
        let mut attention = Attention::new(Reason::Mismatched);
        attention.expected = Some(format!("{} {}", self.field, self.expected));
        attention.claimed = self.claimed.as_ref().map(|claimed| format!("{} {claimed}", self.field));
        attention
    }
}

/// Holds a report against what was asked. Everything that the report carries and that is bound must agree.
///
/// What it does not carry does not count, with two exceptions. Money that moved has an amount. And whatever ends a
/// payment must come from where only this payment is spoken of: by our reference or a name the gateway gave it, or in
/// answer to us, or to its own address.
///
/// Whether a report that agrees is believed at once, or only after the gateway was asked, is not decided here:
/// [`Trust::Claimed`] says that anyone could have posted it.
///
/// # Errors
///
/// The first field that does not agree.
pub fn bind(asked: &Asked, report: &Report) -> Result<(), Mismatch> {
    let differs = |field: &'static str, expected: &dyn fmt::Display, claimed: String| {
        Err(Mismatch::new(field, expected, Some(claimed)))
    };
    if report.provider != asked.provider {
        return differs("provider", &asked.provider, report.provider.to_string());
    }
    if let Some(told) = report.reference.as_ref().filter(|told| !is_ours(asked, told)) {
        return differs("reference", &asked.reference, told.to_string());
    }
    if let Some(told) = report.operation.filter(|told| !same_operation(asked.operation, *told)) {
        return differs("operation", &asked.operation, told.to_string());
    }
    for told in report.provider_refs.iter() {
        if let Some(known) = asked.provider_refs.find(&told.kind).filter(|known| *known != told.value) {
            let field = format!("provider reference {}", told.kind);
            return Err(Mismatch::new(field, known, Some(told.value.clone())));
        }
    }
    match report.amount {
        Some(told) if told != asked.amount => return differs("amount", &asked.amount, told.to_string()),
        None if matches!(report.state, State::Settled | State::Reversed) => {
            return Err(Mismatch::new("amount", asked.amount, None));
        }
        _ => {}
    }
    let account = report.party.as_ref().and_then(|party| party.account.as_deref());
    if let Some(told) = account.filter(|told| !any_account(&asked.accounts, told)) {
        let expected = asked.accounts.iter().map(|known| masked(known)).collect::<Vec<_>>().join(" or ");
        return differs("party", &expected, masked(told));
    }
    match (report.state, &asked.receipt, &report.receipt) {
        // Two receipts are two payments.
        (State::Settled, Some(known), Some(told)) if known != told => {
            return differs("receipt", known, told.clone());
        }
        _ => {}
    }
    if report.state.is_final() && !speaks_of(asked, report) {
        return Err(Mismatch::new("reference", &asked.reference, None));
    }
    Ok(())
}

/// Ours, or what the gateway is known to call the payment in its place.
fn is_ours(asked: &Asked, told: &Reference) -> bool {
    *told == asked.reference || asked.provider_refs.iter().any(|known| known.value == told.as_str())
}

/// A confirmation is a step of its collection.
fn same_operation(asked: Operation, told: Operation) -> bool {
    asked == told || (asked, told) == (Operation::Collect, Operation::Confirm)
}

fn speaks_of(asked: &Asked, report: &Report) -> bool {
    report.reference.is_some()
        || matches!(report.trust, Trust::Addressed | Trust::Answered)
        || report.provider_refs.iter().any(|told| asked.provider_refs.find(&told.kind) == Some(&told.value))
}

/// Whether what was told can be one of these numbers. None known: nothing to compare with.
pub(crate) fn any_account(asked: &[String], told: &str) -> bool {
    asked.is_empty() || asked.iter().any(|asked| same_account(asked, told))
}

fn same_account(asked: &str, told: &str) -> bool {
    let (asked, told) = (asked.trim(), told.trim());
    if asked.eq_ignore_ascii_case(told) {
        return true;
    }
    let phone = asked.parse::<Msisdn>();
    if let (Ok(asked), Ok(told)) = (&phone, told.parse::<Msisdn>()) {
        return *asked == told;
    }
    match phone {
        Ok(phone) => fits_mask(&phone.international(), &spelled_out(told)) || fits_mask(asked, told),
        Err(_) => fits_mask(asked, told),
    }
}

/// A masked phone number as it would be with the country's code. Separators go, as they do for whole numbers.
fn spelled_out(told: &str) -> String {
    let bare: String = told.chars().filter(|character| !matches!(character, ' ' | '-' | '+')).collect();
    match (bare.len(), bare.strip_prefix('0')) {
        (10, Some(rest)) => format!("254{rest}"),
        _ => bare,
    }
}

/// Compares from the end, since what gateways show of a number is its end; a masked position can be anything. Without
/// a mask a part of a number is another number.
fn fits_mask(asked: &str, told: &str) -> bool {
    if !told.contains(is_mask) {
        return false;
    }
    let mut asked = asked.chars().rev();
    told.chars().rev().all(|told| match asked.next() {
        Some(asked) => is_mask(told) || told.eq_ignore_ascii_case(&asked),
        None => is_mask(told),
    })
}

fn is_mask(character: char) -> bool {
    matches!(character, '*' | 'X' | '#')
}

/// The last three characters of a number long enough to hide the rest.
fn masked(account: &str) -> String {
    let count = account.chars().count();
    let shown: String = account.chars().skip(count.saturating_sub(3)).collect();
    if count >= 7 { format!("***{shown}") } else { "***".to_owned() }
}

#[cfg(test)]
mod tests;
