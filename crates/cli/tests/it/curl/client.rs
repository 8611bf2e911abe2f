//! A client in no language at all: command lines.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Body, Example, Mend, Page, With};
use crate::sim::Running;
use crate::text;

/// What every command line says besides: no settings of this machine's user, no way but the direct one, and the status
/// behind the body.
const SETTINGS: &str = r"curl -q -sS --max-time 10 --noproxy '*' -w '\n%{http_code}' ";

/// A simulator as a process, and what a client of it has found out.
pub(super) struct Client {
    running: Running,
    gateway: &'static str,
    host: &'static str,
    account: Value,
    told: BTreeMap<String, String>,
}

/// A request on its way from what is printed to what is right.
pub(super) struct Sent {
    line: String,
    stdin: Option<String>,
}

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Client {
    /// Starts the simulator, learns its credentials, and goes through the door.
    pub(super) fn start(page: &Page) -> Self {
        let running = Running::start(&["--port", "0", "--seed", "7"]);
        let Page { gateway, host, door, .. } = *page;
        let mut client = Self { running, gateway, host, account: Value::Null, told: BTreeMap::new() };
        client.account = client.control("/_sim/accounts")["accounts"][gateway].clone();
        if let Some(line) = door {
            let mut line = line.to_owned();
            for (name, value) in client.account.as_object().unwrap() {
                line = line.replace(&format!("{{{name}}}"), value.as_str().unwrap());
            }
            let reply = client.send(&Sent { line, stdin: None });
            assert_eq!(reply.status, 200, "{}", reply.text);
            client.learn(&reply);
        }
        client
    }

    /// Runs a command line, with the simulator in place of the gateway.
    pub(super) fn send(&self, sent: &Sent) -> Reply {
        let here = format!("http://{}", self.running.address);
        let line = sent.line.replacen(self.host, &here, 1);
        assert!(line.contains(&here), "not to the gateway's host: {line}");
        curl(&line, sent.stdin.as_deref())
    }

    /// Remembers what an answer tells.
    pub(super) fn learn(&mut self, reply: &Reply) {
        let told: BTreeMap<String, Value> = serde_json::from_str(&reply.text).unwrap();
        let texts = told.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        self.told.extend(texts);
    }

    /// The gateway's payments, once all is decided.
    pub(super) fn payments(&self) -> Vec<Value> {
        assert_eq!(self.control("/_sim/idle")["idle"], true);
        self.books("payments")
    }

    /// The gateway's moves of money.
    pub(super) fn moves(&self) -> Vec<Value> {
        self.books("moves")
    }

    fn books(&self, part: &str) -> Vec<Value> {
        let ledger = self.control(&format!("/_sim/ledger?gateway={}", self.gateway));
        ledger[part].as_array().unwrap().clone()
    }

    fn control(&self, path: &str) -> Value {
        let reply = curl(&format!("curl 'http://{}{path}'", self.running.address), None);
        assert_eq!(reply.status, 200, "{}", reply.text);
        serde_json::from_str(&reply.text).unwrap()
    }

    fn known(&self, with: With) -> String {
        let account = |name: &str| self.account[name].as_str().unwrap().to_owned();
        match with {
            With::Text(text) => text.to_owned(),
            With::Account(name) => account(name),
            With::Told(name) => self.told[name].clone(),
            With::Credential => credential(&account("certificate_pem"), &account("initiator_password")),
            With::Code => {
                let messages = self.control("/_sim/messages");
                messages["messages"].as_array().unwrap().last().unwrap()["code"].as_str().unwrap().to_owned()
            }
        }
    }
}

impl Sent {
    pub(super) fn printed(example: &Example, client: &Client) -> Self {
        assert!(example.line.contains(client.host), "{}", example.name);
        let line = example.line.to_owned();
        match example.body {
            Body::None => Self { line, stdin: None },
            Body::Data(body) => Self { line: format!("{line} \\\n-d '{}'", body.trim_end()), stdin: None },
            Body::Stdin(body) => Self { line: line + " --data-binary @-", stdin: Some(body.to_owned()) },
        }
    }

    pub(super) fn mend(&mut self, client: &Client, mend: &Mend) {
        match mend {
            Mend::Put(printed, with) => self.put(printed, &client.known(*with)),
            Mend::Sign(pointers) => {
                let body: Value = serde_json::from_str(self.stdin.as_deref().unwrap()).unwrap();
                let text = |pointer: &str| body.pointer(pointer).unwrap().as_str().unwrap();
                let message: String = pointers.iter().map(|pointer| text(pointer)).collect();
                let key = client.known(With::Account("security_key"));
                self.put(text("/signature"), &signature(&key, &message));
            }
        }
    }

    fn put(&mut self, printed: &str, right: &str) {
        let places = [Some(&mut self.line), self.stdin.as_mut()].into_iter().flatten();
        let places: Vec<_> = places.filter(|place| place.contains(printed)).collect();
        let times: usize = places.iter().map(|place| place.matches(printed).count()).sum();
        assert_eq!(times, 1, "how often {printed} stands there");
        for place in places {
            *place = place.replacen(printed, right, 1);
        }
    }
}

/// Kyanda's signature, as the page says it is made, and by other code than the simulator's.
fn signature(key: &str, message: &str) -> String {
    let told = piped("openssl", &["dgst", "-sha256", "-hmac", key], message.as_bytes());
    text(&told).trim().rsplit_once("= ").unwrap().1.to_owned()
}

/// Daraja's SecurityCredential, likewise.
fn credential(certificate: &str, password: &str) -> String {
    let file = std::env::temp_dir().join(format!("malipo-curl-{}.pem", std::process::id()));
    std::fs::write(&file, certificate).unwrap();
    let path = file.to_str().unwrap();
    let encrypt = ["pkeyutl", "-encrypt", "-certin", "-inkey", path, "-pkeyopt", "rsa_padding_mode:pkcs1"];
    let sealed = piped("openssl", &encrypt, password.as_bytes());
    std::fs::remove_file(file).unwrap();
    text(&piped("openssl", &["base64", "-A"], &sealed)).trim().to_owned()
}

/// Runs a command line as a shell does, since that is where people put what is printed.
fn curl(line: &str, stdin: Option<&str>) -> Reply {
    let line = line.strip_prefix("curl ").unwrap();
    let output = piped("sh", &["-c", &format!("{SETTINGS}{line}")], stdin.unwrap_or_default().as_bytes());
    let output = text(&output);
    let (body, status) = output.rsplit_once('\n').unwrap();
    Reply { status: status.parse().unwrap(), text: body.to_owned() }
}

/// What a program prints that is given these bytes.
fn piped(program: &str, arguments: &[&str], stdin: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let install =
        "this test runs curl and openssl: `cargo xtask test` installs them, or apt-get install curl openssl";
    let started = command.spawn();
    assert!(started.is_ok(), "{program}: {started:?}\n{install}");
    let mut child = started.unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{install}", text(&output.stderr));
    output.stdout
}
