//! What each file may say: the rules that are a place and a list of words.

use super::lexer::Token;
use super::loops::loops;
use super::rooms::{Kind as Is, PROVIDERS, Room};
use super::words::{Look, Words};
use super::{Check, Finding, House, Rule, Source};

/// The rules about words.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "facade-has-no-fn",
        reason: "the front door only re-exports; logic has a room of its own",
        check: Check::Words(&[Words {
            within: facade,
            look: Look::Product,
            refused: &["fn", "macro_rules"],
        }]),
    },
    Rule {
        name: "core-names-no-gateway",
        reason: "core is the words all gateways share; what one gateway does stands in its own room",
        check: Check::Whole(gateways_in_core),
    },
    Rule {
        name: "transports-name-no-payment",
        reason: "a transport moves bytes; one that knows payments could decide about them",
        check: Check::Words(&[Words { within: transport, look: Look::Product, refused: PAYMENT }]),
    },
    Rule {
        name: "exposed-secrets",
        reason: "secrets are exposed in the few files a reviewer reads, and wrapped everywhere else",
        check: Check::Words(&[
            Words { within: may_not_expose, look: Look::Product, refused: &[".expose", "::expose"] },
            Words {
                within: not_the_secret_itself,
                look: Look::Code,
                refused: &["expose_secret", "ExposeSecret"],
            },
        ]),
    },
    Rule {
        name: "ambient",
        reason: "time, randomness and sleep come from an Env, or the simulated world cannot repeat itself",
        check: Check::Words(&[Words { within: not_env, look: Look::Product, refused: AMBIENT }]),
    },
    Rule {
        name: "environment",
        reason: "configuration is passed in; only programs read the environment",
        check: Check::Words(&[Words {
            within: library_but_provider,
            look: Look::Product,
            refused: ENVIRONMENT,
        }]),
    },
    Rule {
        name: "process-defaults",
        reason: "nothing is registered and nothing is a process default: two users of one process must not meet",
        check: Check::Words(&[
            Words { within: library, look: Look::Product, refused: GLOBAL },
            Words { within: room, look: Look::Code, refused: &["install_default"] },
        ]),
    },
    Rule {
        name: "resends",
        reason: "the only loop that resends is the journal's, because it alone survives a crash",
        check: Check::Both(
            &[Words { within: may_not_resend, look: Look::Product, refused: RESEND }],
            loops_that_send,
        ),
    },
    Rule {
        name: "floats",
        reason: "no amount passes through a float, so there is no float at all",
        check: Check::Words(&[Words { within: in_src, look: Look::Code, refused: &["f32", "f64"] }]),
    },
    Rule {
        name: "unfinished",
        reason: "what is not done is an issue, not a note in the code; a test that is off tests nothing",
        check: Check::Words(&[
            Words { within: any, look: Look::Code, refused: &["todo!", "unimplemented!", "#[ignore"] },
            Words { within: any, look: Look::Comments, refused: &["FIXME", "HACK", "TODO", "XXX"] },
        ]),
    },
];

/// What reads the environment.
pub(super) const ENVIRONMENT: &[&str] = &[
    "std::env",
    "env::args",
    "env::args_os",
    "env::var",
    "env::var_os",
    "env::vars",
    "env::vars_os",
    "option_env!",
];
const PAYMENT: &[&str] = &[
    "Balances",
    "Callbacks",
    "Capabilities",
    "Currency",
    "Instruction",
    "Money",
    "Msisdn",
    "Operation",
    "Payee",
    "Payer",
    "PayOut",
    "Provider",
    "ProviderId",
    "Reference",
    "Report",
    "Ticket",
];
const AMBIENT: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "UnixTime::now",
    "thread::sleep",
    "time::sleep",
    "tokio::time",
    "getrandom",
    "rand::",
    "thread_rng",
    "OsRng",
    "SystemRandom",
];
const GLOBAL: &[&str] = &[
    "get_default_or_install",
    "OnceLock",
    "OnceCell",
    "LazyLock",
    "LazyCell",
    "static",
    "thread_local!",
    "lazy_static",
    "once_cell",
    "inventory",
    "linkme",
    "distributed_slice",
    "ctor",
    "set_global",
    "set_global_default",
    "set_default",
    "set_logger",
    "set_boxed_logger",
];
const RESEND: &[&str] = &["retries", "max_retries", "backoff", "backon", "resend", "Retry", "RetryPolicy"];

