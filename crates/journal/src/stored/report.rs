use std::collections::BTreeMap;

use malipo_core::{Balance, NextStep, ProviderRefs, Report, Told};
use serde::{Deserialize, Serialize};

use super::{Amount, NEWEST, Party, Sealed, StoredError, name, parsed, read, time, write};

const WHAT: &str = "report";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u32,
    provider: String,
    state: String,
    trust: String,
    signature: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    provider_refs: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    party: Option<Party>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    balances: Vec<Held>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_step: Option<Step>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    account: String,
    available: Amount,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    narration: Option<String>,
}

/// A report as it is stored: without its goods, which are secret, and without the bytes it was read from. Both have
/// places of their own.
///
/// # Errors
///
/// [`StoredError`], when this version has no form for a part of it.
pub fn report(report: &Report) -> Result<Sealed, StoredError> {
    let form = Form {
        v: NEWEST,
        provider: report.provider.to_string(),
        state: report.state.as_str().to_owned(),
        trust: report.trust.as_str().to_owned(),
        signature: report.signature.as_str().to_owned(),
        operation: report.operation.map(|operation| operation.as_str().to_owned()),
        reference: report.reference.as_ref().map(ToString::to_string),
        provider_refs: report
            .provider_refs
            .iter()
            .map(|known| (known.kind.clone().into_owned(), known.value.clone()))
            .collect(),
        amount: report.amount.map(Amount::from),
        party: report.party.as_ref().map(Party::of),
        receipt: report.receipt.clone(),
        code: report.code.clone(),
        text: report.text.as_ref().map(ToString::to_string),
        remedy: report.remedy.clone().map(std::borrow::Cow::into_owned),
        at: report.at.map(|at| at.to_string()),
        balances: report
            .balances
            .iter()
            .map(|balance| Held { account: balance.account.clone(), available: balance.available.into() })
            .collect(),
        next_step: report.next_step.as_ref().map(Step::of).transpose()?,
        details: report.details.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
    };
    write(&form, WHAT)
}

/// The report that was stored, without goods and bytes.
///
/// # Errors
///
/// [`StoredError`], when a newer version wrote it or something else changed it.
pub fn read_report(stored: &Sealed) -> Result<Report, StoredError> {
    let form: Form = read(stored, WHAT)?;
    let state = name(&form.state, "state")?;
    let mut report = Report::new(parsed(&form.provider, "provider")?, state, name(&form.trust, "trust")?);
    report.signature = name(&form.signature, "signature")?;
    report.operation = form.operation.as_deref().map(|text| name(text, "operation")).transpose()?;
    report.reference = form.reference.as_deref().map(|text| parsed(text, "reference")).transpose()?;
    report.provider_refs = form
        .provider_refs
        .into_iter()
        .fold(ProviderRefs::new(), |known, (kind, value)| known.with(kind, Some(&value)));
    report.amount = form.amount.as_ref().map(Amount::read).transpose()?;
    report.party = form.party.map(Party::read);
    (report.receipt, report.code) = (form.receipt, form.code);
    report.text = form.text.as_deref().map(Told::new);
    report.remedy = form.remedy.map(Into::into);
    report.at = form.at.as_deref().map(time).transpose()?;
    for held in &form.balances {
        report.balances.push(Balance::new(&held.account, held.available.read()?));
    }
    report.next_step = form.next_step.map(Step::read).transpose()?;
    for (key, value) in form.details {
        report.details.insert(key, value);
    }
    Ok(report)
}

impl Step {
    fn of(step: &NextStep) -> Result<Self, StoredError> {
        let (kind, narration) = match step {
            NextStep::EnterCode => ("enter_code", None),
            NextStep::AnswerPrompt => ("answer_prompt", None),
            NextStep::TransferWithNarration(narration) => {
                ("transfer_with_narration", Some(narration.clone()))
            }
            _ => return Err(StoredError::Unknown("next step")),
        };
        Ok(Self { kind: kind.to_owned(), narration })
    }

    fn read(self) -> Result<NextStep, StoredError> {
        match (self.kind.as_str(), self.narration) {
            ("enter_code", None) => Ok(NextStep::EnterCode),
            ("answer_prompt", None) => Ok(NextStep::AnswerPrompt),
            ("transfer_with_narration", Some(narration)) => Ok(NextStep::TransferWithNarration(narration)),
            ("enter_code" | "answer_prompt" | "transfer_with_narration", _) => {
                Err(StoredError::Malformed("next step"))
            }
            _ => Err(StoredError::Unknown("next step")),
        }
    }
}
