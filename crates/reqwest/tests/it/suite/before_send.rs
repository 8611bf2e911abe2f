use std::time::Duration;

use malipo_transport::{Failure, Stage};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::server::{Identity, Server, reply};
use super::{Maker, Setup, answer, failure};

pub(crate) async fn a_refused_connection(maker: Maker) {
    // Bound and not listening: nobody answers, and nobody else gets the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let transport = maker.make(Setup::default());
    for scheme in ["http", "https"] {
        failure(&*transport, &format!("{scheme}://{address}"), Stage::BeforeSend, Failure::Connect).await;
    }
}

pub(crate) async fn an_unknown_name(maker: Maker) {
    // `.invalid` never resolves (RFC 2606). Without a network the resolver may take its time to say so.
    let transport = maker.make(Setup { connect: Duration::from_secs(2), ..Setup::default() });
    let error = transport.send(super::request("https://gateway.invalid")).await.unwrap_err();
    assert_eq!(error.stage(), Stage::BeforeSend);
    assert!([Failure::Connect, Failure::Timeout].contains(&error.failure()), "{error:?}");
}

pub(crate) async fn a_server_without_tls(maker: Maker) {
    // It sees no line of a request, and gives up.
    let server = Server::new(|_| vec![reply(200, "{}")]).closing_idle_after(Duration::ZERO);
    let address = server.listen("127.0.0.1:0").await;
    let transport = maker.make(Setup::default());
    failure(&*transport, &format!("https://{address}"), Stage::BeforeSend, Failure::Connect).await;
    assert!(server.requests().is_empty() && server.connections() == 1);
}

pub(crate) async fn an_unknown_certificate(maker: Maker) {
    let server = Server::new(|_| vec![reply(200, "{}")]).with_tls(&Identity::of("127.0.0.1"));
    let (url, transport) = (server.start().await, maker.make(Setup::default()));
    failure(&*transport, &url, Stage::BeforeSend, Failure::Connect).await;
    assert!(server.requests().is_empty());
}

pub(crate) async fn a_certificate_for_another_name(maker: Maker) {
    let identity = Identity::of("api.example.com");
    let server = Server::new(|_| vec![reply(200, "{}")]).with_tls(&identity);
    let (url, transport) = (server.start().await, maker.make(trusting(&identity)));
    failure(&*transport, &url, Stage::BeforeSend, Failure::Connect).await;
    assert!(server.requests().is_empty());
}

pub(crate) async fn a_known_certificate(maker: Maker) {
    let identity = Identity::of("127.0.0.1");
    let server = Server::new(|_| vec![reply(200, "{}")]).with_tls(&identity);
    let (url, transport) = (server.start().await, maker.make(trusting(&identity)));
    assert_eq!(answer(&*transport, &url).await.status(), 200);
    assert_eq!(server.requests().len(), 1);
}

/// TCP connects, and then there is silence.
pub(crate) async fn a_handshake_that_hangs(maker: Maker) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let transport = maker.make(Setup { connect: Duration::from_millis(200), ..Setup::default() });
    failure(&*transport, &url, Stage::BeforeSend, Failure::Timeout).await;
}

/// A host that does not even answer the first packet. Linux drops it when nobody takes connections any more.
pub(crate) async fn a_full_backlog(maker: Maker) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
        assert!(waiting.len() < 100, "the backlog does not fill");
    }
    let transport = maker.make(Setup { connect: Duration::from_millis(200), ..Setup::default() });
    failure(&*transport, &format!("http://{address}"), Stage::BeforeSend, Failure::Timeout).await;
}

pub(crate) async fn plain_http_is_refused(maker: Maker) {
    let server = Server::new(|_| vec![reply(200, "{}")]);
    let port = server.listen("0.0.0.0:0").await.port();
    let transport = maker.make(Setup::default());
    // On Linux 0.0.0.0 reaches this machine, and is not loopback.
    for host in ["0.0.0.0", "gateway.invalid", "127.0.0.1.example.com"] {
        failure(&*transport, &format!("http://{host}:{port}"), Stage::BeforeSend, Failure::Insecure).await;
    }
    assert_eq!(server.connections(), 0);
}

pub(crate) async fn plain_http_to_a_named_host(maker: Maker) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let server = Server::new(|_| vec![reply(200, "{}")]);
    let port = server.listen("0.0.0.0:0").await.port();
    let transport = maker.make(Setup { plain_http: Some("0.0.0.0".to_owned()), ..Setup::default() });
    assert_eq!(answer(&*transport, &format!("http://0.0.0.0:{port}")).await.status(), 200);
    let other = format!("http://gateway.invalid:{port}");
    failure(&*transport, &other, Stage::BeforeSend, Failure::Insecure).await;
}

fn trusting(identity: &Identity) -> Setup {
    Setup { root_pem: Some(identity.pem()), ..Setup::default() }
}
