//! The simulator as a process of its own, asked over plain TCP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::{malipo, text};

/// A process that is ended with the test, however that goes.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_malipo"));
        let command = command.arg("sim").args(arguments).env("NO_COLOR", "1").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = None;
        while address.is_none() {
            let mut line = String::new();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "it ended before it printed its base URL");
            let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
            address = url.filter(|_| line.contains("base URL")).map(str::to_owned);
        }
        Self { child, stdout, address: address.unwrap() }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: sim\r\nContent-Length: {length}\r\n");
        stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    /// What it printed after its base URL until its end, and its exit code.
    #[cfg(unix)]
    fn end(mut self, signal: &str) -> (String, Option<i32>) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().code())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_simulator_answers_programs_in_any_language() {
    let sim = Running::start(&["--port", "0", "--seed", "7", "--result-delay-ms", "60000"]);
    assert!(sim.address.starts_with("127.0.0.1:"), "{}", sim.address);
    let (status, accounts) = sim.ask("GET", "/_sim/accounts", "");
    assert_eq!((status, accounts["accounts"]["daraja"]["shortcode"].as_str()), (200, Some("600996")));

    let account = &accounts["accounts"]["kasapay"];
    let keys =
        json!({ "consumer_key": account["consumer_key"], "consumer_secret": account["consumer_secret"] });
    let ask = format!(
        "POST /v1/auth HTTP/1.1\r\nHost: sim\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{keys}",
        keys.to_string().len()
    );
    let mut stream = TcpStream::connect(&sim.address).unwrap();
    stream.write_all(ask.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.contains("access_token"), "{reply}");

    assert_eq!(sim.ask("POST", "/_sim/advance", r#"{"seconds": 60}"#).1["ahead_millis"], 60_000);
    assert_eq!(sim.ask("GET", "/_sim/idle", ""), (200, json!({ "idle": true })));
    assert_eq!(sim.ask("GET", "/_sim/events", "").1["events"].as_array().unwrap().len(), 1);
    assert_eq!(sim.ask("POST", "/_sim/reset", "").0, 200);
    assert_eq!(sim.ask("GET", "/_sim/events", "").1, json!({ "events": [] }));
}

#[cfg(unix)]
#[test]
fn an_interrupt_and_a_termination_end_it_well() {
    for signal in ["INT", "TERM"] {
        let sim = Running::start(&["--port", "0"]);
        let credentials = format!("http://{}/_sim/accounts", sim.address);
        let (rest, code) = sim.end(signal);
        assert_eq!(code, Some(0), "{signal}: {rest}");
        assert!(rest.contains(&credentials) && rest.ends_with("stopped\n"), "{rest}");
        assert!(!rest.contains("simulated-"), "credentials stand nowhere else: {rest}");
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_do() {
    let sim = Running::start(&["--port", "0"]);
    let port = sim.address.rsplit(':').next().unwrap();
    let output = malipo(&["sim", "--port", port]);
    let says = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    for part in
        [&format!("malipo: the simulator cannot listen on 127.0.0.1:{port}: "), "what to do", "--port; 0"]
    {
        assert!(says.contains(part), "{part} in {says}");
    }
    let output = malipo(&["sim", "--port", "65536"]);
    assert_eq!(output.status.code(), Some(2));
}
