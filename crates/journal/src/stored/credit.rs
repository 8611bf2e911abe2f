use malipo_core::{Credit, ProviderRefs, Raw};
use serde::{Deserialize, Serialize};

use super::{Amount, NEWEST, Party, Sealed, StoredError, name, parsed, read, time, write};

const WHAT: &str = "credit";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u32,
    provider: String,
    amount: Amount,
    provider_refs: Vec<(String, String)>,
    trust: String,
    signature: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payer: Option<Party>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

/// A credit as it is stored: without the bytes it was read from, which are with its delivery.
///
/// # Errors
///
/// [`StoredError`], when this version has no form for a part of it.
pub fn credit(credit: &Credit) -> Result<Sealed, StoredError> {
    let names = credit.provider_refs.iter();
    let form = Form {
        v: NEWEST,
        provider: credit.provider.to_string(),
        amount: credit.amount.into(),
        provider_refs: names.map(|known| (known.kind.clone().into_owned(), known.value.clone())).collect(),
        trust: credit.trust.as_str().to_owned(),
        signature: credit.signature.as_str().to_owned(),
        payer: credit.payer.as_ref().map(Party::of),
        account: credit.account.clone(),
        reference: credit.reference.as_ref().map(ToString::to_string),
        at: credit.at.map(|at| at.to_string()),
    };
    write(&form, WHAT)
}

/// The credit that was stored, without its bytes.
///
/// # Errors
///
/// [`StoredError`], when a newer version wrote it or something else changed it.
pub fn read_credit(stored: &Sealed) -> Result<Credit, StoredError> {
    let form: Form = read(stored, WHAT)?;
    let provider = parsed(&form.provider, "provider")?;
    let names = form.provider_refs.into_iter();
    let names = names.fold(ProviderRefs::new(), |known, (kind, value)| known.with(kind, Some(&value)));
    let trust = name(&form.trust, "trust")?;
    let mut credit = Credit::new(provider, form.amount.read()?, names, trust, Raw::default());
    credit.signature = name(&form.signature, "signature")?;
    credit.payer = form.payer.map(Party::read);
    credit.account = form.account;
    credit.reference = form.reference.as_deref().map(|text| parsed(text, "reference")).transpose()?;
    credit.at = form.at.as_deref().map(time).transpose()?;
    Ok(credit)
}
