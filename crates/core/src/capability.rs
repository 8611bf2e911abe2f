use crate::{
    Biller, Callback, Currency, Effect, Error, ErrorKind, Instruction, Money, Network, Operation, Payee,
    PayeeAccount, Payer, PayerSource, Result,
};

/// What a provider can do, as data. Tests read it: what is declared works, what is not is refused before a
/// byte leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The gateway's name.
    pub gateway: &'static str,
    /// Each operation it does.
    pub abilities: Vec<Ability>,
    /// What happens when the same reference is sent twice.
    pub resubmit: Resubmit,
    /// How one can ask about a payment.
    pub lookup: Lookup,
    /// Words that a callback URL may not hold, in any letter case, because the gateway would silently not call it.
    pub refused_callback_words: &'static [&'static str],
}

/// One operation that a provider does, and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ability {
    /// The operation.
    pub operation: Operation,
    /// The parties it can be done with.
    pub parties: Vec<PartyKind>,
    /// The least amount, which also says the currency.
    pub minimum: Money,
    /// The greatest amount.
    pub maximum: Money,
    /// Every amount is a multiple of this.
    pub step: Money,
    /// The keys that the instruction's details may have.
    pub detail_keys: &'static [&'static str],
    /// Whether it needs a callback.
    pub callback: CallbackUse,
}

/// Whether an operation needs a callback URL. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackUse {
    /// It takes none.
    None,
    /// It may have one for the result.
    Optional,
    /// It must have one for the result.
    Result,
    /// It must have one for the result and one for queue timeouts.
    ResultAndTimeout,
}

/// A kind of party that an operation can be done with. Open: more will come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartyKind {
    /// A mobile wallet of this network.
    Wallet(Network),
    /// A wallet kept by the gateway itself.
    GatewayWallet,
    /// A paybill number.
    Paybill,
    /// A till number.
    Till,
    /// An account at any bank the gateway serves.
    Bank,
    /// A line of this network.
    Line(Network),
    /// This biller; a code stands for every biller given by code.
    Biller(Biller),
}

/// What happens when the same reference is sent twice. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resubmit {
    /// The gateway documents that it refuses the second.
    RefusedAsDuplicate,
    /// Nobody knows; ask first.
    QueryFirst,
    /// It may be paid twice.
    Never,
}

/// How one can ask about a payment. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// By our reference, answered at once.
    ByReference,
    /// By the gateway's own name for it, answered at once.
    ByProviderRef,
    /// By either; the answer is posted to us.
    ByCallback,
    /// Not at all.
    None,
}

impl Capabilities {
    /// What the gateway of this name can do: nothing yet.
    pub fn new(gateway: &'static str, resubmit: Resubmit, lookup: Lookup) -> Self {
        Self { gateway, abilities: Vec::new(), resubmit, lookup, refused_callback_words: &[] }
    }

    /// Adds an operation.
    #[must_use]
    pub fn with(mut self, ability: Ability) -> Self {
        self.abilities.push(ability);
        self
    }

