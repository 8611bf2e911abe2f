use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use http::{Response, Version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;

use super::server::Identity;
use super::{Maker, Setup, answer, lost};

pub(crate) async fn it_is_spoken_where_offered(maker: Maker) {
    let peer = Peer::start().await;
    let transport = maker.make(peer.setup());
    let url = peer.url.clone();
    let server = tokio::spawn(async move {
        let mut connection = h2::server::handshake(peer.accept().await).await.unwrap();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            assert_eq!(request.uri().path(), "/v1/pay%2Fout");
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            body.send_data(Bytes::from_static(b"{}"), true).unwrap();
        }
    });
    for _ in 0..3 {
        let response = answer(&*transport, &url).await;
        assert_eq!((response.version(), response.body().as_ref()), (Version::HTTP_2, b"{}".as_ref()));
    }
    server.abort();
}

/// The gateway says that it did not process the request. That is its word, and not for a transport to take.
pub(crate) async fn a_refused_stream_is_not_repeated(maker: Maker) {
    let peer = Peer::start().await;
    let transport = maker.make(peer.setup());
    let url = peer.url.clone();
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let mut connection = h2::server::handshake(peer.accept().await).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                respond.send_reset(Reason::REFUSED_STREAM);
            }
        }
    });
    lost(&*transport, &url).await;
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

/// The same word about everything on a connection.
pub(crate) async fn a_goodbye_instead_of_an_answer_is_not_an_invitation(maker: Maker) {
    const GOAWAY_AND_NOTHING_WAS_PROCESSED: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let peer = Peer::start().await;
    let transport = maker.make(peer.setup());
    let url = peer.url.clone();
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let mut stream = peer.accept().await;
            header_block(&mut stream).await;
            counted.fetch_add(1, Ordering::Relaxed);
            stream.write_all(&GOAWAY_AND_NOTHING_WAS_PROCESSED).await.unwrap();
        }
    });
    lost(&*transport, &url).await;
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

pub(crate) async fn a_goodbye_after_an_answer_costs_nothing(maker: Maker) {
    let peer = Peer::start().await;
    let transport = maker.make(peer.setup());
    let url = peer.url.clone();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let mut connection = h2::server::handshake(peer.accept().await).await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                respond.send_response(Response::new(()), true).unwrap();
                connection.graceful_shutdown();
            }
        }
    });
    for number in 1..=3 {
        answer(&*transport, &url).await;
        assert_eq!(connections.load(Ordering::Relaxed), number);
        sleep(Duration::from_millis(100)).await;
    }
}

/// They all start to connect, and then share what the first of them gets.
pub(crate) async fn many_share_a_connection(maker: Maker) {
    let peer = Peer::start().await;
    let transport = maker.make(peer.setup());
    let url = peer.url.clone();
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (stream, counted) = (peer.accept().await, Arc::clone(&counted));
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await?;
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    counted.fetch_add(1, Ordering::Relaxed);
                    respond.send_response(Response::new(()), true)?;
                }
                Ok::<_, h2::Error>(())
            });
        }
    });
    let mut calls = JoinSet::new();
    for _ in 0..32 {
        let (url, transport) = (url.clone(), transport.clone());
        calls.spawn(async move { answer(&*transport, &url).await.version() });
    }
    while let Some(call) = calls.join_next().await {
        assert_eq!(call.unwrap(), Version::HTTP_2);
    }
    assert_eq!(seen.load(Ordering::Relaxed), 32);
}

/// HPACK's "never indexed": no hop on the way puts such a value into a table that other requests share.
pub(crate) async fn secret_headers_are_never_indexed(maker: Maker) {
    let peer = Peer::start().await;
    let transport = maker.make(peer.setup());
    let url = peer.url.clone();
    let (found, headers) = oneshot::channel();
    tokio::spawn(async move {
        let mut stream = peer.accept().await;
        found.send(header_block(&mut stream).await).unwrap();
    });
    lost(&*transport, &url).await;
    assert_eq!(never_indexed(&headers.await.unwrap()), 2, "x-access-token and apiKey");
}

/// A TLS listener that offers HTTP/2.
struct Peer {
    listener: TcpListener,
    identity: Identity,
    url: String,
}

impl Peer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        Self { listener, identity: Identity::of("127.0.0.1"), url }
    }

    fn setup(&self) -> Setup {
        Setup { root_pem: Some(self.identity.pem()), ..Setup::default() }
    }

    async fn accept(&self) -> TlsStream<TcpStream> {
        let (stream, _) = self.listener.accept().await.unwrap();
        self.identity.acceptor(&[b"h2", b"http/1.1"]).accept(stream).await.unwrap()
    }
}

/// What the first HEADERS frame holds; a request of ours fits into one.
async fn header_block(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    const PREFACE: usize = 24;
    const HEADERS: u8 = 1;
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    stream.read_exact(&mut [0; PREFACE]).await.unwrap();
    loop {
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        let mut payload = vec![0; usize::from(frame[1]) << 8 | usize::from(frame[2])];
        stream.read_exact(&mut payload).await.unwrap();
        if frame[3] == HEADERS {
            return payload;
        }
    }
}

/// Counts the fields of this kind (RFC 7541, section 6), skipping over names and values.
fn never_indexed(mut block: &[u8]) -> usize {
    let mut count = 0;
    while let Some(&first) = block.first() {
        let (prefix, literal) = match first {
            0x80.. => (7, false),
            0x40.. => (6, true),
            0x20.. => (5, false),
            0x10.. => {
                count += 1;
                (4, true)
            }
            _ => (4, true),
        };
        let name = integer(&mut block, prefix);
        if literal {
            if name == 0 {
                string(&mut block);
            }
            string(&mut block);
        }
    }
    count
}

fn string(block: &mut &[u8]) {
    let length = integer(block, 7);
    *block = &block[length..];
}

fn integer(block: &mut &[u8], prefix: u32) -> usize {
    let largest = (1 << prefix) - 1;
    let mut value = usize::from(block[0]) & largest;
    *block = &block[1..];
    if value < largest {
        return value;
    }
    for shift in (0..).step_by(7) {
        let byte = block[0];
        *block = &block[1..];
        value += usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}
