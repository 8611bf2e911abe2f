#![doc = include_str!("../README.md")]

pub use malipo_core::*;
pub use malipo_transport as transport;

#[cfg(feature = "daraja")]
pub use malipo_daraja as daraja;

#[cfg(feature = "reqwest")]
pub use malipo_reqwest as reqwest;
