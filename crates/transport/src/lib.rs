#![doc = include_str!("../README.md")]

mod authorize;
mod base_url;
mod call;
mod gateway;
mod response;
mod transport;

/// Which hosts plain `http` may go to without being named for it.
pub use malipo_core::is_loopback;

/// What requests and answers are made of, so that versions match.
pub use {bytes::Bytes, http};

pub use authorize::{AppKeys, Authorize, BearerToken, Pass, StaticKey, Token, TokenDialect, secret_header};
pub use base_url::{BaseUrl, Environment, Hosts, InvalidBaseUrl, Production, Sandbox};
pub use call::{Call, Path};
pub use gateway::{Gateway, Line};
pub use response::{Complaint, Response};
pub use transport::{Exchange, Failure, Stage, Transport, TransportError};
