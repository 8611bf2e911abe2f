#![doc = include_str!("../README.md")]

mod callback;
mod config;
mod decode;
mod encode;
mod provider;
mod wire;

pub use config::{Config, Initiator, Keys};
pub use malipo_transport::{Production, Sandbox};
pub use provider::{GATEWAY, Kyanda};
pub use wire::{Endpoint, FaibaBundle};
