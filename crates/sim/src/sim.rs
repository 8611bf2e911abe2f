use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use tokio::net::TcpListener;

use crate::event::Event;
use crate::fault::{Fault, NeverStrikes};
use crate::gateways::daraja::{DarajaAccount, KeyError};
use crate::gateways::kasapay::{KasaPayAccount, ReversalError};
use crate::gateways::kyanda::KyandaAccount;
use crate::gateways::sasapay::{PayerError, SasaPayAccount};
use crate::gateways::{Gateway, Operation};
use crate::ledger::Ledger;
use crate::options::Options;
use crate::payer::Message;
use crate::server::Server;
use crate::world::World;

/// The simulated gateways on a port of 127.0.0.1, posting their callbacks for real. Dropping it stops the
/// server and whatever was still to be posted.
pub struct Sim {
    server: Arc<Server>,
    url: String,
}

/// The simulator could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It could not make its key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It could not listen on the port.
    #[error("the simulator cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port asked for; 0 is any free one.
        port: u16,
        /// What the operating system said.
        source: io::Error,
    },
}

impl Sim {
    /// Starts a simulator. It runs on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the port is taken, or no key could be made.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let env = Arc::clone(&options.env);
        let how = options.server.clone();
        let world = World::new(options)?;
        let failed = |source| StartError::Listen { port: how.port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, how.port)).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let server = Server::start(world, env, how, listener);
        Ok(Self { server, url })
    }

    /// The base URL of every gateway, such as `http://127.0.0.1:49152`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The merchant's account at Daraja: what a client needs to know to be let in.
    pub fn daraja(&self) -> &DarajaAccount {
        self.world().daraja()
    }

    /// The merchant's account at KasaPay: what a client needs to know to be let in.
    pub fn kasapay(&self) -> &KasaPayAccount {
        self.world().kasapay()
    }

    /// The merchant's account at SasaPay: what a client needs to know to be let in.
    pub fn sasapay(&self) -> &SasaPayAccount {
        self.world().sasapay()
    }

    /// As [`World::messages`].
    pub fn messages(&self) -> Vec<Message> {
        self.world().messages()
    }

    /// As [`World::transfer`].
    ///
    /// # Errors
    ///
    /// Those of [`World::transfer`].
    pub fn transfer(&self, narration: &str, amount: Decimal) -> Result<(), PayerError> {
        self.server.transfer(narration, amount)
    }

    /// As [`World::walk_in`].
    ///
    /// # Errors
    ///
    /// Those of [`World::walk_in`].
    pub fn walk_in(&self, account: &str, number: &str, amount: Decimal) -> Result<(), PayerError> {
        self.server.walk_in(account, number, amount, [])
    }

    /// As [`World::walk_in_with`].
    ///
    /// # Errors
    ///
    /// Those of [`World::walk_in_with`].
    pub fn walk_in_with(
        &self,
        account: &str,
        number: &str,
        amount: Decimal,
        faults: impl IntoIterator<Item = Fault>,
    ) -> Result<(), PayerError> {
        self.server.walk_in(account, number, amount, faults)
    }

    /// As [`World::reverse`].
    ///
    /// # Errors
    ///
    /// Those of [`World::reverse`].
    pub fn reverse(&self, reference: &str) -> Result<(), ReversalError> {
        self.server.reverse(reference)
    }

    /// The merchant's account at Kyanda: what a client needs to know to be let in.
    pub fn kyanda(&self) -> &KyandaAccount {
        self.world().kyanda()
    }

    /// Arranges that the next such call meets these faults, all of them. Each further `inject` is for the
    /// call after that.
    ///
    /// # Errors
    ///
    /// Those of [`World::inject`].
    pub fn inject(
        &self,
        gateway: Gateway,
        operation: Operation,
        faults: impl IntoIterator<Item = Fault>,
    ) -> Result<(), NeverStrikes> {
        self.world().inject(gateway, operation, faults)
    }

    /// Forgets the faults that [`inject`](Self::inject) arranged and no call has met yet, and says how many calls would
    /// have met some. The plan and the magic payees stay.
    pub fn clear_faults(&self) -> usize {
        self.world().clear_faults()
    }

    /// Moves the simulator's clock forward, see [`World::advance`]: callbacks that fall due are posted, tokens run
    /// out. A reply that is held back is still held back for as long as it was.
    pub fn advance(&self, by: Duration) {
        self.server.advance(by);
    }

    /// Takes everything back to the start, see [`World::reset`]. Callbacks not posted yet never are; one that is being
    /// posted at this moment may still arrive.
    pub fn reset(&self) {
        self.server.reset();
    }

    /// A copy of the gateways' books as they stand.
    pub fn ledger(&self) -> Ledger {
        self.world().ledger()
    }

    /// A copy of the log, oldest first. It keeps the last 100,000 events.
    pub fn events(&self) -> Vec<Event> {
        self.world().events()
    }

    /// How many requests of one kind arrived since the start: refused ones, and those a fault swallowed,
    /// included.
    pub fn calls(&self, gateway: Gateway, operation: Operation) -> usize {
        self.world().calls(gateway, operation)
    }

    /// Returns once nothing is going to happen any more by itself: no request is being read or handled and
    /// no reply held back, every accepted call is dealt with, and every callback, late ones included, was
    /// posted and answered or given up. A callback held back by [`Fault::CallbacksReordered`] is not waited
    /// for.
    pub async fn idle(&self) {
        self.server.idle().await;
    }

    fn world(&self) -> &World {
        self.server.world()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.server.stop();
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("url", &self.url).finish_non_exhaustive()
    }
}
