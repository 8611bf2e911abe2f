//! The SecurityCredential, checked with another implementation than the one that made it.

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use malipo_daraja::{Certificate, InitiatorPassword, InvalidCredential, SecurityCredential};

const PASSWORD: &str = "Pl#nted%Pa$$w&rd@3391";

/// Runs openssl and gives back what it prints.
fn openssl(arguments: &[&str], directory: &Path) -> Vec<u8> {
    let output =
        Command::new("openssl").args(arguments).current_dir(directory).stdin(Stdio::null()).output().expect(
            "this test runs the openssl command: `cargo xtask test` installs it, or apt-get install openssl",
        );
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A directory of this test's own, with a fresh key and certificates for it: one of today, one long expired.
fn certificates(name: &str) -> std::path::PathBuf {
    let directory = std::env::temp_dir().join(format!("malipo-daraja-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    openssl(&["genrsa", "-out", "key.pem", "2048"], &directory);
    openssl(
        &[
            "req",
            "-x509",
            "-new",
            "-key",
            "key.pem",
            "-subj",
            "/CN=sandbox",
            "-days",
            "1",
            "-out",
            "cert.pem",
        ],
        &directory,
    );
    openssl(&["x509", "-in", "cert.pem", "-outform", "DER", "-out", "cert.der"], &directory);
    directory
}

/// The credential as it goes on the wire: the one place that shows it is a request.
fn on_the_wire(credential: SecurityCredential) -> String {
    use std::sync::Arc;

    use malipo_core::Provider as _;
    use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};

    let keys =
        malipo_daraja::AppKeys::new(malipo_core::Secret::new("key"), malipo_core::Secret::new("secret"));
    let initiator = malipo_daraja::Initiator::new("testapi", credential).unwrap();
    let config = malipo_daraja::Config::sandbox(keys.unwrap(), initiator, "600996".parse().unwrap()).unwrap();
    let transport = ScriptedTransport::new().always(Outcome::json(200, crate::subject::TOKEN_REPLY));
    let transport = Arc::new(transport);
    let daraja = malipo_daraja::Daraja::new(config, transport.clone(), Arc::new(ManualEnv::new()));
    let instruction = crate::subject::pay_out(crate::subject::terms("PAY-1", "10"));
    pollster::block_on(daraja.submit(&instruction)).unwrap_err();
    let body: serde_json::Value = serde_json::from_slice(transport.requests()[1].body()).unwrap();
    body["SecurityCredential"].as_str().unwrap().to_owned()
}

/// After `cargo xtask test --without openssl`, which itself says NOT RUN.
fn is_without_openssl() -> bool {
    let without = std::env::var_os("MALIPO_WITHOUT").unwrap_or_default();
    without.to_string_lossy().split(',').any(|tool| tool == "openssl")
}

#[test]
fn openssl_decrypts_what_we_encrypt() {
    if is_without_openssl() {
        return;
    }
    let directory = certificates("decrypt");
    for file in ["cert.pem", "cert.der"] {
        let certificate = Certificate::read(&std::fs::read(directory.join(file)).unwrap()).unwrap();
        let password = InitiatorPassword::new(PASSWORD).unwrap();
        let credential = on_the_wire(SecurityCredential::encrypt(&password, &certificate).unwrap());
        assert_eq!(credential.len(), 344, "2048 bits");
        std::fs::write(directory.join("encrypted"), STANDARD.decode(&credential).unwrap()).unwrap();
        let padding = ["-pkeyopt", "rsa_padding_mode:pkcs1"];
        let decrypt = ["pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "encrypted"];
        assert_eq!(
            openssl(&[decrypt.as_slice(), &padding].concat(), &directory),
            PASSWORD.as_bytes(),
            "{file}"
        );

        let again = on_the_wire(SecurityCredential::encrypt(&password, &certificate).unwrap());
        assert_ne!(again, credential, "the padding is random");
        assert!(SecurityCredential::ready_made(&credential).is_ok());
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn the_fingerprint_is_the_one_openssl_shows() {
    if is_without_openssl() {
        return;
    }
    let directory = certificates("fingerprint");
    let shown = openssl(&["x509", "-in", "cert.pem", "-noout", "-fingerprint", "-sha256"], &directory);
    let shown = String::from_utf8(shown).unwrap();
    let expected = shown.trim().rsplit_once('=').unwrap().1.replace(':', "").to_lowercase();
    for file in ["cert.pem", "cert.der"] {
        let certificate = Certificate::read(&std::fs::read(directory.join(file)).unwrap()).unwrap();
        assert_eq!(certificate.fingerprint(), expected, "{file}");
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn an_expired_certificate_is_used_all_the_same() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec!["sandbox".to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(2016, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2018, 1, 1);
    let pem = parameters.self_signed(&key).unwrap().pem();
    let certificate = Certificate::read(pem.as_bytes()).unwrap();
    assert!(SecurityCredential::encrypt(&InitiatorPassword::new(PASSWORD).unwrap(), &certificate).is_ok());
}

#[test]
fn what_cannot_be_used_says_why() {
    let elliptic = rcgen::generate_simple_self_signed(vec!["sandbox".to_owned()]).unwrap().cert;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let rsa = rcgen::CertificateParams::new(vec!["sandbox".to_owned()]).unwrap().self_signed(&key).unwrap();
    let certificate = Certificate::read(rsa.der()).unwrap();

    assert_eq!(Certificate::read(b"not a certificate").unwrap_err(), InvalidCredential::NotACertificate);
    assert_eq!(
        Certificate::read(key.serialize_pem().as_bytes()).unwrap_err(),
        InvalidCredential::NotACertificate
    );
    assert_eq!(Certificate::read(b"").unwrap_err(), InvalidCredential::NotACertificate);
    assert_eq!(Certificate::read(elliptic.der()).unwrap_err(), InvalidCredential::NotRsa);
    assert_eq!(InitiatorPassword::new("").unwrap_err(), InvalidCredential::EmptyPassword);
    let encrypt = |password: &str| {
        SecurityCredential::encrypt(&InitiatorPassword::new(password).unwrap(), &certificate).map(|_| ())
    };
    assert_eq!(encrypt(&"x".repeat(245)), Ok(()));
    assert_eq!(encrypt(&"x".repeat(246)), Err(InvalidCredential::PasswordTooLong));
}

#[test]
fn a_plain_password_is_not_taken_for_a_credential() {
    let ready = "Q".repeat(342) + "==";
    assert!(SecurityCredential::ready_made(&format!(" {ready}\n")).is_ok());
    assert!(SecurityCredential::ready_made(&"Q".repeat(172)).is_ok());
    let password_like = "Abcdefgh1234";
    let short = "Q".repeat(168);
    for bad in [
        "",
        "Safaricom999!*!",
        password_like,
        &short,
        &"Q".repeat(343),
        &("Q".repeat(341) + "==="),
        &"(".repeat(344),
    ] {
        let refused = SecurityCredential::ready_made(bad).map(|_| ());
        assert_eq!(refused, Err(InvalidCredential::NotEncrypted), "{bad}");
    }
}

#[test]
fn characters_that_mpesa_may_refuse_can_be_warned_of() {
    let doubtful = |password: &str| InitiatorPassword::new(password).unwrap().has_doubtful_characters();
    assert!(!doubtful("Abc123#&%$@"));
    for password in ["Abc(123", "Abc)123", "Abc 123", "Abc!123", "Abé123"] {
        assert!(doubtful(password), "{password}");
    }
}
