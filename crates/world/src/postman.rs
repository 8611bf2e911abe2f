//! Brings what the gateways post to the process that lives.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use malipo::journal::Payments;
use malipo::{Reply, Timer as _, async_trait};
use malipo_sim::{Callback, Delivery, World};

use crate::clock::Clock;
use crate::executor::{Group, Spawner};
use crate::wire::LATENCY;
use crate::witness::{Acknowledged, Witness};

/// How a process takes what is posted to it: a server, as small as can be.
#[async_trait]
pub trait Door: Debug + Send + Sync {
    /// Takes one callback and answers it.
    async fn take(&self, payments: Payments, callback: Callback, answer: Answering);
}

/// Where the answer to a callback goes. Dropped, the connection breaks.
#[derive(Debug)]
pub struct Answering(oneshot::Sender<Reply>);

impl Answering {
    /// Answers.
    pub fn with(self, reply: Reply) {
        // The gateway may have lost its patience.
        let _ = self.0.send(reply);
    }
}

/// The door as it is to be: stored, then answered, then read.
#[derive(Debug)]
pub struct HonestDoor;

#[async_trait]
impl Door for HonestDoor {
    async fn take(&self, payments: Payments, callback: Callback, answer: Answering) {
        let request = callback.request();
        let headers: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        let path = request.uri().path();
        let Some(delivered) = payments.deliver(path, &headers, request.body().to_vec()).await else {
            return answer.with(Reply::json(404, ""));
        };
        answer.with(delivered.reply);
        if let Some(delivery) = delivered.delivery {
            // What cannot be read now is read by whoever works through what is unread.
            let _ = payments.read_delivery(delivery).await;
        }
    }
}

/// A process that callbacks can be brought to.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) group: Group,
    pub(crate) payments: Payments,
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
        let Some(Home { group, payments }) = office.homes().first().cloned() else {
            return Delivery::Failed("nobody listens".into());
        };
        let (sender, reply) = oneshot::channel();
        let (door, taken) = (Arc::clone(&office.door), callback.clone());
        office.spawner.spawn(group, async move { door.take(payments, taken, Answering(sender)).await });
        match select(reply, office.clock.sleep(callback.patience())).await {
            Either::Left((Ok(Reply { status, body, .. }), _)) => {
                let delivery = callback.answered(status, &body);
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
