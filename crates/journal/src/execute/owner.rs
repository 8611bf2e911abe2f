//! Whose money it is that came in.

use malipo_core::{Credit, Operation, ProviderId, Reference};

use super::Stop;
use crate::tx::{Select, Tx};
use crate::{CreditRecord, Find, Payment, PaymentId, PaymentState};

/// The gateway's name for a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) kind: String,
    pub(super) value: String,
}

impl Name {
    pub(super) fn of(record: &CreditRecord) -> Self {
        Self { kind: record.kind.clone(), value: record.value.clone() }
    }
}

/// By what a payment of ours can be told to be the one.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// What the payer may have been shown of it.
    receipts: Vec<String>,
    /// What may be our name for it.
    reference: Option<Reference>,
}

impl Said {
    /// What the gateway calls it, and nothing that only whoever posted said.
    pub(super) fn called(record: &CreditRecord) -> Self {
        let names = std::iter::once(&record.value).chain(&record.also);
        Self { receipts: names.cloned().collect(), reference: None }
    }

    /// Whoever posts can name any payment beside the transaction, so what decides is the transaction alone.
    pub(super) fn claimed(name: &Name, credit: &Credit) -> Self {
        Self { receipts: vec![name.value.clone()], reference: credit.reference.clone() }
    }

    pub(super) fn answered(credit: &Credit) -> Self {
        let receipts = credit.provider_refs.iter().map(|known| known.value.clone()).collect();
        Self { receipts, reference: credit.reference.clone() }
    }
}

/// Whose money it is.
#[derive(Debug)]
pub(super) enum Owner {
    /// Nobody's of ours.
    Nobody,
    /// It may be that of this one, which is not over.
    Open(PaymentId),
    /// It came in beside this one, which it names: that one came to nothing, or is another transaction.
    Beside(PaymentId),
    /// It may be that of this one, which is over and does not say which transaction it was.
    Unclear(PaymentId),
    /// It is that of this one.
    Collected(Box<Payment>),
}

impl Owner {
    pub(super) fn open(&self) -> Option<PaymentId> {
        match self {
            Self::Open(payment) => Some(*payment),
            _ => None,
        }
    }

    pub(super) fn payment(&self) -> Option<PaymentId> {
        match self {
            Self::Nobody => None,
            Self::Open(payment) | Self::Beside(payment) | Self::Unclear(payment) => Some(*payment),
            Self::Collected(payment) => Some(payment.id),
        }
    }

    fn of(payment: Payment, name: &Name, said: &Said) -> Self {
        match payment.state() {
            PaymentState::Failed | PaymentState::Cancelled => Self::Beside(payment.id),
            PaymentState::Paid | PaymentState::Reversed if is_named(&payment, name, said) => {
                Self::Collected(Box::new(payment))
            }
            PaymentState::Paid | PaymentState::Reversed => match payment.provider_refs.find(&name.kind) {
                Some(_) => Self::Beside(payment.id),
                None => Self::Unclear(payment.id),
            },
            _ => Self::Open(payment.id),
        }
    }
}

/// By the transaction, else by what the payer was shown, else by our own name for it.
pub(super) async fn owner(
    tx: &mut dyn Tx,
    provider: &ProviderId,
    name: &Name,
    said: &Said,
) -> Result<Owner, Stop> {
    let (kind, value) = (name.kind.clone(), name.value.clone());
    let by_name = Select::ProviderRef { provider: provider.clone(), kind, value };
    let mut found = collections(tx.payments(&by_name, u32::MAX).await?);
    for receipt in &said.receipts {
        if found.is_empty() {
            let by_receipt = Select::Receipt { provider: provider.clone(), receipt: receipt.clone() };
            found = collections(tx.payments(&by_receipt, u32::MAX).await?);
        }
    }
    if let (true, Some(reference)) = (found.is_empty(), &said.reference) {
        let by_reference = Find::Reference(provider.clone(), reference.clone());
        found = collections(tx.payment(&by_reference).await?.into_iter().collect());
    }
    // Where several are called so, one whose money it is counts more than one that came to nothing.
    let owners = found.into_iter().map(|payment| Owner::of(payment, name, said));
    let rank = |owner: &Owner| match owner {
        Owner::Nobody => 0,
        Owner::Beside(_) => 1,
        Owner::Unclear(_) => 2,
        Owner::Open(_) => 3,
        Owner::Collected(_) => 4,
    };
    Ok(owners.max_by_key(rank).unwrap_or(Owner::Nobody))
}

fn collections(mut payments: Vec<Payment>) -> Vec<Payment> {
    payments.retain(|payment| payment.operation == Operation::Collect);
    payments
}

/// Whether the payment says that it was this transaction. Another of the same kind is another transaction, whatever its
/// receipt.
pub(super) fn is_named(payment: &Payment, name: &Name, said: &Said) -> bool {
    match payment.provider_refs.find(&name.kind) {
        Some(known) => known == name.value,
        None => payment.receipt.as_ref().is_some_and(|receipt| said.receipts.contains(receipt)),
    }
}
