//! Servers that are measured, each in a thread of its own.

use std::convert::Infallible;
use std::error::Error;
use std::net::{SocketAddr, TcpListener as Bound};
use std::pin::Pin;
use std::thread::JoinHandle;

use futures_channel::oneshot;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use malipo::transport::Bytes;
use malipo::transport::http::{Request, Response};
use malipo_receiver::{Receiver, serve};
use tokio::net::TcpListener;

/// A server that works until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves what `receiver` makes, in the runtime of the thread.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub(crate) fn of<F>(receiver: impl FnOnce() -> F + Send + 'static) -> Result<Self, Box<dyn Error>>
    where
        F: Future<Output = Option<Receiver>>,
    {
        Self::start(move |listener, stop| {
            Box::pin(async move {
                if let Some(receiver) = receiver().await {
                    serve(listener, receiver, async {
                        let _ = stop.await;
                    })
                    .await;
                }
            })
        })
    }

    /// Reads each request to its end, answers it and keeps nothing.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub(crate) fn bare() -> Result<Self, Box<dyn Error>> {
        Self::start(|listener, stop| {
            Box::pin(async move {
                tokio::select! {
                    () = accept(listener) => {}
                    _ = stop => {}
                }
            })
        })
    }

    fn start<W>(work: W) -> Result<Self, Box<dyn Error>>
    where
        W: FnOnce(TcpListener, oneshot::Receiver<()>) -> Pin<Box<dyn Future<Output = ()>>> + Send + 'static,
    {
        let bound = Bound::bind("127.0.0.1:0")?;
        bound.set_nonblocking(true)?;
        let (address, (stop, stopped)) = (bound.local_addr()?, oneshot::channel());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                // Whoever posts finds out if there is nobody.
                if let Ok(listener) = TcpListener::from_std(bound) {
                    work(listener, stopped).await;
                }
            });
        });
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked, whoever posted was told so.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let read = request.into_body().collect().await;
    let said: &[u8] = if read.is_ok() { br#"{"ResultCode":0,"ResultDesc":"Accepted"}"# } else { b"" };
    Ok(Response::new(Full::new(Bytes::copy_from_slice(said))))
}
