//! Brings its own transport: one method that takes a request and gives back a response, or says how far it came.
//!
//! This one opens a connection for each request and speaks plain HTTP on loopback: enough for the simulator, and not
//! for money, for which it lacks TLS and timeouts. `cargo run -p malipo --all-features --example custom_transport`.

#![allow(clippy::print_stdout, reason = "an example talks to a person in a terminal")]

use std::error::Error;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use malipo::kasapay::{AppKeys, Config, KasaPay};
use malipo::transport::http::{HeaderValue, Request, Response, Uri, header};
use malipo::transport::{Bytes, Failure, Transport, TransportError, is_loopback};
use malipo::{Callback, Money, PayOut, Payee, ProviderExt, Reference, Secret, SystemEnv, Terms, async_trait};
use malipo_sim::{Gateway, Options, Sim};
use tokio::net::TcpStream;

/// No answer of a gateway is longer, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;

/// Never redirects and never repeats.
#[derive(Debug)]
struct Plain;

#[async_trait]
impl Transport for Plain {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        // Up to the last line of this part nothing has left, so whoever called may send again.
        let authority = request.uri().authority().cloned();
        let authority = authority
            .filter(|authority| is_loopback(authority.host()))
            .ok_or(TransportError::before_send(Failure::Insecure))?;
        let unconnected = |error| TransportError::before_send(Failure::Connect).with_source(error);
        let stream = TcpStream::connect(authority.as_str()).await.map_err(unconnected)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| TransportError::before_send(Failure::Connect).with_source(error))?;
        tokio::spawn(connection);
        if let Some(path) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = Uri::from(path);
        }
        let host = HeaderValue::from_str(authority.as_str())
            .map_err(|error| TransportError::before_send(Failure::Other).with_source(error))?;
        request.headers_mut().insert(header::HOST, host);

        // From here on the gateway may have it, whatever an error says.
        let answered = sender.send_request(request.map(Full::new)).await;
        let (head, body) = answered
            .map_err(|error| TransportError::after_send(Failure::Broken).with_source(error))?
            .into_parts();
        let read = Limited::new(body, LONGEST_BODY).collect().await;
        let body = read.map_err(|error| TransportError::after_send(Failure::Broken).with_source(error))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sim = Sim::start(Options::new()).await?;
    let account = sim.kasapay();
    let keys = AppKeys::new(Secret::new(account.consumer_key()), Secret::new(account.consumer_secret()))?;
    let config = Config::sandbox(keys, account.service_code())?.with_base_url(sim.url())?;
    let env = Arc::new(SystemEnv::new());
    let kasapay = KasaPay::new(config, Arc::new(Plain), env.clone());

    let reference = Reference::mint(&*env);
    let payee = Payee::till("565656".parse()?).with_name("Mama Mboga Ltd".parse()?);
    let terms = Terms::new(reference.clone(), Money::kes("100")?)
        .with_callback(Callback::new(format!("https://pay.example.com/results/{reference}").parse()?));
    let report = kasapay.pay_out(PayOut::new(payee, terms)).await?;
    println!("over our own transport: {:?}, which is not paid yet", report.state);

    sim.idle().await;
    match sim.ledger().moved(Gateway::KasaPay, reference.as_str()) {
        1 => println!("the gateway's ledger: paid once"),
        times => return Err(format!("paid {times} times").into()),
    }
    Ok(())
}
