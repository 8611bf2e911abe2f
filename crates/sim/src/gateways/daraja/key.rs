use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};

/// The gateway's RSA key of 2048 bits with a certificate of its own, for which clients encrypt the
/// initiator's password. Clones share the key.
#[derive(Clone)]
pub struct DarajaKey(Arc<Parts>);

struct Parts {
    private: Pkcs1PrivateDecryptingKey,
    public_der: Vec<u8>,
    certificate_pem: String,
}

/// No key or no certificate could be made.
#[derive(Debug, thiserror::Error)]
#[error("no key for the simulated Daraja could be made: {reason}")]
pub struct KeyError {
    reason: String,
}

impl DarajaKey {
    /// Makes a key. Takes from a tenth of a second to a few.
    ///
    /// # Errors
    ///
    /// When the cryptographic library makes none.
    pub fn generate() -> Result<Self, KeyError> {
        let failed = |error: rcgen::Error| KeyError { reason: error.to_string() };
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Malipo simulator, not Safaricom");
        let certificate = params.self_signed(&pair).map_err(failed)?;
        let private = PrivateDecryptingKey::from_pkcs8(pair.serialized_der())
            .map_err(|error| KeyError { reason: error.to_string() })?;
        let private = Pkcs1PrivateDecryptingKey::new(private)
            .map_err(|error| KeyError { reason: error.to_string() })?;
        Ok(Self(Arc::new(Parts {
            private,
            public_der: pair.subject_public_key_info(),
            certificate_pem: certificate.pem(),
        })))
    }

    /// The self-signed X.509 certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.0.certificate_pem
    }

    /// The public key alone: a DER `SubjectPublicKeyInfo`.
    pub fn public_key_der(&self) -> &[u8] {
        &self.0.public_der
    }

    /// What a SecurityCredential holds: standard base64 of an RSA PKCS#1 v1.5 ciphertext. `None` when it
    /// was not made for this key, or not in this way.
    pub(super) fn decrypt(&self, credential: &str) -> Option<Vec<u8>> {
        let sealed = STANDARD.decode(credential).ok()?;
        let mut room = vec![0; self.0.private.min_output_size()];
        self.0.private.decrypt(&sealed, &mut room).ok().map(|opened| opened.to_vec())
    }
}

impl fmt::Debug for DarajaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DarajaKey").finish_non_exhaustive()
    }
}
