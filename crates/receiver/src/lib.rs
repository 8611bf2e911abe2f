#![doc = include_str!("../README.md")]

mod body;
mod limits;
mod peer;
mod receiver;
#[cfg(feature = "axum")]
mod router;
#[cfg(feature = "serve")]
mod serve;
mod sources;
mod watch;

pub use limits::Limits;
pub use peer::Peer;
pub use receiver::Receiver;
#[cfg(feature = "serve")]
pub use serve::serve;
pub use sources::{InvalidSources, SourceMode, Sources};
