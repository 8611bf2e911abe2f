use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What a server does about one request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Sends the same again and again, until the other side is gone.
    Repeat(Vec<u8>, Duration),
    Wait(Duration),
    /// Ends the connection in the ordinary way.
    Close,
    /// Ends it the hard way.
    Reset,
    /// Never does anything more.
    Hang,
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The how-manieth of this server.
    pub(crate) number: usize,
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }
}

/// A server that does what it is told, and counts.
#[derive(Clone)]
pub(crate) struct Server {
    #[expect(clippy::type_complexity, reason = "written once")]
    script: Arc<dyn Fn(&Received) -> Vec<Step> + Send + Sync>,
    tls: Option<TlsAcceptor>,
    idle: Duration,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    requests: Vec<Received>,
}

impl Server {
    pub(crate) fn new(script: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), tls: None, idle: Duration::from_secs(60), seen: Arc::default() }
    }

    pub(crate) fn with_tls(mut self, identity: &Identity) -> Self {
        self.tls = Some(identity.acceptor(&[]));
        self
    }

    pub(crate) fn closing_idle_after(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Listens on `address`, and gives the one it got.
    pub(crate) async fn listen(&self, address: &str) -> SocketAddr {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = self.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                server.seen.lock().unwrap().connections += 1;
                let server = server.clone();
                tokio::spawn(async move { server.connection(stream).await });
            }
        });
        address
    }

    /// Listens on loopback, and gives the URL.
    pub(crate) async fn start(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.listen("127.0.0.1:0").await)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.seen.lock().unwrap().requests.clone()
    }

    async fn connection(&self, stream: TcpStream) -> io::Result<()> {
        match &self.tls {
            Some(tls) => self.serve(tls.accept(stream).await?).await,
            None => self.serve(stream).await,
        }
    }

    async fn serve(&self, mut stream: impl Wire) -> io::Result<()> {
        while let Ok(Some(mut received)) = timeout(self.idle, read(&mut stream)).await.unwrap_or(Ok(None)) {
            {
                let mut seen = self.seen.lock().unwrap();
                received.number = seen.requests.len() + 1;
                seen.requests.push(received.clone());
            }
            for step in (self.script)(&received) {
                match step {
                    Step::Send(bytes) => stream.write_all(&bytes).await?,
                    Step::Repeat(bytes, pause) => loop {
                        stream.write_all(&bytes).await?;
                        sleep(pause).await;
                    },
                    Step::Wait(pause) => sleep(pause).await,
                    Step::Close => return stream.shutdown().await,
                    Step::Reset => return stream.reset(),
                    Step::Hang => std::future::pending().await,
                }
            }
        }
        stream.shutdown().await
    }
}

/// A stream that can end the hard way.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    /// The next close is a reset.
    fn reset(&self) -> io::Result<()>;
}

impl Wire for TcpStream {
    fn reset(&self) -> io::Result<()> {
        self.set_zero_linger()
    }
}

impl Wire for TlsStream<TcpStream> {
    fn reset(&self) -> io::Result<()> {
        self.get_ref().0.set_zero_linger()
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Received>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return Ok(None),
        }
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?;
    let mut lines = head.lines();
    let line = lines.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut received = Received { number: 0, line, headers, body: Vec::new() };
    let length = received.header("content-length").map_or(0, |length| length.parse().unwrap());
    received.body.resize(length, 0);
    stream.read_exact(&mut received.body).await?;
    Ok(Some(received))
}

/// A whole answer.
pub(crate) fn reply(status: u16, body: &str) -> Step {
    let head = head(status, body.len());
    Step::Send([head.as_bytes(), body.as_bytes()].concat())
}

/// The head of an answer with a body of this length.
pub(crate) fn head(status: u16, length: usize) -> String {
    match status {
        204 | 304 => format!("HTTP/1.1 {status} X\r\n\r\n"),
        _ => format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n"),
    }
}

/// A certificate for a name, and its key.
pub(crate) struct Identity {
    certified: rcgen::CertifiedKey<rcgen::KeyPair>,
}

impl Identity {
    pub(crate) fn of(name: &str) -> Self {
        Self { certified: rcgen::generate_simple_self_signed([name.to_owned()]).unwrap() }
    }

    pub(crate) fn pem(&self) -> String {
        self.certified.cert.pem()
    }

    pub(crate) fn acceptor(&self, alpn: &[&[u8]]) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.certified.signing_key.serialize_der()));
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certified.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}
