use malipo_core::Secret;

/// The initiator's password, encrypted for M-PESA with the certificate of the environment. Put together once
/// and used for every call; it never changes until the password does.
#[derive(Debug, Clone)]
pub struct SecurityCredential(Secret);

/// Why a credential, a password or a certificate cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCredential {
    /// A ready-made credential is base64 of at least 128 bytes; a plain password is not.
    #[error(
        "this is no SecurityCredential: it is base64 text of 172 characters or more; a plain password has to be \
         encrypted first"
    )]
    NotEncrypted,
    /// An empty password.
    #[error("the initiator's password is empty")]
    EmptyPassword,
    /// Not a certificate in PEM or DER.
    #[error("this is no X.509 certificate: give the file from the Daraja portal, PEM or DER")]
    NotACertificate,
    /// The certificate's key is not RSA, or not of 2048 to 8192 bits.
    #[error("the certificate's public key is not an RSA key of 2048 to 8192 bits")]
    NotRsa,
    /// The password is longer than the key can encrypt (245 bytes for 2048 bits).
    #[error("the initiator's password is too long to be encrypted with this certificate")]
    PasswordTooLong,
}

impl SecurityCredential {
    /// A credential that was made elsewhere, such as on the Daraja portal's test credentials page.
    ///
    /// # Errors
    ///
    /// [`InvalidCredential::NotEncrypted`] for anything that cannot be one, such as the password itself.
    pub fn ready_made(base64: &str) -> Result<Self, InvalidCredential> {
        let text = base64.trim();
        let unpadded = text.trim_end_matches('=');
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let plausible = text.len() >= 172
            && text.len().is_multiple_of(4)
            && text.len() - unpadded.len() <= 2
            && unpadded.bytes().all(alphabet);
        plausible.then(|| Self(Secret::new(text))).ok_or(InvalidCredential::NotEncrypted)
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.0
    }
}

#[cfg(feature = "security-credential")]
mod encryption {
    use aws_lc_rs::digest;
    use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use malipo_core::Secret;
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;
    use webpki::EndEntityCert;

    use super::{InvalidCredential, SecurityCredential};

    /// The plain password of the initiator (the API operator), as set on the M-PESA portal.
    #[derive(Debug, Clone)]
    pub struct InitiatorPassword(Secret);

    impl InitiatorPassword {
        /// Takes the password exactly as given; nothing is trimmed.
        ///
        /// # Errors
        ///
        /// [`InvalidCredential::EmptyPassword`].
        pub fn new(password: impl Into<String>) -> Result<Self, InvalidCredential> {
            let password = Secret::new(password);
            if password.is_empty() { Err(InvalidCredential::EmptyPassword) } else { Ok(Self(password)) }
        }

        /// Whether it has special characters beside `#`, `&`, `%`, `$` and `@`, which M-PESA is said to refuse
        /// (Safaricom's B2C page, read 2026-11-22).
        pub fn has_doubtful_characters(&self) -> bool {
            let ordinary = |character: char| character.is_ascii_alphanumeric() || "#&%$@".contains(character);
            !self.0.expose().chars().all(ordinary)
        }
    }

    /// The certificate that M-PESA publishes for one environment. Only its public key is used: the certificates
    /// in circulation are long past their last day, and that is normal.
    #[derive(Debug, Clone)]
    pub struct Certificate {
        public_key: Vec<u8>,
        fingerprint: String,
    }

    impl Certificate {
        /// Reads a certificate, PEM or DER.
        ///
        /// # Errors
        ///
        /// [`InvalidCredential`] when it is none, or its key is not RSA.
        pub fn read(pem_or_der: &[u8]) -> Result<Self, InvalidCredential> {
            let der = CertificateDer::from_pem_slice(pem_or_der)
                .unwrap_or_else(|_| CertificateDer::from(pem_or_der.to_vec()));
            let certificate =
                EndEntityCert::try_from(&der).map_err(|_| InvalidCredential::NotACertificate)?;
            let public_key = certificate.subject_public_key_info().to_vec();
            PublicEncryptingKey::from_der(&public_key).map_err(|_| InvalidCredential::NotRsa)?;
            let digest = digest::digest(&digest::SHA256, &der);
            let fingerprint = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(Self { public_key, fingerprint })
        }

        /// The SHA-256 of the certificate in hex, as in `openssl x509 -fingerprint -sha256`: to tell one from another.
        pub fn fingerprint(&self) -> &str {
            &self.fingerprint
        }
    }

    impl SecurityCredential {
        /// Encrypts the password: RSA with PKCS#1 v1.5 padding, which is random, so no two are alike; then base64.
        ///
        /// # Errors
        ///
        /// [`InvalidCredential::PasswordTooLong`].
        pub fn encrypt(
            password: &InitiatorPassword,
            certificate: &Certificate,
        ) -> Result<Self, InvalidCredential> {
            let key = PublicEncryptingKey::from_der(&certificate.public_key)
                .map_err(|_| InvalidCredential::NotRsa)
                .and_then(|key| Pkcs1PublicEncryptingKey::new(key).map_err(|_| InvalidCredential::NotRsa))?;
            let mut buffer = vec![0; key.ciphertext_size()];
            let encrypted = key
                .encrypt(password.0.expose().as_bytes(), &mut buffer)
                .map_err(|_| InvalidCredential::PasswordTooLong)?;
            Ok(Self(Secret::new(STANDARD.encode(encrypted))))
        }
    }
}

#[cfg(feature = "security-credential")]
pub use encryption::{Certificate, InitiatorPassword};
