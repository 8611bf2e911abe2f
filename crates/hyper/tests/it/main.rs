//! The lean transport on real sockets, under the same suite as the default one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed, and these run on real sockets in real time"
)]

#[path = "../../../reqwest/tests/it/suite/mod.rs"]
mod suite;

use std::sync::Arc;

use malipo_hyper::{HyperTransport, Options};

use suite::{Maker, Setup};

const MAKER: Maker = Maker(|setup: Setup| {
    let mut options = Options::new()
        .with_connect_timeout(setup.connect)
        .with_read_timeout(setup.read)
        .with_total_timeout(setup.total)
        .with_pool_idle_timeout(setup.pool_idle);
    if let Some(host) = &setup.plain_http {
        options = options.allow_plain_http(host);
    }
    if let Some(pem) = &setup.root_pem {
        options = options.with_root_certificates_pem(pem.as_bytes()).unwrap();
    }
    Arc::new(HyperTransport::with_options(options).unwrap())
});

suite::tests!(MAKER);
