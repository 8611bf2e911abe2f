use std::collections::BTreeMap;

use malipo_core::{Airtime, Bill, Callback, Collect, Instruction, Operation, PayOut, Terms, Voucher};
use serde::{Deserialize, Serialize};

use super::party::Party;
use super::{Amount, NEWEST, Sealed, StoredError, name, parsed, read, write};

const WHAT: &str = "instruction";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u32,
    operation: String,
    reference: String,
    amount: Amount,
    purpose: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callback: Option<Urls>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, String>,
    party: Party,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Urls {
    result: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<String>,
}

/// An instruction that starts a payment, as it is stored.
///
/// # Errors
///
/// [`StoredError`], when this version has no form for a part of it.
pub fn instruction(instruction: &Instruction) -> Result<Sealed, StoredError> {
    let terms = instruction.terms().ok_or(StoredError::Step)?;
    let form = Form {
        v: NEWEST,
        operation: instruction.operation().as_str().to_owned(),
        reference: terms.reference.to_string(),
        amount: terms.amount.into(),
        purpose: terms.purpose.as_str().to_owned(),
        description: terms.description.clone(),
        callback: terms.callback.as_ref().map(|callback| Urls {
            result: callback.result.as_str().to_owned(),
            timeout: callback.timeout.as_ref().map(|url| url.as_str().to_owned()),
        }),
        details: terms.details.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        party: Party::of(instruction)?,
    };
    write(&form, WHAT)
}

/// The instruction that was stored.
///
/// # Errors
///
/// [`StoredError`], when a newer version wrote it or something else changed it.
pub fn read_instruction(stored: &Sealed) -> Result<Instruction, StoredError> {
    let form: Form = read(stored, WHAT)?;
    let terms = form.terms()?;
    Ok(match name(&form.operation, "operation")? {
        Operation::PayOut => Instruction::PayOut(PayOut::new(form.party.payee()?, terms)),
        Operation::Collect => Instruction::Collect(Collect::new(form.party.payer()?, terms)),
        Operation::Airtime => {
            let (to, network) = form.party.line()?;
            Instruction::Airtime(Airtime::new(to, network, terms))
        }
        Operation::Voucher => {
            let (to, network) = form.party.line()?;
            Instruction::Voucher(Voucher::new(to, network, terms))
        }
        Operation::Bill => {
            let (biller, account) = form.party.bill()?;
            Instruction::Bill(Bill::new(biller, account, terms))
        }
        _ => return Err(StoredError::Malformed(WHAT)),
    })
}

impl Form {
    fn terms(&self) -> Result<Terms, StoredError> {
        let mut terms = Terms::new(parsed(&self.reference, "reference")?, self.amount.read()?)
            .with_purpose(name(&self.purpose, "purpose")?);
        terms.description.clone_from(&self.description);
        for (key, value) in &self.details {
            terms.details.insert(key, value);
        }
        if let Some(urls) = &self.callback {
            let mut callback = Callback::new(parsed(&urls.result, "callback URL")?);
            callback.timeout = urls.timeout.as_deref().map(|url| parsed(url, "callback URL")).transpose()?;
            terms.callback = Some(callback);
        }
        Ok(terms)
    }
}
