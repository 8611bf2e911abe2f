//! Where callbacks arrive.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use malipo_core::{SystemEnv, Timer};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A listener that takes down every POST, in order of arrival, and answers 200.
pub(crate) struct Merchant {
    url: String,
    posts: Arc<Mutex<Vec<Post>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) body: String,
}

impl Post {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> Value {
        self.json()["Result"]["ResultCode"].clone()
    }
}

impl Merchant {
    pub(crate) async fn open() -> Self {
        Self::open_slow(Duration::ZERO).await
    }

    /// One that takes its time to answer.
    pub(crate) async fn open_slow(delay: Duration) -> Self {
        Self::open_saying("200 OK", "{}", delay).await
    }

    /// One that takes its time to answer, with this status and body.
    pub(crate) async fn open_saying(status: &'static str, body: &'static str, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let posts = Arc::new(Mutex::new(Vec::new()));
        let book = Arc::clone(&posts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&book), status, body, delay));
            }
        });
        Self { url, posts }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }

    /// The only post there was.
    pub(crate) fn only_post(&self) -> Post {
        let posts = self.posts();
        assert_eq!(posts.len(), 1, "{posts:?}");
        posts[0].clone()
    }
}

async fn take(
    mut stream: TcpStream,
    book: Arc<Mutex<Vec<Post>>>,
    status: &str,
    answer: &str,
    delay: Duration,
) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            break (head.to_owned(), length.unwrap_or(0));
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let start = head.len() + 4;
    while bytes.len() < start + length {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    assert!(
        head.starts_with("POST /") && head.to_ascii_lowercase().contains("\r\nhost: 127.0.0.1:"),
        "{head}"
    );
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let body = String::from_utf8(bytes[start..].to_vec()).unwrap();
    book.lock().unwrap().push(Post { path, body });
    SystemEnv::new().sleep(delay).await;
    let length = answer.len();
    let reply = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}");
    let _ = stream.write_all(reply.as_bytes()).await;
}
