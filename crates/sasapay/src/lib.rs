#![doc = include_str!("../README.md")]

mod callback;
mod config;
mod decode;
mod encode;
mod provider;
mod sources;
mod wire;

pub use config::{Config, SignatureCheck};
pub use malipo_transport::{AppKeys, Production, Sandbox};
pub use provider::{GATEWAY, SasaPay};
pub use sources::CALLBACK_SOURCES;
