use malipo_core::Headers;
use serde::{Deserialize, Serialize};

use super::{NEWEST, Sealed, StoredError, read, write};

const WHAT: &str = "headers";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u32,
    headers: Vec<(String, String)>,
}

/// Headers of a delivery as they are stored. A value is any bytes, so each byte is written as the character of its
/// number.
///
/// # Errors
///
/// [`StoredError`], when this version has no form for a part of it.
pub fn headers(headers: &[(String, Vec<u8>)]) -> Result<Sealed, StoredError> {
    let text = |value: &[u8]| value.iter().copied().map(char::from).collect();
    let headers = headers.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    write(&Form { v: NEWEST, headers }, WHAT)
}

/// The headers that were stored.
///
/// # Errors
///
/// [`StoredError`], when a newer version wrote it or something else changed it.
pub fn read_headers(stored: &Sealed) -> Result<Headers, StoredError> {
    let form: Form = read(stored, WHAT)?;
    form.headers.into_iter().try_fold(Headers::new(), |headers, (name, value)| {
        let bytes: Result<Vec<u8>, _> = value.chars().map(u8::try_from).collect();
        Ok(headers.with(name, bytes.map_err(|_| StoredError::Malformed(WHAT))?))
    })
}
