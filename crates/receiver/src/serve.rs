//! A server for callbacks and nothing else: HTTP/1.1 on a listener of the caller's.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWrite as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service as _;

use crate::watch::{self as counted, Ended};
use crate::{Limits, Peer, Receiver};

/// How long nothing is accepted after the system could not.
const REST: Duration = Duration::from_millis(100);
/// How long whoever was refused may go on sending, so that the answer is not lost with the connection.
const LINGER: Duration = Duration::from_secs(1);
/// And how much.
const LINGER_BYTES: usize = 256 * 1024;
/// The longest that hyper's timer counts to.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// The smallest buffer that hyper takes.
const SMALLEST_BUFFER: usize = 8 * 1024;

/// Answers what comes to `listener` with `receiver`, until `stop` is ready. Then nothing is accepted any more, what is
/// under way is finished, and this returns: a second after `headers_within`, `body_within` and `answer_within` of the
/// [`Limits`] at the latest. Dropped before that, it cuts every connection.
///
/// It speaks HTTP/1.1 without TLS: put it behind what ends TLS. Whoever is over the limit of connections waits in the
/// queue of the system and is not turned away: a gateway that is turned away may not come again, and every place becomes
/// free after a while, whoever holds it.
///
/// What a receiver does with a request that has come whole is done to its end, even if the sender has hung up meanwhile.
pub async fn serve(listener: TcpListener, receiver: Receiver, stop: impl Future<Output = ()>) {
    accept(listener, receiver, stop).await;
}

/// Where connections come from.
trait Door {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>>;
}

impl Door for TcpListener {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        Self::poll_accept(self, cx)
    }
}

