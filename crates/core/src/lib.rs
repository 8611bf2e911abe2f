#![doc = include_str!("../README.md")]

mod env;
mod timestamp;

pub use env::{Env, SystemEnv, Timer};
pub use timestamp::{EatLayout, Timestamp};
