#![doc = include_str!("../README.md")]

mod callback;
mod config;
mod credential;
mod decode;
mod encode;
mod provider;
mod sources;
mod wire;

pub use config::{Config, Initiator};
#[cfg(feature = "security-credential")]
pub use credential::{Certificate, InitiatorPassword};
pub use credential::{InvalidCredential, SecurityCredential};
pub use encode::REFUSED_CALLBACK_WORDS;
pub use malipo_transport::{AppKeys, Production, Sandbox};
pub use provider::{Daraja, GATEWAY};
pub use sources::CALLBACK_SOURCES;
