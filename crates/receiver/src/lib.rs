#![doc = include_str!("../README.md")]

mod body;
mod limits;
mod receiver;

pub use limits::Limits;
pub use receiver::Receiver;