    /// Says which words a callback URL may not hold.
    #[must_use]
    pub fn with_refused_callback_words(mut self, words: &'static [&'static str]) -> Self {
        self.refused_callback_words = words;
        self
    }

    /// The limits of an operation, if the provider does it.
    pub fn ability(&self, operation: Operation) -> Option<&Ability> {
        self.abilities.iter().find(|ability| ability.operation == operation)
    }

    /// The first of the refused words that `url` holds.
    pub fn refused_word(&self, url: &str) -> Option<&'static str> {
        let url = url.to_ascii_lowercase();
        self.refused_callback_words.iter().copied().find(|word| url.contains(word))
    }

    /// Refuses what the provider did not declare: the operation, the party, the amount, a detail. `fallback` is
    /// the callback used when the instruction has none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] or [`ErrorKind::Invalid`], always with [`Effect::None`].
    pub fn admit(&self, instruction: &Instruction, fallback: Option<&Callback>) -> Result<()> {
        let operation = instruction.operation();
        let refuse = |kind, message: String| {
            Err(Error::new(kind, Effect::None, operation, message).with_reference(instruction.reference()))
        };
        let Some(ability) = self.ability(operation) else {
            return refuse(ErrorKind::Unsupported, format!("{} does not do this", self.gateway));
        };
        if let Some(party) = instruction.party()
            && !ability.serves(&party)
        {
            let known = list(&ability.parties);
            return refuse(
                ErrorKind::Unsupported,
                format!("{party:?} is not served; the parties are {known}"),
            );
        }
        let Some(terms) = instruction.terms() else { return Ok(()) };
        if let Err(message) = ability.admit_amount(terms.amount) {
            return refuse(ErrorKind::Invalid, message);
        }
        if let Some((key, _)) = terms.details.iter().find(|(key, _)| !ability.detail_keys.contains(key)) {
            let known = ability.detail_keys.join(", ");
            return refuse(
                ErrorKind::Invalid,
                format!("the detail {key:?} is unknown here; the keys are: {known}"),
            );
        }
        match self.admit_callback(ability.callback, terms.callback.as_ref().or(fallback)) {
            Ok(()) => Ok(()),
            Err(message) => refuse(ErrorKind::Invalid, message),
        }
    }

    /// Checks that `callback` is what `wanted` asks for, and that it holds no refused word.
    ///
    /// # Errors
    ///
    /// What is missing or refused, and what to do.
    pub fn admit_callback(
        &self,
        wanted: CallbackUse,
        callback: Option<&Callback>,
    ) -> std::result::Result<(), String> {
        match (wanted, callback) {
            (CallbackUse::None, Some(_)) => return Err("this takes no callback URL: leave it out".to_owned()),
            (CallbackUse::Result | CallbackUse::ResultAndTimeout, None) => {
                return Err("a callback URL is required: the result comes only there".to_owned());
            }
            (CallbackUse::ResultAndTimeout, Some(Callback { timeout: None, .. })) => {
                return Err("a callback URL for queue timeouts is required too".to_owned());
            }
            _ => {}
        }
        let urls =
            callback.into_iter().flat_map(|callback| [Some(&callback.result), callback.timeout.as_ref()]);
        for url in urls.flatten() {
            if let Some(word) = self.refused_word(url.as_str()) {
                return Err(format!(
                    "the callback URL holds {word:?}, so the gateway would never call it: use another path or host"
                ));
            }
        }
        Ok(())
    }
}

impl Ability {
    /// An operation with parties and limits; amounts are multiples of `step`.
    pub fn new(
        operation: Operation,
        parties: Vec<PartyKind>,
        minimum: Money,
        maximum: Money,
        step: Money,
    ) -> Self {
        Self { operation, parties, minimum, maximum, step, detail_keys: &[], callback: CallbackUse::Optional }
    }

    /// Says which keys the details may have.
    #[must_use]
    pub fn with_detail_keys(mut self, keys: &'static [&'static str]) -> Self {
        self.detail_keys = keys;
        self
    }

    /// Says whether a callback is needed.
    #[must_use]
    pub fn with_callback(mut self, callback: CallbackUse) -> Self {
        self.callback = callback;
        self
    }

    /// Whether the operation can be done with this kind of party.
    pub fn serves(&self, party: &PartyKind) -> bool {
        self.parties.iter().any(|declared| declared.covers(party))
    }

    /// The currency amounts are in.
    pub fn currency(&self) -> Currency {
        self.minimum.currency()
    }

    fn admit_amount(&self, amount: Money) -> std::result::Result<(), String> {
        if amount.currency() != self.currency() {
            return Err(format!("{amount} is not in {}, the only currency here", self.currency()));
        }
        if !amount.is_positive() || amount.minor() < self.minimum.minor() {
            return Err(format!("{amount} is too little; the least is {}", self.minimum));
        }
        if amount.minor() > self.maximum.minor() {
            return Err(format!("{amount} is too much; the most is {}", self.maximum));
        }
        if amount.minor().checked_rem(self.step.minor()).is_some_and(|rest| rest != 0) {
            return Err(format!("{amount} is not a multiple of {}; nothing is rounded", self.step));
        }
        Ok(())
    }
}

impl PartyKind {
    fn covers(&self, party: &Self) -> bool {
        match (self, party) {
            (Self::Biller(Biller::Code(_)), Self::Biller(Biller::Code(_))) => true,
            (declared, wanted) => declared == wanted,
        }
    }
}

impl Instruction {
    /// The kind of party it is done with; `None` for a step of a payment.
    pub fn party(&self) -> Option<PartyKind> {
        match self {
            Self::PayOut(pay_out) => Some(payee_kind(&pay_out.to)),
            Self::Collect(collect) => Some(payer_kind(&collect.from)),
            Self::Confirm(_) => None,
            Self::Airtime(airtime) => Some(PartyKind::Line(airtime.network)),
            Self::Voucher(voucher) => Some(PartyKind::Line(voucher.network)),
            Self::Bill(bill) => Some(PartyKind::Biller(bill.biller.clone())),
        }
    }
}

fn payee_kind(payee: &Payee) -> PartyKind {
    match &payee.account {
        PayeeAccount::Wallet { network, .. } => PartyKind::Wallet(*network),
        PayeeAccount::Paybill { .. } => PartyKind::Paybill,
        PayeeAccount::Till { .. } => PartyKind::Till,
        PayeeAccount::Bank { .. } => PartyKind::Bank,
    }
}

