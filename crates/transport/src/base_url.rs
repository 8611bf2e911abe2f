use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// Where a gateway lives: scheme, host, port, and perhaps a path that all its paths follow.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

/// Why a text is not a usable base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBaseUrl {
    /// Not a URL of scheme, host, port and path only.
    #[error("a base URL is scheme, host and perhaps port and path: no user name, no query, no fragment")]
    Malformed,
    /// Plain `http` where it is not allowed.
    #[error(
        "the gateway must be reached by https; http is only for a sandbox on loopback or on a host named for it"
    )]
    Insecure,
}

/// A gateway's environment. Sandbox and production are different types, so that a configuration with production
/// keys cannot be given to a sandbox by accident.
pub trait Environment: sealed::Sealed + fmt::Debug + Clone + Send + Sync + 'static {
    /// Reads a base URL under the rules of this environment.
    ///
    /// # Errors
    ///
    /// [`InvalidBaseUrl`] when it is malformed or not safe enough.
    fn base_url(text: &str) -> Result<BaseUrl, InvalidBaseUrl>;
}

/// Real money. Only `https`.
#[derive(Debug, Clone, Copy)]
pub struct Production;

/// No real money. `https`, or `http` on loopback, where the simulator lives.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Production {}
    impl Sealed for super::Sandbox {}
}

impl Environment for Production {
    fn base_url(text: &str) -> Result<BaseUrl, InvalidBaseUrl> {
        BaseUrl::read(text, |_| false)
    }
}

impl Environment for Sandbox {
    fn base_url(text: &str) -> Result<BaseUrl, InvalidBaseUrl> {
        BaseUrl::read(text, is_loopback)
    }
}

impl BaseUrl {
    /// A sandbox that can only be reached by plain `http`, on the host named here. The transport has to allow
    /// that host, too.
    ///
    /// # Errors
    ///
    /// [`InvalidBaseUrl`] when the URL is malformed or has another host.
    pub fn plain_http(text: &str, allowed_host: &str) -> Result<Self, InvalidBaseUrl> {
        Self::read(text, |host| host.eq_ignore_ascii_case(allowed_host))
    }

    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(text: &str, plain_http: impl Fn(&str) -> bool) -> Result<Self, InvalidBaseUrl> {
        let uri: Uri = text.parse().map_err(|_| InvalidBaseUrl::Malformed)?;
        let authority = uri.authority().ok_or(InvalidBaseUrl::Malformed)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(InvalidBaseUrl::Malformed)?;
        if authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
            return Err(InvalidBaseUrl::Malformed);
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if plain_http(host) => {}
            Some("http") => return Err(InvalidBaseUrl::Insecure),
            _ => return Err(InvalidBaseUrl::Malformed),
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

/// Whether `host` (an IPv6 address in brackets) is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_https_and_a_sandbox_may_be_on_loopback() {
        for text in ["https://api.example.com", "https://api.example.com:8443/base/"] {
            assert!(Production::base_url(text).is_ok() && Sandbox::base_url(text).is_ok(), "{text}");
        }
        for text in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"] {
            assert_eq!(Production::base_url(text), Err(InvalidBaseUrl::Insecure), "{text}");
            assert!(Sandbox::base_url(text).is_ok(), "{text}");
        }
        for text in ["http://sandbox.example.com", "http://127.0.0.1.example.com"] {
            assert_eq!(Sandbox::base_url(text), Err(InvalidBaseUrl::Insecure), "{text}");
        }
        assert!(BaseUrl::plain_http("http://sandbox.example.com:3030", "sandbox.example.com").is_ok());
        assert!(BaseUrl::plain_http("http://other.example.com", "sandbox.example.com").is_err());
    }

    #[test]
    fn anything_but_scheme_host_port_and_path_is_refused() {
        for text in [
            "",
            "api.example.com",
            "/v1",
            "https://",
            "https://u:p@h.example",
            "https://h.example/?a=1",
            "https://h.example/#a",
            "ftp://h.example",
        ] {
            assert_eq!(Production::base_url(text), Err(InvalidBaseUrl::Malformed), "{text}");
        }
    }
}
