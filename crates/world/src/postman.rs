//! Brings what the gateways post to the process that lives.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt as _};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use malipo::journal::{Deliveries, DeliveryId, Payments};
use malipo::transport::Bytes;
use malipo::transport::http::{Request, Response};
use malipo::{Timer as _, async_trait};
use malipo_receiver::Receiver;
use malipo_sim::{Callback, Delivery, World};
use tower_service::Service as _;

use crate::clock::Clock;
use crate::executor::{Breath, Group, Spawner};
use crate::wire::LATENCY;
use crate::witness::{Acknowledged, Witness};

/// How many deliveries are read after an answer at most: more than ever wait in a small world.
const UNREAD: u32 = 100;

/// How a process takes what is posted to it: what stands between the socket and the receiver.
#[async_trait]
pub trait Door: Debug + Send + Sync {
    /// Takes one request and answers it.
    async fn take(&self, receiver: Receiver, request: Request<Bytes>, answer: Answering);
}

/// Where the answer to a request goes. Dropped, the connection breaks.
#[derive(Debug)]
pub struct Answering(oneshot::Sender<Response<Bytes>>);

impl Answering {
    /// A way to answer, and where the answer comes out.
    pub(crate) fn pair() -> (Self, oneshot::Receiver<Response<Bytes>>) {
        let (sender, answer) = oneshot::channel();
        (Self(sender), answer)
    }

    /// Answers.
    pub fn with(self, response: Response<Bytes>) {
        // The gateway may have lost its patience.
        let _ = self.0.send(response);
    }
}

/// The door as it is to be: the receiver, and nothing else.
#[derive(Debug)]
pub struct HonestDoor;

#[async_trait]
impl Door for HonestDoor {
    async fn take(&self, mut receiver: Receiver, request: Request<Bytes>, answer: Answering) {
        let Ok(response) = receiver.call(request.map(in_two)).await;
        let (parts, body) = response.into_parts();
        let Ok(body) = body.collect().await;
        answer.with(Response::from_parts(parts, body.to_bytes()));
    }
}

/// A body that comes in two halves, with others going first between them.
fn in_two(whole: Bytes) -> StreamBody<impl stream::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send> {
    let (mut first, half) = (whole.clone(), whole.len() / 2);
    let second = first.split_off(half);
    let second = stream::once(async move {
        Breath::default().await;
        second
    });
    StreamBody::new(stream::iter([first]).chain(second).map(|part| Ok(Frame::data(part))))
}

/// A process that callbacks can be brought to.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) group: Group,
    pub(crate) payments: Payments,
    pub(crate) receiver: Receiver,
}

impl Home {
    /// Answers, and then reads what waits to be read, beside everybody else who does so.
    async fn take(self, door: Arc<dyn Door>, request: Request<Bytes>, answer: Answering) {
        door.take(self.receiver, request, answer).await;
        for account in self.payments.accounts() {
            let waiting = Deliveries::Waiting(account.clone());
            let waiting = self.payments.journal().deliveries(&waiting, DeliveryId(0), UNREAD).await;
            for delivery in waiting.unwrap_or_default() {
                // What cannot be read now is read by whoever works through what is unread.
                let _ = self.payments.read_delivery(delivery.id).await;
            }
        }
    }
}

/// Carries callbacks. Clones are the same postman.
#[derive(Debug, Clone)]
pub struct Postman(Arc<Office>);

#[derive(Debug)]
struct Office {
    sim: World,
    clock: Clock,
    spawner: Spawner,
    witness: Witness,
    door: Arc<dyn Door>,
    homes: Mutex<Vec<Home>>,
    /// The callbacks to be posted, by lane. A lane that is here has a task that works it off.
    lanes: Mutex<BTreeMap<u64, VecDeque<Queued>>>,
}

/// A callback on its lane.
#[derive(Debug)]
struct Queued {
    callback: Callback,
    /// Dropped once it was answered or given up.
    done: Arc<oneshot::Sender<Infallible>>,
}

impl Postman {
    /// Carries the callbacks of `sim` to whoever lives behind `door`.
    pub fn new(sim: World, clock: Clock, spawner: Spawner, witness: Witness, door: Arc<dyn Door>) -> Self {
        let (homes, lanes) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Office { sim, clock, spawner, witness, door, homes, lanes }))
    }

    /// Callbacks can be brought there from now on.
    pub(crate) fn open(&self, home: Home) {
        self.0.homes().push(home);
    }

    /// Nobody answers there any more.
    pub(crate) fn close(&self, group: Group) {
        self.0.homes().retain(|home| home.group != group);
    }

    /// Posts callbacks, those of one lane one after the other, and returns when all are answered or given up. They
    /// are posted whether anybody waits for that or not.
    pub fn post(&self, callbacks: Vec<Callback>) -> impl Future<Output = ()> + Send + use<> {
        let (done, all_done) = oneshot::channel::<Infallible>();
        let done = Arc::new(done);
        for callback in callbacks {
            let lane = callback.lane();
            let queued = Queued { callback, done: Arc::clone(&done) };
            let mut lanes = self.0.lanes();
            if let Some(queue) = lanes.get_mut(&lane) {
                queue.push_back(queued);
            } else {
                lanes.insert(lane, VecDeque::from([queued]));
                self.0.spawner.spawn(Group::WORLD, self.clone().work_off(lane));
            }
        }
        async move {
            // It ends with an error in any case: what counts is that the other end was dropped.
            let _ = all_done.await;
        }
    }

    async fn work_off(self, lane: u64) {
        while let Some(Queued { callback, done }) = self.0.next_on(lane) {
            let delivery = self.bring(&callback).await;
            self.0.witness.note(format!("callback {}: {delivery}", callback.reference()));
            self.0.sim.record(&callback, delivery);
            drop(done);
        }
    }

    async fn bring(&self, callback: &Callback) -> Delivery {
        let office = &self.0;
        office.clock.sleep(LATENCY).await;
        let Some(home) = office.homes().first().cloned() else {
            return Delivery::Failed("nobody listens".into());
        };
        let (answer, answered) = Answering::pair();
        let (door, request) = (Arc::clone(&office.door), callback.request().clone());
        office.spawner.spawn(home.group, home.take(door, request, answer));
        match select(answered, office.clock.sleep(callback.patience())).await {
            Either::Left((Ok(response), _)) => {
                let status = response.status().as_u16();
                let delivery = callback.answered(status, response.body());
                if (200..300).contains(&status) && matches!(delivery, Delivery::Answered(_)) {
                    let request = callback.request();
                    let (path, body) = (request.uri().path().to_owned(), request.body().to_vec());
                    let reference = callback.reference().to_owned();
                    let mut seen = office.witness.seen();
                    seen.changed = true;
                    seen.acknowledged.push(Acknowledged { reference, path, body });
                }
                delivery
            }
            Either::Left(_) => Delivery::Failed("the connection broke".into()),
            Either::Right(_) => Delivery::Failed("no answer in time".into()),
        }
    }
}

impl Office {
    /// The next callback of a lane; the lane is closed when there is none.
    fn next_on(&self, lane: u64) -> Option<Queued> {
        let mut lanes = self.lanes();
        let next = lanes.get_mut(&lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            lanes.remove(&lane);
        }
        next
    }

    fn homes(&self) -> MutexGuard<'_, Vec<Home>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<u64, VecDeque<Queued>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
