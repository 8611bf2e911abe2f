//! Small worlds: every death of each, the same twice, and worlds broken on purpose.

mod small_worlds;

use std::sync::OnceLock;

use malipo_world::House;

/// One for all: its key takes long to make.
fn house() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| House::new().unwrap_or_else(|why| panic!("{why}")))
}
