//! The whole house: every documented operation against the simulator, the money's scenarios over every transport, and
//! a provider from outside that the conformance suite finds wanting when it is broken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

mod altered;
#[cfg(all(
    feature = "daraja",
    feature = "kasapay",
    feature = "kyanda",
    feature = "sasapay",
    feature = "axum",
    feature = "hyper",
    feature = "reqwest",
    feature = "postgres",
    feature = "serve",
    feature = "sqlite",
))]
mod books;
mod breaks;
mod outside_provider;
mod outside_subject;
#[cfg(all(
    feature = "daraja",
    feature = "kasapay",
    feature = "kyanda",
    feature = "sasapay",
    feature = "axum",
    feature = "hyper",
    feature = "reqwest",
    feature = "postgres",
    feature = "serve",
    feature = "sqlite",
))]
mod receiver;
#[cfg(all(
    feature = "daraja",
    feature = "kasapay",
    feature = "kyanda",
    feature = "sasapay",
    feature = "hyper",
    feature = "reqwest",
))]
mod rig;
#[cfg(all(
    feature = "daraja",
    feature = "kasapay",
    feature = "kyanda",
    feature = "sasapay",
    feature = "hyper",
    feature = "reqwest",
))]
mod rows;
#[cfg(all(
    feature = "daraja",
    feature = "kasapay",
    feature = "kyanda",
    feature = "sasapay",
    feature = "hyper",
    feature = "reqwest",
))]
mod scenarios;
#[cfg(all(
    feature = "daraja",
    feature = "kasapay",
    feature = "kyanda",
    feature = "sasapay",
    feature = "axum",
    feature = "hyper",
    feature = "reqwest",
    feature = "postgres",
    feature = "serve",
    feature = "sqlite",
))]
mod tap;
