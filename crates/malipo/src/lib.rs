#![doc = include_str!("../README.md")]

pub use malipo_core::*;
pub use malipo_transport as transport;

#[cfg(feature = "daraja")]
pub use malipo_daraja as daraja;

#[cfg(feature = "hyper")]
pub use malipo_hyper as hyper;

#[cfg(feature = "journal")]
pub use malipo_journal as journal;

#[cfg(feature = "kasapay")]
pub use malipo_kasapay as kasapay;

#[cfg(feature = "kyanda")]
pub use malipo_kyanda as kyanda;

#[cfg(feature = "receiver")]
pub use malipo_receiver as receiver;

#[cfg(feature = "reqwest")]
pub use malipo_reqwest as reqwest;

#[cfg(feature = "sasapay")]
pub use malipo_sasapay as sasapay;

/// The examples of the repository's front page, compiled.
#[cfg(all(doctest, feature = "axum", feature = "daraja", feature = "reqwest"))]
#[doc = include_str!("../../../README.md")]
struct FrontPage;

/// The examples of the gateways' pages, compiled.
#[cfg(all(doctest, feature = "daraja"))]
#[doc = include_str!("../../../docs/gateways/daraja.md")]
struct DarajaPage;

#[cfg(all(doctest, feature = "kasapay"))]
#[doc = include_str!("../../../docs/gateways/kasapay.md")]
struct KasaPayPage;

#[cfg(all(doctest, feature = "sasapay"))]
#[doc = include_str!("../../../docs/gateways/sasapay.md")]
struct SasaPayPage;

#[cfg(all(doctest, feature = "kyanda"))]
#[doc = include_str!("../../../docs/gateways/kyanda.md")]
struct KyandaPage;
