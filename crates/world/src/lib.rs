#![doc = include_str!("../README.md")]

mod altered;
mod caller;
mod checker;
mod clock;
mod dice;
mod executor;
mod exhaust;
mod forged;
mod gateways;
mod life;
mod orders;
mod postman;
mod process;
mod run;
mod scenario;
mod unbuilt;
mod violation;
mod watched;
mod wire;
mod witness;

pub use altered::{Alterations, AsBuilt};
pub use clock::Clock;
pub use dice::Dice;
pub use executor::{Breath, Executor, Group, Spawner, Turn};
pub use exhaust::{Failed, Tally};
pub use forged::{Field, Forged, Forgeries, Met, Paid};
pub use gateways::{Account, House};
pub use life::{Death, Life, Place};
pub use postman::{Answering, Door, HonestDoor, Postman};
pub use run::{Outcome, Run};
pub use scenario::{Scenario, Then, Trouble, Work};
pub use unbuilt::Unbuilt;
pub use violation::{Invariant, Violation};
pub use wire::Wire;
pub use witness::Witness;
