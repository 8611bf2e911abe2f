//! Small worlds: every death of each, the same twice, and worlds broken on purpose.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

mod canaries;
mod forged;
mod small_worlds;
mod soak;
mod twice;

use std::sync::OnceLock;

use malipo_sim::Gateway;
use malipo_world::{House, Scenario};

/// One for all: its key takes long to make.
fn house() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| House::new().unwrap_or_else(|why| panic!("{why}")))
}

fn scenario(gateway: Gateway, name: &str) -> Scenario {
    Scenario::all(gateway).into_iter().find(|scenario| scenario.name == name).unwrap()
}
