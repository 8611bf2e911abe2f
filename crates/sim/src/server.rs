//! A world on a socket: replies go out, callbacks are posted, time passes by itself.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use malipo_core::Timer;
use rust_decimal::Decimal;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use crate::control;
use crate::deliver::deliver;
use crate::fault::Fault;
use crate::gateways::kasapay::ReversalError;
use crate::gateways::sasapay::PayerError;
use crate::notify::Callback;
use crate::options::ServerOptions;
use crate::world::{BODY_LIMIT, Outstanding, World};

pub(crate) struct Server {
    world: World,
    env: Arc<dyn Timer>,
    how: ServerOptions,
    /// Something may have become due earlier than the clock task expects.
    hurry: Notify,
    /// A callback or a request is done with.
    settled: Notify,
    /// Requests that came and whose replies have not left.
    under_way: AtomicUsize,
    /// The callbacks to be posted, by lane. A lane that is here has a task that works it off.
    lanes: Mutex<BTreeMap<u64, VecDeque<Queued>>>,
    /// Everything that runs; `None` once stopped.
    tasks: Mutex<Option<JoinSet<()>>>,
}

/// What keeps a simulator from being idle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Busy {
    /// Requests that came and whose replies have not left.
    pub(crate) requests: usize,
    pub(crate) world: Outstanding,
}

/// A callback on its lane.
struct Queued {
    callback: Callback,
    /// Dropped once it was posted and answered, or given up.
    done: Arc<oneshot::Sender<Infallible>>,
}

/// The connection is to be cut without a reply.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
struct Cut;

