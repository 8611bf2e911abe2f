//! The signatures, checked with another implementation than the one that made them.

use std::process::{Command, Stdio};
use std::sync::Arc;

use malipo_core::{
    Balances as _, Bank, Biller, Instruction, Network, Operation, Provider, ProviderRefs, Secret,
};
use malipo_kyanda::{Config, Keys, Kyanda};
use malipo_testkit::{ManualEnv, Outcome, ScriptedTransport};

use crate::subject::{airtime, bill, collect, initiator, terms, ticket, to_bank, to_wallet, voucher};

const KEY: &str = "made-up-security-key";

/// Each of the nine requests with the sample values of Kyanda's page: what is signed, and what openssl makes of that
/// with the key above. Before an account the amount has its cents, which the page does not show.
const VECTORS: &[(Request, &str, &str)] = &[
    (Request::Balance, "kyanda", "ec6c78b83043eac9060c8e54de8a3083b1bbf3d3e6f9bcd9a4be37b81798f796"),
    (
        Request::Check,
        "kyandakyanda-API1089772",
        "3dae645363434c8fbd993b716d2091ea29bc053366debed234a514031c185678",
    ),
    (
        Request::MobilePayout,
        "15000715330000John DoeGermanyMPESAkyanda",
        "c603b288715f7b47c70a28e327e33561154a310f3ed17ec15f421934d3873742",
    ),
    (
        Request::BankPayout,
        "1500.0020425811540715330000101John DoeGermanykyanda",
        "01b866948e0668537abecfc5282a25f2ef62bc5f36039fe1f314a380a95c5d26",
    ),
    (
        Request::Checkout,
        "15000715330000MPESAkyanda",
        "c43e488ddb915961878c01d8897332a02fa0dc99c51f35a8a8b6e1b2b5b40b70",
    ),
    (
        Request::Airtime,
        "15000715330000SAFARICOM0715330000kyanda",
        "1a5291cd95cb2a4c8bad7949a8143f52c814a7a88ed00d2f5a89428c2732aae8",
    ),
    (
        Request::Bill,
        "1500.000123456789DSTV0715330000kyanda",
        "cf43680b17be2b0a82ffd954d88cce9f2e924b7d87db534b1339ce61360e2e37",
    ),
    (
        Request::Voucher,
        "15000715330000SAFARICOM0715330000kyanda",
        "1a5291cd95cb2a4c8bad7949a8143f52c814a7a88ed00d2f5a89428c2732aae8",
    ),
    (Request::Registration, "kyanda", "ec6c78b83043eac9060c8e54de8a3083b1bbf3d3e6f9bcd9a4be37b81798f796"),
];

#[derive(Debug, Clone, Copy)]
enum Request {
    Balance,
    Check,
    MobilePayout,
    BankPayout,
    Checkout,
    Airtime,
    Bill,
    Voucher,
    Registration,
}

/// The signature that goes out with this request.
fn signature(request: Request, keys: Keys) -> String {
    let transport = Arc::new(ScriptedTransport::new().always(Outcome::json(500, "")));
    let config = Config::sandbox(keys, "kyanda", initiator()).unwrap();
    let kyanda = Kyanda::new(config, transport.clone(), Arc::new(ManualEnv::new()));
    let terms = || terms("PAY-1", "1500");
    let submit = |instruction: Instruction| pollster::block_on(kyanda.submit(&instruction)).map(|_| ());
    let outcome = match request {
        Request::Balance => pollster::block_on(kyanda.balances()).map(|_| ()),
        Request::Check => {
            let mut ticket = ticket(Operation::PayOut);
            ticket.provider_refs = ProviderRefs::new().with("transaction", Some("kyanda-API1089772"));
            pollster::block_on(kyanda.status(&ticket)).map(|_| ())
        }
        Request::MobilePayout => submit(to_wallet(Network::Safaricom, terms())),
        Request::BankPayout => submit(to_bank(Bank::Absa, "2042581154", terms())),
        Request::Checkout => submit(collect(Network::Safaricom, terms())),
        Request::Airtime => submit(airtime(Network::Safaricom, terms())),
        Request::Bill => submit(bill(Biller::Dstv, "0123456789", terms())),
        Request::Voucher => submit(voucher(Network::Safaricom, terms())),
        Request::Registration => {
            let url = "https://website.com/callback".parse().unwrap();
            pollster::block_on(kyanda.register_callback(&url)).map(|_| ())
        }
    };
    assert!(outcome.is_err(), "the gateway answers nothing");
    let body: serde_json::Value = serde_json::from_slice(transport.requests()[0].body()).unwrap();
    body["signature"].as_str().unwrap().to_owned()
}

fn made_up_keys() -> Keys {
    Keys::new(Secret::new("made-up-api-key")).unwrap().with_security_key(Secret::new(KEY)).unwrap()
}

#[test]
fn all_nine_orders_sign_as_computed_elsewhere() {
    assert_eq!(VECTORS.len(), 9);
    for (request, _, expected) in VECTORS {
        assert_eq!(signature(*request, made_up_keys()), *expected, "{request:?}");
    }
}

#[test]
fn with_one_key_it_signs_as_well() {
    let keys = Keys::new(Secret::new(KEY)).unwrap();
    for (request, _, expected) in VECTORS {
        assert_eq!(signature(*request, keys.clone()), *expected, "{request:?}");
    }
}

/// After `cargo xtask test --without openssl`, which itself says NOT RUN.
fn is_without_openssl() -> bool {
    let without = std::env::var_os("MALIPO_WITHOUT").unwrap_or_default();
    without.to_string_lossy().split(',').any(|tool| tool == "openssl")
}

fn openssl(message: &str) -> String {
    use std::io::Write as _;

    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", KEY, "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect(
            "this test runs the openssl command: `cargo xtask test` installs it, or apt-get install openssl",
        );
    child.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.split(' ').next().unwrap().to_owned()
}

#[test]
fn openssl_signs_the_same_messages_alike() {
    if is_without_openssl() {
        return;
    }
    for (request, message, expected) in VECTORS {
        assert_eq!(openssl(message), *expected, "{request:?}");
        assert_eq!(openssl(message), signature(*request, made_up_keys()), "{request:?}");
    }
}
