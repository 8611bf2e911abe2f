use malipo_transport::{Failure, TransportError};

/// What an error of reqwest says about the request: whether it can have left.
///
/// Public for transports that are built on reqwest in another way than ours. The client must follow no redirects
/// and repeat nothing: where it does, a failure to connect may be that of a later hop.
///
/// `before_send` are only:
///
/// - failures to connect: name, TCP, TLS, also when the *connect* timeout ended them;
/// - requests that reqwest refused to build, and plain `http` for a client that is `https_only`.
///
/// Everything else is `after_send`. That includes some requests which never left, because the error does not
/// prove it: the read and the total timeout count from the start and say nothing about how far the request got,
/// a failed HTTP/2 preface looks like a failed request, and so does a request that was queued on a connection
/// as it closed. Keep the connect timeout the shortest.
pub fn classify(error: reqwest::Error) -> TransportError {
    if !error.is_connect() && !error.is_builder() {
        return interrupted(error);
    }
    let plain_http = error.url().is_some_and(|url| url.scheme() == "http");
    let failure = if error.is_timeout() {
        Failure::Timeout
    } else if error.is_connect() {
        Failure::Connect
    } else if plain_http {
        Failure::Insecure
    } else {
        Failure::Other
    };
    TransportError::before_send(failure).with_source(error.without_url())
}

/// A failure after the request has left.
pub(crate) fn interrupted(error: reqwest::Error) -> TransportError {
    let failure = if error.is_timeout() {
        Failure::Timeout
    } else if error.is_request() || error.is_body() || error.is_decode() {
        Failure::Broken
    } else {
        Failure::Other
    };
    // reqwest prints the whole URL, and with it the query.
    TransportError::after_send(failure).with_source(error.without_url())
}

#[cfg(test)]
mod tests {
    use malipo_transport::Stage;

    use super::*;
    use crate::tls;

    #[tokio::test]
    async fn what_an_https_only_client_refuses_is_known_not_to_be_sent() {
        let tls = tls::config(&[]).unwrap();
        let client =
            reqwest::Client::builder().https_only(true).tls_backend_preconfigured(tls).build().unwrap();
        let error = client.get("http://127.0.0.1:1/?token=marker").send().await.unwrap_err();
        let error = classify(error);
        assert_eq!((error.stage(), error.failure()), (Stage::BeforeSend, Failure::Insecure));
        assert!(!format!("{error:?}").contains("marker"));
    }
}
