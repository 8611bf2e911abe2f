use std::collections::BTreeMap;
use std::fmt;

use crate::naming::named;
use crate::{
    AccountNumber, Biller, CallbackUrl, Money, Msisdn, Network, Operation, Payee, Payer, Reference, Secret,
    Ticket,
};

/// What we want: one movement of money, or one step of it. Open: more will come.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Instruction {
    /// Pay someone.
    PayOut(PayOut),
    /// Ask someone to pay us.
    Collect(Collect),
    /// Confirm a collection with the code its payer was sent.
    Confirm(Confirm),
    /// Buy airtime or a bundle.
    Airtime(Airtime),
    /// Pay a bill.
    Bill(Bill),
    /// Buy an airtime voucher.
    Voucher(Voucher),
}

/// What every instruction that starts a payment has. Prints neither its description nor the values of its details.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// Our name for the payment.
    pub reference: Reference,
    /// How much.
    pub amount: Money,
    /// What for.
    pub purpose: Purpose,
    /// A few words that people on either side see.
    pub description: Option<String>,
    /// Where the gateway posts what became of it; required by gateways that answer only there.
    pub callback: Option<Callback>,
    /// What only one gateway knows. The provider's capabilities list the keys; any other key is refused.
    pub details: Details,
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms")
            .field("reference", &self.reference)
            .field("amount", &self.amount)
            .field("purpose", &self.purpose)
            .field("description", &self.description.as_ref().map(|_| "***"))
            .field("callback", &self.callback)
            .field("details", &self.details)
            .finish()
    }
}

impl Terms {
    /// Terms for a payment of `amount`, general purpose, nothing optional.
    pub fn new(reference: Reference, amount: Money) -> Self {
        Self {
            reference,
            amount,
            purpose: Purpose::General,
            description: None,
            callback: None,
            details: Details::default(),
        }
    }

    /// Says what the payment is for.
    #[must_use]
    pub fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Adds a few words that people on either side see.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Says where the gateway posts what became of it.
    #[must_use]
    pub fn with_callback(mut self, callback: Callback) -> Self {
        self.callback = Some(callback);
        self
    }

    /// Adds something only this gateway knows.
    #[must_use]
    pub fn with_detail(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.details.insert(key, value);
        self
    }
}

/// Pay someone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayOut {
    /// Who is paid.
    pub to: Payee,
    /// The common terms.
    pub terms: Terms,
}

impl PayOut {
    /// A payment to `to`.
    pub fn new(to: Payee, terms: Terms) -> Self {
        Self { to, terms }
    }
}

/// Ask someone to pay us.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collect {
    /// Who pays.
    pub from: Payer,
    /// The common terms.
    pub terms: Terms,
}

impl Collect {
    /// A payment from `from`.
    pub fn new(from: Payer, terms: Terms) -> Self {
        Self { from, terms }
    }
}

/// A step of a collection: hand in the code that its payer was sent. A wrong code leaves the collection open;
/// a lost answer must never be resent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Confirm {
    /// The collection.
    pub ticket: Ticket,
    /// The one-time code. Never stored.
    pub code: Secret,
}

impl Confirm {
    /// Confirms the collection of `ticket` with `code`.
    pub fn new(ticket: Ticket, code: Secret) -> Self {
        Self { ticket, code }
    }
}

/// Buy airtime or a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Airtime {
    /// The line that receives it.
    pub to: Msisdn,
    /// The line's network.
    pub network: Network,
    /// The common terms.
    pub terms: Terms,
}

impl Airtime {
    /// Airtime for the line `to`.
    pub fn new(to: Msisdn, network: Network, terms: Terms) -> Self {
        Self { to, network, terms }
    }
}

/// Pay a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bill {
    /// The company.
    pub biller: Biller,
    /// The customer's account at it.
    pub account: AccountNumber,
    /// The common terms.
    pub terms: Terms,
}

impl Bill {
    /// A bill of `account` at `biller`.
    pub fn new(biller: Biller, account: AccountNumber, terms: Terms) -> Self {
        Self { biller, account, terms }
    }
}

/// Buy an airtime voucher; the answer brings its PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Voucher {
    /// Whom it is for.
    pub to: Msisdn,
    /// The network it is for.
    pub network: Network,
    /// The common terms.
    pub terms: Terms,
}

impl Voucher {
    /// A voucher for `to`.
    pub fn new(to: Msisdn, network: Network, terms: Terms) -> Self {
        Self { to, network, terms }
    }
}

impl Instruction {
    /// Which kind of operation this is.
    pub fn operation(&self) -> Operation {
        match self {
            Self::PayOut(_) => Operation::PayOut,
            Self::Collect(_) => Operation::Collect,
            Self::Confirm(_) => Operation::Confirm,
            Self::Airtime(_) => Operation::Airtime,
            Self::Bill(_) => Operation::Bill,
            Self::Voucher(_) => Operation::Voucher,
        }
    }

    /// Our name for the payment this is about.
    pub fn reference(&self) -> &Reference {
        match self {
            Self::Confirm(confirm) => &confirm.ticket.reference,
            Self::PayOut(PayOut { terms, .. })
            | Self::Collect(Collect { terms, .. })
            | Self::Airtime(Airtime { terms, .. })
            | Self::Bill(Bill { terms, .. })
            | Self::Voucher(Voucher { terms, .. }) => &terms.reference,
        }
    }

    /// The terms, to be changed, as whoever mints references and callbacks does.
    pub fn terms_mut(&mut self) -> Option<&mut Terms> {
        match self {
            Self::Confirm(_) => None,
            Self::PayOut(PayOut { terms, .. })
            | Self::Collect(Collect { terms, .. })
            | Self::Airtime(Airtime { terms, .. })
            | Self::Bill(Bill { terms, .. })
            | Self::Voucher(Voucher { terms, .. }) => Some(terms),
        }
    }

    /// The terms; `None` for [`Confirm`], which is a step of a payment that has them already.
    pub fn terms(&self) -> Option<&Terms> {
        match self {
            Self::Confirm(_) => None,
            Self::PayOut(PayOut { terms, .. })
            | Self::Collect(Collect { terms, .. })
            | Self::Airtime(Airtime { terms, .. })
            | Self::Bill(Bill { terms, .. })
            | Self::Voucher(Voucher { terms, .. }) => Some(terms),
        }
    }
}

/// What a payment is for. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Purpose {
    /// Nothing special.
    #[default]
    General,
    /// A salary.
    Salary,
    /// A prize or a gift of a promotion.
    Promotion,
}

named! {
    Purpose {
        General = "general",
        Salary = "salary",
        Promotion = "promotion",
    }
}

/// Where a gateway posts what became of a payment or a question.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callback {
    /// For the result.
    pub result: CallbackUrl,
    /// For the news that the request waited too long in the gateway's queue, where the gateway has such news.
    pub timeout: Option<CallbackUrl>,
}

impl Callback {
    /// Results go to `result`.
    pub fn new(result: CallbackUrl) -> Self {
        Self { result, timeout: None }
    }

    /// Queue timeouts go to `timeout`.
    #[must_use]
    pub fn with_timeout(mut self, timeout: CallbackUrl) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// Named values that only one gateway knows, in the order of their names. Prints the names only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Details(BTreeMap<String, String>);

impl Details {
    /// Sets the value of `key`.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), value.into());
    }

    /// The value of `key`.
    pub fn find(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_print_names_only() {
        let mut details = Details::default();
        details.insert("occasion", "Jane's birthday");
        assert_eq!(format!("{details:?}"), r#"{"occasion"}"#);
    }
}
