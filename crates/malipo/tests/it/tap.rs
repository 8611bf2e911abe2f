//! What stands between the gateways and the merchant's server: it remembers both sides of each exchange, byte for byte.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One connection: what was posted on it and what came back, as it was on the wire.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exchange {
    pub(crate) request: Vec<u8>,
    pub(crate) response: Vec<u8>,
}

/// One side of an exchange, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The request line or the status line.
    pub(crate) line: String,
    pub(crate) content_type: Option<String>,
    pub(crate) body: String,
}

#[derive(Debug)]
pub(crate) struct Tap {
    /// Where gateways post to.
    pub(crate) origin: String,
    /// The merchant's server.
    server: Arc<Mutex<SocketAddr>>,
    seen: Arc<Mutex<Vec<Exchange>>>,
    is_holding: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Tap {
    /// In front of this server.
    pub(crate) async fn of(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (seen, is_holding) = (Arc::<Mutex<Vec<Exchange>>>::default(), Arc::<AtomicBool>::default());
        let server = Arc::new(Mutex::new(server));
        let (noted, holding, onward) = (seen.clone(), is_holding.clone(), server.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut seen = noted.lock().unwrap();
                    seen.push(Exchange::default());
                    seen.len() - 1
                };
                let (seen, server) = (noted.clone(), *onward.lock().unwrap());
                let is_held = holding.load(Ordering::SeqCst);
                tokio::spawn(async move {
                    if is_held {
                        hold(stream, &seen, number).await;
                    } else {
                        carry(stream, server, &seen, number).await;
                    }
                });
            }
        });
        Self { origin, server, seen, is_holding, accepting }
    }

    /// From now on what is posted comes here and no further.
    pub(crate) fn hold(&self) {
        self.is_holding.store(true, Ordering::SeqCst);
    }

    /// From now on what is posted reaches the server.
    pub(crate) fn let_through(&self) {
        self.is_holding.store(false, Ordering::SeqCst);
    }

    /// From now on what is posted goes to another server.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        *self.server.lock().unwrap() = server;
    }

    /// What was posted so far, and how it was answered.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.seen.lock().unwrap().clone()
    }

    /// Posts these bytes to the server, and says how they are answered.
    pub(crate) async fn post(&self, request: &[u8]) -> Message {
        let server = *self.server.lock().unwrap();
        let mut stream = TcpStream::connect(server).await.unwrap();
        stream.write_all(request).await.unwrap();
        let (mut answer, mut read) = (Vec::new(), [0; 4096]);
        loop {
            if let Some(message) = Message::read(&answer) {
                return message;
            }
            let length = stream.read(&mut read).await.unwrap();
            assert_ne!(length, 0, "closed after {:?}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&read[..length]);
        }
    }
}

/// Both ways at once, until both sides have said all.
async fn carry(stream: TcpStream, server: SocketAddr, seen: &Mutex<Vec<Exchange>>, number: usize) {
    let Ok(onward) = TcpStream::connect(server).await else { return };
    let ((from_gateway, to_gateway), (from_server, to_server)) = (stream.into_split(), onward.into_split());
    tokio::join!(
        one_way(from_gateway, to_server, |bytes| {
            seen.lock().unwrap()[number].request.extend_from_slice(bytes);
        }),
        one_way(from_server, to_gateway, |bytes| {
            seen.lock().unwrap()[number].response.extend_from_slice(bytes);
        }),
    );
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, note: impl Fn(&[u8])) {
    let mut read = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut read).await {
        note(&read[..length]);
        if to.write_all(&read[..length]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

/// Takes a whole request, and hangs up.
async fn hold(mut stream: TcpStream, seen: &Mutex<Vec<Exchange>>, number: usize) {
    let mut read = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut read).await {
        let mut seen = seen.lock().unwrap();
        seen[number].request.extend_from_slice(&read[..length]);
        if Message::read(&seen[number].request).is_some() {
            return;
        }
    }
}

impl Exchange {
    pub(crate) fn posted(&self) -> Message {
        Message::read(&self.request).unwrap()
    }

    pub(crate) fn answered(&self) -> Message {
        Message::read(&self.response).unwrap()
    }

    /// The same request with another body.
    pub(crate) fn with_body(&self, body: &str) -> Vec<u8> {
        let text = String::from_utf8(self.request.clone()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let lines = head.split("\r\n").filter(|line| value(line, "content-length").is_none());
        let head: Vec<_> = lines.collect();
        format!("{}\r\ncontent-length: {}\r\n\r\n{body}", head.join("\r\n"), body.len()).into_bytes()
    }
}

impl Message {
    /// `None` until all of it is there.
    fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let header = |name| head.split("\r\n").find_map(|line| value(line, name));
        let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
        (body.len() >= length).then(|| Self {
            line: head.split("\r\n").next().unwrap().to_owned(),
            content_type: header("content-type").map(str::to_owned),
            body: body.to_owned(),
        })
    }
}

/// The value of the header `name`, if this line is that.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (told, value) = line.split_once(':')?;
    told.eq_ignore_ascii_case(name).then(|| value.trim())
}