/// A loop around what sends; and any loop where everything is sent.
fn loops_that_send(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.sources.iter().filter(|source| sends(source)) {
        for round in loops(&source.product) {
            if source.path == "crates/transport/src/gateway.rs"
                || calls(round, "send")
                || calls(round, "execute")
            {
                let line = round.first().map_or(1, |keyword| keyword.line);
                findings.push(Finding::new(source.path, line, "a loop that can send again"));
            }
        }
    }
    findings
}

fn calls(code: &[Token<'_>], method: &str) -> bool {
    let called =
        |at: &[Token<'_>]| matches!(at, [dot, name, open] if dot.is(".") && name.is(method) && open.is("("));
    code.windows(3).any(called)
}

/// In comments, strings and tests too: an example that names a gateway ages with it.
fn gateways_in_core(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.sources.iter().filter(|source| in_room(source, "core") && source.in_src()) {
        for (index, line) in source.text.lines().enumerate() {
            let line = line.to_lowercase();
            if let Some(name) = PROVIDERS.iter().find(|name| line.contains(**name)) {
                findings.push(Finding::new(source.path, index + 1, format!("names {name}")));
            }
        }
    }
    findings
}

fn any(_: &Source<'_>) -> bool {
    true
}

fn in_src(source: &Source<'_>) -> bool {
    source.in_src()
}

fn room(source: &Source<'_>) -> bool {
    source.room.is_some()
}

/// Whether others build on it: not a program, be it a room or one beside a library.
pub(super) fn library(source: &Source<'_>) -> bool {
    source.room.is_some_and(|room| room.kind != Is::Program && !source.path.starts_with(&programs(room)))
}

/// Where the programs beside a library stand.
fn programs(room: &Room) -> String {
    format!("{}/src/bin/", room.folder())
}

/// Whether it is one gateway's room.
pub(super) fn provider(source: &Source<'_>) -> bool {
    source.room.is_some_and(|room| room.kind == Is::Provider)
}

fn library_but_provider(source: &Source<'_>) -> bool {
    library(source) && !provider(source)
}

/// Whether it stands between a payment and the wire.
fn sends(source: &Source<'_>) -> bool {
    provider(source) || transport(source) || in_room(source, "transport")
}

fn facade(source: &Source<'_>) -> bool {
    source.room.is_some_and(|room| room.kind == Is::Facade)
}

fn transport(source: &Source<'_>) -> bool {
    source.room.is_some_and(|room| room.kind == Is::Transport)
}

fn in_room(source: &Source<'_>, name: &str) -> bool {
    source.room.is_some_and(|room| room.name == name)
}

/// The sockets of PostgreSQL belong to a runtime, whose clock gives them up.
fn not_env(source: &Source<'_>) -> bool {
    let listed = ["crates/core/src/env.rs", "crates/journal/src/postgres/patience.rs"];
    room(source) && !listed.contains(&source.path)
}

fn may_not_resend(source: &Source<'_>) -> bool {
    library(source) && !in_room(source, "journal")
}

fn not_the_secret_itself(source: &Source<'_>) -> bool {
    room(source) && source.path != "crates/core/src/secret.rs"
}

/// The testkit is exempt: its suite holds what a provider sent against the secrets it was given.
fn may_not_expose(source: &Source<'_>) -> bool {
    let listed = match source.file_name() {
        "encode.rs" | "callback.rs" => provider(source),
        "authorize.rs" => provider(source) || in_room(source, "transport"),
        "credential.rs" => in_room(source, "daraja"),
        "callback_url.rs" | "config.rs" | "goods.rs" => in_room(source, "journal"),
        "secret.rs" => in_room(source, "core"),
        _ => false,
    };
    source.room.is_some_and(|room| room.kind != Is::Testkit) && !listed
}
