//! The one send path, over a transport that does what the test tells it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod effect;
mod erase;
mod request;
mod scripted;
mod token;
