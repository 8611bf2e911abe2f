use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use hyper::rt::Timer as _;
use hyper_util::rt::TokioTimer;

/// What `future` comes to, or nothing when that takes longer than `limit`. Waits on the runtime that also drives the
/// sockets, and sets no timer for what is ready at once.
pub(crate) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut end = None;
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        let end = end.get_or_insert_with(|| TokioTimer::new().sleep(limit));
        end.as_mut().poll(context).map(|()| None)
    })
    .await
}

/// The cause of a failure for which one of our limits is to blame.
pub(crate) fn over(limit: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, limit)
}
