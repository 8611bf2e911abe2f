#![doc = include_str!("../README.md")]

mod again;
mod answer;
mod bind;
mod callback_url;
mod credit;
mod delivery;
mod entry;
mod error;
mod execute;
mod fingerprint;
mod fold;
mod ids;
mod journal;
mod lease;
mod memory;
mod names;
mod payment;
mod payments;
#[cfg(feature = "postgres")]
mod postgres;
mod ready;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
pub mod stored;
mod tx;

pub use answer::{Bar, Begun, Claim, Done, News, Refused};
pub use bind::{Asked, Mismatch, bind};
pub use callback_url::{Address, CallbackKey, CallbackUrls, InvalidCallbacks};
pub use credit::{CreditRecord, CreditState};
pub use delivery::{Aside, StoredDelivery};
pub use entry::{
    Advance, Apply, Begin, ClaimDue, DecideCredit, DueCredits, Entry, Erase, Finish, MatchUnaddressed,
    NoteAbsent, Open, Outcome, Overdue, Raise, Resolve, Schedule, SetAside, Start, StoreCredit,
    StoreDelivery, Sweep,
};
pub use error::{JournalError, JournalErrorKind};
pub use fingerprint::{Fingerprint, Intent};
pub use fold::{Decision, Evidence, fold};
pub use ids::{
    Attempt, CreditId, CreditSequence, DeliveryId, EventId, Fence, Follower, Generation, InvalidKey, Key,
    PaymentId, Worker,
};
pub use journal::{Deliveries, Filter, Find, Journal, Stream};
pub use lease::Lease;
pub use memory::MemoryJournal;
pub use names::UnknownName;
pub use payment::{AttemptEnd, AttemptRecord, Event, EventKind, Notes, Payment, ResendRule, Source, Twins};
pub use payments::{
    Account, Confirmation, Delivered, Handler, Happening, Inbox, Pace, Payments, PaymentsError, Policy,
    Settlement, Ticked,
};
#[cfg(feature = "crash-points")]
pub use payments::{CrashPoint, CrashPoints};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresConfig, PostgresJournal};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteConfig, SqliteJournal};
pub use state::{Attention, Exposure, PaymentState, Reason, Standing, TRANSITIONS};
pub use stored::StoredError;