fn payer_kind(payer: &Payer) -> PartyKind {
    match &payer.source {
        PayerSource::GatewayWallet { .. } => PartyKind::GatewayWallet,
        PayerSource::MobileMoney { network, .. } => PartyKind::Wallet(*network),
        PayerSource::Bank { .. } => PartyKind::Bank,
    }
}

fn list(parties: &[PartyKind]) -> String {
    parties.iter().map(|party| format!("{party:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PayOut, Terms};

    fn money(text: &str) -> Money {
        Money::kes(text).unwrap()
    }

    fn capabilities(callback: CallbackUse) -> Capabilities {
        let ability = Ability::new(
            Operation::PayOut,
            vec![PartyKind::Wallet(Network::Safaricom)],
            money("10"),
            money("250000"),
            money("1"),
        );
        Capabilities::new("somepay", Resubmit::Never, Lookup::None)
            .with(ability.with_detail_keys(&["occasion"]).with_callback(callback))
            .with_refused_callback_words(&["exec", "sql"])
    }

    fn pay(network: Network, change: impl FnOnce(Terms) -> Terms, amount: &str) -> Instruction {
        let payee = Payee::wallet(network, "0708374149".parse().unwrap());
        let terms = Terms::new("LOAN-1".parse().unwrap(), money(amount));
        Instruction::PayOut(PayOut::new(payee, change(terms)))
    }

    fn refusal(callback: CallbackUse, instruction: &Instruction) -> String {
        let error = capabilities(callback).admit(instruction, None).unwrap_err();
        assert_eq!(error.effect(), Effect::None);
        error.message().to_owned()
    }

    #[test]
    fn amounts_outside_the_limits_are_refused_not_rounded() {
        for good in ["10", "10.00", "250000"] {
            let instruction = pay(Network::Safaricom, |terms| terms, good);
            assert!(capabilities(CallbackUse::Optional).admit(&instruction, None).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("9", "too little"),
            ("0", "too little"),
            ("-10", "too little"),
            ("9.99", "too little"),
            ("250000.01", "too much"),
            ("10.50", "multiple"),
        ] {
            let message = refusal(CallbackUse::Optional, &pay(Network::Safaricom, |terms| terms, bad));
            assert!(message.contains(why), "{bad}: {message}");
        }
        let dollars = pay(
            Network::Safaricom,
            |mut terms| {
                terms.amount = Money::parse("10", Currency::Usd).unwrap();
                terms
            },
            "10",
        );
        assert!(refusal(CallbackUse::Optional, &dollars).contains("not in KES"));
    }

    #[test]
    fn what_is_not_declared_is_refused() {
        let airtel = pay(Network::Airtel, |terms| terms, "10");
        assert!(refusal(CallbackUse::Optional, &airtel).contains("Wallet(Airtel)"));
        let detail = pay(Network::Safaricom, |terms| terms.with_detail("ocasion", "x"), "10");
        assert!(refusal(CallbackUse::Optional, &detail).contains("occasion"));
        let terms = Terms::new("A".parse().unwrap(), money("10"));
        let till = Instruction::PayOut(PayOut::new(Payee::till("12345".parse().unwrap()), terms.clone()));
        assert!(refusal(CallbackUse::Optional, &till).contains("Till"));
        let voucher = Instruction::Voucher(crate::Voucher::new(
            "0708374149".parse().unwrap(),
            Network::Safaricom,
            terms,
        ));
        assert!(refusal(CallbackUse::Optional, &voucher).contains("does not do this"));
    }

    #[test]
    fn a_callback_is_there_when_needed_and_callable() {
        let callback = |path: &str| Callback::new(format!("https://pay.example.com/{path}").parse().unwrap());
        let none = pay(Network::Safaricom, |terms| terms, "10");
        let one = pay(Network::Safaricom, |terms| terms.with_callback(callback("1")), "10");
        assert!(refusal(CallbackUse::Result, &none).contains("required"));
        assert!(refusal(CallbackUse::ResultAndTimeout, &one).contains("timeouts"));
        assert!(refusal(CallbackUse::None, &one).contains("leave it out"));
        assert!(
            capabilities(CallbackUse::Result).admit(&none, Some(&callback("1"))).is_ok(),
            "the fallback counts"
        );
        let word = pay(Network::Safaricom, |terms| terms.with_callback(callback("mySQL/1")), "10");
        assert!(refusal(CallbackUse::Result, &word).contains("\"sql\""));
    }
}
