//! One test for each operation that the four gateways document, numbered as `cargo xtask coverage` lists them: through
//! the public traits, over every transport, against the simulator. Tables of codes and signatures are tried entry by
//! entry.

mod daraja;
mod kasapay;
mod kyanda;
mod sasapay;
