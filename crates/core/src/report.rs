use std::borrow::Cow;
use std::fmt;

use crate::naming::named;
use crate::{Details, Money, Operation, ProviderId, ProviderRefs, Raw, Reference, Secret, Timestamp, Told};

/// What is now known of one payment. The immediate answer of a gateway, its answer to a question and what it
/// posts to us all become this.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Which configured account it comes from.
    pub provider: ProviderId,
    /// What the payment was, as far as it says.
    pub operation: Option<Operation>,
    /// Which payment it is about, as far as it says.
    pub reference: Option<Reference>,
    /// The gateway's names for the payment.
    pub provider_refs: ProviderRefs,
    /// What became of the payment.
    pub state: State,
    /// The amount it speaks of.
    pub amount: Option<Money>,
    /// The payee or payer it speaks of.
    pub party: Option<ToldParty>,
    /// The receipt number of a settled payment, as the customer sees it too.
    pub receipt: Option<String>,
    /// The gateway's code, verbatim.
    pub code: Option<String>,
    /// The gateway's words.
    pub text: Option<Told>,
    /// What the merchant can do about it, for codes we know.
    pub remedy: Option<Cow<'static, str>>,
    /// When the gateway says it happened. A record, never a reason to change a state.
    pub at: Option<Timestamp>,
    /// Our balances, where the gateway tells them along the way.
    pub balances: Vec<Balance>,
    /// What the payer has to do next.
    pub next_step: Option<NextStep>,
    /// What was bought.
    pub goods: Vec<Good>,
    /// What only one gateway tells. The provider's documentation lists the keys.
    pub details: Details,
    /// How far it can be believed.
    pub trust: Trust,
    /// What became of its signature.
    pub signature: Signature,
    /// The bytes it was read from.
    pub raw: Raw,
}

impl Report {
    /// A report that says nothing but the state.
    pub fn new(provider: ProviderId, state: State, trust: Trust) -> Self {
        Self {
            provider,
            operation: None,
            reference: None,
            provider_refs: ProviderRefs::new(),
            state,
            amount: None,
            party: None,
            receipt: None,
            code: None,
            text: None,
            remedy: None,
            at: None,
            balances: Vec::new(),
            next_step: None,
            goods: Vec::new(),
            details: Details::default(),
            trust,
            signature: Signature::NotExpected,
            raw: Raw::default(),
        }
    }
}

/// What became of a payment. Closed on purpose: every caller decides what each one means to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not final, as far as told. Accepted is not paid; a code nobody documented is this, too.
    Pending,
    /// The money has moved.
    Settled,
    /// The money has not moved and will not.
    Failed,
    /// The money moved and came back.
    Reversed,
}

impl State {
    /// Whether nothing but a reversal can follow.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Pending => false,
            Self::Settled | Self::Failed | Self::Reversed => true,
        }
    }
}

named! {
    State {
        Pending = "pending",
        Settled = "settled",
        Failed = "failed",
        Reversed = "reversed",
    }
}

/// How far a report can be believed. Open: more will come. There is no order among them: a signature with a key that
/// others know is weaker than an address that nobody can guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trust {
    /// Anyone could have posted it.
    Claimed,
    /// Posted to the unguessable URL that the gateway was given for this one payment.
    Addressed,
    /// Posted with a signature that we verified.
    Signed,
    /// Answered to us over a connection of ours, with our credentials.
    Answered,
}

named! {
    Trust {
        Claimed = "claimed",
        Addressed = "addressed",
        Signed = "signed",
        Answered = "answered",
    }
}

/// What became of the signature of a delivery. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Signature {
    /// The gateway does not sign, or the configuration says not to look.
    #[default]
    NotExpected,
    /// There is none.
    Missing,
    /// There is one, and it is wrong.
    Wrong,
    /// It is right.
    Good,
}

named! {
    Signature {
        NotExpected = "not_expected",
        Missing = "missing",
        Wrong = "wrong",
        Good = "good",
    }
}

/// A payee or payer as a gateway names it, perhaps with masked digits. Prints nothing of it.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ToldParty {
    /// The number or account.
    pub account: Option<String>,
    /// The name.
    pub name: Option<String>,
}

impl ToldParty {
    /// A party by number or account and name, whichever was told; `None` when neither was.
    pub fn new(account: Option<&str>, name: Option<&str>) -> Option<Self> {
        let kept = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(Told::code);
        let party = Self { account: kept(account), name: kept(name) };
        (party != Self::default()).then_some(party)
    }
}

impl fmt::Debug for ToldParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |part: &Option<String>| if part.is_some() { "***" } else { "-" };
        write!(f, "ToldParty(account {}, name {})", told(&self.account), told(&self.name))
    }
}

/// What the payer has to do next. Open: more will come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextStep {
    /// Tell us the code that was sent to the payer, for a [`Confirm`](crate::Confirm).
    EnterCode,
    /// Answer the prompt on the phone.
    AnswerPrompt,
    /// Transfer from the bank with exactly this narration.
    TransferWithNarration(String),
}

/// One thing that was bought.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Good {
    /// What it is.
    pub kind: GoodKind,
    /// Its value. Whoever knows it can spend it.
    pub value: Secret,
}

impl Good {
    /// A thing of this kind and value.
    pub fn new(kind: GoodKind, value: Secret) -> Self {
        Self { kind, value }
    }
}

/// What a [`Good`] is. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GoodKind {
    /// The PIN of an airtime voucher.
    VoucherPin,
    /// The serial number of an airtime voucher.
    VoucherSerial,
    /// The token to type into a power meter.
    PowerToken,
    /// How many units a token is worth.
    Units,
    /// The biller's own receipt.
    BillerReceipt,
}

named! {
    GoodKind {
        VoucherPin = "voucher_pin",
        VoucherSerial = "voucher_serial",
        PowerToken = "power_token",
        Units = "units",
        BillerReceipt = "biller_receipt",
    }
}

/// One of our balances at a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Balance {
    /// The account, in the gateway's words.
    pub account: String,
    /// What it holds; may be negative.
    pub available: Money,
}

impl Balance {
    /// A balance of `account`.
    pub fn new(account: &str, available: Money) -> Self {
        Self { account: Told::new(account).as_str().to_owned(), available }
    }
}

/// Our balances at one gateway.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BalanceReport {
    /// Which configured account it comes from.
    pub provider: ProviderId,
    /// The accounts, in the gateway's order.
    pub balances: Vec<Balance>,
    /// When the gateway says it was so.
    pub at: Option<Timestamp>,
    /// How far it can be believed.
    pub trust: Trust,
    /// The bytes it was read from.
    pub raw: Raw,
}

impl BalanceReport {
    /// Balances as told.
    pub fn new(provider: ProviderId, balances: Vec<Balance>, trust: Trust, raw: Raw) -> Self {
        Self { provider, balances, at: None, trust, raw }
    }

    /// Says when it was so.
    #[must_use]
    pub fn with_at(mut self, at: Option<Timestamp>) -> Self {
        self.at = at;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_told_party_is_verbatim_and_prints_nothing_of_it() {
        let party = ToldParty::new(Some(" CARD-0042-7788-ABCD-1234 "), Some("Jane Doe")).unwrap();
        assert_eq!(party.account.as_deref(), Some("CARD-0042-7788-ABCD-1234"), "long numbers are compared");
        let printed = format!("{party:?} {:?}", ToldParty::new(None, Some("Jane")).unwrap());
        assert_eq!(printed, "ToldParty(account ***, name ***) ToldParty(account -, name ***)");
        assert_eq!(ToldParty::new(Some(" "), None), None);
    }
}
