//! A world on a socket: replies go out, callbacks are posted, time passes by itself.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use crate::deliver::deliver;
use crate::notify::Callback;
use crate::options::ServerOptions;
use crate::world::{BODY_LIMIT, World};

pub(crate) struct Server {
    world: World,
    env: Arc<dyn Timer>,
    how: ServerOptions,
    /// Something may have become due earlier than the clock task expects.
    hurry: Notify,
    /// A callback is done with.
    settled: Notify,
    /// Everything that runs; `None` once stopped.
    tasks: Mutex<Option<JoinSet<()>>>,
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
            tasks: Mutex::new(Some(JoinSet::new())),
        });
        server.spawn(Arc::clone(&server).accept(listener));
        server.spawn(Arc::clone(&server).keep_time());
        server
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    pub(crate) async fn idle(&self) {
        loop {
            // Before the question, or the news could come between the question and the wait.
            let settled = self.settled.notified();
            if self.world.is_idle() {
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
                let head = Request::from_parts(head, ());
                return Ok(self.world.refuse_too_large(&head).map(Full::new));
            }
            Err(_) => return Err(Cut),
        };
        let answer = self.world.handle(&Request::from_parts(head, body));
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
            let mut lanes = BTreeMap::<u64, Vec<Callback>>::new();
            for callback in self.world.take_due() {
                lanes.entry(callback.lane).or_default().push(callback);
            }
            for callbacks in lanes.into_values() {
                drop(self.post(callbacks));
            }
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

    /// Posts callbacks one after the other, in a task of its own: they go out even if the client that caused
    /// them hangs up. The receiver wakes when all are done with.
    fn post(self: &Arc<Self>, callbacks: Vec<Callback>) -> oneshot::Receiver<Infallible> {
        let (done, receiver) = oneshot::channel();
        let server = Arc::clone(self);
        self.spawn(async move {
            for callback in callbacks {
                let delivery = deliver(callback.request().clone(), &*server.env).await;
                server.world.record(&callback, delivery);
            }
            drop(done);
            server.settled.notify_waiters();
        });
        receiver
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
