use std::fmt;

use http::Uri;
use malipo_core::{Effect, Error, ErrorKind, Operation, is_loopback};

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
    /// The address of the other environment.
    #[error(
        "this is the address of the gateway's other environment: sandbox keys and real money must not meet"
    )]
    OtherEnvironment,
    /// Plain `http` where it is not allowed.
    #[error(
        "the gateway must be reached by https; http is only for a sandbox on loopback or on a host named for it"
    )]
    Insecure,
}

/// A provider cannot be put together with it.
impl From<InvalidBaseUrl> for Error {
    fn from(error: InvalidBaseUrl) -> Self {
        let message = "the base URL cannot be used";
        Self::new(ErrorKind::Configuration, Effect::None, Operation::Configure, message).with_source(error)
    }
}

/// The hosts of a gateway's two environments, as far as they are known.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "a plain record that providers fill in; it has no invariants")]
pub struct Hosts {
    /// The sandbox's.
    pub sandbox: Option<&'static str>,
    /// Production's.
    pub production: Option<&'static str>,
}

/// A gateway's environment. Sandbox and production are different types, so that a configuration with production
/// keys cannot be given to a sandbox by accident.
pub trait Environment: sealed::Sealed + fmt::Debug + Clone + Send + Sync + 'static {
    /// Reads a base URL under the rules of this environment.
    ///
    /// # Errors
    ///
    /// [`InvalidBaseUrl`] when it is malformed, not safe enough, or the address of the other environment.
    fn base_url(text: &str, hosts: &Hosts) -> Result<BaseUrl, InvalidBaseUrl>;
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
    fn base_url(text: &str, hosts: &Hosts) -> Result<BaseUrl, InvalidBaseUrl> {
        BaseUrl::read(text, |_| false)?.unless_at(hosts.sandbox)
    }
}

impl Environment for Sandbox {
    fn base_url(text: &str, hosts: &Hosts) -> Result<BaseUrl, InvalidBaseUrl> {
        BaseUrl::read(text, is_loopback)?.unless_at(hosts.production)
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

    fn unless_at(self, host: Option<&str>) -> Result<Self, InvalidBaseUrl> {
        let own: Option<Uri> = self.0.parse().ok();
        let own = own.as_ref().and_then(Uri::host).map(|host| host.trim_end_matches('.'));
        match (own, host) {
            (Some(own), Some(host)) if own.eq_ignore_ascii_case(host) => {
                Err(InvalidBaseUrl::OtherEnvironment)
            }
            _ => Ok(self),
        }
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

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: Hosts = Hosts { sandbox: Some("sandbox.example.com"), production: Some("api.example.com") };

    fn production(text: &str) -> Result<BaseUrl, InvalidBaseUrl> {
        Production::base_url(text, &HOSTS)
    }

    fn sandbox(text: &str) -> Result<BaseUrl, InvalidBaseUrl> {
        Sandbox::base_url(text, &HOSTS)
    }

    #[test]
    fn production_is_https_and_a_sandbox_may_be_on_loopback() {
        for text in ["https://proxy.example.com", "https://proxy.example.com:8443/base/"] {
            assert!(production(text).is_ok() && sandbox(text).is_ok(), "{text}");
        }
        for text in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"] {
            assert_eq!(production(text), Err(InvalidBaseUrl::Insecure), "{text}");
            assert!(sandbox(text).is_ok(), "{text}");
        }
        for text in ["http://sandbox.example.com", "http://127.0.0.1.example.com"] {
            assert_eq!(sandbox(text), Err(InvalidBaseUrl::Insecure), "{text}");
        }
        assert!(BaseUrl::plain_http("http://sandbox.example.com:3030", "sandbox.example.com").is_ok());
        assert!(BaseUrl::plain_http("http://other.example.com", "sandbox.example.com").is_err());
    }

    #[test]
    fn neither_environment_takes_the_address_of_the_other() {
        for text in ["https://api.example.com", "https://API.example.com:443/x", "https://api.example.com./"]
        {
            assert_eq!(sandbox(text), Err(InvalidBaseUrl::OtherEnvironment), "{text}");
            assert!(production(text).is_ok(), "{text}");
        }
        assert_eq!(production("https://sandbox.example.com"), Err(InvalidBaseUrl::OtherEnvironment));
        assert!(sandbox("https://sandbox.example.com").is_ok());
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
            assert_eq!(production(text), Err(InvalidBaseUrl::Malformed), "{text}");
        }
    }
}