impl Server {
    pub(crate) fn start(
        world: World,
        env: Arc<dyn Timer>,
        how: ServerOptions,
        listener: TcpListener,
    ) -> Arc<Self> {
        let server = Arc::new(Self {
            world,
            env,
            how,
            hurry: Notify::new(),
            settled: Notify::new(),
            under_way: AtomicUsize::new(0),
            lanes: Mutex::new(BTreeMap::new()),
            tasks: Mutex::new(Some(JoinSet::new())),
        });
        server.spawn(Arc::clone(&server).accept(listener));
        server.spawn(Arc::clone(&server).keep_time());
        server
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// A payer's transfer, as [`World::transfer`].
    pub(crate) fn transfer(&self, narration: &str, amount: Decimal) -> Result<(), PayerError> {
        let made = self.world.transfer(narration, amount);
        self.hurry.notify_one();
        made
    }

    /// A customer who was not asked, as [`World::walk_in_with`].
    pub(crate) fn walk_in(
        &self,
        account: &str,
        number: &str,
        amount: Decimal,
        faults: impl IntoIterator<Item = Fault>,
    ) -> Result<(), PayerError> {
        let made = self.world.walk_in_with(account, number, amount, faults);
        self.hurry.notify_one();
        made
    }

    /// A payout taken back, as [`World::reverse`].
    pub(crate) fn reverse(&self, reference: &str) -> Result<(), ReversalError> {
        let made = self.world.reverse(reference);
        self.hurry.notify_one();
        made
    }

    /// Moves the simulator's clock forward.
    pub(crate) fn advance(&self, by: Duration) {
        self.world.advance(by);
        self.hurry.notify_one();
    }

    /// Takes the world back to its start. Whoever waits for it to be idle hears of it from [`keep_time`](Self::keep_time).
    pub(crate) fn reset(&self) {
        self.world.reset();
        self.hurry.notify_one();
    }

    /// What keeps the simulator busy after so long; `None` as soon as it is idle.
    pub(crate) async fn busy_after(&self, limit: Duration) -> Option<Busy> {
        tokio::select! {
            biased;
            () = self.idle() => None,
            () = self.env.sleep(limit) => Some(Busy {
                requests: self.under_way.load(Ordering::SeqCst),
                world: self.world.outstanding(),
            }),
        }
    }

    pub(crate) async fn idle(&self) {
        loop {
            // Before the question, or the news could come between the question and the wait.
            let settled = self.settled.notified();
            if self.under_way.load(Ordering::SeqCst) == 0 && self.world.is_idle() {
                return;
            }
            settled.await;
        }
    }

    pub(crate) fn stop(&self) {
        // Tasks own the server and the server owns the tasks: this is where the ring is cut.
        let tasks = self.tasks().take();
        drop(tasks);
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.spawn(Arc::clone(&self).converse(stream)),
                // Out of file descriptors, most likely: wait for some to come free.
                Err(_) => self.env.sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// One connection, until either side has had enough.
    async fn converse(self: Arc<Self>, stream: TcpStream) {
        let quiet = Quiet::since(self.env.monotonic());
        let service = service_fn(|request| {
            let server = &self;
            let quiet = &quiet;
            async move {
                // A question to the simulator itself keeps no gateway busy.
                let asked = control::is_meant(request.uri());
                let _under_way = (!asked).then(|| UnderWay::begin(server));
                quiet.begin();
                let reply = server.serve(request).await;
                quiet.end(server.env.monotonic());
                reply
            }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // Errors are the client's leaving and our own cuts: neither is news.
        tokio::select! {
            _ = connection => {}
            () = self.long_quiet(&quiet) => {}
        }
    }

    async fn serve(self: &Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                if control::is_meant(&head.uri) {
                    return Ok(control::too_large().map(Full::new));
                }
                let head = Request::from_parts(head, ());
                return Ok(self.world.refuse_too_large(&head).map(Full::new));
            }
            Err(_) => return Err(Cut),
        };
        let request = Request::from_parts(head, body);
        if control::is_meant(request.uri()) {
            return Ok(control::answer(self, &request).await.map(Full::new));
        }
        let answer = self.world.handle(&request);
        self.hurry.notify_one();
        // Ends with an error in any case: what counts is that the other end has been dropped.
        let _ = self.post(answer.first).await;
        let delay = answer.delay.saturating_add(self.how.reply_delay);
        if !delay.is_zero() {
            self.env.sleep(delay).await;
        }
        answer.reply.map(|reply| reply.map(Full::new)).ok_or(Cut)
    }

    /// Lets due things happen, for ever.
    async fn keep_time(self: Arc<Self>) {
        loop {
            drop(self.post(self.world.take_due()));
            // What was due may have come to nothing, with no callback to settle.
            self.settled.notify_waiters();
            let hurry = self.hurry.notified();
            match self.world.next_due() {
                None => hurry.await,
                Some(due) => {
                    let wait = due.saturating_sub(self.env.monotonic());
                    tokio::select! {
                        biased;
                        () = hurry => {}
                        () = self.env.sleep(wait) => {}
                    }
                }
            }
        }
    }

    /// Posts callbacks, those of one lane one after the other, behind what is still to be posted on it. They
    /// go out even if the client that caused them hangs up. The receiver wakes when all are done with.
    fn post(self: &Arc<Self>, callbacks: Vec<Callback>) -> oneshot::Receiver<Infallible> {
        let (done, receiver) = oneshot::channel();
        let done = Arc::new(done);
        for callback in callbacks {
            let lane = callback.lane;
            let queued = Queued { callback, done: Arc::clone(&done) };
            match self.lanes().entry(lane) {
                Entry::Occupied(mut queue) => queue.get_mut().push_back(queued),
                Entry::Vacant(vacant) => {
                    vacant.insert(VecDeque::from([queued]));
                    self.spawn(Arc::clone(self).work_off(lane));
                }
            }
        }
        receiver
    }

    /// Posts what is on a lane until nothing is.
    async fn work_off(self: Arc<Self>, lane: u64) {
        while let Some(Queued { callback, done }) = self.next_on(lane) {
            if !self.world.is_current(&callback) {
                continue;
            }
            let delivery = deliver(&callback, &*self.env).await;
            self.world.record(&callback, delivery);
            drop(done);
            self.settled.notify_waiters();
        }
    }

    /// The next callback of a lane; the lane is closed when there is none.
    fn next_on(&self, lane: u64) -> Option<Queued> {
        let mut lanes = self.lanes();
        let next = lanes.get_mut(&lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            lanes.remove(&lane);
        }
        next
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<u64, VecDeque<Queued>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once the connection has been quiet for the limit, if there is one.
    async fn long_quiet(&self, quiet: &Quiet) {
        let Some(limit) = self.how.idle_limit else { return std::future::pending().await };
        loop {
            let left = quiet.left(limit, self.env.monotonic());
            if left.is_zero() {
                return;
            }
            self.env.sleep(left).await;
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = self.tasks().as_mut() {
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way, until it is dropped: answered, cut, or left by its client.
struct UnderWay<'a>(&'a Server);

impl<'a> UnderWay<'a> {
    fn begin(server: &'a Server) -> Self {
        server.under_way.fetch_add(1, Ordering::SeqCst);
        Self(server)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
        self.0.settled.notify_waiters();
    }
}

/// Since when a connection has had nothing to do: `None` while it has.
struct Quiet(Mutex<Option<Duration>>);

impl Quiet {
    fn since(now: Duration) -> Self {
        Self(Mutex::new(Some(now)))
    }

    fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn end(&self, now: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// How much of `limit` is left.
    fn left(&self, limit: Duration, now: Duration) -> Duration {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(since) => limit.saturating_sub(now.saturating_sub(since)),
            None => limit,
        }
    }
}
