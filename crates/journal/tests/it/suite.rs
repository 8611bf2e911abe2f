//! The promises, by subject.

pub(crate) mod batching;
pub(crate) mod crediting;
pub(crate) mod deciding;
pub(crate) mod delivering;
pub(crate) mod erasing;
pub(crate) mod following;
pub(crate) mod leasing;
pub(crate) mod opening;
pub(crate) mod reading;
pub(crate) mod replaying;
pub(crate) mod reporting;
pub(crate) mod sending;
pub(crate) mod stepping;
pub(crate) mod twinning;
