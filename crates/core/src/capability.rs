use crate::{Ability, Callback, CallbackUse, Effect, Error, ErrorKind, Instruction, Operation, Result};

/// What a provider can do, as data. Tests read it: what is declared works, what is not is refused before a
/// byte leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The gateway's name.
    pub gateway: &'static str,
    /// Each operation it does.
    pub abilities: Vec<Ability>,
    /// Whether our reference goes to the gateway.
    pub reference: ReferenceUse,
    /// What happens when the same reference is sent twice.
    pub resubmit: Resubmit,
    /// How one can ask about a payment.
    pub lookup: Lookup,
    /// Words that a callback URL may not hold, in any letter case, because the gateway would silently not call it.
    pub refused_callback_words: &'static [&'static str],
    /// Codes with which a payment that was taken fails because of our credential.
    pub credential_codes: &'static [&'static str],
    /// Codes with which the gateway says that a payment is stuck: a person has to ask.
    pub stuck_codes: &'static [&'static str],
}

/// Whether our reference goes to the gateway with every instruction. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceUse {
    /// It does, as it is.
    Sent,
    /// The gateway takes none: what got lost cannot be asked about by it.
    NotSent,
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
        let (abilities, reference) = (Vec::new(), ReferenceUse::Sent);
        Self {
            gateway,
            abilities,
            reference,
            resubmit,
            lookup,
            refused_callback_words: &[],
            stuck_codes: &[],
            credential_codes: &[],
        }
    }

    /// Adds an operation.
    #[must_use]
    pub fn with(mut self, ability: Ability) -> Self {
        self.abilities.push(ability);
        self
    }

    /// Says whether our reference goes to the gateway. By default it does.
    #[must_use]
    pub fn with_reference(mut self, reference: ReferenceUse) -> Self {
        self.reference = reference;
        self
    }

    /// Says which words a callback URL may not hold.
    #[must_use]
    pub fn with_refused_callback_words(mut self, words: &'static [&'static str]) -> Self {
        self.refused_callback_words = words;
        self
    }

    /// Says with which codes a payment fails because of our credential, although the request was taken. Whoever goes on
    /// may get the credential locked.
    #[must_use]
    pub fn with_credential_codes(mut self, codes: &'static [&'static str]) -> Self {
        self.credential_codes = codes;
        self
    }

    /// Says with which codes a payment is stuck at the gateway.
    #[must_use]
    pub fn with_stuck_codes(mut self, codes: &'static [&'static str]) -> Self {
        self.stuck_codes = codes;
        self
    }

    /// Whether the provider does this operation with anybody, in any currency.
    pub fn does(&self, operation: Operation) -> bool {
        self.abilities.iter().any(|ability| ability.operation == operation)
    }

    /// What limits this instruction, if the provider does it with this party in this currency.
    pub fn ability(&self, instruction: &Instruction) -> Option<&Ability> {
        let currency = instruction.terms().map(|terms| terms.amount.currency());
        self.serving(instruction)
            .find(|ability| currency.is_none_or(|currency| currency == ability.currency()))
    }

    fn serving(&self, instruction: &Instruction) -> impl Iterator<Item = &Ability> {
        let (operation, party) = (instruction.operation(), instruction.party());
        let fits = move |ability: &&Ability| {
            ability.operation == operation && party.as_ref().is_none_or(|party| ability.serves(party))
        };
        self.abilities.iter().filter(fits)
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
        if !self.does(operation) {
            return refuse(ErrorKind::Unsupported, format!("{} does not do this", self.gateway));
        }
        if self.serving(instruction).next().is_none() {
            let declared = self.abilities.iter().filter(|ability| ability.operation == operation);
            let known = list(declared.flat_map(|ability| &ability.parties));
            let party = instruction.party();
            return refuse(
                ErrorKind::Unsupported,
                format!("{party:?} is not served; the parties are {known}"),
            );
        }
        let Some(terms) = instruction.terms() else { return Ok(()) };
        let Some(ability) = self.ability(instruction) else {
            let known = list(self.serving(instruction).map(Ability::currency));
            let amount = terms.amount;
            return refuse(
                ErrorKind::Invalid,
                format!("{amount} is in no currency of this; there is {known}"),
            );
        };
        if let Err(message) = ability.admit_amount(terms.amount) {
            return refuse(ErrorKind::Invalid, message);
        }
        if let Some((key, _)) = terms.details.iter().find(|(key, _)| !ability.takes_detail(key)) {
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

fn list<T: std::fmt::Debug>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| format!("{item:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Currency, Money, Network, PartyKind, PayOut, Payee, Terms};

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
        assert!(refusal(CallbackUse::Optional, &dollars).contains("there is Kes"));
    }

    #[test]
    fn an_operation_may_have_other_limits_for_other_parties_and_currencies() {
        let dollars = |text| Money::parse(text, Currency::Usd).unwrap();
        let tills =
            Ability::new(Operation::PayOut, vec![PartyKind::Till], money("1"), money("5"), money("0.5"));
        let abroad = Ability::new(
            Operation::PayOut,
            vec![PartyKind::Wallet(Network::Safaricom)],
            dollars("1"),
            dollars("2"),
            dollars("0.01"),
        );
        let capabilities = capabilities(CallbackUse::Optional).with(tills).with(abroad);
        let terms = |amount| Terms::new("A".parse().unwrap(), amount);
        let till =
            |amount| Instruction::PayOut(PayOut::new(Payee::till("12345".parse().unwrap()), terms(amount)));
        let wallet = |amount| {
            let payee = Payee::wallet(Network::Safaricom, "0708374149".parse().unwrap());
            Instruction::PayOut(PayOut::new(payee, terms(amount)))
        };
        for (instruction, admitted) in [
            (till(money("1.5")), true),
            (till(money("10")), false),
            (till(dollars("1")), false),
            (wallet(money("10")), true),
            (wallet(money("1.5")), false),
            (wallet(dollars("1.25")), true),
            (wallet(dollars("10")), false),
        ] {
            assert_eq!(capabilities.admit(&instruction, None).is_ok(), admitted, "{instruction:?}");
        }
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
