#![doc = include_str!("../README.md")]

mod clock;
mod control;
mod deliver;
mod dice;
mod eat;
mod event;
mod fault;
mod gateways;
mod ledger;
mod magic;
mod names;
mod notify;
mod options;
mod payer;
mod payment;
mod server;
mod sim;
mod world;

pub use event::{Delivery, Event};
pub use fault::{Fault, NeverStrikes, Plan};
pub use gateways::daraja::{DarajaAccount, DarajaKey, KeyError};
pub use gateways::kasapay::{KasaPayAccount, ReversalError};
pub use gateways::kyanda::KyandaAccount;
pub use gateways::sasapay::{PayerError, SasaPayAccount};
pub use gateways::{Gateway, Operation};
pub use ledger::Ledger;
pub use magic::{MAGIC_PAYEES, MagicEffect, MagicPayee, PayerRefusal};
pub use names::UnknownName;
pub use notify::Callback;
pub use options::Options;
pub use payer::Message;
pub use payment::{Direction, Move, MoveKind, Payment, PaymentState};
pub use sim::{Sim, StartError};
pub use world::{Answer, World};
