//! Daraja against its documents, the conformance suite and the simulator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

mod codes;
mod config;
mod credential;
mod deliveries;
mod effects;
mod requests;
mod rig;
mod samples;
mod secrets;
mod subject;

malipo_testkit::conformance!(subject::DarajaSubject);
