use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use malipo_transport::{Failure, TransportError};

use crate::Options;
use crate::classify::{classify, interrupted, late};
use crate::wait::within;

/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 1 << 20;

/// What holds the connections.
pub(crate) fn client<C: Connect + Clone>(connector: C, options: &Options) -> Client<C, Full<Bytes>> {
    Client::builder(TokioExecutor::new())
        // By default a request that comes back from a closing connection is sent over the next one. It is for the
        // journal to decide whether anything goes out twice.
        .retry_canceled_requests(false)
        .pool_idle_timeout(options.pool_idle_timeout)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        // All calls may share one HTTP/2 connection: one that has died is given up before many meet it.
        .http2_keep_alive_interval(Duration::from_secs(10))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .build(connector)
}

/// One request, its answer, and every wait in between with an end.
pub(crate) async fn exchange<C: Connect + Clone + Send + Sync + 'static>(
    client: &Client<C, Full<Bytes>>,
    options: &Options,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, TransportError> {
    let answer = async {
        let started = within(options.read_timeout, client.request(request)).await;
        let response = started.ok_or_else(|| late("no answer within the read timeout"))?;
        receive(response.map_err(classify)?, options.read_timeout).await
    };
    let answered = within(options.total_timeout, answer).await;
    answered.unwrap_or_else(|| Err(late("no whole answer within the total timeout")))
}

/// Reads the answer. It started to arrive, so the request has left, whatever fails from here on.
async fn receive(
    response: Response<Incoming>,
    patience: Duration,
) -> Result<Response<Bytes>, TransportError> {
    let too_large = || TransportError::after_send(Failure::TooLarge);
    let (parts, mut incoming) = response.into_parts();
    if incoming.size_hint().lower() > LARGEST_BODY as u64 {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    loop {
        let next = within(patience, incoming.frame()).await;
        let Some(frame) = next.ok_or_else(|| late("the answer stopped for the read timeout"))? else { break };
        // What is no data is trailers, in which no gateway says anything.
        if let Ok(data) = frame.map_err(interrupted)?.into_data() {
            if body.len() + data.len() > LARGEST_BODY {
                return Err(too_large());
            }
            body.extend_from_slice(&data);
        }
    }
    let mut received = Response::new(body.freeze());
    *received.status_mut() = parts.status;
    *received.version_mut() = parts.version;
    *received.headers_mut() = parts.headers;
    Ok(received)
}

#[cfg(test)]
mod tests {
    use std::error::Error as StdError;

    use hyper_util::client::legacy::connect::HttpConnector;
    use malipo_transport::Stage;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    use super::*;

    /// The connection of the second request is closed in the moment in which that is handed over: it comes back unsent.
    #[test]
    fn a_request_that_came_back_is_not_sent_over_another_connection() {
        // The runtime looks at the sockets after each step of a task, so that the goodbye is seen first.
        let runtime = tokio::runtime::Builder::new_current_thread().event_interval(1).enable_all().build();
        runtime.unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/?token=marker", listener.local_addr().unwrap());
            let mut answered = answering(listener);
            let options = Options::new();
            let client = client(HttpConnector::new(), &options);
            let request = || Request::post(&url).body(Full::new(Bytes::from_static(b"{}"))).unwrap();

            exchange(&client, &options, request()).await.unwrap();
            let connection = answered.recv().await.unwrap();
            drop(connection);
            let error = exchange(&client, &options, request()).await.unwrap_err();

            assert!(came_back(&error), "it did not: {error:?}");
            assert_eq!((error.stage(), error.failure()), (Stage::AfterSend, Failure::Broken));
            assert!(answered.try_recv().is_err(), "there was another connection");
            assert!(!format!("{error:?}").contains("marker"));
        });
    }

    /// Answers one request on each connection, and gives the connection away.
    fn answering(listener: TcpListener) -> mpsc::UnboundedReceiver<TcpStream> {
        let (answered, connections) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                assert_ne!(stream.read(&mut request).await.unwrap(), 0);
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
                answered.send(stream).unwrap();
            }
        });
        connections
    }

    fn came_back(error: &TransportError) -> bool {
        let mut next: Option<&dyn StdError> = Some(error);
        while let Some(error) = next {
            if error.downcast_ref().is_some_and(hyper::Error::is_canceled) {
                return true;
            }
            next = error.source();
        }
        false
    }
}
