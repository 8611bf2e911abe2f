#![doc = include_str!("../README.md")]

mod captured_log;
pub mod conformance;
mod faulty;
mod leaks;
mod manual_env;
mod recording;
mod render;
mod scripted;

pub use captured_log::CapturedLog;
pub use faulty::{Fault, FaultyTransport};
pub use leaks::{Leak, Spelling, leaks};
pub use manual_env::ManualEnv;
pub use recording::{Recorded, RecordingTransport};
pub use render::render;
pub use scripted::{Outcome, ScriptedTransport};
