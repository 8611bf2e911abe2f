use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// What can be set on a [`HyperTransport`](crate::HyperTransport).
///
/// | option | default |
/// |---|---|
/// | connect timeout | 10 seconds |
/// | read timeout | 30 seconds |
/// | total timeout | 60 seconds |
/// | pool idle timeout | 10 seconds |
/// | hosts for plain `http` | loopback only |
/// | root certificates | the platform's |
#[derive(Clone)]
pub struct Options {
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) total_timeout: Duration,
    pub(crate) pool_idle_timeout: Duration,
    pub(crate) plain_http: BTreeSet<String>,
    pub(crate) roots: Vec<CertificateDer<'static>>,
}

impl Options {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(60),
            pool_idle_timeout: Duration::from_secs(10),
            plain_http: BTreeSet::new(),
            roots: Vec::new(),
        }
    }

    /// How long finding the name, connecting and the TLS handshake may take together. 10 seconds by default. It
    /// has to be shorter than the other two: only what this one ends is known not to have been sent.
    #[must_use]
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long to wait for the start of the answer, counted from the start of the call, and then for each next
    /// part of it. 30 seconds by default.
    #[must_use]
    pub const fn with_read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// How long everything may take together, to the last byte of the answer. 60 seconds by default.
    #[must_use]
    pub const fn with_total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// How long a connection may be idle and still be used. 10 seconds by default. Shorter than what the gateway
    /// keeps them for, or now and then a request meets a connection that is just being closed.
    #[must_use]
    pub const fn with_pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.pool_idle_timeout = timeout;
        self
    }

    /// Allows plain `http` to this host (a name or an address, without port), for a sandbox that has no TLS.
    /// Everything sent there, keys included, can be read and changed on the way. Loopback is always allowed.
    #[must_use]
    pub fn allow_plain_http(mut self, host: &str) -> Self {
        self.plain_http.insert(host.to_ascii_lowercase());
        self
    }

    /// Trusts one more root certificate, in DER: that of a proxy which opens TLS, or of a test server. The
    /// platform's stay trusted.
    #[must_use]
    pub fn with_root_certificate_der(mut self, certificate: impl Into<Vec<u8>>) -> Self {
        self.roots.push(CertificateDer::from(certificate.into()));
        self
    }

    /// Trusts every certificate in this PEM text, as [`Options::with_root_certificate_der`] does one.
    ///
    /// # Errors
    ///
    /// [`BuildError::Certificate`] when there is none in it, or a broken one.
    pub fn with_root_certificates_pem(mut self, pem: &[u8]) -> Result<Self, BuildError> {
        let before = self.roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.roots.push(certificate.map_err(|error| BuildError::Certificate(Some(error.into())))?);
        }
        if self.roots.len() == before {
            return Err(BuildError::Certificate(None));
        }
        Ok(self)
    }

    pub(crate) fn check(&self) -> Result<(), BuildError> {
        if self.connect_timeout >= self.read_timeout.min(self.total_timeout) {
            return Err(BuildError::Timeouts);
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connect_timeout, read_timeout, total_timeout, pool_idle_timeout, plain_http, roots } =
            self;
        f.debug_struct("Options")
            .field("connect_timeout", connect_timeout)
            .field("read_timeout", read_timeout)
            .field("total_timeout", total_timeout)
            .field("pool_idle_timeout", pool_idle_timeout)
            .field("plain_http", plain_http)
            .field("extra_roots", &roots.len())
            .finish()
    }
}

/// Why there is no transport. Open: more will come.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The connect timeout is not the shortest.
    #[error(
        "the connect timeout must be shorter than the read and the total timeout: only a connection that timed \
         out by itself is known to have sent nothing"
    )]
    Timeouts,
    /// A PEM text without a readable certificate.
    #[error("no certificate can be read: PEM text with `-----BEGIN CERTIFICATE-----` in it is needed")]
    Certificate(#[source] Option<Box<dyn StdError + Send + Sync>>),
    /// TLS cannot be set up.
    #[error(
        "TLS cannot be set up: this machine may have no root certificates (on Linux the package is \
         `ca-certificates`), or one that was added is broken"
    )]
    Tls(#[source] Box<dyn StdError + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HyperTransport;

    #[test]
    fn the_defaults_are_those_of_the_table() {
        let Options { connect_timeout, read_timeout, total_timeout, pool_idle_timeout, plain_http, roots } =
            Options::new();
        let seconds =
            [connect_timeout, read_timeout, total_timeout, pool_idle_timeout].map(|time| time.as_secs());
        assert_eq!((seconds, plain_http.len(), roots.len()), ([10, 30, 60, 10], 0, 0));
    }

    #[test]
    fn a_connect_timeout_that_another_one_hides_is_refused() {
        let second = Duration::from_secs(1);
        for options in [
            Options::new().with_connect_timeout(second).with_read_timeout(second),
            Options::new().with_connect_timeout(second).with_total_timeout(second),
            Options::new().with_total_timeout(second),
        ] {
            assert!(matches!(HyperTransport::with_options(options), Err(BuildError::Timeouts)));
        }
        assert!(HyperTransport::new().is_ok());
    }

    #[test]
    fn certificates_that_cannot_be_read_are_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        for pem in ["", "no certificate", broken] {
            let refused = Options::new().with_root_certificates_pem(pem.as_bytes());
            assert!(matches!(refused, Err(BuildError::Certificate(_))), "{pem}");
        }
        let options = Options::new().with_root_certificate_der(*b"no certificate");
        assert!(matches!(HyperTransport::with_options(options), Err(BuildError::Tls(_))));
    }
}
