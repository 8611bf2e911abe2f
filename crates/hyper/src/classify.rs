use std::error::Error as StdError;
use std::io;

use hyper_util::client::legacy;
use malipo_transport::{Failure, TransportError};

use crate::wait::over;

/// What an error of the client says about the request: whether it can have left.
///
/// `before_send` are only failures to connect: name, TCP, TLS, also when the connect timeout ended them, and a
/// connection that ended while the request waited for it. The client repeats nothing, so a failure to connect is
/// never that of a second attempt.
///
/// Everything else is `after_send`. That includes a request that came back from a connection which was just closing
/// (`Canceled`): it most likely never left, but the client does not promise that.
pub(crate) fn classify(error: legacy::Error) -> TransportError {
    let timed_out = timed_out(&error);
    let failed = match (error.is_connect(), timed_out) {
        (true, true) => TransportError::before_send(Failure::Timeout),
        (true, false) => TransportError::before_send(Failure::Connect),
        (false, true) => TransportError::after_send(Failure::Timeout),
        (false, false) => TransportError::after_send(Failure::Broken),
    };
    failed.with_source(error)
}

/// A failure after the answer has started to arrive.
pub(crate) fn interrupted(error: hyper::Error) -> TransportError {
    let failure = if timed_out(&error) { Failure::Timeout } else { Failure::Broken };
    TransportError::after_send(failure).with_source(error)
}

/// Time ran out while a request was on its way. How far it got is not known: the client does not tell.
pub(crate) fn late(limit: &'static str) -> TransportError {
    TransportError::after_send(Failure::Timeout).with_source(over(limit))
}

fn timed_out(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let by_socket = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
        if error.downcast_ref().is_some_and(by_socket)
            || error.downcast_ref().is_some_and(hyper::Error::is_timeout)
        {
            return true;
        }
        next = error.source();
    }
    false
}
