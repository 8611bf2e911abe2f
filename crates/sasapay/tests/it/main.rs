//! SasaPay against its documents and the conformance suite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

mod answers;
mod codes;
mod config;
mod deciding;
mod deliveries;
mod requests;
mod samples;
mod signatures;
mod subject;

malipo_testkit::conformance!(subject::SasaPaySubject);
