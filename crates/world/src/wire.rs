//! Between a process and the gateways: bytes take their time, and what has left arrives, whoever dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use malipo::transport::http::{Request, Response};
use malipo::transport::{Bytes, Exchange, Failure, Transport, TransportError};
use malipo::{Timer as _, async_trait};
use malipo_sim::{Answer, Event, Fault, World};

use crate::clock::Clock;
use crate::executor::{Breath, Group, Spawner};
use crate::life::{Life, Place};
use crate::postman::Postman;
use crate::witness::{Arrival, Witness};

/// How long bytes take from here to there.
pub(crate) const LATENCY: Duration = Duration::from_millis(40);

/// How long a transport waits for an answer: as long as those that are shipped.
const PATIENCE: Duration = Duration::from_secs(30);

/// The way to the gateways. Clones are the same way.
#[derive(Debug, Clone)]
pub struct Wire {
    sim: World,
    clock: Clock,
    spawner: Spawner,
    witness: Witness,
    postman: Postman,
    /// How many connections are still to be refused.
    refusing: Arc<AtomicUsize>,
}

impl Wire {
    /// The way to the gateways of `sim`, whose callbacks `postman` carries.
    pub fn new(sim: World, clock: Clock, spawner: Spawner, witness: Witness, postman: Postman) -> Self {
        Self { sim, clock, spawner, witness, postman, refusing: Arc::default() }
    }

    /// Refuses the next connections.
    pub fn refuse(&self, connections: usize) {
        self.refusing.store(connections, Ordering::SeqCst);
    }

    /// What a process sends with as long as it lives.
    pub fn transport(&self, life: Arc<Life>) -> Arc<dyn Transport> {
        Arc::new(WireTransport { wire: self.clone(), life })
    }

    fn refuses(&self) -> bool {
        self.refusing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    /// Puts a request on its way. It arrives, and its answer leaves, whether anybody waits for it or not.
    fn hand_over(&self, request: Request<Bytes>) -> oneshot::Receiver<Option<Response<Bytes>>> {
        let (sender, answer) = oneshot::channel();
        let wire = self.clone();
        self.spawner.spawn(Group::WORLD, async move {
            wire.clock.sleep(LATENCY).await;
            let Answer { first, delay, reply, .. } = wire.arrive(&request);
            wire.postman.post(first).await;
            wire.clock.sleep(delay.saturating_add(LATENCY)).await;
            // Whoever asked may be gone.
            let _ = sender.send(reply);
        });
        answer
    }

    fn arrive(&self, request: &Request<Bytes>) -> Answer {
        let before = self.sim.ledger().payments().len();
        let answer = self.sim.handle(request);
        let Some(exchange) = request.extensions().get::<Exchange>() else { return answer };
        let status = answer.reply.as_ref().map(|reply| reply.status().as_u16());
        let (gateway, faults) = match self.sim.events().pop() {
            Some(Event::Request { gateway, faults, .. }) => (gateway, faults),
            _ => (None, Vec::new()),
        };
        let about = exchange.reference.as_ref().map(ToString::to_string).unwrap_or_default();
        let Exchange { provider, operation, .. } = exchange;
        self.witness.note(format!("{provider} has {operation} {about}: {status:?} {faults:?}"));
        if let (true, Some(reference)) = (operation.moves_money(), &exchange.reference) {
            let ledger = self.sim.ledger();
            let accepted = ledger.payments().iter().skip(before);
            let mut seen = self.witness.seen();
            seen.changed = true;
            seen.arrivals.push(Arrival {
                provider: provider.clone(),
                reference: reference.clone(),
                operation: *operation,
                gateway,
                entered: !faults.contains(&Fault::TokenExpired),
                accepted: accepted.map(|payment| payment.gateway_reference.clone()).collect(),
            });
        }
        answer
    }
}

/// The wire as one process has it.
#[derive(Debug)]
struct WireTransport {
    wire: Wire,
    life: Arc<Life>,
}

#[async_trait]
impl Transport for WireTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let moves_money =
            request.extensions().get::<Exchange>().is_some_and(|one| one.operation.moves_money());
        if moves_money {
            self.life.pass(Place::BeforeSend).await;
        }
        self.life.go_on().await;
        let told = self.exchange(request).await;
        if moves_money {
            self.life.pass(Place::AfterSend).await;
        }
        // Others may go first between the answer and what is made of it.
        Breath::default().await;
        self.life.go_on().await;
        told
    }
}

impl WireTransport {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if self.wire.refuses() {
            self.wire.clock.sleep(LATENCY).await;
            return Err(TransportError::before_send(Failure::Connect));
        }
        let answer = self.wire.hand_over(request);
        match select(answer, self.wire.clock.sleep(PATIENCE)).await {
            Either::Left((Ok(Some(response)), _)) => Ok(response),
            Either::Left(_) => Err(TransportError::after_send(Failure::Broken)),
            Either::Right(_) => Err(TransportError::after_send(Failure::Timeout)),
        }
    }
}
