//! What was bought. Its values are secret: this is the one file that writes them down, in a form that nothing else
//! stands in and that is erased as a whole.

use malipo_core::{Good, Secret};
use serde::{Deserialize, Serialize};

use super::{NEWEST, Sealed, StoredError, name, read, write};

const WHAT: &str = "goods";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u32,
    goods: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    kind: String,
    value: String,
}

/// Goods as they are stored; nothing when there are none.
///
/// # Errors
///
/// [`StoredError`], when this version has no form for a part of it.
pub fn goods(goods: &[Good]) -> Result<Option<Sealed>, StoredError> {
    let items = goods
        .iter()
        .map(|good| Item { kind: good.kind.as_str().to_owned(), value: good.value.expose().to_owned() });
    let form = Form { v: NEWEST, goods: items.collect() };
    if form.goods.is_empty() { Ok(None) } else { write(&form, WHAT).map(Some) }
}

/// The goods that were stored.
///
/// # Errors
///
/// [`StoredError`], when a newer version wrote it or something else changed it.
pub fn read_goods(stored: &Sealed) -> Result<Vec<Good>, StoredError> {
    let form: Form = read(stored, WHAT)?;
    let goods = form
        .goods
        .into_iter()
        .map(|item| Ok(Good::new(name(&item.kind, "kind of goods")?, Secret::new(item.value))));
    goods.collect()
}
