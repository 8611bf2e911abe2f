use std::env;
use std::process::Stdio;

use malipo_transport::Stage;
use tokio::task::spawn_blocking;

use super::server::{Server, reply};
use super::{Maker, Setup, answer, request};

/// Set for the process that has proxies in its environment: the URL to call.
const CHILD: &str = "MALIPO_TEST_URL_BEHIND_PROXY";

/// The variables are read once per process, so the test starts itself again in an environment that has them.
pub(crate) async fn the_environment_names_no_proxy(maker: Maker) {
    if let Some(url) = env::var_os(CHILD) {
        return call(maker, url.to_str().unwrap()).await;
    }
    let proxy = Server::new(|_| vec![reply(200, "a proxy was here")]);
    let server = Server::new(|_| vec![reply(200, "{}")]);
    let (proxy_url, url) = (proxy.start().await, server.start().await);
    let mut child = std::process::Command::new(env::current_exe().unwrap());
    child.args(["the_environment_names_no_proxy", "--exact"]).env(CHILD, url).stdout(Stdio::null());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &proxy_url);
    }
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    let status = spawn_blocking(move || child.status()).await.unwrap().unwrap();
    assert!(status.success());
    assert_eq!(proxy.connections(), 0);
    assert_eq!(server.requests().len(), 1);
}

async fn call(maker: Maker, url: &str) {
    let transport = maker.make(Setup::default());
    assert_eq!(answer(&*transport, url).await.body(), "{}");
    // Nothing listens there, and no proxy is asked to find it.
    let error = transport.send(request("https://127.0.0.1:1")).await.unwrap_err();
    assert_eq!(error.stage(), Stage::BeforeSend);
}
