//! What a provider's files may say.

use super::lexer::{Kind, Token};
use super::loops::loops;
use super::rooms::PROVIDERS;
use super::sources::{ENVIRONMENT, provider};
use super::words::{Look, Words};
use super::{Check, Finding, House, Rule, Source};

/// The rules about providers.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "pure-parts",
        reason: "encode.rs, decode.rs and callback.rs are pure, so that snapshots and replays are the truth",
        check: Check::Words(&[Words { within: pure_part, look: Look::Product, refused: IMPURE }]),
    },
    Rule {
        name: "provider-only-joins",
        reason: "provider.rs joins Gateway, encode and decode: no URL, no JSON field, no status code, no loop",
        check: Check::Both(
            &[Words { within: provider_file, look: Look::Product, refused: UNJOINED }],
            more_than_joins,
        ),
    },
    Rule {
        name: "quiet-providers",
        reason: "a provider never spawns, sleeps, retries, reads the environment or owns an HTTP client",
        check: Check::Words(&[
            Words { within: provider, look: Look::Product, refused: LOUD },
            Words { within: provider, look: Look::Product, refused: ENVIRONMENT },
        ]),
    },
    Rule {
        name: "borrowed-time",
        reason: "a provider has time only through its Gateway, and its references are minted before it is called",
        check: Check::Both(
            &[Words { within: impure_part, look: Look::Product, refused: TIMELY }],
            own_clocks,
        ),
    },
    Rule {
        name: "strangers",
        reason: "a provider knows no other provider, or one gateway's change breaks two",
        check: Check::Whole(strangers),
    },
];

const IMPURE: &[&str] = &[
    "async",
    ".await",
    "Env",
    "SystemEnv",
    "Timer",
    "env::",
    "fs::",
    "std::fs",
    "std::io",
    "atomic",
    "AtomicBool",
    "AtomicU32",
    "AtomicU64",
    "AtomicUsize",
    "Cell",
    "Mutex",
    "RefCell",
    "RwLock",
    "SystemTime",
    "Instant",
    ".now(",
    ".monotonic(",
    ".fill_bytes(",
    "::mint",
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
    ".is_success()",
    ".is_client_error()",
    ".is_server_error()",
];
const LOUD: &[&str] = &[
    "spawn",
    "spawn_blocking",
    "sleep",
    "SystemEnv",
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
/// `.now(` is not here: the Gateway's may be called.
const TIMELY: &[&str] = &["Env::now", ".monotonic(", "::monotonic", ".fill_bytes(", "::fill_bytes", "::mint"];

fn own_clocks(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.sources.iter().filter(|source| impure_part(source)) {
        for four in source.product.windows(4) {
            if let [whose, dot, now, open] = four
                && dot.is(".")
                && now.is("now")
                && open.is("(")
                && !whose.is("gateway")
            {
                findings.push(Finding::new(
                    source.path,
                    now.line,
                    "`.now(` of something else than the gateway",
                ));
            }
        }
    }
    findings
}

/// Loops, literals and the status as a field. `loop` is refused in the whole room.
fn more_than_joins(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.sources.iter().filter(|source| provider_file(source)) {
        let code = source.product.as_slice();
        let mut refuse = |token: &Token<'_>, what: String| {
            findings.push(Finding::new(source.path, token.line, what));
        };
        for keyword in loops(code).filter_map(<[_]>::first).filter(|keyword| !keyword.is("loop")) {
            refuse(keyword, format!("a `{}` loop", keyword.text));
        }
        for (at, token) in code.iter().enumerate() {
            let before = code.get(..at).unwrap_or_default();
            let called = code.get(at + 1).is_some_and(|next| next.is("("));
            if token.is("status") && !called && before.last().is_some_and(|dot| dot.is(".")) {
                refuse(token, "`.status`".to_owned());
            }
            if token.kind == Kind::Text && !is_name(before) && !in_attribute(before) {
                refuse(token, format!("the literal {}", token.text));
            }
        }
    }
    findings
}

/// Whether what comes after `before` is the value of `const GATEWAY`.
fn is_name(before: &[Token<'_>]) -> bool {
    let item = before.rsplit(|token| token.is(";") || token.is("}")).next().unwrap_or_default();
    item.windows(2).any(|pair| matches!(pair, [keyword, name] if keyword.is("const") && name.is("GATEWAY")))
}

/// Whether what comes after `before` stands in `#[...]`, as the reason of an `allow` does.
fn in_attribute(before: &[Token<'_>]) -> bool {
    let Some(hash) = before.iter().rposition(|token| token.is("#")) else { return false };
    let mut depth = 0_usize;
    before.get(hash + 1..).unwrap_or_default().iter().all(|token| {
        match token.text {
            "[" => depth += 1,
            "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 0 || token.is("!")
    })
}

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

fn provider_file(source: &Source<'_>) -> bool {
    provider(source) && source.file_name() == "provider.rs"
}

fn pure_part(source: &Source<'_>) -> bool {
    provider(source) && matches!(source.file_name(), "encode.rs" | "decode.rs" | "callback.rs")
}

fn impure_part(source: &Source<'_>) -> bool {
    provider(source) && !pure_part(source)
}
