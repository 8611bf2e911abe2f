//! The simulator as its users see it: over TCP with nothing but sockets, and in-process with time in hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test they are how it fails; clippy.toml spares only the test functions, not their helpers"
)]

mod client;
mod control;
mod faults;
mod in_process;
mod kasapay;
mod kyanda;
mod kyanda_client;
mod kyanda_faults;
mod kyanda_refusals;
mod merchant;
mod payers;
mod payouts;
mod queries;
mod refusals;
mod reversal;
mod sasapay;
mod sasapay_faults;
mod sasapay_money;
mod sasapay_shop;
mod server;
mod steering;
mod strikes;
mod tokens;
mod unasked;
