//! Many callbacks at once, over connections that are kept.

use std::cell::RefCell;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::try_join_all;
use malipo::{Env as _, SystemEnv};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest answer.
const LONGEST: usize = 4096;

/// What a burst came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Burst {
    /// How many were answered a second.
    pub(crate) rate: u64,
    /// How long half of them, and 99 of 100, waited at most.
    pub(crate) waited: [Duration; 2],
}

/// A POST, as it goes over the wire.
pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: merchant.example.com\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Posts all of these over so many connections, each as soon as the one before it on its connection is answered.
///
/// # Errors
///
/// The first that is not answered with 200: a figure of what failed would mean nothing.
pub(crate) async fn of(
    posts: &[Vec<u8>],
    connections: usize,
    to: SocketAddr,
) -> Result<Burst, Box<dyn Error>> {
    let mut streams = Vec::with_capacity(connections);
    for _ in 0..connections {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let (env, left) = (SystemEnv::new(), RefCell::new(posts.iter()));
    let all = streams.into_iter().map(async |mut stream| -> Result<Vec<Duration>, Box<dyn Error>> {
        let mut waited = Vec::new();
        loop {
            let Some(post) = left.borrow_mut().next() else { return Ok(waited) };
            let before = env.monotonic();
            stream.write_all(post).await?;
            answered(&mut stream).await?;
            waited.push(env.monotonic().saturating_sub(before));
        }
    });
    let mut waited: Vec<_> = try_join_all(all).await?.into_iter().flatten().collect();
    let took = env.monotonic().as_nanos().max(1);
    waited.sort_unstable();
    let at = |percent: usize| waited.get(waited.len() * percent / 100).copied().unwrap_or_default();
    let rate = u128::try_from(posts.len())?.saturating_mul(1_000_000_000) / took;
    Ok(Burst { rate: u64::try_from(rate)?, waited: [at(50), at(99)] })
}

/// Reads one answer to its end.
async fn answered(stream: &mut TcpStream) -> Result<(), Box<dyn Error>> {
    let (mut answer, mut filled) = (vec![0; LONGEST], 0);
    loop {
        let room = answer.get_mut(filled..).filter(|room| !room.is_empty()).ok_or("an answer is too long")?;
        match stream.read(room).await? {
            0 => return Err("the server hung up".into()),
            more => filled += more,
        }
        let told = std::str::from_utf8(answer.get(..filled).unwrap_or_default())?;
        let Some((head, body)) = told.split_once("\r\n\r\n") else { continue };
        if !head.starts_with("HTTP/1.1 200 ") {
            return Err(format!("it was answered {}", head.lines().next().unwrap_or_default()).into());
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= length.ok_or("an answer does not say how long it is")? {
            return Ok(());
        }
    }
}
