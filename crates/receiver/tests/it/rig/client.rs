use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use malipo_core::{SystemEnv, Timer as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What has to happen, or the test has failed. No test waits for it to run out.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    let env = SystemEnv::new();
    match select(pin!(work), env.sleep(Duration::from_secs(60))).await {
        Either::Left((done, _)) => done,
        Either::Right(_) => panic!("it has not happened"),
    }
}

/// A POST of this body, and the end of the connection behind it.
pub(crate) fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// All that is answered to this until the connection ends.
pub(crate) async fn ask(at: SocketAddr, request: &str) -> String {
    let mut client = Client::connect(at).await;
    client.send(request).await;
    client.rest().await
}

/// One connection.
pub(crate) struct Client(TcpStream);

impl Client {
    pub(crate) async fn connect(at: SocketAddr) -> Self {
        Self(within(TcpStream::connect(at)).await.unwrap())
    }

    /// Sends what is taken. Whoever is refused early may find the connection closed.
    pub(crate) async fn send(&mut self, bytes: &str) {
        let _ = within(self.0.write_all(bytes.as_bytes())).await;
    }

    /// Whether more can be sent. What was reset refuses it.
    pub(crate) async fn can_send(&mut self) -> bool {
        within(self.0.write_all(b"x")).await.is_ok()
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn half_close(&mut self) {
        within(self.0.shutdown()).await.unwrap();
    }

    /// One answer of a connection that stays open.
    pub(crate) async fn answer(&mut self) -> String {
        let mut read = Vec::new();
        loop {
            if let Some(length) = whole(&read) {
                assert_eq!(length, read.len(), "one answer at a time");
                return String::from_utf8(read).unwrap();
            }
            let mut more = [0; 1024];
            let count = within(self.0.read(&mut more)).await.unwrap();
            assert_ne!(count, 0, "the connection ended after {read:?}");
            read.extend_from_slice(&more[..count]);
        }
    }

    /// All that comes until the other side ends the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let mut read = Vec::new();
        // A connection that is cut has ended too.
        let _ = within(self.0.read_to_end(&mut read)).await;
        String::from_utf8(read).unwrap()
    }

    /// Whether the other side has done nothing so far: no byte, no end.
    pub(crate) fn is_untouched(&self) -> bool {
        let nothing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
        self.0.try_read(&mut [0; 16]).as_ref().is_err_and(nothing)
    }
}

/// How long an answer is, once its head and its body are there.
fn whole(read: &[u8]) -> Option<usize> {
    let text = str::from_utf8(read).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let whole = head.len() + 4 + length.parse::<usize>().unwrap();
    (head.len() + 4 + body.len() >= whole).then_some(whole)
}
