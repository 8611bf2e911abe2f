//! What each file may say: the rules that are a place and a list of words.

use super::lexer::Kind;
use super::rooms::{Kind as Is, PROVIDERS};
use super::words::{Look, Words};
use super::{Check, Finding, House, Rule, Source};

/// The rules about words.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "pure-parts",
        reason: "encode.rs, decode.rs and callback.rs are pure, so that snapshots and replays are the truth",
        check: Check::Words(&[Words { within: pure_part, look: Look::Product, refused: IMPURE }]),
    },
    Rule {
        name: "provider-only-joins",
        reason: "provider.rs joins Gateway, encode and decode: no URL, no JSON field, no status code",
        check: Check::Words(&[
            Words { within: provider_file, look: Look::Texts, refused: &["/", "http"] },
            Words { within: provider_file, look: Look::Product, refused: UNJOINED },
        ]),
    },
    Rule {
        name: "quiet-providers",
        reason: "a provider never spawns, sleeps, retries, reads the environment or owns an HTTP client",
        check: Check::Words(&[Words { within: provider, look: Look::Product, refused: LOUD }]),
    },
    Rule {
        name: "strangers",
        reason: "a provider knows no other provider, or one gateway's change breaks two",
        check: Check::Whole(strangers),
    },
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
        name: "process-defaults",
        reason: "nothing is registered and nothing is a process default: two users of one process must not meet",
        check: Check::Words(&[
            Words { within: library, look: Look::Product, refused: GLOBAL },
            Words { within: room, look: Look::Code, refused: &["install_default"] },
        ]),
    },
    Rule {
        name: "additive-features",
        reason: "a feature adds and never changes behaviour, because features unify over a whole build",
        check: Check::Words(&[Words {
            within: library,
            look: Look::Product,
            refused: &["cfg!(feature", "cfg!(not", "cfg!(all", "cfg!(any", "cfg(not(feature"],
        }]),
    },
    Rule {
        name: "resends",
        reason: "the only loop that resends is the journal's, because it alone survives a crash",
        check: Check::Words(&[Words { within: may_not_resend, look: Look::Product, refused: RESEND }]),
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
            Words { within: any, look: Look::Comments, refused: &["FIXME", "XXX"] },
        ]),
    },
];

const IMPURE: &[&str] = &[
    "async",
    ".await",
    "Env",
    "SystemEnv",
    "Timer",
    "env::",
    "SystemTime",
    "Instant",
    ".now(",
    ".fill_bytes(",
    "tracing",
    "log::",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "dbg!",
];
const UNJOINED: &[&str] = &[
    "Uri",
    "Url",
    "PathAndQuery",
    "serde_json",
    "json!",
    "StatusCode",
    ".status()",
    ".status.",
    ".status {",
    ".status =",
    ".is_success()",
    ".is_client_error()",
    ".is_server_error()",
];
const LOUD: &[&str] = &[
    "spawn",
    "spawn_blocking",
    "sleep",
    "SystemEnv",
    "std::env",
    "env::var",
    "env::vars",
    "env::var_os",
    "option_env!",
    "std::thread",
    "thread::",
    "std::net",
    "TcpStream",
    "tokio",
    "reqwest",
    "hyper",
    "malipo_reqwest",
    "malipo_hyper",
    "loop",
    "retry",
    "retries",
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
    "static mut",
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

fn strangers(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.sources.iter().filter(|source| provider(source)) {
        let own = source.room.map_or("", |room| room.name);
        let others: Vec<_> = PROVIDERS.iter().filter(|name| **name != own).collect();
        for token in source.product.iter().filter(|token| token.kind == Kind::Word) {
            let word = token.text.to_lowercase();
            if let Some(other) = others.iter().find(|other| word.contains(**other)) {
                findings.push(Finding::new(source.path, token.line, format!("names {other}")));
            }
        }
    }
    findings
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

fn library(source: &Source<'_>) -> bool {
    source.room.is_some_and(|room| room.kind != Is::Program)
}

fn provider(source: &Source<'_>) -> bool {
    source.room.is_some_and(|room| room.kind == Is::Provider)
}

fn provider_file(source: &Source<'_>) -> bool {
    provider(source) && source.file_name() == "provider.rs"
}

fn pure_part(source: &Source<'_>) -> bool {
    provider(source) && matches!(source.file_name(), "encode.rs" | "decode.rs" | "callback.rs")
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

fn not_env(source: &Source<'_>) -> bool {
    room(source) && source.path != "crates/core/src/env.rs"
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
        "callback_url.rs" => in_room(source, "journal"),
        "secret.rs" => in_room(source, "core"),
        _ => false,
    };
    source.room.is_some_and(|room| room.kind != Is::Testkit) && !listed
}
