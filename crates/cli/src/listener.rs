use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use malipo::journal::Payments;
use tokio::net::TcpListener;

/// More than any result is long.
const LONGEST_BODY: usize = 64 * 1024;

/// Takes what is posted to `socket`, for as long as the runtime lives. Whether it is ours, what is kept of it and what
/// to answer is all for the engine to say.
pub(crate) fn listen(socket: TcpListener, payments: Payments) {
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let payments = payments.clone();
            let service = service_fn(move |request| {
                let payments = payments.clone();
                async move { Ok::<_, Infallible>(take(&payments, request).await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
}

async fn take(payments: &Payments, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LONGEST_BODY).collect().await else {
        return answer(StatusCode::PAYLOAD_TOO_LARGE, Bytes::new());
    };
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let path = parts.uri.path();
    let Some(delivered) = payments.deliver(path, &headers, body.to_bytes().to_vec()).await else {
        return answer(StatusCode::NOT_FOUND, Bytes::new());
    };
    let reply = delivered.reply;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = answer(status, Bytes::from(reply.body.into_owned()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    response
}

fn answer(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}
