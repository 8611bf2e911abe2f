//! KasaPay against its documents and the conformance suite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

mod codes;
mod config;
mod deliveries;
mod requests;
mod samples;
mod subject;

malipo_testkit::conformance!(subject::KasaPaySubject);
