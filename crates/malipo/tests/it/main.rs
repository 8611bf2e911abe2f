//! A provider from outside the house, and what the conformance suite finds when it is broken.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by panicking")]

mod altered;
mod breaks;
mod outside_provider;
mod outside_subject;
