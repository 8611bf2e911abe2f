//! Whether two requests under one key ask for the same.

use std::fmt;

use malipo_core::{Instruction, ProviderId};
use sha2::{Digest, Sha256};

use crate::{StoredError, stored};

/// What a caller asks for: an account at a gateway, and what it is to do. The instruction is as the caller gave it,
/// before a reference or a callback of our own was put in.
#[derive(Debug, Clone, Copy)]
pub struct Intent<'a> {
    provider: &'a ProviderId,
    instruction: &'a Instruction,
}

/// The fingerprint of an [`Intent`]: SHA-256 over all of it but the reference. The numbers of people are in what it
/// is made of, and could be tried out; so it does not print itself, and it is erased with them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub(crate) [u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(***)")
    }
}

impl<'a> Intent<'a> {
    /// What the caller asks `provider` to do.
    pub const fn new(provider: &'a ProviderId, instruction: &'a Instruction) -> Self {
        Self { provider, instruction }
    }

    /// Its fingerprint.
    ///
    /// # Errors
    ///
    /// [`StoredError`] for an instruction that cannot be stored.
    pub fn fingerprint(&self) -> Result<Fingerprint, StoredError> {
        let mut hash = Sha256::new_with_prefix("malipo intent 1");
        for Field { name, value } in self.fields()? {
            for part in [name, &value] {
                // With its length, or two parts could share their bytes out in more than one way.
                hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                hash.update(part);
            }
        }
        Ok(Fingerprint(hash.finalize().into()))
    }

    /// The names of the fields in which two intents differ; no values.
    ///
    /// # Errors
    ///
    /// As [`Intent::fingerprint`].
    pub fn conflicts(&self, other: &Intent<'_>) -> Result<Vec<&'static str>, StoredError> {
        let (ours, theirs) = (self.fields()?, other.fields()?);
        let differing = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours.value != theirs.value);
        Ok(differing.map(|(field, _)| field.name).collect())
    }

    /// Every field in a fixed order, absent ones too.
    fn fields(&self) -> Result<Vec<Field>, StoredError> {
        let terms = self.instruction.terms().ok_or(StoredError::Step)?;
        let party = stored::numbers(self.instruction)?;
        let details: Vec<_> = terms.details.iter().collect();
        let urls = terms.callback.as_ref().map(|callback| {
            [Some(callback.result.as_str()), callback.timeout.as_ref().map(|url| url.as_str())]
        });
        let field = |name, value| Field { name, value };
        Ok(vec![
            field("provider", self.provider.to_string()),
            field("operation", self.instruction.operation().to_string()),
            field("amount", terms.amount.minor().to_string()),
            field("currency", terms.amount.currency().to_string()),
            field("party", party.numbers),
            field("name", json(&party.name)?),
            field("phone", json(&party.phone)?),
            field("purpose", terms.purpose.as_str().to_owned()),
            field("description", json(&terms.description)?),
            field("details", json(&details)?),
            field("callback", json(&urls)?),
        ])
    }
}

/// One part of an intent, as text that no other value has.
struct Field {
    name: &'static str,
    value: String,
}

fn json(value: &impl serde::Serialize) -> Result<String, StoredError> {
    serde_json::to_string(value).map_err(|_| StoredError::Malformed("instruction"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use malipo_core::{Airtime, Callback, Money, Network, PayOut, Payee, Purpose, Terms};

    use super::*;

    const PROVIDER: ProviderId = ProviderId::of("somepay");

    fn pay(payee: &Payee, terms: &Terms) -> Instruction {
        Instruction::PayOut(PayOut::new(payee.clone(), terms.clone()))
    }

    fn payee() -> Payee {
        Payee::wallet(Network::Safaricom, "0708374149".parse().unwrap())
    }

    fn terms() -> Terms {
        Terms::new("LOAN-1".parse().unwrap(), Money::kes("100").unwrap())
    }

    fn callback(path: &str) -> Callback {
        Callback::new(format!("https://pay.example.com/{path}").parse().unwrap())
    }

    fn fingerprint(instruction: &Instruction) -> [u8; 32] {
        Intent::new(&PROVIDER, instruction).fingerprint().unwrap().0
    }

    #[test]
    fn the_reference_is_not_part_of_it_and_everything_else_is() {
        let plain = pay(&payee(), &terms());
        let mut other_reference = terms();
        other_reference.reference = "LOAN-2".parse().unwrap();
        assert_eq!(fingerprint(&plain), fingerprint(&pay(&payee(), &other_reference)));

        let amount = |amount: Money| Terms::new("LOAN-1".parse().unwrap(), amount);
        let dollars = Money::parse("100", malipo_core::Currency::Usd).unwrap();
        #[rustfmt::skip]
        let changed = [
            (pay(&payee(), &amount(Money::kes("100.01").unwrap())), "amount"),
            (pay(&payee(), &amount(dollars)), "currency"),
            (pay(&Payee::wallet(Network::Airtel, "0708374149".parse().unwrap()), &terms()), "party"),
            (pay(&Payee::wallet(Network::Safaricom, "0708374148".parse().unwrap()), &terms()), "party"),
            (pay(&Payee::till("708374".parse().unwrap()), &terms()), "party"),
            (pay(&payee().with_name("Jane".parse().unwrap()), &terms()), "name"),
            (pay(&payee().with_phone("0708374149".parse().unwrap()), &terms()), "phone"),
            (pay(&payee(), &terms().with_purpose(Purpose::Salary)), "purpose"),
            (pay(&payee(), &terms().with_description("")), "description"),
            (pay(&payee(), &terms().with_description("a")), "description"),
            (pay(&payee(), &terms().with_detail("a", "b")), "details"),
            (pay(&payee(), &terms().with_detail("a", "\",\"b")), "details"),
            (pay(&payee(), &terms().with_callback(callback("a"))), "callback"),
            (pay(&payee(), &terms().with_callback(callback("a").with_timeout(callback("b").result))), "callback"),
        ];
        let mut seen = BTreeSet::from([fingerprint(&plain)]);
        for (instruction, field) in changed {
            assert!(seen.insert(fingerprint(&instruction)), "{field}");
            let differing = Intent::new(&PROVIDER, &plain).conflicts(&Intent::new(&PROVIDER, &instruction));
            assert_eq!(differing, Ok(vec![field]));
        }
        let elsewhere = ProviderId::of("somepay-2");
        assert!(seen.insert(Intent::new(&elsewhere, &plain).fingerprint().unwrap().0));
        let airtime = Airtime::new("0708374149".parse().unwrap(), Network::Safaricom, terms());
        let airtime = Instruction::Airtime(airtime);
        let differing = Intent::new(&PROVIDER, &plain).conflicts(&Intent::new(&elsewhere, &airtime));
        assert_eq!(differing, Ok(vec!["provider", "operation", "party"]));
    }

    #[test]
    fn it_is_the_same_in_every_release() {
        let instruction = pay(
            &payee().with_name("Jane Wanjiku".parse().unwrap()),
            &terms().with_description("Loan 1").with_detail("occasion", "x").with_callback(callback("a")),
        );
        let print = fingerprint(&instruction).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(print, "5b790d7c4adf0bc2510f2f1f757e0a87ffa7ece539069834cafd70ef536aad14");
        assert!(!format!("{:?}", Fingerprint([7; 32])).contains('7'));
    }
}
