#![doc = include_str!("../README.md")]

mod ability;
mod callback;
mod capability;
mod code;
mod directory;
mod env;
mod error;
mod fields;
mod instruction;
mod money;
mod naming;
mod operation;
mod party;
mod party_kind;
mod phone;
mod provider;
mod reference;
mod report;
mod scalar;
mod secret;
mod text;
mod ticket;
mod timestamp;
mod url;

/// The attribute that [`Provider`] and the other async traits are written with, so that versions match.
pub use async_trait::async_trait;

pub use ability::{Ability, CallbackUse};
pub use callback::{
    CallbackError, Callbacks, Credit, Delivery, DeliveryPurpose, Headers, Read, Reply, Storage, Unanswered,
};
pub use capability::{Capabilities, Lookup, ReferenceUse, Resubmit};
pub use code::{CodeRow, Meaning};
pub use directory::{Bank, Biller};
pub use env::{Env, Moment, SystemEnv, Timer};
pub use error::{Advice, Effect, Error, ErrorKind, Result};
pub use fields::{Fields, Said};
pub use instruction::{
    Airtime, Bill, Callback, Collect, Confirm, Details, Instruction, PayOut, Purpose, Terms, Voucher,
};
pub use money::{Currency, Money, MoneyError};
pub use naming::UnknownName;
pub use operation::Operation;
pub use party::{
    AccountNumber, InvalidParty, Name, Network, Payee, PayeeAccount, Payer, PayerSource, Shortcode,
};
pub use party_kind::PartyKind;
pub use phone::{InvalidMsisdn, Msisdn};
pub use provider::{Answer, Balances, Credits, Provider, ProviderExt};
pub use reference::{InvalidReference, ProviderId, ProviderRef, ProviderRefs, Reference};
pub use report::{
    Balance, BalanceReport, Good, GoodKind, NextStep, Report, Signature, State, ToldParty, Trust,
};
pub use scalar::{NotAnObject, Scalar, filled, lenient, object, one_or_many, read_object};
pub use secret::{Raw, Secret};
pub use text::Told;
pub use ticket::Ticket;
pub use timestamp::{EatLayout, Timestamp};
pub use url::{CallbackUrl, InvalidCallbackUrl, is_loopback};
