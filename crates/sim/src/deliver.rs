//! Posting a callback for real.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use malipo_core::Timer;
use tokio::net::TcpStream;

use crate::event::Delivery;
use crate::notify::Callback;

/// The longest answer that is read, in bytes, by a gateway that reads answers.
const ANSWER_LIMIT: usize = 4096;

/// Posts a callback once, if it goes to a loopback address: simulated results never leave the machine.
pub(crate) async fn deliver(callback: &Callback, env: &dyn Timer) -> Delivery {
    let request = callback.request().clone();
    let addresses = match loopback(request.uri()) {
        Ok(addresses) => addresses,
        Err(why) => return Delivery::Withheld(why.into()),
    };
    tokio::select! {
        biased;
        outcome = post(callback, request, &addresses) => match outcome {
            Ok(delivery) => delivery,
            Err(why) => Delivery::Failed(why),
        },
        () = env.sleep(callback.patience()) => {
            Delivery::Failed(format!("no answer within {} s", callback.patience().as_secs()))
        }
    }
}

async fn post(
    callback: &Callback,
    request: Request<Bytes>,
    addresses: &[SocketAddr],
) -> Result<Delivery, String> {
    let stream = TcpStream::connect(addresses).await.map_err(|error| format!("no connection: {error}"))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let exchange = async move {
        let reply = sender.send_request(in_origin_form(request)).await.map_err(|error| error.to_string())?;
        let status = reply.status().as_u16();
        let body = if callback.reads_answer(status) { read(reply).await } else { Bytes::new() };
        Ok(callback.answered(status, &body))
    };
    // The connection does the work of the exchange and ends after it; how it ends changes nothing.
    let (outcome, _) = tokio::join!(exchange, connection);
    outcome
}

/// The body of an answer, or nothing where it is too long or breaks off.
async fn read(reply: Response<Incoming>) -> Bytes {
    Limited::new(reply.into_body(), ANSWER_LIMIT).collect().await.map(Collected::to_bytes).unwrap_or_default()
}

/// As a request looks on a connection of its own: the path in the first line, the host in a header.
fn in_origin_form(request: Request<Bytes>) -> Request<Full<Bytes>> {
    let (mut parts, body) = request.into_parts();
    let host = parts.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host {
        parts.headers.insert(header::HOST, host);
    }
    if let Some(path) = parts.uri.path_and_query() {
        parts.uri = Uri::from(path.clone());
    }
    Request::from_parts(parts, Full::new(body))
}

fn loopback(url: &Uri) -> Result<Vec<SocketAddr>, &'static str> {
    if url.scheme_str() != Some("http") {
        return Err("the simulator posts only to http URLs");
    }
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_u16().unwrap_or(80);
    let ips = match host.parse::<IpAddr>() {
        Ok(ip) => vec![ip],
        Err(_) if host.eq_ignore_ascii_case("localhost") => {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        }
        Err(_) => Vec::new(),
    };
    if ips.is_empty() || !ips.iter().all(IpAddr::is_loopback) {
        return Err("the simulator posts only to loopback addresses");
    }
    Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_posted_to() {
        for url in ["http://127.0.0.1:8080/x", "http://127.9.9.9/x", "http://localhost/x", "http://[::1]:9/x"]
        {
            assert!(loopback(&url.parse().unwrap()).is_ok(), "{url}");
        }
        for url in [
            "https://127.0.0.1/x",
            "http://10.0.0.1/x",
            "http://example.com/x",
            "http://127.0.0.1.example.com/x",
            "http://localhost.example.com/x",
            "http://[2001:db8::1]/x",
            "http://0.0.0.0/x",
        ] {
            assert!(loopback(&url.parse().unwrap()).is_err(), "{url}");
        }
    }
}