async fn accept(door: impl Door, receiver: Receiver, stop: impl Future<Output = ()>) {
    let most = receiver.limits().connections.max(1);
    let (stopping, stopped) = watch::channel(false);
    let mut stop = pin!(stop);
    let mut connections = JoinSet::new();
    let mut is_failing = false;
    loop {
        let come = {
            let next = pin!(next(&door, &mut connections, most));
            match select(stop.as_mut(), next).await {
                Either::Left(_) => break,
                Either::Right((come, _)) => come,
            }
        };
        match come {
            Ok((stream, peer)) => {
                is_failing = false;
                connections.spawn(keep(stream, peer, receiver.clone(), stopped.clone()));
            }
            // Who came has gone again: no reason to keep the next one waiting.
            Err(error) if is_theirs(&error) => {}
            Err(error) => {
                if !is_failing {
                    tracing::error!(%error, "no connection can be accepted; it is tried again and again");
                }
                is_failing = true;
                let rest = receiver.timer().sleep(REST);
                if let Either::Left(_) = select(stop.as_mut(), rest).await {
                    break;
                }
            }
        }
    }
    // Who comes from now on is told at once that nobody is here.
    drop(door);
    stopping.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// The next connection, once there is a place for it.
async fn next(
    door: &impl Door,
    connections: &mut JoinSet<()>,
    most: usize,
) -> io::Result<(TcpStream, SocketAddr)> {
    while connections.try_join_next().is_some() {}
    if connections.len() >= most {
        counted::full();
        connections.join_next().await;
    }
    poll_fn(|cx| door.poll_accept(cx)).await
}

fn is_theirs(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// One connection from its first byte to its last, whatever happens on it.
async fn keep(mut stream: TcpStream, peer: SocketAddr, receiver: Receiver, stopped: watch::Receiver<bool>) {
    let _open = counted::Open::new();
    let conversation = AssertUnwindSafe(converse(&mut stream, peer, &receiver, stopped));
    let ended = conversation.catch_unwind().await.unwrap_or_else(|_| panicked());
    counted::ended(ended);
    if ended == Ended::Refused {
        linger(&mut stream, &receiver).await;
    }
}

fn panicked() -> Ended {
    tracing::error!("a callback could not be answered: something in its way panicked");
    Ended::Panicked
}

async fn converse(
    stream: &mut TcpStream,
    peer: SocketAddr,
    receiver: &Receiver,
    mut stopped: watch::Receiver<bool>,
) -> Ended {
    // An answer is one small packet: nothing is gained by waiting for more of it.
    let _ = stream.set_nodelay(true);
    let limits = receiver.limits();
    let (was_refused, is_old) = (AtomicBool::new(false), AtomicBool::new(false));
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let answer = receiver.clone().call(request);
        let (was_refused, is_old) = (&was_refused, &is_old);
        async move {
            let mut answer = answer.await?;
            let headers = answer.headers_mut();
            was_refused.store(headers.contains_key(header::CONNECTION), Ordering::Relaxed);
            if is_old.load(Ordering::Relaxed) {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut connection = pin!(http(limits).serve_connection(TokioIo::new(stream), service));
    let old = receiver.timer().sleep(limits.connection_for);
    let told = pin!(async {
        if stopped.wait_for(|stopped| *stopped).await.is_err() {
            pending::<()>().await;
        }
    });
    let asked = match select(connection.as_mut(), select(old, told)).await {
        Either::Left((ended, _)) => return how(ended, &was_refused),
        Either::Right((asked, _)) => asked,
    };
    match asked {
        // With the next answer, or for want of a request: closed at once, it could meet a callback on its way here.
        Either::Left(_) => is_old.store(true, Ordering::Relaxed),
        Either::Right(_) => connection.as_mut().graceful_shutdown(),
    }
    match select(connection, receiver.timer().sleep(longest(limits))).await {
        Either::Left((ended, _)) => how(ended, &was_refused),
        Either::Right(_) => Ended::Cut,
    }
}

/// How long a connection may take that was asked to end.
fn longest(limits: &Limits) -> Duration {
    limits.headers_within.saturating_add(limits.body_within).saturating_add(limits.answer_within)
}

fn how(ended: hyper::Result<()>, was_refused: &AtomicBool) -> Ended {
    match ended {
        // hyper has said itself what it could not read.
        Err(error) if error.is_parse() => Ended::Refused,
        Err(error) if error.is_timeout() => Ended::Slow,
        _ if was_refused.load(Ordering::Relaxed) => Ended::Refused,
        _ => Ended::Done,
    }
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.headers_within.min(LONGEST))
        // Twice what the headers may have: there is a path as well, and what stands between them.
        .max_buf_size(limits.headers.saturating_mul(2).max(SMALLEST_BUFFER))
        // Who has said all and closes that side of the connection is answered, and what he has said is kept.
        .half_close(true);
    http
}

/// Reads on for a while. A connection that is closed with something unread is reset, and the answer may be lost with it.
async fn linger(stream: &mut TcpStream, receiver: &Receiver) {
    let _ = poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx)).await;
    let reading = pin!(async {
        let mut left = LINGER_BYTES;
        while left > 0 && stream.readable().await.is_ok() {
            // Not held while waiting.
            let mut scrap = [0; 4096];
            match stream.try_read(&mut scrap) {
                Ok(0) => return,
                Ok(read) => left = left.saturating_sub(read),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    });
    select(reading, receiver.timer().sleep(LINGER)).await;
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use malipo_core::{Env, Secret, Timer, Timestamp};
    use malipo_journal::{CallbackKey, CallbackUrls, MemoryJournal, Payments};

    use super::*;

    /// A system that has no file descriptor left for a while.
    struct Stuck {
        listener: TcpListener,
        errors: Mutex<Vec<io::Error>>,
    }

    impl Door for Stuck {
        fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
            match self.errors.lock().unwrap().pop() {
                Some(error) => Poll::Ready(Err(error)),
                None => self.listener.poll_accept(cx),
            }
        }
    }

    /// Waits for nothing, and counts how often and how long it was meant to.
    #[derive(Debug, Default)]
    struct Hasty(Mutex<Vec<Duration>>);

    impl Env for Hasty {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_millis(0).unwrap()
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }

        fn fill_bytes(&self, _: &mut [u8]) {}
    }

    #[async_trait::async_trait]
    impl Timer for Hasty {
        async fn sleep(&self, duration: Duration) {
            if duration != REST {
                pending::<()>().await;
            }
            self.0.lock().unwrap().push(duration);
        }
    }

    #[tokio::test]
    async fn what_the_system_cannot_accept_is_tried_again_after_a_rest() {
        let timer = Arc::new(Hasty::default());
        let key = CallbackKey::new(1, Secret::new("a key of at least thirty-two bytes")).unwrap();
        let urls = CallbackUrls::new("https://pay.example.com", key).unwrap();
        let journal = Arc::new(MemoryJournal::new(timer.clone()));
        let payments = Payments::new(journal, urls, timer.clone(), "a".parse().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        // No file descriptors (EMFILE), no memory; and some who have gone again, which costs nobody a rest.
        let (full, gone) = (io::Error::from_raw_os_error(24), io::ErrorKind::ConnectionAborted);
        let errors = [gone.into(), full, gone.into(), io::ErrorKind::OutOfMemory.into(), gone.into()];
        let door = Stuck { listener, errors: Mutex::new(errors.into()) };
        let stop = async {
            let mut client = TcpStream::connect(at).await.unwrap();
            poll_fn(|cx| Pin::new(&mut client).poll_write(cx, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"))
                .await
                .unwrap();
            client.readable().await.unwrap();
            let mut read = [0; 12];
            assert_eq!((client.try_read(&mut read).unwrap(), &read), (12, b"HTTP/1.1 404"));
        };
        accept(door, Receiver::new(payments), stop).await;
        assert_eq!(*timer.0.lock().unwrap(), [REST; 2]);
    }
}
