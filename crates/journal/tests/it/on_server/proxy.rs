//! A way to the server that can be cut.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// What happens to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    Fair,
    /// Commits reach the server, and nothing that it answers comes back.
    CommitsCut,
    /// Nothing passes, and nobody is told.
    Silent,
}

/// What the proxy and those who look at it share.
#[derive(Debug)]
struct Sky {
    weather: Weather,
    commits: usize,
    passing: Vec<JoinHandle<()>>,
}

/// Passes on what is said to the server and what it says.
#[derive(Debug)]
pub(super) struct Proxy {
    runtime: Handle,
    here: SocketAddr,
    there: SocketAddr,
    sky: Arc<Mutex<Sky>>,
    listening: Option<JoinHandle<()>>,
}

impl Proxy {
    pub(super) async fn start(there: SocketAddr) -> Self {
        let sky = Sky { weather: Weather::Fair, commits: 0, passing: Vec::new() };
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let runtime = Handle::current();
        let mut proxy = Self { runtime, here, there, sky: Arc::new(Mutex::new(sky)), listening: None };
        proxy.up().await;
        proxy
    }

    pub(super) const fn port(&self) -> u16 {
        self.here.port()
    }

    pub(super) fn turn(&self, weather: Weather) {
        self.sky.lock().unwrap().weather = weather;
    }

    /// How many commits have passed.
    pub(super) fn commits(&self) -> usize {
        self.sky.lock().unwrap().commits
    }

    /// Takes connections, at the same place as before.
    pub(super) async fn up(&mut self) {
        let listener = TcpListener::bind(self.here).await.unwrap();
        self.here = listener.local_addr().unwrap();
        let (there, sky) = (self.there, self.sky.clone());
        self.listening = Some(self.runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(there).await.unwrap();
                let passing = tokio::spawn(pass(client, server, sky.clone()));
                sky.lock().unwrap().passing.push(passing);
            }
        }));
    }

    /// Takes no connection any more, and cuts those there are.
    pub(super) async fn down(&mut self) {
        let listening = self.listening.take().unwrap();
        listening.abort();
        let _ = listening.await;
        let passing = std::mem::take(&mut self.sky.lock().unwrap().passing);
        for passing in passing {
            passing.abort();
            let _ = passing.await;
        }
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, sky: Arc<Mutex<Sky>>) {
    let (mut said, mut told) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let weather = sky.lock().unwrap().weather;
        if weather == Weather::Silent {
            std::future::pending::<()>().await;
        }
        tokio::select! {
            read = client.read(&mut said) => match read {
                Ok(length) if length > 0 => {
                    if sky.lock().unwrap().weather == Weather::Silent {
                        continue;
                    }
                    server.write_all(&said[..length]).await.unwrap();
                    if said[..length].windows(8).any(|bytes| bytes == b"; COMMIT") {
                        sky.lock().unwrap().commits += 1;
                        if sky.lock().unwrap().weather == Weather::CommitsCut {
                            let _ = server.read(&mut told).await;
                            return;
                        }
                    }
                }
                _ => return,
            },
            read = server.read(&mut told) => match read {
                Ok(length) if length > 0 => client.write_all(&told[..length]).await.unwrap(),
                _ => return,
            },
        }
    }
}
