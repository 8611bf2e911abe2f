//! The receiver as those who post meet it: over sockets on loopback, and as the service that other servers mount.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

mod answering;
mod ending;
mod limits;
mod mounted;
mod refusing;
mod rig;
mod slow;
mod sources;
mod watched;
