//! The receiver as those who post meet it: over sockets on loopback, and as the service that other servers mount.

mod answering;
mod ending;
mod limits;
mod mounted;
mod refusing;
mod rig;
mod slow;
mod sources;
mod watched;
