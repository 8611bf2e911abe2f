#![doc = include_str!("../README.md")]

mod authorize;
mod base_url;
mod call;
mod gateway;
mod response;
mod transport;

/// What requests and answers are made of, so that versions match.
pub use {bytes::Bytes, http};

pub use authorize::{Authorize, BearerToken, Pass, StaticKey, Token, TokenDialect, basic, secret_header};
pub use base_url::{BaseUrl, Environment, InvalidBaseUrl, Production, Sandbox};
pub use call::{Call, Path};
pub use gateway::{Gateway, Line};
pub use response::{Complaint, Response};
pub use transport::{Exchange, Failure, Stage, Transport, TransportError};
