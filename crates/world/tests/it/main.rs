//! The proof.

mod soak;
